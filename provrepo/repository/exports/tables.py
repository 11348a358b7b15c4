"""Tables of relations, row after row: CSV, and Parquet by pyarrow."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import IO, Any

from provrepo.codecs.property_graph.graph import Origin, PropertyEdge
from provrepo.errors import NotAvailable

__all__ = ["COLUMNS", "CsvTable", "ParquetTable", "RelationTable", "table"]

COLUMNS = ("subject", "relation", "object", "activity", "project", "time", "document", "version", "sequence")
"""The columns: those of a relation, and of the version that asserts it."""

_ROWS = 50_000
"""Rows that are in memory at a time, and in one row group of Parquet."""


class RelationTable(ABC):
    """A table that is being written.

    Attributes:
        untimed: the number of times that its column cannot have.
    """

    untimed = 0

    @abstractmethod
    def add(self, edge: PropertyEdge) -> None:
        """Add the row of a relation, which has an origin."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left."""


class CsvTable(RelationTable):
    """CSV (RFC 4180) with heads; times as they were written."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin the table in a file."""
        self._file = file
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(COLUMNS)
        self._count = 0

    def add(self, edge: PropertyEdge) -> None:
        """Add a row."""
        project, document, version, sequence = edge.origin or Origin("", "", 0)
        self._writer.writerow(
            (edge.source, edge.relation, edge.target, edge.activity, project, edge.time, document, version, sequence)
        )
        self._count += 1
        if self._count % _ROWS == 0:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()

    def _flush(self) -> None:
        self._file.write(self._text.getvalue().encode("utf-8", "replace"))
        self._text.seek(0)
        self._text.truncate()


class ParquetTable(RelationTable):
    """Parquet, compressed with zstd. Times are in UTC; one without a zone, which has no place in time, is null."""

    def __init__(self, file: IO[bytes], about: dict[str, Any]) -> None:
        """Begin the table in a file.

        Args:
            file: gets the bytes, from the first to the last.
            about: the description of the export, as JSON in the metadata of the file under ``provrepo``.

        Raises:
            NotAvailable: pyarrow is not installed.
        """
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise NotAvailable("Parquet needs the package pyarrow: pip install 'provrepo[parquet]'") from error
        kinds = {"time": pyarrow.timestamp("us", "UTC"), "version": pyarrow.int32(), "sequence": pyarrow.int64()}
        schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
        self._schema = schema.with_metadata({"provrepo": json.dumps(about, sort_keys=True)})
        self._pyarrow = pyarrow
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, edge: PropertyEdge) -> None:
        """Add a row."""
        project, document, version, sequence = edge.origin or Origin("", "", 0)
        time = _moment(edge.time)
        self.untimed += bool(edge.time) and time is None
        self._rows.append(
            (
                *(edge.source, edge.relation, edge.target or None, edge.activity or None),
                *(project, time, document, version, sequence),
            )
        )
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            columns = [list(column) for column in zip(*self._rows, strict=True)]
            self._writer.write_table(self._pyarrow.table(columns, schema=self._schema))
            self._rows.clear()


def table(name: str, file: IO[bytes], about: dict[str, Any]) -> RelationTable:
    """A table of relations in a file, in a format of ``EXPORTS`` that is no graph.

    Raises:
        NotAvailable: a package for it is not installed.
    """
    return ParquetTable(file, about) if name == "parquet" else CsvTable(file)


def _moment(lexical: str) -> datetime | None:
    """A time in UTC; None for one without a zone, or that Python cannot represent."""
    try:
        moment = datetime.fromisoformat(lexical.strip())
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
