"""Foreign entries become a mirror: the same entries and blobs, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Diverged, Mirrored, NotFound, RemoteError
from provrepo.ledger.entries import Entry, canonical
from provrepo.ledger.storage.blobs import Blobs
from provrepo.repository.exchange import serving
from provrepo.repository.exchange.begin import begin_mirror
from provrepo.repository.exchange.import_entries import fetch_absent, import_entries
from provrepo.repository.exchange.origin import Origin
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep.restore import restore
from tests.support.faults import killed_at
from tests.support.mirrored import URL, LocalBlobs, copy, differences, entries
from tests.support.sampling import FULL, SEED

PREFIXES = b"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <http://example.org/> .\n"
FIRST = PREFIXES + b"ex:clean prov:wasGeneratedBy [ a prov:Activity ; prov:used ex:raw ] .\n"
SECOND = FIRST + b"ex:more a prov:Entity ; prov:wasDerivedFrom ex:clean .\n"
THIRD = PREFIXES + b"ex:secret a prov:Entity .\n"
QUADS = "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { GRAPH ?g { ?any a provrepo:Repository } } }"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of which each test has a copy."""
    data = tmp_path_factory.mktemp("made") / "there"
    with provrepo.open(data) as repository:
        repository.create_project("crops", public=True, title="Crops")
        repository.submit(FIRST, project="crops", name="run")
        repository.submit(SECOND, project="crops", name="run", update=True, note="better")
        repository.submit(FIRST, project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="wrong sheet", internal_reason="private")
        repository.submit(THIRD, project="crops", name="erased")
        repository.erase("crops", "erased", 1, reason="the law")
    return data


@pytest.fixture
def there(made: Path, tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(Path(shutil.copytree(made, tmp_path / "there"))) as repository:
        yield repository


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "here") as repository:
        repository.init("https://lab-b.example/")
        yield repository


def changed(data: bytes, **fields: Any) -> bytes:
    return canonical({**Entry.from_bytes(data, strict=False).fields, **fields})


def quads(repository: Repository, project: str) -> list[str]:
    return sorted(str(row) for row in repository.query(QUADS, project=project).rows)


def test_a_mirror_has_the_same_entries_blobs_iris_names_and_quads(there: Repository, here: Repository) -> None:
    result = copy(here, there)
    assert (result.entries, result.sequence) == (7, 7)
    assert differences(here, there) == []
    assert quads(here, "copy") == quads(there, "crops")
    assert [info.iri for info in here.history("copy", "run")] == [info.iri for info in there.history("crops", "run")]
    assert here.version("copy", "run").submitter == there.version("crops", "run").submitter
    (found,) = {source.project for node in here.lineage("http://example.org/more").nodes for source in node.sources}
    assert found == "copy"
    assert here.project("copy").title == "Crops"
    check = here.fsck(views=True)
    assert check.problems == ()
    assert check.notes == ("copy, a mirror, lacks 2 blobs (2: erased at the origin)",)


