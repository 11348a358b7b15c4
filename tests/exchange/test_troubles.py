"""What fails in every round is logged when it begins, changes and ends, and counted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Error, RemoteError, Unreachable
from provrepo.repository.exchange.mirroring import background
from provrepo.repository.exchange.mirroring.records import mirror_info
from provrepo.repository.exchange.pushing import queue_new
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from tests.support.mirrored import copy


def test_a_pull_that_fails_is_logged_when_that_changes(
    mirror: Repository, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = mirror.context.store
    (found,) = store.ledger.mirrors()
    outcomes: list[Error | None] = [Unreachable("no answer")] * 3 + [RemoteError("nonsense")] * 2 + [None, None]

    def pull(*_: object, **__: object) -> object:
        if (error := outcomes.pop(0)) is not None:
            raise error
        return mirror_info(store, found)

    monkeypatch.setattr(background, "pull", pull)
    client = create_app(store).test_client()
    counts = []
    with caplog.at_level(logging.INFO):
        while outcomes:
            background._pull(store, found.project, lambda: False)
            text = client.get("/metrics", headers={"Authorization": f"Bearer {token(mirror)}"}).text
            counts += [line for line in text.splitlines() if line.startswith("provrepo_mirror_failed_pulls{")]
    assert [record.getMessage() for record in caplog.records if record.name == background.log.name] == [
        "mirror copy was not pulled: no answer",
        "mirror copy was not pulled: nonsense",
        "no longer: mirror copy was not pulled (5 times)",
    ]
    assert [line.rpartition(" ")[2] for line in counts] == ["1", "2", "3", "4", "5", "0", "0"]


def token(repository: Repository) -> str:
    return repository.create_token("ada")[0]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Repository]:
    """A repository with a mirror, copy."""
    with provrepo.open(tmp_path / "there") as there, provrepo.open(tmp_path / "here") as here:
        there.create_project("crops", public=True)
        copy(here, there)
        yield here


def test_a_missing_peer_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.add_peer("lab-b", "http://127.0.0.1:1/")
        repository.set_project("crops", push=["lab-b"])
        repository.remove_peer("lab-b")
        for _ in range(3):
            queue_new(repository.context.store)
        assert [record.getMessage() for record in caplog.records] == [
            "project crops cannot push to lab-b: there is no such peer"
        ]
        repository.add_peer("lab-b", "http://127.0.0.1:1/")
        queue_new(repository.context.store)
        repository.remove_peer("lab-b")
        queue_new(repository.context.store)
        assert len(caplog.records) == 2
