"""Increments: the updates of changes that wait, which workers execute on copies of their own of a checkpoint.

A query after a change would otherwise need a new checkpoint: the change is loaded, Oxigraph writes all of its memory to
files for the checkpoint, and each worker opens them. That takes about 60 ms. To execute an increment takes about 4 ms.

An increment is two files: the quads that one change adds, and the SPARQL update that moves the position. One update for
both would take longer to write and to parse. A worker makes its copy of the checkpoint from
links to the files that never change, and from copies of the others. Workers of one dataset get the increments in one
order. So the copy of a worker has the checkpoint's content and the first of the increments.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox

from provrepo.views.sparql.waiting.deferred import Waiting

__all__ = ["STORE", "Copy", "Increments", "Turns", "few"]

STORE = "store"
"""The name of the directory of a checkpoint, in a directory with what belongs to it."""

_MOST = 256
"""Increments of one checkpoint at the most."""

_MOST_BYTES = 16 << 20
"""Bytes of the content of these increments at the most: in the memory of a worker they take nine times as much."""

_NEW = 64
"""Increments that one query adds at the most. To load more takes less time than to execute them in a worker."""

_QUADS = ".nq"
"""The suffix of the file of quads beside that of the update, whose path stands for the increment."""

_LARGEST = 1 << 30
"""Bytes of a checkpoint up to which it is copied: the engine may decide to rewrite most of a copy."""


def few(waiting: Sequence[Waiting]) -> bool:
    """Whether changes are so few and small that a worker may keep what they add in its memory."""
    return len(waiting) <= _MOST and sum(each.size for each in waiting) <= _MOST_BYTES


class Increments:
    """Writes increments, each once for a checkpoint. Any number of threads may use it."""

    def __init__(self, write: Callable[[Waiting, Path], str]) -> None:
        """Write the increments of a view.

        Args:
            write: writes what a change adds to a file, as N-Quads, and returns the update that has to follow.
        """
        self._write = write
        self._guard = threading.Lock()

    def of(self, checkpoint: Path, waiting: Sequence[Waiting]) -> list[str] | None:
        """The increments of changes that wait.

        Args:
            checkpoint: the checkpoint of the state before these changes, which is in use.
            waiting: the changes.

        Returns:
            Their paths, in order. None where it is better to load the changes, since many have no increment yet or
            the checkpoint is too large.

        Raises:
            FileNotFoundError: another thread has loaded them meanwhile.
            OSError: a file cannot be written.
            Damaged: the content of a change is invalid.
        """
        folder = checkpoint.with_name("increments")
        found = []
        with self._guard:
            if not folder.exists():
                if sum(file.stat().st_size for file in checkpoint.iterdir()) > _LARGEST:
                    return None
                folder.mkdir(mode=0o700)
            written = {file.name for file in folder.iterdir()}
            files = [folder / f"{each.number}.ru" for each in waiting]
            if sum(file.name not in written for file in files) > _NEW:
                return None
            for each, file in zip(waiting, files, strict=True):
                if file.name not in written:
                    text = self._write(each, file.with_suffix(_QUADS))
                    partial = file.with_suffix(".part")
                    partial.write_text(text, "utf-8")
                    partial.rename(file)
                found.append(str(file))
        return found


class Turns:
    """Turns of the queries of one dataset that need increments, so that one worker executes each increment."""

    _LONGEST = 2.0
    """Seconds to wait for a turn. Most queries take milliseconds; for those that do not, loading is quicker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Yield whether it is the turn of this query until the block ends; False where others took long."""
        taken = self._lock.acquire(timeout=self._LONGEST)
        try:
            yield taken
        finally:
            if taken:
                self._lock.release()


# In a worker process


class Copy:
    """An open checkpoint, or a copy of it with the first of its increments.

    Attributes:
        checkpoint: the directory of the checkpoint.
        store: the open store.
    """

    def __init__(self, checkpoint: str, increments: Sequence[str]) -> None:
        """Open a checkpoint, or a copy of it where there are increments.

        Raises:
            OSError: it cannot be opened, or an increment cannot be read or written.
        """
        self.checkpoint = checkpoint
        self._applied: list[str] = []
        self._writable = bool(increments)
        if self._writable:
            self.store = ox.Store(_copied(Path(checkpoint)))
        else:
            self.store = ox.Store.read_only(checkpoint)
        self.advance(increments)

    def leads_to(self, checkpoint: str, increments: Sequence[str]) -> bool:
        """Whether ``advance`` can add what is missing of some increments. It may have more than them already."""
        common = min(len(self._applied), len(increments))
        return (
            self.checkpoint == checkpoint
            and (self._writable or not increments)
            and self._applied[:common] == list(increments[:common])
        )

    def advance(self, increments: Sequence[str]) -> None:
        """Execute the increments that were not executed yet.

        Raises:
            OSError: an increment cannot be read or written. The copy is useless then.
        """
        for increment in increments[len(self._applied) :]:
            file = Path(increment)
            self.store.load(path=str(file.with_suffix(_QUADS)), format=ox.RdfFormat.N_QUADS)
            self.store.update(file.read_text("utf-8"))
            self._applied.append(increment)


def _copied(checkpoint: Path) -> str:
    """Copy a checkpoint into a directory of this process beside it; returns its path."""
    copy = checkpoint.with_name(f"copy-{os.getpid()}")
    shutil.rmtree(copy, ignore_errors=True)  # of an attempt that failed
    copy.mkdir(mode=0o700)
    for file in checkpoint.iterdir():
        if file.suffix == ".sst":
            (copy / file.name).hardlink_to(file)  # the engine never changes these files
        else:
            shutil.copyfile(file, copy / file.name)
    return str(copy)