def test_a_kill_during_an_erasure_loses_nothing_that_is_not_erased(
    there: Repository, here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are deleted before the entry of the erasure is committed: never is an erased version readable."""
    there.submit(FIRST, project="crops", name="twin")
    copy(here, there)
    former, blobs = entries(there), here.context.store.blobs
    gone = there.version("crops", "run", 2).sha256
    there.erase("crops", "run", 2, reason="the law")
    there.erase("crops", "twin", 1, reason="the law")  # other versions have these bytes
    erase = Blobs.erase

    def killed(self: Blobs, digest: str) -> None:
        erase(self, digest)
        if self is blobs:
            raise KeyboardInterrupt

    monkeypatch.setattr(Blobs, "erase", killed)
    with pytest.raises(KeyboardInterrupt):
        copy(here, there)
    monkeypatch.undo()
    assert entries(here, "copy") == former
    assert not blobs.exists(gone)
    check = here.fsck()
    assert check.problems == ()
    assert check.notes == ("copy, a mirror, lacks 3 blobs (3: erased at the origin)",)
    with pytest.raises(NotFound, match="erased at the origin"):
        here.original("copy", "run", 2)
    copy(here, there)
    assert differences(here, there) == ["twin@1 was erased and is here"]  # also at the origin
    assert here.fsck(views=True).problems == ()
    assert here.original("copy", "run", 1)[0] == FIRST


def test_an_erasure_leaves_no_record_of_absence(there: Repository, here: Repository) -> None:
    copy(here, there)
    (before,) = here.fsck().notes
    there.erase("crops", "run", 2, reason="the law")
    copy(here, there)
    assert here.fsck(views=True).notes == (before,)


def test_to_import_again_changes_nothing_and_continues(there: Repository, here: Repository) -> None:
    whole = entries(there)
    assert copy(here, there, sent=whole[:3]).entries == 3
    assert copy(here, there, sent=whole[:3]).entries == 0
    assert copy(here, there, sent=whole[2:5]).entries == 2
    assert copy(here, there).entries == 2
    there.submit(THIRD + b"#\n", project="crops", name="later")
    assert copy(here, there).entries == 1
    assert differences(here, there) == []
    assert here.fsck(views=True).problems == ()


def test_nothing_else_is_written_to_a_mirror(there: Repository, here: Repository) -> None:
    copy(here, there)
    before = entries(here, "copy")
    for change in (
        lambda: here.submit(THIRD, project="copy", name="run", update=True),
        lambda: here.withdraw("copy", "run", reason="no"),
        lambda: here.erase("copy", "run", 1, reason="no"),
        lambda: here.set_project("copy", title="mine"),
        lambda: here.set_project("copy"),
    ):
        with pytest.raises(Mirrored, match=URL):
            change()
    with pytest.raises(Conflict, match="already"):
        here.create_project("copy")
    with here.context.store.ledger.appending("copy") as appending, pytest.raises(Mirrored):
        appending.append("settings", {"public": False}, actor="")
    assert entries(here, "copy") == before
    assert not any("without an entry" in note for note in here.fsck().notes)


def test_rebuild_backup_and_restore_keep_a_mirror(there: Repository, here: Repository, tmp_path: Path) -> None:
    copy(here, there)
    expected = quads(here, "copy")
    here.rebuild()
    assert quads(here, "copy") == expected
    assert here.backup(tmp_path / "backup").problems == ()
    assert restore(tmp_path / "backup", tmp_path / "again").problems == ()
    with provrepo.open(tmp_path / "again") as again:
        assert again.fsck(views=True).problems == ()
        assert differences(again, there) == []
        there.submit(THIRD + b"#\n", project="crops", name="later")
        assert copy(again, there).entries == 1
        assert differences(again, there) == []


@pytest.mark.parametrize(
    ("number", "fields", "error"),
    [
        (5, {"reason": "another"}, Diverged),  # the entry after it names another digest
        (6, {"previous": "00" * 32}, Diverged),
        (4, {"sequence": 9}, Diverged),
        (3, {"project": "soil"}, Diverged),
        (3, {"version": 7}, RemoteError),
        (4, {"blob": "none"}, RemoteError),
        (4, {"time": "yesterday"}, RemoteError),
    ],
)
def test_entries_that_are_not_the_next_ones_are_refused(
    there: Repository, here: Repository, number: int, fields: dict[str, Any], error: type[Exception]
) -> None:
    sent = entries(there)
    sent[number - 1] = changed(sent[number - 1], **fields)
    with pytest.raises(error):
        copy(here, there, sent=sent)
    assert here.context.store.ledger.length("copy") == 0
    copy(here, there)
    assert differences(here, there) == []
    assert here.fsck().problems == ()


def test_another_entry_under_a_number_that_is_here_is_a_fork(there: Repository, here: Repository) -> None:
    copy(here, there)
    sent = entries(there)
    sent[3] = changed(sent[3], note="another")
    with pytest.raises(Diverged, match="entry 4"):
        copy(here, there, sent=sent)
    assert differences(here, there) == []


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{}", b'{"kind": "submit"}', b"\xff" * 100, b"x" * (2 << 20)])
def test_what_is_no_entry_is_refused(there: Repository, here: Repository, garbage: bytes) -> None:
    with pytest.raises(RemoteError):
        copy(here, there, sent=[entries(there)[0], garbage])
    assert here.context.store.ledger.length("copy") == 0


def test_bytes_with_another_digest_are_refused(there: Repository, here: Repository) -> None:
    begin_mirror(here.context, "copy", serving.origin(there.context, "crops"))
    blobs = LocalBlobs(there)
    digest = there.version("crops", "run").sha256
    blobs.lies[digest] = b"lies"
    with pytest.raises(RemoteError, match=digest):
        import_entries(here.context, "copy", entries(there), blobs)
    assert here.context.store.ledger.length("copy") == 0
    assert not here.context.store.blobs.exists(digest)
    blobs.lies.clear()
    import_entries(here.context, "copy", entries(there), blobs)
    assert differences(here, there) == []


def test_naming_the_digest_of_private_bytes_does_not_give_them(there: Repository, here: Repository) -> None:
    here.create_project("private")
    digest = here.submit(FIRST, project="private", name="run").version.sha256
    assert digest == there.version("crops", "run", 1).sha256
    begin_mirror(here.context, "copy", serving.origin(there.context, "crops"))

    class Nothing(LocalBlobs):
        def fetch(self, digest: str, file: Path, most: int | None) -> str | None:
            self.asked.append(digest)
            return "not to be had"

    blobs = Nothing(there)
    result = import_entries(here.context, "copy", entries(there), blobs)
    assert digest in blobs.asked
    assert result.absent[digest] == "not to be had"
    with pytest.raises(NotFound, match="not to be had"):
        here.original("copy", "run", 1)
    with pytest.raises(NotFound, match="not to be had"):
        serving.blob(here.context, "copy", digest)
    assert here.original("private", "run")[0] == FIRST
    assert here.query("ASK { ?s prov:used ?o }", project="copy").boolean is False


def test_readers_copy_no_withdrawn_bytes_and_say_so(there: Repository, here: Repository, tmp_path: Path) -> None:
    there.submit(THIRD + b"# withdrawn\n", project="crops", name="taken")
    there.withdraw("crops", "taken", reason="wrong sheet")
    reader = there.as_actor(Actor("r", "reader", projects=("crops",)))
    begin_mirror(here.context, "copy", serving.origin(reader.context, "crops"))
    result = import_entries(here.context, "copy", entries(reader), LocalBlobs(reader))
    taken = there.history("crops", "taken")[0].sha256
    assert "was withdrawn: wrong sheet" in result.absent[taken]
    assert entries(here, "copy") == entries(there)
    check = here.fsck(views=True)
    assert check.problems == ()
    assert any("copy, a mirror, lacks" in note and "wrong sheet" in note for note in check.notes)
    assert here.backup(tmp_path / "backup").problems == ()
    # A curator of the origin may have them, and they are indexed like all others.
    assert fetch_absent(here.context, "copy", LocalBlobs(there)).blobs == 2
    assert differences(here, there) == []
    assert here.fsck(views=True).problems == ()


def test_filters_leave_out_blobs_and_never_entries(there: Repository, here: Repository) -> None:
    result = copy(here, there, blobs="none")
    assert (result.entries, result.blobs) == (7, 0)
    assert entries(here, "copy") == entries(there)
    assert here.query("ASK { ?s prov:used ?o }", project="copy").boolean is False
    with pytest.raises(NotFound, match="copies no bytes"):
        here.original("copy", "run")
    here.context.store.parts.mirroring.change("copy", actor="", blobs="all")
    fetch_absent(here.context, "copy", LocalBlobs(there))
    assert here.query("ASK { ?s prov:used ?o }", project="copy").boolean is True
    assert differences(here, there) == []
    copy(here, there, name="current", blobs="current")
    assert here.original("current", "run")[0] == SECOND
    copy(here, there, name="small", most=len(FIRST))
    with pytest.raises(NotFound, match=f"at most {len(FIRST)} bytes"):
        here.original("small", "run", 2)
    assert here.fsck(views=True).problems == ()


def test_entries_of_unknown_kinds_are_kept(there: Repository, here: Repository) -> None:
    sent = entries(there)
    last = Entry.from_bytes(sent[-1])
    for number, ignorable in ((8, True), (9, False)):
        head = {"actor": "", "time": last.time, "software": "provrepo/9.9", "project": "crops", "kind": "merge"}
        more = {"ignorable": True} if ignorable else {}
        sent.append(canonical({**head, **more, "sequence": number, "previous": last.sha256}))
        last = Entry.from_bytes(sent[-1], strict=False)
    copy(here, there, sent=sent[:8])
    assert here.fsck(views=True).problems == ()
    copy(here, there, sent=sent)
    assert entries(here, "copy") == sent
    assert "'merge'" in str(here.fsck().problems)


def test_a_repository_does_not_mirror_itself_or_under_a_name_that_is_taken(there: Repository, here: Repository) -> None:
    origin = serving.origin(there.context, "crops")
    with pytest.raises(Conflict, match="itself"):
        begin_mirror(there.context, "again", origin)
    here.create_project("own")
    with pytest.raises(Conflict, match="'own'"):
        begin_mirror(here.context, "own", origin)
    with pytest.raises(Conflict, match="default"):
        begin_mirror(here.context, "default", origin)
    copy(here, there)
    other = Origin("soil", origin.identity)
    with pytest.raises(Conflict, match="another project"):
        begin_mirror(here.context, "copy", other)
    ours = Origin("crops", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", base="https://lab-b.example/")
    with pytest.raises(Conflict, match="base IRI"):
        begin_mirror(here.context, "theirs", ours)
    assert [mirror.project for mirror in here.context.store.ledger.mirrors()] == ["copy"]


def test_a_mirror_is_public_only_if_both_sides_say_so(there: Repository, here: Repository) -> None:
    copy(here, there)
    assert not here.project("copy").public
    there.create_project("closed")
    copy(here, there, name="closed-copy", project="closed", public=True)
    assert not here.project("closed-copy").public
    copy(here, there, name="second", public=True)
    with pytest.raises(Conflict, match="public mirror"):
        copy(here, there, name="third", public=True)
    assert here.project("second").public
    anonymous = here.as_actor(here.context.store.anonymous())
    assert [info.name for info in anonymous.projects()] == ["second"]
    assert here.query("ASK { ?s prov:used ?o }", public=True).boolean is True
    # New entries of the private mirror leave the public one, whose graphs have the same names, as it is.
    there.submit(THIRD + b"#\n", project="crops", name="later")
    copy(here, there)
    assert here.query("ASK { ?s prov:used ?o }", public=True).boolean is True
    there.set_project("crops", public=False)
    copy(here, there, name="second", public=True)
    assert anonymous.projects() == []
    assert here.fsck(views=True).problems == ()


def test_the_iris_follow_when_the_origin_gets_a_base_iri(there: Repository, here: Repository) -> None:
    copy(here, there, public=True)
    there.init("https://lab-a.example/")
    origin = serving.origin(there.context, "crops")
    here.context.store.parts.mirroring.change("copy", actor="", base=origin.base)
    assert here.version("copy", "run").iri == there.version("crops", "run").iri
    assert here.version("copy", "run").iri.startswith("https://lab-a.example/")
    assert quads(here, "copy") == quads(there, "crops")
    assert here.fsck(views=True).problems == ()


def test_as_of_a_time_a_mirror_has_what_its_origin_had(there: Repository, here: Repository) -> None:
    here.create_project("own")
    here.submit(THIRD, project="own", name="own")
    copy(here, there)
    ledger, second = here.context.store.ledger, there.history("crops", "run")[1]
    from datetime import datetime

    time = datetime.fromisoformat(second.time)
    assert ledger.lengths_at(time) == {"copy": 3}
    assert ledger.setbacks() == []


def test_rows_of_mirrors_that_were_changed_are_reported(there: Repository, here: Repository) -> None:
    copy(here, there)
    with here.context.store.ledger.database.writing() as connection:
        connection.execute("UPDATE mirrors SET origin = 'https://elsewhere.example/', public = 1")
    problems = here.fsck().problems
    assert len(problems) == 1
    assert "mirror copy: origin, public" in problems[0]


def test_wherever_an_import_ends_the_next_one_completes_it(there: Repository, tmp_path: Path) -> None:
    """Ended before each change of a file, as by a kill; views are not open."""
    sent, ended = entries(there), 0
    step = 1 if FULL else 3
    at = SEED % step
    while True:
        data = tmp_path / f"killed-{at}"
        with provrepo.open(data, follow=False) as prepared:
            begin_mirror(prepared.context, "copy", serving.origin(there.context, "crops"))
            with killed_at(data, at) as death:
                import_entries(prepared.context, "copy", sent, LocalBlobs(there))
        with provrepo.open(data, follow=False) as repository:
            assert repository.context.store.ledger.length("copy") in (0, len(sent))
            assert [problem for problem in repository.fsck().problems if "view" not in problem] == []
            import_entries(repository.context, "copy", sent, LocalBlobs(there))
            assert differences(repository, there) == []
            assert not list((data / "blobs" / "partial").glob("copy/*"))
        if not death.dead:
            break
        ended += 1
        at += step
    assert ended > 5
