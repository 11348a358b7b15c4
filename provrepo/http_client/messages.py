"""The messages of the HTTP client: requests, answers, and the URLs that its errors name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from provrepo.errors import RemoteError, UsageError
from provrepo.model.identifiers import web_address
from provrepo.text import quoted

__all__ = ["Answer", "Call", "Stream", "media_type", "server_url", "shown"]

CHUNK_BYTES = 64 << 10
"""Bytes of a request that are sent before the deadline is tested again."""

LONGEST_HOST = 253
"""The most characters of the name of a host (RFC 1035, section 2.3.4)."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer.

    Attributes:
        status: the status code.
        headers: header fields; their names in any case.
        content: the body.
        where: the address without its query, for messages.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    where: str

    @property
    def text(self) -> str:
        """The body as UTF-8.

        Raises:
            RemoteError: it is not UTF-8.
        """
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise RemoteError(f"{self.where} sent text that is not UTF-8", status=self.status) from error

    def json(self) -> Any:
        """The value of a JSON body.

        Raises:
            RemoteError: it is not JSON; then the URL is probably not that of a provrepo server.
        """
        if media_type(self.headers).endswith(("/json", "+json")):
            try:
                return json.loads(self.content)
            except (ValueError, RecursionError):
                pass
        raise RemoteError(
            f"{self.where} sent an answer that is not JSON; is it the address of a provrepo server?", status=self.status
        )


class Stream:
    """An answer whose body is read in chunks.

    Attributes:
        status: the status code.
        headers: header fields; their names in any case.
        where: the address without its query, for messages.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        where: str,
        chunks: Iterator[bytes],
        close: Callable[[], None],
    ) -> None:
        self.status = status
        self.headers = headers
        self.where = where
        self.close = close
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        """The chunks of the body, none of them empty.

        Raises:
            Unreachable: the answer ends too early or too late.
            RemoteError: it is larger than the limit.
        """
        return self._chunks

    def complete(self) -> Answer:
        """The whole answer; the errors are those of the chunks."""
        return Answer(self.status, self.headers, b"".join(self), self.where)


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of a message without parameters, in lower case; empty if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(slots=True)
class Call:
    """A request.

    Attributes:
        method: its method.
        url: its address.
        headers: its header fields.
        content: its body.
        start: the position in ``content``, if that is a file.
        expect: statuses that are no errors.
        limit: the most bytes of the answer.
        end: its deadline, as a value of ``time.monotonic``.
        seconds: its deadline in seconds.
        again: whether the last failure may pass, and the seconds that the server asks to wait.
    """

    method: str
    url: httpx.URL
    headers: httpx.Headers
    content: bytes | BinaryIO
    start: int
    expect: frozenset[int]
    limit: int | None
    end: float
    seconds: float | None
    again: tuple[bool, float] = (False, 0.0)

    @property
    def where(self) -> str:
        """The address without its query."""
        return shown(str(self.url))

    @property
    def repeatable(self) -> bool:
        """Whether the request may have been carried out before without changing its meaning."""
        conditional = "if-match" in self.headers or "if-none-match" in self.headers
        return self.method in {"GET", "HEAD"} or (self.method in _IDEMPOTENT and not conditional)

    def body(self) -> Iterator[bytes]:
        """The body in chunks, from its beginning."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), CHUNK_BYTES):
                yield self.content[start : start + CHUNK_BYTES]
            return
        self.content.seek(self.start)
        while chunk := self.content.read(CHUNK_BYTES):
            yield chunk


def server_url(text: str) -> str:
    """The URL of a server, normalized, with a slash at its end.

    Raises:
        UsageError: it is not an http or https URL, or it contains a user, a query or a fragment.
    """
    parts = web_address(text)
    if "@" in text.partition("//")[2].partition("/")[0]:
        raise UsageError("the URL of a server must not contain a user or password; set PROVREPO_TOKEN")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        parts = None
    if parts is None or len(parts.hostname or "") > LONGEST_HOST or parts.query or parts.fragment:
        raise UsageError(f"{shown(text)!r} is not the URL of a server, such as https://prov.example/")
    return str(url).rstrip("/") + "/"


def shown(url: str) -> str:
    """A URL for messages: without its query, which may contain secrets."""
    return quoted(re.split("[?#]", url, maxsplit=1)[0], 300)
