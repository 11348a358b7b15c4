"""The formats in which a whole project is exported; ``provrepo.codecs.formats`` has those of one document."""

from __future__ import annotations

from dataclasses import dataclass

from provrepo.codecs.formats import by_name
from provrepo.errors import UnknownFormat

__all__ = ["EXPORTS", "ProjectFormat", "of_suffix", "project_format"]


@dataclass(frozen=True, slots=True)
class ProjectFormat:
    """One row of the table.

    Attributes:
        name: its identifier for callers.
        title: its name for people.
        suffix: of its files.
        media_type: to send.
        readers: tools that read it.
        versions: the versions of them, or of the format.
        graph: whether it has things and relations; otherwise it is a table of relations.
    """

    name: str
    title: str
    suffix: str
    media_type: str
    readers: tuple[str, ...]
    versions: str = ""
    graph: bool = False


def _graph(name: str) -> ProjectFormat:
    row = by_name(name)
    return ProjectFormat(name, row.title, row.suffixes[0], row.media_type, row.readers, row.versions, graph=True)


EXPORTS: dict[str, ProjectFormat] = {
    row.name: row
    for row in (
        ProjectFormat("csv", "CSV", ".csv", "text/csv", ("DuckDB", "pandas"), "RFC 4180"),
        ProjectFormat(
            "parquet",
            "Parquet",
            ".parquet",
            "application/vnd.apache.parquet",
            ("DuckDB", "pandas", "Polars", "Spark"),
            "Parquet 2.6, zstd",
        ),
        _graph("graphml"),
        _graph("neo4j"),
    )
}
"""The rows by name."""


def of_suffix(name: str) -> ProjectFormat | None:
    """The row of a file name's suffix; None if none has it."""
    return next((row for row in EXPORTS.values() if name.lower().endswith(row.suffix)), None)


def project_format(name: str) -> ProjectFormat:
    """The row with a name.

    Raises:
        UnknownFormat: there is none; the message lists all names.
    """
    found = EXPORTS.get(name)
    if found is None:
        raise UnknownFormat(f"a whole project cannot be exported as {name!r}; there are: {', '.join(EXPORTS)}")
    return found
