"""Submissions that the view has taken and not loaded yet: small ones, which are loaded many at a time.

To load one small submission into Oxigraph takes about 13 ms, half of it the same for one and for many. A dataset whose
changes wait here counts as having them: each reader of the dataset loads them first. What waits is in memory, with its
content in files. When the process is killed it is gone, the position in the store is the former one, and the entries
are applied again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from provrepo.views.view import Change

__all__ = ["Deferred", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits.

    Attributes:
        change: the submission of a new document.
        content: its content file, which belongs to the view.
    """

    change: Change
    content: Path


class Deferred:
    """The changes of each dataset that wait, in order. Any number of threads may use it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: dict[str, list[Waiting]] = {}
        self._refused: dict[tuple[str, str], int] = {}

    def may_wait(self, dataset: str, change: Change) -> bool:
        """Whether a change may wait: not one that was dropped before, so that its failure is found at once."""
        with self._guard:
            return change.sequence > self._refused.get((dataset, change.project), 0)

    def add(self, dataset: str, waiting: Waiting) -> int:
        """Add the next change of a dataset; returns how many wait then."""
        with self._guard:
            changes = self._waiting.setdefault(dataset, [])
            changes.append(waiting)
            return len(changes)

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last change of a project that waits; 0 where none does."""
        with self._guard:
            changes = self._waiting.get(dataset, ())
            return max((each.change.sequence for each in changes if each.change.project == project), default=0)

    def datasets(self) -> list[str]:
        """The datasets for which changes wait."""
        with self._guard:
            return sorted(self._waiting)

    def waiting(self, dataset: str) -> list[Waiting]:
        """The changes of a dataset that wait. They stay until ``loaded`` or ``drop`` is called."""
        with self._guard:
            return list(self._waiting.get(dataset, ()))

    def loaded(self, dataset: str, changes: Collection[Waiting]) -> None:
        """Remove the first changes of a dataset, with their files."""
        with self._guard:
            rest = self._waiting.pop(dataset, [])[len(changes) :]
            if rest:
                self._waiting[dataset] = rest
        for each in changes:
            each.content.unlink(missing_ok=True)

    def drop(self, dataset: str) -> set[str]:
        """Remove all changes of a dataset, with their files; returns their projects. They may not wait again."""
        with self._guard:
            changes = self._waiting.pop(dataset, [])
            for each in changes:
                self._refused[dataset, each.change.project] = each.change.sequence
        for each in changes:
            each.content.unlink(missing_ok=True)
        return {each.change.project for each in changes}
