"""The command as a whole, and its verbs about documents: convert, compare, validate."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from provrepo import errors
from provrepo.cli.main import EXIT_CODES, cli
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command, environment, provrepo

VERBS = {"init", "convert", "compare", "validate", "submit", "export", "history", "list", "withdraw", "query", "serve"}
VERBS |= {"demo", "rebuild", "fsck", "project", "token"}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_bytes(PROVJSON)
    return path


def test_every_promised_verb_is_there() -> None:
    assert set(cli.commands) >= VERBS


@pytest.mark.parametrize("verb", sorted(cli.commands))
def test_every_verb_says_what_it_guarantees(verb: str, command: Command) -> None:
    text = command(verb, "--help").stdout
    assert text.startswith("Usage: ")
    documented = cli.commands[verb].help or ""
    assert len(documented.split()) >= 10
    for parameter in cli.commands[verb].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{verb} {parameter.name}"


def test_every_error_has_an_exit_code() -> None:
    for name in errors.__all__:
        cls = getattr(errors, name)
        if cls is not errors.Error:
            assert any(parent in EXIT_CODES for parent in inspect.getmro(cls)), name
    assert set(EXIT_CODES.values()) == {1, 2, 3}


def test_version(command: Command) -> None:
    import provrepo as package

    assert command("--version").stdout == f"provrepo {package.__version__}\n"


def test_convert_by_suffix_and_back(command: Command, document: Path, tmp_path: Path) -> None:
    command("convert", document, tmp_path / "run.ttl")
    command("convert", tmp_path / "run.ttl", tmp_path / "back.provn")
    assert command("compare", document, tmp_path / "back.provn").stdout == "the same statements\n"


def test_convert_through_pipes(command: Command) -> None:
    result = command("convert", "-", "-", "--to", "turtle", stdin=PROVJSON)
    assert b"prov:wasGeneratedBy" in result.stdout_bytes
    again = command("convert", "-", "-", "--from", "turtle", "--to", "provjson", stdin=result.stdout_bytes)
    assert json.loads(again.stdout)["wasGeneratedBy"]
    assert result.stderr == ""


def test_convert_replaces_whole_files_and_keeps_their_mode(command: Command, document: Path, tmp_path: Path) -> None:
    target = tmp_path / "run.ttl"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.ttl"
    link.symlink_to(target)
    command("convert", document, link)
    assert link.is_symlink()
    assert "prov:Entity" in target.read_text("utf-8")
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.ttl", "run.json", "run.ttl"]


def test_convert_says_what_is_lost(command: Command, tmp_path: Path) -> None:
    source = tmp_path / "bundled.provn"
    source.write_text(
        "document\nprefix ex <http://example.org/>\nentity(ex:b, [prov:type='prov:Bundle'])\n"
        "bundle ex:b\nentity(ex:e)\nendBundle\nendDocument\n"
    )
    result = command("convert", source, tmp_path / "flat.ttl")
    assert "loss: Turtle cannot represent bundles (http://example.org/b)" in result.stderr
    assert result.stdout == ""


def test_convert_resolves_relative_iris_with_base(command: Command) -> None:
    source = b"@prefix prov: <http://www.w3.org/ns/prov#> . <raw.csv> a prov:Entity ."
    arguments = ("convert", "-", "-", "--from", "turtle", "--to", "ntriples")
    based = command(*arguments, "--base", "https://lab.example/", stdin=source)
    assert "<https://lab.example/raw.csv>" in based.stdout
    assert "--base" in command.error(*arguments, code=2, stdin=source)


def test_compare_prints_the_difference(command: Command, document: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(PROVJSON.replace(b"cleaned", b"polished"))
    lines = command("compare", document, other, code=1).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["~", "-", "+"]
    assert "cleaned" in lines[1]
    assert "polished" in lines[2]
    found = command.json("compare", document, other, code=1)
    assert found["same"] is False
    assert found["equivalent"] is None
    assert found["only_left"] == found["only_right"] == []
    (change,) = found["changed"]
    assert list(change) == ["kind", "subject", "left", "right"]
    assert "cleaned" in change["left"][0]


def test_compare_by_equivalence_says_why_not(command: Command, tmp_path: Path) -> None:
    head = "document\nprefix ex <http://example.org/>\n"
    for name, said in {
        "stated": "alternateOf(ex:a, ex:b)",
        "followed": "alternateOf(ex:b, ex:a)\nalternateOf(ex:a, ex:a)",
        "other": "alternateOf(ex:a, ex:c)",
        "invalid": "specializationOf(ex:a, ex:a)",
    }.items():
        (tmp_path / f"{name}.provn").write_text(f"{head}{said}\nendDocument")
    stated = tmp_path / "stated.provn"
    assert command("compare", stated, tmp_path / "followed.provn", "--equivalent").stdout.startswith("equivalent: ")
    other = command("compare", stated, tmp_path / "other.provn", "--equivalent", code=1).stdout.splitlines()
    assert other[0].startswith("not equivalent: ")
    assert "- alternateOf(-, <http://example.org/a>, <http://example.org/b>)" in other
    unjudged = command.json("compare", stated, tmp_path / "invalid.provn", "--equivalent", code=1)
    assert unjudged["equivalent"] is None
    assert "prov-constraints:52" in unjudged["reason"]


def test_normalize_writes_what_follows(command: Command, tmp_path: Path) -> None:
    document = tmp_path / "said.provn"
    document.write_text("document\nprefix ex <http://example.org/>\nentity(ex:a)\nendDocument")
    assert "wasGeneratedBy(_:n1; ex:a, _:n2, -)" in command("normalize", document).stdout
    target = tmp_path / "normal.json"
    command("normalize", document, "-o", target)
    assert command("compare", document, target, "--equivalent").stdout.startswith("equivalent: ")
    document.write_text(document.read_text().replace("entity(ex:a)", "specializationOf(ex:a, ex:a)"))
    refused = command("normalize", document, code=1)
    assert "prov-constraints:52" in refused.stdout
    assert "no normal form" in refused.stderr


def test_validate_conforming(command: Command, document: Path) -> None:
    assert "conforms" in command("validate", document, "--profile", "core").stdout
    report = command.json("validate", document, "--profile", "core")
    assert report["conforms"] is True
    assert report["file"] == str(document)
    assert "shapes" in report["layers"]


def test_validate_failing(command: Command) -> None:
    from provrepo.resources import root

    incomplete = root() / "examples" / "incomplete.ttl"
    assert "mystery.csv" in command("validate", incomplete, "--profile", "core", code=1).stdout
    report = command.json("validate", incomplete, "--profile", "core", code=1)
    assert report["conforms"] is False
    assert report["findings"]


@pytest.mark.parametrize(
    ("style", "mark"),
    [
        ("turtle", "http://www.w3.org/ns/shacl#"),
        ("html", "<html"),
        ("junit", "<testsuite"),
        ("sarif", '"runs"'),
    ],
)
def test_validate_reports_in_every_form(command: Command, document: Path, style: str, mark: str) -> None:
    assert mark in command("validate", document, "--output", style).stdout


def test_validate_several(command: Command, document: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(PROVJSON[:-20])
    turtle = tmp_path / "run.ttl"
    turtle.write_bytes(TURTLE)
    result = command("validate", document, broken, turtle, "--output", "json", code=2)
    assert [report["file"] for report in json.loads(result.stdout)] == [str(document), str(turtle)]
    assert result.stderr.startswith(f"error: {broken}: provjson: line ")
    assert "one FILE" in command.error("validate", document, turtle, "--output", "sarif", code=2)


def test_validate_needs_no_data_directory(command: Command, document: Path) -> None:
    command("validate", document)
    assert not command.data.exists()


def test_constraints_gate_are_reported_or_are_off(command: Command, tmp_path: Path) -> None:
    document = tmp_path / "impossible.provn"
    document.write_text("document\nprefix ex <http://example.org/>\nspecializationOf(ex:a, ex:a)\nendDocument")
    assert "violation  prov-constraints:52" in command("validate", document, code=1).stdout
    assert "warning  prov-constraints:52" in command("validate", document, "--constraints", "report").stdout
    assert "prov-constraints" not in command("validate", document, "--constraints", "off").stdout


def test_output_that_nobody_reads_is_no_error(tmp_path: Path, document: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "provrepo", "convert", str(document), "-", "--to", "nquads"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_an_interrupted_command_ends_as_shells_expect(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stderr=subprocess.PIPE, env=environment(), cwd=tmp_path
    ) as process:
        assert process.communicate(timeout=60)[1].strip() == b""
        assert process.returncode == 130


# Ctrl-C while a verb waits for its input. Whoever runs the tests in the background may have had SIGINT ignored, which
# is inherited.
INTERRUPTED = """
import os, signal, sys, threading
from provrepo.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
read, write = os.pipe()
os.dup2(read, 0)
sys.argv = ["provrepo", "convert", "-", "-", "--to", "turtle"]
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
main()
"""


def test_help_works_beside_a_broken_settings_file(tmp_path: Path) -> None:
    (tmp_path / "provrepo.toml").write_text("data = [")
    assert provrepo("--help", cwd=tmp_path).returncode == 0
    complaint = provrepo("list", cwd=tmp_path)
    assert complaint.returncode == 2
    assert complaint.stderr.startswith(b"error: cannot read provrepo.toml")


def test_data_directory_of_the_environment(tmp_path: Path, document: Path) -> None:
    ran = provrepo("submit", document, cwd=tmp_path, PROVREPO_DATA=str(tmp_path / "elsewhere"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(b"default/run@1 stored\n")
    assert (tmp_path / "elsewhere").is_dir()
