"""A lineage as the graph that Marquez answers with: entities are datasets, activities are jobs, each with one run.

Its clients need every field of a node to be there. What the repository does not know is null or empty; what it says
instead of Marquez's own notions is in ``docs/reference/marquez.md``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provrepo.repository.lineage.records import LineageGraph, LineageNode, Said
from provrepo.server.lineage.marquez_names import DATASET, JOB, Name, Reading, name_of
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
    """What is known of a thing's times, xsd:dateTime with a zone; empty where it is not known.

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


Arrivals = Mapping[tuple[str, str, int], str]


def type_of(thing: LineageNode) -> str:
    """``JOB`` for an activity, ``DATASET`` for an entity or what is said to be neither; empty for an agent."""
    if "activity" in thing.kinds:
        return JOB
    return "" if "agent" in thing.kinds else DATASET


def shape(graph: LineageGraph, start: Reading, facts: Mapping[str, Facts], arrivals: Arrivals) -> dict[str, Any]:
    """The answer to a client of Marquez.

    Args:
        graph: what was found.
        start: the thing that was asked for, and the name under which the client knows it.
        facts: times, by the thing's IRI.
        arrivals: when versions were accepted, by project, document and number.
    """
    nodes = _nodes(graph, start)
    _connect(graph, nodes)
    ids = {iri: node.name.id(node.type) for iri, node in nodes.items()}
    shown = [
        {
            "id": ids[iri],
            "type": node.type,
            "data": _data(node, nodes, facts.get(iri, Facts()), _accepted(node.thing.sources, arrivals)),
            "inEdges": [{"origin": ids[other], "destination": ids[iri]} for other in sorted(node.sources)],
            "outEdges": [{"origin": ids[iri], "destination": ids[other]} for other in sorted(node.targets)],
        }
        for iri, node in nodes.items()
    ]
    return {
        "graph": sorted(shown, key=lambda node: str(node["id"])),
        # A key of our own, which clients of Marquez pass over.
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

    A derivation is left out where a job of the graph leads from the one dataset to the other: Marquez says it that way.
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


def _accepted(sources: Iterable[Said], arrivals: Arrivals) -> tuple[str | None, str | None]:
    """When the first and the last of the versions were accepted that speak of a thing."""
    times = sorted(
        arrivals[key] for said in sources if (key := (said.project, said.document, said.version)) in arrivals
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
    """The one run of a job, since an activity happens once; None where nothing is known of when and how it went."""
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
    """The UUID that an activity is named by, or else the one that its IRI has (RFC 9562, section 5.5)."""
    if iri.startswith(_UUID):
        try:
            return str(uuid.UUID(iri.removeprefix(_UUID)))
        except ValueError:
            pass  # more than a UUID: a step of a run
    return str(uuid.uuid5(uuid.NAMESPACE_URL, iri))


def _milliseconds(started: str, ended: str) -> int | None:
    """How long it took; None where a time is not known, or is one that Python has no form for, as in the year 20000."""
    try:
        return round((datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds() * 1000)
    except (ValueError, TypeError):
        return None
