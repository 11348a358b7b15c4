"""What a walk may do next, by the table of ``lineage_table``.

A path upstream goes along followed relations; a leaf ends it; after a specialization it only goes further up, or from
content to its versions; a use that is timed after the generation by which its activity was reached is no part of it.
What is downstream of a thing is everything that the thing is upstream of: the same paths, read from their end.

What may come next depends on what came before, so a walk visits *states*: a node with what is open from there. A state
is one integer, a node's own number in nearly all cases, so that a level of a walk is a set of integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from provrepo.model.statements import DERIVATION, GENERATION, USAGE
from provrepo.views.lineage.rules import RULES, Follow, Rule

__all__ = [
    "BOUNDED",
    "GENERAL",
    "LEAF",
    "MAIN",
    "NODE",
    "OTHER",
    "REQUESTED",
    "SHIFT",
    "START",
    "YES",
    "Options",
    "Steps",
    "steps_for",
]

SHIFT = 40
"""The bits of a state that are its node's; above them stands its mode."""

NODE = (1 << SHIFT) - 1
"""The node of a state is ``state & NODE``."""

MAIN, LEAF, OTHER, START, BOUNDED = range(5)
"""Modes. ``MAIN``: as after a relation that is followed without more ado. ``OTHER``: after a specialization, as far as
that makes a difference. ``BOUNDED`` and above: as ``MAIN``, of an activity, with a bound of time."""

GENERAL = tuple(number for number, rule in enumerate(RULES) if rule.follow is Follow.GENERAL)
"""The rules that lead to something general."""

REQUESTED = tuple(number for number, rule in enumerate(RULES) if rule.follow is Follow.REQUEST)
"""The rules that are followed on request, both ways."""

YES = frozenset(number for number, rule in enumerate(RULES) if rule.follow is Follow.YES)
"""The rules that say what something came from."""

_GENERATION = next(number for number, rule in enumerate(RULES) if rule.kind is GENERATION)
_USAGE = next(number for number, rule in enumerate(RULES) if rule.kind is USAGE)

# What is open from a node: everything includes what a smaller number allows.
_NOTHING, _HALF, _FULL, _ALL = range(4)
_LEVELS = {True: (_FULL, _NOTHING, _HALF, _ALL), False: (_HALF, _NOTHING, _FULL, _ALL)}


@dataclass(frozen=True, slots=True)
class Options:
    """What a walk does.

    Attributes:
        upstream: or downstream.
        depth: the most relations between the start and a node; None for no limit.
        strict: only along derivations.
        alternates: also along alternates, both ways.
        to: keep only what is on a path to this node.
        relations: the names of the rules that may be followed; None for all.
        stop: types: a thing of one of them is found but not gone beyond; ``prov:Entity``, ``prov:Activity`` and
            ``prov:Agent`` count as types, too. The start is gone beyond in any case.
    """

    upstream: bool = True
    depth: int | None = None
    strict: bool = False
    alternates: bool = False
    to: int | None = None
    relations: frozenset[str] | None = None
    stop: frozenset[str] = frozenset()


class Steps:
    """The steps of one kind of walk.

    *Own* relations are read in the direction of the walk, from their effect or from their cause; a few are also
    followed *back*, against it.

    Attributes:
        upstream: the direction.
        opening: the rule whose time bounds what follows.
        checked: the rule whose time must be within the bound.
        sign: of a time: what is within a bound is not greater than it.
    """

    def __init__(self, options: Options) -> None:
        self.upstream = options.upstream
        self.opening, self.checked = (_GENERATION, _USAGE) if self.upstream else (_USAGE, _GENERATION)
        self.sign = 1 if self.upstream else -1
        self._options = options
        levels = _LEVELS[self.upstream]
        self._mode = {level: mode for mode, level in enumerate(levels)}
        self._own = [[self._after(self._follow(level, rule), rule) for rule in RULES] for level in levels]
        self._back = [[self._after(self._return(level, rule), rule) for rule in RULES] for level in levels]

    @property
    def bounding(self) -> bool:
        """Whether times make a difference."""
        return self._own[MAIN][self.opening] is not None and self._own[MAIN][self.checked] is not None

    def own(self, state: int, rule: int) -> int | None:
        """The mode after a relation of the node of a state; None where it is not followed."""
        mode = state >> SHIFT
        return self._own[mode if mode < BOUNDED else MAIN][rule]

    def back(self, state: int, rule: int) -> int | None:
        """The mode after a relation that is followed back; for a specialization the general end has to be content."""
        return self._back[_base(state)][rule]

    def backs(self, rules: tuple[int, ...]) -> bool:
        """Whether any of some rules is ever followed back."""
        return any(self._back[START][rule] is not None for rule in rules)

    def explains(self, state: int) -> bool:
        """Whether what its node came from is asked for in a state."""
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
            return main if rule.kind is DERIVATION else None
        if follow is Follow.GENERAL:
            return _HALF if self.upstream else _FULL if level > _HALF else None
        if self.upstream and level == _HALF:
            return None
        if follow is Follow.LEAF:
            # Downstream an agent is asked for itself, or not at all.
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
def steps_for(options: Options) -> Steps:
    """The steps of walks with some options."""
    return Steps(options)


def _base(state: int) -> int:
    mode = state >> SHIFT
    return mode if mode < BOUNDED else MAIN
