"""The shipped profiles: their examples are their tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo import resources
from provrepo.checks.findings import Severity
from provrepo.checks.profiles import Example, Profile, available, load, read, resolve
from provrepo.checks.render import rule_name
from provrepo.checks.validation import check
from provrepo.codecs.rdf.codec import parse
from provrepo.errors import Damaged, UsageError
from provrepo.vocab import PROVREPO, RDF_TYPE, SH
from tests.support.paths import ROOT

PROFILES = available()
GOOD = [(profile, example) for profile in PROFILES for example in profile.good()]
BAD = [(profile, example) for profile in PROFILES for example in profile.bad()]


def name(pair: tuple[Profile, Example]) -> str:
    return f"{pair[0].name}-{pair[1].path.name}"


def check_example(path: Path, profile: Profile) -> provrepo.Report:
    # Shapes alone: an example of a violated shape may violate PROV-CONSTRAINTS too.
    return check(provrepo.read(path), profiles=[profile.name], constraints="off", source=path.read_bytes())


def shapes(profile: Profile) -> dict[str, dict[str, list[str]]]:
    """The shapes with an IRI, each with its properties of SHACL."""
    found: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value, _ in parse(profile.shapes.read_bytes(), "turtle").quads:
        text = value if isinstance(value, str) else value.lexical
        found.setdefault(subject, {}).setdefault(predicate.removeprefix(SH), []).append(text)
    return {
        iri: properties
        for iri, properties in found.items()
        if any(t.startswith(SH) for t in properties.get(RDF_TYPE, []))
    }


def test_core_is_available_with_title_and_purpose():
    core = load("core")
    assert core in PROFILES
    assert (core.name, core.version, core.constraints, core.label) == ("core", "1.0", "report", "core/1.0")
    assert core.title
    assert core.purpose.endswith(".")


@pytest.mark.parametrize("wrong", ["nope", "", "../core", "core/examples", "core/"])
def test_an_unknown_profile_is_refused_with_the_names_there_are(wrong):
    with pytest.raises(UsageError, match=r"there are: annotation, core, deployment"):
        load(wrong)


@pytest.mark.parametrize("pair", GOOD, ids=name)
def test_good_examples_have_no_findings(pair):
    profile, example = pair
    report = check_example(example.path, profile)
    assert report.conforms
    assert [rule_name(finding) for finding in report.findings] == []


@pytest.mark.parametrize("pair", BAD, ids=name)
def test_bad_examples_violate_what_they_list_and_nothing_else(pair):
    profile, example = pair
    report = check_example(example.path, profile)
    # A time that violates a shape may be one that makes no statement either.
    rules = {rule_name(finding).removeprefix(f"{profile.name}:") for finding in report.findings}
    assert rules - {"prov-o:unread"} == example.violates


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_shape_has_an_example_that_violates_it_alone(profile):
    names = {iri.removeprefix(f"https://w3id.org/provrepo/shapes/{profile.name}#") for iri in shapes(profile)}
    alone = {next(iter(example.violates)) for example in profile.bad() if len(example.violates) == 1}
    assert names == alone


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_shape_has_a_name_a_message_and_a_severity(profile):
    for iri, properties in shapes(profile).items():
        assert iri.startswith(f"https://w3id.org/provrepo/shapes/{profile.name}#")
        assert [len(properties.get(key, [])) for key in ("name", "message", "severity")] == [1, 1, 1], iri
        assert properties["message"][0].endswith(".")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_reference_lists_the_profile(profile):
    reference = (ROOT / "docs" / "reference" / "profiles.md").read_text("utf-8")
    assert f"## `{profile.name}`" in reference
    for iri in shapes(profile):
        assert f"`{iri.rsplit('#', 1)[-1]}`" in reference


def test_terms_of_our_own_in_reports_are_defined():
    ontology = (resources.root() / "ontology" / "provrepo.ttl").read_bytes()
    defined = {subject.removeprefix(PROVREPO) for subject, *_ in parse(ontology, "turtle").quads}
    assert {"verdict", "rule", "path", "inBundle", "line", "repair"} <= defined


@pytest.mark.parametrize(
    "path", sorted((resources.root() / "examples" / "cwltool").glob("primary.*")), ids=lambda p: p.name
)
def test_what_cwltool_writes_conforms_to_core(path):
    report = check_example(path, load("core"))
    assert report.conforms
    assert report.statements > 60
    assert {finding.severity for finding in report.findings} <= {Severity.WARNING, Severity.INFO}


def written(folder: Path, toml: str) -> Profile:
    """A profile in another folder, loaded as if it were shipped."""
    (folder / "shapes" / "mine").mkdir(parents=True)
    (folder / "shapes" / "mine" / "profile.toml").write_text(toml, "utf-8")
    return load("mine")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "root", lambda: tmp_path)
    yield tmp_path
    load.cache_clear()


TOML = 'title = "Mine"\nversion = "2.1"\npurpose = "To test."\nconstraints = "gate"\n'


def test_an_example_without_comments_names_its_shapes_in_a_file_beside_it(elsewhere):
    profile = written(elsewhere, TOML)
    assert (profile.label, profile.constraints) == ("mine/2.1", "gate")
    bad = profile.folder / "examples" / "bad"
    bad.mkdir(parents=True)
    (bad / "a.json").write_text("{}")
    (bad / "a.json.violates").write_text("violates: One, Two")
    assert profile.good() == []
    assert profile.bad() == [Example(bad / "a.json", frozenset({"One", "Two"}))]
    (bad / "b.ttl").write_text("# says nothing\n")
    with pytest.raises(Damaged, match=r"b\.ttl does not say which shapes"):
        profile.bad()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (TOML.replace('"gate"', '"maybe"'), "'maybe' and not 'gate' or 'report'"),
        (TOML.replace("version", "edition"), "version"),
        ("= no TOML", "profile.toml"),
    ],
)
def test_a_malformed_profile_is_damaged(elsewhere, toml, words):
    with pytest.raises(Damaged, match=words):
        written(elsewhere, toml)


def test_malformed_shapes_are_damaged(elsewhere):
    profile = written(elsewhere, TOML)
    document = provrepo.Document()
    for content in ("@prefix sh: <broken", "@prefix sh: <http://www.w3.org/ns/shacl#> . <urn:a> a sh:PropertyShape ."):
        profile.shapes.write_text(content, "utf-8")
        with pytest.raises(Damaged, match=r"cannot understand the shapes of .*shapes\.ttl"):
            check(document, profiles=["mine"])


def test_extended_profiles_are_checked_first_and_once():
    assert [profile.label for profile in resolve(["ml-training", "core", "exchange"])] == [
        *("core/1.0", "pipeline/1.2", "ml-training/1.0", "exchange/1.0"),
    ]
    report = check(provrepo.Document(), profiles=["pipeline"])
    assert report.profiles == ("core/1.0", "pipeline/1.2")


def test_a_profile_that_extends_itself_is_refused(tmp_path):
    found = {}
    for name, extends in (("a", "b"), ("b", "a")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "profile.toml").write_text(TOML + f'extends = ["{extends}"]\n', "utf-8")
        found[name] = read(folder)
    with pytest.raises(UsageError, match="extends itself: a → b → a"):
        resolve(["a"], find=found.__getitem__)
