"""How much of a lineage is known: the measure behind the profile ``pipeline`` and the verb ``gate``.

A lineage is the graph of what came from what. In it an entity is complete when an activity generated it, when it was
put together from members or is a version of something more general, or when it is a source that may be one. An activity
is complete when somebody is responsible for it and it says what it used or what informed it. Coverage is the share of
complete things. A derivation without an activity leads further up, but leaves out how: it counts against coverage.

A lineage ends at the sources that may be sources. An entity from which no way leads up to one of them is untrusted,
however much is known of how it was made: it began somewhere else, or goes round in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from provrepo.checks.shapes.instances import InstanceGraph
from provrepo.errors import UsageError
from provrepo.vocab import DCAT, DCTERMS, PROV, PROVREPO, RDF_TYPE

__all__ = ["ASKED", "UPSTREAM", "Coverage", "Gap", "Sources", "Tally", "measure"]

UPSTREAM = tuple(
    PROV + name
    for name in (
        *("wasGeneratedBy", "wasDerivedFrom", "used", "wasInformedBy", "wasStartedBy"),
        *("specializationOf", "hadMember"),
    )
)
"""The properties that lead from a thing to what it came from."""

_DECLARED = (
    DCTERMS + "source",
    PROV + "hadPrimarySource",
    *(DCAT + n for n in ("downloadURL", "accessURL", "landingPage")),
)

ASKED = (*UPSTREAM, RDF_TYPE, PROV + "wasAssociatedWith", *_DECLARED)
"""All properties that ``measure`` looks at."""

# What stands beside a lineage and is not part of it.
_BESIDE = frozenset(PROV + name for name in ("Agent", "Person", "Organization", "SoftwareAgent", "Plan", "Bundle"))


class Tally:
    """Measures the instances of a document while somebody else goes through them."""

    def __init__(self) -> None:
        self._things = self._complete = 0

    def over(self, instances: Iterable[InstanceGraph]) -> Iterator[InstanceGraph]:
        """The same instances; each has been measured when the next one is asked for."""
        for instance in instances:
            found = measure((str(s), str(p), str(o)) for s, p, o, _ in instance.triples if p in _WANTED)
            self._things += found.things
            self._complete += found.complete
            yield instance

    @property
    def percent(self) -> float:
        """Of all instances together, each thing counted in each."""
        return Coverage(self._things, self._complete).percent


class Gap(NamedTuple):
    """A thing that is not complete.

    Attributes:
        thing: its IRI.
        reason: what is missing, as a sentence without its subject.
    """

    thing: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of a lineage.

    Attributes:
        things: how many entities and activities it has.
        complete: how many of them are complete.
        gaps: the others, by IRI.
        untrusted: entities from which no way leads to a source that may be one, by IRI.
    """

    things: int
    complete: int
    gaps: tuple[Gap, ...] = ()
    untrusted: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """The share of complete things, rounded down to a tenth: 100.0 means all. Of nothing, all is known."""
        return self.complete * 1000 // self.things / 10 if self.things else 100.0


class Sources:
    """Which entities may be sources: IRIs, in which ``*`` stands for any characters."""

    def __init__(self, patterns: Iterable[str]) -> None:
        parts = [tuple(pattern.split("*")) for pattern in patterns]
        self._names = frozenset(pattern[0] for pattern in parts if len(pattern) == 1)
        self._patterns = [pattern for pattern in parts if len(pattern) > 1]

    @classmethod
    def parse(cls, text: str) -> Sources:
        """One pattern a line; lines that are empty or begin with ``#`` are left out.

        Raises:
            UsageError: a line that would trust everything, or that has more than eight stars.
        """
        lines = [line.strip() for line in text.splitlines()]
        patterns = [line for line in lines if line and not line.startswith("#")]
        for pattern in patterns:
            if not pattern.strip("*") or pattern.count("*") > 8:
                raise UsageError(
                    f"{pattern!r} is no source: an IRI is, with * for any characters, eight of them at most"
                )
        return cls(patterns)

    def __contains__(self, iri: object) -> bool:
        return isinstance(iri, str) and (iri in self._names or any(_fits(iri, parts) for parts in self._patterns))


