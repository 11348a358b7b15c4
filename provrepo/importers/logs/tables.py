"""Tables as text: rows of CSV with the line on which each begins. A row that cannot be read does not end the rest."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["MAX_ROW", "Cells", "delimiter_of", "rows_of"]

MAX_ROW = 1 << 20
"""The most characters of a row: an open quotation mark must not swallow the rest of a file."""

_DELIMITERS = ",;\t|"


class Cells(NamedTuple):
    """One row.

    Attributes:
        line: the line on which it begins, from 1.
        text: its text with the end of its line.
        problem: why it cannot be read; empty if it can.
        number: its number in a spreadsheet, which counts empty lines, from 1.
        cells: its cells; none if it cannot be read.
    """

    line: int
    text: str
    problem: str
    number: int
    cells: Sequence[str] = ()


def delimiter_of(line: str) -> str:
    """The delimiter of a table, which is the most frequent one of the first row: a comma, semicolon, tab or bar."""
    return max(_DELIMITERS, key=line.count)


def rows_of(lines: Iterable[str], delimiter: str, quote: str = '"', first: int = 1) -> Iterator[Cells]:
    """The rows of a table; empty lines are none.

    Args:
        lines: with their ends, each of at most ``MAX_ROW`` characters; a longer one comes in pieces.
        delimiter: between cells.
        quote: the quotation mark; empty if there is none.
        first: the number of the first line.
    """
    source, again = _numbered(lines, first), deque[tuple[int, str]]()
    row = 0
    while (found := again.popleft() if again else next(source, None)) is not None:
        pending = [found]
        marks, size = _marks(found, delimiter, quote), len(found[1])
        while marks % 2 and size < MAX_ROW and (found := again.popleft() if again else next(source, None)):
            pending.append(found)
            marks, size = marks + found[1].count(quote), size + len(found[1])
        row += 1
        if not "".join(piece for _, piece in pending).strip("\r\n"):
            continue
        cells = _row(pending, row, delimiter, quote)
        if cells.problem and len(pending) > 1:
            # The quotation mark of the first line is closed by that of another row: this line alone is wrong.
            again.extendleft(reversed(pending[1:]))
            cells = Cells(*pending[0], f"a quotation mark ({quote}) that is not closed", row)
        yield cells


def _marks(line: tuple[int, str], delimiter: str, quote: str) -> int:
    """The quotation marks of the first line of a row; none if it is whole: that in ``5" pipe`` opens no cell."""
    marks = line[1].count(quote) if quote else 0
    return 0 if marks % 2 and _complete(line[1], delimiter, quote) else marks


def _complete(line: str, delimiter: str, quote: str) -> bool:
    """Whether a line with an odd number of marks is a row: one within a cell, as in ``5" pipe``, opens no cell."""
    try:
        list(csv.reader([line], delimiter=delimiter, quotechar=quote, strict=True))
    except csv.Error:
        return False
    return True


def _numbered(lines: Iterable[str], first: int) -> Iterator[tuple[int, str]]:
    number = first
    for line in lines:
        yield number, line
        number += line.endswith(("\n", "\r"))


def _row(pending: list[tuple[int, str]], number: int, delimiter: str, quote: str) -> Cells:
    line, text = pending[0][0], "".join(piece for _, piece in pending)
    problem = f"more than {MAX_ROW:,} characters" if len(text) >= MAX_ROW else ""
    found: list[list[str]] = []
    options = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    try:
        found = [] if problem else list(csv.reader([text], delimiter=delimiter, strict=True, **options))
    except csv.Error as error:
        unclosed = f"a quotation mark ({quote}) that is not closed"
        problem = unclosed if "unexpected end" in str(error) else str(error)
    if not problem and len(found) != 1:
        problem = "a line break outside of quotation marks"
    return Cells(line, text, problem, number, [] if problem else found[0])
