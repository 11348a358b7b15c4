"""Logical datasets, versions, jobs and runs are read from documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provrepo.errors import NotFound
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.context import Context
from provrepo.repository.datasets import reading, uses
from provrepo.repository.datasets.records import Owner
from provrepo.repository.datasets.source import Source
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from tests.support.openlineage_events import NAMES, dataset, lines, run

SCHEMA = {
    "fields": [
        {"name": "plot", "type": "int", "ordinal_position": 1},
        {"name": "at", "type": "struct", "ordinal_position": 2, "fields": [{"name": "x", "type": "float"}]},
    ]
}
OWNED = {"owners": [{"name": "team:agro", "type": "MAINTAINER"}]}
CHECKED = {"assertions": [{"assertion": "not_null", "success": False, "column": "plot", "severity": "error"}]}

CLEAN = run(
    1,
    "clean",
    "10:00",
    "10:10",
    reads=["raw"],
    writes=[
        dataset(
            "plots",
            schema=SCHEMA,
            ownership=OWNED,
            documentation={"description": "plots of the field"},
            symlinks={"identifiers": [{"namespace": "lab", "name": "alias", "type": "TABLE"}]},
            tags={"tags": [{"key": "crop", "value": "rye"}]},
            own={"outputStatistics": {"rowCount": 12, "size": 340, "fileCount": 1}},
        )
    ],
    job_facets={"sql": {"query": "select 1", "dialect": "duckdb"}, "jobType": {"integration": "DBT"}},
)
AGAIN = run(2, "clean", "11:00", "11:10", reads=["raw"], writes=["plots"])
TEST = run(3, "test", "11:20", "11:21", reads=[dataset("plots", dataQualityAssertions=CHECKED)])
FAILED = run(
    4, "train", "12:00", "12:10", reads=["plots"], writes=["model"], state="FAIL",
    facets={"errorMessage": {"message": "out of memory", "programmingLanguage": "python"}},
)  # fmt: skip
EXPLICIT = run(
    5, "split", "13:00", "13:10", reads=["plots", "raw"],
    writes=[dataset("part", lineage={"inputs": [{"type": "DATASET", "namespace": "lab", "name": "plots"}]})],
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    with Store.open(Settings(data=tmp_path_factory.mktemp("datasets") / "data", workers=1)) as store:
        repository = Repository(store, store.owner())
        repository.create_project("crops")
        repository.submit(lines(CLEAN, AGAIN, TEST, FAILED, EXPLICIT), project="crops", name="runs")
        yield Source(repository.context, "crops")


def iri(name: str) -> str:
    return f"{NAMES}dataset/lab/{name}"


def job(name: str) -> str:
    return f"{NAMES}job/lab/{name}"


def test_datasets_are_listed_by_iri_in_pages(source: Source) -> None:
    names = [iri(name) for name in ("alias", "model", "part", "plots", "raw")]
    assert reading.dataset_iris(source, limit=10) == names
    assert reading.dataset_iris(source, limit=2) == names[:2]
    assert reading.dataset_iris(source, after=names[1], limit=2) == names[2:4]
    assert reading.dataset_iris(source, text="PLOT", limit=10) == [iri("plots")]
    assert reading.dataset_iris(source, text='"} nothing', limit=10) == []


def test_a_dataset_has_its_names_owners_and_latest_version(source: Source) -> None:
    plots, raw = reading.datasets(source, [iri("plots"), iri("absent"), iri("raw")])
    assert (plots.namespace, plots.name, plots.description) == ("lab", "plots", "plots of the field")
    assert plots.owners == (Owner(f"{NAMES}agent/team/agro", "agro", "MAINTAINER"),)
    assert (plots.tags, plots.alternates, plots.versions) == (("crop=rye",), (iri("alias"),), 2)
    assert plots.latest is not None
    assert (plots.latest.run[-2:], plots.latest.job, plots.latest.written) == (
        "02",
        job("clean"),
        "2026-11-20T11:10:00Z",
    )
    # What is only read has no version that anybody knows.
    assert (raw.versions, raw.latest) == (0, None)


def test_versions_have_columns_and_statistics(source: Source) -> None:
    second, first = reading.dataset_versions(source, iri("plots"), limit=10)
    assert [second.name[-2:], first.name[-2:]] == ["02", "01"]
    assert [(f.name, f.type, f.position) for f in first.fields] == [
        ("plot", "int", 1), ("at", "struct", 2), ("at.x", "float", None),
    ]  # fmt: skip
    assert (first.rows, first.size, first.files, first.known) == (12, 340, 1, True)
    assert reading.dataset_versions(source, iri("plots"), limit=1, offset=1) == [first]


def test_quality_is_of_what_was_measured(source: Source) -> None:
    read = f"{NAMES}version/lab/plots/@unknown/00000000-0000-7000-8000-000000000003"
    (found,) = reading.version_details(source, {read: iri("plots")})
    assert not found.known
    (measured,) = found.quality
    assert (measured.metric, measured.passed, measured.column, measured.severity) == (
        "not_null",
        False,
        "plot",
        "error",
    )
    assert measured.run.endswith("03")


def test_producers_and_consumers(source: Source) -> None:
    (producer,) = uses.producers(source, iri("plots"))
    assert (producer.name, producer.runs, producer.last) == ("clean", 2, "2026-11-20T11:10:00Z")
    assert [(use.name, use.runs) for use in uses.consumers(source, iri("plots"))] == [
        ("split", 1), ("test", 1), ("train", 1),
    ]  # fmt: skip
    assert [use.name for use in uses.producers(source, iri("part"))] == ["split"]


def test_who_may_not_read_a_project_reads_no_datasets(source: Source) -> None:
    with pytest.raises(NotFound):
        Source(Context(source.context.store, ANONYMOUS), "crops")


def test_many_things_are_asked_for_in_parts(source: Source) -> None:
    many = [f"https://example.org/{'x' * 300}/{number}" for number in range(300)]
    assert [found.name for found in reading.datasets(source, [*many, iri("raw")])] == ["raw"]
