"""The codec of dbt: the results of an invocation with the nodes of its manifest, as ``import`` makes them of a folder.

https://docs.getdbt.com/reference/artifacts/dbt-artifacts, manifests of versions 2 to 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from provrepo.importers.dbt import artifacts
from provrepo.importers.dbt.names import FORMAT, ROOT, TERMS, Names
from provrepo.importers.dbt.stating import Invocation
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, parse, unwritable
from provrepo.importers.openlineage.names import TERMS as LINEAGE
from provrepo.importers.parts import Collected
from provrepo.importers.payload import state_payload
from provrepo.importers.sources import SourceFile
from provrepo.importers.statements import Statements
from provrepo.model.document import Document, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, DQV, PROVREPO, RDF, RDFS, SCHEMA, SPDX, WFPROV, XSD

__all__ = ["MAPPING", "collect", "read"]

MAPPING = "dbt/1"
"""The version of the mapping from artifacts to statements."""

_PREFIXES = {
    "dbt": TERMS,
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "dqv": DQV,
    "ol": LINEAGE,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "run": f"{ROOT}run/",
    "schema": SCHEMA,
    "spdx": SPDX,
    "wfprov": WFPROV,
    "xsd": XSD,
}
_MEMBERS = (artifacts.ARTIFACTS, "namespace", "run_results", "freshness", "manifest", "catalog", "files")


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read the results of invocations as a document.

    Args:
        data: UTF-8: JSON as ``collect`` makes it.
        format: ``dbt``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    names = Names.below(base)
    statements, findings = Statements(), Findings(FORMAT, "invocation")
    state_payload(statements, names.made(sha256(data).hexdigest()), data, MAPPING, [])
    for line, pointer, found in parse(data, FORMAT):
        problems: list[Problem] = []
        wrong = next(unwritable(found, ""), None)
        if wrong is not None:
            problems.append(wrong)
        elif not isinstance(found, dict) or artifacts.ARTIFACTS not in found:
            text = "one file of several: import the folder target/, with manifest.json and run_results.json"
            problems.append(Problem("", text, fatal=True))
        else:
            invocation = Invocation(statements, names, found, problems)
            invocation.known(found, _MEMBERS, "")
            invocation.state()
        findings.add(problems, line, pointer)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """The invocations whose results are in folders ``target/``."""
    yield from artifacts.collect(files)
