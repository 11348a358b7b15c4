"""Where a triple stands in the text of an RDF syntax. The parser does not say, so its words are looked for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from provrepo.checks.findings import Finding
from provrepo.vocab import PROV

__all__ = ["placed_triples"]

_WORD = re.compile(r"""[^\s<>"',;()\[\]{}]+""")
"""A word of any RDF syntax: an IRI without its brackets or quotes, or a prefixed name."""

_LOOKED_AT = 1000
"""Lines with a property that are looked at for one triple."""


def placed_triples(
    findings: Sequence[Finding], source: bytes, prefixes: Mapping[str, str], subjects: Mapping[str, int]
) -> list[Finding]:
    """The findings, those about one triple with the line where its property stands.

    Args:
        findings: about one triple are those with a property and a value.
        source: the text.
        prefixes: what it declares.
        subjects: the line of each IRI that stands as a subject.
    """
    lost = {
        finding.path: None
        for finding in findings
        if finding.line is None and finding.path is not None and finding.value is not None
    }
    if not lost:
        return list(findings)
    text = source.decode("utf-8", "replace").split("\n")
    places = _places(text, lost, {"prov": PROV, **prefixes})

    def placed(finding: Finding) -> Finding:
        if finding.line is not None or finding.path is None or finding.value is None:
            return finding
        start = subjects.get(finding.focus or "", 1)
        found = _line(text, places.get(finding.path, []), start, _text_of(finding.value))
        return finding if found is None else replace(finding, line=found, approximate=True)

    return [placed(finding) for finding in findings]


def _places(text: Sequence[str], properties: Mapping[str, None], prefixes: Mapping[str, str]) -> dict[str, list[int]]:
    """The lines, from 1, on which each property is spelled."""
    spellings: dict[str, str] = {}
    for iri in properties:
        spellings[iri] = iri
        for prefix, namespace in prefixes.items():
            if iri.startswith(namespace):
                spellings.setdefault(f"{prefix}:{iri[len(namespace) :]}", iri)
    places: dict[str, list[int]] = {}
    for number, line in enumerate(text, 1):
        for iri in _known(line, spellings):
            held = places.setdefault(iri, [])
            if not held or held[-1] != number:
                held.append(number)
    return places


def _known(line: str, spellings: Mapping[str, str]) -> Iterator[str]:
    return (spellings[match[0]] for match in _WORD.finditer(line) if match[0] in spellings)


def _line(text: Sequence[str], lines: Sequence[int], start: int, value: str) -> int | None:
    """The first line from ``start`` with the property and the value, or else with the property; None without any."""
    first = bisect_left(lines, start)
    near = lines[first : first + _LOOKED_AT]
    if len(near) == 1:
        return near[0]  # a long line is not searched once more for each of its triples
    return next((number for number in near if value in text[number - 1]), near[0] if near else None)


def _text_of(value: str) -> str:
    """The beginning of a value in N-Triples, as far as every syntax spells it alike."""
    plain = re.split(r"[\\\"&<>]", value.lstrip('"<_:'), maxsplit=1)[0]
    return plain[:40]
