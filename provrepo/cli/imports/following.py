"""A file or folder whose files are imported when they are there, and again whenever they have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from provrepo.errors import Busy, Error, NoSpace, Unreachable
from provrepo.importers.sources import is_hidden

__all__ = ["PATIENCE", "Follower"]

State = tuple[int, int, int]
"""Inode, time of the last change in nanoseconds, and size in bytes."""

PATIENCE = 10
"""Looks after which a file is imported although it has changed at each of them."""

_TEMPORARY = (Busy, NoSpace, Unreachable)


class Follower:
    """Looks at a file, or at the files of a folder, and imports those that changed.

    A file that is being written waits until it has not changed between two looks, at most ``PATIENCE`` looks. What is
    imported again and has nothing new makes no new version, so that a follower that was killed may start anew.
    """

    def __init__(
        self, place: Path, store: Callable[[Path, str], object], failed: Callable[[Path, Error], None]
    ) -> None:
        """Take the place.

        Args:
            place: the file or folder.
            store: imports one file; the text is its path in the folder, or its name.
            failed: is told why a file was not imported. After a temporary error it is tried again at the next look.
        """
        self._place, self._store, self._failed = place, store, failed
        self._imported: dict[Path, State] = {}
        self._before: dict[Path, State] = {}
        self._waited: dict[Path, int] = {}

    def look(self) -> None:
        """Look once."""
        states = dict(self._states())
        for path, state in sorted(states.items()):
            if self._imported.get(path) == state:
                self._waited.pop(path, None)
                continue
            self._waited[path] = self._waited.get(path, 0) + 1
            if self._before.get(path) == state or self._waited[path] > PATIENCE:
                self._import(path, state)
        self._before = states
        for known in (self._imported, self._waited):
            for path in known.keys() - states.keys():
                del known[path]

    def _import(self, path: Path, state: State) -> None:
        try:
            self._store(path, path.relative_to(self._place).as_posix() if path != self._place else path.name)
        except _TEMPORARY as error:
            self._failed(path, error)
            return
        except Error as error:
            self._failed(path, error)
        self._imported[path] = state
        self._waited.pop(path, None)

    def _states(self) -> Iterator[tuple[Path, State]]:
        folder = self._place.is_dir()
        for path in self._place.rglob("*") if folder else [self._place]:
            if folder and (is_hidden(path.relative_to(self._place).as_posix()) or path.is_symlink()):
                continue
            try:
                state = path.stat()
            except OSError:
                continue  # it was removed meanwhile
            if path.is_file():
                yield path, (state.st_ino, state.st_mtime_ns, state.st_size)
