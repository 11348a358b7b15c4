"""Sees which files are opened and renamed, through the interpreter's audit events (PEP 578)."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from provrepo.capture.child.provrepo_child import uninteresting
from provrepo.capture.facts.environment import brought
from provrepo.capture.failures import contained, working
from provrepo.capture.files.digests import absolute
from provrepo.capture.recorder import Activity, current
from provrepo.settings import reports

__all__ = ["watch", "yield_to"]


@functools.cache
def watch() -> None:
    """Watch from now on. An audit hook cannot be taken away; without a session it does nothing."""
    sys.addaudithook(_seen)
    yield_to(_taken)


def yield_to(taken: Callable[[], bool]) -> None:
    """Have ``provrepo run``, where it started this process, leave files alone while they are somebody else's.

    Args:
        taken: whether those that are opened now are.
    """
    reporter = sys.modules.get("provrepo_child")
    if reporter is not None:
        reporter.elsewhere = taken  # type: ignore[attr-defined]
        reporter.brought = brought  # type: ignore[attr-defined]


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
        if not uninteresting(path, _reports()):  # as compiled code is, which is written under another name first
            activity.rename(absolute(source), path)


@contained
def _connected(database: object) -> None:
    name = os.fsdecode(database)  # type: ignore[arg-type]
    if name and not name.startswith((":memory:", "file:")):  # SQLite opens the file itself, out of sight
        _opened(name, None, os.O_RDWR | os.O_CREAT)


def _activity() -> Activity | None:
    activity = current()
    if activity is None or (activity is activity.recorder.root and not activity.recorder.outside):
        return None
    return activity
