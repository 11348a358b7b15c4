"""A project as one file, as ``provrepo pack`` writes it."""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
import time
from typing import IO, cast

from flask import Blueprint, Response, request
from werkzeug.wsgi import wrap_file

from provrepo.errors import TimedOut, WorkerFailed
from provrepo.repository.store import Store
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.queries import running
from provrepo.workers import callers

__all__ = ["MEDIA_TYPE", "blueprint"]

blueprint = Blueprint("packages", __name__)

MEDIA_TYPE = "application/zip"
_INTERVAL = 0.2
"""Seconds between two checks of a package that is being written."""


class _Digested:
    """A file whose bytes are digested while they are written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class _Watch:
    """Ends the work at a deadline, when the client has gone, or when the disk is nearly full."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._deadline = time.monotonic() + seconds
        self._next = 0.0

    def __call__(self, _what: str, _count: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        if now > self._deadline:
            raise TimedOut(
                "the package takes longer to write than this server allows: give since=, mirror the project, or run "
                "provrepo pack beside the server"
            )
        if callers.client_gone():
            raise WorkerFailed("the client has disconnected")
        self._store.require_space(0)


@blueprint.get("/projects/<project>/package")
def package(project: str) -> Response:
    """The project as one file, for `provrepo unpack`; with `since` what is new after an entry.

    It contains what the caller may read. It is written to a temporary file first, so that an error has a status.
    `Provrepo-Originals`, `Provrepo-Withdrawn`, `Provrepo-Omitted` and `Provrepo-Files` count the versions with their
    bytes, the withdrawn ones among them, the versions without their bytes, and the files of the package.
    """
    repo = auth.repository()
    repo.require(project)
    since = request.args.get("since") or "0"
    if not re.fullmatch(r"[0-9]{1,15}", since, re.ASCII):
        raise Rejected(400, f"since={since[:40]} is not the number of an entry", parameter="since")
    for_readers = parameters.flag("for_readers")
    headers = {"Content-Type": MEDIA_TYPE, "Content-Disposition": f'attachment; filename="{project}.zip"'}
    if request.method == "HEAD":
        return Response(headers=headers)  # the size is known only after the package was written
    store = auth.store()
    file = tempfile.TemporaryFile(dir=store.parts.scratch.path)  # noqa: SIM115 (closed with the response)
    try:
        digested = _Digested(file)
        with running.query_slot():
            check = _Watch(store, repo.context.seconds(None))
            target = cast("IO[bytes]", digested)
            made = repo.pack(project, target, since=int(since), for_readers=for_readers, progress=check)
        file.seek(0)
        response = Response(wrap_file(request.environ, file), headers=headers, direct_passthrough=True)
    except BaseException:
        file.close()
        raise
    response.call_on_close(file.close)
    response.content_length = made.size
    digest = base64.b64encode(digested.sha256.digest()).decode("ascii")
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    response.headers["Provrepo-Sequence"] = str(made.contents.last)
    for name in ("originals", "withdrawn", "omitted", "files"):
        response.headers[f"Provrepo-{name.capitalize()}"] = str(getattr(made, name))
    return response
