"""What a query may not do, found before it is parsed.

The parser and the evaluator behind it recurse: a deeply nested query ends the process, and no error can be caught. A
``SERVICE`` clause would make the server call others on a stranger's behalf.

A group of very many patterns keeps the planner busy for minutes before the first row.

The text is split into tokens without a grammar, which leaves one thing in doubt: ``<`` may begin an IRI, which may hold
an apostrophe or ``#``, or compare two numbers. Where in doubt both readings are followed, and a query is refused if
either is not allowed. A wrong reading soon contradicts itself, since its brackets do not match or its strings do not
end, so that queries are hardly ever refused without cause. This bounds what a mistake or a simple attack can do;
only a process without network that can be killed is a guarantee.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provrepo.errors import QueryError

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_LINKS", "MAX_PATTERNS", "check"]

MAX_LENGTH = 64 << 10
"""Bytes of a query in UTF-8."""

MAX_DEPTH = 64
"""Levels of brackets of any kind."""

MAX_LINKS = 1_000
"""Operators and clauses. Each adds a level to the algebra: some 4,000 overflow a stack of 8 MB."""

MAX_PATTERNS = 60
"""Triple patterns of a group, counted by what ends them: ``.``, ``;``, ``,`` and the ``/`` of a path."""

_MAX_READINGS = 200
"""Points at which a reading may split: only a text made for it has more."""

_IRI = re.compile(r'<[^<>"{}|^`\x00-\x20]*>')
_STRING = re.compile(
    r"""
      \'{3}(?:[^\'\\]|\\.|\'{1,2}(?!\'))*\'{3}
    | "{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3}
    | \'(?:[^\'\\\n\r]|\\[^\n\r])*\'
    | "(?:[^"\\\n\r]|\\[^\n\r])*"
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKEN = re.compile(
    r"""
      (?P<name> [?$]\w+ | :[\w:%](?:[\w:%.\-\u00b7]*[\w:%\-\u00b7])? | @[\w-]+ )  # whatever they are called, no keyword
    | (?P<open> [({\[] )
    | (?P<close> [)}\]] )
    | (?P<quote> ['"] )
    | (?P<less> < )
    | (?P<comment> \#[^\n\r]* )
    | (?P<service> SERVICE )  # also right behind a number or a string: the parser wants no space there
    | (?P<datatype> \^\^ )
    | (?P<link> OPTIONAL | UNION | MINUS | GRAPH | BIND | FILTER | LATERAL | VALUES | SELECT
      | [-+*|&!^=>] | (?P<end> [/;,] | \.(?!\d) ) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PAIRS = {")": "(", "}": "{", "]": "["}


class _Reading(NamedTuple):
    """How far one reading has come.

    Attributes:
        start: where it goes on.
        brackets: those that are open.
        patterns: for each of them, how many triple patterns have ended directly within.
        links: how many operators and clauses there were.
    """

    start: int
    brackets: str = ""
    patterns: tuple[int, ...] = ()
    links: int = 0


def check(text: str) -> None:
    """Refuse a query that must not reach the parser.

    Raises:
        QueryError: longer than ``MAX_LENGTH``, nested deeper than ``MAX_DEPTH``, of more than ``MAX_LINKS`` operators
            and clauses or ``MAX_PATTERNS`` triple patterns in a group, or with a ``SERVICE`` clause; line and column
            say where.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_LENGTH:
        raise QueryError(f"the query is longer than {MAX_LENGTH // 1024} KB")
    readings = [_Reading(0)]
    seen: set[tuple[int, str]] = set()
    while readings:
        reading = readings.pop()
        start, brackets = reading.start, reading.brackets
        if (start, brackets) in seen:
            continue
        seen.add((start, brackets))
        if len(seen) > _MAX_READINGS:
            raise _refused(
                "the query cannot be told apart from one that must not be run; put spaces around <", text, start
            )
        readings.extend(_read(text, reading))


def _read(text: str, reading: _Reading) -> list[_Reading]:
    """Follow one reading until it ends or splits; the readings to go on with."""
    position, brackets, links = reading.start, reading.brackets, reading.links
    patterns = list(reading.patterns)
    while (token := _TOKEN.search(text, position)) is not None:
        position, kind, found = token.end(), _kind(token), token.group()
        if kind == "open":
            brackets += found
            patterns.append(0)
            if len(brackets) > MAX_DEPTH:
                raise _refused(f"the query is nested deeper than {MAX_DEPTH} levels", text, token.start())
        elif kind == "close":
            if not brackets.endswith(_PAIRS[found]):
                return []  # the parser will not come further than this either
            brackets = brackets[:-1]
            within = patterns.pop()
            if found == "]" and patterns:
                patterns[-1] += within
        elif kind == "link":
            links += 1
            if links > MAX_LINKS:
                raise _refused(f"the query has more than {MAX_LINKS} operators and clauses", text, token.start())
            # Within parentheses these are operators and separators of expressions.
            if token["end"] and patterns and not brackets.endswith("("):
                patterns[-1] += 1
                if patterns[-1] > MAX_PATTERNS:
                    raise _refused(f"a group has more than {MAX_PATTERNS} triple patterns", text, token.start())
        elif kind == "service":
            raise _refused(
                "SERVICE is not allowed: a query asks one dataset only (neither is it in the name of a prefix)",
                text,
                token.start(),
            )
        elif kind == "quote":
            string = _STRING.match(text, token.start())
            if string is None:
                return []
            position = string.end()
        elif kind == "less" and (iri := _IRI.match(text, token.start())) is not None:
            # Only inside parentheses can anything be compared.
            if brackets.endswith("("):
                return [
                    _Reading(iri.end(), brackets, tuple(patterns), links),
                    _Reading(position, brackets, tuple(patterns), links + 1),
                ]
            position = iri.end()
    return []


def _kind(token: re.Match[str]) -> str | None:
    return "link" if token["link"] else token.lastgroup


def _refused(message: str, text: str, position: int) -> QueryError:
    line = text.count("\n", 0, position) + 1
    return QueryError(message, line=line, column=position - text.rfind("\n", 0, position))
