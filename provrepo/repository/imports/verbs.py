"""The verb that stores the records of other tools as documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from provrepo.checks.findings import Severity
from provrepo.checks.report import Report
from provrepo.codecs.formats import Format, by_name, content, detect, format_of_archive
from provrepo.errors import (
    Busy,
    Conflict,
    Error,
    NotFound,
    OverQuota,
    ProjectFull,
    ReadError,
    Refused,
    Stale,
    TooLarge,
    UsageError,
    Waits,
    WorkerFailed,
)
from provrepo.importers.logs.archive import SUFFIX, logs_in
from provrepo.importers.parts import (
    Part,
    Skipped,
    history_of,
    merged,
    parts_in,
    parts_of,
    parts_of_lines,
    read_by_lines,
)
from provrepo.importers.sources import SourceFile, files_of, store_of
from provrepo.repository.context import Context
from provrepo.repository.documents import original
from provrepo.repository.imports.zips import files_of_zip
from provrepo.repository.people.roles import Right
from provrepo.repository.records import DEFAULT, Receipt
from provrepo.repository.submission.submit import name_for
from provrepo.repository.submission.verbs import submit
from provrepo.workers import callers

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source

__all__ = [
    "Imported",
    "has_history",
    "import_documents",
    "mapped_logs",
    "mapping_beside",
    "reason_of",
    "store_part",
]

_OF_ONE_PART = (
    Conflict,
    OverQuota,
    ProjectFull,
    ReadError,
    Refused,
    TooLarge,
    UsageError,
    Waits,
    WorkerFailed,
)
"""Errors of one document, which do not stop the import of the others."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        receipts: of the documents that are stored, in the order of the source.
        skipped: what is not stored, with the reason.
    """

    receipts: tuple[Receipt, ...]
    skipped: tuple[Skipped, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "receipts": [receipt.to_dict() for receipt in self.receipts],
            "skipped": [skipped._asdict() for skipped in self.skipped],
        }


def import_documents(
    context: Context,
    source: Source,
    *,
    project: str = DEFAULT,
    name: str | None = None,
    format: str | None = None,  # noqa: A002
    profiles: Sequence[str] = (),
    base: str | None = None,
    note: str = "",
    file: str | None = None,
    range: str | None = None,  # noqa: A002
    mapping: str | Path | bytes | None = None,
) -> Imported:
    """Store the records of another tool, or all files of a folder or zip archive, as documents.

    A source with the events of several runs becomes a document for each run. A document that exists gets a new version,
    unless it has these bytes already. What cannot be stored is skipped and named; it does not stop the rest.

    Args:
        source: a path of a file or folder, the bytes, or a binary file object.
        project: the project; ``default`` is created when its owner first needs it.
        name: the name of the document: then the source becomes one document. For a folder or an archive, the beginning
            of the names.
        format: the name of the format; detected by default, and for each file of a folder or archive.
        profiles: names of profiles to check it against, in addition to those of the project.
        base: the IRI against which relative IRIs are resolved.
        note: a note of the submitter.
        file: the name of the file that the bytes are from, or its path in a folder, from which the name of the document
            is made; by default that of the path or file object.
        range: for the format ``git``: the commits, such as ``v1..v2``; by default the current one and all before it.
        mapping: the path or the bytes of the mapping file of a log; by default the file ``NAME.mapping.toml`` beside
            the log ``NAME``. A mapping for a folder is that of all files in it.

    Raises:
        ReadError: the source cannot be read, or is an archive that is refused, with the member.
        NotFound: no such project.
        Denied: the actor may not submit to the project.
        NoSpace: the disk is nearly full.
    """
    if project != DEFAULT:
        context.store.make()
    if context.store.exists() and (project != DEFAULT or not context.actor.owner):
        context.require_change(project, Right.SUBMIT)
    receipts: list[Receipt] = []
    skipped: list[Skipped] = []
    for part in _parts(source, name, format, file, range, mapping, context.store.settings.max_body):
        if callers.client_gone():
            raise WorkerFailed("the client has disconnected; what is stored so far stays, and is not stored again")
        if isinstance(part, Skipped):
            skipped.append(part)
            continue
        try:
            receipts.append(store_part(context, part, project, profiles=profiles, base=base, note=note))
        except _OF_ONE_PART as error:
            skipped.append(Skipped(": ".join(filter(None, (part.place, part.name))) or "the source", reason_of(error)))
    return Imported(tuple(receipts), tuple(skipped))


def store_part(context: Context, part: Part, project: str, **options: Any) -> Receipt:
    """Store one part. Of a run, the events that the stored document has are in the new version, too."""
    context.store.make()
    name = part.name or name_for(part.place, sha256(part.data).hexdigest())
    for _ in range(_ATTEMPTS):
        whole, before = part, None
        if part.splits:
            with suppress(NotFound):
                former, current = original(context, project, name)
                if current.format == part.format:
                    whole, before = merged(part, former), current.sha256
        try:
            return submit(
                context,
                whole.data,
                project=project,
                name=name,
                update=True,
                if_match=before,
                format=part.format,
                **options,
            )
        except Stale:
            continue  # another process has added events meanwhile
    raise Busy(f"{name} changes faster than it can be imported; try again")


def _parts(
    source: Source,
    name: str | None,
    format: str | None,  # noqa: A002
    file: str | None,
    wanted: str | None,
    mapping: str | Path | bytes | None,
    most: int,
) -> Iterator[Part | Skipped]:
    chosen = by_name(format) if format else None
    if chosen is not None and not chosen.reads:
        raise UsageError(f"{chosen.title} is a format that is written, and cannot be read")
    if has_history(source, chosen, wanted):
        yield from history_of(Path(str(source)), cast("Format", chosen), wanted, most=most, called=name)
        return
    mapping = mapping or mapping_beside(source, format)
    if mapping is not None:
        yield from mapped_logs(source, mapping, name=name, format=format, file=file)
        return
    if isinstance(source, str | Path) and Path(source).is_dir():
        yield from parts_in(files_of(Path(source)), chosen, most=most, called=name, root=Path(source))
        return
    if (store := _store_of(source, file)) is not None:
        yield from parts_in([store], chosen, most=most, called=name)
        return
    if name is None and isinstance(source, str | Path) and (lines := _format_of_lines(Path(source), chosen)):
        with Path(source).open("rb") as large:
            yield from parts_of_lines(large, lines, file or str(source))
        return
    data, opened = content(source)
    place = file or opened or ""
    if data.startswith(b"PK") and format_of_archive(data) is None:
        yield from parts_in(files_of_zip(data, place or "the archive"), chosen, most=most, called=name)
        return
    named = name or (name_for("-".join(Path(file).parts), sha256(data).hexdigest()) if file else "")
    for part in parts_of(data, chosen or detect(data, place or None), place, whole=name is not None):
        yield part._replace(name=part.name or named) if isinstance(part, Part) else part


def has_history(source: Source, chosen: Format | None, wanted: str | None) -> bool:
    """Whether a program is asked for the documents of a folder.

    Args:
        source: what is imported.
        chosen: the format that was named.
        wanted: the part of the history that is wanted.

    Raises:
        UsageError: a part is wanted, and nothing of it has a history.
    """
    asked = chosen is not None and chosen.history and isinstance(source, str | Path) and Path(source).is_dir()
    if wanted is not None and not asked:
        raise UsageError("--range is a range of commits: it needs a folder and --from git")
    return asked


def mapping_beside(source: Source, format: str | None) -> Path | None:  # noqa: A002
    """The mapping file beside a log; None if there is none, or if the source is to be read as another format."""
    if format not in (None, "log") or not isinstance(source, str | Path):
        return None
    found = Path(f"{source}{SUFFIX}")
    return found if found.is_file() and Path(source).is_file() else None


def mapped_logs(
    source: Source,
    mapping: str | Path | bytes,
    *,
    name: str | None,
    format: str | None,  # noqa: A002
    file: str | None,
) -> Iterator[Part | Skipped]:
    """The documents of a log with a mapping file.

    Raises:
        ReadError: the log or the mapping cannot be read.
        UsageError: the format is another one.
    """
    if format not in (None, "log"):
        raise UsageError(f"a mapping file is for the format log, not for {format}")
    log = source if isinstance(source, str | Path | bytes) else content(source)[0]
    opened = getattr(source, "name", None)
    place = file or (opened if isinstance(opened, str) else None)
    if name is None and not (isinstance(log, str | Path) and Path(log).is_dir()):
        called = place if isinstance(log, bytes) else str(log)
        name = name_for(called, sha256(log if isinstance(log, bytes) else b"").hexdigest()) if called else None
    yield from logs_in(log, mapping, name=name, file=place)


def _store_of(source: Source, file: str | None) -> SourceFile | None:
    try:
        return store_of(source, file or "")
    except OSError:
        return None  # reading the whole of it says what is wrong


def _format_of_lines(path: Path, chosen: Format | None) -> Format | None:
    """The format of a file that is too large to be read at once, and whose lines may be; None for other files."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            beginning = file.read(1 << 20)
        found = chosen or detect(beginning, str(path))
        return found if read_by_lines(found, path.stat().st_size, beginning) else None
    except (OSError, Error):
        return None  # reading the whole of it says what is wrong


def reason_of(error: Error) -> str:
    """Why a document is not stored: the message, with the first violation of a report."""
    if isinstance(error, Refused):
        findings = cast("Report", error.report).findings
        first = next((each for each in findings if each.severity is Severity.VIOLATION), None)
        return str(error) if first is None else f"{error}: {first.message}"
    return str(error)
