"""The content of one version as what the lineage index holds of it: edges, and what is said about each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from provrepo.codecs.provo_terms import AT_TIME, BASE_CLASS, CLASS, PLACES, PREDICATES, RELATIONS, SUBCLASSES, Role
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, GENERATION, USAGE, Kind
from provrepo.views.lineage_table import RULES
from provrepo.views.tabular import Triple, literal
from provrepo.vocab import DCTERMS, PROV_LABEL, RDF_TYPE, RDFS_LABEL

__all__ = ["ELEMENTS", "LABELS", "UNTIMED", "Content", "Edge", "read"]

UNTIMED = 0
"""The time of an edge of which none is known."""

ELEMENTS = (ENTITY, ACTIVITY, AGENT)
"""Kinds of element; the n-th is the n-th bit of a thing's kinds."""

LABELS = (RDFS_LABEL, PROV_LABEL, f"{DCTERMS}title", "http://schema.org/name", "http://xmlns.com/foaf/0.1/name")
"""Properties whose value can stand for a thing, the best first."""

_BITS: dict[Kind | None, int] = {kind: 1 << place for place, kind in enumerate(ELEMENTS)}
_BASES = frozenset(BASE_CLASS.values())
_TIMED = (GENERATION, USAGE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTCUTS: dict[str, int] = {
    RELATIONS[rule.kind].shortcut: number for number, rule in enumerate(RULES) if rule.place == 1
}
_FURTHER = {(rule.kind, rule.place): number for number, rule in enumerate(RULES) if rule.place > 1}
_ARGUMENTS = frozenset(name for places in PLACES.values() for name in places)


class Edge(NamedTuple):
    """A relation of one graph.

    Attributes:
        subject: the effect.
        rule: the number of its rule in ``RULES``.
        object: what is upstream.
        graph: 0 for the top level, n for the n-th bundle.
        time: microseconds since 1970 plus one, of a generation or usage; ``UNTIMED``.
    """

    subject: str
    rule: int
    object: str
    graph: int
    time: int


@dataclass(slots=True)
class Content:
    """What is held of a version.

    Attributes:
        edges: each once.
        kinds: for each thing the kinds of element that it is, as bits.
        labels: for each thing that has one, its label.
        types: pairs of a thing and a type of it, beyond entity, activity and agent.
    """

    edges: dict[Edge, None] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    types: dict[tuple[str, str], None] = field(default_factory=dict)


@dataclass(slots=True)
class _Instance:
    """One graph together with what completes it."""

    shortcuts: dict[tuple[str, int, str], None] = field(default_factory=dict)
    links: dict[tuple[str, Kind, str], None] = field(default_factory=dict)
    places: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    times: dict[str, list[int]] = field(default_factory=dict)


def read(lines: Iterable[Triple]) -> Content:
    """Take in the lines of a content file, completed as they are: relations are found by their shortcuts."""
    content, instances = Content(), dict[int, _Instance]()
    ranks: dict[str, tuple[int, str]] = {}
    types: dict[tuple[str, str], None] = {}
    for graph, subject, predicate, value in lines:
        instance = instances.setdefault(graph, _Instance())
        if value.startswith("<"):
            _relate(instance, types, subject, predicate, value[1:-1])
        elif predicate == AT_TIME:
            instance.times.setdefault(subject, []).append(_time(literal(value) or ""))
        elif predicate in LABELS:
            label = (LABELS.index(predicate), literal(value) or "")
            ranks[subject] = min(ranks.get(subject, label), label)
    for number, instance in instances.items():
        content.edges.update(dict.fromkeys(_edges(instance, number)))
    _describe(content, types)
    content.labels = {thing: label for thing, (_, label) in ranks.items() if thing in content.kinds}
    return content


def _relate(instance: _Instance, types: dict[tuple[str, str], None], subject: str, predicate: str, value: str) -> None:
    if predicate == RDF_TYPE:
        types[subject, value] = None
        return
    number = _SHORTCUTS.get(predicate)
    if number is not None:
        instance.shortcuts[subject, number, value] = None
    elif (meaning := PREDICATES.get(predicate)) is not None and meaning.role is Role.QUALIFIED:
        instance.links[subject, meaning.kind, value] = None
    # The names of arguments overlap with nothing that relates.
    elif predicate in _ARGUMENTS:
        instance.places.setdefault(subject, []).append((predicate, value))


def _edges(instance: _Instance, graph: int) -> Iterator[Edge]:
    timed: dict[tuple[str, Kind, str], list[int]] = {}
    for subject, kind, node in instance.links:
        for name, value in instance.places.get(node, ()):
            place = PLACES.get(kind, {}).get(name)
            if place == 1 and kind in _TIMED:
                timed.setdefault((subject, kind, value), []).extend(instance.times.get(node, [UNTIMED]))
            elif place is not None and (kind, place) in _FURTHER:
                yield Edge(subject, _FURTHER[kind, place], value, graph, UNTIMED)
    for subject, number, value in instance.shortcuts:
        for time in timed.get((subject, RULES[number].kind, value), [UNTIMED]):
            yield Edge(subject, number, value, graph, time)


def _describe(content: Content, types: Iterable[tuple[str, str]]) -> None:
    kinds = content.kinds
    for edge in content.edges:
        rule = RULES[edge.rule]
        ends = RELATIONS[rule.kind].ends
        for thing, place in ((edge.subject, 0), (edge.object, rule.place)):
            kinds[thing] = kinds.get(thing, 0) | _BITS.get(ends[place] if place < len(ends) else None, 0)
    for thing, cls in types:
        kind = CLASS.get(cls) or SUBCLASSES.get(cls)
        if kind in ELEMENTS:
            kinds[thing] = kinds.get(thing, 0) | _BITS[kind]
    for thing, cls in types:
        if thing in kinds and cls not in _BASES:
            content.types[thing, cls] = None


def _time(lexical: str) -> int:
    """A time without zone cannot be compared with one that has it (XML Schema part 2, 3.2.7.4): it counts as none."""
    try:
        moment = datetime.fromisoformat(lexical.strip())
    except ValueError:
        return UNTIMED
    if moment.tzinfo is None:
        return UNTIMED
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return microseconds + 1 if microseconds >= 0 else microseconds
