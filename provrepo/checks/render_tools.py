"""Rendering of reports for other tools: a SHACL validation report in Turtle, JUnit XML, and SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.codecs.rdf.escapes import unescape
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.vocab import PROVREPO, RDF_TYPE, SH, XSD

__all__ = ["junit", "sarif", "turtle"]

# Turtle ---------------------------------------------------------------------------------------------------------


def turtle(report: Report) -> str:
    """A ``sh:ValidationReport`` in Turtle (SHACL section 3.6).

    By SHACL ``sh:conforms`` is false if there is any result; ``provrepo:verdict`` depends on violations only, and
    ``provrepo:possible`` is the validity by PROV-CONSTRAINTS where it was checked. Equal reports give equal texts.
    """
    from provrepo.codecs.rdf.codec import serialize

    quads = list(_report_quads(report))
    return serialize(quads, "turtle", {"sh": SH, "provrepo": PROVREPO}).decode("utf-8")


def _report_quads(report: Report) -> Iterator[Quad]:
    top = Identifier("_:report")
    yield Quad(top, Identifier(RDF_TYPE), Identifier(SH + "ValidationReport"))
    yield Quad(top, Identifier(SH + "conforms"), Literal("false" if report.findings else "true", XSD + "boolean"))
    yield Quad(top, Identifier(PROVREPO + "verdict"), text(report.verdict))
    if report.possible is not None:
        yield Quad(top, Identifier(PROVREPO + "possible"), Literal(str(report.possible).lower(), XSD + "boolean"))
    for number, finding in enumerate(report.findings, 1):
        node = Identifier(f"_:result-{number}")
        yield Quad(top, Identifier(SH + "result"), node)
        for name, value in _result(finding):
            yield Quad(node, Identifier(name), value)


def _result(finding: Finding) -> Iterator[tuple[str, Value]]:
    yield RDF_TYPE, Identifier(SH + "ValidationResult")
    yield SH + "resultSeverity", Identifier(SH + finding.severity.value.capitalize())
    yield SH + "resultMessage", text(finding.message)
    if finding.focus is not None:
        yield SH + "focusNode", _node(finding.focus)
    if finding.component is not None:
        yield SH + "sourceShape", _node(finding.rule)
        yield SH + "sourceConstraintComponent", _node(finding.component)
    else:
        yield PROVREPO + "rule", text(finding.rule)
    if finding.path is not None:
        # A path of several steps would need blank nodes in RDF; it is written as a literal in SPARQL syntax instead.
        path = _node(finding.path)
        yield (SH + "resultPath" if isinstance(path, Identifier) else PROVREPO + "path"), path
    if finding.value is not None:
        yield SH + "value", _value(finding.value)
    if finding.bundle is not None:
        yield PROVREPO + "inBundle", _node(finding.bundle)
    if finding.line is not None:
        yield PROVREPO + "line", Literal(str(finding.line), XSD + "integer")
    if finding.occurrences > 1:
        yield PROVREPO + "occurrences", Literal(str(finding.occurrences), XSD + "integer")
    if finding.repair is not None:
        yield PROVREPO + "repair", text(finding.repair)
    if finding.patch is not None:
        yield PROVREPO + "patch", text(finding.patch)


def _node(name: str) -> Value:
    """An IRI or blank node, or a literal with the text of an identifier that is not an IRI."""
    from provrepo.codecs.rdf.terms import is_iri

    if name.startswith("_:"):
        return Identifier("_:node-" + re.sub(r"[^A-Za-z0-9]", "-", name[2:]).strip("-"))
    return Identifier(name) if is_iri(name) else text(name)


_LITERAL = re.compile(r'"(?P<lexical>.*)"(?:@(?P<language>[A-Za-z0-9-]+)|\^\^<(?P<datatype>[^<>]*)>)?', re.DOTALL)


def _value(ntriples: str) -> Value:
    match = _LITERAL.fullmatch(ntriples)
    if match is None:
        return _node(ntriples.removeprefix("<").removesuffix(">"))
    lexical = unescape(match["lexical"])
    if match["datatype"] is not None:
        return Literal(lexical, match["datatype"])
    return text(lexical, match["language"])


# JUnit ----------------------------------------------------------------------------------------------------------

# Characters that XML 1.0 does not allow, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report, name: str, groups: Iterable[tuple[str, Sequence[Finding]]]) -> str:
    """JUnit XML with one test case for each group of findings.

    A violation is a failure; other severities pass and have the message as output. The name of the root has verdict,
    validity and counts.
    """
    cases = list(groups)
    failures = sum(found[0].severity is Severity.VIOLATION for _, found in cases)
    suite = ElementTree.Element(
        "testsuite", name=_xml(name or "provrepo"), tests=str(max(1, len(cases))), failures=str(failures), errors="0"
    )
    for rule, found in cases:
        first = found[0]
        case = ElementTree.SubElement(suite, "testcase", classname=first.profile or first.layer, name=_xml(rule))
        listed = "\n".join(_xml(_line(finding)) for finding in found)
        if first.severity is Severity.VIOLATION:
            failure = ElementTree.SubElement(case, "failure", message=_xml(first.message), type=_xml(first.rule))
            failure.text = listed
        else:
            ElementTree.SubElement(case, "system-out").text = _xml(f"{first.severity}: {first.message}\n") + listed
    if not cases:
        ElementTree.SubElement(suite, "testcase", classname="provrepo", name=report.verdict)
    suites = ElementTree.Element("testsuites", name=f"{report.words()}: {report.count_text()}")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _line(finding: Finding) -> str:
    location = "" if finding.line is None else f"{'near ' if finding.approximate else ''}line {finding.line}: "
    return f"{location}{finding.focus or 'the document'}{': ' + finding.repair if finding.repair else ''}"


def _xml(value: str) -> str:
    return _NOT_XML.sub("\ufffd", value)


# SARIF ----------------------------------------------------------------------------------------------------------

_URI = "/:?#[]@!$&'()*+,;=~%"
_LEVELS = {Severity.VIOLATION: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(report: Report, name: str, rules: Mapping[str, str]) -> str:
    """SARIF 2.1.0 (OASIS) with one result for each finding; approximate lines are marked in the message."""
    from provrepo._version import __version__

    driver = {
        "name": "provrepo",
        "version": __version__,
        "rules": [{"id": rule, "name": shown} for rule, shown in rules.items()],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_sarif_result(finding, name) for finding in report.findings],
        "properties": {"verdict": report.verdict, "possible": report.possible},
    }
    whole = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _sarif_result(finding: Finding, name: str) -> dict[str, Any]:
    message = " ".join(
        part for part in (finding.focus and f"{finding.focus}:", finding.message, finding.repair) if part
    )
    location: dict[str, Any] = {}
    if name:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(name, _URI, errors="replace")}}
        if finding.line is not None:
            region = {"startLine": finding.line, **({"startColumn": finding.column} if finding.column else {})}
            location["physicalLocation"]["region"] = region
            message += " (near this line)" if finding.approximate else ""
    if finding.focus is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.focus}]
    result: dict[str, Any] = {"ruleId": finding.rule, "level": _LEVELS[finding.severity], "message": {"text": message}}
    if finding.occurrences > 1:
        result["occurrenceCount"] = finding.occurrences
    return {**result, "locations": [location]} if location else result
