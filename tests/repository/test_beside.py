"""Verbs beside a server that holds the views: it answers them, up to the last entry of the ledger."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Busy, NotFound, QueryError, RemoteError, TimedOut, UsageError
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.repository.upkeep import beside
from provrepo.settings import Settings
from provrepo.workers import wire
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command, environment
from tests.support.paths import ROOT

ASK = "ASK { ?s rdfs:label 'cleaned' }"
CLEAN = "http://example.org/clean"
PATIENCE = 600
"""The seconds that a query may take at the server: those that nobody waits for end long before."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a server in another process."""
    data = tmp_path_factory.mktemp("beside") / "data"
    with provrepo.open(data) as repository:
        repository.create_project("crops", public=True)
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, name="own")
    server = started(data)
    yield data
    ended(server)


def started(data: Path) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
        cwd=ROOT,
        env=environment(PROVREPO_QUERY_TIMEOUT=str(PATIENCE)),
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    for line in server.stderr:
        if b"provrepo serves" in line:
            return server
    raise AssertionError("the server did not start")


def ended(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    assert server.stderr is not None
    server.stderr.close()


VERBS: list[tuple[object, ...]] = [
    ("query", "SELECT ?s { ?s a prov:Entity } ORDER BY ?s", "--project", "crops", "--output", "json"),
    ("query", "CONSTRUCT { ?s a prov:Entity } { ?s a prov:Entity }", "--public", "--output", "turtle"),
    ("query", ASK, "--project", "crops"),
    ("query", "SELECT * { ?s prov:used ?o }", "--version", "crops/run@1", "--output", "csv"),
    ("lineage", CLEAN, "--output", "json"),
    ("lineage", CLEAN, "--output", "trig"),
    ("lineage", CLEAN, "--output", "svg"),
    ("lineage", "http://example.org/raw", "--impact", "--output", "json"),
    ("lineage", CLEAN, "--common", "http://example.org/raw", "--output", "json"),
    ("thing", CLEAN, "--output", "json"),
    ("thing", CLEAN, "--output", "provn"),
    ("search", "clean", "--output", "json"),
    ("list", "--output", "json"),
    ("history", "crops/run", "--output", "json"),
    ("export", "crops/run", "--to", "provn"),
    ("project", "list", "--output", "json"),
    ("profile", "metrics", "--project", "crops"),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(map(str, verb)))
def test_the_command_line_reads_the_same_beside_a_server(data: Path, verb: tuple[object, ...], tmp_path: Path) -> None:
    beside_it = Command(data)(*verb)
    alone = tmp_path / "copy"
    # Without the views: the server removes files of theirs at any time.
    shutil.copytree(data, alone, ignore=shutil.ignore_patterns("views", "views.lock"))
    by_itself = Command(alone)(*verb)
    assert beside_it.stdout == by_itself.stdout
    assert beside_it.stderr == by_itself.stderr


def test_gate_beside_a_server(data: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.write_text("http://example.org/raw\n")
    found = Command(data)("gate", CLEAN, "--sources", sources, "--project", "crops", "--min-coverage", "1")
    assert found.stdout.startswith("passed")


def test_errors_come_as_they_are(data: Path) -> None:
    with provrepo.open(data) as repository:
        with pytest.raises(QueryError) as caught:
            repository.query("SELECT * {", project="crops")
        assert caught.value.line == 1
        with pytest.raises(NotFound, match="nowhere"):
            repository.lineage("http://example.org/nowhere")
        with pytest.raises(NotFound, match="nothing"):
            repository.query(ASK, project="nothing")
        with pytest.raises(UsageError, match="not a direction"):
            repository.lineage(CLEAN, direction="sideways")
        with pytest.raises(TimedOut):
            repository.query(
                "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o . ?p ?q ?r }",
                project="crops",
                timeout=0.5,
            )
        assert not repository.context.store.indexing()


def test_who_submits_finds_it_at_once(data: Path) -> None:
    command = Command(data)
    for number in range(3):
        document = PROVJSON.replace(b"cleaned", f"cleaned {number} times".encode())
        file = data.parent / f"more-{number}.json"
        file.write_bytes(document)
        assert "the running server" in command("submit", file, "--project", "crops").stderr
        asked = f"ASK {{ ?s rdfs:label 'cleaned {number} times' }}"
        assert command("query", asked, "--project", "crops").stdout == "yes\n"
        command("withdraw", f"crops/more-{number}", "--reason", "enough")
        assert command("query", asked, "--project", "crops").stdout == "no\n"


def test_only_its_user_reaches_it(data: Path) -> None:
    path = Path(json.loads((data / "views.lock").read_text())["socket"])
    assert stat.S_ISSOCK(path.lstat().st_mode)
    assert path.parent.stat().st_mode & 0o077 == 0
    assert beside.holder_at(str(path)) is not None
    assert beside.holder_at("") is None
    assert beside.holder_at(str(path.parent / "nothing")) is None
    path.parent.chmod(0o755)
    try:
        assert beside.holder_at(str(path)) is None, "others may have put it there"
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"software": "0.0.1", "verb": "query", "args": ["ASK {}"], "kwargs": {}}, "runs provrepo"),
        ({"software": provrepo.__version__, "verb": "erase", "args": [], "kwargs": {}}, "does not answer erase"),
        ({"software": provrepo.__version__, "verb": "__init__", "args": [], "kwargs": {}}, "does not answer"),
    ],
)
def test_what_is_not_answered(data: Path, request_: dict[str, Any], message: str) -> None:
    path = json.loads((data / "views.lock").read_text())["socket"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.connect(path)
        link.sendall(wire.frame(request_))
        reply = wire.read_frame(link.makefile("rb"))
    assert reply is not None
    error = wire.decode_error(reply)
    assert isinstance(error, Busy)
    assert message in str(error)


def test_nonsense_does_no_harm(data: Path) -> None:
    path = json.loads((data / "views.lock").read_text())["socket"]
    for nonsense in (
        b"",
        b"\x00" * 3,
        b"\x00" * 7 + b"\x02{}",
        b"\x00" * 7 + b"\x03xyz",
        pickle.dumps({"verb": "query"}),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.connect(path)
            link.sendall(nonsense)
    assert Command(data)("query", ASK, "--project", "crops").stdout == "yes\n"


def test_a_server_that_died_is_no_obstacle(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with provrepo.open(data) as repository:
        repository.submit(PROVJSON, name="run")
    server = started(data)
    server.kill()
    server.wait()
    assert Command(data)("query", ASK).stdout == "yes\n"
    server = started(data)
    assert len(list((data / "views").glob(".asked-*"))) == 1, "what the other one left is removed"
    assert Command(data)("query", ASK).stdout == "yes\n"
    ended(server)
    assert list((data / "views").glob(".asked-*")) == []
    assert Command(data)("query", ASK).stdout == "yes\n"


def test_a_question_that_is_given_up_ends_in_the_server(data: Path) -> None:
    path = json.loads((data / "views.lock").read_text())["socket"]
    slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o . ?p ?q ?r }"
    question = {"software": provrepo.__version__, "verb": "query", "args": [slow], "kwargs": {"project": "crops"}}
    for _ in range(12):  # more than concurrent calls, and more than workers
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.connect(path)
            link.sendall(wire.frame(question))
    started_at = time.monotonic()
    assert Command(data)("query", ASK, "--project", "crops").stdout == "yes\n"
    assert time.monotonic() - started_at < PATIENCE, "their deadline is not waited for"


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    data = tmp_path / ("long-" * 30) / "data"
    with Store.open(Settings(data=data, workers=1, query_workers=1)) as store:
        owner = Repository(store, store.owner())
        owner.submit(PROVJSON, name="run")
        assert Repository(store).serve("http://127.0.0.1:9/")
        found = subprocess.run(
            [sys.executable, "-m", "provrepo", "--data", str(data), "query", ASK],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            check=True,
        )
        assert found.stdout == b"yes\n"


def test_a_holder_that_goes_away_while_it_answers_is_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        os.chdir(folder)
        listening.bind("s")
        os.chdir(ROOT)
        path = str(folder / "s")
        if len(path) > 100:
            pytest.skip("the path of temporary files is too long here")
        with pytest.raises(RemoteError, match="does not answer"):
            beside.Holder(path).call_verb("query", ("ASK {}",), {})


def test_another_actor_is_not_answered_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "TIMEOUT", 0.1)
    with provrepo.open(data) as repository:
        text, _ = repository.create_token("pipeline")
        actor = repository.context.store.authenticate(text)
        assert actor is not None
        stranger: Repository = repository.as_actor(actor)
        with pytest.raises(Busy, match="holds the views"):
            stranger.query(ASK, project="crops")


def test_where_no_socket_can_be_made_the_server_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("the file system has no sockets")

    class Refusing(socket.socket):
        bind = refuse  # type: ignore[assignment]

    monkeypatch.setattr(beside.socket, "socket", Refusing)
    with Store.open(Settings(data=tmp_path / "data", workers=1, query_workers=1)) as store:
        assert Repository(store).serve("http://127.0.0.1:9/")
        assert "the file system has no sockets" in caplog.text
        assert json.loads((store.settings.data / "views.lock").read_text())["socket"] == ""
        assert list((store.settings.data / "views").glob(".asked-*")) == []
