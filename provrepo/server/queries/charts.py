"""Results of queries as charts, drawn on the server: bars where a column has numbers, a timeline for times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from provrepo.drawing.markup import coord, escaped, tooltip
from provrepo.drawing.text import clean, fit
from provrepo.model.identifiers import Literal, Value
from provrepo.vocab import XSD

__all__ = ["MOST_CHARTED", "Chart", "chart"]

MOST_CHARTED = 40
"""The most rows that a chart shows."""

_NUMBERS = frozenset(
    XSD + name
    for name in ("integer", "decimal", "double", "float", "long", "int", "short", "byte", "nonNegativeInteger")
)
_TIMES = frozenset({XSD + "dateTime", XSD + "date"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

_WIDTH, _NAMES, _ROW, _VALUES = 720.0, 220.0, 22.0, 160.0
_LONG = 14
"""Digits of a number for which there is no room."""

_FONT = 12.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn result.

    Attributes:
        svg: an ``svg`` element, which escapes every label itself.
        words: what it shows, for people.
    """

    svg: str
    words: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """A row of a chart: its name, where its bar starts and ends, its value, and the value as far as there is room."""

    name: str
    start: float
    end: float
    text: str
    short: str


def chart(
    columns: Sequence[str],
    rows: Sequence[Sequence[Value | None]],
    names: Sequence[Sequence[str]],
    *,
    before: int = 0,
    total: int | None = None,
) -> Chart | None:
    """The chart that fits the columns of a result; None where none does.

    Two columns of times are bars from one to the other, one is a point each; else the last column of numbers is a bar
    each, which start at zero. A column counts where each of its values is such a literal.

    Args:
        columns: the names of the variables.
        rows: at least one.
        names: the same values as texts for people.
        before: the number of rows of the result before these.
        total: the number of all rows of the result; None where these are all.
    """
    total = len(rows) if total is None else total
    rows, names = rows[:MOST_CHARTED], names[:MOST_CHARTED]
    if len(rows) < 2:
        return None
    times = [index for index in range(len(columns)) if all(_time(row[index]) is not None for row in rows)]
    numbers = [index for index in range(len(columns)) if all(_number(row[index]) is not None for row in rows)]
    others = [index for index in range(len(columns)) if index not in (*times, *numbers)]
    if not others:
        return None
    called = [" · ".join(part for part in (each[index] for index in others[:2]) if part) for each in names]
    whole = len(rows) == total
    which = "each row" if whole else f"each of rows {before + 1:,} to {before + len(rows):,} of {total:,}"
    if times:
        first, last = times[0], times[1] if len(times) > 1 else times[0]
        return _timeline(columns, rows, called, first, last, which)
    if numbers:
        return _bars(columns[numbers[-1]], [row[numbers[-1]] for row in rows], called, which)
    return None


def _number(value: Value | None) -> float | None:
    if not isinstance(value, Literal) or value.datatype not in _NUMBERS or not _NUMBER.fullmatch(value.lexical):
        return None
    found = float(value.lexical)
    return found if abs(found) < 1e300 else None


def _time(value: Value | None) -> float | None:
    """Seconds since 1970; a time without a zone counts as UTC."""
    if not isinstance(value, Literal) or value.datatype not in _TIMES:
        return None
    try:
        found = datetime.fromisoformat(value.lexical.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _bars(column: str, values: Sequence[Value | None], called: Sequence[str], which: str) -> Chart:
    found = [_number(value) or 0.0 for value in values]
    shown = [value.lexical if isinstance(value, Literal) else "" for value in values]
    marks = [
        # A number that is too long is rounded: its first digits would be another one.
        _Mark(name, min(0.0, number), max(0.0, number), text, text if len(text) < _LONG else f"≈ {number:.6g}")
        for name, number, text in zip(called, found, shown, strict=True)
    ]
    return _drawn(marks, min(0.0, *found), max(0.0, *found), f"{column}, a bar for {which}")


def _timeline(
    columns: Sequence[str],
    rows: Sequence[Sequence[Value | None]],
    called: Sequence[str],
    first: int,
    last: int,
    which: str,
) -> Chart:
    marks = []
    for row, name in zip(rows, called, strict=True):
        ends = sorted((_time(row[first]) or 0.0, _time(row[last]) or 0.0))
        written = dict.fromkeys(value.lexical for index in (first, last) if isinstance(value := row[index], Literal))
        days = dict.fromkeys(each.partition("T")[0] for each in written)
        marks.append(_Mark(name, ends[0], ends[1], " – ".join(written), " – ".join(days)))
    words = columns[first] if first == last else f"from {columns[first]} to {columns[last]}"
    return _drawn(
        marks, min(m.start for m in marks), max(m.end for m in marks), f"Timeline: {words}, a bar for {which}"
    )


def _drawn(marks: Sequence[_Mark], low: float, high: float, words: str) -> Chart:
    room = _WIDTH - _NAMES - _VALUES
    unit = room / ((high - low) or 1.0)
    height = len(marks) * _ROW + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{escaped(words)}" '
        f'viewBox="0 0 {coord(_WIDTH)} {coord(height)}">'
    ]
    for index, mark in enumerate(marks):
        y = index * _ROW + 4
        left = _NAMES + (mark.start - low) * unit
        breadth = max((mark.end - mark.start) * unit, 2.0)
        parts.append(
            f"<g>{tooltip(f'{mark.name}: {mark.text}')}"
            f'<text class="who" x="{coord(_NAMES - 8)}" y="{coord(y + 14)}" text-anchor="end">'
            f"{escaped(fit(clean(mark.name), _FONT, _NAMES - 12))}</text>"
            f'<rect x="{coord(left)}" y="{coord(y + 3)}" width="{coord(breadth)}" height="{coord(_ROW - 7)}"/>'
            f'<text class="much" x="{coord(left + breadth + 5)}" y="{coord(y + 14)}">{escaped(mark.short)}</text></g>'
        )
    base = _NAMES + (0.0 - low) * unit if low <= 0.0 <= high else _NAMES
    parts.append(f'<path class="base" d="M{coord(base)} 0V{coord(height)}"/></svg>')
    return Chart("".join(parts), words)
