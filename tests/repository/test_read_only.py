"""A read-only data directory: its documents can be listed, queried, exported and checked, and not changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from tests.conftest import PROVJSON
from tests.support import unprivileged
from tests.support.directories import unpack
from tests.support.paths import TESTS

DATA = TESTS / "data"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder with the repositories ``data``, and ``logged``: a copy without views, with commits in the log only."""
    with unprivileged.folder() as path:
        (path / "run.json").write_bytes(PROVJSON)
        with provrepo.open(path / "data") as repository:
            repository.create_project("crops", public=True)
            repository.submit(PROVJSON, project="crops", name="run")
            repository.query("ASK {}", project="crops")
            repository.submit(PROVJSON, project="crops", name="later")
            reader = sqlite3.connect(path / "data" / "ledger.sqlite")
            assert (path / "data" / "ledger.sqlite-wal").stat().st_size > 0
            shutil.copytree(path / "data", path / "logged", ignore=shutil.ignore_patterns("*-shm", "views*"))
            reader.close()
        for name in ("data", "logged"):
            unprivileged.take_permissions(path / name)
        yield path


def files(data: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in data.rglob("*") if p.is_file()}


def provrepo_(place: Path, data: str, *arguments: object) -> tuple[int, str, str]:
    done = unprivileged.run("-m", "provrepo", "--data", place / data, *arguments, cwd=place)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("data", ["data", "logged"])
@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (("list",), "crops/later"),
        (("history", "crops/run"), "conforms"),
        (("export", "crops/later", "--original"), "wasGeneratedBy"),
        (("export", "crops/later", "--to", "turtle"), "prov:Entity"),
        (
            (
                "query",
                "--project",
                "crops",
                "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s rdfs:label 'cleaned' } }",
            ),
            "2",
        ),
        (("lineage", "http://example.org/clean"), "http://example.org/raw"),
        (("search", "cleaned"), "http://example.org/clean"),
        (("fsck",), "sound"),
        (("project", "list"), "crops"),
        (("token", "list"), ""),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_everything_that_reads_works(place: Path, data: str, verb: tuple[str, ...], expected: str) -> None:
    before = files(place / data)
    code, out, err = provrepo_(place, data, *verb)
    assert code == 0, err
    assert expected in out
    assert files(place / data) == before


@pytest.mark.parametrize(
    "verb",
    [
        ("submit", "run.json", "--name", "new"),
        ("withdraw", "crops/run", "--reason", "x"),
        ("erase", "crops/run@1", "--reason", "x"),
        ("project", "create", "other"),
        ("token", "create", "ada"),
        ("init", "--base", "https://prov.example/"),
    ],
    ids=lambda verb: verb[0],
)
def test_everything_that_writes_is_refused_in_words(place: Path, verb: tuple[str, ...]) -> None:
    before = files(place / "data")
    code, out, err = provrepo_(place, "data", *verb)
    assert (code, out) == (1, "")
    assert "read-only" in err
    assert files(place / "data") == before


def test_a_directory_of_an_earlier_schema_is_read_through_a_copy() -> None:
    with unprivileged.folder() as path:
        unpack(DATA / "directory-v1.tar.gz", path)
        unprivileged.take_permissions(path / "data")
        code, out, err = provrepo_(path, "data", "list", "--output", "json")
        assert code == 0, err
        assert {document["name"] for document in json.loads(out)} >= {"run", "bundled"}


def test_one_that_may_not_even_be_read_is_named() -> None:
    with unprivileged.folder() as path:
        with provrepo.open(path / "data") as repository:
            repository.init()
        (path / "data" / "ledger.sqlite").chmod(0)
        code, _, err = provrepo_(path, "data", "list")
        assert code == 1
        assert "cannot read" in err


def test_permissions_mean_something_to_these_processes(place: Path) -> None:
    probe = "import sys; open(sys.argv[1], 'w')"
    done = unprivileged.run("-c", probe, place / "data" / "new", cwd=place)
    assert done.returncode == 1
    assert b"PermissionError" in done.stderr
    assert os.access(place / "data", os.R_OK)
