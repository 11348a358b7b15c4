"""A project of another server as the origin of a mirror: its end, its entries, and its blobs.

The server may be hostile or broken. Every answer is bounded, redirects are refused, and only addresses below the URL
that the operator named are requested (``provrepo.http_client``).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from provrepo.errors import Busy, Denied, NotAvailable, NotFound, ReadError, RemoteError, Unreachable, UsageError
from provrepo.ledger.kinds import is_name
from provrepo.ledger.storage import durable
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.exchange.import_entries import LONGEST_ENTRY
from provrepo.repository.exchange.origin import Origin
from provrepo.repository.exchange.serving import BULK_BLOBS, BULK_BYTES, PAGE_BYTES, StreamEnd
from provrepo.text import quoted
from provrepo.verify.notes import VerifierKey
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.http_client import Answer
    from provrepo.http_client.messages import Stream

__all__ = ["HttpOrigin", "SignedLog", "split_url"]

_SECONDS = 60.0
"""The deadline of a request for the end of a stream, a page of entries, or several blobs, in seconds."""

_SLOWEST = 50_000
"""Bytes per second below which the reception of a blob ends; the next attempt continues it."""

_PAGE_LIMIT = PAGE_BYTES + LONGEST_ENTRY + MAX_PAGE_SIZE
_ORIGIN_LIMIT = 64 << 20
_LOG_LIMIT = 64 << 10
_LARGEST_UNKNOWN = 256 << 20
"""The most bytes of a blob whose size no entry states: a report or a profile."""

_LINE = 4096
_SMALL = 64 << 10
_INTERRUPTIONS = 5
_MOST_REASON = 500
_PAUSE = 5.0
_PATIENCE = 180.0
"""Seconds to wait in all for an origin that asks to slow down (429)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


def split_url(url: str) -> tuple[str, str]:
    """Return the URL of the server and the name of the project for the URL of a project.

    Raises:
        UsageError: it is not ``…/projects/NAME``.
    """
    server, found, name = url.strip().rstrip("/").rpartition("/projects/")
    if not found or not is_name(name):
        raise UsageError(f"{url[:200]!r} is not the URL of a project, such as https://lab.example/projects/crops")
    return f"{server}/", name


@dataclass(frozen=True, slots=True)
class SignedLog:
    """What a server says of the log of a project; nothing of it is verified.

    Attributes:
        checkpoint: the signed note.
        keys: the keys that the server names.
    """

    checkpoint: str
    keys: tuple[VerifierKey, ...]


