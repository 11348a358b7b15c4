"""Monitors and mirrors over HTTP: a history that was rewritten in the database, blobs and tree together is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo import verify
from provrepo.canonical_json import canonical
from provrepo.errors import Diverged, ReadError, RemoteError
from provrepo.ledger.entries import Entry
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs import trees
from provrepo.repository.logs.monitor import monitor, state_file
from provrepo.repository.repository import Repository
from provrepo.verify.notes import VerifierKey, parse_checkpoint, parse_note, signers
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command
from tests.support.ledgers import tamper
from tests.support.origins import Application, Served, answer, served


@dataclass
class Lab:
    owner: Repository
    server: Served
    state: Path

    def look(self, **options: object) -> str:
        return monitor(self.server.project(), self.state, **options).state  # type: ignore[arg-type]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("crops", public=True)
        for number in range(5):
            owner.submit(PROVJSON, project="crops", name=f"run-{number}")
        with served(owner) as server:
            yield Lab(owner, server, tmp_path / "crops.json")


def rewrite(ledger: Ledger, project: str, sequence: int) -> None:
    """Change an entry as somebody would who has the database and the key: with the chain, the tree and all indexes."""
    previous = ""
    with ledger.database.reading() as connection:
        rows = connection.execute(
            "SELECT sequence, data FROM entries WHERE project = ? ORDER BY sequence", (project,)
        ).fetchall()
    for number, data in rows:
        fields = json.loads(data)
        if number == sequence:
            fields["actor"] = "0" * 32
        fields["previous"] = previous
        entry = Entry.from_bytes(canonical(fields))
        previous = entry.sha256
        tamper(
            ledger,
            "UPDATE entries SET data = ?, sha256 = ? WHERE project = ? AND sequence = ?",
            *(entry.data, entry.sha256, project, number),
        )
    tamper(ledger, "UPDATE streams SET sha256 = ? WHERE project = ?", previous, project)
    with ledger.database.writing() as connection:
        trees.rebuild(connection, project)


def with_log(content: bytes) -> Callable[[dict[str, Any]], Application | None]:
    """Send this as the log, and everything else as the server does."""
    application = answer("200 OK", content, Content_Type="application/json")
    return lambda environ: application if environ["PATH_INFO"].endswith("/log") else None


def test_a_log_is_followed(lab: Lab) -> None:
    assert lab.look() == "new"
    assert lab.look() == "unchanged"
    lab.owner.submit(TURTLE, project="crops", name="more")
    assert lab.look() == "grown"
    found = monitor(lab.server.project(), lab.state)
    assert (found.size, found.former) == (7, 7)
    assert found.keys == lab.owner.log("crops").keys
    assert not any("/ledger" in request or "/blobs" in request for request in lab.server.requests)
    lab.owner.rotate_log_key()
    assert lab.look() == "unchanged"
    lab.owner.retire_log_key()
    assert lab.look() == "unchanged"


@pytest.mark.parametrize("sequence", [1, 3, 6])
def test_a_rewritten_entry_is_found_with_the_evidence(lab: Lab, sequence: int) -> None:
    lab.look()
    before = lab.owner.log("crops").checkpoint
    rewrite(lab.owner.context.store.ledger, "crops", sequence)
    assert list(lab.owner.context.store.ledger.verify("crops")) == []  # the directory itself shows nothing of it
    lab.owner.submit(TURTLE, project="crops", name="more")
    for _ in range(2):  # the former checkpoint is kept, so that it is found again
        with pytest.raises(Diverged, match="others than were signed before") as caught:
            lab.look()
        now = lab.owner.log("crops").checkpoint
        assert caught.value.evidence == [before, now]
    kept = json.loads(lab.state.read_text())
    assert kept["checkpoint"] == before
    assert kept["evidence"][0]["notes"] == [before, now]
    # Both are signed with the same key: that is what proves it to others.
    key = VerifierKey.from_text(kept["keys"][0])
    assert all(signers(parse_note(note), parse_checkpoint(parse_note(note)).origin, [key]) for note in (before, now))


def test_a_mirror_verifies_and_keeps_the_checkpoint(lab: Lab, tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "copy") as copy:
        copy.mirror(lab.server.project(), name="theirs")
        assert copy.log("theirs").checkpoint == lab.owner.log("crops").checkpoint
        assert copy.log("theirs").keys == lab.owner.log("crops").keys
        # The receipt of a mirror is signed by the origin.
        key = lab.owner.log("crops").keys[0]
        assert verify.receipt(copy.receipt("theirs", "run-2"), PROVJSON, key).proven
        assert copy.log_tile("theirs", "0/000.p/6") == lab.owner.log_tile("crops", "0/000.p/6")
        lab.server.requests.clear()
        copy.pull("theirs")
        assert len(lab.server.requests) == 1  # nothing has changed
        lab.owner.submit(TURTLE, project="crops", name="more")
        copy.pull("theirs")
        assert copy.log("theirs").size == 7
        before = copy.log("theirs").checkpoint
        rewrite(lab.owner.context.store.ledger, "crops", 3)
        with pytest.raises(Diverged, match="another entry 3") as caught:
            copy.pull("theirs")
        assert caught.value.evidence == [before, lab.owner.log("crops").checkpoint]
        assert copy.log("theirs").checkpoint == before
        assert copy.fsck().problems == ()


def test_a_mirror_refuses_a_checkpoint_of_other_entries(lab: Lab, tmp_path: Path) -> None:
    """The origin sends one history, and signs another."""
    with provrepo.open(tmp_path / "copy") as copy:
        copy.mirror(lab.server.project(), name="theirs")
        kept = copy.log("theirs").checkpoint
        lab.owner.submit(TURTLE, project="crops", name="more")
        shutil.copytree(tmp_path / "data", tmp_path / "second", ignore=shutil.ignore_patterns("views*", "spool"))
        with provrepo.open(tmp_path / "second", follow=False) as second:
            rewrite(second.context.store.ledger, "crops", 2)
            other = json.dumps(second.log("crops").to_dict()).encode()
        lab.server.instead = lambda environ: (
            answer("200 OK", other, Content_Type="application/json") if environ["PATH_INFO"].endswith("/log") else None
        )
        with pytest.raises(Diverged, match="has signed other entries than it has sent") as caught:
            copy.pull("theirs")
        assert len(caught.value.evidence) == 2
        assert copy.log("theirs").checkpoint == kept
        # Another project's log is none of this one.
        lab.owner.create_project("soil", public=True)
        foreign = json.dumps(lab.owner.log("soil").to_dict()).encode()
        lab.server.instead = lambda environ: (
            answer("200 OK", foreign, Content_Type="application/json")
            if environ["PATH_INFO"].endswith("/log")
            else None
        )
        with pytest.raises(Diverged, match="sent the checkpoint of"):
            copy.pull("theirs")


def test_an_origin_without_a_log_is_mirrored_as_before(lab: Lab, tmp_path: Path) -> None:
    lab.owner.context.store.parts.log.keys.file.unlink()
    with pytest.raises(RemoteError, match="has no signed log"):
        lab.look()
    with provrepo.open(tmp_path / "copy") as copy:
        copy.mirror(lab.server.project(), name="theirs")
        assert len(copy.entries("theirs")) == 6
        with pytest.raises(provrepo.errors.NotFound, match="has sent no signed checkpoint"):
            copy.log("theirs")


def test_a_replaced_key_is_named_and_can_be_accepted(lab: Lab, tmp_path: Path) -> None:
    lab.look()
    with provrepo.open(tmp_path / "copy") as copy:
        copy.mirror(lab.server.project(), name="theirs")
        lab.owner.rotate_log_key(lost=True)
        lab.owner.submit(TURTLE, project="crops", name="more")
        with pytest.raises(Diverged, match="is not signed by a key that signed before"):
            lab.look()
        with pytest.raises(Diverged, match="is not signed by a key that signed before"):
            copy.pull("theirs")
        assert lab.look(keys=[VerifierKey.from_text(lab.owner.log("crops").keys[0])]) == "grown"
        copy.pull("theirs", after_reset=True)
        assert copy.log("theirs").keys == lab.owner.log("crops").keys


def test_a_file_that_is_not_of_a_monitor_is_refused(lab: Lab) -> None:
    for content in ("nonsense", "[]", "{}", '{"format": 2}', '{"format": 1, "checkpoint": "x", "keys": []}'):
        lab.state.write_text(content)
        with pytest.raises(ReadError):
            lab.look()
        assert lab.state.read_text() == content


def test_the_command(lab: Lab, tmp_path: Path) -> None:
    command, url = Command(tmp_path / "here"), lab.server.project()
    first = command("log", "monitor", url)
    assert first.stdout.endswith("/crops: new, 6 entries\n")
    assert "compare it on another way" in first.stderr
    assert state_file(tmp_path / "here" / "monitors", url).exists()
    (tmp_path / "keys").write_text("\n".join(lab.owner.log("crops").keys))
    options = ("--state", tmp_path / "state", "--key", tmp_path / "keys")
    assert command.json("log", "monitor", url, *options)["state"] == "new"
    rewrite(lab.owner.context.store.ledger, "crops", 2)
    lab.owner.submit(TURTLE, project="crops", name="more")
    result = command("log", "monitor", url, *options, code=1)
    assert result.stdout.count("w3id.org/provrepo/log/") == 4
    assert "signed before:" in result.stdout
    assert "others than were signed before" in result.stderr
    assert len(command.json("log", "monitor", url, *options, code=1)["evidence"]) == 2
    assert "not the URL of a project" in command.error("log", "monitor", "https://lab.example", code=2)
