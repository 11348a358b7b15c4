"""What the parts of a statement have in common: resources with digests, parameters, and members that are unknown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import checksums, specialize
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import masked, without_login
from provrepo.importers.moments import Moment
from provrepo.importers.statements import Statements, json_value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.redaction import MASK, secret_name
from provrepo.model.statements import SPECIALIZATION, USAGE, Attribute
from provrepo.vocab import PROV_LOCATION, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA

__all__ = ["Stating", "details", "role"]

RESOURCE = ("name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations")
"""The members of a ResourceDescriptor of in-toto."""

_STRONGEST = ("sha512", "sha384", "sha256", "sha1", "md5")
"""A file is named by the first of these that is known: its name is the same wherever the same digests are given."""


class Stating:
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
        self.statements, self.root, self.digest, self.problems = statements, root, digest, problems
        self.about: list[str] = []
        self._subjects = self.objects(subjects, "/subject")

    # JSON ---------------------------------------------------------------------------------------------------------

    def object(self, found: Any, pointer: str) -> Mapping[str, Any]:
        """A JSON object; an empty one where there is none."""
        if found is not None and not isinstance(found, dict):
            self.problems.append(Problem(pointer, "an object is needed; it is not read"))
        return found if isinstance(found, dict) else {}

    def objects(self, found: Any, pointer: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The objects of a list, with their pointers."""
        if found is not None and not isinstance(found, list):
            self.problems.append(Problem(pointer, "a list is needed; it is not read"))
        items = found if isinstance(found, list) else []
        wrong = [number for number, item in enumerate(items) if not isinstance(item, dict)]
        self.problems += [Problem(f"{pointer}/{number}", "an object is needed; it is not read") for number in wrong]
        return [(f"{pointer}/{number}", item) for number, item in enumerate(items) if isinstance(item, dict)]

    def text(self, found: Any, pointer: str) -> str:
        """A text; empty where there is none."""
        if found is not None and not isinstance(found, str):
            self.problems.append(Problem(pointer, "a text is needed; it is not read"))
        return found if isinstance(found, str) else ""

    def time(self, found: Any, pointer: str) -> str | None:
        """A time as ``xsd:dateTime``; None where there is none."""
        text = self.text(found, pointer)
        moment = Moment.parse(text) if text else None
        if text and moment is None:
            self.problems.append(Problem(pointer, "no time, such as 2026-01-31T10:00:00Z; it is not read"))
        return None if moment is None else moment.lexical

    def known(self, found: Mapping[str, Any], members: Iterable[str], pointer: str) -> None:
        """Name the members that the specification does not have: no statement is made of them."""
        for key in found.keys() - set(members):
            place = f"{pointer}/{escaped(key)}"
            self.problems.append(Problem(place, "no member of the specification; it stays in the attestation alone"))

    # Statements -----------------------------------------------------------------------------------------------------

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
        entity = self.statements.entity(
            iri,
            words(RDFS_LABEL, name or uri),
            words(PROV_LOCATION, uri or download) if digests else [],
            words(f"{SCHEMA}encodingFormat", self.text(found.get("mediaType"), f"{pointer}/mediaType")),
            checksums(digests),
            details(found, "annotations"),
            types=types,
        )
        specialize(self.statements, iri, digests)
        if digests and is_iri(uri):
            self.statements.entity(uri)
            self.statements.relate(SPECIALIZATION, iri, uri)
        return entity

    def _name(self, name: str, uri: str, digests: Mapping[str, str], *, made: bool) -> str:
        own = f"{self.root}{self.digest}/"
        if not digests:
            return uri if is_iri(uri) and not made else f"{own}resource/{_part(name)}"
        algorithm = next((known for known in _STRONGEST if known in digests), min(digests))
        place = own if made else self.root
        return f"{place}artifact/{_part(algorithm)}:{_part(digests[algorithm])}/{_part(name)}"

    def parameters(self, activity: str, found: Mapping[str, Any], path: str) -> None:
        """Describe parameters of an activity as entities that it used, in the role of their names, without secrets."""
        for key, value in sorted(found.items()):
            kept = MASK if secret_name(key) and value else masked({key: value})[key]
            text = kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False, sort_keys=True)
            entity = self.statements.entity(
                f"{self.root}{self.digest}/{path}/{_part(key)}",
                words(PROV_VALUE, text),
                words(RDFS_LABEL, key),
                types=[f"{PROVREPO}Source"],
            )
            self.statements.relate(USAGE, activity, entity, attributes=role(without_login(key)))

    def iri(self, found: str, path: str) -> str:
        """An identifier as an IRI: itself, or one that is made of it."""
        shown = without_login(found)
        return shown if is_iri(shown) else f"{self.root}{path}/{_part(found)}"


def details(found: Mapping[str, Any], *members: str) -> list[Attribute]:
    """An attribute with those members of an object that no statement is made of, as JSON; none without any."""
    kept = {member: found[member] for member in members if found.get(member) not in (None, "", {}, [])}
    return [json_value(f"{PROVREPO}details", kept)] if kept else []


def role(name: str) -> list[Attribute]:
    """An attribute with a role; none for an empty one."""
    return words(PROV_ROLE, name)


def _part(text: str) -> str:
    quoted = quote(without_login(text), safe="")
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted
