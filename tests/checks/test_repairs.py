"""Repairs: advice, patches of triples, and the template with placeholders."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.checks.profiles import available
from provrepo.checks.render import render
from provrepo.checks.repairs import PathStep, first_path, patch, template
from provrepo.checks.validation import check
from provrepo.cli.main import cli
from provrepo.codecs.rdf.codec import parse
from provrepo.model.statements import ACTIVITY
from provrepo.vocab import PROV, PROVREPO, XSD

EX = "http://example.org/"

SOURCE = b"""@prefix ex: <http://example.org/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:clean a prov:Entity ; rdfs:label "cleaned yields" ; prov:wasGeneratedBy ex:run .
ex:other a prov:Entity ; rdfs:label "other" ; prov:wasDerivedFrom ex:clean .
ex:run a prov:Activity ; prov:used ex:raw ; prov:startedAtTime "yesterday" .
"""


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        (EX + "p", [PathStep(EX + "p")]),
        ("<a:b>/<c:d>", [PathStep("a:b"), PathStep("c:d")]),
        ("(<a:b>|<c:d>)", [PathStep("a:b")]),
        ("^<a:b>", [PathStep("a:b", True)]),
        ("<a:b>/(^<c:d>|<e:f>)*", [PathStep("a:b"), PathStep("c:d", True)]),
        ("^(<a:b>/<c:d>)", [PathStep("c:d", True), PathStep("a:b", True)]),
        ("(<a:b>/<c:d>|<e:f>)/<g:h>", [PathStep("a:b"), PathStep("c:d"), PathStep("g:h")]),
        ("", [PathStep("")]),
        ("<a:b>|", [PathStep("a:b")]),
    ],
)
def test_the_first_alternative_of_a_path(path, steps):
    assert first_path(path) == steps


def test_patches_have_the_missing_triples():
    missing = "MinCountConstraintComponent"

    def asked(path: str, **more: str) -> str | None:
        fields = {"focus": EX + "a", "value": None, "expected": None, **more}
        return patch(missing, path=path, **fields)

    assert asked(PROV + "wasAssociatedWith") == f"<{EX}a> <{PROV}wasAssociatedWith> <urn:fill-in:agent> ."
    assert asked(PROV + "endedAtTime") == f'<{EX}a> <{PROV}endedAtTime> "YYYY-MM-DDThh:mm:ssZ"^^<{XSD}dateTime> .'
    assert asked(EX + "p") == f'<{EX}a> <{EX}p> "FILL IN" .'
    assert asked(f"^<{PROV}used>") == f"<urn:fill-in:thing> <{PROV}used> <{EX}a> ."
    assert asked(f"<{EX}p>/^<{EX}q>") is None
    for focus in ("_:b1", '"text"', EX + "a b", EX + "a>", None):
        assert asked(EX + "p", focus=focus) is None


@pytest.mark.parametrize("profile", available(), ids=lambda profile: profile.name)
def test_every_template_is_turtle_and_most_violations_have_a_repair(profile):
    findings = 0
    repaired = 0
    for example in profile.bad():
        report = check(provrepo.read(example.path), profiles=[profile.name], constraints="off")
        text = template({example.path.name: report})
        parse(text.encode(), "turtle")
        findings += len(report.findings)
        repaired += sum(finding.repair is not None or finding.patch is not None for finding in report.findings)
    assert repaired * 5 >= findings * 2


def test_a_patch_that_is_applied_and_filled_in_repairs_the_document():
    document = provrepo.read(SOURCE, format="turtle")
    report = check(document, profiles=["core"], source=SOURCE, constraints="off")
    wanted = [f for f in report.findings if f.rule.endswith(("#ActivityAgent", "#UsedEntity"))]
    assert len(wanted) == 2
    added = "".join(f"{finding.patch}\n" for finding in wanted).replace("urn:fill-in:agent", EX + "ana")
    mended = SOURCE + added.encode() + b"ex:ana a prov:Agent ; rdfs:label 'Ana' .\n"
    again = check(provrepo.read(mended, format="turtle"), profiles=["core"], source=mended, constraints="off")
    assert {f.rule for f in again.findings} == {f.rule for f in report.findings} - {f.rule for f in wanted}


def test_a_shape_may_have_its_own_repair_and_patch():
    document = provrepo.read(b"<urn:x:a> a <http://www.w3.org/ns/prov#Entity> .", format="turtle")
    report = check(document, profiles=["pipeline"], constraints="off")
    (origin,) = (f for f in report.findings if f.rule.endswith("#Origin"))
    assert origin.patch == f"<urn:x:a> a <{PROVREPO}Source> ."
    assert "declare it a source" in (origin.repair or "")


def test_the_focus_has_its_label_and_its_lineage():
    report = check(provrepo.read(SOURCE, format="turtle"), profiles=["pipeline"], source=SOURCE, constraints="off")
    (derived,) = (f for f in report.findings if f.rule.endswith("#Origin") and f.focus == EX + "other")
    assert (derived.label, derived.lineage) == ("other", f"derived from {EX}clean")
    text = render(report, "text")
    assert f"other ({EX}other)\n    derived from {EX}clean\n" in text
    (run,) = (f for f in report.findings if f.rule.endswith("#End"))
    assert run.lineage == f"generates {EX}clean, uses {EX}raw"


def test_the_command_line_writes_the_template(tmp_path: Path):
    file, fix = tmp_path / "run.ttl", tmp_path / "fix.ttl"
    file.write_bytes(SOURCE)
    arguments = ["validate", str(file), "--profile", "core", "--fix-template", str(fix)]
    assert CliRunner().invoke(cli, arguments).exit_code == 1
    text = fix.read_text("utf-8")
    assert f"<{EX}run> prov:wasAssociatedWith <urn:fill-in:agent> ." in text
    assert '# The present value is "yesterday".' in text
    assert "# violation: Nobody is responsible" in text


def test_nothing_of_a_document_escapes_from_its_comment(tmp_path: Path):
    odd = provrepo.Document()
    name = provrepo.Identifier("x\n<urn:evil> a <urn:evil> .\u2028")
    odd.statements.append(provrepo.Statement(ACTIVITY, name, (None, None)))
    report = check(odd, profiles=["pipeline"], constraints="off")
    quads = parse(template({"a\nb": report}).encode(), "turtle").quads
    assert [quad for quad in quads if "evil" in quad.subject] == []
