"""PROV-Dictionary in PROV-O (https://www.w3.org/TR/prov-dictionary/): keys, alone or with their entities.

A key with its entity is a node of class ``prov:KeyEntityPair``, to which no statement of PROV-DM corresponds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product

from provrepo.codecs.provo.terms import COMBINATIONS, TYPE
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Value
from provrepo.model.statements import INSERTION, REMOVAL, Kind
from provrepo.vocab import PROV

__all__ = ["ENTRIES", "PAIR_ENTITY", "PAIR_KEY", "pair_members", "pair_triples"]

PAIR = Identifier(PROV + "KeyEntityPair")
PAIR_KEY = Identifier(PROV + "pairKey")
PAIR_ENTITY = Identifier(PROV + "pairEntity")

ENTRIES: dict[Kind, Identifier] = {
    INSERTION: Identifier(PROV + "insertedKeyEntityPair"),
    REMOVAL: Identifier(PROV + "removedKey"),
}
"""The property of a qualified node that leads to each of its entries."""


def pair_members(
    quads: Iterable[Quad], value: Callable[[Value], Value]
) -> tuple[list[tuple[Value | None, Identifier | None]], list[Quad]]:
    """The keys and entities that a pair joins, and its triples that state something else.

    A pair has one key and one entity; several of one are several members. Several of both are no member, since no
    triple states which belong together.

    Args:
        quads: the triples with the pair as their subject.
        value: reads a key.
    """
    keys: dict[Value | None, Quad] = {}
    entities: dict[Identifier | None, Quad] = {}
    rest: list[Quad] = []
    for quad in quads:
        if quad.predicate == PAIR_KEY:
            keys[value(quad.object)] = quad
        elif quad.predicate == PAIR_ENTITY and isinstance(quad.object, Identifier):
            entities[quad.object] = quad
        elif (quad.predicate, quad.object) != (TYPE, PAIR):
            rest.append(quad)
    found = list(product(keys or [None], entities or [None])) if min(len(keys), len(entities)) <= 1 else []
    if not (keys or entities) or len(found) > COMBINATIONS:
        found = []
    return found, rest if found else [*rest, *keys.values(), *entities.values()]


def pair_triples(key: Value | None, entity: Identifier | None) -> Iterator[tuple[Identifier, Value]]:
    """Property and value of each triple of a pair."""
    yield TYPE, PAIR
    if key is not None:
        yield PAIR_KEY, key
    if entity is not None:
        yield PAIR_ENTITY, entity
