"""Publication of one document: submitting it to a public project, and the page that shows what becomes visible."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, request, url_for

from provrepo.errors import Waits
from provrepo.repository.exchange.records import PendingInfo
from provrepo.repository.people.roles import Right
from provrepo.repository.repository import Repository
from provrepo.server.exchange import pending
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.queries import running

__all__ = ["api", "blueprint"]

api = Blueprint("publications", __name__)
blueprint = Blueprint("publishing", __name__)


@api.post("/projects/<project>/documents/<document>/publish")
def publish(project: str, document: str) -> Response:
    """Submit a version to a public project; with ``preview``, only say what would become visible to everybody."""
    repo, asked = auth.repository(), _asked(request.args)
    if "preview" in request.args and request.args["preview"].lower() != "false":
        with running.query_slot():
            return json_response(repo.publication(project, document, **asked).to_dict())
    try:
        receipt = repo.publish(project, document, update=parameters.flag("update"), **asked)
    except Waits as waiting:
        return pending.waits(waiting)
    there = receipt.version
    where = url_for("documents.current", project=there.project, document=there.name)
    return json_response(receipt.to_dict(), status=201 if receipt.created else 200, headers={"Location": where})


@blueprint.get("/projects/<project>/documents/<document>/publication")
def form(project: str, document: str) -> Response:
    """A page that shows what would become visible, and publishes the document."""
    repo, asked = auth.repository(), _asked({**request.args, "to": _to() or project})
    found = None
    if _to():
        with running.query_slot():
            found = repo.publication(project, document, **asked)
    info = repo.document(project, document)
    return conditional(
        pages.page("publication.html", document=info, found=found, targets=_targets(repo, project), to=_to())
    )


@blueprint.post("/projects/<project>/documents/<document>/publication")
def send(project: str, document: str) -> Response:
    """Publish the document, by the form of the page."""
    auth.require_form()
    repo = auth.repository()
    try:
        receipt = repo.publish(project, document, **_asked(request.form))
    except Waits as waiting:
        return _see(url_for("pending.one", project=request.form["to"], pending=cast("PendingInfo", waiting.pending).id))
    return _see(url_for("documents.current", project=receipt.version.project, document=receipt.version.name))


def _see(path: str) -> Response:
    return Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def _to() -> str:
    return request.args.get("to", "")


def _asked(given: Any) -> dict[str, Any]:
    """The options of a publication in the parameters or the form.

    Raises:
        Rejected: 400, the public project is not named, or the version is no number.
    """
    to, version = given.get("to", ""), given.get("version") or None
    if not to:
        raise Rejected(400, "name the public project: ?to=NAME")
    if version is not None and not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise Rejected(400, f"version={version[:40]} is not the number of a version")
    number = None if version is None else int(version)
    note = given.get("note") if "note" in given else None
    return {"to": to, "version": number, "name": given.get("name") or None, "note": note}


def _targets(repo: Repository, project: str) -> list[str]:
    """The public projects to which the caller may submit."""
    public = repo.context.store.ledger.public()
    return [name for name in repo.context.projects_with(Right.SUBMIT) if name in public and name != project]
