"""The description of a table: shape, missing values, mean and deviation of numbers, distribution of labels.

Tables of pandas and Polars and arrays of NumPy are recognized by their attributes; the packages are never imported. A
description is bounded and describes no small groups: each mean and each label covers ``FEWEST`` rows or more.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from provrepo.capture.failures import contained
from provrepo.model.secrets import secret_name, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provrepo.capture.journal.events import Event

__all__ = ["COLUMNS", "FEWEST", "LABELS", "OTHERS", "described"]

COLUMNS = 50
"""Columns that are described, from the left."""
LABELS = 10
"""Labels of a column; a column with more is described without labels."""
OTHERS = "(others)"
"""In place of the labels of few rows, which are counted together."""
FEWEST = 5
"""The fewest rows that a mean, a deviation or a label covers."""


class _Column(NamedTuple):
    """The description of a column.

    Attributes:
        missing: the number of missing values.
        numbers: mean and sample standard deviation, for a column of numbers.
        labels: how often each label occurs, where there are few.
    """

    missing: int
    numbers: tuple[float, float] | None
    labels: dict[str, int] | None


def described(value: Any) -> Event | None:
    """Describe a table, a column or an array, as fields of an event; None for anything else."""
    shape = _shape(value)
    if shape is None:
        return None
    found: Event = {"shape": shape, "missing": {}, "mean": {}, "deviation": {}, "labels": {}}
    for title, reader, data in _columns(value, shape):
        column = None if secret_name(title) else contained(reader)(data, shape[0])
        if column is None:
            continue
        name = text(title)
        if column.missing:
            found["missing"][name] = column.missing
        if column.numbers and shape[0] - column.missing >= FEWEST and all(map(math.isfinite, column.numbers)):
            found["mean"][name], found["deviation"][name] = column.numbers
        if column.labels:
            found["labels"][name] = column.labels
    return {key: value for key, value in found.items() if value}


def _shape(value: Any) -> list[int] | None:
    """The shape of a table or array; None for anything else."""
    kind = type(value)
    if not (hasattr(kind, "__array_interface__") or hasattr(kind, "iloc") or hasattr(kind, "null_count")):
        return None
    shape = getattr(value, "shape", None)
    return [int(size) for size in shape] if isinstance(shape, tuple) and shape else None


def _columns(value: Any, shape: list[int]) -> Iterator[tuple[str, Any, Any]]:
    """Name, reader and data of each column that is described."""
    kind = type(value)
    count = min(shape[1], COLUMNS) if len(shape) == 2 else 1
    if hasattr(kind, "get_columns"):
        yield from ((str(column.name), _polars, column) for column in value.get_columns()[:count])
    elif hasattr(kind, "iloc"):
        if len(shape) == 2:
            yield from ((str(value.columns[n]), _pandas, value.iloc[:, n]) for n in range(count))
        else:
            yield str(value.name or "values"), _pandas, value
    elif hasattr(kind, "null_count"):
        yield str(value.name or "values"), _polars, value
    elif len(shape) == 1:
        yield "values", _numpy, value
    elif len(shape) == 2:
        yield from ((str(n), _numpy, value[:, n]) for n in range(count))


def _pandas(column: Any, rows: int) -> _Column:
    kind = column.dtype.kind
    missing = int(column.isna().sum())
    numbers = (float(column.mean()), float(column.std())) if kind in "iuf" and rows > missing else None
    try:
        few = kind not in "fcMm" and int(column.nunique()) <= LABELS
    except TypeError:  # lists and the like are no labels
        few = False
    return _Column(missing, numbers, _labels(column.value_counts().items()) if few else None)


def _polars(column: Any, rows: int) -> _Column:
    kind = column.dtype
    missing = int(column.null_count())
    numbers = (float(column.mean()), float(column.std() or 0.0)) if kind.is_numeric() and rows > missing else None
    label = not (kind.is_float() or kind.is_temporal() or kind.is_nested())
    few = label and int(column.n_unique()) <= LABELS + 1
    known = column.drop_nulls()
    return _Column(missing, numbers, _labels(known.value_counts().rows()) if few else None)


def _numpy(column: Any, rows: int) -> _Column:
    kind = column.dtype.kind
    known = column[column == column] if kind == "f" else column  # noqa: PLR0124 (what is not a number is not itself)
    missing = rows - len(known)
    numbers = (float(known.mean()), float(known.std(ddof=1))) if kind in "iuf" and len(known) > 1 else None
    if kind not in "biuUS":
        return _Column(missing, numbers, None)
    found, counts = sys.modules["numpy"].unique(column, return_counts=True)
    few = len(found) <= LABELS
    return _Column(missing, numbers, _labels(zip(found.tolist(), counts.tolist(), strict=True)) if few else None)


def _labels(counts: Iterable[tuple[object, int]]) -> dict[str, int]:
    """How often each label occurs; labels of few rows are counted together."""
    found: dict[str, int] = {}
    others = 0
    for label, count in counts:
        if count >= FEWEST:
            found[text(str(label))] = int(count)
        else:
            others += int(count)
    ordered = dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
    return ordered | ({OTHERS: others} if ordered and others else {})
