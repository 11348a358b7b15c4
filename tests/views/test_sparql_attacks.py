"""Queries that are designed to harm the server: each gets an answer in time.

The deadline is one second. A query that is stopped there is 503, one that is refused before it runs 400.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.attacks import ATTACKS

DEADLINE = 1.0
"""Seconds until a query is killed. Benchmarks measure how soon after it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    data = tmp_path_factory.mktemp("attacked")
    settings = replace(Settings(data=data, workers=1, query_workers=2), query_bytes=8 << 20)
    with Store.open(settings) as store:
        owner = Repository(store, store.owner())
        owner.create_project("open", public=True)
        lines = "".join(f"used(e:run, e:in{n})\nwasDerivedFrom(e:in{n}, e:in{n + 1})\n" for n in range(40))
        document = f"document\nprefix e <https://example.org/>\n{lines}endDocument"
        owner.submit(document.encode(), project="open", name="run", format="provn")
        yield store


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_the_server_answers_attacks_in_time(store: Store, name: str) -> None:
    query, expected = ATTACKS[name]
    client = create_app(store).test_client()
    assert client.post("/sparql", data={"query": "ASK {}"}).status_code == 200
    answer = client.post("/sparql", data={"query": query, "timeout": str(DEADLINE)})
    assert answer.status_code in expected, answer.text[:500]
    if answer.status_code != 200:
        problem = answer.get_json()
        assert problem["detail"]
        assert "Traceback" not in answer.text
        assert "/tmp" not in answer.text
    following = client.post("/sparql", data={"query": "ASK { ?s prov:used ?o }"})
    assert following.get_json()["boolean"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_attacks_do_not_increase_the_memory_of_the_server(store: Store) -> None:
    client = create_app(store).test_client()

    def attack() -> int:
        for query, expected in ATTACKS.values():
            if expected & {422, 503}:
                client.post("/sparql", data={"query": query, "timeout": "0.1"})
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() >> 20

    before = attack()
    assert attack() - before < 32
