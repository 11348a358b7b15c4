"""The named queries: their list, and their results."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.errors import NotFound
from provrepo.repository.queries.named import by_name, load
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.queries import sparql
from provrepo.server.queries.running import Target
from provrepo.server.queries.suggestions import suggestions

__all__ = ["blueprint"]

blueprint = Blueprint("queries", __name__)

_OWN = frozenset({"project", "timeout", "format", "quote_formulas", "cancel_id", "sort", "offset"})
"""Parameters of the address itself; all others are parameters of the query."""


@blueprint.get("/queries")
def index() -> Response:
    """The named queries with their parameters."""
    repo = auth.repository()
    project = request.args.get("project", "")
    if project:
        repo.project(project)
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(
            pages.page(
                "queries.html",
                queries=load(),
                project=project,
                projects=repo.projects(),
                suggestions=suggestions(
                    repo, project, {each.of for query in load() for each in query.parameters if each.of}
                ),
            )
        )
    return json_response({"queries": [query.to_dict() for query in load()]})


@blueprint.get("/queries/<name>")
def one(name: str) -> Response:
    """Run a named query over a project, or over all public projects."""
    repo = auth.repository()
    project = request.args.get("project") or None
    try:
        query = by_name(name)
    except NotFound as error:
        # Names of queries are public: 400 with the message, instead of a 404 that reveals nothing.
        raise Rejected(400, str(error)) from None
    parameters.refuse_repeated(request.args)
    values = {key: value for key, value in request.args.items() if key not in _OWN}
    return sparql.answer_query(repo, Target(project), query.bind(values), lenient=False)
