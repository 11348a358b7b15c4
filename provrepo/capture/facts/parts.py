"""Parts of entities: rows and columns of a table, a region of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from provrepo.capture.failures import contained, enabled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provrepo.capture.activities import Activity
    from provrepo.capture.journal.events import Event

    Rows = int | range | slice | str
    Columns = int | str | Sequence[int] | Sequence[str]
    Region = tuple[int, int, int, int] | str

__all__ = ["Part", "fragment", "select"]

_T = TypeVar("_T")


class Part(Generic[_T]):
    """A part of a value or file, made by ``select``.

    Steps take and return it like the value itself, which is ``whole``.

    Attributes:
        whole: the value, or the path of the file.
        rows: which rows, as given to ``select``.
        columns: which columns.
        region: which region.
        name: its name.
        by: the activity that selected it; None where capture was off.
    """

    def __init__(
        self, whole: _T, rows: Rows | None, columns: Columns | None, region: Region | None, name: str | None
    ) -> None:
        self.whole, self.rows, self.columns, self.region, self.name = whole, rows, columns, region, name
        self.by: Activity | None = None

    def __repr__(self) -> str:
        return f"<part {self.name or ''} of a {type(self.whole).__qualname__}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "by": None}

    def about(self) -> Event:
        """The fields that identify this part among those of the same whole, as text."""
        found = {"name": self.name, "rows": _rows(self.rows), "region": _region(self.region)}
        columns = _columns(self.columns)
        return {key: value for key, value in found.items() if value is not None} | (
            {"columns": columns} if columns else {}
        )


def select(
    whole: _T,
    *,
    rows: Rows | None = None,
    columns: Columns | None = None,
    region: Region | None = None,
    name: str | None = None,
) -> Part[_T]:
    """Name a part of a value or file, so that steps can use the part and not the whole.

    The part is an entity: the step that selects it uses the whole and generates the part from it. Nothing is copied:
    ``whole`` of the result is the argument.

    Args:
        whole: a value such as a table, or the path of a file.
        rows: a row, a range or a slice, counted from 0 without a header, as in ``iloc``; or text as in RFC 7111, which
            counts from 1 with the header: ``"2-101"``.
        columns: names of columns, or numbers counted from 0.
        region: left, top, width and height in pixels; or text as in Media Fragments: ``"percent:25,25,50,50"``.
        name: the name of the part.
    """
    part = Part(whole, rows, columns, region, name)
    if enabled():
        contained(_selected)(part)
    return part


def _selected(part: Part[Any]) -> None:
    from provrepo.capture.recorder import current

    activity = current()
    if activity is not None:
        part.by = activity
        activity.entity(part)


def _rows(rows: Rows | None) -> str | None:
    """Rows as text: numbers from 0, both ends included, ``*`` for the last row; or as in RFC 7111."""
    if isinstance(rows, int):
        return str(rows)
    if isinstance(rows, range):
        return f"{rows.start}-{rows[-1]}" + (f" step {rows.step}" if rows.step != 1 else "") if rows else "none"
    if isinstance(rows, slice):
        first = 0 if rows.start is None else int(rows.start)
        last = "*" if rows.stop is None else str(int(rows.stop) - 1)
        return f"{first}-{last}" + (f" step {int(rows.step)}" if rows.step not in (None, 1) else "")
    return rows if rows is None else f"row={rows}"


def _columns(columns: Columns | None) -> list[str] | None:
    if columns is None:
        return None
    return [str(columns)] if isinstance(columns, int | str) else [str(column) for column in columns]


def _region(region: Region | None) -> str | None:
    return region if region is None or isinstance(region, str) else ",".join(map(str, region))


def fragment(part: Part[Any], media: str) -> str | None:
    """The fragment identifier of a part of a file, where a standard defines one.

    Rows or columns of CSV: RFC 7111, section 2; regions of pictures: Media Fragments URI 1.0, section 4.2.2.

    Args:
        part: the part.
        media: the media type of the file.
    """
    if part.region is not None:
        return f"xywh={_region(part.region)}"
    if media != "text/csv":
        return None
    if part.rows is not None and part.columns is None:
        positions = _positions(part.rows)
        return f"row={positions}" if positions else None
    if part.columns is not None and part.rows is None:
        columns = [part.columns] if isinstance(part.columns, int | str) else list(part.columns)
        numbers = [column + 1 for column in columns if isinstance(column, int) and column >= 0]
        if numbers and len(numbers) == len(columns):
            return "col=" + ";".join(map(str, numbers))
    return None


def _positions(rows: Rows) -> str | None:
    """Rows as RFC 7111 counts them: from 1, with the header."""
    if isinstance(rows, str):
        return rows
    if isinstance(rows, int):
        return str(rows + 2) if rows >= 0 else None
    if isinstance(rows, range):
        return f"{rows.start + 2}-{rows[-1] + 2}" if rows and rows.step == 1 and rows.start >= 0 else None
    start, stop = rows.start or 0, rows.stop
    if rows.step not in (None, 1) or start < 0 or (stop is not None and stop <= start):
        return None
    return f"{start + 2}-{'*' if stop is None else stop + 1}"
