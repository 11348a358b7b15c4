"""Which regular expressions a profile may not have.

Shapes are shared, and other engines try every way in which a repetition could have been divided. Where a text can be
divided in two ways at each step, n steps make 2ⁿ ways. An expression is safe from that when what it repeats without
bound has one length and alternatives that begin differently, or has an end that stands nowhere else in it. Some
harmless expressions fail this test; they can be written so that they pass.

Whatever passes is matched here in time proportional to the text (``matching``), so this test need not be complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from provrepo.checks.shapes.matching import CATEGORIES, Unmatchable, matcher

__all__ = ["LONGEST", "NOT_UNDERSTOOD", "why_slow", "why_slow_to_replace"]

NOT_UNDERSTOOD = "cannot be understood"
"""How the reason begins where an expression is none, or means one thing here and another elsewhere."""

LONGEST = 1_000
"""Characters of a pattern."""

MANY = 32
"""Repetitions from which a bounded one counts as unbounded; below, at most as many ways are tried."""

FEW = 3
"""Repetitions of something of any length that are no more than a few loops inside each other."""

# The standard library's own parser: what it makes of an expression is what will run.
_PARSER: Any = import_module("re._parser")
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT"}
_GROUPS = {"SUBPATTERN", "ATOMIC_GROUP"}
_ONE = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
"""What matches one character."""

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"(?:[^\\\[]|\\.)*+\[(\^?\]?(?:[^\\\]]|\\.)*+)\]", re.DOTALL)
"""Up to the end of the next class of characters; group 1 is what it holds."""

Node = tuple[Any, Any]


def why_slow(pattern: str, flags: int = 0) -> str | None:
    """Why an expression is refused, as the end of a sentence; None where it is not.

    The reason begins with ``NOT_UNDERSTOOD``, or says why matching could take long.

    Args:
        pattern: a regular expression of Python's.
        flags: of the module ``re``.
    """
    if len(pattern) > LONGEST:
        return f"it has more than {LONGEST:,} characters"
    if any("[" in _ESCAPED.sub("", found[1]) for found in _CLASS.finditer(pattern)):
        # "[a-z-[aeiou]]" takes one class from another in XPath, by which SHACL matches patterns, and not here.
        return rf"{NOT_UNDERSTOOD}: a bracket within brackets means itself only as \["
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


def why_slow_to_replace(pattern: str) -> str | None:
    """Why replacing what an expression matches could take long, which is done by Python's engine; None where it cannot.

    Args:
        pattern: one that ``why_slow`` lets through.
    """
    parsed = list(_PARSER.parse(pattern))
    if len(parsed) == 1 and _loop(parsed[0]) is not None:
        return None
    if any(int(argument[1]) >= MANY for argument in _repetitions(parsed)):
        return "beside a repetition without bound it has something else"
    return None


def _repetitions(nodes: Iterable[Node]) -> Iterator[Any]:
    for name, argument in nodes:
        if str(name) in _REPEATS:
            yield argument
        for inner in _inner(str(name), argument):
            yield from _repetitions(inner)


def _reasons(nodes: Iterable[Node]) -> Iterator[str]:
    before: Node | None = None
    for name, argument in nodes:
        kind = str(name)
        loop = _loop((name, argument))
        if before is not None and loop is not None and _overlap(before, loop):
            yield "two repetitions without bound stand side by side and take the same characters"
        before = loop
        often = kind in _REPEATS and _often(int(argument[1]), argument[2])
        if often and any(_twice(branches) for branches in _branches(argument[2])):
            yield "it repeats without bound alternatives that are the same"
        if often and not _delimited(argument[2]):
            least, most = argument[2].getwidth()
            if least != most:
                yield "it repeats without bound what itself has no fixed length"
            elif not all(_begin_differently(branches) for branches in _branches(argument[2])):
                yield "it repeats without bound alternatives that may begin alike"
        for inner in _inner(kind, argument):
            yield from _reasons(inner)


def _loop(node: Node) -> Node | None:
    """The one character that a node repeats without bound, groups around it aside; None for any other node."""
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
    """Whether some character, of a sample that has all that either names, is taken by both."""
    return any(_matches(one, code) and _matches(other, code) for code in _SAMPLE | _named(one) | _named(other))


def _named(node: Node) -> set[int]:
    kind, argument = str(node[0]), node[1]
    if kind == "IN":
        return {code for item in argument for code in _named(item)}
    return {*argument} if kind == "RANGE" else {argument} if kind in ("LITERAL", "NOT_LITERAL") else set()


_SAMPLE = frozenset(map(ord, "09azAZ_ \n\t-.:/é中!"))


def _twice(branches: list[Any]) -> bool:
    """Whether two alternatives are the same, of which the parser takes out what they begin with."""
    spelled = [str(list(branch)) for branch in branches]
    return len(set(spelled)) < len(spelled)


def _often(times: int, body: Any) -> bool:
    """Whether so many repetitions multiply to more than can be tried."""
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
    """Whether each repetition ends, or begins, with a character that stands nowhere else in it."""
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
    """All nodes that match one character."""
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
