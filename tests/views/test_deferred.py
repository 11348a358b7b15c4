"""Small submissions that wait in the quads view, and what becomes of them where they cannot be loaded."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Busy, Damaged
from provrepo.repository.upkeep.derived_content import DerivedContent
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.extraction import Extraction, extraction_file
from provrepo.views.sparql import store
from provrepo.views.sparql.content import BulkLoad, Content
from provrepo.views.sparql.loading import Loader
from provrepo.views.sparql.store import Quads
from provrepo.views.sparql.waiting import deferred
from provrepo.views.view import Change
from provrepo.vocab import PROV

COUNT = f"SELECT ?a {{ ?a <{PROV}used> ?b }}"
Dropped = list[tuple[set[str], Exception]]


@pytest.fixture
def dropped() -> Dropped:
    return []


@pytest.fixture
def view(tmp_path: Path, dropped: Dropped) -> Iterator[Quads]:
    opened = Quads(tmp_path / "view", base=BASE)
    opened.defer(lambda projects, error: dropped.append((projects, error)))
    yield opened
    opened.close()


def submit(view: Quads, stream: ChangeStream, *names: str) -> None:
    for name in names:
        view.apply("crops", stream.submit(name, [f"<urn:{name}> <{PROV}used> <urn:raw>"]))


def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many submissions each load had, from now on."""
    sizes: list[int] = []
    load = Quads._load
    monkeypatch.setattr(
        Quads, "_load", lambda self, dataset, changes: (sizes.append(len(changes)), load(self, dataset, changes))
    )
    return sizes


