"""The columns of ``SELECT *``: every visible variable, in the order in which they first appear in the query.

SPARQL 1.1 (section 16.1) does not define their order, and Oxigraph sorts them by name. The pattern
``?run prov:used ?input`` is expected to give the run before the input, as in other engines.
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
"""Tokens that are variables, keywords or brackets, and those that may contain the same characters: comments, strings,
IRIs and prefixed names."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int = 0


_END = _Token("end", "")


def spelled_out(query: str, variables: Sequence[str]) -> str:
    """The query with its columns in place of ``SELECT *``, so that rows have them in the order of ``ordered``.

    Args:
        query: a query that the engine has parsed without error.
        variables: the variables of its answer, without question marks, in the order of the engine.

    Returns:
        The query unchanged, where the engine's order is the same.
    """
    tokens = _tokens(query)
    order = ordered(query, variables)
    if order == tuple(variables):
        return query
    _skip_to_select(tokens)
    star = _after_modifier(tokens).start
    return f"{query[:star]} {' '.join(f'?{name}' for name in order)} {query[star + 1 :]}"


def ordered(query: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The columns of an answer in the order in which they are shown.

    Args:
        query: a query that the engine has parsed without error.
        variables: the variables of its answer, without question marks, in the order of the engine.

    Returns:
        For ``SELECT *`` the variables by their first appearance, where a subquery counts only with the variables that
        it projects (SPARQL 1.1, section 18.2.1). For any other query ``variables``, in the order of its ``SELECT``.
    """
    tokens = _tokens(query)
    _skip_to_select(tokens)
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
            # After a variable within parentheses, ``<`` is an operator: ``(?a<?b&&?c>?d)`` has no IRI.
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


def _skip_to_select(tokens: Iterator[_Token]) -> None:
    """Consume tokens up to the first ``SELECT``, which is never that of a subquery."""
    next((token for token in tokens if token.kind == "word" and token.text.upper() == "SELECT"), None)


def _after_modifier(tokens: Iterator[_Token]) -> _Token:
    """The first token of a projection, after ``SELECT`` with ``DISTINCT`` or ``REDUCED``."""
    token = next(tokens, _END)
    return next(tokens, _END) if token.text.upper() in ("DISTINCT", "REDUCED") else token


def _visible(tokens: Iterator[_Token]) -> Iterator[str]:
    """The names of variables, without those that a subquery does not project."""
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
    """The names that a subquery projects; consumes tokens up to the end of the subquery."""
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
