"""Peers: who may name them, what is stored, and that their tokens are shown nowhere."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Damaged, Denied, InvalidName, NotFound, SettingsError, UsageError
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.migrations import SCHEMA
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep.restore import restore
from tests.conftest import PROVJSON
from tests.support import unprivileged
from tests.support.command import Command
from tests.support.command import provrepo as command

SECRET = "pvr_0123456789abcdef_not-to-be-seen-anywhere"
URL = "https://lab-b.example/prov"


def add(repository: Repository, name: str = "lab-b", **given: Any) -> Any:
    return repository.add_peer(name, URL, token=SECRET, **given)


def test_a_peer_is_added_changed_and_removed(repository: Repository) -> None:
    repository.create_project("crops")
    made = add(repository, accepts="pending", projects=["crops", "crops"], profiles=["core"], quota_documents=3)
    assert (made.url, made.accepts, made.projects, made.profiles) == (URL + "/", "pending", ("crops",), ("core",))
    assert (made.quota_documents, made.quota_bytes, made.has_token) == (3, 256 << 20, True)
    assert (made.identity, made.contacted, made.failed) == ("", "", "")
    assert repository.peers() == [made] == [repository.peer("lab-b")]
    with pytest.raises(Conflict, match="lab-b"):
        add(repository)
    changed = repository.set_peer("lab-b", accepts="at-once", project="soil", token="")
    assert (changed.accepts, changed.project, changed.has_token) == ("at-once", "soil", False)
    assert (changed.url, changed.projects, changed.added) == (made.url, made.projects, made.added)
    assert repository.remove_peer("lab-b") == changed
    assert repository.peers() == []
    for verb in (repository.peer, repository.remove_peer, repository.set_peer):
        with pytest.raises(NotFound, match="lab-b"):
            verb("lab-b")


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"url": "lab-b.example"}, UsageError, "not the URL"),
        ({"url": "ftp://lab-b.example/"}, UsageError, "not the URL"),
        ({"url": "https://me:word@lab-b.example/"}, UsageError, "must not contain a user"),
        ({"url": "https://lab-b.example/?q=1"}, UsageError, "not the URL"),
        ({"url": "https://lab-b.example:x/"}, UsageError, "not the URL"),
        ({"name": "../etc"}, InvalidName, "peer"),
        ({"project": "a b"}, InvalidName, "project"),
        ({"projects": ["nowhere"]}, NotFound, "nowhere"),
        ({"profiles": ["nothing-like-it"]}, UsageError, "nothing-like-it"),
        ({"accepts": "everything"}, UsageError, "at-once"),
        ({"quota_bytes": -1}, UsageError, "quota"),
        ({"quota_documents": 1 << 60}, UsageError, "quota"),
        ({"identity": "me"}, UsageError, "UUID"),
        ({"token": "two words"}, SettingsError, "character 4"),
    ],
)
def test_invalid_values_are_refused(
    repository: Repository, given: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        repository.add_peer(**{"name": "lab-b", "url": URL, **given})
    assert repository.peers() == []


def test_only_the_owner_may(repository: Repository) -> None:
    add(repository)
    _, token = repository.create_token("everything")
    other = repository.as_actor(repository.context.store.authenticate(repository.create_token("all")[0]) or ANONYMOUS)
    assert other.actor.name == "all"
    assert [found.name for found in other.peers()] == ["lab-b"], "it may write to all projects"
    limited, _ = repository.create_token("reader", write=False)
    reader = repository.as_actor(repository.context.store.authenticate(limited) or ANONYMOUS)
    for caller in (other, repository.as_actor(ANONYMOUS)):
        with pytest.raises(Denied, match="only the owner"):
            caller.remove_peer("lab-b")
        with pytest.raises(Denied, match="only the owner"):
            add(caller, "other")
        with pytest.raises(Denied, match="only the owner"):
            caller.set_peer("lab-b", url=URL)
    for narrow in (repository.as_actor(ANONYMOUS), reader):
        with pytest.raises(Denied):
            narrow.peers()
        with pytest.raises(Denied):
            narrow.peer("lab-b")
    assert token.valid


def test_reading_creates_nothing(repository: Repository) -> None:
    assert repository.peers() == []
    with pytest.raises(NotFound):
        repository.remove_peer("lab-b")
    assert not repository.context.store.exchange.exists


def test_the_token_is_shown_nowhere(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    run = Command(tmp_path / "data")
    outputs = [run("peers", "add", "lab-b", URL, "--token-file", file).output]
    outputs += [
        run("peers", *rest).output for rest in (["list"], ["show", "lab-b"], ["show", "lab-b", "--output", "json"])
    ]
    outputs += [run("peers", "add", "lab-b", URL, "--token-file", file, code=1).output]
    outputs += [run("peers", "set", "lab-b", "--token-file", "-", stdin=f"{SECRET} {SECRET}".encode(), code=2).output]
    outputs += [repr(repository.peers()), str(repository.settings)]
    assert not [text for text in outputs if SECRET in text]
    assert repository.context.store.peers.token("lab-b") == SECRET
    ledger = (tmp_path / "data" / "ledger.sqlite").read_bytes() + (tmp_path / "data" / "ledger.sqlite-wal").read_bytes()
    assert SECRET.encode() not in ledger
    assert stat.S_IMODE((tmp_path / "data" / "exchange.sqlite").stat().st_mode) == 0o600


def test_a_removed_token_is_no_longer_on_the_disk(repository: Repository) -> None:
    add(repository)
    exchange = repository.context.store.exchange

    def stored() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(exchange.file.parent.glob("exchange.sqlite*")))

    assert SECRET.encode() in stored()
    repository.set_peer("lab-b", token="another")
    assert SECRET.encode() not in stored()
    repository.set_peer("lab-b", token=SECRET)
    repository.remove_peer("lab-b")
    assert SECRET.encode() not in stored()


def test_the_token_comes_from_environment_file_or_stdin(tmp_path: Path) -> None:
    add = ("peers", "add")
    token = {"PROVREPO_PEER_TOKEN": SECRET}
    done = command("--data", "data", *add, "a", URL, cwd=tmp_path, **token)
    assert (done.returncode, b"token       stored" in done.stdout) == (0, True), done.stderr
    done = command("--data", "data", *add, "b", URL, "--token-file", "-", cwd=tmp_path, stdin=b"other\n", **token)
    assert done.returncode == 0
    done = command("--data", "data", *add, "c", URL, "--token-file", "-", cwd=tmp_path, stdin=b"\n")
    assert (done.returncode, b"contains no token" in done.stderr) == (2, True)
    assert command("--data", "data", *add, "d", URL, cwd=tmp_path).returncode == 0
    with provrepo.open(tmp_path / "data") as repository:
        peers = repository.context.store.peers
        assert [peers.token(name) for name in ("a", "b", "d")] == [SECRET, "other", ""]


def test_contacts_are_recorded(repository: Repository) -> None:
    add(repository)
    peers = repository.context.store.peers
    peers.failed("lab-b", "it does not answer")
    found = repository.peer("lab-b")
    assert (found.failure, found.contacted, bool(found.failed)) == ("it does not answer", "", True)
    identity = "0b6c7f8e-1d7e-4f4b-8a53-111111111111"
    peers.contacted("lab-b", identity=identity)
    peers.contacted("lab-b")
    found = repository.peer("lab-b")
    assert (found.identity, found.failed, found.failure, bool(found.contacted)) == (identity, "", "", True)
    peers.contacted("gone")
    peers.failed("gone", "")


def test_the_command_line_shows_peers(repository: Repository) -> None:
    repository.create_project("crops")
    run = Command(repository.settings.data)
    made = run.json("peers", "add", "lab-b", URL, "--accept", "pending", "--into", "crops", "--quota-documents", 5)
    assert (made["projects"], made["quota_documents"]) == (["crops"], 5)
    assert run.json("peers", "set", "lab-b", "--accept", "at-once", "--url", "http://localhost:1/")["url"].endswith(
        ":1/"
    )
    assert "at-once" in run("peers", "list").stdout
    assert run.json("peers", "list")[0]["accepts"] == "at-once"
    assert "lab-b removed" in run("peers", "remove", "lab-b").stdout
    assert "no peer 'lab-b'" in run.error("peers", "show", "lab-b", code=1)


def test_a_push_only_token_gives_access_to_nothing(repository: Repository) -> None:
    repository.create_project("crops")
    repository.submit(PROVJSON, project="crops", name="run")
    run = Command(repository.settings.data)
    made = run.json("token", "create", "lab-b", "--push-only")
    assert (made["projects"], made["write"]) == ([], False)
    actor = repository.context.store.authenticate(made["token"])
    assert actor is not None
    peer = repository.as_actor(actor)
    assert peer.projects() == []
    with pytest.raises(NotFound):
        peer.document("crops", "run")
    with pytest.raises(NotFound):
        peer.submit(PROVJSON, project="crops", name="run")
    assert "--project" in run.error("token", "create", "x", "--push-only", "--project", "crops", code=2)


# The database


def test_backup_and_restore_include_it(repository: Repository, tmp_path: Path) -> None:
    add(repository)
    wanted = repository.peers()
    repository.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with provrepo.open(tmp_path / "again") as again:
        assert again.peers() == wanted
        assert again.context.store.peers.token("lab-b") == SECRET
        assert again.fsck().problems == ()
    assert stat.S_IMODE((tmp_path / "again" / "exchange.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE more (x)", "DROP TABLE peers", "ALTER TABLE peers ADD COLUMN more TEXT"],
)
def test_fsck_finds_other_tables(repository: Repository, statement: str) -> None:
    add(repository)
    assert repository.fsck().problems == ()
    connection = sqlite3.connect(repository.context.store.exchange.file)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert any("exchange.sqlite" in problem for problem in repository.fsck().problems)


@pytest.mark.parametrize("version", [SCHEMA + 1, 0])
def test_a_foreign_or_newer_database_is_refused(tmp_path: Path, version: int) -> None:
    file = tmp_path / "exchange.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE x (y)")
    if version:
        connection.execute("PRAGMA application_id = 0x50564558")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = file.read_bytes()
    database = ExchangeDatabase(file)
    with pytest.raises(Damaged, match="newer version" if version else "another program"), database.reading():
        pass
    assert len(database.verify()) == 1
    assert file.read_bytes() == before


def test_a_read_only_directory_shows_its_peers() -> None:
    with unprivileged.folder() as place:
        with provrepo.open(place / "data") as repository:
            repository.init()
            add(repository)
        unprivileged.take_permissions(place / "data")
        done = unprivileged.run("-m", "provrepo", "--data", place / "data", "peers", "list", cwd=place)
        assert (done.returncode, b"lab-b" in done.stdout) == (0, True), done.stderr
        done = unprivileged.run("-m", "provrepo", "--data", place / "data", "peers", "remove", "lab-b", cwd=place)
        assert (done.returncode, b"read-only" in done.stderr) == (1, True), done.stderr
