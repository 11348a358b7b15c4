"""Regular expression matching in time proportional to the text.

Python's engine backtracks over the ways in which an expression can divide a text, of which there may be exponentially
many. Here a nondeterministic finite automaton is simulated (Thompson's construction): one step for each character, on a
set of states that is no larger than the expression. State sets are cached, so that most steps are one look-up.

Python's parser defines the meaning of an expression, with two differences that XPath and SHACL require: the result is
only whether there is a match, and ``$`` without the flag ``m`` is the end of the text, not also before a final line
feed (XPath and XQuery Functions and Operators 3.1, section 5.6.1). Lookaheads are matched first, from the end of the
text, and lookbehinds from its beginning; each then is a condition on a position. Backreferences cannot be matched in
this way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["CATEGORIES", "MOST_STATES", "Matcher", "Unmatchable", "matcher", "python_flags", "spelling"]

MOST_STATES = 4_000
"""The most states of an automaton; bounded repetitions are expanded."""

_MOST_SETS = 2_000
"""The most state sets in the cache, and the most characters cached for each; a full cache is cleared."""

# The standard library's parser. It is private, and so are the names of its nodes.
_PARSER: Any = import_module("re._parser")
_MAXREPEAT: int = int(_PARSER.MAXREPEAT)

CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
"""Character classes by the parser's names."""

_UNSUPPORTED = {
    "GROUPREF": "it has a backreference",
    "GROUPREF_EXISTS": "it depends on whether a group matched",
    "ATOMIC_GROUP": "it has an atomic group",
    "POSSESSIVE_REPEAT": "it has a possessive repetition",
}


class Unmatchable(ValueError):
    """An expression that the automaton does not support; the message is a clause with the expression as ``it``."""


class _Context(NamedTuple):
    """The properties of a position in a text on which an expression can depend."""

    first: bool
    last: bool
    after_line: bool = False
    before_line: bool = False
    boundary: bool = False
    lookarounds: tuple[bool, ...] = ()


_Condition = Callable[[_Context], bool]
_Test = Callable[[str], bool]


class _StateSet:
    """A set of states, closed under transitions without a character."""

    __slots__ = ("accepts", "accepts_after", "following", "moves", "successors")

    def __init__(self, accepts: bool, moves: list[tuple[_Test, int]]) -> None:
        self.accepts = accepts
        self.moves = moves
        self.successors: dict[str, frozenset[int]] = {}
        # Where a position has no context but the two ends of the text: the set after a character that is not the
        # last one, and whether the set after the last character accepts.
        self.following: dict[str, _StateSet] = {}
        self.accepts_after: dict[str, bool] = {}


