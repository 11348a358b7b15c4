"""The view of OpenLineage: the suite of views, and what it keeps of several versions."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, cast

from provrepo.importers.openlineage.index import indexed
from provrepo.views.contract import BASE, Change, ChangeStream, ViewContract
from provrepo.views.extraction import Extraction
from provrepo.views.openlineage.index import OpenLineage
from provrepo.views.openlineage.reading import DATASET, JOB, Name
from provrepo.views.sqlite_check import malformed
from provrepo.views.view import View
from tests.support.openlineage_events import dataset, lines, run


class _Things(OpenLineage):
    """The view, for documents of the suite: each of their things is a dataset."""

    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        for iri in extraction.kinds:
            side: dict[str, Any] = {"facets": {"schema": {"of": iri}}, "wrote": False, "version": ""}
            about = {"kind": "dataset", "dataset": ["", iri], "first": 1, "last": 2, "columns": [], "tags": [iri]}
            extraction.openlineage.append({**about, **side})
        super()._put(connection, version, extraction)


class TestOpenLineage(ViewContract):
    def open(self, path: Path) -> View:
        return _Things(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        assert list(malformed(cast("OpenLineage", view), whole=True)) == []
        return list(cast("OpenLineage", view).dump(dataset))


class Index:
    """A view of one project whose documents are events."""

    def __init__(self, folder: Path) -> None:
        self.view = OpenLineage(folder / "view", base=BASE)
        self.stream = ChangeStream(folder)
        self.folder = folder / "view"

    def submit(self, name: str, data: bytes) -> None:
        change = self.stream.submit(name, [])
        told = Change(
            change.project,
            change.sequence,
            change.sha256,
            change.entry,
            extraction=lambda: Extraction(openlineage=indexed(data)),
        )
        self.view.apply("crops", told)
        assert list(malformed(self.view, whole=True)) == []

    def apply(self, change: Change) -> None:
        self.view.apply("crops", change)
        assert list(malformed(self.view, whole=True)) == []


def _schema(*names: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": "INT"} for name in names]}


def test_the_last_facet_of_a_key_counts_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    index = Index(tmp_path)
    plots = [dataset("plots", schema=_schema(name)) for name in ("first", "second")]
    index.submit("later", lines(run(2, "plot", "11:00", "11:05", writes=[plots[1]])))
    index.submit("earlier", lines(run(1, "plot", "10:00", "10:05", writes=[plots[0]])))
    index.submit("reader", lines(run(3, "read", "12:00", "12:05", reads=["plots"])))
    with index.view.read(["crops"]) as reading:
        item = reading.item(Name(DATASET, "lab", "plots"))
        assert item is not None
        assert reading.facets(item) == {"schema": _schema("second")}
        versions, total = reading.versions(item, 10, 0)
        assert (total, [version.version[-1] for version in versions]) == (2, ["2", "1"])
        assert [reading.part_facets(version.row) for version in versions] == [
            {"schema": _schema("second")},
            {"schema": _schema("first")},
        ]
        job = reading.item(Name(JOB, "lab", "plot"))
        assert job is not None
        assert [each.id[-1] for each in reading.latest_runs(job, 1)] == ["2"]
    index.apply(index.stream.withdraw("later"))
    with index.view.read(["crops"]) as reading:
        item = reading.item(Name(DATASET, "lab", "plots"))
        assert item is not None
        assert reading.facets(item) == {"schema": _schema("first")}
        assert reading.versions(item, 10, 0)[1] == 1
    assert index.view._connection.execute("SELECT count(*) FROM text").fetchone() == (2,), "the schema, and no facets"


def test_nothing_of_an_erased_version_is_in_the_file(tmp_path: Path) -> None:
    index = Index(tmp_path)
    for number, name in enumerate(("open", "hidden"), 1):
        told = {"documentation": {"description": f"{name}words"}, "tags": {"tags": [{"key": f"{name}tag"}]}}
        each = dataset(f"{name}table", **told)
        index.submit(name, lines(run(number, f"{name}job", "10:00", "10:05", writes=[each])))
    index.apply(index.stream.erase("hidden", 1))
    data = b"".join(file.read_bytes() for file in index.folder.iterdir())
    assert b"openjob" in data
    for word in (b"hiddenjob", b"hiddentable", b"hiddentag"):
        assert word not in data
    with index.view.read(["crops"]) as reading:
        assert reading.search("hidden", None, 10, by_name=True) == ([], 0)


def test_what_a_run_meant_to_write_is_no_version_and_describes_nothing(tmp_path: Path) -> None:
    index = Index(tmp_path)
    failed = run(
        1, "plot", "10:00", "10:05", reads=["raw"], writes=[dataset("plots", schema=_schema("a"))], state="FAIL"
    )
    index.submit("failed", lines(failed))
    with index.view.read(["crops"]) as reading:
        item = reading.item(Name(DATASET, "lab", "plots"))
        assert item is not None
        assert reading.facets(item) == {}
        assert reading.versions(item, 10, 0) == ([], 0)
        assert reading.targets("W", Name(JOB, "lab", "plot")) == []
        assert reading.origins("R", Name(JOB, "lab", "plot")) == [Name(DATASET, "lab", "raw")]


def test_a_project_that_may_not_be_read_adds_nothing(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.submit("one", lines(run(1, "plot", "10:00", "10:05", reads=["raw"], writes=["plots"])))
    with index.view.read(["soil"]) as reading:
        assert reading.items(JOB, 10, 0) == ([], 0)
        assert reading.namespaces(10, 0) == ([], 0)
        assert reading.run("00000000-0000-7000-8000-000000000001") is None
        assert reading.events(-(2**62), 2**62, 10, 0, descending=True) == ([], 0)
        assert reading.growth(JOB, [2**62]) == [0]
        assert reading.projects() == []
