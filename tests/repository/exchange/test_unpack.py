"""A package becomes a mirror that equals its origin, or nothing of it is stored."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Damaged, Denied, Diverged, Error, InvalidName, NotFound, ReadError, UsageError
from provrepo.ledger.entries import Entry, canonical
from provrepo.repository.exchange.mirroring.verbs import locked
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep.restore import restore
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command
from tests.support.faults import killed_at
from tests.support.packages import Files, payload, rebagged, unzipped, zipped
from tests.support.sampling import FULL, SEED

GONE = TURTLE + b"ex:a a prov:Entity .\n"
ERASED = TURTLE + b"ex:b a prov:Entity .\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, and packages of it."""
    folder = tmp_path_factory.mktemp("made")
    with provrepo.open(folder / "data", follow=False) as repository:
        repository.create_project("crops", title="Crops")  # entry 1
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, project="crops", name="run", update=True)
        repository.submit(GONE, project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="wrong")
        repository.submit(ERASED, project="crops", name="erased")  # entry 6
        repository.pack("crops", folder / "first.zip")
        repository.pack("crops", folder / "readers.zip", for_readers=True)
        repository.erase("crops", "erased", 1, reason="court")
        repository.submit(PROVJSON, project="crops", name="more")  # entry 8
        repository.pack("crops", folder / "next.zip", since=6)
        repository.pack("crops", folder / "overlap.zip", since=3)
        repository.pack("crops", folder / "last.zip", since=7)
        repository.pack("crops", folder / "all.zip")
    return folder


@pytest.fixture
def origin(made: Path, tmp_path: Path) -> Iterator[Repository]:
    shutil.copytree(made / "data", tmp_path / "origin")
    with provrepo.open(tmp_path / "origin", follow=False) as repository:
        yield repository


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Repository]:
    """The repository that unpacks; its data directory does not exist yet."""
    with provrepo.open(tmp_path / "here", follow=False) as repository:
        yield repository


def entries(repository: Repository, project: str) -> list[bytes]:
    return [entry.data for entry in repository.context.store.ledger.entries(project, every=True)]


def versions(repository: Repository, project: str) -> list[dict[str, Any]]:
    """What is known of all versions, except the names of the project here."""
    found = []
    for document in repository.documents(project, withdrawn=True):
        for version in repository.history(project, document.name):
            found.append({**version.to_dict(), "project": "", "set_aside": ()})
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "-shm" not in path.name}


@pytest.mark.parametrize("name", [None, "lab-a"])
def test_a_mirror_equals_its_origin(origin: Repository, here: Repository, made: Path, name: str | None) -> None:
    done = here.unpack(made / "all.zip", name=name)
    project = name or "crops"
    assert (done.mirror, done.entries, done.sequence) == (project, 8, 8)
    assert entries(here, project) == entries(origin, "crops")
    assert versions(here, project) == versions(origin, "crops")
    blobs, there = here.context.store.blobs, origin.context.store.blobs
    wanted = set(origin.context.store.ledger.needed())
    assert set(blobs.all()) == wanted
    assert {blob: blobs.get(blob) for blob in wanted} == {blob: there.get(blob) for blob in wanted}
    assert done.blobs == len(wanted)
    assert here.fsck().problems == ()
    assert [info.origin for info in here.mirrors()] == [""]
    assert here.mirrors()[0].state == "current"


def test_packages_of_a_mirror_are_those_of_its_origin(here: Repository, made: Path, tmp_path: Path) -> None:
    here.unpack(made / "all.zip", name="lab-a")
    here.pack("lab-a", tmp_path / "again.zip")
    again, first = payload(tmp_path / "again.zip"), payload(made / "all.zip")
    differing = {path for path in first if again.get(path) != first[path]}
    # Why bytes are absent is told by the mirror now.
    assert differing <= {"files.ndjson", "index.html", "ro-crate-metadata.json"}
    with provrepo.open(tmp_path / "third", follow=False) as third:
        third.unpack(tmp_path / "again.zip")
        assert entries(third, "crops") == entries(here, "lab-a")
        assert versions(third, "crops") == versions(here, "lab-a")


