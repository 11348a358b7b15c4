"""An audit hook (PEP 578) that records which files are opened and renamed."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from provrepo.capture.child.provrepo_child import uninteresting
from provrepo.capture.facts.environment import imported_by_capture
from provrepo.capture.failures import contained, working
from provrepo.capture.files.digests import absolute
from provrepo.capture.recorder import Activity, current
from provrepo.settings import reports

__all__ = ["watch", "yield_to"]


@functools.cache
def watch() -> None:
    """Install the hook. An audit hook cannot be removed; without a session it does nothing."""
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
    return working() or _activity() is not None


def _seen(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        if not working():
            _opened(*args)
    elif event == "os.rename" and not working():
        _renamed(*args)
    elif event == "sqlite3.connect" and not working():
        _connected(*args)


@contained
def _opened(name: object, _mode: str | None, flags: int) -> None:
    activity = _activity()
    if activity is None or isinstance(name, int):
        return
    path = absolute(name)  # the file is not open yet: the working directory is the one that will be used
    if flags & getattr(os, "O_DIRECTORY", 0) or uninteresting(path, _reports()):
        return
    access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    if access == os.O_RDONLY:
        activity.read(path)
    elif not (flags & os.O_EXCL and os.path.lexists(path)):
        appends = bool(flags & os.O_APPEND)
        activity.write(path, truncates=bool(flags & os.O_TRUNC), reads=access == os.O_RDWR or appends)


@contained
def _renamed(source: object, target: object, source_folder: int, target_folder: int) -> None:
    activity = _activity()
    if activity is not None and source_folder == target_folder == -1:
        path = absolute(target)
        if not uninteresting(path, _reports()):  # compiled code is written under another name first
            activity.rename(absolute(source), path)


@contained
def _connected(database: object) -> None:
    name = os.fsdecode(database)  # type: ignore[arg-type]
    if name and not name.startswith((":memory:", "file:")):  # SQLite opens the file itself, without an audit event
        _opened(name, None, os.O_RDWR | os.O_CREAT)


def _activity() -> Activity | None:
    activity = current()
    if activity is None or (activity is activity.recorder.root and not activity.recorder.outside):
        return None
    return activity
