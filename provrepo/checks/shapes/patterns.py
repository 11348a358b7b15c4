"""Test for regular expressions that a profile may not have, because backtracking engines may take exponential time.

Profiles are shared, and other engines backtrack over every way to divide a text among repetitions. With two ways at
each of n steps, there are 2ⁿ. An expression is safe when the body of each unbounded repetition has a fixed length and
alternatives that begin with different characters, or begins or ends with a character that occurs nowhere else in it.
Some harmless expressions fail this test; they can be rewritten so that they pass.

Here accepted expressions are matched in time proportional to the text (``matching``), so the test need not be complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from provrepo.checks.shapes.matching import CATEGORIES, Unmatchable, matcher

__all__ = ["LONGEST", "NOT_UNDERSTOOD", "why_refused", "why_replace_refused"]

NOT_UNDERSTOOD = "cannot be understood"
"""The beginning of the reason where an expression is malformed, or has another meaning in other engines."""

LONGEST = 1_000
"""The most characters of a pattern."""

MANY = 32
"""The maximum number of repetitions from which a bounded repetition counts as unbounded."""

FEW = 3
"""The most repetitions of a body of variable length that count as a few nested loops."""

# The standard library's parser, which also runs the expression.
_PARSER: Any = import_module("re._parser")
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT"}
_GROUPS = {"SUBPATTERN", "ATOMIC_GROUP"}
_ONE = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
"""Kinds of nodes that match one character."""

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"(?:[^\\\[]|\\.)*+\[(\^?\]?(?:[^\\\]]|\\.)*+)\]", re.DOTALL)
"""A text up to the end of its next character class; group 1 is the content of the class."""

Node = tuple[Any, Any]


def why_refused(pattern: str, flags: int = 0) -> str | None:
    """The reason why an expression is refused, as a clause for a message; None where it is accepted.

    The reason begins with ``NOT_UNDERSTOOD``, or states why matching could take long.

    Args:
        pattern: a regular expression in Python's syntax.
        flags: of the module ``re``.
    """
    if len(pattern) > LONGEST:
        return f"it has more than {LONGEST:,} characters"
    if any("[" in _ESCAPED.sub("", found[1]) for found in _CLASS.finditer(pattern)):
        # "[a-z-[aeiou]]" is a class subtraction in XPath, whose syntax SHACL uses, but not in Python.
        return rf"{NOT_UNDERSTOOD}: a bracket within brackets has to be written as \["
    try:
        parsed = _PARSER.parse(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{NOT_UNDERSTOOD}: {error}"
    reason = next(_reasons(parsed), None)
    if reason is None:
        try:
            matcher(pattern, flags)
        except Unmatchable as error:
            return str(error)
    return reason


def why_replace_refused(pattern: str) -> str | None:
    """The reason why an expression is refused for REPLACE, which Python's engine runs; None where it is accepted.

    Args:
        pattern: one that ``why_refused`` accepts.
    """
    parsed = list(_PARSER.parse(pattern))
    if len(parsed) == 1 and _loop(parsed[0]) is not None:
        return None
    if any(int(argument[1]) >= MANY for argument in _repetitions(parsed)):
        return "it has an unbounded repetition and another part"
    return None


def _repetitions(nodes: Iterable[Node]) -> Iterator[Any]:
    for name, argument in nodes:
        if str(name) in _REPEATS:
            yield argument
        for inner in _inner(str(name), argument):
            yield from _repetitions(inner)


def _reasons(nodes: Iterable[Node]) -> Iterator[str]:
    preceding: Node | None = None
    for name, argument in nodes:
        kind = str(name)
        loop = _loop((name, argument))
        if preceding is not None and loop is not None and _overlap(preceding, loop):
            yield "two adjacent unbounded repetitions match the same characters"
        preceding = loop
        unbounded = kind in _REPEATS and _counts_as_unbounded(int(argument[1]), argument[2])
        if unbounded and any(_has_duplicates(branches) for branches in _branches(argument[2])):
            yield "an unbounded repetition has equal alternatives"
        if unbounded and not _delimited(argument[2]):
            least, most = argument[2].getwidth()
            if least != most:
                yield "the body of an unbounded repetition has no fixed length"
            elif not all(_begin_differently(branches) for branches in _branches(argument[2])):
                yield "an unbounded repetition has alternatives that may begin with the same character"
        for inner in _inner(kind, argument):
            yield from _reasons(inner)


def _loop(node: Node) -> Node | None:
    """The one-character node that a node repeats without bound, ignoring groups; None for any other node."""
    while str(node[0]) in _GROUPS:
        inner = list(_inner(str(node[0]), node[1])[0])
        if len(inner) != 1:
            return None
        node = inner[0]
    if str(node[0]) not in _REPEATS or int(node[1][1]) < MANY:
        return None
    body = _flat(node[1][2])
    return body[0] if len(body) == 1 and str(body[0][0]) in _ONE else None


def _overlap(one: Node, other: Node) -> bool:
    """Whether both match a common character, among a sample and those that occur in either node."""
    return any(_matches(one, code) and _matches(other, code) for code in _SAMPLE | _named(one) | _named(other))


def _named(node: Node) -> set[int]:
    kind, argument = str(node[0]), node[1]
    if kind == "IN":
        return {code for item in argument for code in _named(item)}
    return {*argument} if kind == "RANGE" else {argument} if kind in ("LITERAL", "NOT_LITERAL") else set()


_SAMPLE = frozenset(map(ord, "09azAZ_ \n\t-.:/é中!"))


def _has_duplicates(branches: list[Any]) -> bool:
    """Whether two alternatives are equal; the parser has factored out their common prefix."""
    spelled = [str(list(branch)) for branch in branches]
    return len(set(spelled)) < len(spelled)


def _counts_as_unbounded(times: int, body: Any) -> bool:
    """Whether a bounded number of repetitions of a body may already be too expensive."""
    least, most = body.getwidth()
    return times >= MANY or (times > FEW and most - least >= MANY)


def _inner(kind: str, argument: Any) -> list[Any]:
    """The sequences of nodes inside a node."""
    if kind in _REPEATS or kind == "POSSESSIVE_REPEAT":
        return [argument[2]]
    if kind in _GROUPS:
        return [argument[-1] if isinstance(argument, tuple) else argument]
    if kind == "BRANCH":
        return list(argument[1])
    if kind in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if kind == "GROUPREF_EXISTS":
        return [part for part in argument[1:] if part is not None]
    return []


def _branches(nodes: Iterable[Node]) -> Iterator[list[Any]]:
    for name, argument in nodes:
        if str(name) == "BRANCH":
            yield list(argument[1])
        for inner in _inner(str(name), argument):
            yield from _branches(inner)


def _begin_differently(branches: list[Any]) -> bool:
    firsts = [branch[0] if len(branch) else None for branch in branches]
    starts = [first[1] for first in firsts if first is not None and str(first[0]) == "LITERAL"]
    return len(starts) == len(branches) == len(set(starts))


def _delimited(body: Any) -> bool:
    """Whether each repetition ends, or begins, with a character that occurs nowhere else in it."""
    flat = _flat(body)
    for end in (flat[:1], flat[-1:]):
        if end and str(end[0][0]) == "LITERAL":
            code = end[0][1]
            spellings = {code, *(ord(c) for c in (chr(code).lower(), chr(code).upper()) if len(c) == 1)}
            if sum(any(_matches(node, spelling) for spelling in spellings) for node in _singles(flat)) == 1:
                return True
    return False


def _flat(body: Any) -> list[Node]:
    """A sequence without the groups around it."""
    nodes = list(body)
    while len(nodes) == 1 and str(nodes[0][0]) in _GROUPS:
        nodes = list(_inner(str(nodes[0][0]), nodes[0][1])[0])
    return nodes


def _singles(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes that match one character, at any depth."""
    for name, argument in nodes:
        kind = str(name)
        if kind in _ONE:
            yield name, argument
        for inner in _inner(kind, argument):
            yield from _singles(inner)


def _matches(node: Node, code: int) -> bool:
    kind, argument = str(node[0]), node[1]
    if kind == "LITERAL":
        return bool(argument == code)
    if kind == "NOT_LITERAL":
        return bool(argument != code)
    if kind == "RANGE":
        return bool(argument[0] <= code <= argument[1])
    if kind == "CATEGORY":
        return re.match(CATEGORIES.get(str(argument), "(?s:.)"), chr(code)) is not None
    if kind == "IN":
        negated = str(argument[0][0]) == "NEGATE"
        return any(_matches(item, code) for item in argument[negated:]) != negated
    return True
