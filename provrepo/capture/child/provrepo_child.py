"""Reports to ``provrepo run`` the files that this Python process opens, by audit events (PEP 578).

This runs inside programs of others, on any Python from 3.8 and beside any packages: it imports only modules that Python
imports at start-up anyway, nothing of this package, and logs nothing. A file is hashed before the program reads it.
"""

from __future__ import annotations

import atexit
import os
import stat
import sys
import time
from _thread import get_ident
from typing import TYPE_CHECKING

if __package__:
    from provrepo.capture.child import provrepo_libraries
    from provrepo.capture.child.provrepo_digests import sha256
    from provrepo.capture.child.provrepo_libraries.observing import foreign
    from provrepo.capture.child.provrepo_noise import of_standard_library, uninteresting
    from provrepo.capture.child.provrepo_paths import (
        Opens,
        appends,
        located,
        nameless,
        of_descriptor,
        position,
        standard_files,
    )
else:  # in a process below provrepo run
    import provrepo_libraries  # type: ignore[import-not-found, no-redef]
    from provrepo_digests import sha256  # type: ignore[import-not-found, no-redef]
    from provrepo_libraries.observing import foreign  # type: ignore[import-not-found, no-redef]
    from provrepo_noise import (  # type: ignore[import-not-found, no-redef]
        of_standard_library,
        uninteresting,
    )
    from provrepo_paths import Opens, appends, located, nameless, of_descriptor, position, standard_files  # type: ignore[import-not-found, no-redef]

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from types import FrameType
    from typing import Any

LARGEST = 64 * 1024 * 1024
"""Bytes of a file up to which it is hashed when it is opened; ``provrepo run`` hashes larger files."""
SMALL = 1024 * 1024
"""In bytes: a larger file is not written anew within one tick without a change of its size."""
LAST_CHANCE = 1024 * 1024 * 1024
"""The same, where this process is about to change the file."""
QUERIES = 100
"""Statements of SQL that a process reports."""
RACY = 20_000_000
"""In nanoseconds: a file that changed more recently may change again with the same signature."""

recorded_here: Callable[[], bool] | None = None
"""Set by ``provrepo.capture`` in this process: whether a file that is opened now belongs to one of its steps."""

imported_by_capture: Container[str] = ()
"""Set by ``provrepo.capture``: the packages that it, and not the program, imported."""


def start(folder: str) -> None:
    """Report from now on.

    Args:
        folder: the folder of the reports; once it is deleted, nothing is reported.
    """
    reporter = Reporter(folder)
    os.register_at_fork(after_in_child=reporter.forked)
    reporter.standard_streams()
    atexit.register(reporter.ended)
    sys.addaudithook(reporter.seen)
    provrepo_libraries.install()


