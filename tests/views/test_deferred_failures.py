"""Submissions that wait in the quads view while other things happen: failures, flips of a project, and races."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Busy, Damaged, NoSpace
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.content import BulkLoad
from provrepo.views.sparql.store import Quads
from provrepo.views.sparql.updates import Updates
from provrepo.views.sparql.waiting.deferred import Deferred, Waiting
from provrepo.views.view import Change
from provrepo.vocab import PROV
from tests.views.test_deferred import COUNT, Dropped, dropped, entity, followed, loads, submit, view

__all__ = ["dropped", "followed", "view"]

EXAMPLES = f"SELECT ?e {{ ?e a <{PROV}Entity> FILTER(STRSTARTS(STR(?e), 'http://example.org/')) }}"


def examples(repository: provrepo.Repository, project: str = "") -> list[str]:
    """The entities of a project's dataset, or of the public one."""
    answer = repository.query(EXAMPLES, project=project) if project else repository.query(EXAMPLES, public=True)
    return sorted(str(row["e"]).rpartition("/")[2] for row in answer.rows)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Datasets of which no load of several submissions succeeds."""
    datasets: set[str] = set()
    load = Quads._load

    def fail(self: Quads, dataset: str, changes: list[Waiting]) -> None:
        if dataset in datasets:
            raise Damaged("no load succeeds")
        load(self, dataset, changes)

    monkeypatch.setattr(Quads, "_load", fail)
    return datasets


# Projects that become private -----------------------------------------------------------------------------------


def test_what_waits_for_the_public_dataset_does_not_enter_it_once_the_project_is_private(
    followed: provrepo.Repository,
) -> None:
    followed.create_project("open", public=True)
    followed.submit(entity("open"), project="open", name="d")
    followed.query("ASK {}", public=True)
    followed.submit(entity("secret"), project="crops", name="d")
    followed.set_project("crops", public=False)
    assert examples(followed) == ["open"]
    assert examples(followed, "crops") == ["secret"]


def test_what_waits_for_the_public_dataset_outlives_that_another_project_leaves_it(tmp_path: Path, view: Quads) -> None:
    crops, soil = ChangeStream(tmp_path, "crops"), ChangeStream(tmp_path, "soil")
    view.apply("*public", crops.submit("a", [f"<urn:a> <{PROV}used> <urn:raw>"]))
    view.apply("*public", soil.submit("b", [f"<urn:b> <{PROV}used> <urn:raw>"]))
    view.remove_project("*public", "soil")
    assert [str(row["a"]) for row in view.query("*public", COUNT).rows] == ["urn:a"]
    assert view.position("*public", "crops") == 1
    assert view.position("*public", "soil") == 0


def test_entries_after_the_one_that_makes_a_project_private_never_enter_the_public_dataset(
    followed: provrepo.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = followed.context.store.follower
    targets, applied = follower._targets, []
    with monkeypatch.context() as patch:
        patch.setattr(follower, "_apply_until", lambda position: None)
        followed.submit(entity("open"), project="crops", name="open")

    def flip(project: str) -> object:
        found = targets(project)
        if not applied:
            applied.append(project)
            with monkeypatch.context() as patch:
                patch.setattr(follower, "catch_up", lambda: None)
                followed.set_project("crops", public=False)
                followed.submit(entity("secret"), project="crops", name="secret")
        return found

    monkeypatch.setattr(follower, "_targets", flip)
    follower._update("crops")
    assert applied
    assert examples(followed) == ["open"]


def test_a_project_leaves_a_dataset_that_was_killed_before_its_position_was_stored(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provrepo.views.sparql.store._FEW", 0)
    with monkeypatch.context() as patch:
        patch.setattr(Updates, "remove", lambda *arguments, **options: 1 / 0)
        submit(view, ChangeStream(tmp_path), "a")
        with pytest.raises(Busy):
            view.flush()
    assert view.count("crops")
    view.remove_project("crops", "crops")
    assert view.count("crops") == 0


# Loads that fail ------------------------------------------------------------------------------------------------


def test_no_change_waits_after_one_that_was_dropped(tmp_path: Path) -> None:
    stream, deferred = ChangeStream(tmp_path), Deferred()
    first, second = (stream.submit(name, []) for name in "ab")
    assert first.content is not None
    assert second.content is not None
    assert deferred.add("crops", Waiting(first, first.content()))
    deferred.drop("crops", "a reason")
    assert not deferred.add("crops", Waiting(second, second.content()))
    assert deferred.position("crops", "crops") == 0


def test_a_query_does_not_answer_without_what_counted_as_applied(
    followed: provrepo.Repository, failing: set[str]
) -> None:
    follower = followed.context.store.follower
    assert followed.submit(entity("e"), project="crops", name="d").indexed
    failing.add("crops")
    follower._flush()  # by the thread that polls
    with pytest.raises(Busy, match="no load succeeds"):
        followed.query("ASK {}", project="crops")
    assert examples(followed) == ["e"]
    follower.catch_up()
    assert examples(followed, "crops") == ["e"]


def test_a_failure_while_the_project_is_followed_stops_nothing(
    followed: provrepo.Repository, failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = followed.context.store
    followed.submit(entity("a"), project="crops", name="a")
    advance, failed = store.follower._advance, []

    def fail(target: object, entry: object, content: object) -> None:
        if not failed:
            failed.append(entry)
            failing.add("crops")
            with pytest.raises(Busy):
                store.view(Quads).flush("crops")  # by a reader
            failing.clear()
        advance(target, entry, content)  # type: ignore[arg-type]

    monkeypatch.setattr(store.follower, "_advance", fail)
    followed.submit(entity("b"), project="crops", name="b")
    assert failed
    store.follower.catch_up()
    assert examples(followed, "crops") == ["a", "b"]
    assert examples(followed) == ["a", "b"]
    assert not dict(store.set_aside.items())
    assert not store.follower.waiting


def test_a_failure_just_after_the_project_was_followed_is_not_forgotten(
    followed: provrepo.Repository, failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = followed.context.store
    apply_new, failed = store.follower._apply_new, []

    def fail(project: str) -> None:
        apply_new(project)
        if not failed:
            failed.append(project)
            failing.add("crops")
            with pytest.raises(Busy):
                store.view(Quads).flush("crops")  # by a reader
            failing.clear()

    monkeypatch.setattr(store.follower, "_apply_new", fail)
    receipt = followed.submit(entity("a"), project="crops", name="a")
    assert not receipt.indexed
    store.follower.catch_up()
    assert examples(followed, "crops") == ["a"]
    assert not store.follower.waiting


def test_a_reader_that_waits_for_a_load_loads_nothing_itself(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, started, go_on = loads(monkeypatch), threading.Event(), threading.Event()
    submit(view, ChangeStream(tmp_path), "a")
    load = Quads._load

    def slow(self: Quads, dataset: str, changes: list[Waiting]) -> None:
        started.set()
        assert go_on.wait(30)
        load(self, dataset, changes)

    monkeypatch.setattr(Quads, "_load", slow)
    threads = [threading.Thread(target=view.flush, args=["crops"]) for _ in range(3)]
    threads[0].start()
    assert started.wait(30)
    waited = view._writers["crops"]
    for thread in threads[1:]:
        thread.start()
    assert waited is view._writer("crops")
    go_on.set()
    for thread in threads:
        thread.join()
    assert 0 not in sizes


def test_a_project_that_a_view_stops_to_follow_does_not_keep_others_from_readers(
    followed: provrepo.Repository, failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = followed.context.store.follower
    followed.create_project("open", public=True)
    followed.submit(entity("open"), project="open", name="d")
    followed.query("ASK {}", public=True)
    followed.submit(entity("e"), project="crops", name="d")
    failing.add("*public")
    follower._flush()
    apply = Quads.apply

    def fail(self: Quads, dataset: str, change: Change) -> None:
        if dataset == "*public" and change.project == "crops":
            raise ValueError("this project never enters it")
        apply(self, dataset, change)

    monkeypatch.setattr(Quads, "apply", fail)
    with pytest.raises(Busy):
        examples(followed)
    follower.catch_up()
    assert examples(followed) == ["open"]
    assert examples(followed, "crops") == ["e"]
    assert "never enters" in str(dict(followed.context.store.set_aside.items()))


def test_a_cleared_dataset_takes_changes_again(tmp_path: Path, view: Quads) -> None:
    stream = ChangeStream(tmp_path)
    submit(view, stream, "a", "b")
    view.clear("crops")
    assert view.query("crops", COUNT).rows == []
    view.apply("crops", stream.changes[0])
    assert len(view.query("crops", COUNT).rows) == 1


def test_a_view_without_what_waits_is_closed(tmp_path: Path, dropped: Dropped) -> None:
    opened = Quads(tmp_path / "view", base=BASE)
    opened.defer(lambda projects, error: dropped.append((projects, error)))
    opened.close()
    assert dropped == []


# Large content --------------------------------------------------------------------------------------------------


def test_no_reader_sees_the_parts_of_a_load_that_failed(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provrepo.views.sparql.store._SMALL_CONTENT", 0)
    monkeypatch.setattr("provrepo.views.sparql.store._DEFERRED_CONTENT", 0)
    monkeypatch.setattr("provrepo.views.sparql.loading._PART", 1)
    stream, parts = ChangeStream(tmp_path), []
    submit(view, stream, "a")
    before = list(view.dump("crops"))
    change = stream.submit("b", [f"<urn:b{number}> <{PROV}used> <urn:raw>" for number in range(5)])

    class Full(BulkLoad):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            parts.append(1)
            if len(parts) == 4:
                raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("provrepo.views.sparql.loading.BulkLoad", Full)
        with pytest.raises(NoSpace):
            view.apply("crops", change)
    assert [str(row["a"]) for row in view.query("crops", COUNT).rows] == ["urn:a"]
    assert list(view.dump("crops")) == before
    view.apply("crops", change)
    assert len(view.query("crops", COUNT).rows) == 6


def test_a_load_that_was_killed_before_its_positions_were_stored_is_repeated(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content and records are there already; what happened to the documents since then is applied to them."""
    monkeypatch.setattr("provrepo.views.sparql.store._FEW", 0)
    stream = ChangeStream(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Updates, "remove", lambda *arguments, **options: 1 / 0)
        submit(view, stream, "a", "b", "c")
        with pytest.raises(Busy):
            view.flush()
    assert view.count("crops")
    stream.withdraw("a")
    stream.erase("b", 1)
    stream.submit("c", [f"<urn:c> <{PROV}used> <urn:better>"])
    plain = Quads(tmp_path / "plain", base=BASE)
    try:
        assert view.position("crops", "crops") == 0
        for change in stream.changes:
            view.apply("crops", change)
            plain.apply("crops", change)
        assert list(view.dump("crops")) == list(plain.dump("crops"))
    finally:
        plain.close()
