"""An audit hook (PEP 578) that records which files are opened, renamed, linked and truncated."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from provrepo.capture.child import provrepo_libraries
from provrepo.capture.child.provrepo_noise import uninteresting
from provrepo.capture.child.provrepo_paths import Opens, located, nameless, of_descriptor
from provrepo.capture.facts.environment import imported_by_capture
from provrepo.capture.failures import contained, working
from provrepo.capture.recorder import Activity, current, session_now
from provrepo.settings import reports

__all__ = ["recording_here", "watch", "yield_to"]


@functools.cache
def watch() -> None:
    """Install the hook. An audit hook cannot be removed; without a session it does nothing."""
    _opens()
    provrepo_libraries.install()  # first, since the hook would be called for each of many ids
    sys.addaudithook(_seen)
    yield_to(_taken)


def yield_to(taken: Callable[[], bool]) -> None:
    """Make the reporter of ``provrepo run``, if it started this process, ignore files that are recorded here.

    Args:
        taken: whether a file that is opened now is recorded here.
    """
    reporter = sys.modules.get("provrepo_child")
    if reporter is not None:
        reporter.recorded_here = taken  # type: ignore[attr-defined]
        reporter.imported_by_capture = imported_by_capture  # type: ignore[attr-defined]


@functools.cache
def _reports() -> tuple[str, ...]:
    return tuple(reports())


def _taken() -> bool:
    return working() or recording_here() is not None


@functools.cache
def _opens() -> Opens:
    return Opens()


def _seen(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        if not working():
            _opened(sys._getframe(1), *args)
    elif event in _HANDLERS and not working():
        _HANDLERS[event](*args)


def _outside(name: object) -> None:
    """A file that is opened outside of all steps, where that is not recorded; it is not unexplained."""
    recording = session_now()
    path = None if recording is None or recording.surroundings is None else located(name)
    if recording is not None and path is not None:
        recording.seen.add(path)


class _Recorded(NamedTuple):
    """What was recorded of an ``open``: by whom, the path, since when, and whether it was being written before."""

    activity: Activity
    path: str
    since: float
    pending: bool


@contained
def _opened(frame: FrameType, name: object, mode: str | None, flags: int) -> None:
    activity = recording_here()
    if name is None or isinstance(name, int):
        return
    if activity is None:
        _outside(name)
        return
    if mode is None:
        mistaken: _Recorded | None = _opens().mistaken(frame)
        if mistaken is not None:
            mistaken.activity.retract(mistaken.path, mistaken.since, pending=mistaken.pending)
    if flags & getattr(os, "O_DIRECTORY", 0):
        return
    path = _opens().path(name, mode)  # the file is not open yet: the working directory is the one that will be used
    if path is None:
        activity.unresolved(name)
    elif uninteresting(path, _reports()):
        activity.recorder.seen.add(path)
    else:
        recorded = _Recorded(activity, path, activity.recorder.now(), path in activity.pending)
        _access(activity, path, flags)
        if mode is not None:
            _opens().recorded(frame, flags, recorded)


def _access(activity: Activity, path: str, flags: int) -> None:
    access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    if access == os.O_RDONLY:
        activity.read(path)
    elif not (flags & os.O_EXCL and os.path.lexists(path)):
        appends = bool(flags & os.O_APPEND)
        activity.write(path, truncates=bool(flags & os.O_TRUNC), reads=access == os.O_RDWR or appends)


@contained
def _moved(source: object, target: object, source_folder: int, target_folder: int, *, links: bool = False) -> None:
    activity = recording_here()
    if activity is None:
        return
    path, before = located(target, target_folder), located(source, source_folder)
    if path is None:
        activity.unresolved(target)
    elif not uninteresting(path, _reports()):  # compiled code is written under another name first
        if before is None:
            activity.unresolved(source)
        activity.move(None if before is None or nameless(before) else before, path, links=links)


@contained
def _truncated(name: object, length: int) -> None:
    activity = recording_here()
    if activity is None:
        return
    path = of_descriptor(name) if isinstance(name, int) else located(name)
    if path is None:
        if not isinstance(name, int):  # a descriptor without a path is no file
            activity.unresolved(name)
    elif not uninteresting(path, _reports()):
        activity.write(path, truncates=length == 0, reads=length > 0)


@contained
def _connected(database: object) -> None:
    name = os.fsdecode(database)  # type: ignore[arg-type]
    if name and not name.startswith((":memory:", "file:")):  # those are known when it is connected
        _named(name, os.O_RDWR | os.O_CREAT)


@contained
def _named(name: object, flags: int) -> None:
    """A file that compiled code is about to open."""
    activity = recording_here()
    path = None if activity is None else located(name)
    if activity is None:
        return
    if path is None:
        activity.unresolved(name)
    elif not uninteresting(path, _reports()):
        _access(activity, path, flags)


@contained
def _written(name: object) -> None:
    """A file that compiled code has just written."""
    activity = recording_here()
    path = None if activity is None else located(name)
    if activity is not None and path is not None and not uninteresting(path, _reports()):
        activity.wrote(path)


@contained
def _table(database: str, name: str, wrote: bool) -> None:
    activity = recording_here()
    if activity is not None:
        activity.table(database, name, wrote=wrote)


@contained
def _resource(about: dict[str, str]) -> None:
    activity = recording_here()
    if activity is not None:
        activity.resource(about)


@contained
def _content(number: str, digest: str, size: int) -> None:
    activity = recording_here()
    if activity is not None:
        activity.recorder.note("content", id=number, sha256=digest, size=size)


@contained
def _query(database: str, statement: str) -> None:
    activity = recording_here()
    if activity is not None:
        activity.query(database, statement)


@contained
def _failed(where: str, error: str) -> None:
    activity = recording_here()
    if activity is not None:
        activity.unobserved(where, error)


_HANDLERS: dict[str, Callable[..., object]] = {
    "os.link": functools.partial(_moved, links=True),
    "os.rename": _moved,
    "os.truncate": _truncated,
    "provrepo.content": _content,
    "provrepo.failed": _failed,
    "provrepo.file": _named,
    "provrepo.query": _query,
    "provrepo.resource": _resource,
    "provrepo.table": _table,
    "provrepo.written": _written,
    "sqlite3.connect": _connected,
}


def recording_here() -> Activity | None:
    """The activity that files belong to which are opened now; None where they are not recorded."""
    activity = current()
    if activity is None or (activity is activity.recorder.root and not activity.recorder.outside):
        return None
    return activity
