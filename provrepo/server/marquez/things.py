"""A lineage as the graph that Marquez answers with: entities are datasets, activities are jobs, each with one run.

Its clients need every field of a node. Unknown values are null or empty. ``docs/reference/marquez.md`` describes how
terms of Marquez are represented.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provrepo.repository.lineage.records import LineageGraph, LineageNode, SourceReference
from provrepo.server.marquez.iris import DATASET, JOB, Name, Reading, name_of
from provrepo.vocab import SCHEMA

__all__ = ["Facts", "shape", "type_of"]

_STATES = {
    SCHEMA + "CompletedActionStatus": "COMPLETED",
    SCHEMA + "FailedActionStatus": "FAILED",
    SCHEMA + "ActiveActionStatus": "RUNNING",
    SCHEMA + "PotentialActionStatus": "NEW",
}

_UUID = "urn:uuid:"


@dataclass(slots=True)
class Facts:
    """Times of a thing, xsd:dateTime with a zone, and its status; empty where unknown.

    Attributes:
        started: when an activity started.
        ended: when it ended.
        status: an IRI of schema.org's action statuses.
        generated: when an entity was generated.
    """

    started: str = ""
    ended: str = ""
    status: str = ""
    generated: str = ""


@dataclass(slots=True)
class _Node:
    type: str
    thing: LineageNode
    name: Name
    sources: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)


AcceptedAt = Mapping[tuple[str, str, int], str]


def type_of(thing: LineageNode) -> str:
    """``JOB`` for an activity, ``DATASET`` for an entity or a thing of neither kind; empty for an agent."""
    if "activity" in thing.kinds:
        return JOB
    return "" if "agent" in thing.kinds else DATASET


def shape(graph: LineageGraph, start: Reading, facts: Mapping[str, Facts], accepted_at: AcceptedAt) -> dict[str, Any]:
    """A lineage in the form of Marquez.

    Args:
        graph: what was found.
        start: the thing of the request, with the name that the client uses.
        facts: times, by the thing's IRI.
        accepted_at: when versions were accepted, by project, document and number.
    """
    nodes = _nodes(graph, start)
    _connect(graph, nodes)
    ids = {iri: node.name.id(node.type) for iri, node in nodes.items()}
    shown = [
        {
            "id": ids[iri],
            "type": node.type,
            "data": _data(node, nodes, facts.get(iri, Facts()), _accepted(node.thing.sources, accepted_at)),
            "inEdges": [{"origin": ids[other], "destination": ids[iri]} for other in sorted(node.sources)],
            "outEdges": [{"origin": ids[iri], "destination": ids[other]} for other in sorted(node.targets)],
        }
        for iri, node in nodes.items()
    ]
    return {
        "graph": sorted(shown, key=lambda node: str(node["id"])),
        # A key that Marquez does not have and its clients ignore.
        "provrepo": {
            "start": graph.start,
            "truncated": graph.truncated,
            "total_nodes": graph.total_nodes,
            "total_edges": graph.total_edges,
            "beyond": graph.beyond,
        },
    }


def _nodes(graph: LineageGraph, start: Reading) -> dict[str, _Node]:
    found = {}
    for thing in graph.nodes:
        type_ = type_of(thing)
        if type_:
            name = start.name if thing.iri == start.iri else name_of(thing.iri)
            found[thing.iri] = _Node(type_, thing, name)
    return found


def _connect(graph: LineageGraph, nodes: Mapping[str, _Node]) -> None:
    """Data flows from what is upstream to the effect.

    A derivation is left out where a job of the graph connects the two datasets: Marquez represents it by the job.
    """
    flows = {
        (edge.object, edge.subject)
        for edge in graph.edges
        if edge.object in nodes and edge.subject in nodes and edge.object != edge.subject
    }
    for source, target in flows:
        nodes[source].targets.add(target)
        nodes[target].sources.add(source)
    for source, target in flows:
        if nodes[source].type == nodes[target].type == DATASET and _through_job(source, target, nodes):
            nodes[source].targets.remove(target)
            nodes[target].sources.remove(source)


def _through_job(source: str, target: str, nodes: Mapping[str, _Node]) -> bool:
    return any(nodes[between].type == JOB for between in nodes[source].targets & nodes[target].sources)


def _accepted(sources: Iterable[SourceReference], accepted_at: AcceptedAt) -> tuple[str | None, str | None]:
    """The times at which the first and the last version that mention a thing were accepted."""
    times = sorted(
        accepted_at[key]
        for source in sources
        if (key := (source.project, source.document, source.version)) in accepted_at
    )
    return (times[0], times[-1]) if times else (None, None)


def _data(
    node: _Node, nodes: Mapping[str, _Node], facts: Facts, accepted: tuple[str | None, str | None]
) -> dict[str, Any]:
    common: dict[str, Any] = {
        "id": node.name.to_dict(),
        "name": node.name.name,
        "namespace": node.name.namespace,
        "createdAt": accepted[0],
        "updatedAt": accepted[1],
        "description": node.thing.label or None,
        "tags": [],
        "facets": {},
        "iri": node.thing.iri,
    }
    if node.type == DATASET:
        return {
            **common,
            "type": "DB_TABLE",
            "physicalName": node.name.name,
            "sourceName": "",
            "fields": [],
            "lastModifiedAt": facts.generated or None,
            "lastLifecycleState": None,
            "deleted": False,
        }
    run = _run(node, facts, accepted)
    return {
        **common,
        "type": "BATCH",
        "simpleName": node.thing.label or node.name.name,
        "parentJobName": None,
        "parentJobUuid": None,
        "inputs": _names(node.sources, nodes),
        "outputs": _names(node.targets, nodes),
        "location": None,
        "latestRun": run,
        "latestRuns": [run] if run else [],
    }


def _names(iris: Iterable[str], nodes: Mapping[str, _Node]) -> list[dict[str, str]]:
    """The datasets among some neighbors of a job."""
    return [nodes[iri].name.to_dict() for iri in sorted(iris) if nodes[iri].type == DATASET]


def _run(node: _Node, facts: Facts, accepted: tuple[str | None, str | None]) -> dict[str, Any] | None:
    """The one run of a job, since an activity happens once; None where neither its times nor its status are known."""
    state = _STATES.get(facts.status) or ("COMPLETED" if facts.ended else None)
    if not (facts.started or facts.ended or state):
        return None
    return {
        "id": _run_id(node.thing.iri),
        "createdAt": accepted[0],
        "updatedAt": accepted[1],
        "nominalStartTime": None,
        "nominalEndTime": None,
        "state": state,
        "startedAt": facts.started or None,
        "endedAt": facts.ended or None,
        "durationMs": _milliseconds(facts.started, facts.ended),
        "args": {},
        "jobVersion": None,
        "facets": {},
    }


def _run_id(iri: str) -> str:
    """The UUID in the IRI of an activity, or else one computed from the IRI (RFC 9562, section 5.5)."""
    if iri.startswith(_UUID):
        try:
            return str(uuid.UUID(iri.removeprefix(_UUID)))
        except ValueError:
            pass  # more than a UUID: a step of a run
    return str(uuid.uuid5(uuid.NAMESPACE_URL, iri))


def _milliseconds(started: str, ended: str) -> int | None:
    """The duration; None where a time is unknown, or beyond those of Python, as in the year 20000."""
    try:
        return round((datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds() * 1000)
    except (ValueError, TypeError):
        return None
