"""SHACL results are confirmed on the asserted triples: completion may satisfy a constraint, and never breaks one."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.checks import profiles
from tests.support.paths import TESTS

CASES = TESTS / "cases" / "check"

PREFIXES = """\
@prefix ex: <http://example.org/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

# One generation in the forms that PROV-O has for it.
SHORT = "ex:r a prov:Entity, ex:Row ; prov:wasGeneratedBy ex:a . ex:a a prov:Activity ."
QUALIFIED = (
    "ex:r a prov:Entity, ex:Row ; prov:qualifiedGeneration [ a prov:Generation ; prov:activity ex:a ] . "
    "ex:a a prov:Activity ."
)
NAMED = "ex:r a prov:Entity, ex:Row ; prov:qualifiedGeneration ex:g . ex:g prov:activity ex:a . ex:a a prov:Activity ."
INVERSE = "ex:r a prov:Entity, ex:Row . ex:a a prov:Activity ; prov:generated ex:r ."
INSTANT = (
    "ex:r a prov:Entity, ex:Row ; prov:wasGeneratedBy ex:a ; "
    'prov:generatedAtTime "2024-05-31T10:00:00Z"^^xsd:dateTime . ex:a a prov:Activity .'
)
PLAN = "ex:p a prov:Plan, ex:Row ."
FORMS = {"short": SHORT, "qualified": QUALIFIED, "named": NAMED, "inverse": INVERSE, "instant": INSTANT, "plan": PLAN}


def validate(tmp_path: Path, shapes: str, content: str, *, format: str = "turtle") -> provrepo.Report:  # noqa: A002
    folder = tmp_path / "own"
    folder.mkdir(exist_ok=True)
    (folder / "shapes.ttl").write_text(PREFIXES + shapes)
    (folder / "profile.toml").write_text('title = "t"\nversion = "1"\npurpose = "p"\nconstraints = "report"\n')
    text = PREFIXES + content if format == "turtle" else content
    return provrepo.validate(provrepo.read(text.encode(), format=format), profiles=[profiles.read(folder)])


def components(report: provrepo.Report) -> list[str]:
    return [f.component.rpartition("#")[2].removesuffix("ConstraintComponent") for f in report.findings if f.component]


def test_the_case_that_was_refused_conforms():
    report = provrepo.validate(
        provrepo.read(CASES / "closed-shape-good.ttl"), profiles=[profiles.read(CASES / "closed-shape")]
    )
    assert report.conforms
    assert not report.findings


