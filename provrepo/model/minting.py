"""The IRIs that the repository mints, functions of the base IRI, the repository's identity and names.

With a base IRI they are URLs under it. Without one they are ``urn:uuid:`` version 5 (RFC 9562, section 5.5) of the path
that the URL would have, so that nothing that is minted before the base is known could be mistaken for a place on the
web. The name space of that UUID is the repository's identity, so that two repositories never give one IRI to different
things. A repository that is older than its identity keeps the names that it had given: those are in a name space that
all repositories had in common.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Protocol

from provrepo.model.identifiers import Identifier

__all__ = ["LegacyContent", "Minter"]

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/provrepo/ns#")


class LegacyContent(Protocol):
    """What a repository held before it had an identity."""

    def any(self) -> bool:
        """Whether it held anything."""

    def project(self, project: str) -> bool:
        """Whether it held a project."""

    def versions(self, project: str, document: str) -> int:
        """The number of the newest version of a document that it held; 0 for none."""


@dataclass(frozen=True, slots=True)
class Minter:
    """Mints under one base IRI, or in the name space of one repository.

    Attributes:
        base: an absolute IRI ending in ``/``, or the empty string until one is set.
        identity: the repository's UUID; empty for the name space that repositories without one have in common.
        former: what keeps its names in that name space; None for nothing.
    """

    base: str = ""
    identity: str = ""
    former: LegacyContent | None = field(default=None, compare=False, repr=False)

    def mint(self, path: str) -> Identifier:
        """The IRI for a path below the base."""
        return self._in(self.identity, path)

    def of(self, project: str, document: str, version: int) -> Minter:
        """What mints for the content of one version, as plain text: two fields that can go to another process."""
        if self.former is None or version > self.former.versions(project, document):
            return Minter(self.base, self.identity)
        return Minter(self.base)

    def project(self, project: str) -> Identifier:
        """A project."""
        former = self.former is not None and self.former.project(project)
        return self._in("" if former else self.identity, f"projects/{project}")

    def document(self, project: str, document: str) -> Identifier:
        """A document, whatever its version."""
        return self.of(project, document, 1).mint(f"projects/{project}/documents/{document}")

    def version(self, project: str, document: str, version: int) -> Identifier:
        """One version of a document; also the name of the graph that holds what it asserts."""
        minter = self.of(project, document, version)
        return minter.mint(f"projects/{project}/documents/{document}/versions/{version}")

    @staticmethod
    def completed(graph: str) -> Identifier:
        """The graph that holds what follows from ``graph`` by fixed rules."""
        return Identifier(graph + "#completed")

    @staticmethod
    def bundle(version: str, number: int) -> Identifier:
        """The graph of a version's n-th bundle (from 1): two documents may use one bundle identifier."""
        return Identifier(f"{version}#bundle-{number}")

    @staticmethod
    def bundle_completed(version: str, number: int) -> Identifier:
        """The graph of what follows from a version's n-th bundle."""
        return Identifier(f"{version}#bundle-{number}-completed")

    def genid(self, blob: str, number: int) -> Identifier:
        """The skolem IRI of the n-th blank node (from 1, by first occurrence) of a blob (SHA-256 in hexadecimal)."""
        return self.mint(f"genid/{blob}-{number}")

    def actor(self, actor: str) -> Identifier:
        """Somebody who submits; the identifier is opaque, names live elsewhere."""
        return self._own(f"actors/{actor}")

    def profile(self, profile: str) -> Identifier:
        """A profile."""
        return self._own(f"profiles/{profile}")

    def catalogue(self) -> Identifier:
        """The graph in which the repository describes itself."""
        return self._own("catalogue")

    def repository(self) -> Identifier:
        """The repository itself."""
        return self._own("")

    def _own(self, path: str) -> Identifier:
        """What belongs to the repository as a whole."""
        return self._in("" if self.former is not None and self.former.any() else self.identity, path)

    def _in(self, identity: str, path: str) -> Identifier:
        if self.base:
            return Identifier(self.base + path)
        return Identifier(f"urn:uuid:{uuid.uuid5(uuid.UUID(identity) if identity else _SPACE, path)}")
