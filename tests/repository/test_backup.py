"""Backups are consistent, incremental and verified; earlier snapshots stay usable after any interruption."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Busy, Conflict, Damaged, NotFound, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep import backup as backups
from provrepo.repository.upkeep.backup import Archive
from provrepo.repository.upkeep.restore import restore
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command, serving
from tests.support.directories import iris, unpack
from tests.support.faults import killed_at
from tests.support.paths import TESTS


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops", public=True)
        repository.submit(PROVJSON, project="crops", name="run")
        yield repository


def state(data: Path) -> dict[str, str]:
    """Return document → digest of its bytes, which are read."""
    with provrepo.open(data, follow=False) as repository:
        assert repository.fsck().problems == ()
        return {
            f"{project.name}/{document.name}": repository.original(project.name, document.name)[1].sha256
            for project in repository.projects()
            for document in repository.documents(project.name)
        }


def problems(target: Path) -> list[str]:
    archive = Archive(target)
    return [problem for snapshot in archive.snapshots() for problem in archive.problems(snapshot, set())]


def test_a_restored_repository_is_the_same_with_another_set_up(source: Repository, tmp_path: Path) -> None:
    token, _ = source.create_token("ada", projects=["crops"])
    source.submit(TURTLE, project="crops", name="other")
    source.withdraw("crops", "other", reason="wrong")
    expected, identity, setup = iris(source), source.identity(), source.context.store.ledger.setup()
    made = source.backup(tmp_path / "backup")
    assert (made.name, made.problems, made.identity, made.setup) == ("00000001", (), identity, setup)
    done = restore(tmp_path / "backup", tmp_path / "again")
    assert (done.identity, done.former, done.problems) == (identity, setup, ())
    assert done.setup not in ("", setup)
    with provrepo.open(tmp_path / "again") as repository:
        assert iris(repository) == expected
        assert repository.identity() == identity
        assert repository.context.store.ledger.setup() == done.setup
        assert repository.context.store.authenticate(token) is not None
        for stream in (REPOSITORY, "crops"):
            last = list(repository.context.store.ledger.entries(stream))[-1]
            assert (last.kind, last.body["setup"], last.body["former"]) == ("gap", done.setup, setup)
        assert repository.fsck().problems == ()
        repository.submit(PROVJSON, project="crops", name="more")
        # A restored repository is backed up to the same directory.
        assert repository.backup(tmp_path / "backup").name == "00000002"
    with pytest.raises(UsageError):
        restore(tmp_path / "backup", tmp_path / "backup" / "data")


def test_the_second_one_copies_what_is_new(source: Repository, tmp_path: Path) -> None:
    first = source.backup(tmp_path / "backup")
    assert first.copied == first.blobs == 2
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "backup" / "blobs").rglob("*") if p.is_file()}
    assert source.backup(tmp_path / "backup").copied == 0
    source.submit(TURTLE, project="crops", name="new")
    third = source.backup(tmp_path / "backup")
    assert (third.copied, third.blobs) == (2, 4)
    assert {p: p.stat().st_mtime_ns for p in files} == files
    assert [snapshot.name for snapshot in Archive(tmp_path / "backup").snapshots()] == [
        f"0000000{n}" for n in (1, 2, 3)
    ]
    assert problems(tmp_path / "backup") == []
    restore(tmp_path / "backup", tmp_path / "old", snapshot="00000001")
    assert list(state(tmp_path / "old")) == ["crops/run"]


def test_old_snapshots_go_with_what_they_alone_need(source: Repository, tmp_path: Path) -> None:
    source.submit(TURTLE, project="crops", name="gone")
    sha256 = source.version("crops", "gone").sha256
    source.backup(tmp_path / "backup")
    source.erase("crops", "gone", 1, reason="court")
    source.backup(tmp_path / "backup", keep=2)
    archive = Archive(tmp_path / "backup")
    assert archive.blob(sha256).exists()
    source.backup(tmp_path / "backup", keep=1)
    assert [snapshot.name for snapshot in archive.snapshots()] == ["00000003"]
    assert not archive.blob(sha256).exists()
    assert problems(tmp_path / "backup") == []
    with pytest.raises(UsageError):
        source.backup(tmp_path / "backup", keep=0)


def test_only_the_owner_can_read_it(source: Repository, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        source.backup(tmp_path / "new" / "backup")
    finally:
        os.umask(before)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in [tmp_path / "new", *(tmp_path / "new").rglob("*")]}
    assert len(modes) > 8
    assert {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_it_is_made_while_others_write(source: Repository, tmp_path: Path) -> None:
    stop, failed = threading.Event(), []

    def write() -> None:
        number = 0
        try:
            with provrepo.open(tmp_path / "data", follow=False) as other:
                while not stop.is_set():
                    number += 1
                    other.submit(PROVJSON.replace(b"cleaned", b"c%d" % number), project="crops", name=f"n{number}")
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [source.backup(tmp_path / "backup") for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert failed == []
    assert [snapshot.problems for snapshot in made] == [(), (), ()]
    assert problems(tmp_path / "backup") == []


def test_a_version_that_is_erased_meanwhile_is_not_missed(
    source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is copied before the blobs, and again if it refers to a blob that was erased meanwhile."""
    kept = backups._ensure
    calls = []

    def erasing(*arguments: object) -> bool:
        if not calls:
            calls.append(1)
            source.erase("crops", "run", 1, reason="court")
        return kept(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backups, "_ensure", erasing)
    made = source.backup(tmp_path / "backup")
    assert made.problems == ()
    assert problems(tmp_path / "backup") == []


