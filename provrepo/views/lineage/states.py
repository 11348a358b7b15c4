"""The states of a traversal and their transitions, from the table ``RULES``.

A path upstream follows relations; a leaf ends it; after a specialization it only leads to more general entities, or
from content to its versions; a usage that is timed after the generation through which its activity was reached is not
part of it. The downstream of a thing is everything that the thing is upstream of: the same paths, reversed.

The next edges depend on the path, so a traversal visits *states*: a node with a mode. A state is one integer, in nearly
all cases the number of the node, so a level of a traversal is a set of integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from provrepo.model.statements import DERIVATION, GENERATION, USAGE
from provrepo.views.lineage.rules import BY_RESOLUTION, EDGES, RULES, Follow, Rule

__all__ = [
    "BOUNDED",
    "GENERAL",
    "LEAF",
    "LEVELS",
    "MAIN",
    "NODE",
    "OTHER",
    "REQUESTED",
    "SHIFT",
    "START",
    "YES",
    "Options",
    "Transitions",
    "transitions_for",
]

SHIFT = 40
"""The number of bits of a state for its node; the bits above are its mode."""

NODE = (1 << SHIFT) - 1
"""The node of a state is ``state & NODE``."""

MAIN, LEAF, OTHER, START, BOUNDED = range(5)
"""Modes. ``MAIN``: after an ordinary relation. ``LEAF``: the path ends. ``OTHER``: after a specialization, where that
makes a difference. ``START``: the first node. ``BOUNDED`` and above: as ``MAIN``, for an activity with a time bound."""

GENERAL = tuple(number for number, rule in enumerate(RULES) if rule.follow is Follow.GENERAL)
"""The rules that lead to a general entity."""

REQUESTED = tuple(number for number, rule in enumerate(RULES) if rule.follow is Follow.REQUEST)
"""The rules that are followed on request, in both directions."""

YES = frozenset(number for number, rule in enumerate(EDGES) if rule.follow is Follow.YES)
"""The rules that explain a thing."""

_GENERATION = next(number for number, rule in enumerate(RULES) if rule.kind is GENERATION)
_USAGE = next(number for number, rule in enumerate(RULES) if rule.kind is USAGE)

LEVELS = ("none", "half", "full", "start")
"""The names of the levels of permission at a node, each of which includes the smaller ones: no relation is followed;
those that are followed after a specialization (upstream), or all but specializations (downstream); all but those that
are followed from the start only; all."""

_NOTHING, _HALF, _FULL, _ALL = range(4)
_LEVELS = {True: (_FULL, _NOTHING, _HALF, _ALL), False: (_HALF, _NOTHING, _FULL, _ALL)}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a traversal.

    Attributes:
        upstream: the direction; False for downstream.
        depth: the most relations between the start and a node; None for no limit.
        strict: follow only derivations, and from unknown reads to versions.
        alternates: also follow alternates, in both directions.
        to: keep only nodes on a path to this node.
        relations: the names of the rules that may be followed; None for all.
        stop: types: a node of one of them is found but not expanded; ``prov:Entity``, ``prov:Activity`` and
            ``prov:Agent`` are types too. The start is always expanded.
    """

    upstream: bool = True
    depth: int | None = None
    strict: bool = False
    alternates: bool = False
    to: int | None = None
    relations: frozenset[str] | None = None
    stop: frozenset[str] = frozenset()


class Transitions:
    """The transitions of traversals with the same options.

    *Own* relations are followed in the direction of the traversal; a few are also followed *back*, against it.

    Attributes:
        upstream: the direction.
        opening: the rule whose time bounds the following edges.
        checked: the rule whose time is compared with the bound.
        sign: of times: ``sign * time`` must not exceed the bound.
    """

    def __init__(self, options: Options) -> None:
        self.upstream = options.upstream
        self.opening, self.checked = (_GENERATION, _USAGE) if self.upstream else (_USAGE, _GENERATION)
        self.sign = 1 if self.upstream else -1
        self._options = options
        levels = _LEVELS[self.upstream]
        self._mode = {level: mode for mode, level in enumerate(levels)}
        self._own = [[self._after(self._follow(level, rule), rule) for rule in EDGES] for level in levels]
        self._back = [[self._after(self._return(level, rule), rule) for rule in EDGES] for level in levels]

    @property
    def bounding(self) -> bool:
        """Whether time bounds apply."""
        return self._own[MAIN][self.opening] is not None and self._own[MAIN][self.checked] is not None

    def own(self, state: int, rule: int) -> int | None:
        """The mode after an own relation; None where it is not followed."""
        return self.modes(state)[rule]

    def modes(self, state: int) -> list[int | None]:
        """For each rule the mode after an own relation of a state; None where it is not followed."""
        return self._own[_base(state)]

    def back(self, state: int, rule: int) -> int | None:
        """The mode after a relation that is followed back; the general end of a specialization must be content."""
        return self._back[_base(state)][rule]

    def backs(self, rules: tuple[int, ...]) -> bool:
        """Whether any of some rules can be followed back."""
        return any(self._back[START][rule] is not None for rule in rules)

    def state(self, node: int, level: int) -> int:
        """The state of a node at a level of permission, which is an index in ``LEVELS``."""
        return node | self._mode[level] << SHIFT

    def level(self, state: int) -> int:
        """The level of permission of a state."""
        return _LEVELS[self.upstream][_base(state)]

    def followed(self, level: int) -> tuple[list[int], list[int]]:
        """The rules that may be followed at a level of permission: along the traversal, and back."""
        state, rules = self.state(0, level), range(len(EDGES))
        own = [rule for rule in rules if self.own(state, rule) is not None]
        return own, [rule for rule in rules if self.back(state, rule) is not None]

    def explains(self, state: int) -> bool:
        """Whether a state looks for the causes of its node."""
        return _LEVELS[self.upstream][_base(state)] >= _FULL

    def _after(self, level: int | None, rule: Rule) -> int | None:
        relations = self._options.relations
        if level is None or (relations is not None and rule.name not in relations):
            return None
        return self._mode[level]

    def _follow(self, level: int, rule: Rule) -> int | None:
        follow, main = rule.follow, _FULL if self.upstream else _HALF
        if level == _NOTHING:
            return None
        if self._options.strict:
            return main if rule.kind is DERIVATION or rule.basis == BY_RESOLUTION else None
        if follow is Follow.GENERAL:
            return _HALF if self.upstream else _FULL if level > _HALF else None
        if self.upstream and level == _HALF:
            return None
        if follow is Follow.LEAF:
            # Downstream an agent or plan is followed only from the start.
            return _NOTHING if self.upstream else main if level == _ALL else None
        return main if follow is Follow.YES or (follow is Follow.REQUEST and self._options.alternates) else None

    def _return(self, level: int, rule: Rule) -> int | None:
        if level == _NOTHING or self._options.strict:
            return None
        if rule.follow is Follow.GENERAL:
            return _FULL
        main = _FULL if self.upstream else _HALF
        return main if rule.follow is Follow.REQUEST and self._options.alternates and level >= main else None


@lru_cache(maxsize=256)
def transitions_for(options: Options) -> Transitions:
    """The transitions for some options, cached."""
    return Transitions(options)


def _base(state: int) -> int:
    mode = state >> SHIFT
    return mode if mode < BOUNDED else MAIN
