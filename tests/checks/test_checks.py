"""The layers syntax and shapes: findings, their locations, and limits for hostile input."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.checks import lexical, locations, syntax
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.render import rule_name
from provrepo.checks.report import Report
from provrepo.checks.shacl.ntriples import lines
from provrepo.checks.shapes.instances import instance_graphs
from provrepo.checks.validation import check
from provrepo.errors import UsageError, WorkerFailed
from provrepo.model.document import Document, Quad, ReaderWarning, UnreadPart
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import ENTITY, Statement
from provrepo.vocab import PROV, RDF_TYPE, SH, XSD
from provrepo.workers.pool import Pool, default_pool
from tests.support.corpus import corpus
from tests.support.sampling import examples
from tests.support.work import ENDLESS, bounded

EX = "http://example.org/"


def provn(body: str) -> provrepo.Document:
    text = f"document\nprefix ex <{EX}>\n{body}\nendDocument\n"
    return provrepo.read(text.encode(), format="provn")


def turtle(body: str) -> tuple[provrepo.Document, bytes]:
    source = (
        f"@prefix ex: <{EX}> .\n@prefix prov: <{PROV}> .\n@prefix xsd: <{XSD}> .\n"
        f"@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n{body}"
    ).encode()
    return provrepo.read(source, format="turtle"), source


def rules(findings) -> list[str]:
    return [rule_name(finding) for finding in findings]


# Spelling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "good",
    [
        *(
            "2024-05-31T14:05:00",
            "2024-05-31T14:05:00Z",
            "2024-05-31T14:05:00.123456789+05:30",
            "-0044-03-15T12:00:00Z",
        ),
        *("12024-01-01T00:00:00Z", "2024-02-29T00:00:00", "2000-02-29T24:00:00", "2024-01-01T00:00:00-14:00"),
    ],
)
def test_dates_and_times(good):
    assert lexical.is_date_time(good)
    assert lexical.valid(good, XSD + "dateTime") is True


@pytest.mark.parametrize(
    "bad",
    [
        *("", "yesterday", "2024-05-31", "2024-05-31 14:05:00", "2024-5-31T14:05:00", "2024-05-31T14:05"),
        *("2023-02-29T00:00:00", "1900-02-29T00:00:00", "2024-04-31T00:00:00", "2024-13-01T00:00:00"),
        *("2024-01-01T24:00:01", "2024-01-01T00:00:60", "2024-01-01T00:00:00+14:01", "2024-01-01T00:00:00z"),
        *(" 2024-01-01T00:00:00", "2024-01-01T00:00:00\n", "02024-01-01T00:00:00", "٢٠٢٤-01-01T00:00:00"),
    ],
)
def test_what_is_no_date_and_time(bad):
    assert not lexical.is_date_time(bad)


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("integer", ["007", "-0", "+1", "9" * 10_000], ["1.0", "", "1e3", "٣"]),
        ("byte", ["127", "-128", "000000127"], ["128", "-129", "9" * 100]),
        ("unsignedByte", ["255", "-0"], ["256", "-1"]),
        ("nonNegativeInteger", ["0", "1"], ["-1"]),
        ("positiveInteger", ["1"], ["0", "-5"]),
        ("negativeInteger", ["-1"], ["0", "1"]),
        ("decimal", ["1.10", ".5", "5."], ["1E999999999", "1e3", ".", "INF"]),
        ("double", ["1E999999999", "INF", "-INF", "NaN", "1.5e-3"], ["inf", "1e", "e5"]),
        ("boolean", ["true", "false", "1", "0"], ["True", "yes", ""]),
        ("date", ["2024-05-31", "2024-05-31+02:00"], ["31.05.2024", "2024-02-30"]),
        ("dateTimeStamp", ["2024-05-31T00:00:00Z"], ["2024-05-31T00:00:00"]),
        ("time", ["14:05:00", "24:00:00"], ["14:05", "25:00:00"]),
    ],
)
def test_spellings_of_the_types_of_xml_schema(datatype, good, bad):
    assert [lexical.valid(text, XSD + datatype) for text in good] == [True] * len(good)
    assert [lexical.valid(text, XSD + datatype) for text in bad] == [False] * len(bad)


def test_other_types_are_not_checked():
    assert lexical.valid("anything", XSD + "string") is None
    assert lexical.valid("anything", EX + "mine") is None


@given(st.datetimes(timezones=st.none() | st.timezones()))
@settings(max_examples=examples(50), deadline=None)
def test_all_datetimes_of_python_are_dates_and_times(moment):
    offset = moment.utcoffset()
    if offset is None or (offset.total_seconds() % 60 == 0 and abs(offset.total_seconds()) <= 14 * 3600):
        assert lexical.is_date_time(moment.isoformat())


# The layer syntax -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "words", "focus"),
    [
        ("wasAttributedTo(ex:a, -)", "wasAttributedTo has no agent, and PROV-DM demands one (section 5.3.2).", "a"),
        ("wasGeneratedBy(-, ex:b, -)", "wasGeneratedBy has no entity, and PROV-DM demands one (section 5.1.3).", "b"),
        ("alternateOf(ex:a, -)", "alternateOf has no alternate 2, and PROV-DM demands one (section 5.5.2).", "a"),
    ],
)
def test_a_missing_mandatory_argument_is_a_violation_at_its_location(statement, words, focus):
    report = check(provn(f"entity(ex:a)\n  {statement}"))
    (found,) = report.findings
    assert (found.layer, found.rule, found.severity) == ("syntax", "prov-dm:mandatory", Severity.VIOLATION)
    assert (found.line, found.column, found.approximate) == (4, 3, False)
    assert (found.message, found.focus) == (words, EX + focus)
    assert found.repair
    assert not report.conforms


def test_optional_arguments_may_be_absent():
    document = provn("used(ex:a, -, -)\nwasGeneratedBy(ex:e, -, -)\nwasStartedBy(ex:a, -, -, -)\nactivity(ex:a, -, -)")
    assert syntax.check(document) == []


def test_a_time_that_is_none_is_a_violation_and_an_attribute_that_is_none_a_warning():
    document = provn('activity(ex:a, 2024-13-01T00:00:00, -)\nentity(ex:e, [ex:n="abc" %% xsd:integer, ex:m="7"])')
    time_, number = syntax.check(document)
    assert (time_.rule, time_.severity, time_.line) == ("prov-dm:lexical", Severity.VIOLATION, 3)
    assert time_.value == f'"2024-13-01T00:00:00"^^<{XSD}dateTime>'
    assert "start time of activity" in time_.message
    assert (number.rule, number.severity, number.line) == ("prov-dm:lexical", Severity.WARNING, 4)
    assert (number.path, number.value) == (EX + "n", f'"abc"^^<{XSD}integer>')
    assert check(provn('entity(ex:e, [ex:n="abc" %% xsd:integer])')).conforms


def test_attributes_that_prov_does_not_define_are_a_warning():
    document = provn('entity(ex:e, [prov:flavor="1", prov:label="l", prov:pairKey="k", ex:prov="2"])')
    (found,) = syntax.check(document)
    assert (found.rule, found.severity, found.path) == ("prov-dm:attribute", Severity.WARNING, PROV + "flavor")


def test_a_repeated_bundle_is_one_violation_of_the_constraints():
    document = provn(
        "bundle ex:b\nentity(ex:a)\nendBundle\nbundle ex:b\nentity(ex:c)\nendBundle\nbundle ex:d\nendBundle"
    )
    (found,) = provrepo.validate(document).findings
    assert (found.rule, found.severity, found.bundle, found.line) == (
        *("prov-constraints:bundles", Severity.VIOLATION),
        *(EX + "b", 7),
    )


def test_remarks_of_the_reader_are_warnings():
    document = provn("entity(ex:a)")
    document.warnings.append(provrepo.model.document.ReaderWarning("an odd prefix", 2))
    remark = syntax.check(document)[0]
    assert (remark.rule, remark.message, remark.line) == ("reading:remark", "an odd prefix", 2)


def test_statements_in_bundles_are_checked_and_findings_name_the_bundle():
    (found,) = syntax.check(provn("bundle ex:b\nwasAttributedTo(ex:a, -)\nendBundle"))
    assert (found.bundle, found.line) == (EX + "b", 4)


def test_a_very_long_value_is_truncated():
    document = provrepo.Document()
    kind = provn("entity(ex:a)").statements[0].kind
    value = Literal("x" * 1_000_000, XSD + "integer")
    document.statements.append(provrepo.Statement(kind, Identifier(EX + "a"), (), ((Identifier(EX + "n"), value),)))
    (found,) = syntax.check(document)
    assert len(found.message) < 200
    assert len(found.value or "") < 300


# The layer shapes -----------------------------------------------------------------------------------------------

USED = (
    'activity(ex:run, 2024-05-31T14:00:00Z, -)\nagent(ex:ana, [prov:label="Ana"])\nwasAssociatedWith(ex:run, ex:ana, -)'
)


def test_a_finding_of_a_shape_has_all_fields():
    report = check(provn(f"{USED}\nused(ex:run, ex:raw, -)"), profiles=["core"])
    (found,) = report.findings
    assert found == Finding(
        layer="shapes",
        rule="https://w3id.org/provrepo/shapes/core#UsedEntity",
        severity=Severity.VIOLATION,
        message="This is used by an activity but nowhere described as an entity.",
        focus=EX + "raw",
        line=6,
        approximate=True,
        profile="core",
        component=SH + "ClassConstraintComponent",
        value=f"<{EX}raw>",
        repair=f"Describe {EX}raw in the same document or bundle.",
        patch=f"<{EX}raw> a <{PROV}Entity> .",
        lineage=f"used by {EX}run",
    )
    assert report.layers == ("syntax", "constraints", "shapes")
    assert report.profiles == ("core/1.0",)
    assert (report.statements, report.format, report.conforms) == (4, "provn", False)


def test_an_activity_without_agent_fails_with_a_repair():
    report = check(provn("activity(ex:run, 2024-05-31T14:00:00Z, -)"), profiles=["core"])
    (found,) = report.findings
    assert (rule_name(found), found.line, found.column, found.approximate) == ("core:ActivityAgent", 3, 1, False)
    assert found.repair == f"Add prov:wasAssociatedWith to {EX}run."
    assert not report.conforms


def test_each_instance_is_checked_separately():
    body = "entity(ex:raw)\nbundle ex:b\n" + USED + "\nused(ex:run, ex:raw, -)\nendBundle"
    (found,) = check(provn(body), profiles=["core"]).findings
    assert (rule_name(found), found.bundle) == ("core:UsedEntity", EX + "b")
    # The statement in the bundle is the location, not the description outside it.
    assert found.line == 8


def test_lines_of_rdf_are_those_of_the_subject():
    document, source = turtle(
        "# ex:run is told of below\n"
        "ex:other prov:wasInformedBy ex:run ; a prov:Activity ;\n"
        "  prov:startedAtTime '2024-05-31T14:00:00Z'^^xsd:dateTime ; prov:wasAssociatedWith ex:ana .\n"
        "ex:ana a prov:Agent ; rdfs:label 'Ana' .\n"
        "ex:run a prov:Activity ; prov:startedAtTime '2024-05-31T14:00:00Z'^^xsd:dateTime .\n"
    )
    (found,) = check(document, profiles=["core"], source=source).findings
    assert (rule_name(found), found.focus) == ("core:ActivityAgent", EX + "run")
    assert (found.line, found.approximate) == (9, True)
    (unplaced,) = check(document, profiles=["core"]).findings
    assert (unplaced.line, unplaced.approximate) == (None, False)


@pytest.mark.parametrize(
    "serialization", ["turtle", "trig", "ntriples", "nquads", "rdfxml", "rdfjsonld", "provn", "provjson"]
)
def test_a_described_node_is_found_in_every_format(serialization):
    source = provn("entity(ex:a)\nactivity(ex:run, 2024-05-31T14:00:00Z, -)\nentity(ex:b)").write(serialization)
    (found,) = check(provrepo.read(source, format=serialization), profiles=["core"], source=source).findings
    assert found.line is not None
    line = source.decode().split("\n")[found.line - 1]
    assert "run" in line


def test_all_serializations_of_a_document_have_the_same_findings():
    document = provn(f"{USED}\nused(ex:run, ex:raw, -)\nwasDerivedFrom(ex:x, ex:y)\nactivity(ex:idle)\nagent(ex:z)")
    expected = sorted(rules(check(document, profiles=["core"]).findings))
    assert expected == [
        *("core:ActivityAgent", "core:ActivityTime", "core:AgentName"),
        *("core:DerivedEntity", "core:SourceEntity", "core:UsedEntity"),
    ]
    for name in ("provjson", "provxml", "provjsonld", "turtle", "trig", "rdfxml", "rdfjsonld"):
        again = provrepo.read(document.write(name), format=name)
        assert sorted(rules(check(again, profiles=["core"]).findings)) == expected, name


def within(source: str, name: str) -> dict[str, object]:
    """Read and check in one worker, as a submission does."""
    data = source.encode()
    return check(provrepo.read(data, format=name), profiles=["core"], constraints="off", source=data).to_dict()


def test_the_report_is_the_same_inside_a_worker_and_outside():
    source = f"document\nprefix ex <{EX}>\n{USED}\nused(ex:run, ex:raw, -)\nentity(ex:run)\nendDocument"
    inside = default_pool().call("tests.checks.test_checks:within", {"source": source, "name": "provn"}, timeout=60)
    assert inside == within(source, "provn")
    assert len(inside["findings"]) == 2


@pytest.mark.parametrize(
    ("start", "end", "late"),
    [
        ("2024-05-31T14:00:00Z", "2024-05-31T14:00:00Z", False),
        ("2024-05-31T14:00:00Z", "2024-05-31T13:59:59.999Z", True),
        ("2024-05-31T14:00:00+02:00", "2024-05-31T12:30:00Z", False),
        ("2024-05-31T14:00:00", "2024-05-31T13:00:00", True),
        # One zone is not known: certain only when more than 14 hours apart (XML Schema part 2, D.2.1.1).
        ("2024-05-31T14:00:00", "2024-05-31T13:00:00Z", False),
        ("2024-05-31T14:00:00Z", "2024-05-31T13:00:00", False),
        ("2024-05-31T14:00:00Z", "2024-05-30T23:00:00", True),
        ("2024-05-31T14:00:00", "2024-05-30T23:00:00+01:00", True),
        # Beyond Python's years.
        ("-0044-03-15T12:00:00Z", "2024-05-31T14:00:00Z", False),
        ("2024-05-31T14:00:00Z", "-0044-03-15T12:00:00Z", True),
        ("2024-05-31T14:00:00Z", "12024-05-31T14:00:00", False),
        ("2024-05-31T24:00:00Z", "2024-05-31T23:00:00Z", True),
        ("9999-12-31T23:59:59+01:00", "9999-12-31T23:59:59", False),
    ],
)
def test_the_order_of_times(start, end, late):
    document = provn(USED.replace("2024-05-31T14:00:00Z, -", f"{start}, {end}"))
    report = check(document, profiles=["core"], constraints="off")
    assert rules(report.findings) == (["core:TimeOrder"] if late else [])
    assert report.conforms


def test_a_start_at_a_blank_node_cannot_be_compared_and_hides_no_other_finding():
    document, source = turtle(
        "ex:run a prov:Activity ; prov:wasStartedBy ex:run ; prov:startedAtTime [] ;\n"
        " prov:endedAtTime '2024-05-31T14:00:00Z'^^xsd:dateTime .\n"
        "ex:late a prov:Activity ; prov:wasStartedBy ex:run ; prov:startedAtTime '2024-05-31T14:00:01Z'^^xsd:dateTime ;"
        " prov:endedAtTime '2024-05-31T14:00:00Z'^^xsd:dateTime .\n"
    )
    found = check(document, profiles=["core"], source=source).findings
    assert {"core:StartTime", "core:TimeOrder"} <= set(rules(found))
    assert {f.focus for f in found if f.rule.endswith("#TimeOrder")} == {EX + "late", EX + "run"}


# Hostile input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "literal",
    [
        Literal("1E999999999", XSD + "decimal"),
        Literal("9" * 1_000_000, XSD + "decimal"),
        Literal("9" * 100_000, XSD + "integer"),
        Literal("1E999999999", XSD + "double"),
        Literal("<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>", "http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral"),
        Literal("<p" * 10_000, "http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML"),
        Literal("P1Y" * 10_000, XSD + "duration"),
        Literal("\x00\x07\u2028\r\n\\\"'", XSD + "string"),
        Literal("x", EX + "with space"),
    ],
)
def test_no_literal_is_expensive_or_breaks_the_engine(literal):
    document = provn("entity(ex:a)\nactivity(ex:run)")
    first = document.statements[0]
    attributes = ((Identifier(EX + "n"), literal), (Identifier(PROV + "label"), literal))
    document.statements[0] = provrepo.Statement(first.kind, first.id, first.args, attributes)
    with Pool(1, memory=1024) as pool:  # each takes under a second
        report = check(document, profiles=["core"], pool=pool, timeout=ENDLESS)
    assert {"core:ActivityAgent", "core:ActivityTime"} <= set(rules(report.findings))


@pytest.mark.parametrize(
    "iri", [EX + "a b", EX + "<a>", EX + 'q"q', "no scheme", EX + "\u00e9\U0001f600", EX + "\\u0041", ""]
)
def test_odd_identifiers_come_back_as_they_went_in(iri):
    document = provrepo.Document()
    kind = provn("activity(ex:a)").statements[0].kind
    document.statements.append(provrepo.Statement(kind, Identifier(iri), (None, None)))
    report = check(document, profiles=["core"])
    assert {finding.focus for finding in report.findings} == {iri}


def test_the_engine_is_stopped_at_the_deadline():
    document = provn("".join(f"activity(ex:a{i})\n" for i in range(20_000)))
    with pytest.raises(WorkerFailed, match=r"longer than 0\.001 s"):
        check(document, profiles=["core"], timeout=0.001)


def test_more_results_than_fit_into_memory_are_an_error(monkeypatch):
    monkeypatch.setattr("provrepo.checks.shacl.graph.MOST_RESULTS", 300)
    times = [f"'2024-05-31T14:00:{second:02}Z'^^xsd:dateTime" for second in range(40)]
    late, early = ", ".join(times[20:]), ", ".join(times[:20])
    document, _ = turtle(f"ex:run a prov:Activity ; prov:startedAtTime {late} ; prov:endedAtTime {early} .")
    with pytest.raises(WorkerFailed, match="more than 2,000,000 results"):
        check(document, profiles=["core"], constraints="off")


def test_all_pairs_of_times_end_at_the_deadline():
    times = "".join(f", '{2100 + n}-01-01T00:00:00Z'^^xsd:dateTime" for n in range(3000))
    early = "".join(f", '{1100 - n % 100}-01-01T00:00:00.{n}Z'^^xsd:dateTime" for n in range(3000))
    document, _ = turtle(f"ex:run a prov:Activity ; prov:startedAtTime {early[1:]} ; prov:endedAtTime {times[1:]} .")
    with bounded(), pytest.raises(WorkerFailed, match="longer than 1 second"):
        check(document, profiles=["core"], constraints="off", timeout=1)


def test_what_the_engine_gets_can_be_read_by_any_other():
    from provrepo.codecs.rdf.codec import parse

    values = [
        Literal('tab\t "quoted" \\ back\r\nnew \u2028 line'),
        Literal("Grüße", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "de"),
        Literal("007", XSD + "integer"),
        Identifier(EX + "é"),
        Identifier("_:b1"),
    ]
    quads = [Quad(Identifier(EX + "s"), Identifier(EX + "p"), value) for value in values]
    assert parse(b"".join(lines(quads)), "ntriples").quads == quads


def test_subclasses_are_part_of_the_data_graph():
    (top,) = instance_graphs(provn("agent(ex:ana, [prov:type='prov:Person'])"))
    plain = {(q.subject, q.predicate, q.object) for q in top.graph.quads()}
    assert (EX + "ana", RDF_TYPE, PROV + "Agent") in plain
    subclass = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
    assert {
        (PROV + "Person", subclass, PROV + "Agent"),
        (PROV + "Plan", subclass, PROV + "Entity"),
        (PROV + "EmptyCollection", subclass, PROV + "Collection"),
        (PROV + "Revision", subclass, PROV + "Derivation"),
    } <= plain


# The function ---------------------------------------------------------------------------------------------------


def test_validate_without_profiles_runs_syntax_and_constraints():
    report = provrepo.validate(provn("entity(ex:a)"))
    assert (report.layers, report.profiles, report.conforms) == (("syntax", "constraints"), (), True)
    assert provrepo.validate(provn("entity(ex:a)"), constraints="off").layers == ("syntax",)


def test_a_profile_named_twice_is_checked_once():
    report = check(provn("activity(ex:run)"), profiles=["core", "core"])
    assert report.profiles == ("core/1.0",)
    assert rules(report.findings) == ["core:ActivityAgent", "core:ActivityTime"]


@pytest.mark.parametrize(
    ("asked", "severity"),
    [
        ({}, Severity.VIOLATION),
        ({"constraints": "gate"}, Severity.VIOLATION),
        ({"constraints": "report"}, Severity.WARNING),
        ({"profiles": ["core"]}, Severity.WARNING),
        ({"profiles": ["core"], "constraints": "gate"}, Severity.VIOLATION),
        ({"constraints": "off"}, None),
    ],
)
def test_constraints_gate_unless_profiles_have_another_mode(asked, severity):
    report = provrepo.validate(provn("specializationOf(ex:a, ex:a)"), **asked)
    found = [finding.severity for finding in report.findings if finding.rule == "prov-constraints:52"]
    assert found == ([] if severity is None else [severity])
    assert ("constraints" in report.layers) is (severity is not None)


@pytest.mark.parametrize("wrong", [{"constraints": "strict"}, {"profiles": ["nope"]}, {"profiles": "core"}])
def test_wrong_names_are_usage_errors(wrong):
    with pytest.raises(UsageError):
        provrepo.validate(provn("entity(ex:a)"), **wrong)


def test_findings_keep_their_location():
    finding = Finding("syntax", "r", Severity.INFO, "m", focus=EX + "a", line=99)
    assert locations.locate([finding], provn("entity(ex:a)")) == [finding]


def test_checking_documents_of_the_corpus_ends_with_a_report():
    folder = corpus("documents")
    checked = 0
    for path in sorted(folder.glob("runcrate/**/*.ttl"))[::5] + sorted(folder.glob("nidm-specs/**/nidm.ttl"))[:3]:
        source = path.read_bytes()
        report = check(provrepo.read(path, base=EX), profiles=["core"], source=source)
        assert Report.from_dict(report.to_dict()) == report
        checked += 1
    assert checked


def test_warnings_of_a_reader_are_findings_with_a_location() -> None:
    document = Document(
        [Statement(ENTITY, Identifier(EX + "e"), ())],
        warnings=[ReaderWarning("odd", 3, 4, rule="reading:odd", violation=True, focus="ex:e", repair="mend")],
    )
    document.unmapped.add_part(UnreadPart("/entity/x", "PROV-JSON has no such key", 5, 6))
    report = provrepo.validate(document)
    assert [(f.rule, f.severity, f.line, f.column, f.focus, f.repair) for f in report.findings] == [
        ("reading:odd", Severity.VIOLATION, 3, 4, "ex:e", "mend"),
        ("reading:unread", Severity.WARNING, 5, 6, None, None),
    ]
    assert "/entity/x" in report.findings[1].message
    assert len(document.unmapped) == 1
