"""Reports: one verdict, a stable order, and the same content in every form."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.render import FORMATS, SHOWN, groups, render
from provrepo.checks.report import Report
from provrepo.checks.validation import check
from provrepo.codecs.rdf.codec import parse
from provrepo.errors import UsageError
from provrepo.model.identifiers import Literal
from provrepo.vocab import PROVREPO, RDF_TYPE, SH, XSD
from tests.support.sampling import examples

EX = "http://example.org/"
CORE = "https://w3id.org/provrepo/shapes/core#"


def shape(local: str, severity: Severity = Severity.VIOLATION, **more: object) -> Finding:
    given: dict[str, object] = {
        "focus": EX + "a",
        "profile": "core",
        "component": SH + "ClassConstraintComponent",
        **more,
    }
    return Finding("shapes", CORE + local, severity, f"This is not right: {local}.", **given)  # type: ignore[arg-type]


MANDATORY = Finding(
    *("syntax", "prov-dm:mandatory", Severity.VIOLATION, "used has no activity."),
    line=7,
    column=3,
    repair="Give the activity of used.",
)
FINDINGS = [
    shape("AgentName", Severity.WARNING, line=2, approximate=True, path=EX + "name"),
    shape("UsedEntity", focus=EX + "b", line=9, value=f"<{EX}b>", bundle=EX + "bundle"),
    shape("UsedEntity", line=4, value=f"<{EX}a>", repair="Describe it."),
    shape("Remark", Severity.INFO, focus="_:b1", value='"say \\"hi\\"\\n"@en'),
    MANDATORY,
]
REPORT = Report.of(FINDINGS, layers=["syntax", "shapes"], profiles=["core/1.0"], statements=1200, format="provn")
EMPTY = Report.of([], layers=["syntax"], statements=1)

text = st.text(max_size=20)
findings = st.builds(
    Finding,
    layer=st.sampled_from(["syntax", "shapes"]),
    rule=text,
    severity=st.sampled_from(Severity),
    message=text,
    focus=st.none() | text,
    line=st.none() | st.integers(1, 10**6),
    column=st.none() | st.integers(1, 100),
    approximate=st.booleans(),
    profile=st.none() | st.just("core"),
    component=st.none() | text,
    path=st.none() | text,
    value=st.none() | text,
    bundle=st.none() | text,
    repair=st.none() | text,
)


def test_worst_first_then_by_line_and_each_once():
    assert [(f.severity.value, f.line) for f in REPORT.findings] == [
        *(("violation", 4), ("violation", 7), ("violation", 9)),
        *(("warning", 2), ("info", None)),
    ]
    twice = Report.of(
        FINDINGS[::-1] + FINDINGS, layers=["syntax", "shapes"], profiles=["core/1.0"], statements=1200, format="provn"
    )
    assert twice == REPORT


def test_findings_that_differ_in_their_values_alone_have_an_order_too():
    found = [shape("UsedEntity", value=f"<{EX}{i}>", path=path) for i in range(3) for path in (None, EX + "p")]
    assert Report.of(found, layers=["shapes"]) == Report.of(found[::-1], layers=["shapes"])


def test_only_violations_fail():
    assert (REPORT.conforms, REPORT.verdict) == (False, "fails")
    mild = Report.of([f for f in FINDINGS if f.severity is not Severity.VIOLATION], layers=["shapes"])
    assert (mild.conforms, mild.verdict, len(mild.findings)) == (True, "conforms", 2)
    assert EMPTY.conforms


@given(st.lists(findings, max_size=5))
@settings(max_examples=examples(30), deadline=None)
def test_json_gives_the_same_report_back(found):
    report = Report.of(found, layers=["syntax"], statements=3)
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


@given(st.lists(findings, max_size=5), text)
@settings(max_examples=examples(30), deadline=None)
def test_every_format_can_represent_any_finding(found, name):
    report = Report.of(found, layers=["syntax"])
    for form in FORMATS:
        written = render(report, form, name)
        assert written.endswith("\n")
        assert written == render(Report.of(found * 2, layers=["syntax"]), form, name)
    ElementTree.fromstring(render(report, "junit", name))
    json.loads(render(report, "sarif", name))
    assert len(list(parse(render(report, "turtle").encode(), "turtle").quads)) >= 3


def test_findings_are_grouped_worst_and_most_frequent_first():
    assert [(group.rule, len(group.findings)) for group in groups(REPORT)] == [
        *(("core:UsedEntity", 2), ("prov-dm:mandatory", 1), ("core:AgentName", 1), ("core:Remark", 1)),
    ]


def test_text():
    assert render(REPORT, "text", "run.provn") == (
        "run.provn: does not conform: 3 violations, 1 warning, 1 info in 1,200 statements "
        "(checked syntax and shapes against core/1.0)\n"
        "\n"
        "violation  core:UsedEntity (2 times)\n"
        "  This is not right: UsedEntity.\n"
        "  - line 4, http://example.org/a\n"
        "    Describe it.\n"
        "  - line 9, http://example.org/b, in bundle http://example.org/bundle\n"
        "\n"
        "violation  prov-dm:mandatory\n"
        "  used has no activity.\n"
        "  - line 7, column 3\n"
        "    Give the activity of used.\n"
        "\n"
        "warning  core:AgentName\n"
        "  This is not right: AgentName.\n"
        "  - near line 2, http://example.org/a\n"
        "\n"
        "info  core:Remark\n"
        "  This is not right: Remark.\n"
        '  - _:b1, value "say \\"hi\\"\\n"@en\n'
    )
    assert render(EMPTY, "text") == "conforms: nothing found in 1 statement (checked syntax)\n"


def test_color_is_optional_and_control_characters_are_escaped():
    evil = Report.of([shape("UsedEntity", focus=EX + "\x1b[2J\u202e", repair="\x07")], layers=["shapes"])
    assert "\x1b" not in render(evil, "text", "a\x1b[31mb")
    assert "<U+001B>[2J<U+202E>" in render(evil, "text")
    colored = render(evil, "text", color=True)
    assert colored.startswith("\x1b[1m")
    assert "\x1b[2J" not in colored


def test_large_groups_are_cut_for_people_and_complete_for_tools():
    many = Report.of([shape("UsedEntity", focus=f"{EX}{i:03}") for i in range(100)], layers=["shapes"])
    assert "… and 90 more" in render(many, "text")
    assert render(many, "text").count("  - ") == SHOWN
    assert render(many, "html").count("<li>") == SHOWN + 1
    assert len(json.loads(render(many, "sarif", "a.ttl"))["runs"][0]["results"]) == 100
    assert render(many, "turtle").count("sh:focusNode") == 100


def test_findings_of_one_rule_are_one_group_however_its_messages_differ():
    found = [shape("Times", focus=f"{EX}{i}") for i in range(30)]
    many = Report.of([replace(each, message=f"{i} ends too early") for i, each in enumerate(found)], layers=["shapes"])
    (group,) = groups(many)
    assert (group.number, group.message) == (30, "")
    text = render(many, "text")
    assert "core:Times (30 times)" in text
    assert "    0 ends too early\n" in text
    assert "0 ends too early" in render(many, "html")
    few = Report.of(many.findings[:3], layers=["shapes"])
    assert [group.message for group in groups(few)] == ["0 ends too early", "1 ends too early", "10 ends too early"]


def test_json_is_the_report_with_the_name_of_the_file():
    assert json.loads(render(REPORT, "json", "run.provn")) == {"file": "run.provn", **REPORT.to_dict()}
    assert "file" not in json.loads(render(REPORT, "json"))


def test_turtle_is_a_validation_report_of_shacl():
    quads = parse(render(REPORT, "turtle").encode(), "turtle").quads
    triples = {(q.subject, q.predicate, q.object) for q in quads}
    (top,) = (q.subject for q in quads if q.object == SH + "ValidationReport")
    results = [q.object for q in quads if q.predicate == SH + "result"]
    assert len(results) == 5
    assert (top, SH + "conforms", Literal("false", XSD + "boolean")) in triples
    assert (top, PROVREPO + "verdict", Literal("fails")) in triples
    by_message = {o.lexical: s for s, p, o in triples if p == SH + "resultMessage" and isinstance(o, Literal)}
    node = by_message["This is not right: AgentName."]
    assert {(p, o) for s, p, o in triples if s == node} == {
        (RDF_TYPE, SH + "ValidationResult"),
        (SH + "resultSeverity", SH + "Warning"),
        (SH + "resultMessage", Literal("This is not right: AgentName.")),
        (SH + "focusNode", EX + "a"),
        (SH + "sourceShape", CORE + "AgentName"),
        (SH + "sourceConstraintComponent", SH + "ClassConstraintComponent"),
        (SH + "resultPath", EX + "name"),
        (PROVREPO + "line", Literal("2", XSD + "integer")),
    }
    remark = by_message["This is not right: Remark."]
    language = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
    assert (remark, SH + "value", Literal('say "hi"\n', language, "en")) in triples
    rule = by_message["used has no activity."]
    assert (rule, PROVREPO + "rule", Literal("prov-dm:mandatory")) in triples


def test_a_warning_does_not_fail_the_verdict_but_shacl_s_own_conforms():
    written = render(Report.of([FINDINGS[0]], layers=["shapes"]), "turtle")
    assert "sh:conforms false" in written
    assert 'provrepo:verdict "conforms"' in written
    assert "sh:conforms true" in render(EMPTY, "turtle")


def test_html_is_escaped_and_has_neither_scripts_nor_styles():
    evil = Report.of(
        [shape("UsedEntity", focus="<script>alert(1)</script>", repair='"><img src=x>')], layers=["shapes"]
    )
    page = render(evil, "html", "<b>name</b>")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "style" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.startswith("<!DOCTYPE html>")


def test_junit_fails_on_violations_alone():
    (suite,) = ElementTree.fromstring(render(REPORT, "junit", "run\x00.provn"))
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("run\ufffd.provn", "4", "2")
    cases = {case.get("name"): case for case in suite}
    failure = cases["core:UsedEntity"].find("failure")
    assert failure is not None
    assert failure.get("type") == CORE + "UsedEntity"
    assert (failure.text or "").split("\n") == [
        "line 4: http://example.org/a: Describe it.",
        "line 9: http://example.org/b",
    ]
    assert cases["core:AgentName"].find("failure") is None
    (passing,) = ElementTree.fromstring(render(EMPTY, "junit"))
    assert (passing.get("tests"), passing.get("failures"), len(passing)) == ("1", "0", 1)


def test_sarif():
    run = json.loads(render(REPORT, "sarif", "run.provn"))["runs"][0]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("provrepo", provrepo.__version__)
    assert {"id": CORE + "UsedEntity", "name": "core:UsedEntity"} in driver["rules"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "error", "warning", "note"]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "run.provn"}, "region": {"startLine": 7, "startColumn": 3}}
    assert run["results"][3]["message"]["text"].endswith("(near this line)")


@pytest.mark.parametrize(("name", "uri"), [("my run.ttl", "my%20run.ttl"), (EX + "a?b=c#d", EX + "a?b=c#d")])
def test_sarif_names_files_by_uri(name, uri):
    run = json.loads(render(REPORT, "sarif", name))["runs"][0]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_an_unknown_form_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="text, json, turtle, html, junit, sarif"):
        render(REPORT, "pdf")


def test_a_report_of_a_real_document_can_be_written_in_every_form():
    source = b"document\nprefix ex <http://example.org/>\nactivity(ex:a)\nused(ex:a, ex:e, -)\nendDocument"
    report = check(provrepo.read(source, format="provn"), profiles=["core"], source=source)
    for form in FORMATS:
        assert "ActivityAgent" in render(report, form, "a.provn")
