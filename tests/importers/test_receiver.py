"""The receiver of OpenLineage events: durable before the answer, documents in any order, and what clients expect."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import provrepo
from provrepo.errors import NoSpace
from provrepo.ledger.events import Events
from provrepo.repository.events.making import make_documents
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from tests.importers.test_import import RUNS, both, lines
from tests.importers.test_openlineage import event, stated


class Receiver:
    """A server with the projects ``crops`` and ``soil``, and a token for each."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.store = repository.context.store
        for project in ("crops", "soil"):
            repository.create_project(project)
        self.tokens = {
            name: repository.create_token(name, projects=projects, write=write)[0]
            for name, projects, write in (
                ("crops", ["crops"], True),
                ("both", ["crops", "soil"], True),
                ("reader", ["crops"], False),
            )
        }
        self.client: FlaskClient = create_app(self.store).test_client()

    def post(self, data: Any, path: str = "/api/v1/lineage", token: str = "crops", **headers: str) -> Any:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        given = {"Authorization": f"Bearer {self.tokens[token]}"} if token else {}
        return self.client.post(path, data=body, headers={"Content-Type": "application/json", **given, **headers})

    def make(self) -> int:
        return make_documents(self.store, quiet=0, interval=3600).documents

    def names(self, project: str = "crops") -> dict[str, int]:
        return {info.name: info.versions for info in self.repository.documents(project)}


@pytest.fixture
def receiver(repository: Repository) -> Receiver:
    return Receiver(repository)


def test_the_events_of_a_run_become_its_document(receiver: Receiver) -> None:
    for each in both(0):
        assert receiver.post(each).status_code == 201
    assert receiver.make() == 1
    assert receiver.names() == {f"run-{RUNS[0]}": 1}
    document = receiver.repository.read("crops", f"run-{RUNS[0]}")
    assert stated(document) == stated(provrepo.read(lines(*both(0)), format="openlineage"))
    (info,) = receiver.repository.history("crops", f"run-{RUNS[0]}")
    assert info.submitter == "crops"
    assert receiver.make() == 0


def test_any_order_and_repetition_gives_the_same_bytes(receiver: Receiver) -> None:
    events = [
        *both(0),
        event("RUNNING", "2026-11-20T10:01:00Z", RUNS[0], inputs=[{"namespace": "lab", "name": "more"}]),
        event("OTHER", "2026-11-21T10:01:00Z", RUNS[0], outputs=[{"namespace": "lab", "name": "log"}]),
    ]
    digests = set()
    for number in range(4):
        mixed = events * 2
        random.Random(number).shuffle(mixed)
        project = ("crops", "soil")[number % 2]
        for each in mixed:
            assert receiver.post(each, f"/projects/{project}/api/v1/lineage", "both").status_code == 201
            receiver.make()
        digests.add(receiver.repository.version(project, f"run-{RUNS[0]}").sha256)
    assert len(digests) == 1


def test_a_run_that_goes_on_waits_and_late_events_make_a_version(receiver: Receiver) -> None:
    start, complete = both(0)
    receiver.post(start)
    assert receiver.make() == 0
    assert Events(receiver.store.ledger).waiting() == 1
    assert make_documents(receiver.store, quiet=0, interval=0).documents == 1, "at intervals while it runs"
    receiver.post(complete)
    assert receiver.make() == 1
    receiver.post(complete)
    assert receiver.make() == 0, "nothing new came"
    assert receiver.names() == {f"run-{RUNS[0]}": 2}


@pytest.mark.parametrize("form", ["array", "lines", "batch", "gzip"])
def test_many_events_at_once(receiver: Receiver, form: str) -> None:
    events = [
        *both(0),
        *both(1),
        7,
        {"eventTime": "soon", "run": {"runId": "x"}, "job": {"namespace": "a", "name": "b"}},
    ]
    path = "/api/v1/lineage/batch" if form == "batch" else "/api/v1/lineage"
    headers = {"Content-Encoding": "gzip"} if form == "gzip" else {}
    data = lines(*events) if form == "lines" else json.dumps(events).encode()
    response = receiver.post(gzip.compress(data) if form == "gzip" else data, path, **headers)
    assert response.status_code == 200
    found = response.get_json()
    assert found["status"] == "partial_success"
    assert found["summary"] == {"received": 6, "successful": 4, "failed": 2, "retriable": 0, "non_retriable": 2}
    assert [failed["index"] for failed in found["failed_events"]] == [4, 5]
    assert receiver.make() == 2


@pytest.mark.parametrize(
    ("data", "path", "status"),
    [
        (b"{", "/api/v1/lineage", 400),
        (b"", "/api/v1/lineage", 400),
        (b" \n", "/api/v1/lineage/batch", 400),
        (b"[]", "/api/v1/lineage", 200),
        (b"[" * 100, "/api/v1/lineage", 400),
        (b"\xff", "/api/v1/lineage", 400),
        (b"{}", "/api/v1/lineage", 422),
        (b"[]", "/api/v1/lineage/batch", 200),
        (b"{}", "/api/v1/lineage/batch", 400),
    ],
)
def test_bad_bodies(receiver: Receiver, data: bytes, path: str, status: int) -> None:
    response = receiver.post(data, path)
    assert response.status_code == status, response.get_data(as_text=True)
    if status == 422:
        assert "pointer" in response.get_json()
    assert Events(receiver.store.ledger).waiting() == 0


