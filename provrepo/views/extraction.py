"""Extraction of what lineage and search index of one version: edges, kinds, types, labels and identifiers.

The worker that writes the content file has the quads in memory, extracts this from them and writes it as JSON beside
the content file. The process that holds the views inserts it and parses no N-Quads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from provrepo.codecs.provo.terms import AT_TIME, BASE_CLASS, CLASS, PLACES, PREDICATES, RELATIONS, SUBCLASSES, Role
from provrepo.errors import Damaged
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, GENERATION, USAGE, Kind
from provrepo.views.lineage.rules import RULES
from provrepo.views.moments import Moment, moments
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_LABEL, RDF_TYPE, RDFS_LABEL

__all__ = ["ELEMENTS", "LABELS", "UNTIMED", "Extraction", "Extractor", "Pairs", "discard", "extraction_file", "move"]

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
_SPANS = {f"{PROV}startedAtTime": 0, f"{PROV}endedAtTime": 1}
_DATASET = f"{DCAT}Dataset"
_IDENTIFYING = re.compile(r"(?i)[/#:](?:identifier|checksum|checksumValue|sha1|sha256|sha512|md5|doi|serialNumber)$")


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


MAX_VALUE = 200
"""Characters of a value that can be found."""

MAX_VALUES = 50
"""Values of a thing that can be found."""


@dataclass(slots=True)
class Extraction:
    """What lineage and search index of one version.

    Attributes:
        edges: by the index of the rule in ``RULES`` and the graph: 0 for the top level, n for the n-th bundle.
        kinds: for each thing its kinds of element, as bits.
        labels: the label of each thing that has one.
        types: pairs of a thing and a type of it, beyond entity, activity and agent.
        identifiers: the identifiers and checksums of each subject that has some.
        values: the other literals of each thing, without labels and times, for the search: sorted, each cut.
        moments: when versions of logical datasets were written, and unknown ones read.
        openlineage: of events of OpenLineage, what ``importers.openlineage.index`` makes of them.
    """

    edges: dict[tuple[int, int], Pairs] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    types: dict[tuple[str, str], None] = field(default_factory=dict)
    identifiers: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)
    moments: set[Moment] = field(default_factory=set)
    openlineage: list[dict[str, Any]] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Write it as JSON. Names stand once, everything else has their numbers."""
        numbers: dict[str, int] = {}
        for name in self.kinds:
            numbers[name] = len(numbers)

        def number(name: str) -> int:
            return numbers.setdefault(name, len(numbers))

        edges = []
        for (rule, graph), pairs in self.edges.items():
            untimed: list[int] = []
            timed: list[object] = []
            for (subject, value), times in pairs.items():
                if times is _NO_TIME:
                    untimed += (numbers[subject], numbers[value])
                else:
                    timed.append((numbers[subject], numbers[value], sorted(times)))
            edges.append((rule, graph, untimed, timed))
        types = [(number(thing), number(cls)) for thing, cls in self.types]
        labels = [(number(thing), label) for thing, label in self.labels.items()]
        identifiers = [(number(thing), values) for thing, values in self.identifiers.items()]
        texts = [(number(thing), values) for thing, values in self.values.items()]
        moments_ = [
            (numbers[dataset], part, role, time, numbers[entity], graph)
            for dataset, part, role, time, entity, graph in sorted(self.moments)
        ]
        data = {
            "names": list(numbers),
            "kinds": list(self.kinds.values()),
            "edges": edges,
            "types": types,
            "labels": labels,
            "identifiers": identifiers,
            "values": texts,
            "moments": moments_,
            "openlineage": self.openlineage,
        }
        file.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), "utf-8", "surrogatepass")

    @classmethod
    def read(cls, file: Path) -> Extraction:
        """Read what ``write`` has written.

        Raises:
            Damaged: the file is not that.
        """
        try:
            data = json.loads(file.read_text("utf-8", "surrogatepass"))
            names, kinds = data["names"], data["kinds"]
            if not (set(map(type, names)) <= {str} and set(map(type, kinds)) <= {int}):
                raise TypeError("names and kinds are texts and numbers")
            edges: dict[tuple[int, int], Pairs] = {}
            for rule, graph, untimed, timed in data["edges"]:
                ends = iter(untimed)
                pairs: Pairs = dict.fromkeys([(names[s], names[o]) for s, o in zip(ends, ends, strict=True)], _NO_TIME)
                pairs.update(((names[subject], names[value]), times) for subject, value, times in timed)
                edges[rule, graph] = pairs
            return cls(
                edges,
                dict(zip(names, kinds, strict=False)),
                {names[thing]: label for thing, label in data["labels"]},
                {(names[thing], names[cls_]): None for thing, cls_ in data["types"]},
                {names[thing]: values for thing, values in data["identifiers"]},
                {names[thing]: values for thing, values in data.get("values", ())},
                {
                    Moment(names[dataset], part, role, time, names[entity], graph)
                    for dataset, part, role, time, entity, graph in data.get("moments", ())
                },
                data.get("openlineage", []),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise Damaged(f"{file} is not what a worker extracts from a version ({error})") from error


def extraction_file(content: Path) -> Path:
    """The file beside a content file that has what was extracted from it."""
    return content.with_suffix(".json")


def move(content: Path, target: Path) -> None:
    """Rename a content file and the file beside it. The content file is last: if it exists, the other does, too."""
    extraction_file(content).replace(extraction_file(target))
    content.replace(target)


def discard(content: Path) -> None:
    """Delete a content file, and the file beside it, as far as they exist."""
    content.unlink(missing_ok=True)
    extraction_file(content).unlink(missing_ok=True)


@dataclass(slots=True)
class _Instance:
    """One graph with its completion."""

    shortcuts: dict[int, Pairs] = field(default_factory=dict)
    links: dict[tuple[str, Kind, str], None] = field(default_factory=dict)
    places: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    times: dict[str, list[int]] = field(default_factory=dict)
    spans: tuple[dict[str, list[int]], dict[str, list[int]]] = field(default_factory=lambda: ({}, {}))


class Extractor:
    """Makes an ``Extraction`` of the quads of one version, which come graph by graph."""

    def __init__(self) -> None:
        self._instances: dict[int, _Instance] = {0: _Instance()}
        self._ranks: dict[str, tuple[int, str]] = {}
        self._types: dict[tuple[str, str], None] = {}
        self._identifiers: dict[str, list[str]] = {}
        self._values: dict[str, set[str]] = {}
        self._identifying: dict[str, bool] = {}

    def add(self, graph: int, quads: Iterable[Quad], name: Callable[[Identifier], str] = str) -> None:
        """Take in quads of one graph or of what completes it: every relation then has its unqualified triple.

        Args:
            graph: 0 for the top level, n for the n-th bundle.
            quads: the quads, whatever graph they name themselves.
            name: gives the IRI of a node, which may be blank.
        """
        instance = self._instances.setdefault(graph, _Instance())
        pairs, identifying = instance.shortcuts, self._identifying
        for subject, predicate, value, _ in quads:
            number = _SHORTCUTS.get(predicate)
            if number is not None:
                if isinstance(value, Identifier):
                    if number not in pairs:
                        pairs[number] = {}
                    pairs[number][name(subject), name(value)] = _NO_TIME
                continue
            if isinstance(value, Literal):
                if predicate not in identifying:
                    identifying[predicate] = _IDENTIFYING.search(predicate) is not None
                if identifying[predicate] and value.lexical:
                    self._identifiers.setdefault(name(subject), []).append(value.lexical)
                if predicate == AT_TIME:
                    instance.times.setdefault(name(subject), []).append(_time(value.lexical))
                elif predicate in _SPANS:
                    instance.spans[_SPANS[predicate]].setdefault(name(subject), []).append(_time(value.lexical))
                elif predicate in LABELS:
                    thing, label = name(subject), (LABELS.index(predicate), value.lexical)
                    self._ranks[thing] = min(self._ranks.get(thing, label), label)
                elif value.lexical and not identifying[predicate]:
                    self._values.setdefault(name(subject), set()).add(value.lexical[:MAX_VALUE])
            elif predicate in _READ:
                if predicate == RDF_TYPE:
                    self._types[name(subject), name(value)] = None
                else:
                    _qualify(instance, name(subject), predicate, name(value))

    def extraction(self) -> Extraction:
        """What was extracted from all that was added."""
        found = Extraction(identifiers=self._identifiers)
        datasets = {thing for thing, cls in self._types if cls == _DATASET}
        for number, instance in self._instances.items():
            relations = _relations(instance)
            for rule, pairs in relations.items():
                found.edges[rule, number] = pairs
            if datasets:
                by_kind = {RULES[rule].kind: pairs for rule, pairs in relations.items() if RULES[rule].place == 1}
                found.moments |= moments(by_kind, *instance.spans, datasets, number)
        _describe(found, self._types)
        found.values = {
            thing: sorted(values)[:MAX_VALUES] for thing, values in self._values.items() if thing in found.kinds
        }
        found.labels = {thing: label for thing, (_, label) in self._ranks.items() if thing in found.kinds}
        return found


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
            found[rule][pair] = set(times) if any(times) else _NO_TIME
    return found


def _describe(content: Extraction, types: Iterable[tuple[str, str]]) -> None:
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
