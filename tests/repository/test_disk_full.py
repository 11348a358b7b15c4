"""A full disk: no acknowledged submission is lost, no entry is set aside, and with free space all continues."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from provrepo.views.lineage.index import Lineage
from provrepo.views.search import Search
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PROV

DOCUMENTS, ENTITIES = 40, 200


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a file system of its own can only be mounted by root on Linux")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def document(number: int) -> bytes:
    lines = (
        f'<http://e/{number}/{k}> a <{PROV}Entity> ; <http://e/p> "{number}{"x" * 300}{k}" .\n' for k in range(200)
    )
    return "".join(lines).encode()


def test_a_full_disk_loses_nothing_and_heals(small: Path) -> None:
    with Store.open(Settings(data=small / "data", min_free=0, workers=1)) as store:
        owner = Repository(store, store.owner())
        owner.create_project("p", public=True)
        headers = {"Authorization": f"Bearer {owner.create_token('ada')[0]}", "Content-Type": "text/turtle"}
        assert Repository(store).serve("http://127.0.0.1:1/")
        client = create_app(store).test_client()
        stored, refused, waiting = [], 0, []
        for number in range(DOCUMENTS):
            answer = client.post(f"/projects/p/documents?name=d{number}", data=document(number), headers=headers)
            if answer.status_code == 201:
                stored.append(f"d{number}")
                waiting += [] if answer.get_json()["indexed"] else [f"d{number}"]
                assert not store.view(Quads)._deferred.datasets(), "indexed says what is loaded"
            else:
                assert answer.status_code == 507, answer.get_data(as_text=True)
                refused += 1
        assert stored
        assert refused
        assert [info.name for info in owner.documents("p")] == sorted(stored), "507 is said of what was not stored"
        health = client.get("/health").get_json()
        assert (health["status"], health["accepting"]) == ("degraded", False)
        assert list(store.health()["waiting"]) == (["p"] if waiting else [])

        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        for _ in range(600):
            if store.health()["status"] == "ok":
                break
            sleep(0.1)
        assert store.health() | {"status": "ok", "accepting": True, "set_aside": {}, "waiting": {}} == store.health()
        assert client.post("/projects/p/documents?name=after", data=document(99), headers=headers).status_code == 201
        length = store.ledger.length("p")
        assert [store.view(view).position("p", "p") for view in (Quads, Lineage, Search)] == [length] * 3
        count = owner.query(f"SELECT (COUNT(*) AS ?n) {{ ?s a <{PROV}Entity> ; <http://e/p> ?o }}", project="p")
        assert str(next(iter(count))["n"]) == str((len(stored) + 1) * ENTITIES)
        assert owner.fsck().sound
