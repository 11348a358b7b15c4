"""The SPARQL 1.1 Protocol, its query operation, on one dataset: a project's or that of all public projects.

A browser that asks without a query gets the query page, a program that asks for RDF the service description.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request, url_for

from provrepo import errors
from provrepo.codecs.formats import FORMATS
from provrepo.codecs.results import QueryResult
from provrepo.repository.repository import Repository
from provrepo.server import auth, body, descriptions, pages, problems, shown
from provrepo.server.negotiate import HTML, Offer, accepted, choose, content_type, prefers_html
from provrepo.server.rejections import Rejected
from provrepo.server.respond import cached

__all__ = ["EXAMPLES", "ask", "blueprint", "register", "run"]

blueprint = Blueprint("sparql", __name__)

ROWS = 1000
"""Rows that the query page shows; the other formats have them all."""

_QUERY = "application/sparql-query"
_FORM = "application/x-www-form-urlencoded"
_UPDATE = "application/sparql-update"
_DESCRIPTION = (descriptions.TURTLE, HTML)

_ALIASES = {
    "json": ("application/json",),
    "xml": ("application/xml", "text/xml"),
    **{format_.name: format_.media_types for format_ in FORMATS},
}

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
"""Questions that the query page offers. The usual prefixes need not be declared."""


class _Gate:
    """Lets so many queries in at a time, so that there is always a thread left for everything else."""

    WAIT = 0.5
    """Seconds that a query waits for its turn. A look-up takes a few milliseconds, so waiting is mostly worth it."""

    def __init__(self, slots: int) -> None:
        self._slots = threading.BoundedSemaphore(slots)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Hold a slot. Raises Busy where none comes free in time."""
        if not self._slots.acquire(timeout=self.WAIT):
            raise errors.Busy("as many queries are running as this server allows; try again in a moment")
        try:
            yield
        finally:
            self._slots.release()


def register(app: Flask, *, threads: int, workers: int) -> None:
    """Add the endpoints.

    At most as many queries run as there are workers for them, and so many that two of the server's threads are left
    for other requests.
    """
    app.extensions["provrepo.queries"] = _Gate(max(1, min(workers, threads - 2)))
    app.register_blueprint(blueprint)


@blueprint.route("/sparql", methods=["GET", "POST"], defaults={"project": None})
@blueprint.route("/projects/<project>/sparql", methods=["GET", "POST"])
def endpoint(project: str | None) -> Response:
    """Query the dataset of a project, or of all public projects."""
    repo = auth.repository()
    if project is not None:
        repo.project(project)
    query = _query()
    if query is None:
        return _unasked(project)
    return ask(repo, project, query)


def ask(repo: Repository, project: str | None, query: str) -> Response:
    """The answer to a query, in the representation that the running request asks for.

    Args:
        repo: bound to whoever asks.
        project: whose dataset is asked; None for that of all public projects.
        query: the query.
    """
    try:
        graphs = _all("default-graph-uri"), _all("named-graph-uri")
        result = run(repo, project, query, timeout=_timeout(), default_graphs=graphs[0], named_graphs=graphs[1])
    except errors.Error as error:
        if not _wants_page():
            raise
        return _page(project, query, problem=problems.of(error))
    return _answer(project, query, result)


def run(
    repo: Repository,
    project: str | None,
    query: str,
    *,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> QueryResult:
    """The result of a query, once there is a place for it; it ends when the client of the running request goes away.

    Raises:
        Busy: as many queries run as the server allows.
    """
    with cast("_Gate", current_app.extensions["provrepo.queries"]).entered():
        return repo.query(
            query,
            project=project,
            public=project is None,
            # What a query leaves relative is relative to the endpoint (SPARQL 1.1 Query, section 4.1.1.2), by the name
            # that the repository gives itself.
            base=pages.address() + ("sparql" if project is None else f"projects/{project}/sparql"),
            timeout=timeout,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
            abandoned=request.environ.get("waitress.client_disconnected"),
        )


def _query() -> str | None:
    """The query text (SPARQL 1.1 Protocol, section 2.1); None for a bare GET."""
    _refuse_update()
    found = list(request.args.getlist("query"))
    if request.method == "POST":
        if request.mimetype == _QUERY:
            found.append(body.text())
        elif request.mimetype == _FORM:
            found += request.form.getlist("query")
        else:
            raise Rejected(415, f"send the query as {_QUERY}, or as query= in a body of {_FORM}")
    if len(found) > 1:
        raise Rejected(400, "there is more than one query; send one")
    if found and found[0].strip():
        return found[0]
    if request.method == "POST":
        raise Rejected(400, "there is no query in the request")
    return None


def _all(name: str) -> list[str]:
    """Every value of a parameter, in the URL or in a form."""
    return [*request.args.getlist(name), *(request.form.getlist(name) if request.mimetype == _FORM else ())]


def _timeout() -> float | None:
    """The deadline that the client sets itself, in seconds.

    Raises:
        Rejected: 400, it is not a positive number.
    """
    given = request.args.get("timeout") or (request.form.get("timeout") if request.mimetype == _FORM else None)
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{0,6}(\.[0-9]{1,6})?", given) or not float(given) > 0:
        raise Rejected(400, f"timeout={given[:40]} is not a positive number of seconds")
    return float(given)


def _refuse_update() -> None:
    if (
        request.mimetype == _UPDATE
        or "update" in request.args
        or (request.mimetype == _FORM and "update" in request.form)
    ):
        raise Rejected(403, "this endpoint answers queries only; what it holds changes by submitting documents")


def _wants_page() -> bool:
    wanted = request.args.get("format")
    return wanted == HTML.name or (not wanted and prefers_html())


def _unasked(project: str | None) -> Response:
    if _wants_page():
        return cached(_page(project, ""))
    if accepted(_DESCRIPTION, request.headers.get("Accept", "")) is None:
        raise Rejected(400, "there is no query in the request: send ?query=…")
    choose(_DESCRIPTION)
    info = None if project is None else auth.repository().project(project)
    return cached(descriptions.service(info))


def _answer(project: str | None, query: str, result: QueryResult) -> Response:
    offers = [
        Offer(name, tuple(dict.fromkeys((result.media_type(name), *_ALIASES.get(name, ())))))
        for name in result.formats()
    ]
    choice = choose([*offers, HTML])
    if choice.name == HTML.name:
        return _page(project, query, answer=shown.answer(result, limit=ROWS))
    return Response(result.write(choice.name), content_type=content_type(choice.media_type))


def _page(
    project: str | None, query: str, *, answer: shown.Answer | None = None, problem: problems.Problem | None = None
) -> Response:
    address = url_for("sparql.endpoint", project=project)
    response = pages.page(
        "query.html",
        project=project,
        address=address,
        query=query,
        answer=answer,
        problem=problem,
        examples=EXAMPLES,
    )
    if problem is not None:
        response.status_code = problem.row.status
        response.headers.update(problem.headers)
    return response
