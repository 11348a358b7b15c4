"""A request that is refused before the application sees it."""

from __future__ import annotations

from http import HTTPStatus

__all__ = ["Refusal"]


class Refusal(Exception):
    """A request that is answered with a problem, after which the connection is closed.

    The connection is closed because it is not certain where the next request would begin (RFC 9112, section 9.6).
    The names ``code``, ``reason`` and ``body`` are those of ``waitress.utilities.Error``.

    Attributes:
        code: the status code of the answer.
        body: what is wrong and what to do, without anything of the request in it.
        headers: further header fields of the answer.
        discard: bytes of the request that are still read and thrown away, so that its sender can read the answer.
    """

    def __init__(self, code: int, body: str, *, headers: dict[str, str] | None = None, discard: int = 1 << 20) -> None:
        super().__init__(body)
        self.code = code
        self.body = body
        self.headers = headers or {}
        self.discard = discard

    @property
    def reason(self) -> str:
        """The reason phrase of the status line."""
        return HTTPStatus(self.code).phrase