def test_who_may_send(receiver: Receiver) -> None:
    one = both(0)[0]
    assert receiver.post(one, token="").status_code == 401
    assert receiver.post(b"null", "/api/v1/lineage/batch", token="").status_code == 401, "before the body is read"
    assert receiver.post(one, token="reader").status_code == 403
    assert receiver.post(one, "/projects/soil/api/v1/lineage").status_code == 404
    assert receiver.post(one, "/projects/crops/api/v1/lineage", "reader").status_code == 403
    several = receiver.post(one, token="both")
    assert several.status_code == 422
    assert "event_projects" in several.get_json()["detail"]


def test_namespaces_belong_to_projects(tmp_path: Path) -> None:
    settings = provrepo.settings.load({"data": tmp_path / "data", "event_projects": "lab=crops soil*=soil"})
    with provrepo.open(settings=settings) as repository:
        receiver = Receiver(repository)
        other = event("COMPLETE", run=RUNS[1], job={"namespace": "soil-7", "name": "x"})
        unknown = event("COMPLETE", run=RUNS[2], job={"namespace": "sea", "name": "x"})
        found = receiver.post([*both(0), other, unknown], token="both").get_json()
        assert [failed["index"] for failed in found["failed_events"]] == [3]
        assert receiver.make() == 2
        assert (receiver.names("crops"), receiver.names("soil")) == ({f"run-{RUNS[0]}": 1}, {f"run-{RUNS[1]}": 1})
        # A token for one project sends nothing to another.
        assert receiver.post(other, token="crops").status_code == 422


def test_a_full_disk_is_503_and_nothing_is_lost_or_half_stored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NoSpace("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(receiver.store), "require_space", full)
        response = receiver.post([*both(0)])
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert Events(receiver.store.ledger).waiting() == 0
    assert receiver.post([*both(0)]).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(type(receiver.store), "require_space", full)
        with pytest.raises(NoSpace):
            receiver.make()
    assert receiver.make() == 1


def test_a_document_that_is_refused_keeps_its_events(receiver: Receiver) -> None:
    receiver.repository.set_project("crops", profiles=["pipeline"])
    for each in both(0):
        receiver.post(each)
    assert receiver.make() == 0
    ((project, document, problem),) = Events(receiver.store.ledger).problems()
    assert (project, document) == ("crops", f"run-{RUNS[0]}")
    assert "does not conform" in problem
    assert any(document in note for note in receiver.repository.fsck().notes)
    receiver.repository.set_project("crops", profiles=[])
    receiver.post(event("OTHER", "2026-11-21T10:01:00Z", RUNS[0]))
    assert receiver.make() == 1
    assert Events(receiver.store.ledger).problems() == []


def test_entries_cover_the_events(receiver: Receiver) -> None:
    receiver.post([*both(0), *both(1)])
    receiver.make()
    entries = [entry for entry in receiver.store.ledger.entries("crops") if entry.kind == "events"]
    assert [(entry.body["count"], entry.body["source"]) for entry in entries] == [(4, "openlineage")]
    assert receiver.repository.fsck(views=True).sound
    assert list(receiver.store.ledger.verify()) == []


@pytest.mark.parametrize("change", ["data = x'00' WHERE position = 1", "digest = 'a' WHERE position = 1"])
def test_fsck_finds_changed_events(receiver: Receiver, change: str) -> None:
    receiver.post([*both(0)])
    receiver.make()
    with sqlite3.connect(receiver.store.settings.data / "ledger.sqlite") as connection:
        connection.execute(f"UPDATE events SET {change}")
    assert any("events" in problem or "event 1" in problem for problem in receiver.repository.fsck().problems)


def test_an_erasure_deletes_the_events(receiver: Receiver) -> None:
    secret = "zqxsecretvk7734"
    named = event("COMPLETE", run=RUNS[0], outputs=[{"namespace": "lab", "name": secret}])
    receiver.post(named)
    receiver.make()
    receiver.repository.erase("crops", f"run-{RUNS[0]}", 1, reason="the law")
    data = receiver.store.settings.data
    receiver.post(named)
    assert receiver.make() == 0, "erased events are not accepted again"
    assert receiver.repository.fsck().sound
    receiver.repository.close()
    assert [path for path in data.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == []


def test_acknowledged_events_survive_the_end_of_the_process(receiver: Receiver) -> None:
    receiver.post([*both(0)])
    data = receiver.store.settings.data
    with provrepo.open(data) as other:
        assert make_documents(other.context.store, quiet=0).documents == 1
        assert [info.name for info in other.documents("crops")] == [f"run-{RUNS[0]}"]


def test_events_without_a_run_become_documents_of_jobs_and_datasets(receiver: Receiver) -> None:
    job = {key: value for key, value in event().items() if key not in ("run", "eventType")}
    dataset = {**job, "dataset": {"namespace": "lab", "name": "raw"}}
    del dataset["job"]
    receiver.post([job, dataset])
    assert receiver.make() == 2
    assert sorted(name.split("-")[0] for name in receiver.names()) == ["dataset", "job"]
