"""Small charts by month, as numbers for templates that draw them; the same numbers are in the JSON of the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Chart", "Column", "chart"]

_MONTHS = 12
_WIDTH, _HEIGHT = 30, 48
"""Of one column, and of the highest one, in units of the drawing."""


class Column(NamedTuple):
    """One month.

    Attributes:
        month: such as ``2026-03``.
        documents: the number of accepted versions.
        clean: those without findings.
        coverage: the mean coverage of their lineage in percent; None if nothing was measured.
        x: the left end of its column.
        height: of the bar for ``documents``.
        inner: of the bar for ``clean``.
    """

    month: str
    documents: int
    clean: int
    coverage: float | None
    x: int
    height: int
    inner: int


class Chart(NamedTuple):
    """The last months up to the newest one with a version; those without one are there too.

    Attributes:
        columns: the months, the oldest first.
        width: of the drawing.
        height: of the drawing.
        line: the points of the coverage, as SVG wants them; empty for less than two.
    """

    columns: Sequence[Column]
    width: int
    height: int
    line: str


def chart(over_time: Sequence[Mapping[str, Any]]) -> Chart:
    """The chart of ``over_time`` in the metrics of a project."""
    known = {str(each["month"]): each for each in over_time}
    months = _last(max(known)) if known else []
    most = max((known[month]["documents"] for month in months if month in known), default=0)
    columns = []
    for number, month in enumerate(months):
        found = known.get(month, {"documents": 0, "without_findings": 0, "coverage": None})
        documents, clean = found["documents"], found["without_findings"]
        heights = [round(_HEIGHT * value / most) if most else 0 for value in (documents, clean)]
        columns.append(Column(month, documents, clean, found["coverage"], number * _WIDTH, *heights))
    points = [
        f"{each.x + _WIDTH // 2},{round(_HEIGHT * (1 - each.coverage / 100), 1):g}"
        for each in columns
        if each.coverage is not None
    ]
    return Chart(columns, _WIDTH * max(1, len(columns)), _HEIGHT, " ".join(points) if len(points) > 1 else "")


def _last(month: str) -> list[str]:
    """The months up to one, the oldest first."""
    year, number = int(month[:-3]), int(month[-2:])
    ordinals = range(year * 12 + number - _MONTHS, year * 12 + number)
    return [f"{ordinal // 12:04}-{ordinal % 12 + 1:02}" for ordinal in ordinals]
