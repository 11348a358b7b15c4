"""Packages have exactly what the caller may read, are the same for the same entries, and are whole or not there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Busy, Damaged, NotFound, TooLarge, UsageError
from provrepo.repository.exchange.package import pack as packing
from provrepo.repository.exchange.package.target import replacing
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command
from tests.support.faults import killed_at
from tests.support.packages import payload, rebagged, unzipped, verified

SECRET = b"ex:secret a prov:Entity .\n"
TITLE = '<script>alert("1")</script>\u202e & \x01'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two documents with a name that differs by case only, three versions, a withdrawal, an erasure."""
    data = tmp_path_factory.mktemp("made") / "data"
    with provrepo.open(data, follow=False) as repository:
        repository.init("https://lab-a.example/")
        repository.create_project("crops", public=True, title=TITLE)  # entry 1
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, project="crops", name="run", update=True, note="<b>")
        repository.submit(PROVJSON, project="crops", name="Run")
        repository.submit(TURTLE + b"ex:a a prov:Entity .\n", project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="<i>wrong</i>", internal_reason="a quarrel")
        repository.submit(TURTLE + SECRET, project="crops", name="old")
        repository.submit(TURTLE + b"ex:b a prov:Entity .\n", project="crops", name="old", update=True)
        repository.erase("crops", "old", 1, reason="court")  # entry 9
    return data


@pytest.fixture
def source(made: Path, tmp_path: Path) -> Iterator[Repository]:
    """A copy of that repository."""
    shutil.copytree(made, tmp_path / "data")
    with provrepo.open(tmp_path / "data", follow=False) as repository:
        yield repository


def lines(package: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in payload(package)[name].splitlines()]


def test_it_has_the_exact_entries_and_bytes(source: Repository, tmp_path: Path) -> None:
    target = tmp_path / "crops.zip"
    made = source.pack("crops", target)
    store, files = source.context.store, payload(target)
    entries = list(store.ledger.entries("crops"))
    assert files["entries.ndjson"] == b"".join(entry.data + b"\n" for entry in entries)
    described = json.loads(files["provrepo.json"])
    assert described["format"] == 1
    assert (described["identity"], described["setup"]) == (source.identity(), store.ledger.setup())
    assert (described["base"], described["first"], described["last"]) == ("https://lab-a.example/", 1, 9)
    assert described["sha256"] == entries[-1].sha256 == made.contents.sha256
    assert described["actors"] == {source.actor.id: source.actor.name}
    blobs = verified(target.read_bytes())
    for name, version in [("run", 1), ("run", 2), ("Run", 1), ("old", 2), ("gone", 1)]:
        info = source.history("crops", name)[version - 1]
        assert blobs[info.sha256] == store.blobs.get(info.sha256)
        report = store.ledger.entry("crops", info.sequence).body["report"]
        assert blobs[report] == store.blobs.get(report)
    assert files["prov-json/000003-run-2.json"] == source.export("crops", "run", format="provjson")
    # Submitted as PROV-JSON, and so only once in the package.
    assert [item["path"] for item in lines(target, "files.ndjson") if item["sequence"] == 4] == [
        "originals/000002-run-1.json",
        "originals/000002-run-1.json",
        "reports/000002-run-1.json",
    ]
    assert (made.originals, made.withdrawn, made.omitted) == (5, 1, 1)
    assert (made.size, made.files) == (target.stat().st_size, len(unzipped(target)[1]))