def test_later_packages_continue_it(origin: Repository, here: Repository, made: Path) -> None:
    here.unpack(made / "first.zip")
    erased = hashlib.sha256(ERASED).hexdigest()
    assert here.context.store.blobs.exists(erased)
    for package, count in [("first", 0), ("next", 2), ("next", 0), ("overlap", 0), ("first", 0), ("all", 0)]:
        done = here.unpack(made / f"{package}.zip")
        assert (package, done.entries) == (package, count)
    assert entries(here, "crops") == entries(origin, "crops")
    assert not here.context.store.blobs.exists(erased)
    assert here.fsck().problems == ()


def test_an_overlapping_package_continues_it(origin: Repository, here: Repository, made: Path) -> None:
    here.unpack(made / "first.zip")
    assert here.unpack(made / "overlap.zip").entries == 2
    assert entries(here, "crops") == entries(origin, "crops")


def test_blobs_that_were_absent_come_with_a_better_package(here: Repository, made: Path) -> None:
    done = here.unpack(made / "readers.zip")
    assert done.absent == {"not in the package: withdrawn": 1}
    with pytest.raises(NotFound):
        here.original("crops", "gone", 1)
    done = here.unpack(made / "first.zip")
    assert (done.entries, done.blobs, done.absent) == (0, 1, {})
    assert here.original("crops", "gone", 1)[0] == GONE


def test_names_of_actors_and_the_base_follow(origin: Repository, here: Repository, made: Path, tmp_path: Path) -> None:
    here.unpack(made / "all.zip")
    origin.init("https://lab-a.example/")
    origin.context.store.accounts.rename(origin.actor.id, "Ada")
    origin.submit(TURTLE, project="crops", name="later")
    origin.pack("crops", tmp_path / "later.zip", since=8)
    here.unpack(tmp_path / "later.zip")
    assert versions(here, "crops") == versions(origin, "crops")
    assert here.version("crops", "later").submitter == "Ada"
    assert here.version("crops", "later").iri.startswith("https://lab-a.example/projects/crops/")
    here.unpack(made / "all.zip")  # an older one does not turn it back
    assert here.version("crops", "later").submitter == "Ada"


def test_it_is_indexed_like_a_project(made: Path, tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "here") as repository:
        repository.unpack(made / "all.zip", name="lab-a")
        graph = repository.lineage("http://example.org/clean", project="lab-a")
        assert {node.iri for node in graph.nodes} >= {"http://example.org/clean", "http://example.org/raw"}
        assert repository.query("ASK { ?s ?p ?o }", project="lab-a").boolean


# Refusals -------------------------------------------------------------------------------------------------------


def refused(here: Repository, package: Path, error: type[Error], *words: str, **options: Any) -> None:
    """Unpack a package that is refused; nothing may change."""
    data = here.settings.data
    before = tree(data)
    with pytest.raises(error) as caught:
        here.unpack(package, **options)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert tree(data) == before


