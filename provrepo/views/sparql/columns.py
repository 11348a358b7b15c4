"""The columns of ``SELECT *``: every variable that is visible, in the order in which the query first names them.

SPARQL 1.1 gives them no order (section 16.1), and the engine sorts them by name. A query for ``?run prov:used ?input``
is expected to show the run before the input, as other engines do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["ordered", "spelled_out"]

_TOKEN = re.compile(
    r"""
      (?P<skip> \#[^\n\r]*
        | \'{3}(?:[^\'\\]|\\.|\'{1,2}(?!\'))*\'{3} | "{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3}
        | \'(?:[^\'\\\n\r]|\\.)*\' | "(?:[^"\\\n\r]|\\.)*" | @[A-Za-z][\w-]* )
    | [?$](?P<variable> [\w\u00b7\u0300-\u036f\u203f\u2040]+ )
    | (?P<iri> <[^<>"{}|^`\\\x00-\x20]*> )
    | (?P<bracket> [(){}] )
    | (?P<prefixed> (?:\w[\w.\-]*)?:(?:[\w:%.\-\u00b7]|\\.)* )
    | (?P<word> [A-Za-z]+ | \* )
    """,
    re.VERBOSE | re.DOTALL,
)
"""What tells variables and keywords from what only looks like them: comments, strings, IRIs and prefixed names."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int = 0


_END = _Token("end", "")


def spelled_out(query: str, variables: Sequence[str]) -> str:
    """The query with its columns in place of ``SELECT *``, so that every row that is written has them in this order.

    Args:
        query: a query that the engine has parsed.
        variables: of its answer, in the order in which the engine would give them.

    Returns:
        The query as it is, where the engine's order is right already.
    """
    tokens = _tokens(query)
    order = ordered(query, variables)
    if order == tuple(variables):
        return query
    _begun(tokens)
    star = _after_modifier(tokens).start
    return f"{query[:star]} {' '.join(f'?{name}' for name in order)} {query[star + 1 :]}"


def ordered(query: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The columns of an answer in the order in which they are to be shown.

    Args:
        query: a query that the engine has parsed.
        variables: of its answer, without question marks.

    Returns:
        For ``SELECT *`` the variables by their first appearance, of which a subquery counts for what it hands on
        (section 18.2.1); for any other query the variables as they are, which is the order of its ``SELECT``.
    """
    tokens = _tokens(query)
    _begun(tokens)
    if _after_modifier(tokens).text != "*":
        return tuple(variables)
    places: dict[str, int] = {}
    for name in _visible(tokens):
        places.setdefault(name, len(places))
    return tuple(sorted(variables, key=lambda name: places.get(name, len(places))))


def _tokens(query: str) -> Iterator[_Token]:
    position = 0
    brackets: list[str] = []
    operand = False
    while (found := _TOKEN.search(query, position)) is not None:
        kind, text, position = str(found.lastgroup), found.group(str(found.lastgroup)), found.end()
        if kind == "iri" and operand and brackets[-1:] == ["("] and ":" not in text:
            # Behind a variable within parentheses, ``<`` compares: ``(?a<?b&&?c>?d)`` has no IRI.
            position, operand = found.start() + 1, False
            continue
        operand = kind == "variable" or text == ")"
        if kind == "bracket":
            if text in "({":
                brackets.append(text)
            elif brackets:
                brackets.pop()
        if kind in ("variable", "bracket", "word"):
            yield _Token(kind, text, found.start())


def _begun(tokens: Iterator[_Token]) -> None:
    """Read to the first ``SELECT``: none is nested before the query's own."""
    next((token for token in tokens if token.kind == "word" and token.text.upper() == "SELECT"), None)


def _after_modifier(tokens: Iterator[_Token]) -> _Token:
    """The first token of a projection, behind ``SELECT`` and what may follow it."""
    token = next(tokens, _END)
    return next(tokens, _END) if token.text.upper() in ("DISTINCT", "REDUCED") else token


def _visible(tokens: Iterator[_Token]) -> Iterator[str]:
    """The names of variables, without those that a subquery keeps to itself."""
    before = _END
    for token in tokens:
        if token.kind == "variable":
            yield token.text
        elif before.text == "{" and token.text.upper() == "SELECT":
            first = _after_modifier(tokens)
            if first.text != "*":
                yield from _projected(first, tokens)
        before = token


def _projected(first: _Token, tokens: Iterator[_Token]) -> Iterator[str]:
    """The names that a subquery hands on; reads to the subquery's end."""
    token, depth, last = first, 0, ""
    while token is not _END:
        if token.text == "{" and not depth:
            break
        depth += (token.text == "(") - (token.text == ")")
        if token.kind == "variable":
            last = token.text
        if last and depth == 0:
            # Of ``(… AS ?name)`` the last variable is the name.
            yield last
            last = ""
        token = next(tokens, _END)
    depth = 2  # the subquery's own bracket, and that of its pattern
    while depth and token is not _END:
        token = next(tokens, _END)
        depth += (token.text == "{") - (token.text == "}")
