"""Checkpoints: read-only copies of datasets at one position, which worker processes query.

A store that is being written must not be opened by another process. A checkpoint is a directory of hard links to the
store's files, which never change: creating it takes some milliseconds and hardly any space. A checkpoint is created for
the first query after a change, and removed once it is out of date and no query uses it.

Its directory is in a directory of its own, in which workers also keep what belongs to it (``waiting.increments``).
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from provrepo.errors import Busy
from provrepo.views.sparql.pool import CLOSED, directory_name
from provrepo.views.sparql.querying.answers import Answers
from provrepo.views.sparql.querying.merged_checkpoints import MergedCheckpoints
from provrepo.views.sparql.waiting.increments import STORE

__all__ = ["Checkpoints"]


@dataclass(slots=True)
class _Checkpoint:
    path: Path
    state: int
    users: int = 0

    @property
    def store(self) -> Path:
        """The copy of the dataset, in the directory of the checkpoint."""
        return self.path / STORE


class Checkpoints:
    """The newest checkpoint of each dataset, and older ones while queries use them.

    Attributes:
        root: the directory that contains a directory for each dataset; no other process may write to it.
        merged: merged checkpoints of several datasets.
        answers: answers from the present content of datasets.
    """

    def __init__(self, root: Path) -> None:
        """Empty the directory ``root``, in which a process that was killed may have left checkpoints."""
        self.root = root
        shutil.rmtree(root, ignore_errors=True)
        self.merged = MergedCheckpoints(root / ".merged")
        self.answers = Answers(self.state)
        self._states: defaultdict[str, int] = defaultdict(int)
        self._writing: defaultdict[str, int] = defaultdict(int)
        self._newest: dict[str, _Checkpoint] = {}
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._changed = threading.Condition(threading.RLock())
        self._used = 0  # checkpoints in use or being created
        self._closed = False
        self._made = 0
        # No path is used twice, not even by another instance: a worker may still have the former checkpoint open.
        self._unique = uuid.uuid4().hex[:12]

    @contextmanager
    def written(self, dataset: str) -> Iterator[None]:
        """A block that changes the dataset, so that the next query after it gets a new checkpoint."""
        with self._changed:
            self._writing[dataset] += 1
        try:
            yield
        finally:
            self.outdate(dataset)  # before: until then no checkpoint and no answer is exact
            with self._changed:
                self._writing[dataset] -= 1

    def state(self, dataset: str) -> int | None:
        """The number of changes of a dataset; None while it is being changed."""
        with self._changed:
            return None if self._writing[dataset] else self._states[dataset]

    def exact(self, dataset: str, store: Path) -> bool:
        """Whether a checkpoint that is in use has the present content of the dataset, and nothing is changing that.

        Where this is not so, the checkpoint may or may not include changes that were made since it was asked for.
        """
        with self._changed:
            newest = self._newest.get(dataset)
            return (
                newest is not None
                and newest.store == store
                and newest.state == self._states[dataset]
                and not self._writing[dataset]
            )

    def outdate(self, dataset: str) -> None:
        """Note a change of the dataset, so that the next query gets a new checkpoint."""
        self.merged.outdate(dataset)
        with self._changed:
            self._states[dataset] += 1
            newest = self._newest.get(dataset)
            if newest is not None and not newest.users:
                self._remove(self._newest.pop(dataset))
        self.answers.forget(dataset)

    @contextmanager
    def use(self, dataset: str, make: Callable[[Path], bool]) -> Iterator[Path | None]:
        """A checkpoint with everything that was in the dataset before the call.

        Args:
            dataset: its name.
            make: creates a checkpoint at a path that does not exist; returns False where there is no dataset.

        Yields:
            The checkpoint's directory, which exists until the block ends; None where there is no dataset.

        Raises:
            Busy: they were closed forever.
        """
        checkpoint = self._enter(dataset, make)
        if checkpoint is None:
            yield None
            return
        try:
            yield checkpoint.store
        finally:
            self._leave(dataset, checkpoint)

    def close(self, *, forever: bool = False) -> None:
        """Remove all checkpoints, once none is in use. Afterwards new ones can be created, unless it is ``forever``."""
        with self._changed:
            self._closed = forever
            self._changed.wait_for(lambda: not self._used)
            self._newest.clear()
            self.merged.clear()
            shutil.rmtree(self.root, ignore_errors=True)

    def _enter(self, dataset: str, make: Callable[[Path], bool]) -> _Checkpoint | None:
        with self._changed:
            making = self._making[dataset]
        with making:
            with self._changed:
                if self._closed:
                    raise Busy(CLOSED)
                # Read before the checkpoint is created: it may or may not include a change that happens meanwhile.
                state = self._states[dataset]
                found = self._newest.get(dataset)
                if found is not None and found.state == state:
                    return self._count(found)
                self._made += 1
                self._used += 1
                path = self.root / directory_name(dataset) / f"{self._unique}-{self._made}"
            try:
                made = _Checkpoint(path, state)
                path.mkdir(mode=0o700, parents=True)
                if not make(made.store):
                    path.rmdir()
                    return None
                with self._changed:
                    if found is not None and self._newest.get(dataset) is found and not found.users:
                        self._remove(found)
                    self._newest[dataset] = made
                    return self._count(self._newest[dataset])
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
            finally:
                with self._changed:
                    self._used -= 1
                    self._changed.notify_all()

    def _count(self, checkpoint: _Checkpoint) -> _Checkpoint:
        checkpoint.users += 1
        self._used += 1
        return checkpoint

    def _leave(self, dataset: str, checkpoint: _Checkpoint) -> None:
        with self._changed:
            checkpoint.users -= 1
            self._used -= 1
            newest = self._newest.get(dataset)
            if not checkpoint.users and (newest is not checkpoint or checkpoint.state != self._states[dataset]):
                if newest is checkpoint:
                    del self._newest[dataset]
                self._remove(checkpoint)
            self._changed.notify_all()

    @staticmethod
    def _remove(checkpoint: _Checkpoint) -> None:
        # A worker may still have the files open, and so they occupy space until it closes them at its next query. It
        # may also be writing to a copy, which it finds no more when the directory has another name.
        removed = checkpoint.path.with_name(f".removed-{checkpoint.path.name}")
        with suppress(OSError):
            checkpoint.path.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)
