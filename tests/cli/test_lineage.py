"""The verbs ``lineage``, ``thing`` and ``search``: every option, and nonsense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provrepo.codecs import formats
from tests.support.command import Command

EX = "https://example.org/"
TEXT = """document
  prefix ex <https://example.org/>
  entity(ex:model, [prov:label="the model", prov:type='ex:Model', ex:seed="007"])
  wasGeneratedBy(ex:model, ex:train, -)
  used(ex:train, ex:table, -)
  wasAssociatedWith(ex:train, ex:ada, -)
  agent(ex:ada, [prov:label="Ada  Lovelace"])
  wasDerivedFrom(ex:table, ex:raw)
  wasDerivedFrom(ex:table, ex:units)
endDocument
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """With a project ``crops`` of a document in two versions, the first of which says something else."""
    place = tmp_path_factory.mktemp("lineage")
    command = Command(place / "data")
    command("project", "create", "crops")
    for text in (TEXT.replace("ex:raw", "ex:wrong"), TEXT):
        (place / "run.provn").write_text(text)
        command("submit", place / "run.provn", "--project", "crops", "--update")
    return command


def iris(command: Command, *arguments: object) -> list[str]:
    return sorted(node["iri"].removeprefix(EX) for node in command.json("lineage", EX + "model", *arguments)["nodes"])


def test_which_way_and_how_far(command: Command) -> None:
    assert iris(command) == ["ada", "model", "raw", "table", "train", "units"]
    assert iris(command, "--relation", "wasGeneratedBy", "--relation", "used") == ["model", "table", "train"]
    assert iris(command, "--stop", "prov:Activity") == ["model", "train"]
    assert iris(command, "--as-of", "crops/2") == ["ada", "model", "table", "train", "units", "wrong"]
    assert iris(command, "--as-of", "2999-01-01T00:00:00Z", "--timeout", "60") == iris(command)
    assert iris(command, "--to", EX + "raw") == ["model", "raw", "table", "train"]