# What each form asserts, as a closed shape allows it.
ALLOWED = {
    "short": "rdf:type prov:wasGeneratedBy",
    "qualified": "rdf:type prov:qualifiedGeneration",
    "named": "rdf:type prov:qualifiedGeneration",
    "inverse": "rdf:type",
    "instant": "rdf:type prov:wasGeneratedBy prov:generatedAtTime",
    "plan": "rdf:type",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_closed_shape_is_checked_on_the_triples_of_the_source(tmp_path, form):
    shape = "ex:S a sh:NodeShape ; sh:targetClass ex:Row ; sh:closed true ; sh:ignoredProperties ( %s ) ."
    assert not validate(tmp_path, shape % ALLOWED[form], FORMS[form]).findings
    more = f"{FORMS[form]} ex:r ex:other 1 . ex:p ex:other 1 . ex:r a ex:Row ."
    report = validate(tmp_path, shape % ALLOWED[form], more)
    assert components(report) == ["Closed"] * (2 if form == "plan" else 1)


@pytest.mark.parametrize(
    ("form", "constraint"),
    [
        ("short", "sh:property [ sh:path prov:qualifiedGeneration ; sh:maxCount 0 ]"),
        ("qualified", "sh:property [ sh:path prov:wasGeneratedBy ; sh:maxCount 0 ]"),
        ("named", "sh:property [ sh:path prov:wasGeneratedBy ; sh:maxCount 0 ]"),
        ("inverse", "sh:property [ sh:path prov:wasGeneratedBy ; sh:maxCount 0 ]"),
        ("short", "sh:property [ sh:path [ sh:inversePath prov:generated ] ; sh:maxCount 0 ]"),
        ("plan", "sh:property [ sh:path rdf:type ; sh:maxCount 2 ]"),
        ("plan", "sh:property [ sh:path rdf:type ; sh:in ( prov:Plan ex:Row ) ]"),
        ("plan", "sh:property [ sh:path rdf:type ; sh:pattern 'Plan|Row' ]"),
        ("short", "sh:not [ sh:property [ sh:path prov:qualifiedGeneration ; sh:minCount 1 ] ]"),
        ("qualified", "sh:not [ sh:property [ sh:path prov:wasGeneratedBy ; sh:minCount 1 ] ]"),
        ("short", "sh:property [ sh:path prov:qualifiedGeneration ; sh:nodeKind sh:BlankNode ]"),
        ("short", "sh:property [ sh:path prov:qualifiedGeneration ; sh:pattern '^http' ]"),
        ("short", "sh:property [ sh:path prov:qualifiedGeneration ; sh:node [ sh:closed true ] ]"),
        (
            "short",
            "sh:property [ sh:path prov:qualifiedGeneration ; sh:property [ sh:path prov:atTime ; sh:minCount 1 ] ]",
        ),
        (
            "short",
            "sh:property [ sh:path prov:qualifiedGeneration ; sh:qualifiedValueShape [ sh:class prov:Generation ] ; "
            "sh:qualifiedMaxCount 0 ]",
        ),
        (
            "short",
            "sh:xone ( [ sh:property [ sh:path prov:wasGeneratedBy ; sh:minCount 1 ] ] "
            "[ sh:property [ sh:path prov:qualifiedGeneration ; sh:minCount 1 ] ] )",
        ),
        (
            "qualified",
            "sh:property [ sh:path prov:wasGeneratedBy ; "
            "sh:disjoint ex:unused ; sh:equals ex:unused ]",
        ),
        (
            "short",
            "sh:or ( [ sh:property [ sh:path prov:qualifiedGeneration ; sh:maxCount 0 ] ] "
            "[ sh:property [ sh:path ex:reason ; sh:minCount 1 ] ] )",
        ),
        ("short", "sh:node [ sh:closed true ; sh:ignoredProperties ( rdf:type prov:wasGeneratedBy ) ]"),
        (
            "short",
            'sh:sparql [ sh:select "SELECT $this WHERE { $this <http://www.w3.org/ns/prov#qualifiedGeneration> ?g }" ]',
        ),
    ],
)  # fmt: skip
def test_no_constraint_is_broken_by_what_completion_adds(tmp_path, form, constraint):
    shape = f"ex:S a sh:NodeShape ; sh:targetClass ex:Row ; {constraint} ."
    assert not validate(tmp_path, shape, FORMS[form]).findings


@pytest.mark.parametrize(
    "shape",
    [
        "ex:S a sh:NodeShape ; sh:targetClass prov:Generation ; sh:property [ sh:path prov:atTime ; sh:minCount 1 ] .",
        "ex:S a sh:NodeShape ; sh:targetObjectsOf prov:qualifiedGeneration ; sh:nodeKind sh:BlankNode .",
        "ex:S a sh:PropertyShape ; sh:targetSubjectsOf prov:qualifiedGeneration ; sh:path ex:x ; sh:minCount 1 .",
    ],
)
def test_nodes_that_completion_adds_have_no_results(tmp_path, shape):
    assert not validate(tmp_path, shape, SHORT).findings


# What stays ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["short", "qualified", "named", "inverse", "instant"])
@pytest.mark.parametrize(
    "path", ["prov:wasGeneratedBy", "prov:qualifiedGeneration", "[ sh:inversePath prov:generated ]"]
)
def test_completion_satisfies_monotone_constraints(tmp_path, form, path):
    shape = f"ex:S a sh:NodeShape ; sh:targetClass ex:Row ; sh:property [ sh:path {path} ; sh:minCount 1 ] ."
    assert not validate(tmp_path, shape, FORMS[form]).findings
    assert components(validate(tmp_path, shape, "ex:r a prov:Entity, ex:Row .")) == ["MinCount"]


@pytest.mark.parametrize(
    ("content", "constraint", "component"),
    [
        (SHORT, "sh:property [ sh:path prov:wasGeneratedBy ; sh:maxCount 0 ]", "MaxCount"),
        (QUALIFIED, "sh:property [ sh:path prov:qualifiedGeneration ; sh:maxCount 0 ]", "MaxCount"),
        (QUALIFIED, "sh:property [ sh:path prov:qualifiedGeneration ; sh:nodeKind sh:IRI ]", "NodeKind"),
        (NAMED, "sh:property [ sh:path prov:qualifiedGeneration ; sh:nodeKind sh:BlankNode ]", "NodeKind"),
        (SHORT, "sh:not [ sh:property [ sh:path prov:wasGeneratedBy ; sh:minCount 1 ] ]", "Not"),
        (PLAN, "sh:property [ sh:path rdf:type ; sh:maxCount 1 ]", "MaxCount"),
    ],
)
def test_asserted_triples_break_constraints(tmp_path, content, constraint, component):
    shape = f"ex:S a sh:NodeShape ; sh:targetClass ex:Row ; {constraint} ."
    assert components(validate(tmp_path, shape, content)) == [component]


def test_a_blank_node_of_the_source_is_checked_with_its_own_triples(tmp_path):
    shape = "ex:S a sh:NodeShape ; sh:targetClass prov:Generation ; sh:closed true ; sh:ignoredProperties ( %s ) ."
    assert not validate(tmp_path, shape % "rdf:type prov:activity", QUALIFIED).findings
    report = validate(tmp_path, shape % "rdf:type", QUALIFIED)
    assert [(f.component or "").endswith("#ClosedConstraintComponent") for f in report.findings] == [True]


@pytest.mark.parametrize("content", [SHORT, QUALIFIED, NAMED, INVERSE])
def test_monotone_constraints_apply_in_every_form_of_a_relation(tmp_path, content):
    undescribed = content.replace("ex:a a prov:Activity .", "").replace("a prov:Activity ;", "")
    shape = "ex:S a sh:NodeShape ; sh:targetObjectsOf prov:wasGeneratedBy ; sh:class ex:Step ."
    (finding,) = validate(tmp_path, shape, undescribed).findings
    assert finding.focus == "http://example.org/a"


def test_bundles_are_checked_separately(tmp_path):
    shape = "ex:S a sh:NodeShape ; sh:targetClass ex:Row ; sh:closed true ; sh:ignoredProperties ( %s ) ."
    shape %= "rdf:type prov:wasGeneratedBy"
    content = PREFIXES + f"{SHORT} ex:b {{ {SHORT} ex:r ex:more 1 . }} ex:c {{ {SHORT} }}"
    (finding,) = validate(tmp_path, shape, content, format="trig").findings
    assert (finding.bundle, finding.path) == ("http://example.org/b", "http://example.org/more")


def test_a_format_without_triples_is_checked_as_prov_o(tmp_path):
    content = (
        "document\nprefix ex <http://example.org/>\nentity(ex:r, [prov:type='ex:Row'])\n"
        "wasGeneratedBy(ex:r, ex:a, -)\nendDocument"
    )
    shape = "ex:S a sh:NodeShape ; sh:targetClass ex:Row ; sh:closed true ; sh:ignoredProperties ( rdf:type %s ) ."
    assert not validate(tmp_path, shape % "prov:wasGeneratedBy", content, format="provn").findings
    assert components(validate(tmp_path, shape % "", content, format="provn")) == ["Closed"]


def test_a_changed_document_is_checked_with_its_changes(tmp_path):
    folder = CASES / "closed-shape"
    document = provrepo.read(CASES / "closed-shape-good.ttl")
    more = provrepo.read(
        (PREFIXES + "@prefix field: <http://field.example/> . field:x a prov:Entity, field:Row ; field:y 1 .").encode()
    )
    document.statements += more.statements
    report = provrepo.validate(document, profiles=[profiles.read(folder)])
    assert [f.focus for f in report.findings] == ["http://field.example/x"]


def test_a_submission_is_checked_in_the_same_way(tmp_path):
    repository = provrepo.open(tmp_path / "data")
    repository.create_project("p")
    repository.add_profile(CASES / "closed-shape", project="p")
    receipt = repository.submit(CASES / "closed-shape-good.ttl", project="p", profiles=["closed-shape"])
    assert receipt.version.verdict == "conforms"