@pytest.mark.parametrize("few", [0, 10])
def test_what_waits_is_loaded_together_for_the_next_reader(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(store, "_FEW", few)
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    submit(view, stream, "a", "b", "c")
    assert view.position("crops", "crops") == 3
    assert sizes == []
    assert len(view.query("crops", COUNT).rows) == 3
    assert sizes == [3]
    assert view.position("crops", "crops") == 3
    assert not list(tmp_path.glob("*.nq*"))


def test_a_reader_of_another_dataset_waits_for_nothing(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = loads(monkeypatch)
    submit(view, ChangeStream(tmp_path), "a")
    assert view.query("other", COUNT).rows == []
    assert sizes == []


def test_a_withdrawal_and_a_second_version_come_after_what_waits(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    submit(view, stream, "a", "b", "a")
    assert sizes == [2]
    view.apply("crops", stream.withdraw("b"))
    assert [str(row["a"]) for row in view.query("crops", COUNT).rows] == ["urn:a"]
    assert view.position("crops", "crops") == 4


def test_no_more_wait_than_the_limit(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_MOST", 3)
    sizes = loads(monkeypatch)
    submit(view, ChangeStream(tmp_path), *"abcdefg")
    assert sizes == [3, 3]


def test_no_more_bytes_wait_than_the_limit(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_MOST_BYTES", 200)
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    submit(view, stream, *"abcdefgh")
    assert len(sizes) > 1
    assert max(sizes) < 8


def test_on_a_nearly_full_disk_no_submission_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = [True, False, False, True]
    view = Quads(tmp_path / "view", base=BASE, has_space=lambda: space.pop(0))
    view.defer(lambda projects, error: pytest.fail(f"{projects}: {error}"))
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    submit(view, stream, "a")
    assert view._stored("crops", "crops") == 0
    submit(view, stream, "b")
    assert view._stored("crops", "crops") == 2, "what waited is loaded first"
    submit(view, stream, "c")
    assert view._stored("crops", "crops") == 3
    submit(view, stream, "d")
    assert view._stored("crops", "crops") == 3
    assert sizes == [1]
    assert len(view.query("crops", COUNT).rows) == 4
    view.close()


def test_what_waits_is_due_when_it_is_enough_or_has_waited_for_long_or_nothing_more_comes(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    for limit in ("_PATIENCE", "_REST"):
        monkeypatch.setattr(deferred, limit, 3600.0)
    for limit, due in (("_ENOUGH", 1), ("_ENOUGH_BYTES", 1), ("_PATIENCE", 0.0), ("_REST", 0.0)):
        submit(view, stream, limit)
        view.flush(due=True)
        assert sizes == []
        with monkeypatch.context() as patch:
            patch.setattr(deferred, limit, due)
            view.flush(due=True)
        assert sizes == [1]
        sizes.clear()


def test_much_is_loaded_in_portions(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, stream = loads(monkeypatch), ChangeStream(tmp_path)
    submit(view, stream, *"abcde")
    size = view._deferred.waiting("crops")[0].size
    monkeypatch.setattr(deferred, "_TOGETHER", 2 * size)
    assert len(view.query("crops", COUNT).rows) == 5
    assert sizes == [2, 2, 1]
    assert view.position("crops", "crops") == view._stored("crops", "crops") == 5


def test_portions_before_one_that_cannot_be_loaded_are_applied(
    tmp_path: Path, view: Quads, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = ChangeStream(tmp_path)
    submit(view, stream, "a", "b")
    bad = stream._add("submit", stream.changes[0].entry | {"document": "c"}, ["<urn:a> <urn:b> <urn:c> <urn:d> .\n"])
    view.apply("crops", bad)
    submit(view, stream, "d")
    monkeypatch.setattr(deferred, "_TOGETHER", 1)
    with pytest.raises(Busy, match="could not be indexed yet"):
        view.query("crops", COUNT)
    assert [projects for projects, _ in dropped] == [{"crops"}]
    assert view.position("crops", "crops") == 2
    assert not list(tmp_path.glob("*.nq*"))
    for change in (bad, stream.changes[-1]):
        view.apply("crops", replace(change, entry={"kind": "skipped"}))
    assert len(view.query("crops", COUNT).rows) == 2


def test_a_change_that_waits_keeps_nothing_of_what_was_extracted(tmp_path: Path) -> None:
    file = tmp_path / "content.nq"
    file.touch()
    Extraction().write(extraction_file(file))
    content = DerivedContent(lambda: file)
    change = Change("crops", 1, "", {"kind": "submit"}, content=content.link, extraction=content.extraction)
    extraction = content.extraction()
    assert extraction in gc.get_referents(content)
    content.close()
    assert extraction not in gc.get_referents(content)
    assert change.content is not None


def test_large_content_does_not_wait(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_DEFERRED_CONTENT", 10)
    sizes = loads(monkeypatch)
    submit(view, ChangeStream(tmp_path), "a")
    assert len(view.query("crops", COUNT).rows) == 1
    assert sizes == []


@pytest.mark.parametrize("few", [0, 10])
def test_what_cannot_be_loaded_counts_as_not_applied_and_is_applied_one_by_one(
    tmp_path: Path, view: Quads, dropped: Dropped, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(store, "_FEW", few)
    stream = ChangeStream(tmp_path)
    submit(view, stream, "a")
    entry = stream.changes[0].entry | {"document": "b"}
    bad = stream._add("submit", entry, ["<urn:b> <urn:c> <urn:d> <urn:elsewhere> .\n"])
    view.apply("crops", bad)
    submit(view, stream, "c")
    with pytest.raises(Busy, match="could not be indexed yet"):
        view.query("crops", COUNT)
    ((projects, error),) = dropped
    assert projects == {"crops"}
    assert isinstance(error, Damaged)
    assert view.position("crops", "crops") == 0
    assert not list(tmp_path.glob("*.nq*"))
    view.apply("crops", stream.changes[0])
    assert view.position("crops", "crops") == 1
    with pytest.raises(Damaged):
        view.apply("crops", bad)
    for change in stream.changes[1:]:
        view.apply("crops", replace(change, entry={"kind": "skipped"}))
    assert len(view.query("crops", COUNT).rows) == 1


def test_a_cleared_dataset_forgets_what_waits(tmp_path: Path, view: Quads, dropped: Dropped) -> None:
    submit(view, ChangeStream(tmp_path), "a")
    view.clear("crops")
    assert view.position("crops", "crops") == 0
    assert view.query("crops", COUNT).rows == []
    assert dropped == []


def test_closing_loads_what_waits(tmp_path: Path, view: Quads) -> None:
    submit(view, ChangeStream(tmp_path), "a")
    view.close()
    again = Quads(tmp_path / "view", base=BASE)
    assert len(again.query("crops", COUNT).rows) == 1
    again.close()


def test_changes_wait_while_others_are_loaded(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, started, go_on = ChangeStream(tmp_path), threading.Event(), threading.Event()
    submit(view, stream, "a")
    load = Quads._load

    def slow(self: Quads, dataset: str, changes: list[store.Waiting]) -> None:
        started.set()
        assert go_on.wait(30)
        load(self, dataset, changes)

    monkeypatch.setattr(Quads, "_load", slow)
    loading = threading.Thread(target=view.flush)
    loading.start()
    assert started.wait(30)
    submit(view, stream, "b")
    assert view.position("crops", "crops") == 2
    go_on.set()
    loading.join()
    assert len(view.query("crops", COUNT).rows) == 2


# With a follower ------------------------------------------------------------------------------------------------


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[provrepo.Repository]:
    """A repository whose thread polls, as a server's does, but loads nothing by itself."""
    monkeypatch.setattr("provrepo.repository.upkeep.follower.INTERVAL", 3600.0)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops", public=True)
        repository.context.store.follower.start()
        yield repository


def entity(name: str) -> bytes:
    return f"document\nprefix ex <http://example.org/>\nentity(ex:{name})\nendDocument".encode()


def test_a_submission_is_seen_by_the_next_query_of_each_dataset(
    followed: provrepo.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = loads(monkeypatch)
    for number in range(5):
        receipt = followed.submit(entity(f"e{number}"), project="crops", name=f"d{number}")
        assert receipt.indexed
    assert sizes == []
    ask = f"SELECT ?e {{ ?e a <{PROV}Entity> FILTER(STRSTARTS(STR(?e), 'http://example.org/')) }}"
    assert len(followed.query(ask, project="crops").rows) == 5
    assert len(followed.query(ask, public=True).rows) == 5
    assert sizes == [], "workers execute increments; nothing is loaded"
    assert followed.context.store.view(Quads).count("crops")
    assert sizes == [5]


def test_an_entry_that_fails_in_a_batch_is_set_aside_and_the_others_are_loaded(
    followed: provrepo.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    insertion: Callable[..., str] = Loader.insertion

    def failing(self: Loader, change: store.Change, content: Path) -> str:
        if change.entry["document"] == "d1":
            raise Damaged("this one fails")
        return insertion(self, change, content)

    monkeypatch.setattr(Loader, "insertion", failing)
    monkeypatch.setattr("provrepo.views.sparql.waiting.increments._NEW", 0)  # queries load
    for number in range(3):
        followed.submit(entity(f"e{number}"), project="crops", name=f"d{number}")
    with pytest.raises(Busy):
        followed.query("ASK {}", project="crops")
    followed.context.store.follower.catch_up()
    ask = f"SELECT ?e {{ ?e a <{PROV}Entity> FILTER(STRSTARTS(STR(?e), 'http://example.org/')) }}"
    assert {str(row["e"])[-2:] for row in followed.query(ask, project="crops").rows} == {"e0", "e2"}
    assert "this one fails" in str(dict(followed.context.store.set_aside.items()))


def test_the_thread_loads_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, done = loads(monkeypatch), threading.Event()
    loaded = Quads.flush

    def flush(self: Quads, dataset: str | None = None, *, due: bool = False) -> None:
        loaded(self, dataset, due=due)
        if sizes:
            done.set()

    monkeypatch.setattr(Quads, "flush", flush)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.context.store.follower.start()
        repository.submit(entity("e"), project="crops", name="d")
        assert done.wait(30)


def test_what_waits_when_a_process_is_killed_is_applied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.repository.upkeep.follower.INTERVAL", 3600.0)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.context.store.follower.start()
        repository.submit(entity("e"), project="crops", name="d")
        monkeypatch.setattr(Quads, "flush", lambda self, dataset=None: None)  # as a killed process
    monkeypatch.undo()
    with provrepo.open(tmp_path / "data") as repository:
        assert repository.query("ASK { <http://example.org/e> a prov:Entity }", project="crops").boolean
        assert repository.fsck(views=True).sound


def test_a_stream_of_content_files_has_every_triple_twice() -> None:
    contents, triple = [], '<urn:s> <urn:p> "a <b> c"'
    for name in "ab":
        lines = f"{triple} <urn:{name}> .\n".encode()
        contents.append(Content(io.BytesIO(lines), f"urn:{name}", lambda graphs: f"# {graphs}\n".encode()))
    with BulkLoad(contents) as stream:
        assert stream.read().decode().splitlines() == [
            line
            for name in "ab"
            for line in (
                f'<urn:s> <urn:p> "a <b> c" <urn:{name}> .',
                '<urn:s> <urn:p> "a <b> c" .',
                f"# ['urn:{name}']",
            )
        ]


def test_a_stream_of_a_part_ends_with_a_line() -> None:
    lines = [f"<urn:s> <urn:p> <urn:{number}> <urn:v#g{number // 2}> .\n".encode() for number in range(5)]
    content = Content(io.BytesIO(b"".join(lines)), "urn:v", lambda graphs: f"# {list(graphs)}\n".encode())
    parts = []
    while content.lines.tell() < len(b"".join(lines)):
        with BulkLoad([content], most=len(lines[0]) + 1) as stream:
            parts.append(stream.read().splitlines(keepends=True))
    assert [line for part in parts for line in part[: len(part) // 2]] == lines
    assert [part[-1] for part in parts] == [b"# ['urn:v#g0']\n", b"# ['urn:v#g1']\n", b"# ['urn:v#g2']\n"]
