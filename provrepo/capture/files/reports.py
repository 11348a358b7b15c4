"""The reports of the Python processes of a command: the files that they opened."""

from __future__ import annotations

import ast
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.capture import child
from provrepo.capture.failures import warn_once
from provrepo.capture.files.digests import Files, Pending, Reread, Signature, signature
from provrepo.capture.journal.events import Event, masked, reports_folder
from provrepo.model.secrets import text
from provrepo.settings import REPORT, RUN, for_command

__all__ = ["STEP", "Merged", "environment", "merge", "recovered", "remove", "variables"]

STEP = 1
"""The number of the activity that a command is."""


class Merged(NamedTuple):
    """The reports of all processes of a command, in the order of time.

    Attributes:
        packages: interpreters and imported packages, as ``name==version``, sorted.
        paths: the files that the reports name, except those that were only read.
        claimed: paths that steps of sessions inside the command wrote; the documents of those sessions describe them.
        events: for the journal: the files that were read, and names of unknown files.
        pending: the files that were written, or may have been, by path.
    """

    packages: list[str]
    paths: set[str]
    claimed: frozenset[str]
    events: list[Event]
    pending: dict[str, Pending]


class _Line(NamedTuple):
    """One line of a report: the kind of event, its time, and the details as ``provrepo_child`` writes them."""

    kind: str
    time: float
    details: tuple[Any, ...]


def variables(reports: Path, activity: str, given: Mapping[Any, Any] | None) -> dict[str, str]:
    """The variables that make Python processes report.

    Args:
        reports: the folder, which must exist.
        activity: the IRI of the activity around sessions inside the processes.
        given: the environment that they would have; None for that of this process.
    """
    code = child.__path__[0]
    before = os.fsdecode((for_command() if given is None else given).get("PYTHONPATH", ""))
    places = before if code in before.split(os.pathsep) else code + (os.pathsep + before if before else "")
    return {RUN: activity, REPORT: str(reports), "PYTHONPATH": places}


def environment(reports: Path, activity: str, given: Mapping[Any, Any] | None = None) -> dict[Any, Any]:
    """The environment of a command that makes its Python processes report.

    Args:
        reports: the folder, which must exist.
        activity: the IRI of the activity around sessions inside the command.
        given: the environment that it would have; None for that of this process.
    """
    return {**(for_command() if given is None else given), **variables(reports, activity, given)}


def merge(
    reports: Path,
    files: Files | None,
    activity: int | str = STEP,
    pending: dict[str, Pending] | None = None,
    now: float = math.inf,
) -> Merged:
    """Take the reports of processes and merge them.

    Args:
        reports: the folder.
        files: hashes what was too large for the processes themselves; None where it is too late for that.
        activity: the number of the activity that started the processes.
        pending: the files that the activity is writing already, to which those of the processes are added.
        now: the present time by the clock of the session, in seconds since the epoch; those of other processes may
            be ahead of it.
    """
    processes = sorted({file.name.split("-")[0] for file in reports.iterdir() if file.is_file()})
    lines = _lines(reports, take=files is not None)
    found = {_version(*pair) for line in lines if line.kind == "python" for pair in [line.details[0], *line.details[1]]}
    claimed = frozenset(path for line in lines if line.kind == "claimed" for path in line.details)
    replay = _Replay(files, activity, {} if pending is None else pending)
    for line in lines:
        replay.take(line._replace(time=min(line.time, now)), claimed)
    changed = [line for line in lines if line.kind != "read"]  # what was read is among the events
    paths = {detail for line in changed for detail in line.details if isinstance(detail, str)}
    replay.events += [{"event": "reported", "process": int(name)} for name in processes if name.isdigit()]
    return Merged(sorted(found), paths, claimed, replay.events, replay.pending)


def recovered(journal: Path) -> list[Event]:
    """Events for the files that the processes of a killed ``provrepo run`` had read. Their output is ignored."""
    reports = reports_folder(journal)
    return merge(reports, None).events if reports.is_dir() else []


def remove(reports: Path) -> None:
    """Delete the reports; the document contains their content."""
    shutil.rmtree(reports, ignore_errors=True)


def _version(name: str, version: str) -> str:
    return f"{name}=={version}"


def _lines(reports: Path, *, take: bool) -> list[_Line]:
    """The lines of all reports in a folder, in the order of time.

    Args:
        reports: the folder.
        take: whether the reports are deleted. A process that goes on begins a new one.
    """
    found: list[_Line] = []
    for file in sorted(reports.iterdir()):
        if file.is_file():
            found += _valid(_parsed(file.read_bytes().split(b"\n")))
            if take:
                file.unlink()
    return sorted(found, key=lambda line: line.time)


def _valid(lines: Iterable[_Line]) -> list[_Line]:
    """The lines of one process without those of files that were not opened after all."""
    found: list[_Line] = []
    for line in lines:
        if line.kind == "retracted":
            path, since = line.details
            found = [one for one in found if one.time < since or one.details[0] != path]
        else:
            found.append(line)
    return found


