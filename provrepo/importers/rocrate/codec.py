"""The codec of RO-Crates that describe runs: Process, Workflow and Provenance Run Crate 0.1 to 0.5."""

from __future__ import annotations

from typing import Any

from provrepo.codecs.guards import prepared
from provrepo.codecs.provjson import codec as provjson
from provrepo.errors import Error, ReadError
from provrepo.importers.archives import unpacked
from provrepo.importers.bags import digests_in
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem
from provrepo.importers.payload import state_payload
from provrepo.importers.rocrate import writing
from provrepo.importers.rocrate.collecting import DOCUMENT, collect, observed_in
from provrepo.importers.rocrate.graph import FORMAT, METADATA, OF_METADATA, WFRUN, Crate, may_be_unwritable, parsed
from provrepo.importers.rocrate.losses import without_place
from provrepo.importers.rocrate.runs import Runs
from provrepo.importers.rocrate.things import Things
from provrepo.importers.statements import Statements, link
from provrepo.model.document import Document, Loss, ReaderWarning
from provrepo.vocab import DCAT, DCTERMS, PROVREPO, RDF, RDFS, SCHEMA, SPDX, WFPROV, XSD
from provrepo.words import counted

__all__ = ["MAPPING", "collect", "losses", "read", "write"]

MAPPING = "rocrate/1"
"""The version of the mapping from crates to statements."""

_PREFIXES = {
    "bioschemas": "https://bioschemas.org/terms/",
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "wfprov": WFPROV,
    "wfrun": WFRUN,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read a crate as a document.

    Args:
        data: its metadata, or an archive of a folder with it.
        format: ``rocratejson`` for the metadata alone, ``rocrate`` for an archive.
        base: the IRI of the crate, below which its relative identifiers are.

    Raises:
        ReadError: not JSON with a graph, with line and column; an archive without metadata.
    """
    if format == OF_METADATA:
        return _mapped({METADATA: data}, data, base)
    if data.lstrip()[:1] == b"{":
        raise ReadError(f"this is no archive of a crate; the format of its metadata is {OF_METADATA}", format=FORMAT)
    members = unpacked(data, FORMAT)
    if METADATA not in members:
        raise ReadError(f"the archive has no {METADATA}", format=FORMAT)
    if DOCUMENT in members and (own := _own(members)) is not None:
        return own
    return _mapped(members, data, base)


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001
    """Write a crate as an archive: its metadata, and the document as PROV-JSON."""
    return writing.write(document)


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """What a crate cannot represent: nothing but what PROV-JSON cannot; other tools do not read all of it."""
    found = [
        loss._replace(reason=loss.reason.replace("PROV-JSON", "Workflow Run RO-Crate"))
        for loss in provjson.losses(document, format="provjson")
    ]
    made = writing.members(document)
    again = _mapped({METADATA: made[METADATA]}, made[METADATA], None)
    return found + without_place(document, again)


def _own(members: dict[str, bytes]) -> Document | None:
    """The document that a crate was written from, if its metadata are still those that this document gives."""
    try:
        made = writing.metadata(members[DOCUMENT])
        if made[METADATA] == members[METADATA]:
            return provjson.read(prepared(members[DOCUMENT], "provjson"), format="provjson", base=None)
    except Error:
        pass  # another document of that name
    return None


def _mapped(members: dict[str, bytes], data: bytes, base: str | None) -> Document:
    metadata = prepared(members[METADATA], OF_METADATA)
    findings = Findings(FORMAT, "crate")
    problems: list[Problem] = []
    crate = Crate(parsed(metadata), base, problems, careful=may_be_unwritable(metadata))
    statements = Statements()
    things = Things(crate, statements, _observed(members, problems))
    runs = Runs(crate, things, statements)
    about = [link(f"{SCHEMA}about", crate.iri(crate.root))] if crate.root else []
    state_payload(statements, f"{crate.base}import", data, MAPPING, about)
    runs.state()
    document = Document()
    things.rest(document.unmapped)
    found = statements.document({"crate": crate.base, **_PREFIXES})
    found.unmapped = document.unmapped
    if DOCUMENT in members:
        problems.append(Problem(f"/{DOCUMENT}", "not what the metadata were made from, or they were changed since"))
    findings.add(problems, None, "")
    found.warnings = findings.warnings()
    if crate.zoneless:
        text = f"{counted(crate.zoneless, 'time')} without a zone: compared with others they may be off by hours"
        found.warnings.append(ReaderWarning(text, None, None, f"{FORMAT}:no-zone"))
    return found


def _observed(members: dict[str, bytes], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """What is known of the files of a crate from elsewhere than its metadata: from the files, and from a bag."""
    found = observed_in(members)
    manifests = {path.removeprefix("bag/"): content for path, content in members.items() if path.startswith("bag/")}
    digests, wrong = digests_in(manifests)
    problems += [Problem(place, message) for place, message in wrong]
    for path, stated in digests.items():
        inside = path.removeprefix("data/")
        known = found.setdefault(inside, {})
        other = sorted(name for name in stated.keys() & known.keys() if known[name] != stated[name])
        if other:
            place = f"manifest-{other[0]}.txt"
            problems.append(Problem(place, f"{inside} has another {other[0]}: the bag was changed since"))
        for name, digest in stated.items():
            known.setdefault(name, digest)
    return found
