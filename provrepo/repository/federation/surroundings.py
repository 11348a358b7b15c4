"""The verb ``surroundings``: the relations around some things, which a repository tells its peers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.limits import SURROUNDING_THINGS
from provrepo.repository.context import Context
from provrepo.repository.federation.records import LineageSurroundings, StatedRelation, SurroundingThing
from provrepo.repository.lineage.answers import Records
from provrepo.repository.lineage.query import TraversalQuery
from provrepo.repository.options import required_iri

if TYPE_CHECKING:
    from provrepo.views.lineage.snapshot import Source

__all__ = ["DIRECTIONS", "MOST_ASKED", "surroundings"]

DIRECTIONS = ("upstream", "downstream")

MOST_ASKED = 1_000
"""The most things of one question."""


def surroundings(
    context: Context,
    *,
    start: Sequence[str] = (),
    full: Sequence[str] = (),
    half: Sequence[str] = (),
    none: Sequence[str] = (),
    direction: str = "upstream",
    depth: int | None = None,
    relations: Sequence[str] = (),
    stop: Sequence[str] = (),
    strict: bool = False,
    alternates: bool = False,
    limit: int = SURROUNDING_THINGS,
    timeout: float | None = None,
) -> LineageSurroundings:
    """The relations around some things and those that are reached from them, for a lineage across repositories.

    Which relations of a thing a traversal follows depends on how it came there. So the things are given by the level of
    permission; ``docs/reference/lineage.md`` describes the levels.

    Args:
        start: the things where the traversal begins: all relations of its direction are followed.
        full: things that were reached by an ordinary relation; downstream, by a specialization.
        half: things that were reached by a specialization; downstream, by an ordinary relation.
        none: things that are only described, such as agents.
        direction: ``upstream`` or ``downstream``.
        depth: the most relations from these things; None for no limit.
        relations: as for ``lineage``.
        stop: as for ``lineage``.
        strict: as for ``lineage``.
        alternates: as for ``lineage``.
        limit: the number of things after which no further relations are followed.
        timeout: as for ``lineage``.

    Raises:
        UsageError: no things, too many of them, not an IRI, or an invalid option.
        TimedOut: it took too long.
        Busy: another process holds the views.
    """
    from provrepo.views.extraction import UNTIMED
    from provrepo.views.lineage.index import Lineage
    from provrepo.views.lineage.rules import EDGES
    from provrepo.views.lineage.states import LEVELS

    levels: dict[str, int] = {}
    for level, iris in enumerate((none, half, full, start)):
        for iri in iris:
            required_iri(iri)
            levels[iri] = max(level, levels.get(iri, 0))
    if not 1 <= len(levels) <= MOST_ASKED:
        raise UsageError(f"name 1 to {MOST_ASKED:,} things, not {len(levels):,}")
    if direction not in DIRECTIONS:
        raise UsageError(f"{direction[:100]!r} is not a direction; use one of {', '.join(DIRECTIONS)}")
    if not 1 <= limit <= SURROUNDING_THINGS:
        raise UsageError(f"limit is a number from 1 to {SURROUNDING_THINGS:,}, not {limit}")
    query = TraversalQuery(depth=depth, relations=relations, stop=stop, strict=strict, alternates=alternates)
    (walk,) = query.traversals(direction)
    seconds = None if context.actor.owner and timeout is None else context.seconds(timeout)
    deadline = None if seconds is None else time.monotonic() + seconds
    found = context.store.view(Lineage).surroundings(
        levels, context.readable_projects(), walk, limit=limit, deadline=deadline
    )
    records = Records(context.store.minter())
    numbers: dict[Source, int] = {}
    stated = tuple(
        StatedRelation(
            subject,
            EDGES[rule].name,
            upper,
            None if at == UNTIMED else at - (at > 0),
            numbers.setdefault(source, len(numbers)),
        )
        for subject, rule, upper, at, source in found.relations
    )
    things = tuple(SurroundingThing(records.node(each), LEVELS[found.followed[each.iri]]) for each in found.things)
    return LineageSurroundings(
        direction,
        things,
        stated,
        tuple(records.reference(source) for source in numbers),
        tuple(found.cut),
        context.store.ledger.identity().id,
    )
