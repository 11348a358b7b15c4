"""Metrics: correct, and without information that the caller may not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import provrepo
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from tests.conftest import PROVJSON, TURTLE


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Repository, FlaskClient]]:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("open", public=True, profiles=["core"])
        repository.create_project("secret")
        repository.submit(PROVJSON, project="open", name="a")
        repository.submit(TURTLE, project="secret", name="b")
        yield repository, create_app(repository.context.store).test_client()


def samples(text: str) -> dict[str, float]:
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


def test_a_stranger_sees_public_projects_only(site: tuple[Repository, FlaskClient]) -> None:
    _, client = site
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert "secret" not in answer.text
    found = samples(answer.text)
    assert found['provrepo_documents{project="open"}'] == 1
    assert found['provrepo_documents_conforming{project="open",profile="core/1.0"}'] == 1
    assert found["provrepo_indexing"] == 1
    assert "provrepo_ledger_entries" not in found
    assert set(client.get("/health").get_json()) == {"status", "version", "indexing", "accepting", "limits"}


def test_an_administrator_sees_everything(site: tuple[Repository, FlaskClient]) -> None:
    repository, client = site
    text, _ = repository.create_token("monitor")
    headers = {"Authorization": f"Bearer {text}"}
    found = samples(client.get("/metrics", headers=headers).text)
    assert found['provrepo_documents{project="secret"}'] == 1
    assert found["provrepo_ledger_entries"] == 9
    assert found["provrepo_set_aside"] == 0
    assert client.get("/health", headers=headers).get_json()["entries"] == 9


def test_metrics_follow_the_ledger(site: tuple[Repository, FlaskClient]) -> None:
    repository, client = site
    name = 'provrepo_documents{project="open"}'
    assert samples(client.get("/metrics").text)[name] == 1
    repository.submit(TURTLE, project="open", name="c")
    assert samples(client.get("/metrics").text)[name] == 2
    repository.withdraw("open", "a", reason="x")
    assert samples(client.get("/metrics").text)[name] == 1


def test_one_project_as_json(site: tuple[Repository, FlaskClient]) -> None:
    _, client = site
    found = client.get("/projects/open/metrics").get_json()
    assert (found["project"], found["documents"]) == ("open", 1)
    assert found["over_time"][0]["documents"] == 1
    assert client.get("/projects/secret/metrics").status_code == 404
