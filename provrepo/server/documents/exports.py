"""The relations of a whole project, as a table or as a graph."""

from __future__ import annotations

from typing import IO

from flask import Blueprint, Response, request

from provrepo.repository.exports.rows import EXPORTS
from provrepo.repository.exports.verbs import ProjectExport
from provrepo.server.exchange.files import Progress, answered
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import Offer, choose, content_type

__all__ = ["MOST_ENTRIES", "OFFERS", "blueprint"]

blueprint = Blueprint("exports", __name__)

OFFERS = tuple(Offer(row.name, (row.media_type,), (row.suffix,)) for row in EXPORTS.values())

MOST_ENTRIES = 999_999_999
"""The largest number of an entry that can be asked for."""

_LATE = (
    "the export takes longer to write than this server allows: give after=, or run provrepo export beside the server"
)


@blueprint.get("/projects/<project>/relations")
def project(project: str) -> Response:
    """The relations of the current versions of all documents of a project, as a table or as a graph.

    With `after` those of versions that came after an entry. `Provrepo-Sequence` is the last entry that is considered,
    `Provrepo-Documents`, `Provrepo-Relations` and `Provrepo-Things` count what is in it, `Provrepo-Left-Out` what the
    format has no place for, and `Provrepo-Unread` names the documents that could not be read.
    """
    repo = auth.repository()
    repo.require(project)
    choice = choose(OFFERS)
    after = parameters.number("after", MOST_ENTRIES, least=0) or 0
    name = f"{project}{EXPORTS[choice.name].suffix}"
    headers = {
        "Content-Type": content_type(choice.media_type),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Vary": "Accept",
    }
    if request.method == "HEAD":
        return Response(headers=headers)  # the size is known only after it was written

    def write(file: IO[bytes], progress: Progress) -> ProjectExport:
        return repo.export_project(project, file, format=choice.name, after=after, progress=progress)

    response, made = answered(auth.store(), repo.context.seconds(None), _LATE, headers, write)
    response.headers["Provrepo-Sequence"] = str(made.sequence)
    response.headers["Provrepo-Documents"] = str(made.documents)
    response.headers["Provrepo-Relations"] = str(made.relations)
    response.headers["Provrepo-Things"] = str(made.things)
    response.headers["Provrepo-Left-Out"] = str(made.left_out)
    response.headers["Provrepo-Unread"] = ", ".join(made.omitted[:100])
    return response
