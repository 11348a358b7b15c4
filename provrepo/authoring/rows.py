"""Rows of a table (CSV) as steps: each row is one step, and a mapping says which column is which field."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provrepo.authoring.fields import FIELDS, Field, FieldError
from provrepo.authoring.steps import DescribedStep, described
from provrepo.errors import ReadError, UsageError
from provrepo.importers.logs.tables import Cells, delimiter_of, rows_of

__all__ = ["Problem", "Rows", "RowsError", "read"]

SEPARATOR = ";"
"""Between several values in one cell."""
_MOST = 100
"""Problems that are collected before reading ends."""
_FIELDS = {field.name: field for field in FIELDS}


class Problem(NamedTuple):
    """One wrong cell.

    Attributes:
        row: its number in a spreadsheet, where the row of headings is the first.
        columns: the headings of the columns that the field comes from; empty if it comes from none.
        field: the name of the field.
        message: what is wrong.
    """

    row: int
    columns: tuple[str, ...]
    field: str
    message: str

    def __str__(self) -> str:
        names = " and ".join(self.columns)
        where = f"column{'s' if len(self.columns) > 1 else ''} {names}" if names else self.field
        return f"row {self.row}, {where}: {self.message}"


class RowsError(UsageError):
    """Rows that are no steps; nothing of the table is recorded.

    Attributes:
        problems: all of them, up to a hundred.
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{name}: {problems[0]}{more}")


class Rows(NamedTuple):
    """What a table says.

    Attributes:
        steps: one for each row that is not empty, in order.
        unused: the headings of the columns that no field comes from.
    """

    steps: tuple[DescribedStep, ...]
    unused: tuple[str, ...]


def read(
    data: bytes,
    name: str,
    mapping: Sequence[tuple[str, str]],
    others: Mapping[str, Sequence[str]],
    *,
    here: bool = False,
) -> Rows:
    """Read the steps of a table.

    A column whose heading is the name of a field is that field, without regard to case. Columns are separated by
    commas, semicolons, tabs or bars, as in the row of headings. A cell of a field that may have several values has them
    separated by semicolons. A field that is mapped to several columns has the values of all of them; two columns of
    ``when`` are start and end. A column of ``parameter`` is the setting that its heading names.

    Args:
        data: the table, in UTF-8, with headings in its first row.
        name: of the file, for messages.
        mapping: pairs of a field and the heading of a column, instead of headings that are names of fields.
        others: values of fields for rows in which the table has none.
        here: as for ``described``.

    Raises:
        ReadError: it is not a table in UTF-8 with headings.
        UsageError: the mapping names a field or column that does not exist, or a required field comes from nowhere.
        RowsError: cells are wrong.
    """
    head, rows = _table(data, name)
    columns = _columns(head, name, mapping, others)
    steps: list[DescribedStep] = []
    problems: list[Problem] = []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if any(cell.strip() for cell in row[len(head) :]):
            problems.append(Problem(number, (), "cells", f"{len(row)} cells, but there are {len(head)} headings"))
        else:
            try:
                steps.append(described(_values(row, head, columns, others), here=here))
            except FieldError as error:
                problems.append(Problem(number, _headings(head, columns, error.field), error.field, error.message))
            except OSError as error:
                problems.append(Problem(number, (), "file", f"{error.filename}: {error.strerror}"))
        if len(problems) >= _MOST:
            break
    if problems:
        raise RowsError(name, problems)
    if not steps:
        raise ReadError(f"{name} has no rows below its headings")
    used = {place for places in columns.values() for place in places}
    return Rows(tuple(steps), tuple(title for place, title in enumerate(head) if title and place not in used))


def _table(data: bytes, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The headings, and the numbered rows below them."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{name} is not UTF-8 (byte {error.start}); save it as CSV in UTF-8, with headings in its first row"
        ) from None
    delimiter = delimiter_of(text.lstrip().partition("\n")[0])
    rows = _parsed(rows_of(io.StringIO(text, newline=""), delimiter), name)
    _, head = next(rows, (1, []))
    head = [" ".join(title.split()) for title in head]
    if not any(head):
        raise ReadError(f"{name} has no headings in its first row")
    twice = next((title for title in head if title and head.count(title) > 1), None)
    if twice is not None:
        raise ReadError(f"{name} has two columns with the heading {twice!r}")
    return head, rows


def _parsed(rows: Iterator[Cells], name: str) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        if row.problem:
            raise ReadError(f"{name}, row {row.number}: {row.problem}")
        yield row.number, list(row.cells)


def _columns(
    head: Sequence[str], name: str, mapping: Sequence[tuple[str, str]], others: Mapping[str, Sequence[str]]
) -> dict[str, list[int]]:
    """The places of the columns of each field."""
    found: dict[str, list[int]] = {}
    for field, title in mapping:
        if field not in _FIELDS:
            raise UsageError(f"a step has no field {field[:100]!r}; it has: {', '.join(_FIELDS)}")
        wanted = " ".join(title.split())
        if wanted not in head:
            raise UsageError(f"{name} has no column {title[:100]!r}; it has: {', '.join(filter(None, head))}")
        found.setdefault(field, []).append(head.index(wanted))
    mapped = {place for places in found.values() for place in places}
    for place, title in enumerate(head):
        if (field := title.casefold()) in _FIELDS and field not in dict(mapping) and place not in mapped:
            found[field] = [place]
    for each in FIELDS:
        if len(found.get(each.name, ())) > 1 and not each.several and each.name != "when":
            raise UsageError(f"{each.name} is mapped to {len(found[each.name])} columns; it has one value")
        if each.required and each.name not in found and not others.get(each.name):
            raise UsageError(f"{name} has no column for {each.name!r}: map one to it, or give one value for all rows")
    return found


def _values(
    row: Sequence[str], head: Sequence[str], columns: Mapping[str, list[int]], others: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field in FIELDS:
        cells = [(head[place], row[place].strip()) for place in columns.get(field.name, ()) if place < len(row)]
        values = _of_cells(field, [(title, cell) for title, cell in cells if cell])
        found[field.name] = values or list(others.get(field.name, ()))
    return found


def _of_cells(field: Field, cells: Sequence[tuple[str, str]]) -> list[str]:
    if field.name == "when":
        return ["/".join(cell for _, cell in cells)] if cells else []
    if field.name == "parameter":
        # A column with that name itself has whole settings.
        whole = [cell for title, cell in cells if title.casefold() == field.name]
        return [each for cell in whole for each in cell.split(SEPARATOR)] + [
            f"{title}={cell}" for title, cell in cells if title.casefold() != field.name
        ]
    return [each for _, cell in cells for each in (cell.split(SEPARATOR) if field.several else [cell])]


def _headings(head: Sequence[str], columns: Mapping[str, list[int]], field: str) -> tuple[str, ...]:
    return tuple(head[place] for place in columns.get(field, ()))
