"""The query operation of the SPARQL 1.1 Protocol, on one or several projects, on all public ones, or on one version.

Without a query, browsers get the query page, and clients that accept RDF get the service description.
"""

from __future__ import annotations

import json
import time

from flask import Blueprint, Response, request

from provrepo import errors
from provrepo.repository.repository import Repository
from provrepo.server.monitoring import access_log
from provrepo.server.pages import pages
from provrepo.server.protocol import answers, auth, body, parameters, problems
from provrepo.server.protocol.negotiate import HTML, accepted, choose, content_type
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, version_number
from provrepo.server.queries import descriptions, running
from provrepo.server.queries.results import ResultPage, result_page
from provrepo.server.queries.running import Target
from provrepo.vocab import PREDECLARED

__all__ = ["EXAMPLES", "answer_query", "blueprint"]

blueprint = Blueprint("sparql", __name__)

_MOST_ROWS = 10_000_000

_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_GRAPHS = ("default-graph-uri", "named-graph-uri")
_DESCRIPTION = (descriptions.TURTLE, HTML)

EXAMPLES = (
    (
        "Who did what?",
        """SELECT ?activity ?agent WHERE {
  ?activity prov:wasAssociatedWith ?agent .
}
LIMIT 100""",
    ),
    (
        "What was each result derived from?",
        """SELECT ?result ?source WHERE {
  ?result prov:wasDerivedFrom ?source .
}
LIMIT 100""",
    ),
    (
        "Which runs used which input?",
        """SELECT ?activity ?input ?started WHERE {
  ?activity prov:used ?input .
  OPTIONAL { ?activity prov:startedAtTime ?started }
}
LIMIT 100""",
    ),
)
"""Examples on the query page: title and query. The usual prefixes need not be declared."""


@blueprint.route("/sparql", methods=["GET", "POST"])
def public() -> Response:
    """Query all public projects, or those of ``?project=a&project=b`` as one."""
    repo = auth.repository()
    names = list(dict.fromkeys(name for name in body.fields("project") if name))
    for name in names:
        repo.require(name)
    if names:
        access_log.record_projects(names)
    target = Target(None, merged=tuple(names)) if len(names) > 1 else Target(names[0] if names else None)
    query = _query()
    return _without_query(target) if query is None else answer_query(repo, target, query)


@blueprint.route("/projects/<project>/sparql", methods=["GET", "POST"])
def endpoint(project: str) -> Response:
    """Query the dataset of a project."""
    repo = auth.repository()
    if any(body.fields("project")):
        raise Rejected(400, "the address names the project; to query several, send ?project=a&project=b to /sparql")
    query = _query()
    return _without_query(Target(project)) if query is None else answer_query(repo, Target(project), query)


@blueprint.route("/projects/<project>/documents/<document>/versions/<version>/sparql", methods=["GET", "POST"])
def one_version(project: str, document: str, version: str) -> Response:
    """Query one version in its original graphs."""
    repo = auth.repository()
    info = repo.version(project, document, version_number(version))
    target = Target(project, document, info.version)
    query = _query()
    return _without_query(target) if query is None else answer_query(repo, target, query)


def answer_query(repo: Repository, target: Target, query: str, *, lenient: bool = True) -> Response:
    """Run a query, and respond in the representation that the current request asks for.

    Args:
        repo: the repository of the caller.
        target: the target of the query.
        query: a SPARQL query.
        lenient: let ``Accept`` decide if ``format`` has no value that fits this result, as SPARQL clients expect.
    """
    begun, offset = time.monotonic(), parameters.number("offset", _MOST_ROWS, least=0) or 0
    try:
        # Empty values are empty fields of a form, not names of graphs.
        graphs = [[name for name in body.fields(field) if name] for field in _GRAPHS]
        seconds, _ = parameters.seconds(), parameters.flag("quote_formulas", form=True)
        result = running.run(repo, target, query, timeout=seconds, default_graphs=graphs[0], named_graphs=graphs[1])
    except errors.Error as error:
        if not answers.wants_page():
            raise
        return _page(target, query, problem=problems.of(error))
    choice = answers.chosen(result.kind, lenient=lenient)
    if choice.name == HTML.name:
        sort = request.args.get("sort", "")
        shown = result_page(repo, result, sort=sort, offset=offset, project=target.project)
        return _page(target, query, answer=shown, seconds=time.monotonic() - begun)
    quote = parameters.flag("quote_formulas", form=True)
    written = result.write(choice.name, quote_formulas=quote)
    return conditional(Response(written, content_type=content_type(choice.media_type)))


def _query() -> str | None:
    """The query text (SPARQL 1.1 Protocol, section 2.1); None for a bare GET."""
    _refuse_update()
    found = body.fields("query")
    if request.method == "POST":
        if request.mimetype == _QUERY:
            found.append(body.text())
        elif request.mimetype != body.FORM:
            raise Rejected(415, f"send the query as {_QUERY}, or as query= in a body of {body.FORM}")
    if len(found) > 1:
        raise Rejected(400, "there is more than one query; send one")
    if found and found[0].strip():
        return found[0]
    # An empty query is the empty form of the query page, unless a client other than a browser sends it.
    if request.method == "POST" or (found and not answers.wants_page()):
        raise Rejected(400, "there is no query in the request")
    return None


def _refuse_update() -> None:
    if request.mimetype == _UPDATE or body.fields("update"):
        raise Rejected(403, "this endpoint answers queries only; its data changes only by submitting documents")


def _without_query(target: Target) -> Response:
    # Parameters that are used with a query only must be valid too.
    parameters.seconds()
    parameters.flag("quote_formulas", form=True)
    parameters.number("offset", _MOST_ROWS, least=0)
    if answers.wants_page():
        return conditional(_page(target, ""))
    if any(name for field in _GRAPHS for name in body.fields(field)):
        raise Rejected(400, "the request names graphs, but has no query: send ?query=…")
    if accepted(_DESCRIPTION, request.headers.get("Accept", "")) is None:
        raise Rejected(400, "there is no query in the request: send ?query=…")
    choose(_DESCRIPTION, lenient=True)
    return conditional(descriptions.service(target))


def _page(
    target: Target,
    query: str,
    *,
    answer: ResultPage | None = None,
    seconds: float = 0.0,
    problem: problems.Problem | None = None,
) -> Response:
    response = pages.page(
        "query.html",
        project=target.project,
        title=target.title,
        address=f"{request.script_root}/{target.path}",
        merged=[("project", name) for name in target.merged],
        query=query,
        answer=answer,
        seconds=seconds,
        problem=problem,
        prefixes=json.dumps(PREDECLARED),
        examples=EXAMPLES,
    )
    if problem is not None:
        response.status_code = problem.type.status
        response.headers.update(problem.headers)
    return response