class HttpOrigin:
    """A project of another server; a ``BlobSource`` and ``BulkBlobSource``."""

    parallel = 4

    def __init__(self, url: str, *, token: str = "", abandoned: Callable[[], bool] | None = None) -> None:
        """Take the URL of the project; nothing is sent yet.

        Args:
            url: the URL of the project.
            token: sent as a bearer token; empty for none.
            abandoned: whether to stop; asked between requests.

        Raises:
            UsageError: it is not the URL of a project.
        """
        server, self._project = split_url(url)
        from provrepo.http_client import HttpClient  # loads httpx

        self._client = HttpClient(server, token=token, timeout=30.0, deadline=_SECONDS)
        self._abandoned = abandoned or (lambda: False)
        self._waited = 0.0
        self.url = f"{self._client.url}projects/{self._project}"

    def __enter__(self) -> HttpOrigin:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def end(self) -> StreamEnd:
        """Return the end of the stream, by one HEAD."""
        answer = self._patiently(lambda: self._client.head(self._path("ledger"), deadline=_SECONDS))
        sequence = answer.headers.get("provrepo-sequence", "")
        setup = answer.headers.get("provrepo-setup-id", "")
        about = answer.headers.get("provrepo-about", "")
        digest = answer.headers.get("etag", "").removeprefix("W/").strip('"').removesuffix(".gzip")
        sound = re.fullmatch(r"[0-9]{1,15}", sequence) and max(len(setup), len(about)) <= 100
        if not sound or (_SHA256.fullmatch(digest) is None) != (int(sequence) == 0):
            raise RemoteError(f"{answer.where} does not tell where the stream of its entries ends; is it a project?")
        return StreamEnd(int(sequence), digest if int(sequence) else "", setup, about)

    def log(self) -> SignedLog | None:
        """Return the signed log of the project; None if the server has none, or cannot sign.

        Raises:
            RemoteError: it sends something else.
        """
        try:
            answer: Answer = self._patiently(
                lambda: self._client.get(self._path("log"), limit=_LOG_LIMIT, deadline=_SECONDS)
            )
        except (NotFound, NotAvailable):
            return None
        found = answer.json()
        try:
            return SignedLog(str(found["checkpoint"]), tuple(VerifierKey.from_text(key) for key in found["keys"]))
        except (KeyError, TypeError, AttributeError, ReadError) as error:
            raise RemoteError(f"{answer.where} sent what is no log: {quoted(str(error))}") from error

    def tile(self, path: str) -> bytes:
        """Return a tile of the tree of the log, by its path below ``tile/``."""
        steps = self._path("log", "tile", *path.split("/"))
        answer: Answer = self._patiently(lambda: self._client.get(steps, limit=_LOG_LIMIT, deadline=_SECONDS))
        return answer.content

    def describe(self) -> Origin:
        """Return what the server says of itself and the project."""
        answer = self._patiently(
            lambda: self._client.get(self._path("ledger", "origin"), limit=_ORIGIN_LIMIT, deadline=_SECONDS)
        )
        return Origin.from_dict(answer.json())

    def entries(self, after: int, until: int) -> Iterator[bytes]:
        """Yield the bytes of the entries after one up to another, in pages.

        Raises:
            RemoteError: the server sends fewer, or more than were requested.
        """
        while after < until:
            limit = min(MAX_PAGE_SIZE, until - after)
            lines = self._page(after, limit)
            if not lines or len(lines) > limit:
                raise RemoteError(
                    f"{self.url} says that it has {counted(until, 'entry', 'entries')}, and sent "
                    f"{len(lines)} of the {limit} after {after}"
                )
            after += len(lines)
            yield from lines

    def _page(self, after: int, limit: int) -> list[bytes]:
        answer: Answer = self._patiently(
            lambda: self._client.get(
                self._path("ledger"),
                query={"after": after, "limit": limit},
                headers={"Accept": "application/x-ndjson"},
                limit=_PAGE_LIMIT,
                deadline=_SECONDS,
            )
        )
        if answer.headers.get("content-type", "").partition(";")[0].strip() != "application/x-ndjson":
            raise RemoteError(f"{answer.where} did not send entries one a line; is its version older?")
        lines = answer.content.split(b"\n")
        if lines.pop():
            raise RemoteError(f"{answer.where} sent an entry without its end")
        return lines

    def prefetch(self, wanted: Collection[str], folder: Path) -> dict[str, str]:
        """Write small blobs to files of a folder, named by their digests, as far as the server sends them together.

        Returns:
            The blobs that the server does not have, with the reason.
        """
        absent: dict[str, str] = {}
        digests = list(wanted)
        for start in range(0, len(digests), BULK_BLOBS):
            batch = digests[start : start + BULK_BLOBS]
            absent |= self._patiently(lambda batch=batch: self._bulk(batch, folder))  # type: ignore[misc]
        return absent

    def _bulk(self, batch: list[str], folder: Path) -> dict[str, str]:
        content = json.dumps({"sha256": batch}).encode()
        headers = {"Content-Type": "application/json"}
        absent: dict[str, str] = {}
        limit = BULK_BYTES + len(batch) * _LINE
        path = self._path("blobs")
        with self._client.stream("POST", path, headers=headers, content=content, limit=limit) as answer:
            source = _Reader(answer)
            for digest in batch:
                line = source.line()
                if line.get("sha256") != digest:
                    raise RemoteError(f"{answer.where} sent other blobs than those that were requested")
                if "absent" in line:
                    absent[digest] = _reason(line["absent"])
                elif line.get("separate") is not True:
                    size = line.get("size")
                    if not isinstance(size, int) or not 0 <= size <= BULK_BYTES:
                        raise RemoteError(f"{answer.where} sent a blob of {str(size)[:20]} bytes, more than it may")
                    with durable.translated(f"store a blob in {folder}"), (folder / digest).open("wb") as file:
                        source.copy(size, file)
        return absent

    def fetch(self, digest: str, file: Path, most: int | None) -> str | None:
        """Write a blob to a file, and continue where a former attempt ended; see ``BlobSource``."""
        interrupted = 0
        while True:
            before = _size(file)
            try:
                return self._patiently(lambda: self._receive(digest, file, most))
            except _FromStartError:
                if not before:
                    raise RemoteError(f"{self.url} does not send the blob {digest} as a whole") from None
                file.unlink(missing_ok=True)
            except Unreachable:
                # What was received stays, and is continued at once a few times, later by the next pull.
                interrupted += 1
                if _size(file) == before or interrupted > _INTERRUPTIONS:
                    raise

    def _receive(self, digest: str, file: Path, most: int | None) -> str | None:
        limit = _LARGEST_UNKNOWN if most is None else most
        have = _size(file)
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{digest}"'} if have else {}
        with self._client.stream(
            "GET",
            self._path("blobs", digest),
            headers=headers,
            expect=(404, 410, 416),
            limit=max(limit + 1, _SMALL),
            deadline=_SECONDS + limit / _SLOWEST,
        ) as answer:
            if answer.status in (404, 410):
                return _problem(answer)
            if answer.status == 416 or (answer.status == 206 and not _continues(answer, have)):
                raise _FromStartError
            received = have if answer.status == 206 else 0
            with durable.translated(f"store a blob in {file.parent}"), file.open("ab" if received else "wb") as opened:
                for chunk in answer:
                    received += len(chunk)
                    if received > limit:
                        opened.truncate(0)
                        raise RemoteError(f"{answer.where} sent more than the {limit:,} bytes that the blob may have")
                    opened.write(chunk)
                    if self._abandoned():
                        raise Busy("the process is ending; the next pull goes on with this blob")
        return None

    def _patiently(self, call: Callable[[], _T]) -> _T:
        """Repeat a call while the server asks to slow down."""
        while True:
            if self._abandoned():
                raise Busy("the process is ending; the next pull goes on here")
            try:
                return call()
            except Busy as error:
                pause = min(max(error.retry_after, 1.0), 60.0) if error.retry_after else _PAUSE
                self._waited += pause
                if self._waited > _PATIENCE or self._abandoned():
                    raise
                time.sleep(pause)
            except (Denied, NotFound) as error:
                # The answer of a server does not say which server it is.
                token = "; the token is PROVREPO_TOKEN, or that of the peer with this URL" * isinstance(error, Denied)
                error.args = (f"{self.url}: {error}{token}",)
                raise

    def _path(self, *steps: str) -> tuple[str, ...]:
        return ("projects", self._project, *steps)


