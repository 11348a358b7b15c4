"""The IRIs that the repository mints, pure functions of the base IRI and of names.

With a base IRI they are URLs under it. Without one they are ``urn:uuid:`` version 5 of the path that the URL would
have, so that nothing that is minted before the base is known could be mistaken for a place on the web.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from provrepo.model.identifiers import Identifier

__all__ = ["Minter"]

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/provrepo/ns#")


@dataclass(frozen=True, slots=True)
class Minter:
    """Mints under one base IRI.

    Attributes:
        base: an absolute IRI ending in ``/``, or the empty string until one is set.
    """

    base: str = ""

    def mint(self, path: str) -> Identifier:
        """The IRI for a path below the base."""
        if self.base:
            return Identifier(self.base + path)
        return Identifier(f"urn:uuid:{uuid.uuid5(_SPACE, path)}")

    def project(self, project: str) -> Identifier:
        """A project."""
        return self.mint(f"projects/{project}")

    def document(self, project: str, document: str) -> Identifier:
        """A document, whatever its version."""
        return self.mint(f"projects/{project}/documents/{document}")

    def version(self, project: str, document: str, version: int) -> Identifier:
        """One version of a document; also the name of the graph that holds what it asserts."""
        return self.mint(f"projects/{project}/documents/{document}/versions/{version}")

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
        return self.mint(f"actors/{actor}")

    def profile(self, profile: str) -> Identifier:
        """A profile."""
        return self.mint(f"profiles/{profile}")

    def catalogue(self) -> Identifier:
        """The graph in which the repository describes itself."""
        return self.mint("catalogue")
