"""A project as one file, as ``provrepo pack`` writes it."""

from __future__ import annotations

import re
from typing import IO

from flask import Blueprint, Response, request

from provrepo.repository.exchange.package.pack import Package
from provrepo.server.exchange.files import Progress, answered
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.rejections import Rejected

__all__ = ["MEDIA_TYPE", "blueprint"]

blueprint = Blueprint("packages", __name__)

MEDIA_TYPE = "application/zip"
_LATE = (
    "the package takes longer to write than this server allows: give since=, mirror the project, or run provrepo pack "
    "beside the server"
)


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

    def write(file: IO[bytes], progress: Progress) -> Package:
        return repo.pack(project, file, since=int(since), for_readers=for_readers, progress=progress)

    response, made = answered(auth.store(), repo.context.seconds(None), _LATE, headers, write)
    response.headers["Provrepo-Sequence"] = str(made.contents.last)
    for name in ("originals", "withdrawn", "omitted", "files"):
        response.headers[f"Provrepo-{name.capitalize()}"] = str(getattr(made, name))
    return response
