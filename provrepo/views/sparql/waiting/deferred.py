"""Submissions that the view has taken and not loaded yet: small ones, which are loaded many at a time.

To load one small submission into Oxigraph takes about 13 ms, half of it the same for one and for many. Oxigraph also
merges its files after each second bulk load, the whole dataset at a time. So what waits is loaded when no more comes
for a moment, or much waits. A dataset whose changes wait here counts as having them: each reader of the dataset loads
them first. What waits is in memory, with its content in files. When the process is killed it is gone, the position in
the store is the former one, and the entries are applied again.

Changes wait only while the disk has space to spare: on a full one they could not be loaded, after the submitter was
told that they are indexed.

Changes that cannot be loaded are dropped and count as not applied. Until the store has them, no further change of their
project waits, and the dataset has no reader: it would miss what counted as applied before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from provrepo.errors import Busy
from provrepo.views.view import Change

__all__ = ["Deferred", "Waiting", "not_loaded", "portions"]

_ENOUGH = 512
"""Submissions that are loaded as soon as so many wait for one dataset."""

_ENOUGH_BYTES = 32 << 20
"""Bytes of content that are loaded as soon as so many wait for one dataset."""

_PATIENCE = 30.0
"""Seconds after which submissions are loaded however few they are."""

_REST = 1.0
"""Seconds without a submission to a dataset after which what waits for it is loaded."""

_MOST = 1024
"""Submissions that wait for one dataset at the most."""

_MOST_BYTES = 64 << 20
"""Bytes of content, in files, that wait for one dataset at the most."""

_TOGETHER = 8 << 20
"""Bytes of content in one bulk load, which takes about ten times as much memory. A single file may have more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits.

    Attributes:
        change: the submission of a new document.
        content: its content file, which belongs to the view.
        size: the bytes of that file.
        since: when it began to wait, by ``time.monotonic``.
        number: differs from that of any other change that this process let wait.
    """

    change: Change
    content: Path
    size: int = 0
    since: float = field(default_factory=time.monotonic)
    number: int = field(default_factory=count().__next__)


def not_loaded(dataset: str, reason: str) -> Busy:
    """The error for readers of a dataset whose changes cannot be loaded."""
    return Busy(f"{dataset} has submissions that could not be indexed yet ({reason}); try again")


def portions(changes: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """Divide changes that wait into those that are loaded together, in order."""
    portion: list[Waiting] = []
    size = 0
    for change in changes:
        if portion and size + change.size > _TOGETHER:
            yield portion
            portion, size = [], 0
        portion.append(change)
        size += change.size
    if portion:
        yield portion


class Deferred:
    """The changes of each dataset that wait, in order. Any number of threads may use it."""

    def __init__(self, has_space: Callable[[], bool] = lambda: True) -> None:
        """Start without changes.

        Args:
            has_space: whether the disk has so much space that changes may wait.
        """
        self._has_space = has_space
        self._guard = threading.Lock()
        self._waiting: dict[str, list[Waiting]] = {}
        self._dropped: dict[str, dict[str, tuple[int, str]]] = {}

    def add(self, dataset: str, waiting: Waiting) -> bool:
        """Add the next change of a dataset.

        Returns:
            Whether it waits now. It may not where changes of its project were dropped, or the disk has little space.
            Its file is deleted then.
        """
        has_space = self._has_space()
        with self._guard:
            if not has_space or waiting.change.project in self._dropped.get(dataset, ()):
                waiting.content.unlink(missing_ok=True)
                return False
            self._waiting.setdefault(dataset, []).append(waiting)
            return True

    def full(self, dataset: str) -> bool:
        """Whether so much waits for a dataset that it has to be loaded."""
        with self._guard:
            changes = self._waiting.get(dataset, ())
            return len(changes) >= _MOST or sum(each.size for each in changes) >= _MOST_BYTES

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last change of a project that waits; 0 where none does."""
        with self._guard:
            changes = self._waiting.get(dataset, ())
            return next((each.change.sequence for each in reversed(changes) if each.change.project == project), 0)

    def datasets(self) -> list[str]:
        """The datasets for which changes wait."""
        with self._guard:
            return sorted(self._waiting)

    def due(self) -> list[str]:
        """The datasets whose changes have to be loaded now: a load of many takes less time for each of them."""
        now = time.monotonic()
        with self._guard:
            return sorted(
                name
                for name, changes in self._waiting.items()
                if now - changes[-1].since > _REST
                or now - changes[0].since > _PATIENCE
                or len(changes) >= _ENOUGH
                or sum(each.size for each in changes) >= _ENOUGH_BYTES
            )

    def waiting(self, dataset: str) -> list[Waiting]:
        """The changes of a dataset that wait. They stay until ``loaded`` or ``drop`` is called."""
        with self._guard:
            return list(self._waiting.get(dataset, ()))

    def mark(self, dataset: str) -> tuple[int, ...]:
        """What tells the changes of a dataset that wait from those that waited at other times."""
        with self._guard:
            changes = self._waiting.get(dataset)
            return (changes[0].number, changes[-1].number, len(changes)) if changes else ()

    def loaded(self, dataset: str, changes: Collection[Waiting]) -> None:
        """Remove the first changes of a dataset, with their files."""
        with self._guard:
            rest = self._waiting.pop(dataset, [])[len(changes) :]
            if rest:
                self._waiting[dataset] = rest
        for each in changes:
            each.content.unlink(missing_ok=True)

    def drop(self, dataset: str, reason: str) -> set[str]:
        """Remove all changes of a dataset, which cannot be loaded, with their files; returns their projects."""
        with self._guard:
            changes = self._waiting.pop(dataset, [])
            for each in changes:
                self._dropped.setdefault(dataset, {})[each.change.project] = each.change.sequence, reason
        for each in changes:
            each.content.unlink(missing_ok=True)
        return {each.change.project for each in changes}

    def require_loaded(self, dataset: str, stored: Callable[[str], int], project: str | None = None) -> None:
        """Require that the changes of a project that were dropped, or of all projects, are in the store.

        Args:
            dataset: its name.
            stored: returns the sequence number of the last entry of a project in the store.
            project: the project; None for all.

        Raises:
            Busy: they are not applied again yet.
        """
        with self._guard:
            dropped = dict(self._dropped.get(dataset, ()))
        for name, (sequence, reason) in dropped.items():
            if project in (None, name):
                position = stored(name)
                if position < sequence:
                    raise not_loaded(dataset, reason)
                self.applied(dataset, name, position)

    def give_up(self, dataset: str, project: str) -> None:
        """Forget that changes of a project were dropped: they will not be applied again."""
        with self._guard:
            self._dropped.get(dataset, {}).pop(project, None)

    def applied(self, dataset: str, project: str, sequence: int) -> None:
        """Note that the store has the changes of a project up to one; those after it may wait again."""
        with self._guard:
            dropped = self._dropped.get(dataset, {})
            if project in dropped and dropped[project][0] <= sequence:
                del dropped[project]

    def forget(self, dataset: str, project: str | None = None) -> None:
        """Remove the changes of one project, or of all, with their files, as if there had been none."""
        with self._guard:
            changes = self._waiting.pop(dataset, [])
            rest = [each for each in changes if project not in (None, each.change.project)]
            if rest:
                self._waiting[dataset] = rest
            dropped = self._dropped.pop(dataset, {})
            if project is not None:
                dropped.pop(project, None)
                self._dropped[dataset] = dropped
        for each in changes:
            if project in (None, each.change.project):
                each.content.unlink(missing_ok=True)
