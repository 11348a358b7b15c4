"""The named queries about datasets: what they find, and what they do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provrepo.errors import UsageError
from provrepo.repository.datasets.records import RunsAgain
from provrepo.repository.queries.named import by_name
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from tests.support.openlineage_events import NAMES, dataset, lines, run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(Settings(data=tmp_path_factory.mktemp("questions") / "data", workers=1)) as store:
        yield store


def asked(store: Store, project: str, data: bytes, query: str, format: str = "openlineage", **values: str) -> Any:  # noqa: A002
    """The rows of a named query in a new project with one document, as texts."""
    owner = Repository(store, store.owner())
    owner.create_project(project)
    owner.submit(data, project=project, name="data", format=format)
    found = owner.query(by_name(query).bind(values), project=project)
    return [{k: str(getattr(v, "lexical", v)) for k, v in row.items()} for row in found.rows]


def iri(name: str) -> str:
    return f"{NAMES}dataset/lab/{name}"


def columns(**types: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": type_} for name, type_ in types.items()]}


def failing(name: str) -> dict[str, Any]:
    return dataset(name, dataQualityAssertions={"assertions": [{"assertion": "not_null", "success": False}]})


# Columns -------------------------------------------------------------------------------------------------------------

WRITES = [
    run(1, "load", "10:00", "10:10", writes=[dataset("a", schema=columns(x="int", y="int"))]),
    run(2, "load", "11:00", "11:10", writes=[dataset("a", schema=columns(x="int", y="int"))]),
    run(3, "load", "12:00", "12:10", writes=[dataset("a", schema=columns(x="float", z="int"))]),
    run(4, "other", "12:00", "12:10", writes=[dataset("b", schema=columns(q="int"))]),
]


def test_changed_columns(store: Store) -> None:
    rows = asked(store, "columns", lines(*WRITES), "schema-changes")
    assert {row["dataset"] for row in rows} == {iri("a")}
    assert {row["version"][-2:] for row in rows} == {"03"}
    assert [(row["column"], row["change"], row.get("before"), row.get("after")) for row in rows] == [
        ("x", "type", "int", "float"), ("y", "removed", "int", None), ("z", "added", None, "int"),
    ]  # fmt: skip


def test_unchanged_columns(store: Store) -> None:
    assert asked(store, "same", lines(*WRITES[:2], WRITES[3]), "schema-changes") == []
    later = {"since": "2026-11-20T12:30:00Z"}
    assert asked(store, "earlier", lines(*WRITES), "schema-changes", **later) == []


# Freshness -----------------------------------------------------------------------------------------------------------


def test_what_was_not_refreshed(store: Store) -> None:
    data = lines(
        run(1, "load", "10:00", "10:10", writes=["old", "fresh"]),
        run(2, "load", "15:00", "15:10", reads=["source"], writes=["fresh"]),
    )
    rows = asked(store, "stale", data, "not-refreshed", hours="4", at="2026-11-20T15:30:00Z")
    assert [(row["name"], row["written"], row["job"]) for row in rows] == [
        ("old", "2026-11-20T10:10:00Z", f"{NAMES}job/lab/load")
    ]


def test_what_was_refreshed(store: Store) -> None:
    data = lines(run(1, "load", "10:00", "10:10", writes=["a"]))
    assert asked(store, "fresh", data, "not-refreshed", hours="4", at="2026-11-20T14:00:00Z") == []
    # Without a time it is compared with now.
    owner = Repository(store, store.owner())
    assert len(owner.query(by_name("not-refreshed").bind({"hours": "0"}), project="fresh").rows) == 1


# What has to be run again --------------------------------------------------------------------------------------------

LOAD, CLEAN = (
    run(1, "load", "10:00", "10:10", writes=["a"]),
    run(2, "clean", "11:00", "11:10", reads=["a"], writes=["b"]),
)
TRAIN = run(3, "train", "12:00", "12:10", reads=["b"], writes=["c"])
RELOAD, RECLEAN = run(4, "load", "13:00", "13:10", writes=["a"]), run(
    5, "clean", "14:00", "14:10", reads=["a"], writes=["b"]
)  # fmt: skip


def reasons(rows: Any) -> list[tuple[str, str, str]]:
    return [(row["job"].rpartition("/")[2], row["input"].rpartition("/")[2], row["reason"]) for row in rows]


AGAIN = {
    "nothing": ([LOAD, CLEAN, TRAIN], []),
    "an input was written again": ([LOAD, CLEAN, TRAIN, RELOAD], [("clean", "a", "superseded")]),
    "and its result, but not what rests on that": (
        [LOAD, CLEAN, TRAIN, RELOAD, RECLEAN],
        [("train", "b", "superseded")],
    ),
    "an input that nobody wrote before": ([CLEAN, RELOAD], [("clean", "a", "superseded")]),
    "an input was written again before it was read": (
        [LOAD, run(6, "load", "10:20", "10:30", writes=["a"]), CLEAN],
        [],
    ),
    "an input was dropped": (
        [
            LOAD,
            CLEAN,
            run(7, "tidy", "12:00", "12:10",
                writes=[dataset("a", lifecycleStateChange={"lifecycleStateChange": "DROP"})]),
        ],
        [("clean", "a", "dropped")],
    ),
    "a check of what was read failed": (
        [LOAD, run(8, "test", "10:20", "10:21", reads=[failing("a")]), CLEAN, TRAIN],
        [("clean", "a", "failed")],
    ),
    "a check after it was read failed": (
        [LOAD, CLEAN, run(8, "test", "11:20", "11:21", reads=[failing("a")])],
        [("clean", "a", "failed")],
    ),
    "a check of an earlier version failed": (
        [run(8, "test", "09:20", "09:21", reads=[failing("a")]), LOAD, CLEAN],
        [],
    ),
    "a check of a later version failed": (
        [LOAD, CLEAN, RELOAD, RECLEAN, run(8, "test", "13:20", "13:21", reads=[failing("a")])],
        [("clean", "a", "failed")],
    ),
    "the run that wrote it measured that it fails": (
        [run(1, "load", "10:00", "10:10", writes=[failing("a")]), CLEAN],
        [("clean", "a", "failed")],
    ),
    "what it wrote failed, but a later version was read": (
        [
            run(1, "load", "10:00", "10:10", writes=[failing("a")]),
            run(9, "load", "10:20", "10:30", writes=["a"]),
            CLEAN,
        ],
        [],
    ),
    "the run failed, so it has no results": (
        [LOAD, run(2, "clean", "11:00", "11:10", reads=["a"], writes=["b"], state="FAIL"), RELOAD],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AGAIN)
def test_what_has_to_be_run_again(store: Store, case: str) -> None:
    events, expected = AGAIN[case]
    project = f"again-{list(AGAIN).index(case)}"
    assert reasons(asked(store, project, lines(*events), "to-run-again")) == expected


def test_only_some_inputs_or_reasons(store: Store) -> None:
    data = lines(LOAD, CLEAN, TRAIN, RELOAD)
    assert reasons(asked(store, "one-input", data, "to-run-again", input=iri("b"))) == []
    assert reasons(asked(store, "one-reason", data, "to-run-again", reason="failed")) == []
    assert reasons(asked(store, "this-reason", data, "to-run-again", input=iri("a"), reason="superseded")) == [
        ("clean", "a", "superseded")
    ]


def withdrawn(store: Store, project: str, *events: list[Any], of: int, **wanted: str) -> RunsAgain:
    """What has to be run again in a new project with a document for each run, after one of them was withdrawn."""
    owner = Repository(store, store.owner())
    owner.create_project(project)
    for number, each in enumerate(events):
        owner.submit(lines(each), project=project, name=f"run-{number}", format="openlineage")
    assert [row for row in owner.to_run_again(project).results if row.reason == "withdrawn"] == []
    owner.withdraw(project, f"run-{of}", reason="the sensor was broken")
    return owner.to_run_again(project, **wanted)


def told(found: RunsAgain) -> list[tuple[str, str, str]]:
    return [(row.job.rpartition("/")[2], row.input.rpartition("/")[2], row.reason) for row in found.results]


def versioned(name: str) -> Any:
    return dataset(name, version={"datasetVersion": "v1"})


@pytest.mark.parametrize(
    ("case", "events", "of", "expected"),
    [
        ("read", [LOAD, CLEAN, TRAIN], 0, [("clean", "a", "withdrawn")]),
        ("of-a-result", [LOAD, CLEAN, TRAIN], 2, []),
        ("written-again-before", [LOAD, run(6, "load", "10:20", "10:30", writes=["a"]), CLEAN], 0, []),
        ("run-again-since", [LOAD, CLEAN, RELOAD, RECLEAN], 0, []),
        ("read-before", [RELOAD, CLEAN], 0, []),
        (
            "by-its-version",
            [
                run(1, "load", "10:00", "10:10", writes=[versioned("a")]),
                run(2, "clean", "11:00", "11:10", reads=[versioned("a")], writes=["b"]),
            ],
            0,
            [("clean", "a", "withdrawn")],
        ),
    ],
)
def test_what_rests_on_a_withdrawn_input(store: Store, case: str, events: Any, of: int, expected: Any) -> None:
    found = withdrawn(store, f"withdrawn-{case}", *events, of=of)
    assert told(found) == expected
    assert found.complete
    assert all(row.since for row in found.results)


def test_all_reasons_are_one_answer(store: Store) -> None:
    check = run(8, "test", "11:20", "11:21", reads=[failing("d")])
    other = run(9, "merge", "11:00", "11:10", reads=["a", "d"], writes=["e"])
    events = [LOAD, CLEAN, check, other, RELOAD]
    found = withdrawn(store, "all-reasons", *events, of=0)
    assert told(found) == [
        ("clean", "a", "superseded"),
        ("clean", "a", "withdrawn"),
        ("merge", "a", "superseded"),
        ("merge", "a", "withdrawn"),
        ("merge", "d", "failed"),
    ]
    owner = Repository(store, store.owner())
    assert told(owner.to_run_again("all-reasons", reason="withdrawn", input=iri("a"))) == [
        ("clean", "a", "withdrawn"),
        ("merge", "a", "withdrawn"),
    ]
    assert told(owner.to_run_again("all-reasons", input=iri("d"))) == [("merge", "d", "failed")]
    with pytest.raises(UsageError, match="'broken' is no reason"):
        owner.to_run_again("all-reasons", reason="broken")


def test_who_may_only_read_is_told_that_withdrawn_inputs_are_left_out(store: Store) -> None:
    withdrawn(store, "for-readers", LOAD, CLEAN, RELOAD, of=0)
    reader = Repository(store, Actor("reader", "reader", projects=("for-readers",)))
    found = reader.to_run_again("for-readers")
    assert told(found) == [("clean", "a", "superseded")]
    assert not found.complete
    assert reader.to_run_again("for-readers", reason="failed").complete


# Training and test data ----------------------------------------------------------------------------------------------

SPLITS = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix e: <https://lab.example/> .
@prefix spdx: <http://spdx.org/rdf/terms#> .
e:train a prov:Activity ; prov:qualifiedUsage [ a prov:Usage ; prov:entity e:one ; prov:hadRole "training" ] .
e:eval a prov:Activity ; prov:qualifiedUsage [ a prov:Usage ; prov:entity e:two ; prov:hadRole "test" ] .
e:one a prov:Entity ; {one} .
e:two a prov:Entity ; {two} .
"""
CONTENT = "prov:specializationOf <ni:///sha-256;{}>"
DIGESTS = ("f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk", "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg")
EMPTY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
OVERLAPS = {
    "the same bytes": (CONTENT.format(DIGESTS[0]), CONTENT.format(DIGESTS[0]), True),
    "the same checksum": ('spdx:checksumValue "aa11"', 'spdx:checksum [ spdx:checksumValue "aa11" ]', True),
    "a file of the training folder": (
        f"prov:hadMember e:m . e:m a prov:Entity ; {CONTENT.format(DIGESTS[0])}", CONTENT.format(DIGESTS[0]), True,
    ),
    "other bytes": (CONTENT.format(DIGESTS[0]), CONTENT.format(DIGESTS[1]), False),
    "versions of one dataset": ("prov:specializationOf e:dataset", "prov:specializationOf e:dataset", False),
    "empty files": (CONTENT.format(EMPTY), CONTENT.format(EMPTY), False),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERLAPS)
def test_training_data_in_test_data(store: Store, case: str) -> None:
    one, two, found = OVERLAPS[case]
    data = SPLITS.replace("{one}", one).replace("{two}", two).encode()
    rows = asked(store, f"overlap-{list(OVERLAPS).index(case)}", data, "training-in-test", "turtle")
    expected = [("https://lab.example/one", "https://lab.example/two")] if found else []
    assert [(row["training"], row["testing"]) for row in rows] == expected
