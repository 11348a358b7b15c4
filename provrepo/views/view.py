"""What a view of the ledger is: something derived, that knows the last entry it has applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["PUBLIC", "Change", "View"]

PUBLIC = "*public"
"""The dataset that merges all public projects; no project can have this name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One ledger entry as views see it.

    Attributes:
        project: whose entry it is.
        sequence: its number in the project, from 1 without gaps.
        sha256: the digest of the entry's bytes.
        entry: the entry's decoded JSON: ``kind``, ``actor``, ``time`` and what the kind adds.
        base: the repository's base IRI in force, empty without one.
        content: for a submission whose bytes are still there: writes the quads as N-Quads and returns the file, which
            the caller deletes. Each line of a named graph stands there; what is in the default graph is the view's
            own affair. None where the entry brings no content.
    """

    project: str
    sequence: int
    sha256: str
    entry: Mapping[str, Any]
    base: str = ""
    content: Callable[[], Path] | None = None

    @property
    def kind(self) -> str:
        """``submit``, ``withdraw``, ``erase``, ``settings``; ``skipped`` for an entry that is stepped over."""
        return str(self.entry["kind"])


class View(Protocol):
    """A view: derived from the ledger, thrown away and rebuilt at will.

    A dataset is a project's name, or ``public`` prefixed as ``*public``, which merges all public projects. Position
    and stamp are written in the same transaction as what they speak of, because a view's store may lose its last
    commits in a power cut while the ledger does not.

    ``provrepo.views.contract`` holds the test suite that every implementation passes.
    """

    STAMP: str
    """Codec and mapping version. Where the stored one differs, the dataset is cleared and applied anew."""

    MERGES: bool
    """Whether it keeps the dataset that merges public projects; a view that is asked over several has no need of it."""

    HISTORY: bool
    """Whether it answers as of former entries, so that it wants the content of versions that are replaced, too."""

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry. Applying it again changes nothing; applying out of order is refused (ValueError).

        An ``skipped`` one moves the position and nothing else. A content file is deleted in any case.
        """

    def forget(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""

    def clear(self, dataset: str) -> None:
        """Remove the dataset."""

    def reset(self) -> None:
        """Remove every dataset, and whatever cannot be read any more."""

    def close(self) -> None:
        """Let go of files and locks."""
