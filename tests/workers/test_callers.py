"""The client of a request: its class, the end of its calls when it disconnects, and what remains then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provrepo.repository.store import Store
from provrepo.repository.submission import conversion
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.queries import running
from provrepo.views import sqlite_view
from provrepo.workers.callers import LOCAL, Caller, Client, client
from provrepo.workers.pool import Pool
from tests.support import strangers
from tests.support.ledgers import leftovers
from tests.support.serving import LATER, PROVN, PROVN_TYPE, Made, Site, copied, made, opened, sha256

STRANGER, READER, WRITER = Caller
EX = "https://example.org/"
SOON = 60


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("made") / "data")


@pytest.fixture
def site(source: Made, tmp_path: Path) -> Iterator[Site]:
    with copied(source, tmp_path / "data") as site:
        yield site


@pytest.fixture
def left() -> threading.Event:
    """Set once the client has closed the connection."""
    return threading.Event()


def send(site: Site, left: threading.Event, method: str, path: str, who: str = "", **more: Any) -> Any:
    """One request of a client that may disconnect."""
    headers = {**site.auth(who), **more.pop("headers", {})}
    overrides = {"waitress.client_disconnected": left.is_set}
    return site.client.open(path, method=method, headers=headers, environ_overrides=overrides, **more)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    """The clients for which workers were called."""
    found = []
    original = Pool.call

    def call(self: Pool, *arguments: Any, **more: Any) -> Any:
        found.append(client())
        return original(self, *arguments, **more)

    monkeypatch.setattr(Pool, "call", call)
    return found


@pytest.mark.parametrize(("who", "caller"), [("", STRANGER), ("reader", READER), ("open", WRITER), ("all", WRITER)])
@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", "/validate", PROVN),
        ("GET", "/projects/open/documents/run.ttl", None),
        ("GET", f"/thing?iri={EX}table", None),
        ("GET", "/projects/open/sparql?query=ASK {}", None),
        ("GET", "/projects/open/documents/run/versions/1/sparql?query=ASK {}", None),
    ],
)
def test_each_call_of_a_worker_is_for_the_client_of_the_request(
    site: Site,
    left: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    seen: list[Client],
    who: str,
    caller: Caller,
    method: str,
    path: str,
    data: bytes | None,
) -> None:
    monkeypatch.setattr(conversion, "LARGE", 0)
    answer = send(site, left, method, path, who, data=data, content_type=PROVN_TYPE if data else None)
    assert answer.status_code == 200
    assert [(found.caller, found.disconnected) for found in seen] == [(caller, left.is_set)]
    assert client() is LOCAL


def test_a_token_that_is_not_valid_counts_as_a_stranger(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(Store, "health", lambda self: seen.append(client().caller) or {})
    for headers in ({"Authorization": "Bearer pvr_nothing"}, {"Authorization": "Basic eDp5"}):
        site.client.get("/health", headers=headers)
    with site.app.test_request_context(headers={"Authorization": "Bearer pvr_nothing"}):
        with pytest.raises(Rejected):
            site.app.preprocess_request()
        assert client().caller is STRANGER
        site.app.do_teardown_request()
    assert set(seen) <= {STRANGER}


@pytest.mark.parametrize("path", [f"/lineage?iri={EX}table", f"/lineage/impact?iri={EX}raw", "/search?q=ha"])
def test_traversals_and_searches_end_when_the_client_disconnects(
    site: Site, left: threading.Event, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(sqlite_view, "_STEPS", 1)
    assert send(site, left, "GET", path).status_code == 200
    left.set()
    another = f"{path}&limit=77"  # an answer that is kept needs no traversal
    assert send(site, left, "GET", another).status_code == 503
    left.clear()
    assert send(site, left, "GET", another).status_code == 200
    assert set(asking_figures(site).values()) == {(0, 0)}


def asking_figures(site: Site) -> Any:
    with site.app.app_context():
        return running.slots().figures()


@pytest.mark.parametrize("moment", ["check", "blob", "entry", "index", "derive"])
@pytest.mark.parametrize("name", ["new", "run"])
def test_a_submission_whose_client_disconnects_is_whole_or_absent(
    site: Site, left: threading.Event, monkeypatch: pytest.MonkeyPatch, moment: str, name: str
) -> None:
    """The client disconnects before check, storage, entry or indexing; also where the quads are made again."""
    store = site.store

    def then_leave(owner: object, method: str) -> None:
        original = getattr(owner, method)

        def call(*arguments: Any, **more: Any) -> Any:
            left.set()
            return original(*arguments, **more)

        monkeypatch.setattr(owner, method, call)

    if moment == "check":
        left.set()
    elif moment == "derive":
        index = store.index

        def again() -> None:
            left.set()
            for file in (store.settings.data / "spool").glob("*.nq"):
                file.unlink()
            index()

        monkeypatch.setattr(store, "index", again)
    else:
        owner, method = {"blob": (store.blobs, "put"), "entry": (store.ledger, "appending"), "index": (store, "index")}[
            moment
        ]
        then_leave(owner, method)
    before = store.ledger.length("open")
    path = f"/projects/open/documents/{name}"
    condition = {"If-Match": "*"} if name == "run" else {"If-None-Match": "*"}
    answer = send(site, left, "PUT", path, "all", data=LATER, content_type=PROVN_TYPE, headers=condition)
    stored = store.ledger.length("open") - before
    assert answer.status_code in {200, 201, 503}
    assert stored == (answer.status_code != 503)
    assert stored or moment == "check"
    monkeypatch.undo()
    assert dict(store.set_aside.items()) == {}
    assert store.follower.waiting == {}
    assert leftovers(store.settings.data) == []
    if stored:
        assert sha256(site.client.get(f"{path}/original").data) == sha256(LATER)
        query = f"ASK {{ <{EX}table> prov:wasDerivedFrom <{EX}raw> }}"
        found = site.owner.query(query, project="open")
        assert found.boolean
    elif name == "new":
        assert site.client.get(path).status_code == 404
    # The same submission again is accepted, or known already.
    condition = {"If-Match": "*"} if name == "run" or stored else {"If-None-Match": "*"}
    once_more = send(
        site, threading.Event(), "PUT", path, "all", data=LATER, content_type=PROVN_TYPE, headers=condition
    )
    assert once_more.status_code == (200 if name == "run" or stored else 201)


def test_indexing_is_for_no_client(
    site: Site, left: threading.Event, monkeypatch: pytest.MonkeyPatch, seen: list[Client]
) -> None:
    index = site.store.index

    def again() -> None:
        for file in (site.store.settings.data / "spool").glob("*.nq"):
            file.unlink()
        index()

    monkeypatch.setattr(site.store, "index", again)
    answer = send(site, left, "POST", "/projects/open/documents?name=new", "all", data=LATER, content_type=PROVN_TYPE)
    assert answer.status_code == 201
    assert seen == [Client(WRITER, left.is_set), LOCAL]


def test_strangers_have_a_shorter_deadline(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    store = site.store
    with opened(store.settings.data.parent / "other") as other:
        other.store.pool._public_timeout = 0.0
        refused = other.client.post("/validate", data=PROVN, content_type=PROVN_TYPE)
        assert (refused.status_code, refused.get_json()["type"].rpartition("#")[2]) == (503, "timed-out")
        assert refused.headers["Retry-After"] == "60"
        monkeypatch.setattr(conversion, "LARGE", 0)
        large = other.client.get("/projects/open/documents/run.ttl")
        assert (large.status_code, large.get_json()["type"].rpartition("#")[2]) == (503, "timed-out")
        for who in ("reader", "all"):
            checked = other.client.post("/validate", data=PROVN, content_type=PROVN_TYPE, headers=other.auth(who))
            assert checked.status_code == 200
    settings = replace(store.settings, check_timeout_public=7, query_timeout_public=5)
    with Store(settings) as opened_:
        assert (opened_.pool._public_timeout, opened_.queries._public_timeout) == (7, 5)


def test_busy_responses_have_retry_after(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "indexing", lambda self: False)
    answer = site.client.get("/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("workers", [1, 2])
def test_strangers_keep_neither_writers_nor_readers_nor_probes_waiting(tmp_path: Path, workers: int) -> None:
    found = strangers.run(tmp_path, clients=12, workers=workers, submissions=3, statements=60_000)
    assert found["submit"] == {201: 3}


def test_metrics_show_administrators_the_load_of_each_class(site: Site) -> None:
    shown = site.client.get("/metrics", headers=site.auth("all")).text
    for what in ("checks", "queries"):
        for caller in Caller:
            for name in ("working", "waiting"):
                assert f'provrepo_{name}{{what="{what}",caller="{caller.value}"}} 0' in shown
    assert "provrepo_working" not in site.client.get("/metrics").text


def test_queries_of_writers_wait_for_each_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_WAITS", {STRANGER: 0.0, READER: 0.0, WRITER: SOON})
    with ThreadPoolExecutor() as threads:
        with ExitStack() as taken:
            with site.app.app_context():
                slots = running.slots()
            for _ in range(slots._queue.size):
                slot = slots.enter(Client(WRITER), SOON)
                taken.callback(slots.leave, slot)
            refused = site.client.get("/sparql?query=ASK{}")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            waits = threads.submit(site.app.test_client().get, "/sparql?query=ASK{}", headers=site.auth("all"))
            while not asking_figures(site)[WRITER][1]:
                assert not waits.done()
                time.sleep(0.01)
        assert waits.result().status_code == 200
