"""A log with its mapping as the bytes of documents. A large log becomes several documents of whole rows."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

from provrepo.codecs.formats import content
from provrepo.errors import ReadError
from provrepo.importers.archives import packed
from provrepo.importers.logs.mapping import FORMAT, Mapping
from provrepo.importers.logs.records import Records
from provrepo.importers.logs.rows import Log, Row, opened
from provrepo.importers.parts import Part, Skipped
from provrepo.importers.sources import SourceFile, file_of, files_of, is_hidden

__all__ = ["LOG", "MAPPING_FILE", "MAX_ROWS", "SUFFIX", "logs_in", "parts_of_log"]

MAPPING_FILE = "mapping.toml"
"""The name of the mapping in an archive."""

LOG = "log/"
"""The folder of the log in an archive."""

SUFFIX = ".mapping.toml"
"""The end of the name of a mapping file, which begins with that of its log."""

MAX_ROWS = 10_000
"""The most rows of one document; a log that grows keeps its first documents."""

_MAX_BYTES = 4 * 1024 * 1024
_MOST = 100
"""Rows that cannot be read that are named; of more the number is."""


def parts_of_log(log: SourceFile, mapping: bytes, place: str, called: str | None = None) -> Iterator[Part | Skipped]:
    """The documents of a log, and its rows that cannot be read. The log is read once, row by row.

    Args:
        log: the file.
        mapping: the mapping file.
        place: its name, for messages.
        called: the name of the document; by default the path of the log. Further documents have a number.

    Raises:
        ReadError: the mapping or the headings of the log cannot be used.
        OSError: the log cannot be read.
    """
    parsed = Mapping.parse(mapping, place)
    member = LOG + (PurePosixPath(log.path.replace("\\", "/")).name or "log")
    stem = called or log.path.rpartition(".")[0] or log.path
    left_out = number = 0
    with log.open() if log.open is not None else BytesIO(log.read(log.size)) as file:
        read = opened(file, parsed.layout)
        records = Records(parsed)
        records.check(read)
        blocks = _blocks(read, records)
        block = next(blocks, None)
        if block is None:
            yield Skipped(log.place, "it has no rows")
        while block is not None:
            for line, problem, is_left_out in records.problems:
                left_out += is_left_out
                if is_left_out and left_out <= _MOST:
                    yield Skipped(f"{log.place}: line {line}", problem)
            records.problems.clear()
            understood = bool(records.runs)
            records.runs.clear()
            number, following = number + 1, next(blocks, None)
            if not understood:
                block = following
                continue
            if number == 1 and following is None:
                data = log.read(log.size)
            elif any(not row.text for row in block):
                yield Skipped(
                    log.place, f"an array of more than {MAX_ROWS:,} members; write one JSON object in each line"
                )
                return
            else:
                data = read.encoded("".join(row.text for row in block))
            name = stem if number == 1 else f"{stem}-{number}"
            yield Part(name, packed(FORMAT, {MAPPING_FILE: mapping, member: data}), FORMAT, log.place)
            block = following
    if left_out > _MOST:
        yield Skipped(log.place, f"{left_out - _MOST:,} more rows cannot be read")


def _blocks(log: Log, records: Records) -> Iterator[list[Row]]:
    """The rows of each document."""
    rows: list[Row] = []
    size = 0
    for row in log.rows:
        records.add(row, log)
        rows.append(row)
        size += len(row.text)
        if len(rows) >= MAX_ROWS or size >= _MAX_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def logs_in(
    source: str | Path | bytes, mapping: str | Path | bytes, *, name: str | None, file: str | None
) -> Iterator[Part | Skipped]:
    """The documents of a log, or of all logs of a folder that are written alike.

    Args:
        source: the path of the log or folder, or the bytes of the log.
        mapping: the path of the mapping file, or its bytes.
        name: the name of the document; for a folder the beginning of the names.
        file: the name of the log, where its bytes are given.

    Raises:
        ReadError: the mapping or the log cannot be read.
    """
    rules, opened_mapping = content(mapping)
    place = opened_mapping or "the mapping"
    Mapping.parse(rules, place)
    if isinstance(source, bytes):
        path = file or "log"
        yield from parts_of_log(SourceFile(path, path, len(source), lambda most: source[:most]), rules, place, name)
        return
    found = Path(source)
    files = files_of(found) if found.is_dir() else [file_of(found)]
    for each in files:
        if is_hidden(each.path) or (found.is_dir() and each.path.endswith(SUFFIX)):
            continue
        called = (
            name if not found.is_dir() else "-".join(filter(None, [name, *each.path.rpartition(".")[0].split("/")]))
        )
        try:
            yield from parts_of_log(each, rules, place, called)
        except ReadError as error:
            if not found.is_dir():
                raise
            yield Skipped(each.place, error.message)
        except OSError as error:
            yield Skipped(each.place, error.strerror or str(error))