class Matcher:
    """A compiled expression."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        """Compile an expression.

        Args:
            pattern: in Python's syntax.
            flags: of the module ``re``: ``I``, ``M``, ``S`` and ``X``.

        Raises:
            Unmatchable: it is not well-formed, has an unsupported part, or is too large.
        """
        try:
            parsed = _PARSER.parse(pattern, flags)
            flags = int(parsed.state.flags)
            self._automaton = _Automaton(parsed, flags)
            # Lookarounds are expensive. Few texts match what is left of an expression without them.
            self._relaxed = _Automaton(parsed, flags, relaxed=True) if self._automaton.uses_context else None
        except (re.error, OverflowError) as error:
            raise Unmatchable(f"it cannot be understood: {error}") from error
        except RecursionError as error:
            raise Unmatchable("it is nested too deep") from error

    def search(self, text: str) -> bool:
        """Whether the expression matches somewhere in a text."""
        if self._relaxed is not None and not any(self._relaxed.accepted(text)):
            return False
        return any(self._automaton.accepted(text))


class _Automaton:
    """A nondeterministic finite automaton for an expression, or for one of its lookarounds."""

    def __init__(
        self, nodes: Iterable[tuple[Any, Any]], flags: int, *, backwards: bool = False, relaxed: bool = False
    ) -> None:
        """Compile an expression.

        Args:
            nodes: its parsed nodes.
            flags: that apply to it.
            backwards: whether texts are read from their end, as lookaheads are.
            relaxed: leave out all conditions but those on the two ends of the text, so that more texts match.
        """
        self.uses_context = False
        nodes = list(nodes)
        self._backwards = backwards
        self._relaxed = relaxed
        # Whether a match begins at the beginning of the text.
        self._anchored = not backwards and _is_anchored(nodes, flags)
        self._epsilons: list[list[tuple[_Condition | None, int]]] = []
        self._moves: list[tuple[_Test, int] | None] = []
        self._lookarounds: list[_Automaton] = []
        self._tests: dict[tuple[str, int], _Test] = {}
        self._state_sets: dict[tuple[frozenset[int], _Context], _StateSet] = {}
        self._start = self._state()
        self._start_set = frozenset((self._start,))
        self._end = self._sequence(nodes, flags, self._start)

    # Compiling --------------------------------------------------------------------------------------------------

    def _state(self) -> int:
        if len(self._epsilons) >= MOST_STATES:
            raise Unmatchable(f"it has more than {MOST_STATES:,} states")
        self._epsilons.append([])
        self._moves.append(None)
        return len(self._epsilons) - 1

    def _link(self, source: int, target: int, condition: _Condition | None = None) -> None:
        self._epsilons[source].append((condition, target))

    def _sequence(self, nodes: Iterable[tuple[Any, Any]], flags: int, start: int) -> int:
        for name, argument in reversed(list(nodes)) if self._backwards else nodes:
            start = self._node(str(name), argument, flags, start)
        return start

    def _node(self, kind: str, argument: Any, flags: int, start: int) -> int:
        """Add the states of one node after a state; return the last of them."""
        if kind in _UNSUPPORTED:
            raise Unmatchable(_UNSUPPORTED[kind])
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(int(argument[0]), int(argument[1]), argument[2], flags, start)
        if kind == "SUBPATTERN":
            _, added, removed, inner = argument
            return self._sequence(inner, (flags | added) & ~removed, start)
        end = None
        if kind == "BRANCH":
            end = self._state()
            for branch in argument[1]:
                first = self._state()
                self._link(start, first)
                self._link(self._sequence(branch, flags, first), end)
        elif kind == "AT":
            end = self._state()
            self._link(start, end, self._condition(str(argument), flags))
        elif kind in ("ASSERT", "ASSERT_NOT"):
            end = self._state()
            ahead, wanted = argument[0] > 0, kind == "ASSERT"
            self._link(start, end, self._lookaround(argument[1], flags, ahead=ahead, wanted=wanted))
        else:
            end = self._state()
            self._moves[start] = (self._test(spelling(kind, argument), flags), end)
        return end

    def _repeat(self, least: int, most: int, body: Any, flags: int, start: int) -> int:
        if least > MOST_STATES or (most != _MAXREPEAT and most > MOST_STATES):
            raise Unmatchable(f"it has more than {MOST_STATES:,} states")
        for _ in range(least):
            start = self._copy(body, flags, start)
        if most == _MAXREPEAT:
            loop, end = self._state(), self._state()
            self._link(start, loop)
            self._link(self._copy(body, flags, loop), loop)
            self._link(loop, end)
            return end
        end = self._state()
        self._link(start, end)
        for _ in range(most - least):
            start = self._copy(body, flags, start)
            self._link(start, end)
        return end

    def _copy(self, body: Any, flags: int, start: int) -> int:
        """Add a copy of the body after a new state, since a state has at most one transition with a character."""
        first = self._state()
        self._link(start, first)
        return self._sequence(body, flags, first)

    def _lookaround(self, body: Any, flags: int, *, ahead: bool, wanted: bool) -> _Condition | None:
        if self._relaxed:
            return None
        self.uses_context = True
        number = len(self._lookarounds)
        self._lookarounds.append(_Automaton(body, flags, backwards=ahead))
        return lambda context: context.lookarounds[number] is wanted

    def _condition(self, name: str, flags: int) -> _Condition | None:
        lines = bool(flags & re.MULTILINE)
        if self._relaxed and (lines or name in ("AT_BOUNDARY", "AT_NON_BOUNDARY")):
            return None
        if name in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            self.uses_context = True
            wanted = name == "AT_BOUNDARY"
            return lambda context: context.boundary is wanted
        if name == "AT_BEGINNING" and lines:
            self.uses_context = True
            return lambda context: context.first or context.after_line
        if name == "AT_END" and lines:
            self.uses_context = True
            return lambda context: context.last or context.before_line
        if name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return lambda context: context.first
        return lambda context: context.last

    def _test(self, spelled: str, flags: int) -> _Test:
        wanted = flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
        test = self._tests.get((spelled, wanted))
        if test is None:
            match = re.compile(spelled, wanted).fullmatch
            test = self._tests[spelled, wanted] = lambda character: match(character) is not None
        return test

    # Matching ---------------------------------------------------------------------------------------------------

    def accepted(self, text: str) -> Iterator[bool]:
        """For each position in reading order, whether a match ends there that began there or at an earlier one.

        The positions that are left out at the end are those where no match ends.
        """
        return self._accepted_in_context(text) if self.uses_context else self._accepted(text)

    def _accepted(self, text: str) -> Iterator[bool]:
        """``accepted`` for expressions of which no part depends on the characters around it."""
        backwards = self._backwards
        if not text:
            yield self._close(self._start_set, _CONTEXTS[True, True]).accepts
            return
        closed = self._close(self._start_set, _CONTEXTS[not backwards, backwards])
        yield closed.accepts
        for character in reversed(text[1:]) if backwards else text[:-1]:
            if not closed.moves and self._anchored:
                return
            following = closed.following.get(character)
            if following is None:
                following = self._close(self._successor(closed, character), _CONTEXTS[False, False])
                if len(closed.following) >= _MOST_SETS:
                    closed.following.clear()
                closed.following[character] = following
            closed = following
            yield closed.accepts
        last = text[0] if backwards else text[-1]
        accepts = closed.accepts_after.get(last)
        if accepts is None:
            accepts = self._close(self._successor(closed, last), _CONTEXTS[backwards, not backwards]).accepts
            if len(closed.accepts_after) >= _MOST_SETS:
                closed.accepts_after.clear()
            closed.accepts_after[last] = accepts
        yield accepts

    def _accepted_in_context(self, text: str) -> Iterator[bool]:
        """``accepted`` for all expressions."""
        current = self._start_set
        size = len(text)
        lookarounds = [automaton.by_position(text) for automaton in self._lookarounds]
        for position in range(size, -1, -1) if self._backwards else range(size + 1):
            closed = self._close(current, self._context(text, position, size, lookarounds))
            yield closed.accepts
            following = position - 1 if self._backwards else position
            if not 0 <= following < size or (self._anchored and not closed.moves):
                return
            current = self._successor(closed, text[following])

    def _successor(self, closed: _StateSet, character: str) -> frozenset[int]:
        """The states after a character, with that of a match that begins there."""
        successor = closed.successors.get(character)
        if successor is None:
            reached = frozenset(target for test, target in closed.moves if test(character))
            if len(closed.successors) >= _MOST_SETS:
                closed.successors.clear()
            successor = closed.successors[character] = reached | self._start_set
        return successor

    def by_position(self, text: str) -> list[bool]:
        """``accepted``, indexed by position."""
        found = list(self.accepted(text))
        found += [False] * (len(text) + 1 - len(found))
        return found[::-1] if self._backwards else found

    def _context(self, text: str, position: int, size: int, lookarounds: list[list[bool]]) -> _Context:
        if not self.uses_context:
            return _CONTEXTS[position == 0, position == size]
        before, after = text[position - 1 : position] if position else "", text[position : position + 1]
        return _Context(
            position == 0,
            position == size,
            before == "\n",
            after == "\n",
            _is_word(before) is not _is_word(after),
            tuple(accepted[position] for accepted in lookarounds),
        )

    def _close(self, states: frozenset[int], context: _Context) -> _StateSet:
        closed = self._state_sets.get((states, context))
        if closed is None:
            if len(self._state_sets) >= _MOST_SETS:
                self._state_sets.clear()
            reached = set(states)
            pending = list(states)
            while pending:
                for condition, target in self._epsilons[pending.pop()]:
                    if target not in reached and (condition is None or condition(context)):
                        reached.add(target)
                        pending.append(target)
            moves = [move for state in sorted(reached) if (move := self._moves[state]) is not None]
            closed = self._state_sets[states, context] = _StateSet(self._end in reached, moves)
        return closed


def _is_anchored(nodes: list[tuple[Any, Any]], flags: int) -> bool:
    if not nodes or str(nodes[0][0]) != "AT":
        return False
    name = str(nodes[0][1])
    return name == "AT_BEGINNING_STRING" or (name == "AT_BEGINNING" and not flags & re.MULTILINE)


_CONTEXTS = {(first, last): _Context(first, last) for first in (False, True) for last in (False, True)}
_WORD = re.compile(r"\w")


def _is_word(character: str) -> bool:
    return _WORD.match(character) is not None


def spelling(kind: str, argument: Any) -> str:
    """A parsed node that matches one character, as the text of an expression.

    Raises:
        Unmatchable: it is another kind of node.
    """
    if kind == "ANY":
        return "."
    if kind == "LITERAL":
        return _code(argument)
    if kind == "NOT_LITERAL":
        return f"[^{_code(argument)}]"
    if kind == "IN":
        return f"[{''.join(map(_item, argument))}]"
    raise Unmatchable(f"it has an unsupported part: {kind}")


def _item(item: tuple[Any, Any]) -> str:
    kind, argument = str(item[0]), item[1]
    if kind == "NEGATE":
        return "^"
    if kind == "RANGE":
        return f"{_code(argument[0])}-{_code(argument[1])}"
    return CATEGORIES[str(argument)] if kind == "CATEGORY" else _code(argument)


def _code(code: int) -> str:
    return f"\\U{code:08x}"


@lru_cache(maxsize=256)
def matcher(pattern: str, flags: int = 0) -> Matcher:
    """The matcher of an expression, compiled once.

    Raises:
        Unmatchable: as ``Matcher``.
    """
    return Matcher(pattern, flags)


_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


def python_flags(flags: str) -> int:
    """The flags of XPath's ``matches`` (section 5.6.2) as those of the module ``re``; others are ignored."""
    chosen = 0
    for flag in flags:
        chosen |= _FLAGS.get(flag, 0)
    return chosen
