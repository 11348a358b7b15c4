"""Coverage of a lineage: the share of things whose origin is asserted, for reports and the verb ``gate``.

A lineage is the graph of entities and activities and their causes. An entity is complete if an activity generated it,
if it has members or a general entity, or if it is an accepted source. The name of content (``ni:///sha-256;...``) and
its versions, the entities that are specializations of it, are the same bytes: one is complete, or an accepted source,
if another is, and a lineage goes on from content to its versions. An activity is complete if an agent is
responsible for it and it has a cause: a used entity, an informing activity or a trigger. Coverage is the share of
complete things. A derivation without an activity is followed upstream, but does not make the entity complete.

A lineage ends at accepted sources. An entity from which no path upstream reaches one of them is untrusted, even if it
is complete: its lineage starts elsewhere, or is a cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shapes.instances import InstanceGraph
from provrepo.errors import UsageError
from provrepo.model.identifiers import Identifier, is_content
from provrepo.vocab import DCAT, DCTERMS, PROV, PROVREPO, RDF_TYPE

T = TypeVar("T")

__all__ = ["PROPERTIES", "UPSTREAM", "Coverage", "Gap", "Sources", "Tally", "count", "measure"]

UPSTREAM = tuple(
    PROV + name
    for name in (
        *("wasGeneratedBy", "wasDerivedFrom", "used", "wasInformedBy", "wasStartedBy"),
        *("specializationOf", "hadMember"),
    )
)
"""The properties from a thing to its causes."""

_SOURCE_PROPERTIES = (
    DCTERMS + "source",
    PROV + "hadPrimarySource",
    *(DCAT + n for n in ("downloadURL", "accessURL", "landingPage")),
)

_ASSOCIATED_WITH = PROV + "wasAssociatedWith"
_GENERATED_BY = PROV + "wasGeneratedBy"
_INFORMED_BY = PROV + "wasInformedBy"
_SPECIALIZATION_OF = PROV + "specializationOf"
_ORIGINS = (_GENERATED_BY, PROV + "hadMember")
"""The properties of which an entity has one if its origin is known; or it has a general entity other than content."""

PROPERTIES = (*UPSTREAM, RDF_TYPE, _ASSOCIATED_WITH, *_SOURCE_PROPERTIES)
"""All properties that ``measure`` reads."""

# Types of things that are not part of a lineage.
_EXCLUDED = frozenset(PROV + name for name in ("Agent", "Person", "Organization", "SoftwareAgent", "Plan", "Bundle"))


class Tally:
    """The coverage of a document's instances, measured while another function iterates over them."""

    def __init__(self) -> None:
        self._things = self._complete = 0

    def over(self, instances: Iterable[InstanceGraph]) -> Iterator[InstanceGraph]:
        """The same instances; each is measured before it is yielded."""
        for instance in instances:
            things, complete = count(instance.graph)
            self._things += things
            self._complete += complete
            yield instance

    @property
    def percent(self) -> float:
        """The coverage of all instances together, in percent; a thing counts once for each instance that has it."""
        return Coverage(self._things, self._complete).percent


def count(graph: Graph) -> tuple[int, int]:
    """How many things ``measure`` finds in a completed graph with declared sources, and how many are complete."""

    def typed(*classes: str) -> set[int]:
        numbers = (graph.find(Identifier(cls)) for cls in classes)
        return set[int]().union(*(types.get(number, ()) for number in numbers if number is not None))

    def having(*properties: str) -> set[int]:
        return set[int]().union(*(graph.pairs(name).domain() for name in properties))

    types = graph.pairs(RDF_TYPE).by_object()
    activities = typed(PROV + "Activity") | graph.pairs(_GENERATED_BY).range() | graph.pairs(_INFORMED_BY).range()
    things = (typed(PROV + "Entity") | activities) - typed(*_EXCLUDED)
    sources = typed(PROVREPO + "Source") | having(*_SOURCE_PROPERTIES)
    general = graph.pairs(_SPECIALIZATION_OF)
    contents = {number for number in general.range() - activities if is_content(str(graph.term(number)))}
    pairs = set(zip(general.subjects, general.objects, strict=True))
    versions = [(subject, upper) for subject, upper in pairs if upper in contents and subject not in activities]
    first = _same(versions)
    known = (having(*_ORIGINS) | {subject for subject, upper in pairs if upper not in contents} | sources) - activities
    same = {first[number] for number in known & first.keys()}
    known |= {number for number, among in first.items() if among in same}
    complete = known | (activities & having(_ASSOCIATED_WITH) & having(*UPSTREAM)) | sources
    return len(things), len(things & complete)


