"""The codec of in-toto attestations: SLSA provenance, links, signed models; of other predicates, their subjects."""

from __future__ import annotations

from hashlib import sha256

from provrepo.importers.attestations.envelopes import FORMAT, Attestation, attestations
from provrepo.importers.attestations.predicates import PREDICATES
from provrepo.importers.attestations.resources import Stating, details
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem
from provrepo.importers.names import below
from provrepo.importers.payload import state_payload
from provrepo.importers.statements import Statements, link, typed
from provrepo.model.document import Document, ReaderWarning, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, MLS, PROVREPO, RDF, RDFS, SCHEMA, SPDX, XSD
from provrepo.words import counted

__all__ = ["MAPPING", "read"]

MAPPING = "attestation/1"
"""The version of the mapping from attestations to statements."""

ROOT = "https://w3id.org/provrepo/attestation/"
"""The beginning of minted names, where the caller gives no base IRI: the same file has the same name everywhere."""

_PREFIXES = {
    "artifact": f"{ROOT}artifact/",
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "mls": MLS,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}
_STATEMENT = ("_type", "subject", "predicateType", "predicate")


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read attestations as a document.

    Args:
        data: UTF-8: a statement of in-toto, an envelope or a bundle with one, an array of these, or JSON lines.
        format: ``intoto``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    root = below(base, ROOT)
    statements = Statements()
    findings = Findings(FORMAT, "attestation")
    signatures = 0
    about: list[str] = []
    for found in attestations(data):
        if found.data:
            about += _state(statements, root, found)
            signatures += found.signatures
        findings.add(found.problems, found.line, found.pointer)
    state_payload(
        statements,
        f"{root}import/{sha256(data).hexdigest()}",
        data,
        MAPPING,
        [
            *([typed(f"{PROVREPO}unverifiedSignatures", str(signatures), "integer")] if signatures else []),
            *(link(f"{SCHEMA}about", subject) for subject in dict.fromkeys(about)),
        ],
    )
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    if signatures:
        number = f"{counted(signatures, 'signature')} {'was' if signatures == 1 else 'were'} not verified"
        text = f"{number}: it is not known who signed, and what was changed since"
        advice = "verify it with the tool that signed it, such as `cosign verify-blob-attestation`"
        document.warnings.append(ReaderWarning(text, None, None, "intoto:not-verified", repair=advice))
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def _state(statements: Statements, root: str, found: Attestation) -> list[str]:
    """State what an attestation says; returns its subjects."""
    stating = Stating(statements, root, found.digest, found.data["subject"], found.problems)
    stating.known(found.data, _STATEMENT, "")
    kind = found.data["predicateType"]
    predicate = stating.object(found.data.get("predicate"), "/predicate")
    if kind in PREDICATES:
        PREDICATES[kind](stating, predicate, "/predicate")
    else:
        message = f"nothing is stated of a predicate of the type {kind[:200]}; it stays in the attestation alone"
        found.problems.append(Problem("/predicateType", message))
        for subject in stating.subjects(made=False):
            statements.entity(subject, details(found.data, "predicateType"))
    return stating.about