def test_roots_and_declared_sources(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sources.txt").write_text(f"# what we trust\n{EX}r*\n")
    shown = command("lineage", EX + "model", "--sources", tmp_path / "sources.txt")
    lines = {line.split()[-1] for line in shown.stdout.splitlines()}
    assert {"source", "root"} <= lines
    assert "1 of 2 roots are declared sources, 50 %" in shown.stderr
    assert f"not declared: {EX}units" in shown.stderr
    body = command.json("lineage", EX + "model", "--sources", tmp_path / "sources.txt")
    assert (body["declared"], body["undeclared"], body["coverage"]) == ([EX + "raw"], [EX + "units"], 50.0)
    (tmp_path / "all.txt").write_text("*\n")
    assert "is not a source" in command.error("lineage", EX + "model", "--sources", tmp_path / "all.txt", code=2)


def test_impact(command: Command) -> None:
    shown = command("lineage", EX + "raw", "--impact")
    assert [line.split() for line in shown.stdout.splitlines()] == [
        ["BY", "NAME", "THINGS", "LABEL"],
        ["kind", "entity", "2"],
        ["kind", "activity", "1"],
        ["type", EX + "Model", "1"],
        ["agent", EX + "ada", "2", "Ada", "Lovelace"],
        ["project", "crops", "3"],
    ]
    assert "3 things" in shown.stderr
    assert command.json("lineage", EX + "raw", "--impact", "--depth", "1")["total"] == 1
    assert command.json("lineage", EX + "model", "--impact", "--direction", "upstream")["kinds"]["agent"] == 1


def test_common(command: Command) -> None:
    shown = command("lineage", EX + "train", "--common", EX + "table")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["DISTANCES", "1+0", "2+1", "2+1"]
    assert shown.stdout.splitlines()[1].endswith("nearest")
    body = command.json("lineage", EX + "train", "--common", EX + "table", "--common", EX + "model", "--limit", "1")
    assert (body["total"], len(body["nodes"]), body["truncated"], len(body["starts"])) == (3, 1, True, 3)


def test_what_is_left_out_is_said(command: Command) -> None:
    shown = command("lineage", EX + "model", "--limit", "2")
    assert "2 of 6 things" in shown.stderr
    picture = command("lineage", EX + "model", "--limit", "2", "--output", "svg").stdout
    assert shown.stderr.strip() in picture


@pytest.mark.parametrize("style", ["trig", "provjson", "provn", "turtle"])
def test_as_prov(command: Command, style: str) -> None:
    for verb in ("lineage", "thing") if style != "turtle" else ("lineage",):
        written = command(verb, EX + "model", "--output", style).stdout
        assert len(formats.read(written.encode(), format=style).bundles) == (style != "turtle")


def test_thing(command: Command, tmp_path: Path) -> None:
    shown = command("thing", EX + "model")
    lines = shown.stdout.splitlines()
    assert lines[:2] == [f"entity {EX}model (the model), in crops", f"  type {EX}Model"]
    assert "crops/run@2, " in lines[3]
    assert lines[3].endswith(": 2 of 2 statements")
    assert lines[4] == f"  entity({EX}model, [prov:label=the model, prov:type={EX}Model, {EX}seed=007])"
    assert lines[5] == f"  wasGeneratedBy({EX}model, {EX}train, -)"
    assert "2 of 2 statements of 1 of 1 version" in shown.stderr
    body = command.json("thing", EX + "model", "--limit", "1", "--versions", "1", "--as-of", "crops/2")
    assert (body["truncated"], body["sources"][0]["version"], body["sources"][0]["state"]) == (True, 1, "superseded")
    # A file is what it holds.
    file = tmp_path / "bytes"
    file.write_bytes(b"some bytes")
    assert "speaks of ni:" in command.error("thing", file, code=1)


def test_search_has_a_deadline_too(command: Command) -> None:
    assert command.json("search", "model", "--timeout", "60")["total"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lineage", "no iri"], 2, "not an absolute IRI"),
        (["lineage", EX + "nowhere"], 1, "nothing that you may read"),
        (["lineage", EX + "model", "--relation", "used", "--relation", "uses"], 2, "it follows: wasGeneratedBy"),
        (["lineage", EX + "model", "--stop", "Plan"], 2, "a type is an absolute IRI"),
        (["lineage", EX + "model", "--as-of", "yesterday"], 2, "PROJECT/SEQUENCE"),
        (["lineage", EX + "model", "--as-of", "crops/99"], 1, "has no entry 99"),
        (["lineage", EX + "model", "--as-of", "wheat/1"], 1, "no project"),
        (["lineage", EX + "model", "--sources", "missing.txt"], 2, "does not exist"),
        (["lineage", EX + "model", "--timeout", "0"], 2, "timeout"),
        (["lineage", EX + "model", "--common", "no iri"], 2, "not an absolute IRI"),
        (["lineage", EX + "model", "--common", EX + "model"], 2, "2 to 20 different things"),
        (["lineage", EX + "model", "--common", EX + "raw", "--impact"], 2, "--common"),
        (["lineage", EX + "model", "--common", EX + "raw", "--output", "svg"], 2, "table or json"),
        (["lineage", EX + "model", "--impact", "--to", EX + "raw"], 2, "--impact"),
        (["thing", "no iri"], 2, "not an absolute IRI"),
        (["thing", EX + "model", "--project", "wheat"], 1, "no project"),
        (["thing", EX + "model", "--versions", "0"], 2, "versions"),
    ],
)
def test_nonsense(command: Command, arguments: list[str], code: int, said: str) -> None:
    assert said in command.error(*arguments, code=code)


def test_a_deadline_that_has_passed(command: Command) -> None:
    assert "longer than" in command.error("thing", EX + "model", "--timeout", "0.0001", code=1)


def test_json_is_one_object_on_stdout(command: Command) -> None:
    for arguments in (["lineage"], ["lineage", "--impact"], ["thing"]):
        shown = command(arguments[0], EX + "model", *arguments[1:], "--output", "json")
        assert isinstance(json.loads(shown.stdout), dict)


def test_a_label_cannot_command_the_terminal(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    file = tmp_path / "run.json"
    file.write_text('{"prefix": {"e": "https://e.org/"}, "entity": {"e:x": {"prov:label": "a\\u001b[2Jb\\nc"}}}')
    command("submit", file, "--name", "run")
    shown = command("lineage", "https://e.org/x").stdout
    assert "\x1b" not in shown
    assert "b c" in shown
