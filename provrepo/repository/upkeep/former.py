"""What a repository held before it had an identity, and therefore keeps its names."""

from __future__ import annotations

from functools import lru_cache

from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger

__all__ = ["Former"]

_REMEMBERED = 65_536
"""Documents whose answer is kept: it never changes."""


class Former:
    """Asks the ledger; see ``provrepo.model.minting.Former``. A repository that began with an identity asks nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._versions = lru_cache(_REMEMBERED)(ledger.versions_before)

    def any(self) -> bool:
        """Whether it held anything."""
        return REPOSITORY in self._ledger.identity().before

    def project(self, project: str) -> bool:
        """Whether it held a project."""
        return project in self._ledger.identity().before

    def versions(self, project: str, document: str) -> int:
        """The number of the newest version of a document that it held; 0 for none."""
        before = self._ledger.identity().before.get(project)
        return 0 if before is None else self._versions(project, document, before)
