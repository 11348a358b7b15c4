"""The versions from before a repository had an identity, whose IRIs do not depend on it."""

from __future__ import annotations

from functools import lru_cache

from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger

__all__ = ["FormerVersions"]

_CACHED = 65_536
"""The documents whose answer is cached; an answer never changes."""


class FormerVersions:
    """The implementation of ``provrepo.model.minting.Former`` by the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._versions = lru_cache(_CACHED)(ledger.versions_before)

    def any(self) -> bool:
        """Return whether the repository had entries before its identity."""
        return REPOSITORY in self._ledger.identity().before

    def project(self, project: str) -> bool:
        """Return whether a project is older than the identity."""
        return project in self._ledger.identity().before

    def versions(self, project: str, document: str) -> int:
        """Return the number of the newest version of a document before the identity; 0 for none."""
        before = self._ledger.identity().before.get(project)
        return 0 if before is None else self._versions(project, document, before)
