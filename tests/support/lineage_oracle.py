"""What lineage has to find, worked out from the published table one path at a time over a set of statements.

Nothing of the index is used but the table itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provrepo.views.lineage.rules import RULES, Follow, is_content

FOLLOW = {rule.name: rule.follow for rule in RULES}


@dataclass(frozen=True)
class Fact:
    """A relation as some version says it; ``time`` is 0 where none is given."""

    subject: str
    rule: str
    object: str
    time: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        return self.subject, self.rule, self.object


State = tuple[str, str, int | None]
"""A node, what may follow from there, and the time of the generation by which it was reached."""


@dataclass
class Question:
    """What is asked, over what: ``types`` are those of each node, kinds included."""

    facts: frozenset[Fact]
    types: dict[str, set[str]]
    depth: int | None = None
    strict: bool = False
    alternates: bool = False
    relations: frozenset[str] | None = None
    stop: frozenset[str] = frozenset()


@dataclass
class Found:
    """``distances`` of nodes, ``keys`` of the edges walked, the ``moves``, what is ``beyond``, who was ``asked``."""

    distances: dict[str, int] = field(default_factory=dict)
    keys: set[tuple[str, str, str]] = field(default_factory=set)
    moves: set[tuple[State, Fact, State]] = field(default_factory=set)
    beyond: set[str] = field(default_factory=set)
    asked: dict[str, set[str]] = field(default_factory=lambda: {"any": set(), "general": set(), "nothing": set()})


def steps(question: Question, state: State) -> Iterator[tuple[Fact, State]]:
    """Every step upstream that the table allows from a state."""
    node, allowed, generated = state
    if allowed == "nothing":
        return
    for fact in question.facts:
        if question.relations is not None and fact.rule not in question.relations:
            continue
        follow = FOLLOW[fact.rule]
        if question.strict:
            if fact.rule == "wasDerivedFrom" and fact.subject == node:
                yield fact, (fact.object, "any", None)
            continue
        if follow is Follow.GENERAL and fact.subject == node:
            yield fact, (fact.object, "general", None)
        if follow is Follow.GENERAL and fact.object == node and is_content(node):
            yield fact, (fact.subject, "any", None)
        if allowed == "general":
            continue
        if follow is Follow.REQUEST and question.alternates and node in (fact.subject, fact.object):
            yield fact, (fact.object if fact.subject == node else fact.subject, "any", None)
        if fact.subject != node:
            continue
        if follow is Follow.LEAF:
            yield fact, (fact.object, "nothing", None)
        late = fact.rule == "used" and fact.time and generated is not None and fact.time > generated
        if follow is Follow.YES and not late:
            made = fact.time if fact.rule == "wasGeneratedBy" and fact.time else None
            yield fact, (fact.object, "any", made)


def stopped(question: Question, node: str) -> bool:
    return bool(question.types.get(node, set()) & question.stop)


def upstream(question: Question, start: str, *, first: State | None = None) -> Found:
    """Everything upstream; from a state in the middle of a path where one is given."""
    found, level = Found(), [first or (start, "any", None)]
    seen, distance = set(level), 0
    found.distances[level[0][0]] = 0
    begun = first is not None
    while level and (question.depth is None or distance < question.depth):
        distance += 1
        following = []
        for state in level:
            # The start is gone beyond in any case, when the walk starts there and not when it comes back.
            if stopped(question, state[0]) and (begun or state is not level[0]):
                continue
            found.asked[state[1]].add(state[0])
            for fact, after in steps(question, state):
                found.keys.add(fact.key)
                found.moves.add((state, fact, after))
                if after not in seen:
                    seen.add(after)
                    following.append(after)
                    found.distances.setdefault(after[0], distance)
        level, begun = following, True
    for state in level:
        if begun and stopped(question, state[0]):
            continue
        found.beyond |= {after[0] for _, after in steps(question, state)}
    found.beyond -= found.distances.keys()
    return found


def downstream(question: Question, start: str) -> tuple[dict[str, int], set[tuple[str, str, str]]]:
    """Everything that has the start upstream, with distances; and the first edge of every such path."""
    nodes = {node for fact in question.facts for node in (fact.subject, fact.object)} | {start}
    limit, distances, keys = question.depth, {start: 0}, set()
    unlimited = Question(**{**vars(question), "depth": None})
    for node in sorted(nodes):
        away = upstream(unlimited, node).distances.get(start)
        if away is not None and (limit is None or away <= limit):
            distances[node] = min(away, distances.get(node, away))
        for fact, after in steps(question, (node, "any", None)):
            if after[0] != start:
                rest = upstream(unlimited, after[0], first=after).distances.get(start)
            else:
                rest = 0
            if rest is not None and (limit is None or rest + 1 <= limit):
                keys.add(fact.key)
    return distances, keys


def roots(question: Question, start: str, found: Found) -> set[str]:
    """Entities that something came from, and of which, as of their bytes, it was asked and not said whence."""
    explained = {fact.subject for state, fact, _ in found.moves if FOLLOW[fact.rule] is Follow.YES}
    causes = {start} | {fact.object for _, fact, _ in found.moves if FOLLOW[fact.rule] is Follow.YES}
    versions: dict[str, set[str]] = {}
    for state, fact, after in found.moves:
        back = state[0] == fact.object and after[0] == fact.subject
        if FOLLOW[fact.rule] is Follow.GENERAL and is_content(fact.object) and back:
            versions.setdefault(fact.object, set()).add(fact.subject)
    result = set()
    asked = found.asked["any"]
    for node in causes & asked:
        general = {fact for _, fact, _ in found.moves if fact.subject == node and FOLLOW[fact.rule] is Follow.GENERAL}
        contents = {fact.object for fact in general if is_content(fact.object)}
        others = set().union(versions.get(node, set()), *(versions.get(content, set()) for content in contents))
        unasked = (contents - asked - found.asked["general"]) | (others - asked)
        if "prov:Entity" in question.types.get(node, set()) and not unasked and not explained & (others | {node}):
            result.add(node)
    return result
