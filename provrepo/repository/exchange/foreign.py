"""The projects here that are mirrors, for ``model.minting`` and for the names of their actors."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.ledger.ledger import Ledger
from provrepo.model.minting import ForeignProject, Minter

__all__ = ["MirroredProjects"]


class MirroredProjects:
    """The implementation of ``provrepo.model.minting.ForeignProjects`` by the ledger.

    It is a state of the table of mirrors; ``refresh`` reads the table again.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger and read its table of mirrors."""
        self._ledger = ledger
        self._mirrors: Mapping[str, Mirror] = {}
        self._found: Mapping[str, ForeignProject] = {}
        self.refresh()

    def refresh(self) -> Mapping[str, Mirror]:
        """Read the table of mirrors, and return it by name."""
        mirrors = {mirror.project: mirror for mirror in self._ledger.mirrors()}
        known, self._mirrors = self._mirrors, mirrors
        self._found = {
            name: self._found[name] if known.get(name) == mirror else _foreign(self._ledger, mirror)
            for name, mirror in mirrors.items()
        }
        return mirrors

    def find(self, project: str) -> ForeignProject | None:
        """What is mirrored under a name; None for a project of this repository."""
        return self._found.get(project)


class _FormerVersions:
    """The versions of an origin from before it had an identity, as far as they are mirrored."""

    def __init__(self, ledger: Ledger, mirror: Mirror) -> None:
        self._mirror = mirror
        self._versions = ledger.versions_before

    def any(self) -> bool:
        """Whether the origin had entries before its identity."""
        return self._mirror.former

    def project(self, project: str) -> bool:  # noqa: ARG002 (there is one)
        """Whether the project is older than the identity."""
        return self._mirror.before > 0

    def versions(self, project: str, document: str) -> int:  # noqa: ARG002 (there is one)
        """The number of the newest version of a document before the identity; 0 for none."""
        mirror = self._mirror
        return self._versions(mirror.project, document, mirror.before) if mirror.before else 0


def _foreign(ledger: Ledger, mirror: Mirror) -> ForeignProject:
    return ForeignProject(mirror.stream, Minter(mirror.base, mirror.identity, _FormerVersions(ledger, mirror)))
