"""The part of inferences 5–21 that validity depends on: which events take place, and which entities are described.

Validity does not need the full conclusions. Most existential variables that an inference introduces occur nowhere else,
so no key can equate them with another term; what remains of the conclusion is that an event takes place. Relations
inferred from relations (6, 12, 15–20) add no order of events:

* 6: the order by the communication (35) follows from start ≼ generation ≼ use ≼ end (34, 37, 33).
* 5: the converse; 35 orders the same two events, and the entity between them occurs nowhere else.
* 12, 16–18, 20: the only rule about alternates is that they are entities, and so they are in the premise.
* 19: reachability, which ordering and rule 52 decide on the graph.
* 11 and 15 affect unification, and ``unify`` applies them.

The normal form has all conclusions (``normal``).
"""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.checks.constraints.instance import Instance, Row, source
from provrepo.checks.constraints.terms import FRESH
from provrepo.checks.constraints.unify import Unifier
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    ATTRIBUTION,
    DELEGATION,
    END,
    ENTITY,
    GENERATION,
    INVALIDATION,
    MENTION,
    SPECIALIZATION,
    START,
)

__all__ = ["Facts", "associated", "triggered"]


class Facts:
    """The entities and events of a unified instance.

    Flags are indexed by term; those of ``FRESH`` and ``NONE`` are 0.

    Attributes:
        instance: unified.
        entities: the described entities, each with the number of a statement that describes it.
        empty: the empty collections, likewise.
        specializations: general entity, specific entity and number of the statement; mentions included.
        generated: whether a generation of the term takes place.
        invalidated: whether an invalidation of it takes place.
        started: whether a start of it takes place.
        ended: whether an end of it takes place.
    """

    def __init__(self, unifier: Unifier) -> None:
        instance = self.instance = unifier.instance
        size = len(instance.terms)
        self.generated, self.invalidated = bytearray(size), bytearray(size)
        self.started, self.ended = bytearray(size), bytearray(size)
        self.entities = {row[0]: row[-1] for row in instance.current(ENTITY)}
        find, number = instance.terms.find, instance.terms.number
        self.empty = {find(number(instance.statements[n].id or "")): n for n in instance.empty}
        self.specializations = list(_specializations(instance))
        for inference in INFERENCES:
            inference(self)
        for flags in (self.generated, self.invalidated, self.started, self.ended):
            flags[:2] = b"\0\0"


def _specializations(instance: Instance) -> Iterator[tuple[int, int, int]]:
    # PROV-Links: a mention is a specialization.
    for kind in (SPECIALIZATION, MENTION):
        for row in instance.current(kind):
            if row[1] != FRESH and row[2] != FRESH:
                yield row[2], row[1], row[-1]


def asserted(facts: Facts) -> None:
    """Events that statements assert."""
    for kind, flags in (
        (GENERATION, facts.generated),
        (INVALIDATION, facts.invalidated),
        (START, facts.started),
        (END, facts.ended),
    ):
        for row in facts.instance.current(kind):
            flags[row[1]] = 1


def inference_21(facts: Facts) -> None:
    """21 specialization-attributes-inference: a specialization of an entity is an entity with the same attributes."""
    if not facts.specializations or not facts.entities:
        return
    specializations: dict[int, list[int]] = {}
    for general, specific, _ in facts.specializations:
        specializations.setdefault(general, []).append(specific)
    for inherited in (facts.entities, facts.empty):
        pending = [term for term in inherited if term in specializations]
        while pending:
            general = pending.pop()
            for specific in specializations.get(general, ()):
                if specific not in inherited:
                    inherited[specific] = inherited[general]
                    pending.append(specific)


def inference_7(facts: Facts) -> None:
    """7 entity-generation-invalidation-inference: every entity was generated and invalidated."""
    for entity in facts.entities:
        facts.generated[entity] = facts.invalidated[entity] = 1


def inference_8(facts: Facts) -> None:
    """8 activity-start-end-inference: every activity started and ended."""
    for row in facts.instance.current(ACTIVITY):
        facts.started[row[0]] = facts.ended[row[0]] = 1


def inferences_9_10(facts: Facts) -> None:
    """9 wasStartedBy-inference, 10 wasEndedBy-inference: the trigger was generated."""
    for kind in (START, END):
        for row in facts.instance.current(kind):
            facts.generated[row[2]] = 1


def inference_13(facts: Facts) -> None:
    """13 attribution-inference: an entity that is attributed to an agent was generated."""
    for row in facts.instance.current(ATTRIBUTION):
        facts.generated[row[1]] = 1


INFERENCES = (asserted, inference_21, inference_7, inference_8, inferences_9_10, inference_13)
"""In an order in which each may depend on those before it."""


def triggered(facts: Facts) -> Iterator[tuple[int, int, int]]:
    """9, 10: the trigger, the activity that generated it, and the number of the statement."""
    for kind in (START, END):
        for row in facts.instance.current(kind):
            if row[2] != FRESH and row[3] != FRESH:
                yield row[2], row[3], source(row)


def associated(facts: Facts) -> Iterator[tuple[int, int, Row]]:
    """Activity, agent and row of each association, asserted or inferred from a delegation (14 delegation-inference)."""
    for row in facts.instance.current(ASSOCIATION):
        yield row[1], row[2], row
    for row in facts.instance.current(DELEGATION):
        yield row[3], row[1], row
        yield row[3], row[2], row
