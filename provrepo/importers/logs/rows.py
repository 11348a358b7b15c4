"""The rows of a log, CSV or JSON lines, with their places; those that cannot be read say why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from provrepo.errors import ReadError
from provrepo.importers.json_values import parse, unwritable
from provrepo.importers.logs.mapping import FORMAT, Layout
from provrepo.importers.logs.tables import MAX_ROW, delimiter_of, rows_of

__all__ = ["Log", "Row", "opened"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        line: the line on which it begins, from 1.
        text: its text, with the end of its line.
        values: heading or member → value; those without a value are left out.
        problem: why it cannot be read; empty if it can.
    """

    line: int
    text: str
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(slots=True)
class Log:
    """A log that is being read.

    Attributes:
        head: the text before the first row, with the row of headings.
        columns: the names of its columns, each different; empty for JSON lines.
        rows: its rows, which are read as they are asked for.
        encoding: of its text.
    """

    head: str
    columns: Sequence[str]
    rows: Iterator[Row]
    encoding: str

    def named(self, column: str) -> list[str]:
        """The columns that a mapping names: all with this heading, or a single one, ``heading#2``."""
        if column in self.columns and f"{column}#2" not in self.columns:
            return [column]
        if column.endswith("#1") and column[:-2] in self.columns:
            return [column[:-2]]
        return [each for each in self.columns if each == column or _heading(each) == column]

    def encoded(self, rows: str) -> bytes:
        """The bytes of a log with the beginning of this one and these rows."""
        errors = "strict" if "16" in self.encoding else "surrogateescape"
        return (self.head + rows).encode(self.encoding, errors)


def _heading(column: str) -> str:
    before, mark, number = column.rpartition("#")
    return before if mark and number.isdigit() else column


def opened(file: BinaryIO, layout: Layout) -> Log:
    """Begin to read a log.

    Args:
        file: at its beginning.
        layout: how it is written.

    Raises:
        ReadError: it has no text of this encoding, or no headings.
    """
    encoding = layout.encoding or _encoding(file)
    wide = encoding.replace("-", "").replace("_", "").startswith("utf16")
    text = io.TextIOWrapper(file, encoding, errors="strict" if wide else "surrogateescape", newline="")
    lines = _lines(text, encoding)
    head = "".join(next(lines, "") for _ in range(layout.skip))
    first, skipped = _first(lines, layout)
    head += skipped
    number = head.count("\n") + (head.count("\r") - head.count("\r\n")) + 1
    if layout.format == "jsonl" or (not layout.format and first.lstrip()[:1] in ("{", "[")):
        return Log(head, (), _objects(first, lines, layout, number), encoding)
    return _table(first, lines, layout, head, number, encoding)


def _encoding(file: BinaryIO) -> str:
    start = file.read(3)
    file.seek(0)
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _lines(text: io.TextIOWrapper, encoding: str) -> Iterator[str]:
    number = 1
    while True:
        try:
            line = text.readline(MAX_ROW)
        except UnicodeError as error:
            message = f"line {number} is not {encoding}; state the encoding in [log] encoding"
            raise ReadError(message, line=number, format=FORMAT) from error
        if not line:
            return
        yield line
        number += 1


def _first(lines: Iterator[str], layout: Layout) -> tuple[str, str]:
    """The first line that is a row or has headings, and the text before it."""
    before: list[str] = []
    for line in lines:
        if line.strip() and not _is_comment(line, layout):
            return line, "".join(before)
        before.append(line)
    return "", "".join(before)


def _is_comment(line: str, layout: Layout) -> bool:
    return bool(layout.comment) and line.lstrip().startswith(layout.comment)


def _rest(first: str, lines: Iterator[str], layout: Layout) -> Iterator[str]:
    """The lines of rows; comments become empty lines, so that the numbers of lines stay."""
    yield first
    for line in lines:
        yield "\n" if _is_comment(line, layout) else line


# CSV ---------------------------------------------------------------------------------------------------------------


