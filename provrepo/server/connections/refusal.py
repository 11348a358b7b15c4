"""Refusal of a request on the level of its connection, before the application is called."""

from __future__ import annotations

from http import HTTPStatus

__all__ = ["Refusal"]


class Refusal(Exception):
    """The request gets a problem as its response, and the connection is closed.

    It is closed because the start of the next request is uncertain (RFC 9112, section 9.6). The names ``code``,
    ``reason`` and ``body`` are those of ``waitress.utilities.Error``.

    Attributes:
        code: the status code of the response.
        body: what is wrong and what to do; it quotes nothing of the request.
        headers: further header fields of the response.
        discard: the number of bytes of the request to read and discard, so that the client can read the response.
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
