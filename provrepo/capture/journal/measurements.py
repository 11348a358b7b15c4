"""Statistics of tables as measurements of the Data Quality Vocabulary (DQV): one for each value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from provrepo.capture.facts.tables import OTHERS
from provrepo.capture.journal.attributes import text, typed
from provrepo.capture.journal.events import Event
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import Attribute
from provrepo.vocab import DQV, PROVREPO

__all__ = ["Measured", "measured"]


class Measured(NamedTuple):
    """One value.

    Attributes:
        name: what it says, for people: ``height mean``.
        attributes: metric and value and, where it has them, column and category.
    """

    name: str
    attributes: tuple[Attribute, ...]


def measured(stats: Event) -> Iterator[Measured]:
    """The values of an event that describes a table (``provrepo.capture.facts.tables``)."""
    shape = stats["shape"]
    yield _measured("row count", "rowCount", _integer(shape[0]))
    if len(shape) == 2:
        yield _measured("column count", "columnCount", _integer(shape[1]))
    elif len(shape) > 2:
        yield _measured("shape", "shape", text(DQV + "value", " × ".join(map(str, shape))))
    for column, count in stats.get("missing", {}).items():
        yield _measured(f"{column} missing", "missing", _integer(count), column)
    for metric in ("mean", "deviation"):
        for column, value in stats.get(metric, {}).items():
            yield _measured(f"{column} {metric}", metric, typed(DQV + "value", repr(float(value)), "double"), column)
    for column, labels in stats.get("labels", {}).items():
        for label, count in labels.items():
            category = () if label == OTHERS else (text(PROVREPO + "category", label),)
            yield _measured(f"{column} {label}", "frequency", _integer(count), column, *category)


def _measured(name: str, metric: str, value: Attribute, column: str | None = None, *more: Attribute) -> Measured:
    of_column = () if column is None else (text(PROVREPO + "column", column),)
    kind = Identifier(DQV + "isMeasurementOf"), Identifier(PROVREPO + metric)
    return Measured(name, (kind, value, *of_column, *more))


def _integer(count: int) -> Attribute:
    return typed(DQV + "value", str(count), "integer")
