"""The Python processes that a step starts with ``subprocess`` or ``os.system``: they report the files that they open.

A session has a folder of reports with a folder for each activity that started processes. An activity takes the reports
when it ends; what is reported later belongs to the activity around it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.capture.files import reports
from provrepo.capture.files.hook import recording_here
from provrepo.capture.journal.events import reports_folder
from provrepo.model.secrets import text

if TYPE_CHECKING:
    from provrepo.capture.activities import Activity
    from provrepo.capture.journal.events import Event
    from provrepo.capture.recorder import Recorder

__all__ = ["command", "environment", "recovered", "rest", "started", "take"]


def environment(activity: Activity, given: Mapping[Any, Any] | None) -> dict[Any, Any]:
    """The environment for a process that an activity starts.

    Args:
        activity: the activity.
        given: the environment that the program chose; None for that of this process.
    """
    return reports.environment(_folder(activity), _name(activity), given)


def command(activity: Activity, line: str | bytes) -> str | bytes:
    """A command for ``os.system`` that sets the same variables first, on the same line."""
    variables = reports.variables(_folder(activity), _name(activity), None)
    words = "".join(f"{name}={shlex.quote(value)} " for name, value in variables.items())
    prefix = f"{words}; export {' '.join(variables)}; "
    return prefix + line if isinstance(line, str) else os.fsencode(prefix) + line


def _name(activity: Activity) -> str:
    return f"urn:uuid:{activity.recorder.id}#{activity.identifier}"


def _folder(activity: Activity) -> Path:
    if activity.reports is None:
        folder = reports_folder(activity.recorder.journal.path) / str(activity.number)
        folder.mkdir(parents=True, exist_ok=True)
        activity.reports = folder
    return activity.reports


def take(activity: Activity) -> list[Event]:
    """Take the reports to an activity: events of what was read; what was written is added to what it is writing."""
    recorder = activity.recorder
    if activity.reports is None:  # a forked child may have begun another program
        folder = reports_folder(recorder.journal.path) / str(activity.number)
        if not folder.is_dir():
            return []
        activity.reports = folder
    merged = reports.merge(activity.reports, recorder.files, activity.number, activity.pending, recorder.now())
    recorder.seen |= merged.paths
    for path in merged.pending:
        recorder.files.rewritten(path)
    return merged.events


def rest(recorder: Recorder) -> list[Event]:
    """Take the reports that are left when a session ends; what was written then belongs to its own activity."""
    found: list[Event] = []
    for folder, number in _folders(recorder.journal.path):
        merged = reports.merge(folder, recorder.files, number, {}, recorder.now())
        found += merged.events
        recorder.seen |= merged.paths
        recorder.root.pending = merged.pending | recorder.root.pending
    return found


def started(program: object, process: int | None, *, shell: bool = False) -> None:
    """Record that the current step has started a process; if it does not report, its files are not observed.

    Args:
        program: its name or command line.
        process: its identifier; None where that is not known.
        shell: whether a shell runs the line.
    """
    activity = recording_here()
    if activity is not None:
        if isinstance(program, list | tuple):
            program = next(iter(program), "")
        name = "sh" if shell else Path(os.fsdecode(program)).name  # type: ignore[arg-type]
        activity.recorder.note("started", activity=activity.number, program=text(name), process=process)


def recovered(journal: Path) -> list[Event]:
    """Events for what the processes had read that the steps of a killed session started."""
    return [event for folder, number in _folders(journal) for event in reports.merge(folder, None, number, {}).events]


def _folders(journal: Path) -> Iterator[tuple[Path, int | str]]:
    """The folder and the number of each activity that started processes."""
    folder = reports_folder(journal)
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if place.is_dir():
            yield place, int(place.name) if place.name.isdigit() else place.name
