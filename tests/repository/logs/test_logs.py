"""The verbs about logs: checkpoints, receipts, rotation of keys, restores, and who may see them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import provrepo
from provrepo import verify
from provrepo.errors import Conflict, Denied, NotAvailable, NotFound, Withdrawn
from provrepo.repository.repository import Repository
from provrepo.settings import Settings
from provrepo.verify.merkle import is_consistent
from provrepo.verify.notes import VerifierKey, parse_checkpoint, parse_note, signers
from tests.conftest import PROVJSON


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "data", follow=False) as opened:
        opened.create_project("crops")
        opened.submit(PROVJSON, project="crops", name="run")
        yield opened


def open_with(data: Path, key: Path) -> Repository:
    return provrepo.open(settings=replace(Settings(), data=data, log_key=str(key)), follow=False)


def test_a_checkpoint_covers_all_entries(repository: Repository) -> None:
    found = repository.log("crops")
    note = parse_note(found.checkpoint)
    stated = parse_checkpoint(note)
    assert (stated.origin, stated.size, stated.root.hex()) == (found.origin, found.size, found.root)
    assert found.size == len(repository.entries("crops")) == 2
    assert signers(note, found.origin, [VerifierKey.from_text(key) for key in found.keys])
    assert found.origin.startswith(f"w3id.org/provrepo/log/{repository.identity()}/")
    assert found.origin.endswith("/crops")
    # The same tree has the same checkpoint, from any process.
    with provrepo.open(repository.settings.data, follow=False) as again:
        assert again.log("crops") == found
    repository.set_project("crops", title="Crops")
    later = repository.log("crops")
    proof = repository.context.store.parts.log.consistency_proof("crops", 2, 3)
    assert is_consistent(2, stated.root, 3, bytes.fromhex(later.root), proof)


def test_a_submission_has_its_receipt(repository: Repository) -> None:
    receipt = repository.submit(PROVJSON, project="crops", name="again")
    assert receipt.receipt is not None
    assert verify.receipt(receipt.receipt, PROVJSON, repository.log("crops").keys[0]).proven
    assert receipt.receipt["entry"] == repository.entries("crops", after=2)[0].entry
    # The one of before stays valid when the log has grown.
    repository.submit(PROVJSON, project="crops", name="third")
    assert verify.receipt(receipt.receipt, PROVJSON, repository.log("crops").keys[0]).size == 3
    assert verify.receipt(repository.receipt("crops", "again"), PROVJSON).size == 4


def test_a_withdrawn_version_has_a_receipt_for_those_who_may_read_it(repository: Repository) -> None:
    repository.withdraw("crops", "run", reason="wrong")
    reader, _ = repository.create_token("reader", projects=["crops"], write=False)
    actor = repository.context.store.authenticate(reader)
    assert actor is not None
    with pytest.raises(Withdrawn):
        repository.as_actor(actor).receipt("crops", "run", 1)
    assert verify.receipt(repository.receipt("crops", "run", 1), PROVJSON).proven
    repository.erase("crops", "run", 1, reason="by order")
    with pytest.raises(Withdrawn):
        repository.receipt("crops", "run", 1)


def test_who_may_see_a_log(repository: Repository) -> None:
    anonymous = repository.as_actor(repository.context.store.anonymous())
    for call in (
        lambda: anonymous.log("crops"),
        lambda: anonymous.log_tile("crops", "0/000.p/1"),
        lambda: anonymous.receipt("crops", "run"),
        lambda: anonymous.log("nothing"),
    ):
        with pytest.raises(NotFound):
            call()
    for call in (lambda: anonymous.log(), lambda: anonymous.log_tile(None, "0/000.p/1")):
        with pytest.raises(Denied):
            call()
    with pytest.raises(Denied):
        anonymous.rotate_log_key()
    with pytest.raises(Denied):
        anonymous.retire_log_key()
    repository.set_project("crops", public=True)
    assert anonymous.log("crops") == repository.log("crops")
    assert len(anonymous.log_tile("crops", "0/000.p/3")) == 96
    assert anonymous.log_tile("crops", "entries/000.p/3") == b"".join(
        b"\x00\x20" + bytes.fromhex(entry.sha256) for entry in repository.entries("crops")
    )
    assert repository.log().project == ""


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0/0", "0/000", "0/000.p/4", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/001.p/1", "64/000.p/1"),
        *("0/x000/000.p/1", "00/000.p/1", "entries/000", "entries/000.p/4", "0/../000.p/1", "0/٠٠٠.p/1", "x/000"),
    ],
)
def test_a_path_that_is_no_tile_is_not_found(repository: Repository, path: str) -> None:
    with pytest.raises(NotFound):
        repository.log_tile("crops", path)


def test_a_rotation_signs_with_both_keys(repository: Repository) -> None:
    former = repository.log("crops").keys[0]
    before = repository.receipt("crops", "run")
    repository.rotate_log_key()
    found = repository.log("crops")
    new, old = found.keys
    assert old == former
    note = parse_note(found.checkpoint)
    assert len(note.signatures) == 2
    both = repository.receipt("crops", "run")
    for key in (new, old):
        assert verify.receipt(both, PROVJSON, key).proven
    assert not verify.receipt(before, PROVJSON, new).proven
    with pytest.raises(Conflict, match="two keys sign already"):
        repository.rotate_log_key()
    # Another process uses both keys as well.
    with provrepo.open(repository.settings.data, follow=False) as again:
        assert again.log("crops") == found
    repository.retire_log_key()
    assert repository.log("crops").keys == (new,)
    after = repository.receipt("crops", "run")
    assert verify.receipt(after, PROVJSON, new).proven
    assert not verify.receipt(after, PROVJSON, old).proven
    assert verify.receipt(before, PROVJSON, old).proven
    with pytest.raises(Conflict, match="no key was replaced"):
        repository.retire_log_key()
    own = repository.context.store.ledger.entries("")
    states = [(entry.body["state"], entry.body["key"]) for entry in own if entry.kind == "key"]
    assert [state for state, _ in states] == ["created", "rotated", "created", "revoked"]
    assert states[1][1] == states[0][1] == states[3][1] != states[2][1]
    assert repository.fsck().problems == ()


def test_a_key_that_is_lost_is_replaced_at_once(repository: Repository) -> None:
    old = repository.log("crops").keys[0]
    file = repository.context.store.parts.log.keys.file
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    with pytest.raises(NotAvailable, match="provrepo log rotate --lost"):
        repository.log("crops")
    with pytest.raises(NotAvailable):
        repository.receipt("crops", "run")
    with pytest.raises(NotAvailable):
        repository.rotate_log_key()
    # Submissions are stored all the same.
    assert repository.submit(PROVJSON, project="crops", name="without").receipt is None
    repository.rotate_log_key(lost=True)
    (new,) = repository.log("crops").keys
    assert new != old
    assert verify.receipt(repository.receipt("crops", "without"), PROVJSON, new).proven


@pytest.mark.parametrize(
    "content", [b"", b"no key\n", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_file_of_keys_is_said(repository: Repository, content: bytes) -> None:
    repository.context.store.parts.log.keys.file.write_bytes(content)
    with pytest.raises(NotAvailable, match=r"log-key\.pem"):
        repository.log("crops")


def test_a_key_outside_of_the_data_directory(tmp_path: Path) -> None:
    key = tmp_path / "elsewhere" / "signing.pem"
    with open_with(tmp_path / "data", key) as repository:
        repository.create_project("crops")
        found = repository.log("crops")
    assert key.exists()
    assert not (tmp_path / "data" / "log-key.pem").exists()
    # Without the setting there is no key; nothing is signed with another.
    with provrepo.open(tmp_path / "data", follow=False) as repository, pytest.raises(NotAvailable):
        repository.log("crops")
    key.rename(tmp_path / "moved.pem")
    with open_with(tmp_path / "data", tmp_path / "moved.pem") as repository:
        assert repository.log("crops") == found


def test_a_key_of_another_repository_does_not_sign(tmp_path: Path, repository: Repository) -> None:
    with provrepo.open(tmp_path / "other", follow=False) as other:
        other.init()
    shutil.copy(tmp_path / "other" / "log-key.pem", repository.settings.data / "log-key.pem")
    with pytest.raises(NotAvailable, match="does not have the key"):
        repository.log("crops")


def restored(backup: Path, data: Path, key: Path | None = None) -> Repository:
    settings = replace(Settings(), data=data, log_key=str(key or ""))
    provrepo.restore(backup, data, settings=settings)
    return provrepo.open(settings=settings, follow=False)


def test_a_restore_signs_for_another_origin(tmp_path: Path) -> None:
    """What was published before stays true: the restored repository says nothing about the log of before."""
    key = tmp_path / "key.pem"
    with open_with(tmp_path / "data", key) as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
        repository.backup(tmp_path / "backup")
        kept = repository.log("crops")
        repository.submit(PROVJSON, project="crops", name="later")
        lost = repository.receipt("crops", "later")
        published = repository.log("crops")
    with restored(tmp_path / "backup", tmp_path / "again", key) as repository:
        found = repository.log("crops")
        assert found.keys == published.keys
        assert found.origin != published.origin
        assert found.origin.rpartition("/")[0] != published.origin.rpartition("/")[0]
        gap = repository.entries("crops")[-1].entry
        assert (gap["kind"], found.size) == ("gap", gap["sequence"])
        # The signed statement: what was there at the time of the backup is the beginning of the restored log.
        proof = repository.context.store.parts.log.consistency_proof("crops", kept.size, found.size)
        assert is_consistent(kept.size, bytes.fromhex(kept.root), found.size, bytes.fromhex(found.root), proof)
        # The receipt of the lost entry is valid, and the log of now does not contain it.
        assert verify.receipt(lost, PROVJSON, found.keys[0]).proven
        assert lost["entry"] not in [entry.entry for entry in repository.entries("crops")]
        with pytest.raises(NotFound):
            repository.receipt("crops", "later")
        for name in ("a", "b", "c"):
            repository.submit(PROVJSON, project="crops", name=name)
            assert repository.log("crops").origin == found.origin


def test_a_restore_without_the_key_makes_a_new_one(tmp_path: Path, repository: Repository) -> None:
    repository.backup(tmp_path / "backup")
    old = repository.log("crops").keys
    assert not list((tmp_path / "backup").rglob("*.pem"))
    with restored(tmp_path / "backup", tmp_path / "again") as again:
        new = again.log("crops").keys
        assert new != old
        assert verify.receipt(again.receipt("crops", "run"), PROVJSON, new[0]).proven
        states = [entry.body["state"] for entry in again.context.store.ledger.entries("") if entry.kind == "key"]
        assert states == ["created", "revoked", "created"]
        assert again.fsck().problems == ()