class _FromStartError(Exception):
    """The server cannot continue a blob."""


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


class _Reader:
    """Lines of JSON and bytes of an answer."""

    def __init__(self, answer: Stream) -> None:
        self._answer = answer
        self._chunks = iter(answer)
        self._rest = b""

    def line(self) -> Mapping[str, Any]:
        """Return the next line of JSON."""
        while b"\n" not in self._rest:
            if len(self._rest) > _LINE:
                raise RemoteError(f"{self._answer.where} sent a line that is too long")
            self._more()
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RemoteError(f"{self._answer.where} sent a line that is not a JSON object")
        return found

    def copy(self, size: int, file: IO[bytes]) -> None:
        """Write the next bytes to a file."""
        while size:
            if not self._rest:
                self._more()
            part, self._rest = self._rest[:size], self._rest[size:]
            file.write(part)
            size -= len(part)

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise RemoteError(f"{self._answer.where} sent fewer blobs than were requested")
        self._rest += chunk


def _problem(answer: Stream) -> str:
    """Return why the server does not have a blob, as it says."""
    try:
        found = answer.complete().json()
    except RemoteError:
        found = None
    return _reason(found.get("detail") if isinstance(found, dict) else None)


def _reason(text: object) -> str:
    return (quoted(text, _MOST_REASON) if isinstance(text, str) else "") or "the origin does not have it"


def _continues(answer: Stream, have: int) -> bool:
    return answer.headers.get("content-range", "").startswith(f"bytes {have}-")
