"""The IRIs that the repository mints, functions of the base IRI, the repository's identity and names.

With a base IRI they are URLs under it. Without one they are ``urn:uuid:`` version 5 (RFC 9562, section 5.5) of the path
that the URL would have, so that an IRI minted before the base is known is not mistaken for an address on the web. The
name space of that UUID is the repository's identity, so that two repositories never mint one IRI for different things.
What a repository contained before it had an identity keeps its IRIs. Those are in a name space that all repositories
shared.

The content of a mirror has the IRIs that it has at its origin.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from provrepo.model.identifiers import Identifier
from provrepo.model.uuids import uuid5

__all__ = ["ForeignProject", "ForeignProjects", "LegacyContent", "Minter"]

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/provrepo/ns#").bytes


class LegacyContent(Protocol):
    """The content of a repository from before it had an identity."""

    def any(self) -> bool:
        """Whether there was any."""

    def project(self, project: str) -> bool:
        """Whether a project existed."""

    def versions(self, project: str, document: str) -> int:
        """The number of the newest version of a document then; 0 for none."""


@dataclass(frozen=True, slots=True)
class ForeignProject:
    """A project of another repository, of which this one has a mirror.

    Attributes:
        name: its name at the origin.
        minter: mints the IRIs of the origin.
    """

    name: str
    minter: Minter


class ForeignProjects(Protocol):
    """The projects here that are mirrors."""

    def find(self, project: str) -> ForeignProject | None:
        """What is mirrored under a name; None for a project of this repository."""


@dataclass(frozen=True, slots=True)
class Minter:
    """Mints under one base IRI, or in the name space of one repository.

    Attributes:
        base: an absolute IRI ending in ``/``, or the empty string until one is set.
        identity: the repository's UUID; empty for the name space that repositories without an identity share.
        former: the content that keeps its IRIs in the shared name space; None for none.
        foreign: the mirrors, whose IRIs are minted as their origins do; None for none.
    """

    base: str = ""
    identity: str = ""
    former: LegacyContent | None = field(default=None, compare=False, repr=False)
    foreign: ForeignProjects | None = field(default=None, compare=False, repr=False)

    def home(self, project: str) -> ForeignProject:
        """The name of a project where it is submitted to, and the minter there: those here, unless it is a mirror."""
        found = None if self.foreign is None else self.foreign.find(project)
        return ForeignProject(project, self) if found is None else found

    def mint(self, path: str) -> Identifier:
        """The IRI for a path below the base."""
        return self._in(self.identity, path)

    def of(self, project: str, document: str, version: int) -> Minter:
        """The minter for the content of one version; two plain fields, which another process can be given."""
        home = self.home(project)
        if home.minter is not self:
            return home.minter.of(home.name, document, version)
        return Minter(self.base, self._identity_of(project, document, version))

    def project(self, project: str) -> Identifier:
        """A project."""
        home = self.home(project)
        if home.minter is not self:
            return home.minter.project(home.name)
        former = self.former is not None and self.former.project(project)
        return self._in("" if former else self.identity, f"projects/{project}")

    def document(self, project: str, document: str) -> Identifier:
        """A document, whatever its version."""
        return self.of(project, document, 1).mint(f"projects/{self.home(project).name}/documents/{document}")

    def version(self, project: str, document: str, version: int) -> Identifier:
        """One version of a document; also the name of the graph of its assertions."""
        home = self.home(project)
        if home.minter is not self:
            return home.minter.version(home.name, document, version)
        identity = self._identity_of(project, document, version)
        return self._in(identity, f"projects/{project}/documents/{document}/versions/{version}")

    @staticmethod
    def completed(graph: str) -> Identifier:
        """The graph of the completion of ``graph``."""
        return Identifier(graph + "#completed")

    @staticmethod
    def bundle(version: str, number: int) -> Identifier:
        """The graph of a version's n-th bundle (from 1): two documents may use one bundle identifier."""
        return Identifier(f"{version}#bundle-{number}")

    @staticmethod
    def bundle_completed(version: str, number: int) -> Identifier:
        """The graph of the completion of a version's n-th bundle."""
        return Identifier(f"{version}#bundle-{number}-completed")

    def genid(self, blob: str, number: int) -> Identifier:
        """The skolem IRI of the n-th blank node (from 1, by first occurrence) of a blob (SHA-256 in hexadecimal)."""
        return self.mint(f"genid/{blob}-{number}")

    def actor(self, project: str, actor: str) -> Identifier:
        """An actor in the entries of a project; ``actor`` is an opaque identifier and not a name."""
        return self.home(project).minter._own(f"actors/{actor}")

    def profile(self, project: str, profile: str) -> Identifier:
        """A profile in the entries of a project."""
        return self.home(project).minter._own(f"profiles/{profile}")

    def catalogue(self) -> Identifier:
        """The graph in which the repository describes itself."""
        return self._own("catalogue")

    def repository(self) -> Identifier:
        """The repository itself."""
        return self._own("")

    def _identity_of(self, project: str, document: str, version: int) -> str:
        """The name space of one version: that of the repository, or the shared one for what was there before."""
        kept = self.former is not None and version <= self.former.versions(project, document)
        return "" if kept else self.identity

    def _own(self, path: str) -> Identifier:
        """The IRI of something that belongs to the repository as a whole."""
        return self._in("" if self.former is not None and self.former.any() else self.identity, path)

    def _in(self, identity: str, path: str) -> Identifier:
        if self.base:
            return Identifier(self.base + path)
        return _uuid(identity, path)


@lru_cache(maxsize=4096)
def _uuid(identity: str, path: str) -> Identifier:
    # A submission mints the same few IRIs many times.
    return Identifier(f"urn:uuid:{uuid5(_space(identity), path)}")


@lru_cache(maxsize=64)
def _space(identity: str) -> bytes:
    return uuid.UUID(identity).bytes if identity else _SPACE