def test_the_same_entries_give_the_same_bytes(source: Repository, tmp_path: Path) -> None:
    for name in ("a", "b"):
        source.pack("crops", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert archive.testzip() is None
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


def test_an_increment_has_what_is_new(source: Repository, tmp_path: Path) -> None:
    source.pack("crops", tmp_path / "a.zip", since=4)
    contents = json.loads(payload(tmp_path / "a.zip")["provrepo.json"])
    entries = list(source.context.store.ledger.entries("crops"))
    assert (contents["first"], contents["last"], contents["previous"]) == (5, 9, entries[3].sha256)
    assert [line["sequence"] for line in lines(tmp_path / "a.zip", "entries.ndjson")] == [5, 6, 7, 8, 9]
    assert {item["sequence"] for item in lines(tmp_path / "a.zip", "files.ndjson")} == {5, 7, 8}
    for since, error in ((9, NotFound), (100, NotFound), (-1, UsageError)):
        with pytest.raises(error):
            source.pack("crops", tmp_path / "b.zip", since=since)
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize("caller", ["owner", "owner for readers", "writer", "reader", "anonymous"])
def test_it_has_what_the_caller_may_read(source: Repository, tmp_path: Path, caller: str) -> None:
    actors = {
        "writer": Actor("w", "w", projects=("crops",), write=True),
        "reader": Actor("r", "r", projects=("crops",)),
        "anonymous": source.context.store.anonymous(),
    }
    repository = source.as_actor(actors[caller]) if caller in actors else source
    target = tmp_path / "a.zip"
    made = repository.pack("crops", target, for_readers="for readers" in caller)
    everything = b"".join(payload(target).values())
    sees = caller in ("owner", "writer")
    assert (b"ex:a a prov:Entity" in everything) is sees
    assert (made.originals, made.withdrawn, made.omitted) == ((5, 1, 1) if sees else (4, 0, 2))
    why = {(item["sequence"], item["role"]): item["why"] for item in lines(target, "files.ndjson") if not item["path"]}
    assert why == {
        **({} if sees else {(5, "original"): "withdrawn", (5, "report"): "withdrawn"}),
        (7, "original"): "erased",
        (7, "report"): "erased",
    }
    # Never: erased bytes, internal reasons. Always: what was published about them.
    assert SECRET not in everything
    assert b"quarrel" not in everything
    page = payload(target)["index.html"].decode()
    assert "court" in page
    assert "&lt;i&gt;wrong&lt;/i&gt;" in page


def test_private_projects_are_not_packed_for_strangers(source: Repository, tmp_path: Path) -> None:
    source.create_project("soil")
    for actor in (source.context.store.anonymous(), Actor("r", "r", projects=("crops",))):
        with pytest.raises(NotFound):
            source.as_actor(actor).pack("soil", tmp_path / "a.zip")
    with pytest.raises(NotFound):
        source.pack("nothing", tmp_path / "a.zip")
    assert list(tmp_path.glob("*a.zip*")) == []


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += attrs


def test_the_page_is_self_contained_and_escaped(source: Repository, tmp_path: Path) -> None:
    source.pack("crops", tmp_path / "a.zip")
    files = payload(tmp_path / "a.zip")
    parsed = Tags()
    parsed.feed(files["index.html"].decode())
    assert parsed.elements == {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "table", "thead", "tbody", "tr"),
        *("th", "td", "bdi", "a", "code"),
    }
    assert {name for name, _ in parsed.attributes} <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "scope",
        "href",
    }
    links = {value for name, value in parsed.attributes if name == "href"}
    assert links
    assert links <= files.keys()
    assert b"\x01" not in files["index.html"]
    assert not re.search(rb"url\(|@import|src=|\son\w+=", files["index.html"])


def test_the_crate_lists_every_file_with_its_digest(source: Repository, tmp_path: Path) -> None:
    source.set_project("crops", title="Crops")
    source.pack("crops", tmp_path / "a.zip")
    files = payload(tmp_path / "a.zip")
    crate = json.loads(files["ro-crate-metadata.json"])
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    root = entities["./"]
    assert root["name"] == "Crops"
    assert root["license"]["@id"] in entities
    assert {part["@id"] for part in root["hasPart"]} == files.keys() - {"ro-crate-metadata.json"}
    for part in root["hasPart"]:
        entity, data = entities[part["@id"]], files[part["@id"]]
        assert entity["sha256"] == hashlib.sha256(data).hexdigest()
        assert entity["contentSize"] == str(len(data))
        assert entity["description"]


def test_the_bag_is_the_one_that_its_files_demand(source: Repository, tmp_path: Path) -> None:
    source.pack("crops", tmp_path / "a.zip")
    folder, files = unzipped(tmp_path / "a.zip")
    again = rebagged(files)
    assert folder == "crops-1-9"
    assert files["manifest-sha512.txt"] == again["manifest-sha512.txt"]
    assert again["bag-info.txt"] in files["bag-info.txt"]
    assert b"External-Identifier: https://lab-a.example/projects/crops\n" in files["bag-info.txt"]


def test_a_user_defined_profile_is_in_it(source: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "profile.toml").write_text('title = "Strict"\nversion = "1"\npurpose = "P."\nconstraints = "report"\n')
    (folder / "shapes.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix prov: <http://www.w3.org/ns/prov#> .\n"
        "<http://e.org/s> a sh:NodeShape ; sh:targetClass prov:Nothing ; sh:nodeKind sh:IRI .\n"
    )
    source.add_profile(folder, project="crops")
    source.pack("crops", tmp_path / "a.zip", since=9)
    (item,) = lines(tmp_path / "a.zip", "files.ndjson")
    assert (item["role"], item["path"]) == ("profile", "profiles/000010-strict.json")
    assert b"Strict" in verified((tmp_path / "a.zip").read_bytes())[str(item["sha256"])]


