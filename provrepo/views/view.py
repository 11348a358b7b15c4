"""The interface of views: indexes that are derived from the ledger and record the last entry that they applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provrepo.views.extraction import Extraction

__all__ = ["PUBLIC", "Change", "View"]

PUBLIC = "*public"
"""The name of the dataset that merges all public projects; no project can have this name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One ledger entry as views get it.

    Attributes:
        project: the name of the project.
        sequence: the number of the entry in the project, from 1 without gaps.
        sha256: the digest of the entry's bytes.
        entry: the entry's decoded JSON: ``kind``, ``actor``, ``time`` and the fields of the kind.
        base: the repository's base IRI in force, empty without one.
        content: for a submission whose bytes have not been erased: writes the quads as N-Quads and returns the file,
            which the caller deletes. All of them are in named graphs; each view decides what its default graph
            contains. None for an entry without content.
        extraction: what lineage and search index of that content; None where there is none.
    """

    project: str
    sequence: int
    sha256: str
    entry: Mapping[str, Any]
    base: str = ""
    content: Callable[[], Path] | None = None
    extraction: Callable[[], Extraction] | None = None

    @property
    def kind(self) -> str:
        """``submit``, ``withdraw``, ``erase``, ``settings``; ``skipped`` for an entry that was set aside."""
        return str(self.entry["kind"])


class View(Protocol):
    """A view: derived from the ledger, so that it can be discarded and rebuilt at any time.

    The name of a dataset is that of its project, or ``*public`` for the dataset that merges all public projects.
    Position and stamp are written in the same transaction as the content that they describe, because the store of a
    view may lose its last commits in a power cut while the ledger does not.

    ``provrepo.views.contract`` contains the test suite that every implementation passes.
    """

    STAMP: str
    """The version of the mapping, and the base IRI. A dataset with another stamp is cleared and rebuilt."""

    MERGES: bool
    """Whether it stores the merged dataset of public projects. A view that reads several datasets does not need it."""

    HISTORY: bool
    """Whether it answers as of former entries, so that it also gets the content of versions that were replaced."""

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry. Applying it again changes nothing.

        A ``skipped`` entry changes the position and nothing else. The content file is deleted in any case.

        Raises:
            ValueError: not the entry after the last one applied.
        """

    def remove_project(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""

    def clear(self, dataset: str) -> None:
        """Remove the dataset."""

    def reset(self) -> None:
        """Remove every dataset, and files that cannot be read."""

    def close(self) -> None:
        """Close files and release locks."""
