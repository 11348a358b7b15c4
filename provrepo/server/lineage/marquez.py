"""The lineage API of Marquez, ``GET /api/v1/lineage``, with its form of answers and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from provrepo.errors import Error, NotFound
from provrepo.limits import MAX_LINEAGE, PRINTED_NODES
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.repository import Repository
from provrepo.server.lineage.marquez_graph import Facts, shape, type_of
from provrepo.server.lineage.marquez_names import JOB, Reading, readings
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, problems
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional
from provrepo.server.queries import running
from provrepo.server.queries.running import Target

__all__ = ["blueprint"]

blueprint = Blueprint("marquez", __name__)

DEPTH = 20
"""Steps from job to job where ``depth`` is not given, as in Marquez."""

_QUERIED = 1000
"""Things of one SPARQL query."""

_FACTS = """SELECT ?thing ?about ?value WHERE {
  VALUES ?thing { %s }
  { VALUES (?property ?about) {
      (prov:startedAtTime "started") (prov:endedAtTime "ended") (prov:generatedAtTime "generated")
      (schema:actionStatus "status") }
    ?thing ?property ?value }
  UNION
  { VALUES (?property ?about) {
      (prov:qualifiedStart "started") (prov:qualifiedEnd "ended") (prov:qualifiedGeneration "generated") }
    ?thing ?property ?event . ?event prov:atTime ?value }
}"""
_INSTANT = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


@blueprint.get("/api/v1/lineage")
def lineage() -> Response:
    """The datasets and jobs that a dataset or job came from, and those that depend on it."""
    repo = auth.repository()
    start, graph = _found(
        repo, request.args.get("nodeId", ""), _number("depth", DEPTH, 0), _number("limit", PRINTED_NODES, 1)
    )
    access_log.record_projects(project for node in graph.nodes for project in node.projects)
    things = [node for node in graph.nodes if type_of(node)]
    accepted_at = repo.arrivals(source for node in things for source in node.sources)
    return conditional(_json(shape(graph, start, _facts(repo, graph), accepted_at)))


@blueprint.errorhandler(HTTPException)
@blueprint.errorhandler(Error)
def _(error: Exception) -> Response:
    """Errors as Marquez has them: the status as ``code``, and a message."""
    problem = problems.of(error)
    # The message about a node is the same whether it is unknown or private.
    message = (error.detail if isinstance(error, Rejected) else "") or problem.detail
    response = _json({"code": problem.type.status, "message": message}, problem.type.status)
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _found(repo: Repository, node_id: str, depth: int, limit: int) -> tuple[Reading, LineageGraph]:
    """The reading of a node's id, with the lineage of its thing.

    Raises:
        Rejected: 400, not the id of a dataset or job; 404, no such node that the caller may read.
    """
    # An IRI has no spaces: this one is a plus that the client did not encode.
    type_, possible = readings(node_id.replace(" ", "+"))
    if not type_:
        raise Rejected(
            400, f"nodeId={node_id[:200]} is no id of a node: dataset:<namespace>:<name> and job:<namespace>:<name> are"
        )
    # Marquez counts steps from job to job; there is a dataset between two jobs, and datasets beyond the last ones.
    relations = 2 * depth + (1 if type_ == JOB else 2)
    for reading in possible:
        try:
            with running.query_slot():
                graph = repo.lineage(reading.iri, direction="both", depth=relations, limit=limit)
        except NotFound:
            continue
        if type_of(graph.nodes[0]) == type_:
            return reading, graph
    raise Rejected(404, f"Node '{node_id[:200]}' not found.")


def _number(name: str, default: int, least: int) -> int:
    value = request.args.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and least <= int(value) <= MAX_LINEAGE):
        raise Rejected(400, f"{name}={value[:40]} is not a whole number from {least} to {MAX_LINEAGE}")
    return int(value)


def _facts(repo: Repository, graph: LineageGraph) -> dict[str, Facts]:
    """Times and states of all things but agents, from the datasets of the projects that mention them."""
    by_project: dict[str, list[str]] = {}
    for node in graph.nodes:
        if type_of(node):
            for project in node.projects:
                by_project.setdefault(project, []).append(node.iri)
    found: dict[str, Facts] = {}
    for project, iris in sorted(by_project.items()):
        for place in range(0, len(iris), _QUERIED):
            _add_facts(repo, project, iris[place : place + _QUERIED], found)
    return found


def _add_facts(repo: Repository, project: str, iris: Sequence[str], found: dict[str, Facts]) -> None:
    query = _FACTS % " ".join(f"<{iri}>" for iri in iris)
    rows = [(row["thing"], row["about"], row["value"]) for row in running.run(repo, Target(project), query).rows]
    for thing, about, value in sorted(rows, key=str):
        known = found.setdefault(str(thing), Facts())
        name, text = _text(about), _text(value)
        # Where documents contradict each other one value counts, the same whatever the order of the rows.
        if name == "status" and isinstance(value, Identifier):
            known.status = known.status or text
        elif name != "status" and _INSTANT.fullmatch(text):
            before = getattr(known, name)
            setattr(known, name, (min if name == "started" else max)(before or text, text))


def _text(value: Value) -> str:
    return value.lexical if isinstance(value, Literal) else str(value)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    return Response(text, status, content_type="application/json")
