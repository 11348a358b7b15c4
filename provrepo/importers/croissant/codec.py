"""The codec of Croissant 1.0 and 1.1: a dataset, what it consists of, and its provenance in terms of PROV-O.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

from hashlib import sha256

from provrepo.importers.croissant.checks import check
from provrepo.importers.croissant.datasets import Dataset
from provrepo.importers.croissant.graph import CR, FORMAT, Graph
from provrepo.importers.croissant.writing import embedded, losses, write
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, canonical, parse, unwritable
from provrepo.importers.names import below
from provrepo.importers.payload import state_payload
from provrepo.importers.statements import Statements, link
from provrepo.model.document import Document, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, FOAF, PROVREPO, RDF, RDFS, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "losses", "read", "write"]

MAPPING = "croissant/1"
"""The version of the mapping from descriptions to statements."""

ROOT = "https://w3id.org/provrepo/croissant/"
"""The beginning of minted names, where neither the caller nor the description gives a base IRI."""

_PREFIXES = {
    "cr": CR,
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read a description of a dataset as a document.

    Args:
        data: UTF-8: the JSON-LD of a dataset.
        format: ``croissant``.
        base: the IRI against which relative identifiers are resolved.

    Raises:
        ReadError: not JSON, with line and column.
    """
    statements, findings = Statements(), Findings(FORMAT, "description")
    problems: list[Problem] = []
    about: list[str] = []
    for line, pointer, found in parse(data, FORMAT):
        problems = []
        wrong = next(unwritable(found, ""), None)
        if wrong is not None or not isinstance(found, dict):
            findings.add([wrong or Problem("", "a description is a JSON object", fatal=True)], line, pointer)
            continue
        written = embedded(found, problems)
        if written is not None:
            written.source = SourceBytes(data, FORMAT, base, len(written))
            return written
        digest = sha256(canonical(found)).hexdigest()
        graph = Graph(found, below(base, f"{ROOT}{digest[:32]}/"), problems)
        dataset = Dataset(graph, statements, f"{graph.base}version/{digest[:32]}")
        dataset.state()
        problems.extend(check(graph))
        about.append(dataset.name)
        findings.add(problems, line, pointer)
    links = [link(f"{SCHEMA}about", name) for name in about]
    state_payload(statements, f"{below(base, ROOT)}import/{sha256(data).hexdigest()}", data, MAPPING, links)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document
