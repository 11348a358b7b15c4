"""Folding: activities of one sort, with what they alone generated, become one activity and one product, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from provrepo.drawing.overview.records import GENERATED, Overview, Relation, Responsible, Thing

__all__ = ["BY", "MOST_OPENED", "folded"]

MOST_OPENED = 30
"""The things of a group that are shown one by one each time it is opened; the others stay folded."""

_LEAST_ROOTS = 4
"""More things of a type that no activity generated are folded."""

BY: dict[str, Callable[[Thing], tuple[str, str]]] = {
    "type": lambda thing: (thing.type_id, thing.type or thing.kind),
    "plan": lambda thing: (thing.plan, _last(thing.plan) or f"{thing.kind} without a plan"),
    "project": lambda thing: (thing.project, f"{thing.kind} in {thing.project or 'no project'}"),
    "kind": lambda thing: ("", thing.kind),
}
"""What activities are grouped by, with the key of a group and its name."""


def _last(iri: str) -> str:
    return iri.rstrip("/#").replace("#", "/").rpartition("/")[2]


@dataclass(slots=True)
class _Folding:
    """Groups that replace things.

    Attributes:
        home: the identifier of the group of each folded thing.
        groups: the things that stand for groups, by identifier.
    """

    home: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Thing] = field(default_factory=dict)

    def fold(self, key: str, name: str, members: Sequence[Thing], opened: Sequence[str]) -> None:
        """Replace things by one. Of an opened group the nearest stay; so does a thing that is alone.

        Args:
            key: of the group.
            name: what its things are, for people.
            members: the things, the nearest first.
            opened: the keys of groups to open, once for each time.
        """
        rest = members[MOST_OPENED * opened.count(key) :]
        if len(rest) < 2:
            return
        first = rest[0]
        self.groups[key] = Thing(
            key,
            first.kind,
            f"{len(rest):,}{' more' if key in opened else '×'} {name}",
            type=first.type if len({thing.type_id for thing in rest}) == 1 else "",
            type_id=first.type_id if len({thing.type_id for thing in rest}) == 1 else "",
            agents=_together(rest),
            distance=min(thing.distance for thing in rest),
            count=len(rest),
            group=key,
        )
        self.home.update((thing.id, key) for thing in rest)


def _together(things: Iterable[Thing]) -> tuple[Responsible, ...]:
    """The agents of several things, the most frequent first, with the sums of their statements."""
    labels: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for thing in things:
        for agent in thing.agents:
            labels[agent.id] = agent.label
            counts[agent.id] += agent.count
    return tuple(Responsible(id_, labels[id_], count) for id_, count in counts.most_common())


def folded(whole: Overview, by: str, opened: Sequence[str] = ()) -> Overview:
    """Fold what is alike. The start stays as it is; each statement is counted once.

    Args:
        whole: what to fold.
        by: one of ``BY``.
        opened: keys of groups whose things are shown one by one, once for each time that a group was opened.
    """
    folding = _Folding()
    group_of = BY[by]
    activities: dict[str, list[Thing]] = {}
    for thing in whole.things:
        if thing.kind == "activity" and thing.id != whole.start:
            activities.setdefault(group_of(thing)[0], []).append(thing)
    for id_, members in activities.items():
        folding.fold(f"activity:{id_}", group_of(members[0])[1], members, opened)
    _products(folding, whole, group_of, opened)
    return _replaced(whole, folding)


def _products(
    folding: _Folding, whole: Overview, group_of: Callable[[Thing], tuple[str, str]], opened: Sequence[str]
) -> None:
    """Fold the entities that folded activities generated, and those that none of the things generated."""
    makers: dict[str, set[str]] = {}
    for relation in whole.relations:
        if relation.name == GENERATED:
            makers.setdefault(relation.subject, set()).add(folding.home.get(relation.object, relation.object))
    products: dict[str, list[Thing]] = {}
    others: dict[str, list[Thing]] = {}
    for thing in whole.things:
        if thing.kind == "activity" or thing.id == whole.start:
            continue
        made = makers.get(thing.id, set())
        if len(made) == 1 and (maker := next(iter(made))) in folding.groups:
            products.setdefault(f"{maker}>{thing.type_id}", []).append(thing)
        elif len(made) != 1:
            others.setdefault(f"{thing.kind}:{group_of(thing)[0]}", []).append(thing)
    for key, members in products.items():
        # A group is opened with its products.
        folding.fold(key, members[0].type or members[0].kind, members, ())
    for key, members in others.items():
        if len(members) > _LEAST_ROOTS:
            folding.fold(key, group_of(members[0])[1], members, opened)


def _replaced(whole: Overview, folding: _Folding) -> Overview:
    things: dict[str, Thing] = {}
    for thing in whole.things:
        home = folding.home.get(thing.id)
        things.setdefault(home or thing.id, folding.groups[home] if home else thing)
    counts: Counter[tuple[str, str, str, bool]] = Counter()
    for relation in whole.relations:
        ends = (
            folding.home.get(relation.subject, relation.subject),
            folding.home.get(relation.object, relation.object),
        )
        counts[ends[0], relation.name, ends[1], relation.resolved] += relation.count
    relations = tuple(
        Relation(subject, name, object_, count, resolved)
        for (subject, name, object_, resolved), count in counts.items()
    )
    return replace(whole, things=tuple(things.values()), relations=relations)
