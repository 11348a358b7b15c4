"""Lines of triples in the text of an RDF syntax. The parser does not report them, so the text is searched."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from provrepo.checks.findings import Finding
from provrepo.vocab import PROV

__all__ = ["WORD", "locate_triples", "spellings"]

WORD = re.compile(r"""[^\s<>"',;()\[\]{}]+""")
"""A word of any RDF syntax: an IRI without its brackets or quotes, or a prefixed name."""

_SEARCHED = 1000
"""The most lines with a property that are searched for one triple."""


def spellings(iris: Iterable[str], prefixes: Mapping[str, str]) -> dict[str, str]:
    """The words that stand for some IRIs, each with its IRI: the IRI itself and its prefixed names."""
    found: dict[str, str] = {}
    for iri in iris:
        found[iri] = iri
        for prefix, namespace in {"prov": PROV, **prefixes}.items():
            if iri.startswith(namespace):
                found.setdefault(f"{prefix}:{iri[len(namespace) :]}", iri)
    return found


def locate_triples(
    findings: Sequence[Finding], source: bytes, prefixes: Mapping[str, str], subjects: Mapping[str, int]
) -> list[Finding]:
    """The findings; those about one triple, which have a path and a value, with a line that contains the property.

    Args:
        findings: of any check.
        source: the text, in UTF-8.
        prefixes: that it declares.
        subjects: the line of each IRI as a subject, from which the search starts.
    """
    unlocated = {
        finding.path: None
        for finding in findings
        if finding.line is None and finding.path is not None and finding.value is not None
    }
    if not unlocated:
        return list(findings)
    text = source.decode("utf-8", "replace").split("\n")
    lines = _property_lines(text, spellings(unlocated, prefixes))

    def located(finding: Finding) -> Finding:
        if finding.line is not None or finding.path is None or finding.value is None:
            return finding
        start = subjects.get(finding.focus or "", 1)
        found = _line(text, lines.get(finding.path, []), start, _text_of(finding.value))
        return finding if found is None else replace(finding, line=found, approximate=True)

    return [located(finding) for finding in findings]


def _property_lines(text: Sequence[str], known_words: Mapping[str, str]) -> dict[str, list[int]]:
    """For each property the numbers of the lines, from 1, that contain it."""
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text, 1):
        for iri in _known(line, known_words):
            numbers = lines.setdefault(iri, [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
    return lines


def _known(line: str, known_words: Mapping[str, str]) -> Iterator[str]:
    return (known_words[match[0]] for match in WORD.finditer(line) if match[0] in known_words)


def _line(text: Sequence[str], lines: Sequence[int], start: int, value: str) -> int | None:
    """The first line from ``start`` with the property and the value, or else with the property; None without any."""
    first = bisect_left(lines, start)
    near = lines[first : first + _SEARCHED]
    if len(near) == 1:
        return near[0]  # so that a long line is not searched again for each of its triples
    return next((number for number in near if value in text[number - 1]), near[0] if near else None)


def _text_of(value: str) -> str:
    """The beginning of a value in N-Triples, up to a character that some syntaxes escape."""
    plain = re.split(r"[\\\"&<>]", value.lstrip('"<_:'), maxsplit=1)[0]
    return plain[:40]
