"""The files below the working folder: which of them were opened or changed without an explanation.

Compiled code and other programs open files that no audit event tells. inotify (Linux) sees that a file is opened or
changed, and not by whom, so that this is a finding of the record and never a usage or a generation. Elsewhere, and if
events were lost, the files at the start and at the end are compared.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

from provrepo.capture.child.provrepo_noise import part_of_a_program
from provrepo.capture.failures import contained
from provrepo.capture.files.digests import Signature
from provrepo.capture.journal.events import COMPLETED, Event, paths

__all__ = ["LARGEST", "Surroundings", "explaining", "unseen"]

LARGEST = 20_000
"""Files and folders below the working folder up to which it is watched."""
SHOWN = 50
"""Files that are named in a record."""

_OPEN, _CREATE, _MODIFY, _CLOSE_WRITE, _MOVED_TO = 0x20, 0x100, 0x2, 0x8, 0x80
_CHANGES = _CREATE | _MODIFY | _CLOSE_WRITE | _MOVED_TO
_OVERFLOW, _FOLDER = 0x4000, 0x40000000
"""Events of inotify(7)."""
_READS = ("kind", "part", "read")
"""Events of a journal that do not explain that a file changed."""
_NOT_WATCHED = ("__pycache__", "node_modules", "site-packages")

_watching: WeakSet[Surroundings] = WeakSet()


class TooLarge(Exception):
    """The working folder has more files than are watched."""


class Surroundings:
    """Watches the files below a folder. Hidden files and folders are none of a program's data.

    Args:
        folder: absolute.

    Raises:
        TooLarge: it has more than ``LARGEST`` files and folders.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._opened: set[str] = set()
        self._changed: set[str] = set()
        self._complete = False
        self._watched: dict[int, str] = {}
        self._queue = -1
        self._before: dict[str, Signature] = {}
        folders: list[str] = []
        for path, mark in _walked(folder):
            if mark is None:
                folders.append(path)
            else:
                self._before[path] = mark
            if len(self._before) + len(folders) > LARGEST:
                raise TooLarge
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._queue = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            self._complete = self._queue >= 0 and all(self._watch(path) for path in folders)
        _watching.add(self)

    def _watch(self, folder: str) -> bool:
        number = self._libc.inotify_add_watch(self._queue, os.fsencode(folder), _OPEN | _CHANGES)
        if number >= 0:
            self._watched[number] = folder
        return bool(number >= 0)

    @contained
    def drain(self) -> None:
        """Take the events so far: the kernel keeps a limited number."""
        while self._queue >= 0:
            if not _is_queue(self._queue):  # the program has closed all descriptors, and may use the number
                self._queue, self._complete = -1, False
                return
            try:
                data = os.read(self._queue, 1 << 16)
            except BlockingIOError:
                return
            except OSError:
                return
            place = 0
            while place < len(data):
                number, event, _, length = struct.unpack_from("iIII", data, place)
                name = data[place + 16 : place + 16 + length].rstrip(b"\0")
                place += 16 + length
                self._take(number, event, os.fsdecode(name))

    def _take(self, number: int, event: int, name: str) -> None:
        if event & _OVERFLOW:
            self._complete = False
        elif number in self._watched and name:
            path = os.path.join(self._watched[number], name)  # noqa: PTH118
            if not event & _FOLDER:
                (self._changed if event & _CHANGES else self._opened).add(path)
            elif event & (_CREATE | _MOVED_TO) and _interesting(name):
                for inside, mark in _walked(path):  # files in it are older than the watch
                    if mark is None:
                        self._complete = self._watch(inside) and self._complete
                    else:
                        self._changed.add(inside)

    def found(self, explained: Callable[[str, bool], bool]) -> list[tuple[str, str]]:
        """What nothing explains: ``opened`` or ``changed``, and the path relative to the folder; sorted by path.

        Args:
            explained: tells of an absolute path, and of whether the file changed, whether the record has that.
        """
        self.drain()
        changed = set(self._changed)
        if not self._complete:
            changed |= {path for path, mark in _walked(self._folder) if mark and self._before.get(path) != mark}
        found = []
        for path in sorted(changed | self._opened):
            mark = _signature(path)
            if mark is None or not _interesting(os.path.basename(path)):  # noqa: PTH119
                continue
            new = path in changed and self._before.get(path) != mark and not os.path.islink(path)  # noqa: PTH114
            how = "changed" if new else "opened"  # a link is as new or old as what it leads to
            if (how == "changed" or path in self._opened) and not explained(path, how == "changed"):
                found.append((how, os.path.relpath(path, self._folder)))
        return found

    def close(self) -> None:
        """Stop watching."""
        if self._queue >= 0:
            os.close(self._queue)
            self._queue = -1
        _watching.discard(self)

    def forget(self) -> None:
        """Leave it to the process that this one was forked from."""
        self._queue = -1


def explaining(events: Iterable[Event]) -> tuple[set[str], set[str]]:
    """The files that the events of a journal explain: those that were read, and those that were or may be written.

    What was begun to be written is explained if the activity failed; otherwise its content is recorded as well.
    """
    read: set[str] = set()
    written: set[str] = set()
    begun: list[Event] = []
    failed: set[object] = set()
    for event in events:
        if event["event"] == "writing":
            begun.append(event)
        elif event["event"] == "end" and event["status"] != COMPLETED:
            failed.add(event["activity"])
        else:
            (read if event["event"] in _READS else written).update(paths(event))
    return read, written | {event["path"] for event in begun if event["activity"] in failed}


@contextmanager
def unseen() -> Iterator[None]:
    """Ignore what capture itself makes other programs open inside."""
    watching = list(_watching)
    before = []
    for one in watching:
        one.drain()
        before.append((set(one._opened), set(one._changed)))
    try:
        yield
    finally:
        for one, (opened, changed) in zip(watching, before, strict=True):
            one.drain()
            one._opened, one._changed = opened, changed


def line(found: Iterable[tuple[str, str]]) -> str:
    """The findings as one line of text."""
    names = [f"{path} ({how})" for how, path in found]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _walked(folder: str) -> Iterator[tuple[str, Signature | None]]:
    """The folders, without a signature, and regular files of a folder, itself included."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        yield place, None
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if not _interesting(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        yield entry.path, Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        except OSError:  # gone, or not to be read
            continue


def _is_queue(number: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}") == "anon_inode:inotify"  # noqa: PTH115
    except OSError:
        return False


def _interesting(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_WATCHED


def _signature(path: str) -> Signature | None:
    """The signature of a file that may be data; None of programs, code and what is no regular file."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o111 or part_of_a_program(path):
        return None
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
