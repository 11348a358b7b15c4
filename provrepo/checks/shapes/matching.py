"""Regular expressions matched in time proportional to the text.

Python's engine tries one way after the other in which an expression can divide a text, and there may be exponentially
many. Here all ways are followed at once (Thompson's construction): one step for each character, of a set of states that
is no larger than the expression. The sets that occur are remembered, so that a step is mostly one look-up.

What an expression means is what Python's parser makes of it, with two differences that XPath and SHACL demand: a match
is asked for and nothing of where it is, and ``$`` without the flag ``m`` is the end of the text and not a line feed
before it (XPath and XQuery Functions and Operators 3.1, section 5.6.1). What looks ahead is matched first, from the end
of the text, and what looks behind from its beginning; then it is a condition on a place like any other. References to
groups cannot be matched in this way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["CATEGORIES", "MOST_STATES", "Matcher", "Unmatchable", "matcher", "python_flags", "spelling"]

MOST_STATES = 4_000
"""States of an expression, with its bounded repetitions written out."""

_MOST_SETS = 2_000
"""Sets of states, and characters of each, that are remembered; beyond, they are forgotten and found again."""

# The standard library's own parser. It is private, and so are the names of what it yields.
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
"""The classes of characters by the names that the parser gives them."""
_UNABLE = {
    "GROUPREF": "it refers back to a group",
    "GROUPREF_EXISTS": "it asks whether a group matched",
    "ATOMIC_GROUP": "it has an atomic group",
    "POSSESSIVE_REPEAT": "it has a possessive repetition",
}


class Unmatchable(ValueError):
    """An expression that this engine does not match; the message is the end of a sentence about it."""


class _Context(NamedTuple):
    """What is around a place in a text, as far as an expression can ask for it."""

    first: bool
    last: bool
    after_line: bool = False
    before_line: bool = False
    boundary: bool = False
    around: tuple[bool, ...] = ()


_Condition = Callable[[_Context], bool]
_Test = Callable[[str], bool]


class _Closed:
    """A set of states with all that is reached from it without a character."""

    __slots__ = ("accepts", "following", "moves")

    def __init__(self, accepts: bool, moves: list[tuple[_Test, int]]) -> None:
        self.accepts = accepts
        self.moves = moves
        self.following: dict[str, frozenset[int]] = {}


class Matcher:
    """One expression."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        """Compile an expression.

        Args:
            pattern: in Python's syntax.
            flags: of the module ``re``: ``I``, ``M``, ``S`` and ``X``.

        Raises:
            Unmatchable: it is not well-formed, asks for what this engine does not have, or is too large.
        """
        try:
            parsed = _PARSER.parse(pattern, flags)
            self._machine = _Machine(parsed, int(parsed.state.flags))
        except (re.error, OverflowError) as error:
            raise Unmatchable(f"it cannot be understood: {error}") from error
        except RecursionError as error:
            raise Unmatchable("it is nested too deep") from error

    def search(self, text: str) -> bool:
        """Whether the expression matches somewhere in a text."""
        return any(self._machine.accepted(text))


class _Machine:
    """A nondeterministic finite automaton for a part of an expression."""

    def __init__(self, nodes: Iterable[tuple[Any, Any]], flags: int, *, backwards: bool = False) -> None:
        """Compile a part.

        Args:
            nodes: of the parsed expression.
            flags: that hold for it.
            backwards: whether texts are read from their end, as is needed to know where something begins.
        """
        self._backwards = backwards
        self._free: list[list[tuple[_Condition | None, int]]] = []
        self._moves: list[tuple[_Test, int] | None] = []
        self._looks = False
        self._around: list[_Machine] = []
        self._tests: dict[tuple[str, int], _Test] = {}
        self._closed: dict[tuple[frozenset[int], _Context], _Closed] = {}
        self._start = self._state()
        self._end = self._sequence(nodes, flags, self._start)

    # Compiling --------------------------------------------------------------------------------------------------

    def _state(self) -> int:
        if len(self._free) >= MOST_STATES:
            raise Unmatchable(f"it has more than {MOST_STATES:,} states")
        self._free.append([])
        self._moves.append(None)
        return len(self._free) - 1

    def _link(self, source: int, target: int, condition: _Condition | None = None) -> None:
        self._free[source].append((condition, target))

    def _sequence(self, nodes: Iterable[tuple[Any, Any]], flags: int, start: int) -> int:
        for name, argument in reversed(list(nodes)) if self._backwards else nodes:
            start = self._node(str(name), argument, flags, start)
        return start

    def _node(self, kind: str, argument: Any, flags: int, start: int) -> int:
        """Add one part of the expression behind a state; the state behind it."""
        if kind in _UNABLE:
            raise Unmatchable(_UNABLE[kind])
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
            self._link(start, end, self._look(argument[1], flags, ahead=argument[0] > 0, wanted=kind == "ASSERT"))
        else:
            end = self._state()
            self._moves[start] = (self._test(spelling(kind, argument), flags), end)
        return end

    def _repeat(self, least: int, most: int, body: Any, flags: int, start: int) -> int:
        if least > MOST_STATES or (most != _MAXREPEAT and most > MOST_STATES):
            raise Unmatchable(f"it has more than {MOST_STATES:,} states")
        for _ in range(least):
            start = self._apart(body, flags, start)
        if most == _MAXREPEAT:
            loop, end = self._state(), self._state()
            self._link(start, loop)
            self._link(self._apart(body, flags, loop), loop)
            self._link(loop, end)
            return end
        end = self._state()
        self._link(start, end)
        for _ in range(most - least):
            start = self._apart(body, flags, start)
            self._link(start, end)
        return end

    def _apart(self, body: Any, flags: int, start: int) -> int:
        """A copy of the body behind a state of its own, since a state has at most one character to go on with."""
        first = self._state()
        self._link(start, first)
        return self._sequence(body, flags, first)

    def _look(self, body: Any, flags: int, *, ahead: bool, wanted: bool) -> _Condition:
        self._looks = True
        number = len(self._around)
        self._around.append(_Machine(body, flags, backwards=ahead))
        return lambda context: context.around[number] is wanted

    def _condition(self, name: str, flags: int) -> _Condition:
        lines = bool(flags & re.MULTILINE)
        if name in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            self._looks = True
            wanted = name == "AT_BOUNDARY"
            return lambda context: context.boundary is wanted
        if name == "AT_BEGINNING" and lines:
            self._looks = True
            return lambda context: context.first or context.after_line
        if name == "AT_END" and lines:
            self._looks = True
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
        """For each place in a text, in the order of reading, whether a match ends there that began anywhere before."""
        start = frozenset((self._start,))
        current = start
        size = len(text)
        around = [machine.everywhere(text) for machine in self._around]
        for place in range(size, -1, -1) if self._backwards else range(size + 1):
            closed = self._close(current, self._context(text, place, size, around))
            yield closed.accepts
            behind = place - 1 if self._backwards else place
            if not 0 <= behind < size:
                return
            character = text[behind]
            following = closed.following.get(character)
            if following is None:
                reached = frozenset(target for test, target in closed.moves if test(character))
                if len(closed.following) >= _MOST_SETS:
                    closed.following.clear()
                following = closed.following[character] = reached | start
            current = following

    def everywhere(self, text: str) -> list[bool]:
        """``accepted`` by place."""
        found = list(self.accepted(text))
        return found[::-1] if self._backwards else found

    def _context(self, text: str, place: int, size: int, around: list[list[bool]]) -> _Context:
        if not self._looks:
            return _CONTEXTS[place == 0, place == size]
        before, after = text[place - 1 : place] if place else "", text[place : place + 1]
        return _Context(
            place == 0,
            place == size,
            before == "\n",
            after == "\n",
            _is_word(before) is not _is_word(after),
            tuple(places[place] for places in around),
        )

    def _close(self, states: frozenset[int], context: _Context) -> _Closed:
        closed = self._closed.get((states, context))
        if closed is None:
            if len(self._closed) >= _MOST_SETS:
                self._closed.clear()
            reached = set(states)
            waiting = list(states)
            while waiting:
                for condition, target in self._free[waiting.pop()]:
                    if target not in reached and (condition is None or condition(context)):
                        reached.add(target)
                        waiting.append(target)
            moves = [move for state in sorted(reached) if (move := self._moves[state]) is not None]
            closed = self._closed[states, context] = _Closed(self._end in reached, moves)
        return closed


_CONTEXTS = {(first, last): _Context(first, last) for first in (False, True) for last in (False, True)}
_WORD = re.compile(r"\w")


def _is_word(character: str) -> bool:
    return _WORD.match(character) is not None


def spelling(kind: str, argument: Any) -> str:
    """One part of a parsed expression that stands for one character, as an expression again.

    Raises:
        Unmatchable: it is something else.
    """
    if kind == "ANY":
        return "."
    if kind == "LITERAL":
        return _code(argument)
    if kind == "NOT_LITERAL":
        return f"[^{_code(argument)}]"
    if kind == "IN":
        return f"[{''.join(map(_item, argument))}]"
    raise Unmatchable(f"it has a part that is not known here: {kind}")


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
    """The flags of XPath's ``matches`` (section 5.6.2) as those of the module ``re``; others mean nothing."""
    chosen = 0
    for flag in flags:
        chosen |= _FLAGS.get(flag, 0)
    return chosen
