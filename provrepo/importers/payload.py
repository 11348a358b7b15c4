"""The statements of every import: what was read, by which importer, in which version of its mapping."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from provrepo.importers.statements import Statements, typed, words
from provrepo.model.statements import ATTRIBUTION, DERIVATION, Attribute
from provrepo.vocab import DCAT, PROV, PROVREPO, RDFS_LABEL, SCHEMA

__all__ = ["state_payload"]


def state_payload(statements: Statements, name: str, data: bytes, mapping: str, attributes: list[Attribute]) -> None:
    """State that the document was made from some bytes by an importer.

    Args:
        statements: the document.
        name: the IRI of what was made: the content of this document.
        data: the bytes.
        mapping: name and version of the mapping, such as ``openlineage/1``.
        attributes: of what was made.
    """
    importer, _, version = mapping.partition("/")
    payload = "ni:///sha-256;" + urlsafe_b64encode(sha256(data).digest()).decode().rstrip("=")
    statements.entity(name, words(RDFS_LABEL, f"import of {importer}"), attributes, types=[f"{PROVREPO}Import"])
    statements.entity(payload, [typed(f"{DCAT}byteSize", str(len(data)), "integer")], types=[f"{PROVREPO}Source"])
    agent = statements.agent(
        f"https://w3id.org/provrepo/importers/{mapping}",
        words(RDFS_LABEL, f"provrepo importer of {importer}"),
        words(f"{SCHEMA}softwareVersion", version),
        types=[f"{PROV}SoftwareAgent"],
    )
    statements.relate(ATTRIBUTION, name, agent)
    statements.relate(DERIVATION, name, payload)
