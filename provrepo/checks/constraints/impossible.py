"""Types (rule 50) and what is impossible (rules 51–56), as facts; ``findings.py`` puts them into words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TypeAlias

from provrepo.checks.constraints.graph import Graph
from provrepo.checks.constraints.inferences import Facts
from provrepo.checks.constraints.instance import IDENTIFIED, Row, source
from provrepo.checks.constraints.terms import FRESH, NONE
from provrepo.checks.constraints.unify import Unifier
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    END,
    ENTITY,
    GENERATION,
    INSERTION,
    INVALIDATION,
    MEMBERSHIP,
    MENTION,
    REMOVAL,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)

__all__ = [
    "activity_of",
    "both",
    "members_of_nothing",
    "overlaps",
    "specialization_cycles",
    "things_and_relations",
    "unspecified",
]

Reason: TypeAlias = tuple[Kind, int]
"""The kind of a statement and its number."""

Overlap: TypeAlias = tuple[int, Reason, Reason]
"""A term that stands for two things at once, and why for either."""

_ENTITY, _ACTIVITY = 1, 2

TYPED: dict[Kind, tuple[tuple[int, int], ...]] = {
    ENTITY: ((0, _ENTITY),),
    ACTIVITY: ((0, _ACTIVITY),),
    USAGE: ((1, _ACTIVITY), (2, _ENTITY)),
    GENERATION: ((1, _ENTITY), (2, _ACTIVITY)),
    COMMUNICATION: ((1, _ACTIVITY), (2, _ACTIVITY)),
    START: ((1, _ACTIVITY), (2, _ENTITY), (3, _ACTIVITY)),
    END: ((1, _ACTIVITY), (2, _ENTITY), (3, _ACTIVITY)),
    INVALIDATION: ((1, _ENTITY), (2, _ACTIVITY)),
    DERIVATION: ((1, _ENTITY), (2, _ENTITY), (3, _ACTIVITY)),
    ATTRIBUTION: ((1, _ENTITY),),
    ASSOCIATION: ((1, _ACTIVITY), (3, _ENTITY)),
    DELEGATION: ((3, _ACTIVITY),),
    ALTERNATE: ((1, _ENTITY), (2, _ENTITY)),
    SPECIALIZATION: ((1, _ENTITY), (2, _ENTITY)),
    MEMBERSHIP: ((1, _ENTITY), (2, _ENTITY)),
    MENTION: ((1, _ENTITY), (2, _ENTITY), (3, _ENTITY)),
    INSERTION: ((1, _ENTITY), (2, _ENTITY)),
    REMOVAL: ((1, _ENTITY), (2, _ENTITY)),
    DICTIONARY_MEMBERSHIP: ((1, _ENTITY), (2, _ENTITY)),
}
"""Constraint 50, and the same for PROV-Links and PROV-Dictionary: which place of a row is an entity, which an activity.

An agent may be either, so agents have no part in rule 55. Of an influence nothing follows.
"""

_DISJOINT = (USAGE, GENERATION, INVALIDATION, START, END, COMMUNICATION, ATTRIBUTION, ASSOCIATION, DELEGATION)
"""Constraint 53. A derivation is not in the Recommendation's list, and an influence is exempt because of rule 15."""


def both(facts: Facts) -> Iterator[Overlap]:
    """55 entity-activity-disjoint: each term that is both, with kind and statement number of a reason for either."""
    types = bytearray(len(facts.instance.terms))
    for kind, places in TYPED.items():
        for place, bit in places:
            for row in facts.instance.alive(kind):
                types[row[place]] |= bit
    types[:2] = b"\0\0"
    clashing = [term for term, bits in enumerate(types) if bits == _ENTITY | _ACTIVITY] if 3 in types else []
    if not clashing:
        return
    wanted = set(clashing)
    reasons: dict[tuple[int, int], Reason] = {}
    for kind, places in TYPED.items():
        for row in facts.instance.alive(kind):
            for place, bit in places:
                if row[place] in wanted:
                    reasons.setdefault((row[place], bit), (kind, source(row)))
    for term in clashing:
        yield term, reasons[term, _ENTITY], reasons[term, _ACTIVITY]


