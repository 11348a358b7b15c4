"""Violations of the impossibility constraints 51–56, with the types of rule 50, as data; ``findings`` words them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TypeAlias

from provrepo.checks.constraints.graph import DirectedGraph
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
    "entities_and_activities",
    "members_of_empty",
    "overlaps",
    "specialization_cycles",
    "things_and_relations",
    "unspecified",
]

Reason: TypeAlias = tuple[Kind, int]
"""The kind of a statement and its number."""

Overlap: TypeAlias = tuple[int, Reason, Reason]
"""A term with two incompatible meanings, and a reason for each."""

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
"""Constraint 50, extended to PROV-Links and PROV-Dictionary: the indexes of entities and of activities in rows.

An agent may be either, so rule 55 does not depend on agents. Influences imply no types.
"""

_DISJOINT = (USAGE, GENERATION, INVALIDATION, START, END, COMMUNICATION, ATTRIBUTION, ASSOCIATION, DELEGATION)
"""Constraint 53. The Recommendation's list has no derivations, and no influences, because of rule 15."""


def entities_and_activities(facts: Facts) -> Iterator[Overlap]:
    """55 entity-activity-disjoint: each term that is both entity and activity, with a reason for each."""
    types = bytearray(len(facts.instance.terms))
    for kind, indexes in TYPED.items():
        for index, bit in indexes:
            for row in facts.instance.current(kind):
                types[row[index]] |= bit
    types[:2] = b"\0\0"
    clashing = [term for term, bits in enumerate(types) if bits == _ENTITY | _ACTIVITY] if 3 in types else []
    if not clashing:
        return
    wanted = set(clashing)
    reasons: dict[tuple[int, int], Reason] = {}
    for kind, indexes in TYPED.items():
        for row in facts.instance.current(kind):
            for index, bit in indexes:
                if row[index] in wanted:
                    reasons.setdefault((row[index], bit), (kind, source(row)))
    for term in clashing:
        yield term, reasons[term, _ENTITY], reasons[term, _ACTIVITY]


def unspecified(facts: Facts) -> Iterator[Row]:
    """51 impossible-unspecified-derivation-generation-use: derivations with generation or usage, but no activity."""
    for row in facts.instance.current(DERIVATION):
        if row[3] == NONE and (row[4] != NONE or row[5] != NONE):
            yield row


def activity_of(unifier: Unifier, row: Row) -> int | None:
    """The activity of the generation and the usage of a derivation (inference 11).

    Returns:
        ``FRESH`` where the activity is unknown; None where there can be none, because the generation or the usage is of
        another entity, or the two are of different activities.
    """
    found = set[int]()
    for kind, name, entity, index, activity in ((GENERATION, row[4], row[1], 1, 2), (USAGE, row[5], row[2], 2, 1)):
        known = unifier.by_id[kind].get(name) if name > NONE else None
        if known is None:
            continue
        known = unifier.instance.representative(known)
        if entity not in (known[index], FRESH) and known[index] != FRESH:
            return None
        found.add(known[activity])
    found -= {FRESH, *unifier.instance.terms.variables}
    return None if len(found) > 1 else next(iter(found), FRESH)


def specialization_cycles(facts: Facts) -> Iterator[list[int]]:
    """52 impossible-specialization-reflexive, with 19: the numbers of the statements of each cycle."""
    edges = facts.specializations
    if not edges:
        return
    graph = DirectedGraph(len(facts.instance.terms))
    for general, specific, _ in edges:
        graph.add(specific, general)
    _, components = graph.ordered()
    for component in components:
        within = set(component)
        loop = next((e for e in graph.edges(component[0]) if graph.targets[e] in within), None)
        if loop is None:
            continue
        path = graph.shortest(graph.targets[loop], component[0], within)
        yield [edges[e][2] for e in (loop, *(path or ()))]


def overlaps(unifier: Unifier) -> Iterator[Overlap]:
    """53 impossible-property-overlap: identifiers that relations of two kinds share."""
    bound, reported = unifier.instance.terms.bound, set[int]()
    for one, other in combinations(_DISJOINT, 2):
        mine, theirs = unifier.by_id[one], unifier.by_id[other]
        for term in sorted(mine.keys() & theirs.keys() - bound.keys() - reported):
            reported.add(term)
            yield term, (one, source(mine[term])), (other, source(theirs[term]))


def things_and_relations(facts: Facts, unifier: Unifier) -> Iterator[Overlap]:
    """54 impossible-object-property-overlap: identifiers that a thing and a relation share."""
    bound, reported = unifier.instance.terms.bound, set[int]()
    things = {
        ENTITY: facts.entities,
        ACTIVITY: {row[0]: row[-1] for row in facts.instance.current(ACTIVITY)},
        AGENT: {row[0]: row[-1] for row in facts.instance.current(AGENT)},
    }
    for thing, mine in things.items():
        for relation in IDENTIFIED:
            theirs = unifier.by_id[relation]
            for term in sorted(mine.keys() & theirs.keys() - bound.keys() - reported):
                reported.add(term)
                yield term, (thing, mine[term]), (relation, source(theirs[term]))


def members_of_empty(facts: Facts) -> Iterator[tuple[list[Row], int]]:
    """56 membership-empty-collection: the memberships of an empty collection, and the number of the statement of it."""
    found: dict[int, list[Row]] = {}
    for kind in (MEMBERSHIP, DICTIONARY_MEMBERSHIP) if facts.empty else ():
        for row in facts.instance.current(kind):
            if row[1] in facts.empty:
                found.setdefault(row[1], []).append(row)
    for term, rows in found.items():
        yield rows, facts.empty[term]