def _parsed(lines: Iterable[bytes]) -> Iterator[_Line]:
    for line in lines:
        try:
            kind, time, *details = ast.literal_eval(line.decode("ascii"))
        except (ValueError, SyntaxError):  # cut off by a kill, or empty
            continue
        yield _Line(kind, time, tuple(details))


class _Replay:
    """Merges the files of all processes of a command, in the order of time, into those of one activity.

    Args:
        files: hashes files that were too large for the processes themselves; None where it is too late for that.
        activity: the number of the activity.
        pending: the files that it is writing already.

    Attributes:
        events: for the journal.
        pending: the files that were written, or may have been.
    """

    def __init__(self, files: Files | None, activity: int | str, pending: dict[str, Pending]) -> None:
        self._activity = activity
        self.events: list[Event] = []
        self.pending = pending
        self._files = files
        self._digests: dict[str, str] = {}

    def take(self, line: _Line, claimed: frozenset[str]) -> None:
        """Process one line.

        Args:
            line: of a report.
            claimed: paths that are somebody else's to record.
        """
        if line.kind == "read" and line.details[0] not in claimed:
            self._read(line.time, *line.details)
        elif line.kind == "reread" and line.details[0] not in claimed:
            self._reread(line.time, *line.details)
        elif line.kind == "write" and line.details[0] not in claimed:
            self._write(line.time, *line.details)
        elif line.kind in ("link", "rename") and line.details[1] not in claimed:
            self._move(line.kind, line.time, *line.details)
        elif line.kind == "output" and line.details[0] not in claimed:
            self.output(line.time, *line.details)
        elif line.kind == "resource":
            about = masked(line.details[0])
            self.events.append({"event": "resource", "activity": self._activity, "time": line.time, **about})
        elif line.kind == "content":
            number, digest, size = line.details
            self.events.append({"event": "content", "id": number, "sha256": digest, "size": size})
        elif line.kind == "query":
            database, statement = line.details
            about = masked({"database": database, "text": statement})
            self.events.append({"event": "query", "activity": self._activity, **about})
        elif line.kind == "table":
            database, table, wrote = line.details
            self.events.append({
                "event": "table", "activity": self._activity, "time": line.time, "database": database, "table": table,
                "wrote": wrote,
            })  # fmt: skip
        elif line.kind == "unobserved":
            where, error, count = line.details
            warn_once("provenance is incomplete: what %s opens could not be observed (%s)", where, error)
            self.events.append(
                {"event": "unobserved", "activity": self._activity, "where": where, "error": error, "count": count}
            )
        elif line.kind == "unresolved":
            self.events.append({"event": "unresolved", "activity": self._activity, "name": text(line.details[0])})

    def _read(self, time: float, path: str, mark: tuple[int, int, int, int], digest: str | None) -> None:
        if path in self.pending:
            self._reread(time, path, mark, digest)
            return
        before = Signature(*mark)
        if digest is None and self._files is not None and signature(path) == before:
            seen = self._files.content(path)
            digest = seen.sha256 if seen else None
        if digest is None:
            warn_once("%s changed before it could be hashed, so that reading it is not recorded: name it with -i", path)
            return
        self._digests[path] = digest
        self.events.append({
            "event": "read", "activity": self._activity, "time": time, "path": path, "sha256": digest,
            "size": before.size, "modified": before.modified / 1e9,
        })  # fmt: skip

    def _reread(self, time: float, path: str, mark: tuple[int, int, int, int], digest: str | None) -> None:
        """Process a file that was read by the activity that wrote it, maybe in another process."""
        if path in self.pending:
            self.pending[path] = self.pending[path]._replace(reread=Reread(Signature(*mark), digest, time))

    def _write(self, time: float, path: str, mark: tuple[int, int, int, int] | None, truncates: bool) -> None:
        if path in self.pending:
            return
        if truncates:
            self._writing(path, time)
        before = Signature(*mark) if mark else None
        self.pending[path] = Pending(before, None if truncates else self._digests.get(path), truncates, time)

    def output(
        self, time: float, path: str, mark: tuple[int, int, int, int], appends: bool, digest: str | None
    ) -> None:
        """Process a file that is a standard output: it was written if it has changed since.

        Args:
            time: in seconds since the epoch.
            path: absolute.
            mark: its signature then.
            appends: whether it keeps what it contained.
            digest: of what it contained, where that was read.
        """
        if self._files is None or path in self.pending or signature(path) == Signature(*mark):
            return
        if appends:
            self._read(time, path, mark, digest)
        self._writing(path, time)
        self.pending[path] = Pending(None, None, True, time)

    def _move(self, kind: str, time: float, source: str, target: str) -> None:
        below = os.path.join(source, "")  # noqa: PTH118
        inside = [path for path in self.pending if path == source or path.startswith(below)]
        if kind == "rename":
            for path in inside:
                del self.pending[path]
        for path in [target + path[len(source) :] for path in inside] or [target]:
            self._writing(path, time)
            self.pending[path] = Pending(None, None, True, time)

    def _writing(self, path: str, time: float) -> None:
        self.events.append({"event": "writing", "activity": self._activity, "path": path, "time": time})
