"""Extraction of the content of one version for the lineage index: edges, kinds, types and labels."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from provrepo.codecs.provo.terms import AT_TIME, BASE_CLASS, CLASS, PLACES, PREDICATES, RELATIONS, SUBCLASSES, Role
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, GENERATION, USAGE, Kind
from provrepo.views.lineage.rules import RULES
from provrepo.views.sqlite_view import Triple, literal
from provrepo.vocab import DCTERMS, PROV_LABEL, RDF_TYPE, RDFS_LABEL

__all__ = ["ELEMENTS", "LABELS", "UNTIMED", "Content", "Pairs", "read"]

UNTIMED = 0
"""The time of an edge without one."""

ELEMENTS = (ENTITY, ACTIVITY, AGENT)
"""Kinds of element; the n-th is the n-th bit of a thing's kinds."""

LABELS = (RDFS_LABEL, PROV_LABEL, f"{DCTERMS}title", "http://schema.org/name", "http://xmlns.com/foaf/0.1/name")
"""Properties whose value is a label, the preferred first."""

_BITS: dict[Kind | None, int] = {kind: 1 << place for place, kind in enumerate(ELEMENTS)}
_BASES = frozenset(BASE_CLASS.values())
_TIMED = (GENERATION, USAGE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTCUTS: dict[str, int] = {
    RELATIONS[rule.kind].shortcut: number for number, rule in enumerate(RULES) if rule.place == 1
}
_FIRST = {rule.kind: number for number, rule in enumerate(RULES) if rule.place == 1}
_FURTHER = {(rule.kind, rule.place): number for number, rule in enumerate(RULES) if rule.place > 1}
_QUALIFIED = {name: meaning.kind for name, meaning in PREDICATES.items() if meaning.role is Role.QUALIFIED}
_ARGUMENTS = frozenset(name for places in PLACES.values() for name in places)
_READ = frozenset([RDF_TYPE, AT_TIME, *LABELS, *_SHORTCUTS, *_QUALIFIED, *_ARGUMENTS])


def _bit(kind: Kind, place: int) -> int:
    ends = RELATIONS[kind].ends
    return _BITS.get(ends[place], 0) if place < len(ends) else 0


_ENDS = [(_bit(rule.kind, 0), _bit(rule.kind, rule.place)) for rule in RULES]
"""For each rule the kinds of its two ends, as bits."""


Pairs = dict[tuple[str, str], Collection[int]]
"""Edges of one rule in one graph: the effect and its cause, with the asserted times.

A time is that of a generation or usage in microseconds since 1970 plus one, or ``UNTIMED``.
"""

_NO_TIME = (UNTIMED,)


@dataclass(slots=True)
class Content:
    """The extracted content of a version.

    Attributes:
        edges: by the index of the rule in ``RULES`` and the graph: 0 for the top level, n for the n-th bundle.
        kinds: for each thing its kinds of element, as bits.
        labels: the label of each thing that has one.
        types: pairs of a thing and a type of it, beyond entity, activity and agent.
    """

    edges: dict[tuple[int, int], Pairs] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    types: dict[tuple[str, str], None] = field(default_factory=dict)


@dataclass(slots=True)
class _Instance:
    """One graph with its completion."""

    shortcuts: dict[int, Pairs] = field(default_factory=dict)
    links: dict[tuple[str, Kind, str], None] = field(default_factory=dict)
    places: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    times: dict[str, list[int]] = field(default_factory=dict)


def read(lines: Iterable[Triple]) -> Content:
    """Extract the content of a content file, which is completed: every relation has its unqualified triple."""
    content, instances = Content(), dict[int, _Instance]()
    ranks: dict[str, tuple[int, str]] = {}
    types: dict[tuple[str, str], None] = {}
    current, instance = 0, instances.setdefault(0, _Instance())
    pairs = instance.shortcuts
    for graph, subject, predicate, value in lines:
        if graph != current:
            current, instance = graph, instances.setdefault(graph, _Instance())
            pairs = instance.shortcuts
        number = _SHORTCUTS.get(predicate)
        if number is not None:
            if value[0] == "<":
                if number not in pairs:
                    pairs[number] = {}
                pairs[number][subject, value[1:-1]] = _NO_TIME
        elif predicate not in _READ:
            continue
        elif value[0] == "<":
            if predicate == RDF_TYPE:
                types[subject, value[1:-1]] = None
            else:
                _qualify(instance, subject, predicate, value[1:-1])
        elif predicate == AT_TIME:
            instance.times.setdefault(subject, []).append(_time(literal(value) or ""))
        elif predicate in LABELS:
            label = (LABELS.index(predicate), literal(value) or "")
            ranks[subject] = min(ranks.get(subject, label), label)
    for number, instance in instances.items():
        for rule, relations in _relations(instance).items():
            content.edges[rule, number] = relations
    _describe(content, types)
    content.labels = {thing: label for thing, (_, label) in ranks.items() if thing in content.kinds}
    return content


def _qualify(instance: _Instance, subject: str, predicate: str, value: str) -> None:
    kind = _QUALIFIED.get(predicate)
    if kind is not None:
        instance.links[subject, kind, value] = None
    # The predicates of arguments are distinct from those of relations.
    elif predicate in _ARGUMENTS:
        instance.places.setdefault(subject, []).append((predicate, value))


def _relations(instance: _Instance) -> dict[int, Pairs]:
    """The edges of a graph by rule: unqualified triples with their times, and further arguments."""
    found = instance.shortcuts
    timed: dict[tuple[int, tuple[str, str]], list[int]] = {}
    for subject, kind, node in instance.links:
        for name, value in instance.places.get(node, ()):
            place = PLACES.get(kind, {}).get(name)
            if place == 1 and kind in _TIMED:
                times = instance.times.get(node, _NO_TIME)
                timed.setdefault((_FIRST[kind], (subject, value)), []).extend(times)
            elif place is not None and (kind, place) in _FURTHER:
                found.setdefault(_FURTHER[kind, place], {})[subject, value] = _NO_TIME
    for (rule, pair), times in timed.items():
        if pair in found.get(rule, ()):
            found[rule][pair] = set(times)
    return found


def _describe(content: Content, types: Iterable[tuple[str, str]]) -> None:
    kinds = content.kinds
    for (rule, _), pairs in content.edges.items():
        for place, bits in enumerate(_ENDS[rule]):
            for thing in dict.fromkeys([pair[place] for pair in pairs]):
                kinds[thing] = kinds.get(thing, 0) | bits
    for thing, cls in types:
        kind = CLASS.get(cls) or SUBCLASSES.get(cls)
        if kind in ELEMENTS:
            kinds[thing] = kinds.get(thing, 0) | _BITS[kind]
    for thing, cls in types:
        if thing in kinds and cls not in _BASES:
            content.types[thing, cls] = None


def _time(lexical: str) -> int:
    """Microseconds since 1970 plus one.

    ``UNTIMED`` for a time without a zone, which cannot be compared with others (XML Schema part 2, section 3.2.7.4).
    """
    try:
        moment = datetime.fromisoformat(lexical.strip())
    except ValueError:
        return UNTIMED
    if moment.tzinfo is None:
        return UNTIMED
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return microseconds + 1 if microseconds >= 0 else microseconds
