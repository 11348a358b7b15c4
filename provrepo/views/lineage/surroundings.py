"""Surroundings: what an index says around some things, for a traversal that goes on in another repository.

A traversal across repositories needs every relation of each thing that it reaches, from all repositories, since what is
followed next depends on all of them: on times, types and kinds. So a repository is not asked for its own answer, but
for relations. It also follows them as far as it can, so that there is one request for each change from one repository
to another, and not for each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from provrepo.views.lineage.adjacency import Adjacency
from provrepo.views.lineage.answering import Reader
from provrepo.views.lineage.snapshot import Snapshot, Source, Thing
from provrepo.views.lineage.states import GENERAL, NODE, REQUESTED, Options

__all__ = ["MOST_RELATIONS", "Relation", "Spread", "Surroundings", "around", "spread"]

MOST_RELATIONS = 50_000
"""Relations in one answer, beyond which no further things are followed, and of one thing are left out."""

_PART = 500
"""Things whose relations are followed between two checks of the limits."""

Relation = tuple[str, int, str, int, Source]
"""Subject, the number of the rule, object, time (as in ``views.extraction``), and the graph that asserts it."""


@dataclass(slots=True)
class Surroundings:
    """What an index says around some things.

    Attributes:
        things: the records of things, the nearest first.
        followed: for each of them the level at which all its relations are in ``relations``.
        relations: the relations.
        cut: the things of which some relations were left out, because there are too many.
    """

    things: list[Thing] = field(default_factory=list)
    followed: dict[str, int] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Spread:
    """The nodes that a traversal reaches from several nodes, the nearest first.

    Attributes:
        expanded: the nodes whose relations were followed, with the highest level of permission.
        pending: the nodes that were reached last, with the level at which their relations would be followed next.
        distances: the number of relations from the nearest start, of all of them.
    """

    expanded: dict[int, int] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    distances: dict[int, int] = field(default_factory=dict)

    def levels(self) -> dict[int, int]:
        """The level of permission of each node; 0 where no relation of it is followed."""
        found = dict(self.expanded)
        for node, level in self.pending.items():
            found[node] = max(level, found.get(node, 0))
        return found


def spread(adjacency: Adjacency, starts: Mapping[int, int], *, depth: int | None, most: int | None = None) -> Spread:
    """Traverse from several nodes.

    Args:
        adjacency: the adjacency for the options of the traversal.
        starts: for each node its level of permission.
        depth: the most relations that are followed; None for no limit.
        most: the number of expanded nodes from which no further ones are expanded; None for no limit.
    """
    transitions, found = adjacency.transitions, Spread()
    frontier = [transitions.state(node, level) for node, level in starts.items()]
    seen, steps = set(frontier), 0
    found.distances = dict.fromkeys(starts, 0)
    while frontier and (depth is None or steps < depth):
        steps += 1
        following: list[int] = []
        for place in range(0, len(frontier), _PART):
            part = frontier[place : place + _PART]
            if most is not None and len(found.expanded) >= most:
                # What the parts before have reached is one relation further, and comes later in the order.
                following = frontier[place:] + following
                depth = steps
                break
            stopped = adjacency.stopped(part)
            for state in part:
                node, level = state & NODE, 0 if state in stopped else transitions.level(state)
                found.expanded[node] = max(level, found.expanded.get(node, 0))
            for _, rows in adjacency.expand(set(part)):
                for target in (target for row in rows for target in row):
                    if target not in seen:
                        seen.add(target)
                        following.append(target)
                        found.distances.setdefault(target & NODE, steps)
        frontier = sorted(following) if depth is None or steps < depth else following
    stopped = adjacency.stopped(frontier)
    for state in frontier:
        node, level = state & NODE, 0 if state in stopped else transitions.level(state)
        found.pending[node] = max(level, found.pending.get(node, 0))
    return found


def around(reader: Reader, levels: Mapping[str, int], walk: Options, limit: int) -> Surroundings:
    """The surroundings of some things; see ``provrepo.views.lineage.index.Lineage.surroundings``."""
    snapshot, adjacency = reader.snapshot, reader.adjacency(walk)
    numbers = snapshot.numbers(levels)
    starts = {numbers[iri]: level for iri, level in levels.items() if iri in numbers}
    reached = spread(adjacency, starts, depth=walk.depth, most=limit)
    found, edges = Surroundings(), list[tuple[int, int, int, int, int, int]]()
    followed: dict[int, int] = {}
    # What was asked for is answered also where this index knows that the traversal stops there.
    wanted = {node: max(level, starts.get(node, 0)) for node, level in reached.expanded.items()}
    for nodes, level in _parts(wanted):
        if len(edges) >= MOST_RELATIONS:
            break
        rows, cut = _edges(snapshot, adjacency, nodes, level)
        edges += rows
        followed.update(dict.fromkeys(nodes, level))
        found.cut += snapshot.names(cut).values()
    ordered = [*followed, *(node for node in reached.distances if node not in followed)]
    # Of a thing with very many neighbors not all are described: the others are asked for when they are needed.
    things = snapshot.things(ordered[: len(followed) + max(limit, len(starts))])
    found.things = list(things.values())
    found.followed = {thing.iri: followed.get(node, 0) for node, thing in things.items()}
    names = snapshot.names(sorted({node for edge in edges for node in (edge[0], edge[2])}))
    sources = snapshot.sources(sorted({version for *_, version, _ in edges}))
    found.relations = [
        (names[subject], rule, names[upper], at, sources[version]._replace(bundle=graph))
        for subject, rule, upper, at, version, graph in edges
    ]
    return found


def _parts(levels: Mapping[int, int]) -> Iterator[tuple[list[int], int]]:
    """Nodes in their order, in parts of one level."""
    part: list[int] = []
    former = 0
    for node, level in levels.items():
        if part and (level != former or len(part) >= _PART):
            yield part, former
            part = []
        part.append(node)
        former = level
    if part:
        yield part, former


def _edges(
    snapshot: Snapshot, adjacency: Adjacency, nodes: Sequence[int], level: int
) -> tuple[Iterable[tuple[int, int, int, int, int, int]], list[int]]:
    """The edges that may be followed from some nodes at a level, and the nodes of which there are too many."""
    upstream = adjacency.transitions.upstream
    own, back = adjacency.transitions.followed(level)
    most = MOST_RELATIONS + 1
    found = snapshot.around(nodes, own, into=not upstream, most=most)
    general = [rule for rule in back if rule in GENERAL]
    contents = [node for node in nodes if node & 1] if upstream else nodes
    found += snapshot.around(contents, general, into=upstream, content=True, most=most)
    requested = [rule for rule in back if rule in REQUESTED]
    found += snapshot.around(nodes, requested, into=upstream, most=most)
    if len(found) <= MOST_RELATIONS:
        return dict.fromkeys(found), []
    if len(nodes) == 1:
        return dict.fromkeys(found[:MOST_RELATIONS]), [nodes[0]]
    half = len(nodes) // 2
    first, second = (_edges(snapshot, adjacency, part, level) for part in (nodes[:half], nodes[half:]))
    return [*first[0], *second[0]], first[1] + second[1]
