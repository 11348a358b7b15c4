"""What the parts of a statement have in common: resources with digests, parameters, and members that are unknown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import state_file
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import masked, without_login
from provrepo.importers.names import segment
from provrepo.importers.runs import state_parameter
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, json_value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import SPECIALIZATION, Attribute
from provrepo.vocab import PROV_ROLE, PROVREPO, SCHEMA

__all__ = ["Stating", "details", "role"]

RESOURCE = ("name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations")
"""The members of a ResourceDescriptor of in-toto."""

_STRONGEST = ("sha512", "sha384", "sha256", "sha1", "md5")
"""A file is named by the first of these that is known: its name is the same wherever the same digests are given."""


class Stating(Shapes):
    """Makes the statements of one attestation.

    Attributes:
        statements: the document.
        root: the beginning of minted IRIs, which ends with a slash.
        digest: of the attestation, in hexadecimal.
        problems: what is not as the specification says.
        about: the IRIs of the subjects that were described.
    """

    def __init__(self, statements: Statements, root: str, digest: str, subjects: Any, problems: list[Problem]) -> None:
        """Begin.

        Args:
            statements: the document.
            root: the beginning of minted IRIs.
            digest: of the attestation.
            subjects: the member ``subject`` of the statement.
            problems: what was found so far.
        """
        super().__init__(problems, "attestation")
        self.statements, self.root, self.digest = statements, root, digest
        self.about: list[str] = []
        self._subjects = self.objects(subjects, "/subject")

    def subjects(self, *, made: bool) -> list[Identifier]:
        """Describe what the attestation is about.

        Args:
            made: whether it says how this was made.
        """
        found = [self.resource(item, place, made=made) for place, item in self._subjects]
        self.about += map(str, found)
        return found

    def resource(
        self, found: Mapping[str, Any], pointer: str, types: Iterable[str] = (), *, made: bool = False
    ) -> Identifier:
        """Describe a resource: a file with digests is an entity for its strongest digest and its name.

        Args:
            found: a ResourceDescriptor.
            pointer: where it is.
            types: IRIs of its types.
            made: whether the attestation says how it was made: then it is an entity of its own, since another build
                may have made the same bytes. Both are specializations of the same content.
        """
        self.known(found, RESOURCE, pointer)
        name, uri = (without_login(self.text(found.get(key), f"{pointer}/{key}")) for key in ("name", "uri"))
        digests = {
            algorithm: self.text(digest, f"{pointer}/digest/{escaped(algorithm)}").lower()
            for algorithm, digest in self.object(found.get("digest"), f"{pointer}/digest").items()
        }
        digests = {algorithm: digest for algorithm, digest in digests.items() if digest}
        download = without_login(self.text(found.get("downloadLocation"), f"{pointer}/downloadLocation"))
        if "content" in found:
            self.problems.append(Problem(f"{pointer}/content", "embedded bytes; they stay in the attestation alone"))
        iri = self._name(name or uri or download, uri, digests, made=made)
        entity = state_file(
            self.statements,
            iri,
            name or uri,
            digests,
            words(f"{SCHEMA}encodingFormat", self.text(found.get("mediaType"), f"{pointer}/mediaType")),
            details(found, "annotations"),
            location=(uri or download) if digests else "",
            types=types,
        )
        if digests and is_iri(uri):
            self.statements.entity(uri)
            self.statements.relate(SPECIALIZATION, iri, uri)
        return entity

    def _name(self, name: str, uri: str, digests: Mapping[str, str], *, made: bool) -> str:
        own = f"{self.root}{self.digest}/"
        if not digests:
            return uri if is_iri(uri) and not made else f"{own}resource/{segment(name)}"
        algorithm = next((known for known in _STRONGEST if known in digests), min(digests))
        place = own if made else self.root
        return f"{place}artifact/{segment(algorithm)}:{segment(digests[algorithm])}/{segment(name)}"

    def parameters(self, activity: str, found: Mapping[str, Any], path: str) -> None:
        """Describe parameters of an activity as entities that it used, in the role of their names, without secrets."""
        for key, value in sorted(found.items()):
            kept = masked({key: value})[key]
            text = kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False, sort_keys=True)
            state_parameter(
                self.statements,
                f"{self.root}{self.digest}/{path}/{segment(key)}",
                activity,
                without_login(key),
                text,
            )

    def iri(self, found: str, path: str) -> str:
        """An identifier as an IRI: itself, or one that is made of it."""
        shown = without_login(found)
        return shown if is_iri(shown) else f"{self.root}{path}/{segment(found)}"


def details(found: Mapping[str, Any], *members: str) -> list[Attribute]:
    """An attribute with those members of an object that no statement is made of, as JSON; none without any."""
    kept = {member: found[member] for member in members if found.get(member) not in (None, "", {}, [])}
    return [json_value(f"{PROVREPO}details", kept)] if kept else []


def role(name: str) -> list[Attribute]:
    """An attribute with a role; none for an empty one."""
    return words(PROV_ROLE, name)
