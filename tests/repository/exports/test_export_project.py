"""Whole projects as tables and graphs: what is in them, increments, and what cannot be read."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import NotAvailable, NotFound, UnknownFormat, UsageError
from provrepo.repository.exports import reading
from provrepo.repository.repository import Repository
from tests.codecs.test_property_graph import graphml, neo4j

HEAD = "document\nprefix ex <http://example.org/>\n"
FIRST = HEAD + 'entity(ex:x, [prov:label="x"])\nwasGeneratedBy(ex:x, ex:run, 2026-01-01T10:00:00+01:00)\nendDocument'
SECOND = HEAD + "agent(ex:x)\nused(ex:run2, ex:x, 2026-01-01T10:00:00)\nused(ex:run2, -, -)\nendDocument"
BLANK = "@prefix prov: <http://www.w3.org/ns/prov#> .\n_:a a prov:Entity ; prov:wasDerivedFrom <http://example.org/x> ."
RELATIONS = [
    ("x", "wasGeneratedBy", "run", "run", "2026-01-01T10:00:00+01:00", "first", "1"),
    ("run2", "used", "x", "run2", "2026-01-01T10:00:00", "second", "1"),
    ("run2", "used", "", "run2", "", "second", "1"),
]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = provrepo.open(tmp_path / "data")
    found.create_project("crops")
    for name, text in (("first", FIRST), ("second", SECOND), ("gone", FIRST), ("old", SECOND)):
        found.submit(text.encode(), project="crops", name=name, format="provn")
    found.submit(BLANK.encode(), project="crops", name="old", update=True, format="turtle")
    found.withdraw("crops", "gone", reason="wrong")
    return found


def exported(repository: Repository, **options: Any) -> tuple[bytes, Any]:
    buffer = io.BytesIO()
    done = repository.export_project("crops", buffer, **options)
    return buffer.getvalue(), done


def rows(data: bytes) -> list[tuple[str, ...]]:
    found = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    names = ("subject", "relation", "object", "activity", "time", "document", "version")
    return [tuple(row[name].removeprefix("http://example.org/") for name in names) for row in found]


def test_a_table_has_the_relations_of_current_versions(repository: Repository) -> None:
    data, done = exported(repository, format="csv")
    assert data.startswith(b"subject,relation,object,activity,project,time,document,version,sequence\r\n")
    assert rows(data)[:3] == RELATIONS
    assert len(rows(data)) == 4
    assert (done.documents, done.relations, done.sequence, done.omitted) == (3, 4, 7, ())


def test_blank_nodes_have_the_names_that_they_have_in_queries(repository: Repository) -> None:
    (last,) = rows(exported(repository, format="csv")[0])[3:]
    asked = repository.query(
        "SELECT ?a { ?a a <http://www.w3.org/ns/prov#Entity> ; <http://www.w3.org/ns/prov#wasDerivedFrom> ?b }",
        project="crops",
    )
    assert [str(row["a"]) for row in asked.rows] == [last[0]]


def test_only_what_came_after_an_entry(repository: Repository) -> None:
    whole, done = exported(repository, format="csv")
    assert rows(exported(repository, format="csv", after=2)[0]) == rows(whole)[1:]
    nothing, again = exported(repository, format="csv", after=done.sequence)
    assert (rows(nothing), again.documents) == ([], 0)
    repository.submit((FIRST + "\n").encode(), project="crops", name="first", update=True, format="provn")
    (row,) = rows(exported(repository, format="csv", after=done.sequence)[0])
    assert row[-2:] == ("first", "2")


def test_a_thing_of_several_documents_is_one_node(repository: Repository) -> None:
    data, done = exported(repository, format="graphml")
    nodes, edges = graphml(data)
    named = {values["iri"]: values for values in nodes.values()}
    assert named["http://example.org/x"]["kinds"] == "entity agent"
    assert named["http://example.org/x"]["label"] == "x"
    assert (len(nodes), len(edges)) == (done.things, done.relations) == (4, 3)
    assert done.left_out == 1
    assert edges[0][2]["document"] == "first"
    rows_, relations, _ = neo4j(exported(repository, format="neo4j")[0])
    assert (set(rows_), len(relations)) == (set(named), 3)
    assert (relations[0]["project:string"], relations[0]["version:long"], relations[0]["sequence:long"]) == (
        "crops",
        "1",
        "2",
    )


@pytest.mark.parametrize("format_", ["csv", "graphml", "neo4j"])
def test_a_worker_reads_large_documents_to_the_same_bytes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    here = exported(repository, format=format_)[0]
    assert exported(repository, format=format_)[0] == here
    monkeypatch.setattr(reading, "LARGE", 0)
    assert exported(repository, format=format_)[0] == here


def test_parquet(repository: Repository) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    data, done = exported(repository, format="parquet")
    table = parquet.read_table(io.BytesIO(data))
    names = ["subject", "relation", "object", "activity", "project", "time", "document", "version", "sequence"]
    assert table.schema.names == names
    found = table.to_pylist()
    assert [row["subject"] for row in found] == [
        row["subject"] for row in csv.DictReader(io.StringIO(exported(repository, format="csv")[0].decode()))
    ]
    assert found[0]["time"].isoformat() == "2026-01-01T09:00:00+00:00"
    assert (found[1]["time"], found[2]["object"], done.left_out) == (None, None, 1)
    assert b'"sequence": 7' in table.schema.metadata[b"provrepo"]


def test_without_pyarrow_the_line_that_installs_it_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NotAvailable, match=r"pip install 'provrepo\[parquet\]'"):
        repository.export_project("crops", tmp_path / "x.parquet", format="parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_a_document_that_cannot_be_read_is_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    read = reading._read

    def failing(source: Path, *arguments: Any) -> Any:
        if b"ex:run2" in source.read_bytes():
            raise provrepo.ReadError("no")
        return read(source, *arguments)

    monkeypatch.setattr(reading, "_read", failing)
    data, done = exported(repository, format="csv")
    assert done.omitted == ("second@1",)
    assert [row[-2] for row in rows(data)] == ["first", "old"]


def test_errors(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        repository.export_project("nowhere", tmp_path / "x", format="csv")
    with pytest.raises(UnknownFormat, match="csv, parquet, graphml, neo4j"):
        repository.export_project("crops", tmp_path / "x", format="turtle")
    with pytest.raises(UsageError):
        repository.export_project("crops", tmp_path / "x", format="csv", after=-1)
    with pytest.raises(UsageError, match="data directory"):
        repository.export_project("crops", tmp_path / "data" / "x", format="csv")
    repository.create_project("closed")
    secret, _ = repository.create_token("eve", projects=["closed"], write=False)
    actor = repository.context.store.authenticate(secret)
    assert actor is not None
    with pytest.raises(NotFound):
        repository.as_actor(actor).export_project("crops", tmp_path / "x", format="csv")
