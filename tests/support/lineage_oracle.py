"""A reference implementation of lineage: it follows the published table of relations, one path at a time.

It uses nothing of the index but the table itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provrepo.model.identifiers import is_content
from provrepo.views.lineage.rules import RULES, Follow

FOLLOW = {rule.name: rule.follow for rule in RULES}


@dataclass(frozen=True)
class Fact:
    """A relation that a version asserts; ``time`` is 0 where none is given."""

    subject: str
    rule: str
    object: str
    time: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        return self.subject, self.rule, self.object


State = tuple[str, str, int | None]
"""A node, the kinds of relations that may follow, and the time of the generation by which it was reached."""


@dataclass
class OracleQuery:
    """A query and the data to query: ``facts``, and the ``types`` of each node, with its kinds."""

    facts: frozenset[Fact]
    types: dict[str, set[str]]
    depth: int | None = None
    strict: bool = False
    alternates: bool = False
    relations: frozenset[str] | None = None
    stop: frozenset[str] = frozenset()


@dataclass
class Found:
    """The result of a traversal.

    Attributes:
        distances: the distance of each node.
        keys: the keys of the edges.
        moves: the steps from state to state.
        beyond: the nodes behind the limit of depth.
        visited: the nodes that were expanded, by the kinds of relations that could follow.
    """

    distances: dict[str, int] = field(default_factory=dict)
    keys: set[tuple[str, str, str]] = field(default_factory=set)
    moves: set[tuple[State, Fact, State]] = field(default_factory=set)
    beyond: set[str] = field(default_factory=set)
    visited: dict[str, set[str]] = field(default_factory=lambda: {"any": set(), "general": set(), "nothing": set()})


def steps(query: OracleQuery, state: State) -> Iterator[tuple[Fact, State]]:
    """Every step upstream that the table allows from a state."""
    node, allowed, generated = state
    if allowed == "nothing":
        return
    for fact in query.facts:
        if query.relations is not None and fact.rule not in query.relations:
            continue
        follow = FOLLOW[fact.rule]
        if query.strict:
            if fact.rule == "wasDerivedFrom" and fact.subject == node:
                yield fact, (fact.object, "any", None)
            continue
        if follow is Follow.GENERAL and fact.subject == node:
            yield fact, (fact.object, "general", None)
        if follow is Follow.GENERAL and fact.object == node and is_content(node):
            yield fact, (fact.subject, "any", None)
        if allowed == "general":
            continue
        if follow is Follow.REQUEST and query.alternates and node in (fact.subject, fact.object):
            yield fact, (fact.object if fact.subject == node else fact.subject, "any", None)
        if fact.subject != node:
            continue
        if follow is Follow.LEAF:
            yield fact, (fact.object, "nothing", None)
        late = fact.rule == "used" and fact.time and generated is not None and fact.time > generated
        if follow is Follow.YES and not late:
            made = fact.time if fact.rule == "wasGeneratedBy" and fact.time else None
            yield fact, (fact.object, "any", made)


def stopped(query: OracleQuery, node: str) -> bool:
    return bool(query.types.get(node, set()) & query.stop)


def upstream(query: OracleQuery, start: str, *, first: State | None = None) -> Found:
    """The traversal upstream of a node, or from a state within a path where one is given."""
    found, level = Found(), [first or (start, "any", None)]
    seen, distance = set(level), 0
    found.distances[level[0][0]] = 0
    begun = first is not None
    while level and (query.depth is None or distance < query.depth):
        distance += 1
        following = []
        for state in level:
            # A stop type of the start does not apply at the beginning, but when a path returns to it.
            if stopped(query, state[0]) and (begun or state is not level[0]):
                continue
            found.visited[state[1]].add(state[0])
            for fact, after in steps(query, state):
                found.keys.add(fact.key)
                found.moves.add((state, fact, after))
                if after not in seen:
                    seen.add(after)
                    following.append(after)
                    found.distances.setdefault(after[0], distance)
        level, begun = following, True
    for state in level:
        if begun and stopped(query, state[0]):
            continue
        found.beyond |= {after[0] for _, after in steps(query, state)}
    found.beyond -= found.distances.keys()
    return found


def downstream(query: OracleQuery, start: str) -> tuple[dict[str, int], set[tuple[str, str, str]]]:
    """The distances of the nodes that have the start upstream, and the first edges of all such paths."""
    nodes = {node for fact in query.facts for node in (fact.subject, fact.object)} | {start}
    limit, distances, keys = query.depth, {start: 0}, set()
    unlimited = OracleQuery(**{**vars(query), "depth": None})
    for node in sorted(nodes):
        away = upstream(unlimited, node).distances.get(start)
        if away is not None and (limit is None or away <= limit):
            distances[node] = min(away, distances.get(node, away))
        for fact, after in steps(query, (node, "any", None)):
            if after[0] != start:
                rest = upstream(unlimited, after[0], first=after).distances.get(start)
            else:
                rest = 0
            if rest is not None and (limit is None or rest + 1 <= limit):
                keys.add(fact.key)
    return distances, keys


def roots(query: OracleQuery, start: str, found: Found) -> set[str]:
    """The entities upstream for which, and for whose content, an origin could follow but is not asserted."""
    explained = {fact.subject for state, fact, _ in found.moves if FOLLOW[fact.rule] is Follow.YES}
    causes = {start} | {fact.object for _, fact, _ in found.moves if FOLLOW[fact.rule] is Follow.YES}
    versions: dict[str, set[str]] = {}
    for state, fact, after in found.moves:
        back = state[0] == fact.object and after[0] == fact.subject
        if FOLLOW[fact.rule] is Follow.GENERAL and is_content(fact.object) and back:
            versions.setdefault(fact.object, set()).add(fact.subject)
    result = set()
    visited = found.visited["any"]
    for node in causes & visited:
        general = {fact for _, fact, _ in found.moves if fact.subject == node and FOLLOW[fact.rule] is Follow.GENERAL}
        contents = {fact.object for fact in general if is_content(fact.object)}
        others = set().union(versions.get(node, set()), *(versions.get(content, set()) for content in contents))
        unvisited = (contents - visited - found.visited["general"]) | (others - visited)
        if "prov:Entity" in query.types.get(node, set()) and not unvisited and not explained & (others | {node}):
            result.add(node)
    return result
