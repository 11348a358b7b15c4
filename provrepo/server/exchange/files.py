"""Answers that are written to a temporary file first, so that an error has a status, and the size is known."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import time
from collections.abc import Callable
from typing import IO, TypeVar, cast

from flask import Response, request
from werkzeug.wsgi import wrap_file

from provrepo.errors import TimedOut, WorkerFailed
from provrepo.repository.store import Store
from provrepo.server.queries import running
from provrepo.workers import callers

__all__ = ["Progress", "answered"]

T = TypeVar("T")

Progress = Callable[[str, int], None]

_INTERVAL = 0.2
"""Seconds between two checks of a file that is being written."""


class _DigestedFile:
    """A file whose bytes are digested while they are written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.closed = False
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self.size

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Do nothing: the file is read afterwards."""


class _Watch:
    """Ends the work at a deadline, when the client has gone, or when the disk is nearly full."""

    def __init__(self, store: Store, seconds: float, late: str) -> None:
        self._store, self._late = store, late
        self._deadline = time.monotonic() + seconds
        self._next = 0.0

    def __call__(self, _what: str, _count: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        if now > self._deadline:
            raise TimedOut(self._late)
        if callers.client_gone():
            raise WorkerFailed("the client has disconnected")
        self._store.require_space(0)


def answered(
    store: Store, seconds: float, late: str, headers: dict[str, str], write: Callable[[IO[bytes], Progress], T]
) -> tuple[Response, T]:
    """The answer with what is written to a file, and what the writer returns.

    Args:
        store: the data directory.
        seconds: the most time that writing may take.
        late: the message if it takes longer.
        headers: of the answer.
        write: writes the file, and calls its second argument from time to time.

    Raises:
        TimedOut: it took too long.
        WorkerFailed: the client has disconnected.
    """
    file = tempfile.TemporaryFile(dir=store.parts.scratch.path)  # noqa: SIM115 (closed with the response)
    try:
        digested = _DigestedFile(file)
        with running.query_slot():
            made = write(cast("IO[bytes]", digested), _Watch(store, seconds, late))
        file.seek(0)
        response = Response(wrap_file(request.environ, file), headers=headers, direct_passthrough=True)
    except BaseException:
        file.close()
        raise
    response.call_on_close(file.close)
    response.content_length = digested.size
    digest = base64.b64encode(digested.sha256.digest()).decode("ascii")
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    return response, made