def test_what_is_damaged_is_named_and_never_takes_the_place_of_what_is_whole(
    source: Repository, tmp_path: Path
) -> None:
    command = Command(tmp_path / "data")
    source.backup(tmp_path / "backup")
    source.submit(TURTLE, project="crops", name="bad")
    blob = source.context.store.blobs.path(source.version("crops", "bad").sha256)
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    done = command("backup", tmp_path / "backup", "--keep", "1", code=1)
    assert "has changed on disk" in done.stdout
    listed = command("backup", tmp_path / "backup", "--list", code=1).stdout
    assert "00000001" in listed
    assert "1 problem" in listed
    with pytest.raises(Damaged, match="--damaged"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not list((tmp_path / "again").iterdir())
    partial = restore(tmp_path / "backup", tmp_path / "again", damaged=True)
    assert len(partial.problems) == 1
    restore(tmp_path / "backup", tmp_path / "former", snapshot="00000001")
    assert list(state(tmp_path / "former")) == ["crops/run"]


@pytest.mark.parametrize("victim", ["ledger.sqlite", "manifest.json", "blobs", "short ledger"])
def test_a_changed_byte_of_a_backup_is_found(source: Repository, tmp_path: Path, victim: str) -> None:
    command, target = Command(tmp_path / "data"), tmp_path / "backup"
    source.backup(target)
    source.backup(target)
    if victim == "blobs":
        file = next(path for path in (target / "blobs").rglob("*") if path.is_file())
    else:
        name = "ledger.sqlite" if victim == "short ledger" else victim
        file = target / "snapshots" / "00000002" / name
    file.chmod(0o600)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data[: 100 if victim.startswith("short") else None])
    done = command("backup", target, "--verify", code=1)
    assert str(file) in done.stdout
    command.data = tmp_path / "again"
    error = command("restore", target, code=1)
    assert not (tmp_path / "again" / "ledger.sqlite").exists()
    assert "error: " in error.stderr
    if victim != "blobs":
        command("restore", target, "--snapshot", "00000001")


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("entries", "many"),
        ("size", None),
        ("schema", "x"),
        ("identity", 5),
        ("made", "2026\x1b[2J"),
        ("made", "\ud800"),
        ("problems", [1]),
        ("files", {}),
        ("files", {"ledger.sqlite": [1, "0"], "../../../outside": [1, "0"]}),
    ],
)
def test_a_manifest_that_was_changed_is_not_used(
    source: Repository, tmp_path: Path, key: str, value: object, sealed: bool
) -> None:
    command, target = Command(tmp_path / "data"), tmp_path / "backup"
    source.backup(target)
    file = target / "snapshots" / "00000001" / "manifest.json"
    manifest = json.loads(file.read_text())
    if not sealed:  # a forged manifest may lack it
        del manifest["sha256"]
    file.chmod(0o600)
    file.write_text(json.dumps({**manifest, key: value}))
    assert str(file) in command("backup", target, "--list", code=1).stdout
    command.data = tmp_path / "again"
    assert str(file) in command("restore", target, code=1).stderr
    assert not (tmp_path / "again").exists()


def test_a_number_that_changed_in_a_manifest_is_found(source: Repository, tmp_path: Path) -> None:
    made = source.backup(tmp_path / "backup")
    file = tmp_path / "backup" / "snapshots" / made.name / "manifest.json"
    file.chmod(0o600)
    file.write_text(file.read_text().replace(f'"entries": {made.entries}', f'"entries": {made.entries + 1}'))
    assert [problem for problem in problems(tmp_path / "backup") if "changed since" in problem]


@pytest.mark.parametrize("what", ["file", "another program's", "another repository"])
def test_only_its_own_backup_is_written_to(source: Repository, tmp_path: Path, what: str) -> None:
    target = tmp_path / "backup"
    if what == "file":
        target.write_text("mine")
        with pytest.raises(Damaged):
            source.backup(target)
    elif what == "another program's":
        target.mkdir()
        (target / "mine").touch()
        with pytest.raises(Conflict, match="'mine'"):
            source.backup(target)
    else:
        with provrepo.open(tmp_path / "other") as other:
            other.init()
            other.backup(target)
        with pytest.raises(Conflict, match="another repository"):
            source.backup(target)


@pytest.mark.parametrize("place", ["data", "data/backup", "."])
def test_backup_and_data_do_not_lie_in_one_another(source: Repository, tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="overlap"):
        source.backup(tmp_path / place)


def test_two_at_once_are_refused(source: Repository, tmp_path: Path) -> None:
    source.backup(tmp_path / "backup")
    with Archive(tmp_path / "backup").locked(), pytest.raises(Busy):
        source.backup(tmp_path / "backup")
    with Archive(tmp_path / "backup").locked(), pytest.raises(Busy):
        restore(tmp_path / "backup", tmp_path / "again")


