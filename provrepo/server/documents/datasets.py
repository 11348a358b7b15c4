"""The catalog of a project's logical datasets, and all about one of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo.limits import MAX_PAGE_SIZE
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response, pagination
from provrepo.server.queries import running

__all__ = ["blueprint"]

blueprint = Blueprint("datasets", __name__)

_VERSIONS = 20

_MOST_LEFT_OUT = 99_999
"""The most versions before those of an answer."""


@blueprint.get("/projects/<project>/datasets")
def index(project: str) -> Response:
    """The logical datasets of a project by IRI; with ``?q=`` those whose IRI or label contains it."""
    repo = auth.repository()
    repo.require(project)
    as_page, page, text = choose((JSON, HTML)).name == HTML.name, pagination(), request.args.get("q", "")
    with running.query_slot():
        found = repo.datasets(project, text=text, after=page.after, limit=page.limit + 1)
    shown = found[: page.limit]
    following = page.next(shown[-1].iri) if len(found) > len(shown) else None
    if as_page:
        return conditional(
            pages.page(
                "datasets.html", project=project, datasets=shown, following=following, after=page.after, text=text
            )
        )
    return json_response({"project": project, "datasets": [info.to_dict() for info in shown]}, next_=following)


@blueprint.get("/projects/<project>/dataset")
def one(project: str) -> Response:
    """One logical dataset, ``?iri=``: owners, versions, changes of its columns, quality, and the jobs that use it."""
    repo = auth.repository()
    repo.require(project)
    as_page, iri = choose((JSON, HTML)).name == HTML.name, request.args.get("iri", "")
    if not iri:
        raise Rejected(400, "name the dataset with iri=")
    limit = parameters.number("limit", MAX_PAGE_SIZE) or _VERSIONS
    offset = parameters.number("offset", _MOST_LEFT_OUT, least=0) or 0
    with running.query_slot():
        found = repo.dataset(project, iri, offset=offset, limit=limit)
    following = None
    if found.info.versions > offset + len(found.versions):
        kept: dict[str, Any] = {"format": request.args["format"]} if "format" in request.args else {}
        following = url_for("datasets.one", project=project, iri=iri, offset=offset + limit, limit=limit, **kept)
    if as_page:
        return conditional(pages.page("dataset.html", project=project, found=found, following=following))
    return json_response({"project": project, **found.to_dict()}, next_=following)


@blueprint.get("/projects/<project>/to-run-again")
def to_run_again(project: str) -> Response:
    """The latest results that rest on an input that was superseded, dropped or withdrawn, or that failed a check."""
    repo = auth.repository()
    repo.require(project)
    with running.query_slot():
        found = repo.to_run_again(project, input=request.args.get("input", ""), reason=request.args.get("reason", ""))
    return json_response({"project": project, **found.to_dict()})