def _fits(iri: str, parts: tuple[str, ...]) -> bool:
    """Whether an IRI consists of parts with anything between them.

    Each part is taken where it first fits, which leaves most for the others: nothing is ever tried again, as a regular
    expression would, for whose cost strangers could find an IRI.
    """
    first, *between, last = parts
    at, end = len(first), len(iri) - len(last)
    if at > end or not iri.startswith(first) or not iri.endswith(last):
        return False
    for part in between:
        found = iri.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class _Thing:
    """What the triples say of one thing."""

    __slots__ = ("classes", "said", "up")

    def __init__(self) -> None:
        self.classes: set[str] = set()
        self.said: set[str] = set()
        self.up: dict[str, None] = {}


def measure(
    triples: Iterable[tuple[str, str, str]], *, start: str | None = None, sources: Sources | None = None
) -> Coverage:
    """Measure a lineage.

    Args:
        triples: at least those whose property is one of ``ASKED``; completed, so that shortcuts are there.
        start: only what this came from, itself included; None for all entities and activities.
        sources: the entities that may be sources; None takes a document's word: ``provrepo:Source``,
            ``prov:hadPrimarySource``, ``dcterms:source`` and addresses of ``dcat``.
    """
    things = _things(triples)
    is_source = _declared(things) if sources is None else sources.__contains__
    reached = _all(things) if start is None else _upstream(things, start, is_source)
    grounded = _grounded(things, reached, is_source)
    gaps: list[Gap] = []
    untrusted: list[str] = []
    for name in sorted(reached):
        if is_source(name):
            continue
        thing = things.get(name) or _Thing()
        activity = PROV + "Activity" in thing.classes
        reason = _missing_of_activity(thing) if activity else _missing_of_entity(thing)
        if reason is not None:
            gaps.append(Gap(name, reason))
        if not activity and name not in grounded:
            untrusted.append(name)
    return Coverage(len(reached), len(reached) - len(gaps), tuple(gaps), tuple(untrusted))


def _things(triples: Iterable[tuple[str, str, str]]) -> dict[str, _Thing]:
    things: dict[str, _Thing] = {}
    for subject, predicate, value in triples:
        if predicate not in _WANTED:
            continue
        thing = things.setdefault(subject, _Thing())
        if predicate == RDF_TYPE:
            thing.classes.add(value)
            continue
        thing.said.add(predicate)
        if predicate in UPSTREAM:
            thing.up[value] = None
            if predicate in (PROV + "wasGeneratedBy", PROV + "wasInformedBy"):
                things.setdefault(value, _Thing()).classes.add(PROV + "Activity")
    return things


_WANTED = frozenset(ASKED)


def _upstream(things: dict[str, _Thing], start: str, is_source: Callable[[str], bool]) -> set[str]:
    """The start and all that it came from, as far as the sources: what they came from is theirs to vouch for."""
    reached = {start}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        thing = things.get(name)
        for above in thing.up if thing is not None and not is_source(name) else ():
            if above not in reached:
                reached.add(above)
                waiting.append(above)
    return reached


def _grounded(things: dict[str, _Thing], reached: set[str], is_source: Callable[[str], bool]) -> set[str]:
    """The things from which a way leads up to a source."""
    below: dict[str, list[str]] = {}
    for name in reached:
        thing = things.get(name)
        for above in thing.up if thing is not None else ():
            below.setdefault(above, []).append(name)
    grounded = {name for name in reached if is_source(name)}
    waiting = list(grounded)
    while waiting:
        for name in below.get(waiting.pop(), ()):
            if name not in grounded:
                grounded.add(name)
                waiting.append(name)
    return grounded


def _all(things: dict[str, _Thing]) -> set[str]:
    wanted = {PROV + "Entity", PROV + "Activity"}
    return {name for name, thing in things.items() if thing.classes & wanted and not thing.classes & _BESIDE}


def _declared(things: dict[str, _Thing]) -> Callable[[str], bool]:
    def declared(name: str) -> bool:
        thing = things.get(name)
        return thing is not None and (PROVREPO + "Source" in thing.classes or bool(thing.said.intersection(_DECLARED)))

    return declared


def _missing_of_entity(thing: _Thing) -> str | None:
    if thing.said.intersection((PROV + "wasGeneratedBy", PROV + "specializationOf", PROV + "hadMember")):
        return None
    if PROV + "wasDerivedFrom" in thing.said:
        return "is derived from something, but no activity generated it"
    return "has no origin: no activity generated it, and it is no source"


def _missing_of_activity(thing: _Thing) -> str | None:
    if PROV + "wasAssociatedWith" not in thing.said:
        return "has nobody responsible"
    if not thing.up:
        return "does not say what it used"
    return None