def test_a_directory_that_is_not_empty_is_left_alone(source: Repository, tmp_path: Path) -> None:
    source.backup(tmp_path / "backup")
    for name in ("blobs", "notes.txt", "pingbacks.sqlite"):
        place = tmp_path / f"with-{name}"
        place.mkdir()
        (place / name).touch()
        with pytest.raises(Conflict, match=name):
            restore(tmp_path / "backup", place)
        assert [path.name for path in place.iterdir()] == [name]
    with pytest.raises(Conflict, match="a repository"):
        restore(tmp_path / "backup", tmp_path / "data")
    with pytest.raises(NotFound, match="not a backup"):
        restore(tmp_path / "data", tmp_path / "new")
    with pytest.raises(NotFound, match="00000001"):
        restore(tmp_path / "backup", tmp_path / "new", snapshot="7")


def test_pingbacks_come_back(source: Repository, tmp_path: Path) -> None:
    from provrepo.ledger.pingbacks import Pinged

    said = [Pinged("has_provenance", "https://example.org/p")]
    source.context.store.pingbacks.store("crops", "run", None, said, most=9)
    source.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with provrepo.open(tmp_path / "again") as repository:
        assert [one.uri for one in repository.context.store.pingbacks.stored("crops")] == ["https://example.org/p"]


def test_a_backup_of_an_earlier_schema_is_restored_and_migrated(tmp_path: Path) -> None:
    """Make a backup as the version with that schema would: its databases, and a manifest."""
    expected = unpack(TESTS / "data" / "directory-v1.tar.gz", tmp_path)
    old = tmp_path / "data"
    with provrepo.open(old) as repository:
        repository.backup(tmp_path / "backup")
    unpack(TESTS / "data" / "directory-v1.tar.gz", tmp_path / "fresh")
    folder = tmp_path / "backup" / "snapshots" / "00000001"
    ledger = tmp_path / "fresh" / "data" / "ledger.sqlite"
    shutil.copyfile(ledger, folder / "ledger.sqlite")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"]  # which that version did not write
    manifest |= {"schema": 1, "files": {"ledger.sqlite": [ledger.stat().st_size, backups._digest(ledger)]}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert problems(tmp_path / "backup") == []
    restore(tmp_path / "backup", tmp_path / "again")
    with provrepo.open(tmp_path / "again") as repository:
        assert iris(repository)["versions"] == expected["versions"]


def test_beside_a_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = Command(data)
    (tmp_path / "run.json").write_bytes(PROVJSON)
    command("submit", tmp_path / "run.json")
    with serving(data):
        assert command.json("backup", tmp_path / "backup")["problems"] == []
    command.data = tmp_path / "again"
    assert "restored" in command("restore", tmp_path / "backup").stdout
    assert list(state(tmp_path / "again")) == ["default/run"]


def test_wherever_a_backup_ends_the_former_snapshots_stay(source: Repository, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    source.backup(target)
    source.submit(TURTLE, project="crops", name="new")
    shutil.copytree(target, tmp_path / "kept")
    names = []
    for at in range(200):
        shutil.rmtree(target)
        shutil.copytree(tmp_path / "kept", target)
        with killed_at(target, at) as death:
            source.backup(target, keep=1)
        found = [snapshot.name for snapshot in Archive(target).snapshots()]
        assert found, death.done
        assert problems(target) == [], death.done
        names.append(tuple(found))
        if not death.dead:
            break
        if at % 4 == 0:
            # The next backup completes it, and leaves no temporary files.
            source.backup(target, keep=1)
            assert len(Archive(target).snapshots()) == 1
            assert len(list((target / "snapshots").iterdir())) == 1
            assert not list((target / "blobs" / "incoming").iterdir())
    assert set(names) == {("00000001",), ("00000001", "00000002"), ("00000002",)}
    assert len(names) > 15


def test_wherever_a_restore_ends_there_is_none_or_the_whole_repository(source: Repository, tmp_path: Path) -> None:
    source.submit(TURTLE, project="crops", name="new")
    source.backup(tmp_path / "backup")
    expected = state(tmp_path / "data")
    data, outcomes = tmp_path / "again", []
    for at in range(200):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        with killed_at(data, at) as death:
            restore(tmp_path / "backup", data)
        there = (data / "ledger.sqlite").exists()
        outcomes.append(there)
        if not there:
            if (data / "restoring").exists():
                with pytest.raises(Damaged, match="interrupted"), provrepo.open(data) as begun:
                    begun.init()
            restore(tmp_path / "backup", data)
        if death.dead and at % 4 and not there:
            assert (data / "ledger.sqlite").exists()
            continue
        assert state(data) == expected, death.done
        with provrepo.open(data) as repository:
            assert repository.query("ASK { ?s rdfs:label 'cleaned' }", project="crops").boolean
        assert not (data / "restoring").exists(), death.done
        if not death.dead:
            break
    assert outcomes == sorted(outcomes)
    assert len(outcomes) > 15
    assert outcomes[-1]
