"""The codec of logs of one's own: a table or JSON lines, with a mapping file that says which column is what.

The document's bytes are an archive with both (``provrepo.importers.archives``), so that a rebuild gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from provrepo.errors import ReadError
from provrepo.importers.archives import unpacked
from provrepo.importers.logs.archive import LOG, MAPPING_FILE, SUFFIX, parts_of_log
from provrepo.importers.logs.mapping import FORMAT
from provrepo.importers.logs.mapping import Mapping as LogMapping
from provrepo.importers.logs.records import Records
from provrepo.importers.logs.rows import opened
from provrepo.importers.logs.statements import state_runs
from provrepo.importers.names import below, segment
from provrepo.importers.parts import Collected, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.sources import SourceFile
from provrepo.importers.statements import Statements, words
from provrepo.model.document import Document, ReaderWarning, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, MLS, PROVREPO, RDF, RDFS, RDFS_LABEL, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "collect", "read"]

MAPPING = "log/1"
"""The version of the mapping from rows to statements."""

ROOT = "https://w3id.org/provrepo/log/"
"""The beginning of minted names, where the caller gives no base IRI."""

_MOST = 100
"""Findings about rows; of more the number is said."""

_PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "mls": MLS,
    "ol": "https://w3id.org/provrepo/openlineage#",
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read a log as a document.

    Args:
        data: an archive of ``mapping.toml`` and the log, as ``provrepo import`` makes it.
        format: ``log``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: no such archive, a mapping that cannot be read, or a log without the columns that it names.
    """
    if not data.startswith(b"PK"):
        advice = "a log is imported with a mapping file: provrepo import LOG --mapping FILE; see --suggest-mapping"
        raise ReadError(advice, format=FORMAT)
    files = unpacked(data, format)
    logs = [path for path in files if path.startswith(LOG)]
    if len(logs) != 1 or len(files) != 2 or MAPPING_FILE not in files:
        raise ReadError(f"this archive has not {MAPPING_FILE} and one log beside it", format=FORMAT)
    mapping = LogMapping.parse(files[MAPPING_FILE])
    records = Records(mapping)
    log = opened(BytesIO(files[logs[0]]), mapping.layout)
    records.check(log)
    for row in log.rows:
        records.add(row, log)
    root = f"{below(base, ROOT)}{segment(mapping.layout.name)}/"
    statements, findings = Statements(), _Findings()
    for line, message, left_out in records.problems:
        findings.add(line, message, left_out)
    state_runs(statements, root, mapping, records, findings.add)
    label = words(RDFS_LABEL, f"log {mapping.layout.name}")
    state_payload(statements, f"{root}import/{sha256(data).hexdigest()}", data, MAPPING, label)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings(logs[0].removeprefix(LOG))
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """The logs of a folder that have a mapping file beside them: ``NAME`` and ``NAME.mapping.toml``."""
    by_path = {file.path: file for file in files}
    for path, mapping in by_path.items():
        if not path.endswith(SUFFIX):
            continue
        log = by_path.get(path.removesuffix(SUFFIX))
        taken = frozenset({path, *([log.path] if log else [])})
        if log is None:
            yield Collected(Skipped(mapping.place, "there is no log of this name beside it"), taken)
            continue
        try:
            for part in parts_of_log(log, mapping.read(mapping.size), mapping.place):
                yield Collected(part, taken)
        except ReadError as error:
            yield Collected(Skipped(log.place, error.message), taken)
        except OSError as error:
            yield Collected(Skipped(log.place, error.strerror or str(error)), taken)


class _Findings:
    """What is said of rows: each row by itself, of the same message only the first and the number."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, bool], list[int]] = {}

    def add(self, line: int, message: str, left_out: bool = False) -> None:
        self._found.setdefault((message, left_out), []).append(line)

    def warnings(self, log: str) -> list[ReaderWarning]:
        """As warnings: a row that is left out is one by itself, with its line."""
        each = [
            (line, message, left_out, 0 if left_out else len(lines) - 1)
            for (message, left_out), lines in self._found.items()
            for line in (lines if left_out else lines[:1])
        ]
        each.sort(key=lambda found: (found[0], found[1]))
        warnings = [
            ReaderWarning(
                f"{log}, line {line}: {message}"
                + ("; the row is left out" if left_out else "")
                + (f" (and {more:,} more)" if more else ""),
                line,
                None,
                f"log:{'row-left-out' if left_out else 'unusual'}",
                repair="correct the row, or the mapping, and import the log again" if left_out else None,
            )
            for line, message, left_out, more in each[:_MOST]
        ]
        if len(each) > _MOST:
            rest = f"{log}: {len(each) - _MOST:,} more findings about rows"
            warnings.append(ReaderWarning(rest, None, None, "log:unusual"))
        return warnings
