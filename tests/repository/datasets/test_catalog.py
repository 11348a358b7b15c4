"""The catalog of datasets: in Python, over HTTP, as pages, on the command line and at a distance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import NotFound, UsageError
from provrepo.repository.datasets.records import DatasetDetails, DatasetInfo
from provrepo.repository.repository import Repository
from tests.support.command import Command
from tests.support.distance import Pair, pair
from tests.support.openlineage_events import NAMES, dataset, lines, run
from tests.support.serving import Site, opened

PLOTS = f"{NAMES}dataset/lab/plots"


def schema(**types: str) -> dict[str, object]:
    return {"fields": [{"name": name, "type": type_} for name, type_ in types.items()]}


FAILED = {"assertions": [{"assertion": "not_null", "success": False, "column": "x"}]}
EVENTS = lines(
    run(1, "load", "10:00", "10:10", writes=[dataset("plots", schema=schema(x="int", y="int"))]),
    run(2, "load", "11:00", "11:10", writes=[dataset("plots", schema=schema(x="float", z="int"))]),
    run(3, "test", "12:00", "12:10", reads=[dataset("plots", dataQualityAssertions=FAILED)]),
    run(4, "train", "13:00", "13:10", reads=["plots"], writes=["<model>"]),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("catalog")) as found:
        Repository(found.store, found.store.owner()).submit(EVENTS, project="open", name="runs", format="openlineage")
        Repository(found.store, found.store.owner()).submit(EVENTS, project="secret", name="runs", format="openlineage")
        yield found


@pytest.fixture
def owner(site: Site) -> Repository:
    return Repository(site.store, site.store.owner())


def test_the_history_of_a_dataset(owner: Repository) -> None:
    found = owner.dataset("open", PLOTS)
    assert [version.name[-2:] for version in found.versions] == ["02", "01"]
    (change,) = found.schema_changes
    assert (change.added, change.removed, change.retyped) == (("z",), ("y",), (("x", "int", "float"),))
    (measured,) = found.quality
    assert (measured.metric, measured.column, measured.passed) == ("not_null", "x", False)
    assert measured.measured == "2026-11-20T12:10:00Z"
    assert [use.name for use in found.producers] == ["load"]
    assert [use.name for use in found.consumers] == ["test", "train"]


def test_pages_of_versions_know_the_version_before_them(owner: Repository) -> None:
    first, second = owner.dataset("open", PLOTS, limit=1), owner.dataset("open", PLOTS, offset=1, limit=1)
    assert [version.name[-2:] for version in first.versions + second.versions] == ["02", "01"]
    assert len(first.schema_changes) == 1
    assert second.schema_changes == ()


def test_what_is_no_dataset(owner: Repository) -> None:
    with pytest.raises(NotFound, match="describes"):
        owner.dataset("open", "https://example.org/table")
    with pytest.raises(NotFound):
        owner.dataset("absent", PLOTS)
    with pytest.raises(UsageError):
        owner.dataset("open", "no iri")
    for wrong in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        with pytest.raises(UsageError):
            owner.dataset("open", PLOTS, **wrong)
    with pytest.raises(UsageError):
        owner.datasets("open", limit=0)


def test_the_catalog_over_http(site: Site, owner: Repository) -> None:
    answer = site.client.get("/projects/open/datasets")
    assert answer.get_json() == {
        "project": "open",
        "datasets": [json.loads(json.dumps(info.to_dict())) for info in owner.datasets("open")],
    }
    first = site.client.get("/projects/open/datasets?limit=1&q=PLOTS")
    assert [info["name"] for info in first.get_json()["datasets"]] == ["plots"]
    assert "Link" not in first.headers
    first = site.client.get("/projects/open/datasets?limit=1&q=lab")
    following = first.headers["Link"].partition(">")[0].lstrip("<")
    assert "q=lab" in following
    assert [info["name"] for info in site.client.get(following).get_json()["datasets"]] == ["plots"]
    answer = site.client.get("/projects/open/dataset", query_string={"iri": PLOTS, "limit": 1})
    assert answer.get_json() == {
        "project": "open", **json.loads(json.dumps(owner.dataset("open", PLOTS, limit=1).to_dict())),
    }  # fmt: skip
    following = answer.headers["Link"].partition(">")[0].lstrip("<")
    assert site.client.get(following).get_json()["offset"] == 1


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("dataset", 400),
        ("dataset?iri=", 400),
        ("dataset?iri=no", 400),
        ("dataset?iri=https://example.org/absent", 404),
        ("dataset?iri=https://example.org/x&offset=-1", 400),
        ("dataset?iri=https://example.org/x&limit=0", 400),
        ("datasets?limit=0", 400),
        ("datasets?text=x", 400),
    ],
)
def test_wrong_requests(site: Site, address: str, status: int) -> None:
    assert site.client.get(f"/projects/open/{address}").status_code == status


def test_who_may_not_read_a_project_sees_no_datasets(site: Site) -> None:
    hidden = site.client.get("/projects/secret/datasets")
    absent = site.client.get("/projects/absent/datasets")
    assert (hidden.status_code, hidden.get_json()["detail"]) == (404, absent.get_json()["detail"])
    assert site.client.get("/projects/secret/dataset", query_string={"iri": PLOTS}).status_code == 404
    assert site.client.get("/projects/secret/datasets", headers=site.auth("all")).status_code == 200


def test_what_has_to_be_run_again_over_http(site: Site, owner: Repository) -> None:
    answer = site.client.get("/projects/open/to-run-again", query_string={"reason": "superseded"})
    expected = json.loads(json.dumps(owner.to_run_again("open", reason="superseded").to_dict()))
    assert answer.get_json() == {"project": "open", **expected}
    assert site.client.get("/projects/open/to-run-again").get_json()["complete"] is False
    assert site.client.get("/projects/open/to-run-again?reason=broken").status_code == 400
    assert site.client.get("/projects/open/to-run-again?input=nonsense").status_code == 400
    assert site.client.get("/projects/secret/to-run-again").status_code == 404


def test_the_pages_show_what_json_has(site: Site) -> None:
    html = {"Accept": "text/html"}
    page = site.client.get("/projects/open/datasets", headers=html).text
    assert "plots" in page
    assert "&lt;model&gt;" in page
    assert "<model>" not in page
    page = site.client.get("/projects/open/dataset", query_string={"iri": PLOTS}, headers=html).text
    for text in ("x from int to float", "added z", "removed y", "not_null", "Failed", "load", "train"):
        assert text in page
    page = site.client.get("/projects/open/datasets?q=nothing-is-called-so", headers=html).text
    assert "No datasets" in page


def test_the_catalog_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    (tmp_path / "events.jsonl").write_bytes(EVENTS)
    command("project", "create", "crops")
    command("submit", tmp_path / "events.jsonl", "--project", "crops", "--name", "runs")
    listed = command("datasets", "--project", "crops").stdout
    assert "plots" in listed
    assert "2026-11-20T11:10:00Z" in listed
    found = command.json("datasets", "--project", "crops", "--text", "PLOTS")
    assert [info["iri"] for info in found] == [PLOTS]
    shown = command("datasets", PLOTS, "--project", "crops").stdout
    for text in ("plots in lab", "2 versions", "x from int to float", "not_null of x failed", "read by train in lab"):
        assert text in shown
    assert "describes" in command.error("datasets", "https://example.org/x", "--project", "crops", code=1)
    assert "IRI" in command.error("datasets", "nonsense", "--project", "crops", code=2)
    assert "more than 1" in command("datasets", "--project", "crops", "--limit", "1").stderr
    again = command.json("to-run-again", "--project", "crops", "--reason", "superseded")
    table = command("to-run-again", "--project", "crops", "--input", PLOTS).stdout
    assert again["complete"]
    assert all(row["result"] in table for row in again["results"] if row["input"] == PLOTS)
    assert "'broken'" in command.error("to-run-again", "--reason", "broken", code=2)
    assert "IRI" in command.error("to-run-again", "--project", "crops", "--input", "nonsense", code=2)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("both") / "data") as found:
        yield found


def test_the_catalog_at_a_distance(both: Pair) -> None:
    with provrepo.connect(both.url, token=both.token) as remote:
        remote.create_project("fields")
        remote.submit(EVENTS, project="fields", name="runs", format="openlineage")
        found = remote.datasets("fields")
        assert [type(info) for info in found] == [DatasetInfo] * 2
        assert remote.datasets("fields", text="plots") == found[1:]
        assert remote.datasets("fields", limit=1) == found[:1]
        details = remote.dataset("fields", PLOTS)
        assert isinstance(details, DatasetDetails)
        assert details.schema_changes[0].retyped == (("x", "int", "float"),)
        with pytest.raises(NotFound):
            remote.dataset("fields", "https://example.org/absent")
