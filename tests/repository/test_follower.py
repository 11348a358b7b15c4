"""The follower: one process applies entries, catches up after a kill, and skips entries that it may skip."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import WorkerFailed
from provrepo.ledger.entries import Entry
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep.views_lock import ViewsLock
from provrepo.views.lineage.index import Lineage
from provrepo.views.lineage.traversal import Options
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PROV
from tests.conftest import PROVJSON, TURTLE

LABELED = "ASK { ?s rdfs:label 'cleaned' }"


def test_one_lock_one_holder(tmp_path: Path) -> None:
    first, second = ViewsLock(tmp_path / "views.lock"), ViewsLock(tmp_path / "views.lock")
    assert first.acquire("http://127.0.0.1:1/")
    assert not second.acquire()
    assert second.holder()["url"] == "http://127.0.0.1:1/"
    first.release()
    assert second.acquire()
    second.release()


def test_entries_appended_without_the_views_are_applied_by_the_next_holder(tmp_path: Path) -> None:
    with provrepo.open(tmp_path, follow=False) as repository:
        repository.submit(PROVJSON, name="a")
        repository.submit(TURTLE, name="a", update=True)
        repository.submit(PROVJSON, name="b")
    with provrepo.open(tmp_path) as repository:
        assert repository.query(LABELED).boolean is True
        graphs = {str(row["g"]) for row in repository.query("SELECT DISTINCT ?g { GRAPH ?g { ?a prov:used ?b } }").rows}
        assert {repository.version("default", name).iri for name in "ab"} <= graphs
        assert not any(info.iri in graphs for info in repository.history("default", "a")[:1])


def test_a_query_does_not_wait_for_what_is_being_applied(tmp_path: Path) -> None:
    with provrepo.open(tmp_path) as repository:
        repository.submit(PROVJSON, name="a")
        follower = repository.context.store.follower
        repository.serve("http://127.0.0.1:1/")
        held, answered = threading.Event(), threading.Event()

        def apply() -> None:
            with follower._applying:
                held.set()
                answered.wait(20)

        applying = threading.Thread(target=apply)
        applying.start()
        held.wait()
        assert repository.query(LABELED).boolean is True
        assert applying.is_alive()
        answered.set()
        applying.join()


def test_left_over_content_is_not_trusted_at_the_next_start(tmp_path: Path) -> None:
    with provrepo.open(tmp_path, follow=False) as repository:
        repository.submit(PROVJSON, name="a")
        blob = repository.version("default", "a").sha256
        file = repository.context.store.content_file("default", "a", 1, blob, "")
        file.write_text("")
    with provrepo.open(tmp_path) as repository:
        assert repository.query(LABELED).boolean is True


def test_a_dataset_of_another_stamp_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path) as repository:
        repository.submit(PROVJSON, name="a")
        repository.query("ASK {}")
        view = repository.context.store.view(Quads)
        view.remove_project("default", "nobody")
        before = view.stamp("default")
    monkeypatch.setattr("provrepo.views.sparql.store.MAPPING", "another/0", raising=True)
    with provrepo.open(tmp_path) as repository:
        assert repository.query(LABELED).boolean is True
        assert repository.context.store.view(Quads).stamp("default") != before


def test_an_index_of_another_mapping_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lineage, "MAPPING", "former")
    with provrepo.open(tmp_path) as repository:
        repository.submit(PROVJSON, name="a")
        repository.submit(TURTLE, name="a", update=True)
        view = repository.context.store.view(Lineage)
        held, stamp = list(view.dump("default")), view.stamp("default")
        [file] = tmp_path.glob("views/lineage/**/view.sqlite")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM edge")
    with provrepo.open(tmp_path) as repository:
        assert list(repository.context.store.view(Lineage).dump("default")) == []
    monkeypatch.undo()
    with provrepo.open(tmp_path) as repository:
        view = repository.context.store.view(Lineage)
        assert view.stamp("default") != stamp
        assert list(view.dump("default")) == held != []
        former = view.traverse("http://example.org/clean", ["default"], [Options()], limit=9, as_of={"default": 2})
        assert former is not None
        assert {rule for _, rule, _ in former.walk.edges} == {0, 1, 9}


def test_a_rebuild_knows_what_held_formerly_and_not_what_was_erased(tmp_path: Path) -> None:
    def upstream(repository: Repository, entry: int) -> list[str] | None:
        view = repository.context.store.view(Lineage)
        found = view.traverse("http://example.org/x", ["default"], [Options()], limit=9, as_of={"default": entry})
        return None if found is None else [thing.iri[-1] for thing in found.things.values()]

    with provrepo.open(tmp_path) as repository:
        for name in "abc":
            said = f"<http://example.org/x> <{PROV}wasDerivedFrom> <http://example.org/{name}> ."
            repository.submit(said.encode(), name="d", update=True, format="turtle")
        repository.withdraw("default", "d", reason="wrong")
        repository.erase("default", "d", 2, reason="court order")
        last = repository.context.store.ledger.length("default")
        live = [upstream(repository, entry) for entry in range(last + 1)]
        repository.rebuild()
        assert [upstream(repository, entry) for entry in range(last + 1)] == live
    # The first entry creates the project, the last two withdraw and erase.
    assert live == [None, None, ["x", "a"], None, ["x", "c"], None, None]


def test_what_cannot_be_derived_is_set_aside_and_tried_again_by_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provrepo.open(tmp_path, follow=False) as repository:
        repository.submit(PROVJSON, name="a")
        repository.submit(TURTLE, name="b")
    with provrepo.open(tmp_path) as repository:
        derive = repository.context.store.follower._derive

        def failing(entry: Entry, base: str) -> Path | None:
            if entry.fields["document"] == "a":
                raise WorkerFailed("out of memory")
            return derive(entry, base)

        monkeypatch.setattr(repository.context.store.follower, "_derive", failing)
        assert repository.query("ASK { ?s prov:wasDerivedFrom ?o }").boolean is True
        assert repository.query(LABELED).boolean is False
        assert repository.context.store.health()["status"] == "degraded"
        check = repository.fsck()
        assert not check.sound
        assert "out of memory" in check.problems[0]
        monkeypatch.setattr(repository.context.store.follower, "_derive", derive)
        repository.rebuild()
        assert repository.query(LABELED).boolean is True
        assert repository.fsck().sound


def test_an_unreadable_entry_is_stepped_over_and_reported(tmp_path: Path) -> None:
    with provrepo.open(tmp_path) as repository:
        repository.submit(PROVJSON, name="a")
        repository.submit(TURTLE, name="b")
    damage(tmp_path, b"not json", sequence=2)
    with provrepo.open(tmp_path) as repository:
        repository.rebuild()
        assert repository.query("ASK { ?s prov:wasDerivedFrom ?o }").boolean is True
        assert repository.query(LABELED).boolean is False
        assert any("default" in problem for problem in repository.fsck().problems)


def damage(data: Path, content: bytes, sequence: int) -> None:
    """Overwrite the bytes of an entry, as a failing disk might."""
    connection = sqlite3.connect(data / "ledger.sqlite")
    with connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(
            "UPDATE entries SET data = ? WHERE project = 'default' AND sequence = ?", (content, sequence)
        )
    connection.close()


def test_fsck_finds_changed_and_missing_bytes(repository: Repository) -> None:
    sound = repository.submit(PROVJSON, name="a").version
    gone = repository.submit(TURTLE, name="b").version
    assert repository.fsck().sound
    blobs = repository.context.store.blobs
    changed = blobs.path(sound.sha256)
    changed.chmod(0o600)
    changed.write_bytes(PROVJSON.replace(b"Alice", b"Mallo"))
    blobs.path(gone.sha256).unlink()
    problems = repository.fsck().problems
    assert any(sound.sha256 in problem for problem in problems)
    assert any(gone.sha256 in problem and "missing" in problem for problem in problems)
    with pytest.raises(provrepo.Error):
        repository.original("default", "a")


def test_an_entry_makes_its_own_project_followed_and_no_other(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        repository.create_project(name)
        repository.submit(PROVJSON, project=name, name="a")
    follower = repository.context.store.follower
    follow, followed = follower._update, []

    def recording(project: str) -> None:
        followed.append(project)
        follow(project)

    monkeypatch.setattr(follower, "_update", recording)
    repository.submit(TURTLE, project="two", name="b")
    assert followed == ["two"]
    assert repository.query("ASK { ?s prov:wasDerivedFrom ?o }", project="two").boolean is True
    followed.clear()
    repository.init("https://prov.example.org/")
    repository.query("ASK {}", project="one")
    assert followed == ["one", "three", "two"], "another base IRI renames everything"


def test_what_is_accepted_does_not_depend_on_who_holds_the_views(tmp_path: Path) -> None:
    # Rule 28 of PROV-CONSTRAINTS: an activity with two start times. Without a profile that is only reported.
    invalid = b"""document
prefix ex <http://example.org/>
activity(ex:a, 2026-01-01T10:00:00Z, -)
wasStartedBy(ex:a, -, -, 2026-01-01T11:00:00Z)
endDocument"""
    reports = []
    for follow in (True, False):
        with provrepo.open(tmp_path / str(follow), follow=follow) as repository:
            reports.append(repository.submit(invalid, name="a").report)
    assert reports[0] == reports[1]
    assert [finding.rule for finding in reports[0].findings] == ["prov-constraints:28"]