def test_nothing_is_made_for_a_package_that_is_refused(here: Repository, made: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes((made / "all.zip").read_bytes()[:-5])
    refused(here, tmp_path / "cut.zip", ReadError, "cut.zip")
    refused(here, made / "next.zip", Conflict, "entries 1 to 6 are missing")
    refused(here, tmp_path / "absent.zip", ReadError, "absent.zip")
    refused(here, tmp_path, ReadError, str(tmp_path))
    refused(here, made / "all.zip", InvalidName, "a b", name="a b")
    refused(here, Path(os.devnull), ReadError, os.devnull)
    assert not here.settings.data.exists()


def test_a_check_stores_nothing(here: Repository, made: Path) -> None:
    done = here.unpack(made / "next.zip", check=True)
    assert (done.mirror, done.contents.first, done.contents.last) == ("", 7, 8)
    assert not here.settings.data.exists()


def test_what_belongs_elsewhere_is_refused(origin: Repository, here: Repository, made: Path, tmp_path: Path) -> None:
    refused(origin, made / "all.zip", Conflict, "itself", name="copy")
    here.create_project("crops")
    refused(here, made / "all.zip", Conflict, "--name")
    here.unpack(made / "first.zip", name="a")
    with provrepo.open(tmp_path / "other", follow=False) as other:
        other.create_project("crops")
        other.create_project("soil")
        other.pack("crops", tmp_path / "crops.zip")
    refused(here, tmp_path / "crops.zip", Conflict, "choose another name", name="a")
    refused(here, made / "last.zip", Conflict, "the entries 7 to 7 are missing", name="a")
    here.end_mirror("a")
    refused(here, made / "all.zip", Conflict, "was ended", name="a")
    with pytest.raises(Denied):
        here.as_actor(Actor("x", "x", projects=None, write=True)).unpack(made / "all.zip", name="b")


def test_a_mirror_that_is_being_pulled_is_left_alone(here: Repository, made: Path) -> None:
    here.unpack(made / "first.zip")
    with locked(here.context.store, "crops"):
        refused(here, made / "all.zip", provrepo.Error, "another process")
    assert here.unpack(made / "all.zip").entries == 2


def test_an_origin_that_was_restored_is_named(origin: Repository, here: Repository, made: Path, tmp_path: Path) -> None:
    origin.backup(tmp_path / "backup")
    here.unpack(made / "all.zip")
    restore(tmp_path / "backup", tmp_path / "restored")
    with provrepo.open(tmp_path / "restored", follow=False) as restored:
        restored.pack("crops", tmp_path / "p.zip")
        refused(here, tmp_path / "p.zip", Diverged, "--after-reset")
        assert here.unpack(tmp_path / "p.zip", after_reset=True).entries == 1
        assert entries(here, "crops") == entries(restored, "crops")
        assert here.mirrors()[0].setup == restored.context.store.ledger.setup()
    # And now the former copy is the foreign one.
    refused(here, made / "all.zip", Diverged, "--after-reset")
    refused(here, made / "all.zip", Diverged, "shortened", after_reset=True)


def _forged(package: Path, target: Path, first: int, **new: Any) -> None:
    """Write a package in which an entry has other fields, and all digests after it are right again."""
    folder, files = unzipped(package)
    lines = files["data/entries.ndjson"].splitlines()
    previous = ""
    for number, line in enumerate(lines):
        fields = json.loads(line)
        if number:
            fields["previous"] = previous
        if fields["sequence"] == first:
            fields |= new
        lines[number] = canonical(fields)
        previous = hashlib.sha256(lines[number]).hexdigest()
    described = {**json.loads(files["data/provrepo.json"]), "sha256": previous}
    changed: Files = {
        **files,
        "data/entries.ndjson": b"".join(line + b"\n" for line in lines),
        "data/provrepo.json": json.dumps(described).encode(),
    }
    target.write_bytes(zipped(folder, rebagged(changed)))


def test_another_history_is_refused(here: Repository, made: Path, tmp_path: Path) -> None:
    here.unpack(made / "first.zip")
    for package, first in (("all", 4), ("first", 6), ("overlap", 4)):
        _forged(made / f"{package}.zip", tmp_path / "forged.zip", first, time="2020-01-01T00:00:00.000Z")
        refused(here, tmp_path / "forged.zip", Diverged, "do not continue the mirror crops", "--name")
    # A sound package that was changed later is as good as any other for a new mirror: only its digest tells.
    _forged(made / "all.zip", tmp_path / "forged.zip", 4, time="2020-01-01T00:00:00.000Z")
    assert here.unpack(tmp_path / "forged.zip", name="other").entries == 8


def test_a_continuation_with_another_predecessor_is_refused(here: Repository, made: Path, tmp_path: Path) -> None:
    here.unpack(made / "first.zip")
    folder, files = unzipped(made / "next.zip")
    lines = files["data/entries.ndjson"].splitlines()
    previous = "0" * 64
    for number, line in enumerate(lines):
        lines[number] = canonical({**json.loads(line), "previous": previous})
        previous = hashlib.sha256(lines[number]).hexdigest()
    described = {**json.loads(files["data/provrepo.json"]), "previous": "0" * 64, "sha256": previous}
    files["data/entries.ndjson"] = b"".join(line + b"\n" for line in lines)
    files["data/provrepo.json"] = json.dumps(described).encode()
    (tmp_path / "forged.zip").write_bytes(zipped(folder, rebagged(files)))
    refused(here, tmp_path / "forged.zip", Diverged, "entry 6 is another one there")


def test_a_report_that_is_none_is_reported(here: Repository, made: Path, tmp_path: Path) -> None:
    """Its digest is right: the origin itself accepted the document with it."""
    folder, files = unzipped(made / "all.zip")
    path = "data/reports/000002-run-1.json"
    for bad in (b"{}", b"[]", b"\xff", b"[" * 100_000):
        former, sha256 = hashlib.sha256(files[path]).hexdigest(), hashlib.sha256(bad).hexdigest()
        changed: Files = {name: data.replace(former.encode(), sha256.encode()) for name, data in files.items()}
        changed[path] = bad
        lines = changed["data/files.ndjson"].splitlines()
        for number, line in enumerate(lines):
            item = json.loads(line)
            if item["path"] and f"data/{item['path']}" == path:
                lines[number] = canonical({**item, "size": len(bad)})
        changed["data/files.ndjson"] = b"".join(line + b"\n" for line in lines)
        (tmp_path / "p.zip").write_bytes(zipped(folder, rebagged(changed)))
        _forged(tmp_path / "p.zip", tmp_path / "p.zip", 99)
        here.unpack(tmp_path / "p.zip", name=f"m-{sha256[:8]}")
        with pytest.raises(Damaged, match="report"):
            here.report(f"m-{sha256[:8]}", "run", 1)
        assert len(here.history(f"m-{sha256[:8]}", "run")) == 2


# Kills ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_after_a_kill_it_is_completed(made: Path, tmp_path: Path) -> None:
    """At each file operation; then unpacked again."""
    with provrepo.open(made / "data", follow=False) as repository:
        wanted = entries(repository, "crops")
    step = 1 if FULL else 3
    at, killed = SEED % step, 0
    while True:
        data = tmp_path / f"here-{at}"
        with killed_at(tmp_path, at) as death, provrepo.open(data, follow=False) as repository:
            repository.unpack(made / "all.zip")
        if not death.dead:
            break
        killed += 1
        with provrepo.open(data, follow=False) as repository:
            if repository.context.store.exists():
                found = entries(repository, "crops")
                assert found == wanted[: len(found)]
            repository.unpack(made / "all.zip")
            assert entries(repository, "crops") == wanted
            assert repository.fsck().problems == ()
        shutil.rmtree(data)
        at += step
    assert killed > 10


# The command ----------------------------------------------------------------------------------------------------


def test_the_command(made: Path, tmp_path: Path) -> None:
    command = Command(tmp_path / "here")
    assert "sound; entries 1 to 8 of crops" in command("unpack", made / "all.zip", "--check").stdout
    assert not (tmp_path / "here").exists()
    done = command("unpack", made / "readers.zip", "--name", "lab-a")
    assert done.stdout.startswith("lab-a: entries 1 to 6 of crops of ")
    assert "1 blob is absent: not in the package: withdrawn" in done.stderr
    found = command.json("unpack", made / "all.zip", "--name", "lab-a")
    assert (found["mirror"], found["entries"], found["sequence"]) == ("lab-a", 2, 8)
    assert found["package"]["last"] == 8
    assert "from a package" in command("project", "show", "lab-a").stdout
    (tmp_path / "bad.zip").write_bytes(b"PK")
    assert "bad.zip is refused" in command.error("unpack", tmp_path / "bad.zip", code=2)
    assert "absent.zip" in command.error("unpack", tmp_path / "absent.zip", code=2)
    assert "--name" in command.error("unpack", made / "all.zip", "--check", "--name", "x", code=2)
    assert "missing here" in command.error("unpack", made / "next.zip", code=1)
    assert Entry.from_bytes(entries_of(command.data)[0]).project == "crops"
    with pytest.raises(UsageError):
        provrepo.open(tmp_path / "nothing").pack("x", tmp_path / "x.zip")


def entries_of(data: Path) -> list[bytes]:
    with provrepo.open(data, follow=False) as repository:
        return entries(repository, "lab-a")
