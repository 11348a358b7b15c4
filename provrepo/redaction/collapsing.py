"""Collapsing a group of activities, with everything between them, so that no dependency is lost and none is invented.

One activity for the whole group would say that all that the group made depends on all that it used, which the
document does not say. So there is one activity for each set of causes that something outside of the group has through
it. A usage and a generation do not entail a derivation (PROV-CONSTRAINTS, section 5), so a derivation is stated only
where there was a path of derivations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from provrepo.importers.moments import Moment
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
    COMMUNICATION,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    GENERATION,
    INFLUENCE,
    INSERTION,
    MEMBERSHIP,
    REMOVAL,
    START,
    USAGE,
    Kind,
    Statement,
)

__all__ = ["Collapsed", "collapsed"]

_UPSTREAM = {
    GENERATION: (1,),
    USAGE: (1,),
    COMMUNICATION: (1,),
    START: (1, 2),
    DERIVATION: (1,),
    INFLUENCE: (1,),
    MEMBERSHIP: (1,),
    INSERTION: (1,),
    REMOVAL: (1,),
    DICTIONARY_MEMBERSHIP: (1,),
}
"""Relation → its arguments that are causes of the first one (``docs/reference/lineage.md``)."""

_DERIVATIONS = (DERIVATION, INSERTION, REMOVAL)


class _Edge(NamedTuple):
    """A dependency: what it leads to, by which relation and argument, and its time."""

    cause: Identifier
    kind: Kind
    place: int
    time: str | None


class _Cause(NamedTuple):
    """A cause outside of the group.

    Attributes:
        name: it.
        kind: the relation by which the collapsed activity has it.
    """

    name: Identifier
    kind: Kind


@dataclass
class _Reach:
    """What is reached from an edge into the group, through the group.

    Attributes:
        causes: by which relation, outside of the group.
        derived: entities outside that are reached by derivations alone.
        activities: of the group.
    """

    causes: set[_Cause] = field(default_factory=set)
    derived: set[Identifier] = field(default_factory=set)
    activities: set[Identifier] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Collapsed:
    """The result.

    Attributes:
        hidden: the elements that are withheld: the activities of the group, and the entities that only they have to do
            with.
        activities: those that stand for the group.
        statements: the statements that stand for it.
        closed: activities that are in the group since they are between its members.
    """

    hidden: frozenset[Identifier]
    activities: frozenset[Identifier]
    statements: tuple[Statement, ...]
    closed: frozenset[Identifier]


def collapsed(statements: Sequence[Statement], members: Iterable[str], new_name: Callable[[], Identifier]) -> Collapsed:
    """Collapse activities.

    Args:
        statements: all of a document.
        members: the activities.
        new_name: makes the name of an activity that stands for the group.
    """
    group = _Group(statements, {Identifier(name) for name in members})
    return group.collapsed(new_name)


class _Group:
    def __init__(self, statements: Sequence[Statement], members: set[Identifier]) -> None:
        self._statements = statements
        self._edges: dict[Identifier, list[_Edge]] = defaultdict(list)
        backwards: dict[Identifier, set[Identifier]] = defaultdict(set)
        for one in statements:
            for place in _UPSTREAM.get(one.kind, ()):
                effect, cause = one.args[0], one.args[place]
                if isinstance(effect, Identifier) and isinstance(cause, Identifier):
                    time = next((t for a, t in zip(one.kind.arguments, one.args, strict=True) if a.time), None)
                    self._edges[effect].append(_Edge(cause, one.kind, place, time))
                    backwards[cause].add(effect)
        agents = {one.id for one in statements if one.kind is AGENT}
        causes = _reached(members, lambda name: [edge.cause for edge in self._edges.get(name, ())])
        effects = _reached(members, lambda name: backwards.get(name, ()))
        between = (causes & effects) - agents
        self._activities = members | {one.id for one in statements if one.kind is ACTIVITY and one.id in between}
        self._members = members
        self.hidden = frozenset(self._activities | self._internal(between - self._activities, agents))

    def _internal(self, entities: set[Identifier], agents: set[Identifier | None]) -> set[Identifier]:
        """The entities between the members that have to do with elements of the group and agents alone.

        Derivations from and to others do not count: they are stated again between what stays.
        """
        within = entities | self._activities | agents
        hidden: set[Identifier | None] = set(entities)
        opened = True
        while opened:
            opened = False
            for one in self._statements:
                if one.kind.element or one.kind in _DERIVATIONS:
                    continue
                named = {arg for arg, _ in _names(one)} | {entry.entity for entry in one.entries if entry.entity}
                # Other relations than dependencies are not stated again, so that both their ends stay, or neither.
                allowed = within if one.kind in _UPSTREAM else hidden | self._activities | agents
                if named & hidden and not named <= allowed:
                    hidden -= named
                    opened = True
        return entities & hidden

    def collapsed(self, new_name: Callable[[], Identifier]) -> Collapsed:
        made: dict[tuple[frozenset[_Cause], frozenset[Identifier]], Identifier] = {}
        added: dict[Statement, None] = {}
        covered: set[Identifier] = set()

        def activity(reach: _Reach) -> Identifier:
            agents = frozenset(agent for name in reach.activities for agent in self._agents(name))
            key = frozenset(reach.causes), agents
            covered.update(reach.activities)
            if key not in made:
                made[key] = name = new_name()
                for cause in sorted(reach.causes, key=lambda each: (each.name, each.kind.name)):
                    added[_relation(cause.kind, name, cause.name)] = None
                for agent in sorted(agents):
                    added[_relation(ASSOCIATION, name, agent)] = None
            return made[key]

        for effect in sorted(self._edges.keys() - self.hidden):
            reached: dict[Kind, _Reach] = defaultdict(_Reach)
            for edge in self._edges[effect]:
                if edge.cause in self.hidden:
                    self._reach(edge, reached[_as_effect(edge)])
            for link, reach in reached.items():
                for cause in sorted(reach.derived - {effect}):
                    added[_relation(DERIVATION, effect, cause)] = None
                if link is not DERIVATION:
                    added[_relation(link, effect, activity(reach))] = None
                elif {cause.name for cause in reach.causes} - reach.derived:
                    added[_relation(INFLUENCE, effect, activity(reach))] = None
        rest = _Reach()
        for name in sorted(self._activities - covered):
            self._reach(_Edge(name, COMMUNICATION, 1, None), rest)
        if rest.activities and (rest.causes or not made):
            activity(rest)
        return Collapsed(
            self.hidden, frozenset(made.values()), tuple(added), frozenset(self._activities - self._members)
        )

    def _agents(self, activity: Identifier) -> list[Identifier]:
        return [
            one.args[1]
            for one in self._statements
            if one.kind is ASSOCIATION and one.args[0] == activity and isinstance(one.args[1], Identifier)
        ]

    def _reach(self, into: _Edge, found: _Reach) -> None:
        """Add what an edge into the group reaches through it. A use after the generation explains nothing of it."""
        bound = into.time if into.kind is GENERATION else None
        state = into.cause, bound, into.kind in _DERIVATIONS
        seen, waiting = {state}, [state]
        while waiting:
            name, bound, derived = waiting.pop()
            if name in self._activities:
                found.activities.add(name)
            for edge in self._edges.get(name, ()):
                if edge.kind is USAGE and _later(edge.time, bound):
                    continue
                only = derived and edge.kind in _DERIVATIONS
                if edge.cause in self.hidden:
                    state = edge.cause, edge.time if edge.kind is GENERATION else None, only
                    if state not in seen:
                        seen.add(state)
                        waiting.append(state)
                    continue
                if only:
                    found.derived.add(edge.cause)
                found.causes.add(_Cause(edge.cause, _as_cause(edge)))


def _as_effect(edge: _Edge) -> Kind:
    """How something outside of the group depends on the activity that stands for it."""
    if edge.kind in _DERIVATIONS:
        return DERIVATION
    if edge.kind is START and edge.place == 2:
        return COMMUNICATION
    return edge.kind if edge.kind in (GENERATION, COMMUNICATION) else INFLUENCE


def _as_cause(edge: _Edge) -> Kind:
    """How the activity that stands for the group has a cause: only usage and communication say the same of it."""
    return edge.kind if edge.kind in (USAGE, COMMUNICATION) else INFLUENCE


def _relation(kind: Kind, first: Identifier, second: Identifier) -> Statement:
    return Statement(kind, None, (first, second, *(None for _ in kind.arguments[2:])))


def _names(one: Statement) -> list[tuple[Identifier, bool]]:
    """The identifiers among the arguments of a relation, and whether each is mandatory."""
    pairs = zip(one.kind.arguments, one.args, strict=True)
    return [(term, argument.required) for argument, term in pairs if isinstance(term, Identifier) and not argument.time]


def _reached(start: Iterable[Identifier], following: Callable[[Identifier], Iterable[Identifier]]) -> set[Identifier]:
    seen, waiting = set(start), list(start)
    while waiting:
        for name in following(waiting.pop()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def _later(time: str | None, bound: str | None) -> bool:
    """Whether a time is after another one; False where they cannot be compared, as without a zone."""
    moments = [Moment.parse(each) if each is not None else None for each in (time, bound)]
    first, second = moments
    if first is None or second is None or not first.zoned or not second.zoned:
        return False
    return (first.instant, first.fraction) > (second.instant, second.fraction)
