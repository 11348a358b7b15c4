"""Blobs: stored by digest, once, and durable after a power cut."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Damaged, NoSpace, NotFound
from provrepo.ledger.storage import durable, scratch
from provrepo.ledger.storage.blobs import Blobs
from tests.support.sampling import examples


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


@given(st.lists(st.binary(max_size=100), max_size=6))
@settings(max_examples=examples(30), deadline=None)
def test_what_was_put_is_there(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    digests = [blobs.put(data) for data in contents]
    assert digests == [hashlib.sha256(data).hexdigest() for data in contents]
    assert [blobs.get(digest) for digest in digests] == contents
    assert list(blobs.all()) == sorted(set(digests))
    assert all(blobs.exists(digest) and blobs.verify(digest) for digest in digests)


def test_the_path_is_a_pure_function(tmp_path: Path) -> None:
    digest = "abcd" + "0" * 60
    assert Blobs(tmp_path).path(digest) == tmp_path / "ab" / "cd" / digest


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n", "../" + "a" * 61])
def test_only_digests_name_blobs(blobs: Blobs, digest: str) -> None:
    for method in (blobs.path, blobs.get, blobs.exists, blobs.erase, blobs.verify):
        with pytest.raises(ValueError, match="not a SHA-256"):
            method(digest)


def test_a_blob_is_written_once(blobs: Blobs) -> None:
    digest = blobs.put(b"data")
    before = blobs.path(digest).stat()
    assert blobs.put(b"data") == digest
    after = blobs.path(digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert stat.S_IMODE(after.st_mode) & 0o222 == 0


def test_a_blob_of_the_wrong_size_is_written_again(blobs: Blobs) -> None:
    digest = blobs.put(b"data")
    blobs.path(digest).chmod(0o644)
    blobs.path(digest).write_bytes(b"da")
    with pytest.raises(Damaged, match="has changed on disk"):
        blobs.get(digest)
    assert not blobs.verify(digest)
    assert blobs.put(b"data") == digest
    assert blobs.get(digest) == b"data"


def test_what_is_not_there(blobs: Blobs) -> None:
    digest = "ab" * 32
    assert not blobs.exists(digest)
    assert not blobs.verify(digest)
    with pytest.raises(NotFound, match=digest):
        blobs.get(digest)
    blobs.erase(digest)


def test_an_erased_blob_is_gone(blobs: Blobs) -> None:
    digest, other = blobs.put(b"data"), blobs.put(b"other")
    blobs.erase(digest)
    assert not blobs.exists(digest)
    assert list(blobs.all()) == [other]
    assert blobs.put(b"data") == digest
    assert blobs.get(digest) == b"data"


def test_leftovers_are_swept_and_what_is_being_written_is_not(blobs: Blobs, tmp_path: Path) -> None:
    digest = blobs.put(b"data")
    incoming = tmp_path / "blobs" / "incoming"
    (incoming / "1-left").write_bytes(b"half")
    descriptor, written = scratch.opened(incoming)
    # The modification time does not matter, since clocks are changed.
    os.utime(written, (0, 0))
    try:
        assert blobs.sweep() == 1
        assert [path.name for path in incoming.iterdir()] == [written.name]
        assert blobs.get(digest) == b"data"
    finally:
        os.close(descriptor)
    assert blobs.sweep() == 1
    assert blobs.sweep() == 0


def test_names_that_are_no_digests_are_not_listed(blobs: Blobs, tmp_path: Path) -> None:
    digest = blobs.put(b"data")
    (blobs.path(digest).parent / "notes.txt").write_text("mine")
    (tmp_path / "blobs" / "README").write_text("mine")
    misplaced = tmp_path / "blobs" / "00" / "00" / digest
    misplaced.parent.mkdir(parents=True)
    misplaced.write_bytes(b"data")
    assert list(blobs.all()) == [digest]


def test_many_threads_put_the_same(blobs: Blobs, tmp_path: Path) -> None:
    other = Blobs(tmp_path / "blobs")
    with ThreadPoolExecutor(16) as pool:
        puts = [pool.submit((blobs if i % 2 else other).put, b"%d" % (i % 5)) for i in range(100)]
    assert len({put.result() for put in puts}) == len(list(blobs.all())) == 5
    assert all(blobs.verify(digest) for digest in blobs.all())
    assert files(tmp_path / "blobs" / "incoming") == []


@pytest.mark.parametrize("again", [False, True])
def test_put_waits_for_bytes_then_names_then_directories(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """The order of operations by which a power cut at any time leaves either no blob or a whole one."""
    if again:  # another process has created the file, and may not have synced its name yet
        Blobs(tmp_path / "blobs").put(b"data")
    events: list[str] = []
    replace = Path.replace

    def synced(descriptor: int) -> None:
        events.append("bytes")

    def renamed(self: Path, target: Any) -> Path:
        events.append("name")
        return replace(self, target)

    def directory_synced(directory: Path) -> None:
        events.append(f"directory {directory.relative_to(tmp_path / 'blobs')}")

    monkeypatch.setattr(durable, "sync", synced)
    monkeypatch.setattr(durable, "sync_directory", directory_synced)
    monkeypatch.setattr(Path, "replace", renamed)
    digest = blobs.put(b"data")
    ab, cd = digest[:2], digest[2:4]
    above = [f"directory {ab}", "directory ."]
    if again:
        assert events == [*above, f"directory {ab}/{cd}"]
    else:
        assert events == ["bytes", *above, "name", f"directory {ab}/{cd}"]


def test_a_full_disk_keeps_nothing(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "sync", full)
        with pytest.raises(NoSpace, match="the disk is full"):
            blobs.put(b"data")
    assert list(blobs.all()) == []
    assert files(tmp_path / "blobs") == []
    assert blobs.get(blobs.put(b"data")) == b"data"


def test_what_the_system_refuses_is_an_error_of_ours(blobs: Blobs, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    (tmp_path / "blobs" / digest[:2]).write_text("a file where a directory should be")
    with pytest.raises(Damaged, match="cannot store a blob"):
        blobs.put(b"data")
    with pytest.raises(Damaged, match="cannot make the directory"):
        Blobs(tmp_path / "blobs" / digest[:2] / "below")


def test_directories_are_made_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_directory", synced.append)
    durable.make_directory(tmp_path / "a" / "b", mode=0o700)
    assert synced == [tmp_path, tmp_path / "a"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    durable.make_directory(tmp_path / "a" / "b")
    assert len(synced) == 2


def test_received_files_become_blobs_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All bytes are synced before a name appears, and each directory is synced once, after all names."""
    blobs = Blobs(tmp_path / "blobs")
    known = b"known"
    blobs.put(known)
    files: dict[str, Path] = {}
    for data in (known, *(f"bytes {number}".encode() for number in range(300))):
        file = blobs.partial("copy") / hashlib.sha256(data).hexdigest()
        file.write_bytes(data)
        files[file.name] = file
    events: list[tuple[str, Path | int]] = []
    sync, sync_directory, replace = durable.sync, durable.sync_directory, Path.replace
    monkeypatch.setattr(durable, "sync", lambda descriptor: (events.append(("bytes", descriptor)), sync(descriptor)))
    monkeypatch.setattr(durable, "sync_directory", lambda path: (events.append(("names", path)), sync_directory(path)))
    monkeypatch.setattr(Path, "replace", lambda path, to: (events.append(("appears", to)), replace(path, to)))
    blobs.adopt(files)
    steps = [what for what, _ in events if what != "bytes"]
    first = next(place for place, (what, _) in enumerate(events) if what == "appears")
    assert [what for what, _ in events[:first]] == ["bytes"] * 300
    assert steps == ["appears"] * 300 + ["names"] * (len(steps) - 300)
    directories = [path for what, path in events if what == "names"]
    assert len(set(directories)) == len(directories)
    assert {blobs.path(digest).parent for digest in files} <= set(directories)
    assert not any(file.exists() for file in files.values())
    assert all(blobs.verify(digest) and blobs.path(digest).stat().st_mode & 0o777 == 0o400 for digest in files)
    blobs.adopt({})
