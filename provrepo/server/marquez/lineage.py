"""Lineage in the form of Marquez, of things that have IRIs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from provrepo.errors import NotFound
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.repository import Repository
from provrepo.server.marquez.iris import JOB, Reading, readings
from provrepo.server.marquez.things import Facts, shape, type_of
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.queries import running
from provrepo.server.queries.running import Target

__all__ = ["of_things", "relations_of"]

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


def of_things(node_id: str, depth: int, limit: int, project: str | None) -> dict[str, Any]:
    """The datasets and jobs that a thing with an IRI came from, and those that depend on it.

    Args:
        node_id: the id of the node, decoded.
        depth: steps from job to job.
        limit: the most nodes.
        project: only what this project says.

    Raises:
        Rejected: 400, not the id of a dataset or job; 404, no such node that the caller may read.
    """
    repo = auth.repository()
    start, graph = _found(repo, node_id, depth, limit, project)
    if project is None:
        access_log.record_projects(each for node in graph.nodes for each in node.projects)
    things = [node for node in graph.nodes if type_of(node)]
    accepted_at = repo.arrivals(source for node in things for source in node.sources)
    return shape(graph, start, _facts(repo, graph), accepted_at)


def relations_of(depth: int, type_: str) -> int:
    """The relations of so many steps from job to job: there is a dataset between two, and beyond the last ones."""
    return 2 * depth + (1 if type_ == JOB else 2)


def _found(repo: Repository, node_id: str, depth: int, limit: int, project: str | None) -> tuple[Reading, LineageGraph]:
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
    relations = relations_of(depth, type_)
    for reading in possible:
        try:
            with running.query_slot():
                graph = repo.lineage(reading.iri, direction="both", depth=relations, limit=limit, project=project)
        except NotFound:
            continue
        if type_of(graph.nodes[0]) == type_:
            return reading, graph
    raise Rejected(404, f"Node '{node_id[:200]}' not found.")


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