def test_bytes_that_are_erased_meanwhile_are_not_missed(
    source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = packing._Packing.entries

    def erasing(self: packing._Packing, *arguments: object) -> object:
        done = kept(self, *arguments)  # type: ignore[arg-type]
        source.erase("crops", "old", 2, reason="court")
        return done

    monkeypatch.setattr(packing._Packing, "entries", erasing)
    made = source.pack("crops", tmp_path / "a.zip")
    assert (made.contents.last, made.omitted) == (9, 2)
    assert b"ex:b a prov:Entity" not in b"".join(payload(tmp_path / "a.zip").values())


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_what_is_damaged_is_named_and_nothing_written(source: Repository, tmp_path: Path, how: str) -> None:
    command = Command(tmp_path / "data")
    target = tmp_path / "a.zip"
    target.write_bytes(b"former")
    info = source.version("crops", "run")
    blob = source.context.store.blobs.path(info.sha256)
    if how == "changed":
        blob.chmod(0o600)
        blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    else:
        blob.unlink()
    with pytest.raises(Damaged, match=info.sha256):
        source.pack("crops", target)
    assert info.sha256 in command.error("pack", "crops", target, code=1)
    assert target.read_bytes() == b"former"
    assert list(tmp_path.glob(".*")) == []


def test_a_broken_chain_is_not_packed(source: Repository, tmp_path: Path) -> None:
    database = source.context.store.ledger.database
    with database.writing() as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE entries SET data = data || ' ' WHERE project = 'crops' AND sequence = 3")
    with pytest.raises(Damaged, match="entry 3 of project crops"):
        source.pack("crops", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_too_many_files_are_refused(source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MEMBERS", 20)
    with pytest.raises(TooLarge, match="mirror"):
        source.pack("crops", tmp_path / "a.zip")
    monkeypatch.undo()
    monkeypatch.setattr(packing, "RATIO", 1)
    monkeypatch.setattr(packing, "BYTES_FREE", 1)
    with pytest.raises(TooLarge, match="bomb"):
        source.pack("crops", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_after_a_kill_it_is_whole_or_not_there(source: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    source.pack("crops", tmp_path / "whole.zip")
    whole = (tmp_path / "whole.zip").read_bytes()
    at = 0
    while True:
        with killed_at(tmp_path, at) as death:
            source.pack("crops", folder / "a.zip")
        if not death.dead:
            break
        assert not (folder / "a.zip").exists() or (folder / "a.zip").read_bytes() == whole
        at += 1
    assert at > 2
    assert [path.name for path in folder.iterdir()] == ["a.zip"]
    assert (folder / "a.zip").read_bytes() == whole


def test_what_a_killed_process_left_is_used_again(source: Repository, tmp_path: Path) -> None:
    left = tmp_path / ".a.zip.part"
    left.write_bytes(b"x" * 10_000_000)
    source.pack("crops", tmp_path / "a.zip")
    assert verified((tmp_path / "a.zip").read_bytes())
    assert not left.exists()
    left.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        source.pack("crops", tmp_path / "a.zip")
    assert not (tmp_path / "elsewhere").exists()


def test_two_at_once_do_not_mix(source: Repository, tmp_path: Path) -> None:
    with replacing(tmp_path / "a.zip") as file:
        with pytest.raises(Busy):
            source.pack("crops", tmp_path / "a.zip")
        file.write(b"mine")
    assert (tmp_path / "a.zip").read_bytes() == b"mine"


def test_the_command(source: Repository, tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    target = tmp_path / "a.zip"
    done = command("pack", "crops", target)
    assert done.stdout.startswith(f"{target}: entries 1 to 9 of crops, 5 versions")
    assert "--for-readers" in done.stderr
    assert "without their bytes: 1" in done.stderr
    made = command.json("pack", "crops", target, "--since", 4, "--for-readers")
    assert (made["first"], made["last"], made["withdrawn"], made["project"]) == (5, 9, 0, "crops")
    assert made["size"] == target.stat().st_size
    assert "after 9" in command.error("pack", "crops", target, "--since", 9, code=1)
    assert "data directory" in command.error("pack", "crops", tmp_path / "data" / "ledger.sqlite", code=2)
    assert "no-such" in command.error("pack", "crops", tmp_path / "no-such" / "a.zip", code=2)
    assert "nothing" in command.error("pack", "nothing", target, code=1)
    (tmp_path / "link").symlink_to(target)
    command("pack", "crops", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
