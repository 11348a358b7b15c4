"""Where in the source a finding is: the statement that the node is described by, or the line where the node stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from provrepo.checks.findings import Finding
from provrepo.codecs.formats import by_name
from provrepo.model.document import Document
from provrepo.model.identifiers import is_blank
from provrepo.model.statements import Span

__all__ = ["locate"]


def locate(findings: Iterable[Finding], document: Document, source: bytes | None = None) -> list[Finding]:
    """The findings with a line each, where one can be told.

    Args:
        findings: those that have a line keep it.
        document: what they are about.
        source: the bytes that the document was read from, if they are at hand.
    """
    findings = list(findings)
    lost = [finding for finding in findings if finding.line is None and finding.focus is not None]
    if not lost:
        return findings
    described = _described(document)
    rdf = document.format is not None and by_name(document.format).rdf
    wanted = {finding.focus: None for finding in lost if finding.focus and not is_blank(finding.focus)}
    lines = _lines(source, document.prefixes, wanted) if rdf and source is not None else {}

    def placed(finding: Finding) -> Finding:
        if finding.line is not None or finding.focus is None:
            return finding
        place = described.get((finding.bundle, finding.focus)) or described.get((None, finding.focus))
        if place is not None:
            (line, column), exact = place
            return replace(finding, line=line, column=column if exact else None, approximate=not exact)
        found = lines.get(finding.focus)
        return finding if found is None else replace(finding, line=found, approximate=True)

    return [placed(finding) for finding in findings]


def _described(document: Document) -> dict[tuple[str | None, str], tuple[Span, bool]]:
    """Where each identifier is described, exactly; for what is only mentioned, where that is first done."""
    places: dict[tuple[str | None, str], tuple[Span, bool]] = {}
    mentioned: dict[tuple[str | None, str], tuple[Span, bool]] = {}
    for bundle in document.instances():
        for statement in bundle:
            if statement.span is None:
                continue
            if statement.id is not None:
                places.setdefault((bundle.id, statement.id), (statement.span, True))
            for name in statement.identifiers():
                mentioned.setdefault((bundle.id, name), (statement.span, False))
    return {**mentioned, **places}


# A word of any RDF syntax: an IRI without its brackets or quotes, or a prefixed name.
_WORD = re.compile(r"""[^\s<>"',;()\[\]{}]+""")

# What stands before a subject on its line, in Turtle and its relatives, in RDF/XML, and in JSON-LD.
_BEFORE_SUBJECT = re.compile(r"""\s*<?|.*\b(?:about|ID)\s*=\s*["']|.*"@id"\s*:\s*\"""")


def _lines(source: bytes, prefixes: dict[str, str], wanted: Iterable[str]) -> dict[str, int]:
    """The first line where each IRI stands as a subject, or else stands at all, found in one pass."""
    spellings: dict[str, str] = {}
    for iri in wanted:
        spellings[iri] = iri
        for prefix, namespace in prefixes.items():
            if iri.startswith(namespace):
                spellings.setdefault(f"{prefix}:{iri[len(namespace) :]}", iri)
    subjects: dict[str, int] = {}
    anywhere: dict[str, int] = {}
    for number, line in enumerate(source.decode("utf-8", "replace").split("\n"), 1):
        for match in _WORD.finditer(line):
            word = match[0]
            known = spellings.get(word) or spellings.get(word.rstrip("."))
            if known is None or known in subjects:
                continue
            anywhere.setdefault(known, number)
            if _BEFORE_SUBJECT.fullmatch(line, 0, match.start()):
                subjects[known] = number
    return {**anywhere, **subjects}
