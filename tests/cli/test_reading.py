"""Reading verbs make no repository, say when a file is missing, and end quietly when nobody reads their output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import NoRepository
from tests.conftest import PROVJSON
from tests.support.command import Command, environment
from tests.support.paths import ROOT

ASK = "ASK { ?s ?p ?o }"
IRI = "http://example.org/clean"

READING = [
    ("list",),
    ("list", "crops"),
    ("history", "crops/run"),
    ("export", "crops/run"),
    ("export", "crops/run", "--original"),
    ("query", ASK),
    ("query", ASK, "--project", "crops"),
    ("query", ASK, "--public"),
    ("query", ASK, "--version", "crops/run@1"),
    ("lineage", IRI),
    ("lineage", IRI, "--impact"),
    ("lineage", IRI, "--common", "http://example.org/raw"),
    ("search", "clean"),
    ("thing", IRI),
    ("profile", "list"),
    ("profile", "show", "core"),
    ("profile", "metrics", "--project", "crops"),
    ("profile", "backtest", "core", "--project", "crops"),
    ("project", "list"),
    ("project", "show", "crops"),
    ("project", "set", "crops", "--public"),
    ("token", "list"),
    ("token", "revoke", "0123456789abcdef"),
    ("pingbacks", "list", "crops"),
    ("pingbacks", "discard", "crops/run"),
    ("withdraw", "crops/run", "--reason", "mistake"),
    ("erase", "crops/run@1", "--reason", "law"),
    ("rebuild",),
    ("fsck",),
]


def all_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("verb", READING, ids=" ".join)
@pytest.mark.parametrize("state", ["missing", "empty", "other"])
def test_reading_makes_no_repository(tmp_path: Path, verb: tuple[str, ...], state: str) -> None:
    data = tmp_path / "deep" / "data"
    if state != "missing":
        data.mkdir(parents=True)
    if state == "other":
        (data / "notes.txt").write_text("mine")
    before = all_files(tmp_path)
    message = Command(data).error(*verb, code=2)
    assert message == f"no repository at {data}; provrepo init makes one"
    assert all_files(tmp_path) == before


def test_gate_makes_no_repository(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.write_text("http://example.org/*\n")
    data = tmp_path / "data"
    assert "no repository at" in Command(data).error("gate", IRI, "--sources", sources, code=2)
    assert not data.exists()


@pytest.mark.parametrize(
    "verb",
    [("init",), ("project", "create", "crops"), ("token", "create", "pipeline")],
    ids=" ".join,
)
def test_the_first_verb_that_writes_makes_it(tmp_path: Path, verb: tuple[str, ...]) -> None:
    command = Command(tmp_path / "data")
    command(*verb)
    assert command.json("fsck")["sound"]


def test_what_cannot_be_submitted_makes_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "No such file" in Command(data).error("submit", tmp_path / "nothing.provn", code=2)
    assert not data.exists()


def test_the_library_makes_it_when_it_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with provrepo.open(data) as repository:
        for reading in (repository.projects, repository.fsck, repository.rebuild, repository.identity, repository.base):
            with pytest.raises(NoRepository, match="provrepo init makes one"):
                reading()
        with pytest.raises(NoRepository):
            repository.query(ASK)
        assert not data.exists()
        repository.submit(PROVJSON, name="run")
        assert repository.query(ASK).boolean
    with provrepo.open(data) as repository:
        assert [info.name for info in repository.documents("default")] == ["run"]


def test_one_that_comes_into_being_is_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with provrepo.open(data, follow=False) as waiting:
        with pytest.raises(NoRepository):
            waiting.projects()
        with provrepo.open(data) as writing:
            writing.create_project("crops")
        assert [info.name for info in waiting.projects()] == ["crops"]


def test_reading_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("init")
    with provrepo.open(command.data) as repository:
        before = repository.context.store.ledger.position()
    assert command.json("list", "default") == []
    command("query", ASK)
    command("project", "show", "default")
    with provrepo.open(command.data) as repository:
        assert repository.context.store.ledger.position() == before


# Files that are not there

FILES = [
    ("submit", "{}"),
    ("submit", "{}", "--to", "http://127.0.0.1:9/"),
    ("validate", "{}"),
    ("convert", "{}", "out.ttl"),
    ("convert", "{}", "-", "--to", "provn"),
    ("compare", "{}", "{}"),
    ("normalize", "{}"),
    ("query", "-f", "{}"),
    ("lineage", IRI, "--sources", "{}"),
    ("gate", IRI, "--sources", "{}"),
    ("profile", "add", "{}"),
]


@pytest.mark.parametrize("missing", ["nothing.provn", "nothing", "no/such/folder/run.ttl"])
@pytest.mark.parametrize("verb", FILES, ids=" ".join)
def test_a_missing_file_is_a_missing_file(tmp_path: Path, verb: tuple[str, ...], missing: str) -> None:
    command = Command(tmp_path / "data")
    command("init")
    path = str(tmp_path / missing)
    message = command.error(*(argument.format(path) for argument in verb), code=2)
    assert path in message
    assert "no such file" in message.lower() or "does not exist" in message.lower()


@pytest.mark.parametrize("verb", ["lineage", "thing"])
def test_what_looks_like_a_file_and_is_none_is_said_so(tmp_path: Path, verb: str) -> None:
    command = Command(tmp_path / "data")
    command("init")
    assert "no such file" in command.error(verb, tmp_path / "nothing.csv", code=2).lower()


# A reader that leaves


def script(*arguments: str, data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(data), *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "verb", [("list",), ("list", "--help"), ("compare", "{a}", "{b}"), ("convert", "{a}", "-", "--to", "trig")]
)
def test_output_that_nobody_reads_ends_quietly(tmp_path: Path, verb: tuple[str, ...]) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit(PROVJSON, name="run")
    names = {"a": tmp_path / "a.json", "b": tmp_path / "b.json"}
    names["a"].write_bytes(PROVJSON)
    names["b"].write_bytes(PROVJSON.replace(b"ex:clean", b"ex:other"))
    started = script(*(word.format(**names) for word in verb), data=tmp_path / "data")
    assert started.stdout is not None
    started.stdout.close()
    assert started.stderr is not None
    assert started.stderr.read() == b""
    assert started.wait() == 141


def test_complaints_that_nobody_reads_end_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run(
        [sys.executable, "-m", "provrepo", "--data", str(tmp_path / "data"), "list"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=writing,
        check=False,
    )
    os.close(writing)
    assert found.returncode == 141
    assert found.stdout == b""
