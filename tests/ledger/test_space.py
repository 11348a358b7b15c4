"""A nearly full disk: submissions are refused early, and everything else continues."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import NamedTuple

import pytest

import provrepo
from provrepo.errors import NoSpace
from provrepo.repository.repository import Repository
from provrepo.settings import Settings
from tests.support.serving import LATER, PROVN, PROVN_TYPE, Site, opened

LEAST = 256 << 20


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def left(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, (1 << 40) - free, free))


def test_submissions_are_refused_before_the_disk_is_full(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(name: str, data: bytes = PROVN) -> int:
        answer = site.client.post(
            f"/projects/open/documents?name={name}", data=data, content_type=PROVN_TYPE, headers=site.auth("all")
        )
        if answer.status_code == 507:
            assert answer.get_json()["type"].endswith("#no-space")
            assert "268,435,456 bytes are kept free" in answer.get_json()["detail"]
        return answer.status_code

    left(monkeypatch, LEAST + len(PROVN) - 1)
    before = site.store.ledger.position()
    assert send("more") == 507
    assert site.store.ledger.position() == before
    # Bytes that are stored already take no space. Reading, queries and withdrawals continue.
    assert send("run") == 200
    assert site.client.get("/projects/open/documents/run").status_code == 200
    assert site.client.get("/sparql", query_string={"query": "ASK { ?a prov:used ?b }"}).get_json()["boolean"] is True
    assert site.client.delete("/projects/open/documents/twice", headers=site.auth("all")).status_code == 200
    left(monkeypatch, LEAST + len(PROVN))
    assert send("more") == 201
    put = {"content_type": PROVN_TYPE, "headers": {**site.auth("all"), "If-Match": "*"}}
    assert site.client.put("/projects/open/documents/more", data=LATER, **put).status_code == 507


def test_health_says_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Repository(site.store).serve("http://127.0.0.1:1/")
    assert site.client.get("/health").get_json()["accepting"] is True
    left(monkeypatch, LEAST - 1)
    found = site.client.get("/health").get_json()
    assert (found["accepting"], found["status"]) == (False, "degraded")
    assert "free_bytes" not in found


def test_the_limit_can_be_set_and_taken_off(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> None:
    left(monkeypatch, 5000)
    for least, works in ((0, True), (1000, True), (5000, False)):
        settings = Settings(data=tmp_path_factory.mktemp("data"), min_free=least)
        with provrepo.open(settings=settings) as repository:
            if works:
                assert repository.submit(PROVN).created
            else:
                with pytest.raises(NoSpace, match="too little space"):
                    repository.submit(PROVN)
