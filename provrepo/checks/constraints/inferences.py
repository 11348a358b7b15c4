"""What inferences 5–21 mean for validity: which events take place, and which entities are described.

Validity needs no conclusion in full. Most existential variables that an inference introduces occur nowhere else, so no
key can ever equate them with anything; what remains of the conclusion is that an event takes place. Relations that
follow from relations (6, 12, 15–20) order nothing that is not ordered without them:

* 6: what the communication would order (35) follows from start ≼ generation ≼ use ≼ end (34, 37, 33).
* 5: the converse; 35 orders the same two events, and the entity in between is unknown to all else.
* 12, 16–18, 20: nothing is said of alternates but that they are entities, and they are in the statement itself.
* 19: reachability, which ordering and rule 52 decide on the graph.
* 11 and 15 decide what can be unified, and are applied there.

The normal form has all conclusions; ``normal.py`` draws them.
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
    """What is known of the things in an instance once everything is unified.

    Every flag is by the number of a term; ``FRESH`` and ``NONE`` have none.

    Attributes:
        instance: unified.
        entities: the entities that are described, and the number of the statement that describes each.
        empty: the collections that are empty, likewise.
        specializations: general and specific entity, and the number of the statement, mentions included.
        generated: whether a generation of it takes place.
        invalidated: whether an invalidation of it takes place.
        started: whether a start of it takes place.
        ended: whether an end of it takes place.
    """

    def __init__(self, unifier: Unifier) -> None:
        instance = self.instance = unifier.instance
        size = len(instance.terms)
        self.generated, self.invalidated = bytearray(size), bytearray(size)
        self.started, self.ended = bytearray(size), bytearray(size)
        self.entities = {row[0]: row[-1] for row in instance.alive(ENTITY)}
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
        for row in instance.alive(kind):
            if row[1] != FRESH and row[2] != FRESH:
                yield row[2], row[1], row[-1]


def stated(facts: Facts) -> None:
    """What is stated to take place takes place."""
    for kind, flags in (
        (GENERATION, facts.generated),
        (INVALIDATION, facts.invalidated),
        (START, facts.started),
        (END, facts.ended),
    ):
        for row in facts.instance.alive(kind):
            flags[row[1]] = 1


def inference_21(facts: Facts) -> None:
    """21 specialization-attributes-inference: a specialization of an entity is one, with the same attributes."""
    if not facts.specializations or not facts.entities:
        return
    below: dict[int, list[int]] = {}
    for general, specific, _ in facts.specializations:
        below.setdefault(general, []).append(specific)
    for inherited in (facts.entities, facts.empty):
        pending = [term for term in inherited if term in below]
        while pending:
            general = pending.pop()
            for specific in below.get(general, ()):
                if specific not in inherited:
                    inherited[specific] = inherited[general]
                    pending.append(specific)


def inference_7(facts: Facts) -> None:
    """7 entity-generation-invalidation-inference: every entity was generated and invalidated."""
    for entity in facts.entities:
        facts.generated[entity] = facts.invalidated[entity] = 1


def inference_8(facts: Facts) -> None:
    """8 activity-start-end-inference: every activity started and ended."""
    for row in facts.instance.alive(ACTIVITY):
        facts.started[row[0]] = facts.ended[row[0]] = 1


def inferences_9_10(facts: Facts) -> None:
    """9 wasStartedBy-inference, 10 wasEndedBy-inference: the trigger was generated."""
    for kind in (START, END):
        for row in facts.instance.alive(kind):
            facts.generated[row[2]] = 1


def inference_13(facts: Facts) -> None:
    """13 attribution-inference: what is attributed to an agent was generated."""
    for row in facts.instance.alive(ATTRIBUTION):
        facts.generated[row[1]] = 1


INFERENCES = (stated, inference_21, inference_7, inference_8, inferences_9_10, inference_13)
"""In the order in which one may rely on another."""


def triggered(facts: Facts) -> Iterator[tuple[int, int, int]]:
    """9, 10: trigger, the activity that generated it, and the number of the statement."""
    for kind in (START, END):
        for row in facts.instance.alive(kind):
            if row[2] != FRESH and row[3] != FRESH:
                yield row[2], row[3], source(row)


def associated(facts: Facts) -> Iterator[tuple[int, int, Row]]:
    """Activity and agent of each association, and of those that follow from delegations (14 delegation-inference)."""
    for row in facts.instance.alive(ASSOCIATION):
        yield row[1], row[2], row
    for row in facts.instance.alive(DELEGATION):
        yield row[3], row[1], row
        yield row[3], row[2], row
