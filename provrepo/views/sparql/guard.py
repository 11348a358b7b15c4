"""Limits on the text of a query, checked before it is parsed.

The parser and the evaluator are recursive: a deeply nested query ends the process without an error that could be
caught. A ``SERVICE`` clause would make the server send requests for a client. A group of very many patterns keeps the
planner busy for minutes before the first row.

The text is split into tokens without a grammar. So one token is ambiguous: ``<`` may start an IRI, which may contain an
apostrophe or ``#``, or compare two numbers. Then both readings are followed, and the query is refused if either is not
allowed. A wrong reading soon fails, since its brackets do not match or its strings do not end, so valid queries are
hardly ever refused. This check limits the effect of mistakes and simple attacks. Only a worker process without network,
which can be killed, is a guarantee.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provrepo.errors import QueryError

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_LINKS", "MAX_PATTERNS", "check"]

MAX_LENGTH = 64 << 10
"""The most bytes of a query in UTF-8."""

MAX_DEPTH = 64
"""The most levels of brackets of any kind."""

MAX_LINKS = 1_000
"""The most operators and clauses. Each adds a level to the algebra: some 4,000 overflow a stack of 8 MB."""

MAX_PATTERNS = 60
"""The most triple patterns of a group, counted by their separators: ``.``, ``;``, ``,`` and the ``/`` of a path."""

_MAX_READINGS = 200
"""The most readings that are followed. Only a text that was written as an attack has more."""

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
      (?P<name> [?$]\w+ | :[\w:%](?:[\w:%.\-\u00b7]*[\w:%\-\u00b7])? | @[\w-]+ )  # never keywords
    | (?P<open> [({\[] )
    | (?P<close> [)}\]] )
    | (?P<quote> ['"] )
    | (?P<less> < )
    | (?P<comment> \#[^\n\r]* )
    | (?P<service> SERVICE )  # also directly after a number or a string, where the parser accepts it
    | (?P<datatype> \^\^ )
    | (?P<link> OPTIONAL | UNION | MINUS | GRAPH | BIND | FILTER | LATERAL | VALUES | SELECT
      | [-+*|&!^=>] | (?P<end> [/;,] | \.(?!\d) ) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PAIRS = {")": "(", "}": "{", "]": "["}


class _Reading(NamedTuple):
    """The state of one reading of the text.

    Attributes:
        start: the position in the text at which it continues.
        brackets: the open brackets.
        patterns: for each open bracket, the number of separators of triple patterns directly within.
        links: the number of operators and clauses so far.
    """

    start: int
    brackets: str = ""
    patterns: tuple[int, ...] = ()
    links: int = 0


def check(text: str) -> None:
    """Check that a query may be parsed.

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
                "the query is ambiguous, and one of its readings may not be allowed; put spaces around <", text, start
            )
        readings.extend(_read(text, reading))


def _read(text: str, reading: _Reading) -> list[_Reading]:
    """Follow one reading until it ends or splits; returns the readings to continue with."""
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
                return []  # the parser will fail here, too
            brackets = brackets[:-1]
            within = patterns.pop()
            if found == "]" and patterns:
                patterns[-1] += within
        elif kind == "link":
            links += 1
            if links > MAX_LINKS:
                raise _refused(f"the query has more than {MAX_LINKS} operators and clauses", text, token.start())
            # Directly within parentheses these are operators, or separators of expressions.
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
            # Comparisons occur inside parentheses only.
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