class Reporter:
    """The report of one process. ``provrepo run`` uses one for the standard streams that its command inherits.

    Args:
        folder: the folder of the reports.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._busy: set[int] = set()
        self._known: dict[str, tuple[int, ...]] = {}
        self._large: set[str] = set()
        self._written: set[str] = set()
        self._reread: dict[str, tuple[int, ...]] = {}
        self._tables: set[tuple[str, str, bool]] = set()
        self._queries: set[str] = set()
        self._failures: dict[tuple[str, str], int] = {}
        self._file = ""
        self._opens = Opens()
        self._input: tuple[str, tuple[int, ...], str | None, int, float] | None = None
        self._events: dict[str, Callable[..., None]] = {
            "os.link": self._linked,
            "os.remove": self._removed,
            "os.rename": self._renamed,
            "os.truncate": self._truncated,
            "provrepo.failed": self._failed,
            "provrepo.file": self._named,
            "provrepo.content": self._content,
            "provrepo.query": self._query,
            "provrepo.resource": self._resource,
            "provrepo.table": self._table,
            "provrepo.written": self._wrote,
            "sqlite3.connect": self._connected,
        }
        self.forked()

    def standard_streams(self) -> None:
        """Report the files that standard output goes to, and keep that of the input: whether it is read shows later."""
        for number, path, place in standard_files():
            mark = _signature(path)
            if mark is None or uninteresting(path):
                continue
            old = number == 0 or (appends(number) and mark[1] > 0)
            digest = sha256(path) if old and mark[1] <= LARGEST else None
            if number == 0:
                self._input = (path, mark, digest, place, time.time())
            else:
                self._report("output", path, mark, old, digest)

    def standard_input(self) -> None:
        """Report the file of standard input, if something was read of it."""
        if self._input is not None:
            path, mark, digest, place, since = self._input
            now = position(0, path)
            if now is None:
                self._report("unresolved", path)
            elif now != place:
                self._report("read", path, mark, digest, since=since)

    def forked(self) -> None:
        """Begin a report for a forked child, which has only the current thread."""
        self._busy.clear()
        self._input = None
        self._file = os.path.join(self._folder, f"{os.getpid()}-{os.urandom(4).hex()}")

    def seen(self, event: str, args: tuple[Any, ...]) -> None:
        """The audit hook. Files that the hook itself opens are not reported."""
        handler = self._events.get(event)
        if handler is None and event != "open":
            return
        thread = get_ident()
        if thread in self._busy:
            return
        self._busy.add(thread)
        try:
            if recorded_here is not None and recorded_here():
                self._claimed(event, args)
            elif handler is None:
                self._opened(sys._getframe(1), *args)
            else:
                handler(*args)
        except Exception as error:
            if foreign(error):
                raise
        finally:
            self._busy.discard(thread)

    # Events ---------------------------------------------------------------------------------------------------------

    def _opened(self, frame: FrameType, name: object, mode: object, flags: int) -> None:
        if name is None or isinstance(name, int):
            return
        mistaken = self._opens.mistaken(frame) if mode is None else None
        if mistaken is not None:
            self._retract(*mistaken)
        if flags & getattr(os, "O_DIRECTORY", 0):
            return
        path = self._opens.path(name, mode)  # not open yet: the working directory is the one that will be used
        if path is None:
            self._unresolved(name)
        if path is None or uninteresting(path):
            return
        before = (self._known.get(path), path in self._written)
        since = time.time()
        self._access(path, flags)
        if mode is not None:
            self._opens.recorded(frame, flags, (path, since, *before))

    def _access(self, path: str, flags: int) -> None:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._write(path, flags)
        else:
            self._read(path)

    def _retract(self, path: str, since: float, known: tuple[int, ...] | None, written: bool) -> None:
        """Take back that a file was opened: an opener opens another one."""
        if known is None:
            self._known.pop(path, None)
        if not written:
            self._written.discard(path)
        self._report("retracted", path, since)

    def _unresolved(self, name: object) -> None:
        """Report that it is not known which file a name stands for."""
        self._report("unresolved", os.fsdecode(name))  # type: ignore[arg-type]

    def _connected(self, database: object) -> None:
        name = os.fsdecode(database)  # type: ignore[arg-type]
        if name and not name.startswith((":memory:", "file:")):
            self._named(name, os.O_RDWR | os.O_CREAT)

    def _named(self, name: object, flags: int) -> None:
        path = located(name)
        if path is None:
            self._unresolved(name)
        elif not uninteresting(path):
            self._access(path, flags)

    def _wrote(self, name: object) -> None:
        path = located(name)
        if path is not None and path not in self._written and not uninteresting(path):
            self._written.add(path)
            self._report("write", path, None, True)

    def _table(self, database: str, name: str, wrote: bool) -> None:
        if (database, name, wrote) not in self._tables:
            self._tables.add((database, name, wrote))
            self._report("table", database, name, wrote)

    def _resource(self, about: dict[str, str]) -> None:
        self._report("resource", about)

    def _content(self, number: str, digest: str, size: int) -> None:
        self._report("content", number, digest, size)

    def _query(self, database: str, text: str) -> None:
        if text not in self._queries and len(self._queries) < QUERIES:
            self._queries.add(text)
            self._report("query", database, text)

    def _failed(self, where: str, error: str) -> None:
        count = self._failures[where, error] = self._failures.get((where, error), 0) + 1
        if count == 1:
            self._report("unobserved", where, error, count)

    def _removed(self, name: object, folder: int = -1) -> None:
        path = located(name, folder)
        if path is not None:
            self._leaving(path)

    def _truncated(self, name: object, length: int) -> None:
        path = of_descriptor(name) if isinstance(name, int) else located(name)
        if path is None:
            if not isinstance(name, int):  # a descriptor without a path is no file
                self._unresolved(name)
        elif not uninteresting(path):
            self._write(path, os.O_RDWR | (0 if length else os.O_TRUNC))

    def _renamed(self, source: object, target: object, source_folder: int = -1, target_folder: int = -1) -> None:
        self._moved("rename", source, target, source_folder, target_folder)

    def _linked(self, source: object, target: object, source_folder: int = -1, target_folder: int = -1) -> None:
        self._moved("link", source, target, source_folder, target_folder)

    def _claimed(self, event: str, args: tuple[Any, ...]) -> None:
        """Report a file that a step of ``provrepo.capture`` writes: only the document of the step describes it."""
        path = None
        if event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR) and not isinstance(args[0], int):
            path = None if args[0] is None else self._opens.path(args[0], args[1])
        elif event == "provrepo.written" or (event == "provrepo.file" and args[1] & (os.O_WRONLY | os.O_RDWR)):
            path = located(args[0])
        elif event in ("os.rename", "os.link"):
            path = located(args[1], args[3])
        elif event == "os.truncate":
            path = of_descriptor(args[0]) if isinstance(args[0], int) else located(args[0])
        if path is not None and path not in self._written and not uninteresting(path):
            self._written.add(path)
            self._report("claimed", path)

    # Reads and writes -------------------------------------------------------------------------------------------------

    def _read(self, path: str, largest: int = LARGEST) -> None:
        mark = _signature(path)
        if mark is None:
            return
        old = time.time_ns() - max(mark[2:]) > RACY
        if path in self._written:
            if self._reread.get(path) != mark or not old:
                self._reread[path] = mark
                self._report("reread", path, mark, None if old or mark[1] > SMALL else sha256(path))
            return
        if self._known.get(path) == mark and old and not (path in self._large and largest > LARGEST):
            return
        small = mark[1] <= largest
        digest = sha256(path) if small else None
        self._known[path] = mark
        (self._large.discard if small else self._large.add)(path)
        self._report("read", path, mark, digest)

    def _write(self, path: str, flags: int) -> None:
        if path in self._written:
            return
        mark = _signature(path)
        if mark is None and (os.path.lexists(path) or not os.path.isdir(os.path.dirname(path))):
            return  # a directory, a pipe, or nowhere
        if mark is not None and (flags & os.O_EXCL or not os.access(path, os.W_OK)):
            return  # the open is about to fail
        truncates = bool(flags & os.O_TRUNC)
        if mark is not None and not truncates and flags & (os.O_RDWR | os.O_APPEND):
            self._read(path, LAST_CHANCE)
        self._leaving(path)
        self._written.add(path)
        self._report("write", path, mark, truncates)

    def _moved(self, how: str, old: object, new: object, old_folder: int, new_folder: int) -> None:
        source, target = located(old, old_folder), located(new, new_folder)
        if target is None:
            self._unresolved(new)
        if target is None or uninteresting(target):
            return
        if source is None:
            self._unresolved(old)
        if source is None or nameless(source):
            self._write(target, os.O_WRONLY | os.O_TRUNC)
            return
        if not os.path.exists(source) or uninteresting(source):
            return
        if source not in self._written:
            self._read(source)
        self._leaving(target)
        below = os.path.join(source, "")
        inside = [path for path in self._written if path == source or path.startswith(below)]
        if how == "rename":
            self._written.difference_update(inside)
        self._written.update(target + path[len(source) :] for path in inside)
        self._report(how, source, target)

    def _leaving(self, path: str) -> None:
        """Hash a large file that was read, before it changes or disappears."""
        if path in self._large:
            self._read(path, LAST_CHANCE)

    # Reports --------------------------------------------------------------------------------------------------------

    def ended(self) -> None:
        """At the end, report the interpreter, every imported package that has a version, and standard input."""
        thread = get_ident()
        self._busy.add(thread)
        try:
            versions = []
            for name, module in sorted(sys.modules.copy().items()):
                version = getattr(module, "__dict__", {}).get("__version__")
                if "." in name or name in imported_by_capture or not isinstance(version, str):
                    continue
                if not _of_python(module):
                    versions.append((name, version))
            self.standard_input()
            for (where, error), count in self._failures.items():
                self._report("unobserved", where, error, count)
            python = (sys.implementation.name, ".".join(map(str, sys.version_info[:3])))
            self._report("python", python, versions)
        except Exception:  # noqa: S110, BLE001 (a failure here must not become the program's)
            pass
        finally:
            self._busy.discard(thread)

    def _report(self, kind: str, *details: object, since: float | None = None) -> None:
        # Opened each time: a program may close all descriptors and reuse their numbers.
        line = ascii((kind, time.time() if since is None else since, *details)) + "\n"
        report = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(report, line.encode("ascii"))
        finally:
            os.close(report)


def _of_python(module: object) -> bool:
    file = getattr(module, "__file__", None)
    return not isinstance(file, str) or of_standard_library(file)


def _signature(path: str) -> tuple[int, ...] | None:
    """Inode, size, and times of modification and change in nanoseconds of a regular file; None of anything else."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if stat.S_ISREG(found.st_mode) else None
