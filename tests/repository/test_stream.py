"""The verb ``entries``: the ledger of a project for followers and auditors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import NotFound, UsageError
from provrepo.ledger.entries import canonical
from tests.support.serving import LATER, opened


def test_the_chain_can_be_checked_by_who_has_the_answers_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        for number in range(3):
            site.submit(f"doc{number}")
        site.submit("doc1", LATER)
        site.owner.withdraw("open", "doc2", reason="twice")
        entries, address = [], "/projects/open/ledger?limit=2"
        while address:
            answer = site.client.get(address)
            assert answer.status_code == 200
            assert len(answer.get_json()["entries"]) <= 2
            entries += answer.get_json()["entries"]
            link = answer.headers.get("Link", "")
            address = link.partition("<")[2].partition(">")[0] if 'rel="next"' in link else ""
        previous = ""
        for number, entry in enumerate(entries, 1):
            assert entry["sequence"] == entry["entry"]["sequence"] == number
            assert entry["entry"]["previous"] == previous
            previous = hashlib.sha256(canonical(entry["entry"])).hexdigest()
            assert entry["sha256"] == previous
        assert [entry["entry"]["kind"] for entry in entries][-5:] == ["submit"] * 4 + ["withdraw"]
        assert len(entries) == site.owner.project("open").entries


def test_a_private_ledger_is_not_there_for_strangers(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        private = next(info.name for info in site.owner.projects() if not info.public and info.name != "default")
        hidden, missing = site.client.get(f"/projects/{private}/ledger"), site.client.get("/projects/nowhere/ledger")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.data == missing.data
        assert site.client.get(f"/projects/{private}/ledger", headers=site.auth("all")).status_code == 200


@pytest.mark.parametrize(
    "asked", ["after=x", "after=-1", "after=1e3", "after=²", "limit=0", "limit=x", "after=" + "9" * 40]
)
def test_nonsense_is_refused(tmp_path: Path, asked: str) -> None:
    with opened(tmp_path) as site:
        assert site.client.get(f"/projects/open/ledger?{asked}").status_code == 400


def test_from_python(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        created = repository.entries("crops")
        assert [entry.sequence for entry in created] == list(range(1, len(created) + 1))
        assert repository.entries("crops", after=len(created)) == []
        with pytest.raises(NotFound):
            repository.entries("nowhere")
        for wrong in ({"after": -1}, {"limit": 0}):
            with pytest.raises(UsageError):
                repository.entries("crops", **wrong)
