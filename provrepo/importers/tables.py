"""Tables as text: rows of CSV with the line on which each begins. A row that cannot be read does not end the rest."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["MAX_ROW", "Cells", "delimiter_of", "rows_of"]

MAX_ROW = 1 << 20
"""The most characters of a row: an open quotation mark must not swallow the rest of a file."""

_DELIMITERS = ",;\t|"


class Cells(NamedTuple):
    """One row.

    Attributes:
        line: the line on which it begins, from 1.
        number: its number in a spreadsheet, which counts empty lines, from 1.
        cells: its cells; none if it cannot be read.
        text: its text with the end of its line.
        problem: why it cannot be read; empty if it can.
    """

    line: int
    number: int
    cells: list[str]
    text: str
    problem: str = ""


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
    pending: list[tuple[int, str]] = []
    row = marks = size = 0
    for number, line in _numbered(lines, first):
        pending.append((number, line))
        marks, size = marks + (line.count(quote) if quote else 0), size + len(line)
        if marks % 2 and not (len(pending) == 1 and _complete(line, delimiter, quote)):
            if size < MAX_ROW:
                continue
            yield from _unclosed(pending, row, delimiter, quote)
            row += len(pending)
        else:
            text, row = "".join(piece for _, piece in pending), row + 1
            if text.strip("\r\n"):
                yield _row(pending[0][0], row, text, delimiter, quote)
        pending, marks, size = [], 0, 0
    if pending:
        yield from _unclosed(pending, row, delimiter, quote)


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


def _unclosed(pending: list[tuple[int, str]], row: int, delimiter: str, quote: str) -> Iterator[Cells]:
    """The first line has a quotation mark that nothing closes; the lines after it are read again, each for itself."""
    for place, (number, text) in enumerate(pending):
        odd = text.count(quote) % 2 and not _complete(text, delimiter, quote)
        if place == 0 or odd:
            yield Cells(number, row + place + 1, [], text, f"a quotation mark ({quote}) that is not closed")
        elif text.strip("\r\n"):
            yield _row(number, row + place + 1, text, delimiter, quote)


def _row(line: int, number: int, text: str, delimiter: str, quote: str) -> Cells:
    if len(text) >= MAX_ROW:
        return Cells(line, number, [], text, f"more than {MAX_ROW:,} characters")
    options = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    try:
        found = list(csv.reader([text], delimiter=delimiter, strict=True, **options))
    except csv.Error as error:
        return Cells(line, number, [], text, str(error))
    if len(found) != 1:
        return Cells(line, number, [], text, "a line break outside of quotation marks")
    return Cells(line, number, found[0], text)