def _same(pairs: Iterable[tuple[T, T]]) -> dict[T, T]:
    """For each name that is in pairs of the same bytes, the one that stands for all names of these bytes."""
    first: dict[T, T] = {}

    def find(name: T) -> T:
        while first.setdefault(name, name) != name:
            first[name] = name = first[first[name]]
        return name

    for one, other in pairs:
        first[find(one)] = find(other)
    return {name: find(name) for name in first}


class Gap(NamedTuple):
    """A thing that is not complete.

    Attributes:
        thing: its IRI.
        reason: what is missing, as a clause without its subject.
    """

    thing: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of a lineage.

    Attributes:
        things: the number of its entities and activities.
        complete: the number of complete ones.
        gaps: the others, in order of IRIs.
        untrusted: IRIs of the entities without a path to an accepted source, in order.
        names: IRIs of its things that are not accepted sources.
    """

    things: int
    complete: int
    gaps: tuple[Gap, ...] = ()
    untrusted: tuple[str, ...] = ()
    names: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def percent(self) -> float:
        """The share of complete things, rounded down to a tenth: 100.0 means all. It is 100.0 without things."""
        return self.complete * 1000 // self.things / 10 if self.things else 100.0


class Sources:
    """The accepted sources, as patterns of IRIs in which ``*`` matches any characters."""

    def __init__(self, patterns: Iterable[str]) -> None:
        parts = [tuple(pattern.split("*")) for pattern in patterns]
        self._names = frozenset(pattern[0] for pattern in parts if len(pattern) == 1)
        self._patterns = [pattern for pattern in parts if len(pattern) > 1]

    @classmethod
    def parse(cls, text: str) -> Sources:
        """Parse a text with one pattern per line; lines that are empty or begin with ``#`` are ignored.

        Raises:
            UsageError: a pattern matches every IRI, or has more than eight stars.
        """
        lines = [line.strip() for line in text.splitlines()]
        patterns = [line for line in lines if line and not line.startswith("#")]
        for pattern in patterns:
            if not pattern.strip("*") or pattern.count("*") > 8:
                raise UsageError(
                    f"{pattern!r} is not a source: write an IRI, with * for any characters, at most eight times"
                )
        return cls(patterns)

    def __contains__(self, iri: object) -> bool:
        return isinstance(iri, str) and (iri in self._names or any(_fits(iri, parts) for parts in self._patterns))


def _fits(iri: str, parts: tuple[str, ...]) -> bool:
    """Whether an IRI consists of the parts, in order, with any characters between them.

    Each part is matched at its first position, which leaves most for the others. So there is no backtracking, which in
    a regular expression could be made expensive by a chosen IRI.
    """
    first, *middle, last = parts
    at, end = len(first), len(iri) - len(last)
    if at > end or not iri.startswith(first) or not iri.endswith(last):
        return False
    for part in middle:
        found = iri.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class _Thing:
    """The classes, properties and causes of one thing.

    Attributes:
        classes: its types.
        properties: those that it has.
        causes: the things upstream of it; of content also its versions.
        general: its general entities other than content.
    """

    __slots__ = ("causes", "classes", "general", "properties")

    def __init__(self) -> None:
        self.classes: set[str] = set()
        self.properties: set[str] = set()
        self.causes: dict[str, None] = {}
        self.general: set[str] = set()

    @property
    def activity(self) -> bool:
        """Whether it is an activity."""
        return PROV + "Activity" in self.classes

    @property
    def has_origin(self) -> bool:
        """Whether it is an entity of which the triples say where it came from, other than what its bytes are."""
        return not self.activity and (bool(self.general) or not self.properties.isdisjoint(_ORIGINS))


def measure(
    triples: Iterable[tuple[str, str, str]], *, start: str | None = None, sources: Sources | None = None
) -> Coverage:
    """Measure a lineage.

    Args:
        triples: at least those whose property is one of ``PROPERTIES``; completed, so that they include unqualified
            properties.
        start: restrict the lineage to this thing and what is upstream of it; None for all entities and activities.
        sources: the accepted sources; None accepts those that the triples declare by ``provrepo:Source``,
            ``prov:hadPrimarySource``, ``dcterms:source`` or addresses of ``dcat``.
    """
    things = _things(triples)
    same = _Same(things, _declared(things) if sources is None else sources.__contains__)
    is_source = same.is_source
    reached = _all(things) if start is None else _upstream(things, start, is_source)
    grounded = _grounded(things, reached, is_source)
    names = frozenset(name for name in reached if not is_source(name))
    gaps: list[Gap] = []
    untrusted: list[str] = []
    for name in sorted(reached):
        if is_source(name):
            continue
        thing = things.get(name) or _Thing()
        reason = (
            _missing_of_activity(thing) if thing.activity else _missing_of_entity(thing, known=same.has_origin(name))
        )
        if reason is not None:
            gaps.append(Gap(name, reason))
        if not thing.activity and name not in grounded:
            untrusted.append(name)
    return Coverage(len(reached), len(reached) - len(gaps), tuple(gaps), tuple(untrusted), names)


def _things(triples: Iterable[tuple[str, str, str]]) -> dict[str, _Thing]:
    things: dict[str, _Thing] = {}
    for subject, predicate, value in triples:
        if predicate not in _PROPERTIES:
            continue
        thing = things.setdefault(subject, _Thing())
        if predicate == RDF_TYPE:
            thing.classes.add(value)
            continue
        thing.properties.add(predicate)
        if predicate in UPSTREAM:
            thing.causes[value] = None
            if predicate == _SPECIALIZATION_OF:
                thing.general.add(value)
            if predicate in (_GENERATED_BY, _INFORMED_BY):
                things.setdefault(value, _Thing()).classes.add(PROV + "Activity")
    return things


class _Same:
    """Content and its versions, which are the same bytes.

    Args:
        things: all things; versions become causes of their content, and content is no longer a general entity.
        is_source: whether a thing is an accepted source itself.
    """

    def __init__(self, things: dict[str, _Thing], is_source: Callable[[str], bool]) -> None:
        self._is_source = is_source
        pairs: list[tuple[str, str]] = []
        for name, thing in list(things.items()):
            for general in list(thing.general) if not thing.activity else ():
                content = things.setdefault(general, _Thing())
                if is_content(general) and not content.activity:
                    thing.general.discard(general)
                    content.causes[name] = None
                    pairs.append((name, general))
        self._first = _same(pairs)
        self._sources = {first for name, first in self._first.items() if is_source(name)}
        self._known = {first for name, first in self._first.items() if things[name].has_origin}
        self._things = things

    def is_source(self, name: str) -> bool:
        """Whether a thing, or another name of the same bytes, is an accepted source."""
        return self._first[name] in self._sources if name in self._first else self._is_source(name)

    def has_origin(self, name: str) -> bool:
        """Whether it is said where a thing, or another name of the same bytes, came from."""
        if name in self._first:
            return self._first[name] in self._known
        return name in self._things and self._things[name].has_origin


_PROPERTIES = frozenset(PROPERTIES)


def _upstream(things: dict[str, _Thing], start: str, is_source: Callable[[str], bool]) -> set[str]:
    """The start and all things upstream of it, up to accepted sources, whose own causes are not followed."""
    reached = {start}
    pending = [start]
    while pending:
        name = pending.pop()
        thing = things.get(name)
        for cause in thing.causes if thing is not None and not is_source(name) else ():
            if cause not in reached:
                reached.add(cause)
                pending.append(cause)
    return reached


def _grounded(things: dict[str, _Thing], reached: set[str], is_source: Callable[[str], bool]) -> set[str]:
    """The things from which a path upstream reaches an accepted source."""
    effects: dict[str, list[str]] = {}
    for name in reached:
        thing = things.get(name)
        for cause in thing.causes if thing is not None else ():
            effects.setdefault(cause, []).append(name)
    grounded = {name for name in reached if is_source(name)}
    pending = list(grounded)
    while pending:
        for name in effects.get(pending.pop(), ()):
            if name not in grounded:
                grounded.add(name)
                pending.append(name)
    return grounded


def _all(things: dict[str, _Thing]) -> set[str]:
    wanted = {PROV + "Entity", PROV + "Activity"}
    return {name for name, thing in things.items() if thing.classes & wanted and not thing.classes & _EXCLUDED}


def _declared(things: dict[str, _Thing]) -> Callable[[str], bool]:
    """Test whether the triples declare a thing as a source."""

    def declared(name: str) -> bool:
        thing = things.get(name)
        return thing is not None and (
            PROVREPO + "Source" in thing.classes or bool(thing.properties.intersection(_SOURCE_PROPERTIES))
        )

    return declared


def _missing_of_entity(thing: _Thing, *, known: bool) -> str | None:
    if known:
        return None
    if PROV + "wasDerivedFrom" in thing.properties:
        return "is derived from something, but no activity generated it"
    return "has no origin: no activity generated it, and it is not a source"


def _missing_of_activity(thing: _Thing) -> str | None:
    if _ASSOCIATED_WITH not in thing.properties:
        return "has no responsible agent"
    if not thing.causes:
        return "does not say what it used"
    return None