def unspecified(facts: Facts) -> Iterator[Row]:
    """51 impossible-unspecified-derivation-generation-use: derivations without activity, but with either of these."""
    for row in facts.instance.alive(DERIVATION):
        if row[3] == NONE and (row[4] != NONE or row[5] != NONE):
            yield row


def activity_of(unifier: Unifier, row: Row) -> int | None:
    """The activity that a derivation would have to name (inference 11).

    Returns:
        ``FRESH`` where the document does not say; None where no activity would do, because the generation or the usage
        is of another entity, or the two belong to different activities.
    """
    found = set[int]()
    for kind, name, entity, place, activity in ((GENERATION, row[4], row[1], 1, 2), (USAGE, row[5], row[2], 2, 1)):
        known = unifier.by_id[kind].get(name) if name > NONE else None
        if known is None:
            continue
        known = unifier.instance.standing(known)
        if entity not in (known[place], FRESH) and known[place] != FRESH:
            return None
        found.add(known[activity])
    found -= {FRESH, *unifier.instance.terms.variables}
    return None if len(found) > 1 else next(iter(found), FRESH)


def specialization_cycles(facts: Facts) -> Iterator[list[int]]:
    """52 impossible-specialization-reflexive, with 19: the numbers of the statements that go round."""
    edges = facts.specializations
    if not edges:
        return
    graph = Graph(len(facts.instance.terms))
    for general, specific, _ in edges:
        graph.add(specific, general)
    _, components = graph.ordered()
    for component in components:
        within = set(component)
        loop = next((e for e in graph.edges(component[0]) if graph.targets[e] in within), None)
        if loop is None:
            continue
        way = graph.shortest(graph.targets[loop], component[0], within)
        yield [edges[e][2] for e in (loop, *(way or ()))]


def overlaps(unifier: Unifier) -> Iterator[Overlap]:
    """53 impossible-property-overlap: identifiers of relations of two kinds."""
    bound, told = unifier.instance.terms.bound, set[int]()
    for one, other in combinations(_DISJOINT, 2):
        mine, theirs = unifier.by_id[one], unifier.by_id[other]
        for term in sorted(mine.keys() & theirs.keys() - bound.keys() - told):
            told.add(term)
            yield term, (one, source(mine[term])), (other, source(theirs[term]))


def things_and_relations(facts: Facts, unifier: Unifier) -> Iterator[Overlap]:
    """54 impossible-object-property-overlap: identifiers of a thing that are those of a relation too."""
    bound, told = unifier.instance.terms.bound, set[int]()
    things = {
        ENTITY: facts.entities,
        ACTIVITY: {row[0]: row[-1] for row in facts.instance.alive(ACTIVITY)},
        AGENT: {row[0]: row[-1] for row in facts.instance.alive(AGENT)},
    }
    for thing, mine in things.items():
        for relation in IDENTIFIED:
            theirs = unifier.by_id[relation]
            for term in sorted(mine.keys() & theirs.keys() - bound.keys() - told):
                told.add(term)
                yield term, (thing, mine[term]), (relation, source(theirs[term]))


def members_of_nothing(facts: Facts) -> Iterator[tuple[list[Row], int]]:
    """56 membership-empty-collection: the memberships of a collection, and the number of what says there are none."""
    found: dict[int, list[Row]] = {}
    for kind in (MEMBERSHIP, DICTIONARY_MEMBERSHIP) if facts.empty else ():
        for row in facts.instance.alive(kind):
            if row[1] in facts.empty:
                found.setdefault(row[1], []).append(row)
    for term, rows in found.items():
        yield rows, facts.empty[term]
