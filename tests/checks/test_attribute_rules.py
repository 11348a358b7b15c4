"""The rules of PROV-DM about its attributes (section 5.7.2), in all formats."""

from __future__ import annotations

import pytest

import provrepo
from provrepo.checks import syntax
from provrepo.checks.findings import Finding, Severity
from tests.support.round_trip import BOTH_WAYS

EX = "http://example.org/"


def provn(body: str) -> provrepo.Document:
    return provrepo.read(f"document\nprefix ex <{EX}>\n{body}\nendDocument\n".encode(), format="provn")


def found(document: provrepo.Document, rule: str) -> list[Finding]:
    return [finding for finding in syntax.check(document) if finding.rule == rule]


@pytest.mark.parametrize("format_", [format_.name for format_ in BOTH_WAYS])
@pytest.mark.parametrize("label", ["'ex:View'", "5", '"a" %% xsd:anyURI', '"2024-01-01" %% xsd:date'])
def test_a_label_that_is_no_string_is_a_violation_in_every_format(format_: str, label: str) -> None:
    document = provn(f"entity(ex:v, [prov:label={label}])")
    (finding,) = found(provrepo.read(document.write(format_), format=format_), "prov-dm:label")
    assert finding.severity is Severity.VIOLATION
    assert finding.focus == f"{EX}v"
    assert "section 5.7.2.1" in finding.message


def test_a_label_in_a_bundle_has_a_location() -> None:
    (finding,) = found(provn("bundle ex:b\nused(ex:a, ex:e, -, [prov:label='ex:x'])\nendBundle"), "prov-dm:label")
    assert (finding.bundle, finding.line, finding.value) == (f"{EX}b", 4, f"<{EX}x>")


@pytest.mark.parametrize(
    "label", ['"a"', '"a"@en', '"a" %% xsd:string', '"a" %% xsd:token', '"a"@en %% prov:InternationalizedString']
)
def test_labels_may_be_text_of_every_kind(label: str) -> None:
    assert found(provn(f"agent(ex:v, [prov:label={label}])"), "prov-dm:label") == []


def test_two_values_of_one_entity_are_a_violation() -> None:
    for body in (
        "entity(ex:v, [prov:value=1, prov:value=2])",
        "entity(ex:v, [prov:value=1])\nentity(ex:v, [prov:value=2])",
    ):
        (finding,) = found(provn(body), "prov-dm:value")
        assert (finding.severity, finding.focus) == (Severity.VIOLATION, f"{EX}v")


def test_one_value_may_be_repeated_and_given_to_several() -> None:
    body = "entity(ex:v, [prov:value=1])\nentity(ex:v, [prov:value=1])\nentity(ex:w, [prov:value=2])"
    assert found(provn(body + "\nbundle ex:b entity(ex:v, [prov:value=3]) endBundle"), "prov-dm:value") == []


@pytest.mark.parametrize(
    ("statement", "section"),
    [
        ("wasDerivedFrom(ex:a, ex:b, [prov:role='ex:r'])", "5.7.2.3"),
        ("entity(ex:a, [prov:role='ex:r'])", "5.7.2.3"),
        ("wasAttributedTo(ex:a, ex:b, [prov:location='ex:l'])", "5.7.2.2"),
        ("activity(ex:a, [prov:value=1])", "5.7.2.5"),
    ],
)
def test_an_attribute_of_another_kind_is_a_warning(statement: str, section: str) -> None:
    (finding,) = found(provn(statement), "prov-dm:attribute")
    assert finding.severity is Severity.WARNING
    assert f"section {section}" in finding.message


@pytest.mark.parametrize(
    "statement",
    [
        "wasAssociatedWith(ex:a, ex:g, -, [prov:role='ex:r'])",
        "used(ex:a, ex:e, -, [prov:role='ex:r', prov:location='ex:l'])",
        "agent(ex:g, [prov:location='ex:l'])",
        'entity(ex:e, [prov:value=1, prov:location="here"])',
    ],
)
def test_an_attribute_where_it_belongs_is_not_reported(statement: str) -> None:
    assert found(provn(statement), "prov-dm:attribute") == []


@pytest.mark.parametrize("value", ['"a"@en_US', '"a"@e', '"a"@toolonglanguage', '"a" %% rdf:langString'])
def test_a_language_that_cannot_be_stored_is_found_before(value):
    rdf = "prefix rdf <http://www.w3.org/1999/02/22-rdf-syntax-ns#>"
    text = f"document\nprefix ex <http://e/>\n{rdf}\nentity(ex:e, [ex:p={value}])\nendDocument"
    document = provrepo.read(text.encode(), format="provn")
    with pytest.raises(provrepo.Error):
        document.write("turtle")
    (finding,) = provrepo.validate(document, constraints="off").findings
    assert (finding.rule, finding.severity, finding.line) == ("prov-dm:lexical", Severity.VIOLATION, 4)
    assert "RDF cannot represent" in finding.message


@pytest.mark.parametrize(
    ("members", "rule"), [('"_:p": "x"', "prov-dm:attribute"), ('"ex:p": {"$": "x", "type": "_:t"}', "prov-dm:lexical")]
)
def test_blank_nodes_for_names_are_found_before_they_are_stored(members, rule):
    text = f'{{"prefix": {{"ex": "http://e/"}},\n"entity": {{"ex:e": {{{members}}}}}}}'
    document = provrepo.read(text.encode(), format="provjson")
    with pytest.raises(provrepo.Error):
        document.write("nquads")
    (finding,) = provrepo.validate(document, constraints="off").findings
    assert (finding.rule, finding.severity, finding.line) == (rule, Severity.VIOLATION, 2)