def _table(first: str, lines: Iterator[str], layout: Layout, head: str, number: int, encoding: str) -> Log:
    delimiter = layout.delimiter or delimiter_of(first)
    found = rows_of(_rest(first, lines, layout), delimiter, layout.quote, number)
    titles: Sequence[str] = layout.columns
    if not titles:
        row = next(found, None)
        if row is None or row.problem or not any(cell.strip() for cell in row.cells):
            why = row.problem if row and row.problem else "it has no row"
            message = f"no headings: {why}; state them in [log] columns, if the log has none"
            raise ReadError(message, line=row.line if row else number, format=FORMAT)
        titles, head = [" ".join(cell.split()) for cell in row.cells], head + row.text
    columns = _named(titles)

    def rows() -> Iterator[Row]:
        for each in found:
            values = {
                name: cell.strip()
                for name, cell in zip(columns, each.cells, strict=False)
                if cell.strip() and cell.strip() not in layout.empty
            }
            problem = each.problem or _unreadable(each.text, encoding)
            if not problem and any(cell.strip() for cell in each.cells[len(columns) :]):
                problem = f"{len(each.cells)} cells, but there are {len(columns)} headings"
            if values or problem:
                yield Row(each.line, each.text, {} if problem else values, problem)

    return Log(head, columns, rows(), encoding)


def _named(titles: Sequence[str]) -> list[str]:
    """A name for each column: that of its heading, with a number from the second one on, or its own number."""
    found: list[str] = []
    for number, title in enumerate(titles, 1):
        name, count = title or f"#{number}", 2
        while name in found:
            name, count = f"{title}#{count}", count + 1
        found.append(name)
    return found


def _unreadable(text: str, encoding: str) -> str:
    if "\0" in text:
        return "a NUL: this is binary data, not text"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return f"bytes that are not {encoding.removesuffix('-sig')}; state the encoding in [log] encoding"
    return ""


# JSON ---------------------------------------------------------------------------------------------------------------


def _objects(first: str, lines: Iterator[str], layout: Layout, number: int) -> Iterator[Row]:
    if first.lstrip().startswith("["):
        yield from _of_array(first + "".join(lines), layout, number)
        return
    for line, text in enumerate(_rest(first, lines, layout), number):
        if text.strip():
            yield _object(line, text, layout)


def _of_array(text: str, layout: Layout, number: int) -> Iterator[Row]:
    """The members of an array, which is read at once."""
    try:
        for line, _, value in parse(text.encode("utf-8", "replace"), FORMAT):
            yield _checked(line + number - 1, "", value, layout)
    except (ReadError, RecursionError) as error:
        where = error.line if isinstance(error, ReadError) and error.line else 1
        yield Row(where + number - 1, "", {}, f"{_why(error)}; what follows is not read")


def _object(line: int, text: str, layout: Layout) -> Row:
    if not text.endswith(("\n", "\r")) and len(text) >= MAX_ROW:
        return Row(line, text, {}, f"more than {MAX_ROW:,} characters")
    if problem := _unreadable(text, "utf-8"):
        return Row(line, text, {}, problem)
    try:
        values = [value for _, _, value in parse(text.encode(), FORMAT)]
    except (ReadError, RecursionError) as error:
        return Row(line, text, {}, _why(error))
    if len(values) != 1:
        return Row(line, text, {}, f"{len(values)} values in one line")
    return _checked(line, text, values[0], layout)


def _why(error: Exception) -> str:
    return error.message if isinstance(error, ReadError) else "nested too deeply"


def _checked(line: int, text: str, value: Any, layout: Layout) -> Row:
    try:
        wrong = next(unwritable(value, ""), None)
    except RecursionError:
        return Row(line, text, {}, "nested too deeply")
    if wrong is not None:
        return Row(line, text, {}, f"{wrong.pointer}: {wrong.message}" if wrong.pointer else wrong.message)
    if not isinstance(value, dict):
        return Row(line, text, {}, "not a JSON object")
    return Row(line, text, {key: item for key, item in value.items() if not _is_empty(item, layout)})


def _is_empty(value: Any, layout: Layout) -> bool:
    return value is None or value in ("", [], {}) or (isinstance(value, str) and value.strip() in {"", *layout.empty})
