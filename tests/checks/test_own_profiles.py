"""User-defined profiles: what may be stored, what is refused, and how stored documents would fail."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.checks.profiles import available
from provrepo.checks.shapes.patterns import why_refused
from provrepo.checks.shapes.vetting import MOST_BYTES, vet_shapes
from provrepo.cli.main import cli
from provrepo.errors import Conflict, Damaged, Denied, NotFound, ReadError, Refused, UsageError, WorkerFailed
from provrepo.repository.repository import Repository
from provrepo.settings import load
from tests.conftest import PROVJSON, TURTLE
from tests.support.work import bounded

PREFIXES = (
    "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix prov: <http://www.w3.org/ns/prov#> .\n"
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
    "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n@prefix ex: <http://example.org/shapes#> .\n"
)
LABELED = (
    PREFIXES + "ex:Labeled a sh:PropertyShape ; sh:targetClass prov:Entity ; sh:path rdfs:label ; sh:minCount 1 ;\n"
    ' sh:message "An entity without a label." .\n'
)
NOTHING = PREFIXES + "ex:Nothing a sh:NodeShape ; sh:targetClass prov:Nothing ; sh:nodeKind sh:IRI .\n"


def folder(place: Path, shapes: str = LABELED, version: str = "1.0", **more: str) -> Path:
    """A profile as a user writes it."""
    place.mkdir(parents=True, exist_ok=True)
    lines = {"title": "Labels", "version": version, "purpose": "To test.", "constraints": "report", **more}
    toml = "".join(f"{k} = {v if v.startswith('[') else json.dumps(v)}\n" for k, v in lines.items())
    (place / "profile.toml").write_text(toml, "utf-8")
    (place / "shapes.ttl").write_text(shapes, "utf-8")
    return place


# Patterns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^(a+)+$", r"(.*a){20}", r"(x+x+)+y", r"([a-zA-Z]+)*", r"(a|b|ab)*c", r"(\w+\s?)*$", r"(?=(a+)+)b"),
        *(r"(a{1,50}){1,50}", r"(a?a?)*", r"(a)\1", r"(", r"(ab|a.)*", r"(a?){40}a{40}", r"((a*))*", "a" * 1001),
        *(r"(?i:(a[A-Z]*)*)", r"(?P<x>a+)+(?(x)b|c)", r"a{99999999999}"),
    ],
)
def test_patterns_that_could_take_forever_are_refused(pattern):
    assert why_refused(pattern, re.IGNORECASE)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"^[a-z]+$",
            r"^(\w+\.)+\w+$",
            r"^(/[a-z]+)*$",
            r"(foo|bar)+",
            r"[0-9]{4}-[0-9]{2}",
            r"\S",
            r"^(https?|ftp):",
        ),
        *(r"^(?!.*x)a*", r"(ab)*", r"a*b*c*", "", r"(?:[a-z]+,)*"),
    ],
)
def test_safe_patterns_are_accepted(pattern):
    assert why_refused(pattern) is None


def test_accepted_patterns_are_fast_on_hostile_texts():
    with bounded():
        for pattern in (r"^(\w+\.)+\w+$", r"^(/[a-z]+)*$", r"(foo|bar)+$", r"(ab)*$", r"(?:[a-z]+,)*$"):
            assert why_refused(pattern) is None
            for unit in ("a", "a.", "/a", "foo", "ab", "a,"):
                re.search(pattern, unit * 200 + "!")


# Shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", available(), ids=lambda profile: profile.name)
def test_shipped_profiles_would_be_accepted(profile):
    assert vet_shapes(profile.shapes.read_bytes()) > 0


def sparql(query: str) -> str:
    return f'ex:s sh:targetClass ex:A ; sh:sparql [ sh:select """{query}""" ] .'


HOSTILE = {
    "imports": ("ex:s sh:targetClass ex:A ; owl:imports <http://127.0.0.1:9/> .", "owl:imports is not followed"),
    "javascript": ('ex:s sh:targetClass ex:A ; sh:js [ sh:jsFunctionName "x" ] .', "sh:js belongs neither"),
    "rules": ("ex:s sh:targetClass ex:A ; sh:rule [ a sh:SPARQLRule ] .", "belongs neither to SHACL Core"),
    "sparql target": ('ex:s sh:target [ sh:select "SELECT ?this WHERE {}" ] .', "sh:target belongs neither"),
    "service": (sparql("SELECT $this WHERE { SERVICE <http://127.0.0.1:9/> {?a ?b ?c} }"), "calls another server"),
    "hidden service": (
        sparql("PREFIX ex:<http://x/> SELECT $this WHERE { FILTER NOT EXISTS { SERVICE SILENT ex:x{?a ?b ?c} } }"),
        "calls another server",
    ),
    "from": (sparql("SELECT $this FROM <file:///etc/passwd> WHERE { ?a ?b ?c }"), "reads other data"),
    "from named": (sparql("SELECT $this FROM NAMED <http://x/> WHERE { ?a ?b ?c }"), "reads other data"),
    "slow regex": (sparql("SELECT $this WHERE { $this ?b ?c FILTER REGEX(?c, '(a+)+$') }"), "could take forever"),
    "slow replace": (sparql("SELECT $this WHERE { $this ?b ?c FILTER(REPLACE(?c, '(a+)+$', '') = '') }"), "forever"),
    "regex from data": (sparql("SELECT $this WHERE { $this ?b ?c FILTER REGEX(?c, ?b) }"), "computes a regular"),
    "regex in pieces": (sparql("SELECT $this WHERE { $this ?b ?c FILTER REGEX(?c, CONCAT('(a', '+)+'))}"), "computes"),
    "deep query": (sparql("SELECT $this WHERE " + "{" * 100 + "}" * 100), "deeper than 32"),
    "long query": (sparql("SELECT $this WHERE { " + "?a ?b ?c . " * 1000 + "}"), "more than 8,192"),
    "no query": (sparql("DELETE WHERE { ?a ?b ?c }"), "cannot be understood"),
    "slow pattern": ('ex:s sh:targetClass ex:A ; sh:pattern "^(a+)+$" .', "could take forever"),
    "slow ignoring case": ('ex:s sh:targetClass ex:A ; sh:pattern "(a[A-Z]*)*" ; sh:flags "i" .', "take forever"),
    "cycle": ("ex:s sh:targetClass ex:A ; sh:node ex:t . ex:t sh:not ex:s .", "shapes refer to themselves"),
    "cycle of paths": (
        "ex:s sh:targetClass ex:A ; sh:path _:p . _:p sh:inversePath _:p .",
        "paths refer to themselves",
    ),
    "cycle of a list": ("ex:s sh:targetClass ex:A ; sh:or _:l . _:l rdf:first ex:b ; rdf:rest _:l .", "to themselves"),
    "deep": (
        "ex:s sh:targetClass ex:A ; " + "".join(f"sh:node ex:s{i} . ex:s{i} " for i in range(40)) + "sh:class ex:B .",
        "nested deeper than 16",
    ),
    "deep turtle": ("ex:s sh:targetClass ex:A ; sh:not " + "[ sh:not " * 5000 + "ex:B" + " ]" * 5000 + " .", "deep"),
    "many": ("".join(f"ex:s{i} sh:targetClass ex:A . " for i in range(600)), "600 shapes are more than 500"),
    "big": ("#" * MOST_BYTES, "bytes of shapes are more"),
    "many triples": (
        "ex:s sh:targetClass ex:A ; sh:in (" + " 1" * 10_500 + ") .",
        "triples of shapes are more",
    ),
    "severity": ("ex:s sh:targetClass ex:A ; sh:severity ex:Odd .", "none of sh:Violation"),
    "nameless": ("[] sh:targetClass ex:A ; sh:class ex:B .", "has no IRI"),
    "no target": ("ex:s sh:class ex:B .", "none of the shapes has a target"),
    "no turtle": ("ex:s sh:targetClass", "line 7, column 20: Unexpected end"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_shapes_are_refused_at_once_and_the_repository_goes_on(repository, tmp_path, what):
    shapes, words = HOSTILE[what]
    file = tmp_path / "mine.ttl"
    file.write_text(PREFIXES + shapes, "utf-8")
    with bounded(), pytest.raises((UsageError, ReadError), match=re.escape(words)):
        repository.add_profile(file)
    assert "mine" not in {info.name for info in repository.profiles()}
    assert repository.validate(PROVJSON, profiles=["core"]).conforms


def test_shapes_that_explode_are_stopped_at_the_deadline(tmp_path):
    file = tmp_path / "explode.ttl"
    file.write_text(
        PREFIXES + "ex:E a sh:NodeShape ; sh:targetClass prov:Activity ; sh:sparql [ sh:select "
        "'SELECT $this WHERE { $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = ?f && ?d = ?i) }' ] .",
        "utf-8",
    )
    body = "".join(f"activity(ex:a{i}, 2024-05-31T14:00:00Z, -)\nused(ex:a{i}, ex:e{i}, -)\n" for i in range(200))
    document = f"document\nprefix ex <http://example.org/>\n{body}endDocument".encode()
    with provrepo.open(settings=load({"data": tmp_path / "data", "check_timeout": 3})) as repository:
        repository.add_profile(file)
        with pytest.raises(WorkerFailed, match="longer than 3 seconds"):
            repository.validate(document, format="provn", profiles=["explode"])
        assert repository.validate(PROVJSON, profiles=["core"]).conforms


# Keeping --------------------------------------------------------------------------------------------------------


def test_a_profile_is_stored_with_its_versions(repository, tmp_path):
    added = repository.add_profile(folder(tmp_path / "labels"))
    assert (added.name, added.version, added.origin, added.versions) == ("labels", "1.0", "*", ("1.0",))
    assert repository.add_profile(tmp_path / "labels") == added
    folder(tmp_path / "labels", NOTHING)
    with pytest.raises(Conflict, match=r"version 1\.0 .* has other content"):
        repository.add_profile(tmp_path / "labels")
    folder(tmp_path / "labels", NOTHING, "1.1")
    assert repository.add_profile(tmp_path / "labels").versions == ("1.0", "1.1")
    folder(tmp_path / "labels")
    assert repository.add_profile(tmp_path / "labels").version == "1.0"
    assert repository.fsck().problems == ()


def test_an_added_profile_is_there_after_reopening_and_without_its_files(tmp_path):
    with provrepo.open(tmp_path / "data") as repository:
        repository.add_profile(folder(tmp_path / "labels", extends='["core"]'))
    for path in sorted((tmp_path / "data" / "profiles").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    with provrepo.open(tmp_path / "data") as repository:
        report = repository.validate(TURTLE, format="turtle", profiles=["labels"])
        assert report.profiles == ("core/1.0", "labels/1.0")
        assert {f.message for f in report.findings if f.profile == "labels"} == {"An entity without a label."}
        assert not report.conforms


def test_a_profile_of_a_project_is_unknown_elsewhere(repository, tmp_path):
    repository.create_project("crops")
    repository.create_project("other")
    repository.add_profile(folder(tmp_path / "labels"), project="crops")
    assert repository.profile("labels", "crops").origin == "crops"
    for project in ("other", None):
        with pytest.raises(UsageError, match="no profile is called 'labels'"):
            repository.validate(TURTLE, format="turtle", project=project, profiles=["labels"])
    assert not repository.validate(TURTLE, format="turtle", project="crops", profiles=["labels"]).conforms
    repository.set_project("crops", profiles=["labels"])
    with pytest.raises(UsageError):
        repository.set_project("other", profiles=["labels"])
    with pytest.raises(Refused):
        repository.submit(TURTLE, project="crops", name="run", format="turtle")
    stranger = repository.as_actor(repository.context.store.anonymous())
    with pytest.raises(NotFound):
        stranger.profiles("crops")
    with pytest.raises(Denied):
        stranger.add_profile(tmp_path / "labels")


def test_names_that_ship_are_taken_and_loops_are_refused(repository, tmp_path):
    with pytest.raises(Conflict, match="ships with provrepo"):
        repository.add_profile(folder(tmp_path / "core"))
    with pytest.raises(UsageError, match="no profile is called 'nope'"):
        repository.add_profile(folder(tmp_path / "a", extends='["nope"]'))
    repository.add_profile(folder(tmp_path / "a"))
    repository.add_profile(folder(tmp_path / "b", extends='["a"]'))
    with pytest.raises(UsageError, match="extend"):
        repository.add_profile(folder(tmp_path / "a", version="2", extends='["b"]'))
    assert repository.validate(TURTLE, format="turtle", profiles=["b"]).profiles == ("a/1.0", "b/1.0")


def test_a_file_of_shapes_is_numbered(repository, tmp_path):
    file = tmp_path / "mine.ttl"
    file.write_text(LABELED, "utf-8")
    assert repository.add_profile(file, extends=["core"]).version == "1"
    assert repository.add_profile(file, extends=["core"]).version == "1"
    file.write_text(NOTHING, "utf-8")
    assert repository.add_profile(file).versions == ("1", "2")


def test_examples_are_checked_against_the_shapes(repository, tmp_path):
    place = folder(tmp_path / "labels")
    for kind in ("good", "bad"):
        (place / "examples" / kind).mkdir(parents=True)
    good, bad = place / "examples" / "good" / "a.ttl", place / "examples" / "bad" / "a.ttl"
    good.write_bytes(TURTLE)
    with pytest.raises(UsageError, match=r"good example a\.ttl does not conform: Labeled"):
        repository.add_profile(place)
    good.unlink()
    bad.write_text("# violates: Labeled\n<http://e/a> a <http://www.w3.org/ns/prov#Agent> .", "utf-8")
    with pytest.raises(UsageError, match=r"bad example a\.ttl does not violate Labeled"):
        repository.add_profile(place)
    bad.write_bytes(b"# violates: Labeled\n" + TURTLE)
    assert repository.add_profile(place).version == "1.0"


@pytest.mark.parametrize("broken", ["missing", "toml", "encoding"])
def test_a_folder_that_is_no_profile_is_refused(repository, tmp_path, broken):
    place = folder(tmp_path / "labels")
    if broken == "missing":
        (place / "profile.toml").unlink()
    elif broken == "toml":
        (place / "profile.toml").write_text("title = 1")
    else:
        (place / "shapes.ttl").write_bytes(b"\xff\xfe")
    with pytest.raises((UsageError, Damaged, ReadError)):
        repository.add_profile(place)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"profile:a": {"version": "1", "title": "A"}}, "'profile:a'"),
        ({"profile:a": {"version": 1, "title": "A", "blob": "0" * 64}}, "'profile:a'"),
        ({"profile:a": {"version": "1", "title": "A", "blob": "x"}}, "'profile:a'"),
        ({"profile:../a": {"version": "1", "title": "A", "blob": "0" * 64}}, "not a name"),
        ({f"profile:{n}": {"version": "1", "title": "A", "blob": "0" * 64} for n in "ab"}, "one profile at most"),
    ],
)
def test_entries_contain_whole_profiles_only(repository, body, words):
    with (
        repository.context.store.ledger.appending("") as appending,
        pytest.raises((ValueError, UsageError), match=words),
    ):
        appending.append("settings", body, actor="x")


def test_the_blob_of_a_profile_is_needed(repository, tmp_path):
    added = repository.add_profile(folder(tmp_path / "labels"))
    assert repository.context.store.ledger.references(added.blob) == 1
    path = repository.context.store.blobs.path(added.blob)
    path.chmod(0o600)
    path.unlink()
    assert any(added.blob in problem for problem in repository.fsck().problems)


# Trying out -----------------------------------------------------------------------------------------------------


@pytest.fixture
def crops(repository: Repository) -> Repository:
    repository.create_project("crops")
    repository.submit(PROVJSON, project="crops", name="one")
    labeled = TURTLE + b"ex:clean <http://www.w3.org/2000/01/rdf-schema#label> 'c' .\n"
    labeled += b"ex:raw <http://www.w3.org/2000/01/rdf-schema#label> 'r' .\n"
    repository.submit(labeled, project="crops", name="two", format="turtle")
    repository.submit(TURTLE, project="crops", name="gone", format="turtle")
    repository.withdraw("crops", "gone", reason="to test")
    return repository


def test_a_backtest_names_what_would_newly_fail(crops, tmp_path):
    place = folder(tmp_path / "labels")
    tried = crops.backtest(place, project="crops")
    assert (tried.profile, tried.before, tried.documents, tried.known) == ("labels/1.0", "", 2, 0)
    assert [version.name for version, _ in tried.failing] == ["one"]
    assert tried.failing[0][1].count_text() == "1 violation"
    assert "labels" not in {info.name for info in crops.profiles("crops")}
    crops.add_profile(place, project="crops")
    assert [version.name for version, _ in crops.backtest("labels", project="crops").failing] == ["one"]
    stricter = folder(place, LABELED.replace("minCount 1", "minCount 2"), "2.0")
    tried = crops.backtest(stricter, project="crops")
    assert (tried.before, tried.known, [version.name for version, _ in tried.failing]) == ("labels/1.0", 1, ["two"])


def test_the_verbs_of_the_command_line(crops, tmp_path):
    data = str(crops.settings.data)
    place = str(folder(tmp_path / "labels"))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["--data", data, "profile", *arguments])
        return result.exit_code, result.output

    code, text = run("backtest", place, "--project", "crops")
    assert (code, text.splitlines()[0]) == (1, "labels/1.0: 1 of 2 documents of crops would newly fail")
    code, text = run("add", place, "--project", "crops")
    assert (code, text.splitlines()[0]) == (0, "labels 1.0")
    code, text = run("list", "--project", "crops", "--output", "json")
    assert {"name": "labels", "origin": "crops"}.items() <= next(
        p for p in json.loads(text) if p["name"] == "labels"
    ).items()
    assert "pipeline" in run("list")[1]
    assert "versions     1.0" in run("show", "labels", "--project", "crops")[1]
    assert run("show", "labels")[0] == 2
    assert run("add", str(folder(tmp_path / "core")))[0] == 1
    assert run("backtest", "core", "--project", "crops")[0] == 0


# Metrics --------------------------------------------------------------------------------------------------------


def test_the_metrics_of_a_project(crops):
    crops.set_project("crops", profiles=["core"])
    crops.submit(PROVJSON, project="crops", name="three")
    found = crops.metrics("crops")
    assert (found["documents"], found["without_findings"]) == (3, 3)
    assert found["profiles"] == [{"profile": "core/1.0", "conforming": 1, "share": 33.3}]
    # The raw data has no origin: two of three things are complete.
    assert found["coverage"] == 66.6
    (month,) = found["over_time"]
    assert month["documents"] == 4
    assert json.loads(json.dumps(found)) == found
    with pytest.raises(NotFound):
        crops.metrics("nope")


def test_the_metrics_of_a_project_without_documents(repository):
    repository.create_project("empty")
    assert repository.metrics("empty") == {
        "project": "empty",
        "documents": 0,
        "without_findings": 0,
        "profiles": [],
        "coverage": None,
        "over_time": [],
    }
