"""What a peer says about a failure is quoted on one line, without what a terminal or a log obeys, and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo import problems
from provrepo.errors import Error
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.support.command import Command
from tests.support.lying import lying, response

HOSTILE = "no\r\n\x1b[2J\x9b1Aerror: all is well\u2028\u202egnp" + "x" * 100_000
LONGEST = 1100
"""A quoted text of 1,000 characters, and what is said around it."""


def problem(status: str, name: str) -> bytes:
    body = json.dumps({"type": problems.TYPES + name, "title": HOSTILE, "detail": HOSTILE, "status": 400}).encode()
    return response(status, body, Content_Type=problems.MEDIA_TYPE)


KINDS = [("503 Busy", "busy"), ("403 Forbidden", "denied"), ("400 Bad Request", "usage"), ("502 Bad", "remote")]


def assert_quoted(text: str) -> None:
    assert "all is well" in text
    assert text.isprintable()
    assert len(text) <= LONGEST


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "data"
    with provrepo.open(folder) as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
    return folder


@pytest.fixture
def owner(data: Path) -> Iterator[Repository]:
    with provrepo.open(data) as repository:
        yield repository
        for peer in repository.peers():
            repository.remove_peer(peer.name)


@pytest.mark.parametrize(("status", "name"), KINDS)
def test_the_failure_of_a_push(owner: Repository, status: str, name: str) -> None:
    with lying(problem(status, name)) as server:
        owner.add_peer(name, server.url)
        assert_quoted(owner.push(name, "crops", "run").failure)
    if name in ("busy", "denied", "remote"):
        assert_quoted(owner.peer(name).failure)


@pytest.mark.parametrize(("status", "name"), KINDS)
def test_the_failure_of_a_notice(owner: Repository, status: str, name: str) -> None:
    with lying(problem(status, name)) as server:
        holder = owner.add_holder("crops", url=f"{server.url}{name}", since=0)
        owner.submit(PROVJSON + b"\n" * (1 + len(name)), project="crops", name=name, update=True)
        owner.withdraw("crops", name, reason="wrong")
        owner.send_notices()
        sent = [one.to_dict() for one in owner.notices(direction="sent")]
        failures = {one["failure"] for one in sent if one["url"].startswith(server.url)} - {""}
        assert failures
        for failure in failures:
            assert_quoted(failure)
        owner.remove_holder(holder.id)


def test_the_failure_of_a_mirror(owner: Repository) -> None:
    with lying(problem("502 Bad", "remote")) as server, pytest.raises(Error) as caught:
        owner.mirror(f"{server.url}projects/there")
    assert str(caught.value).isprintable()


def test_the_failure_of_a_federated_lineage(owner: Repository) -> None:
    iri = owner.search("clean").things[0].iri
    with lying(problem("400 Bad Request", "usage")) as server:
        owner.add_peer("there", server.url)
        found = owner.lineage(iri, federated=True)
    assert_quoted(found.laboratories[1].message)  # type: ignore[attr-defined]
    assert all("\n" not in line for line in found.reports())


def test_the_command_line_prints_one_line(tmp_path: Path) -> None:
    run = Command(tmp_path / "data")
    with lying(problem("400 Bad Request", "usage")) as server:
        shown = run("mirror", f"{server.url}projects/there", code=2)
    assert shown.stderr.count("\n") == 1
    assert_quoted(shown.stderr.removeprefix("error: ").rstrip("\n")[:LONGEST])
    assert "\x1b" not in shown.stderr


def test_texts_of_others_in_tables_stay_in_their_cells(owner: Repository) -> None:
    owner.submit(PROVJSON + b" \n ", project="crops", name="noted", note="a\n\x1b[2Jb")
    shown = Command(owner.context.store.settings.data)("history", "crops/noted")
    assert "\x1b" not in shown.stdout
    assert "a <U+001B>[2Jb" in shown.stdout
