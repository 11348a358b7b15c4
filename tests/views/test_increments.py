"""Queries on copies of checkpoints with the increments of what waits: they answer as if it had been loaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from provrepo.views.contract import BASE, SHARED, ChangeStream
from provrepo.views.sparql import checkpoints
from provrepo.views.sparql.query import QueryLimits, SparqlQuery
from provrepo.views.sparql.store import Quads
from provrepo.views.sparql.waiting import increments
from provrepo.views.sparql.waiting.increments import Increments
from provrepo.views.view import PUBLIC
from provrepo.vocab import PROV
from provrepo.workers.pool import Pool
from tests.views.test_deferred import loads

EVERYTHING = "SELECT ?g ?s ?p ?o { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
NAMES = f"SELECT ?a {{ ?a <{PROV}used> <urn:raw> }}"


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    with Pool(2, 2048) as pool:
        yield pool


@pytest.fixture
def view(tmp_path: Path, workers: Pool) -> Iterator[Quads]:
    opened = Quads(tmp_path / "view", base=BASE, workers=workers, limits=QueryLimits(seconds=60))
    opened.defer(lambda projects, error: pytest.fail(f"{projects}: {error}"))
    yield opened
    opened.close()


def everything(view: Quads, dataset: str = "crops") -> list[str]:
    return sorted(str(row) for row in view.query(dataset, SparqlQuery(EVERYTHING)).rows)


def names(view: Quads, dataset: str = "crops") -> set[str]:
    return {str(row["a"]).removeprefix("urn:") for row in view.query(dataset, NAMES).rows}


def submit(view: Quads, stream: ChangeStream, *documents: str, dataset: str = "crops") -> None:
    for document in documents:
        view.apply(dataset, stream.submit(document, [f"<urn:{document}> <{PROV}used> <urn:raw>", SHARED]))


def holders(view: Quads, dataset: str = "crops") -> list[Path]:
    return list((view._checkpoints.root / checkpoints.directory_name(dataset)).iterdir())


def begin(view: Quads, stream: ChangeStream) -> None:
    """A dataset with content: the first change of all is loaded."""
    submit(view, stream, "first")
    view.flush()


@pytest.mark.parametrize("seed", range(4))
def test_increments_give_the_content_that_a_load_gives(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random, stream, sizes = Random(seed), ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    for number in range(12):
        triples = [f"<urn:{random.randrange(9)}> <{PROV}used> <urn:raw:{random.randrange(3)}>" for _ in range(4)]
        completed = [f"<urn:raw:{random.randrange(3)}> <{PROV}had> <urn:had:{number}>" for _ in range(2)]
        view.apply("crops", stream.submit(f"d{number}", [*triples, SHARED], completed=completed))
        if random.random() < 0.2:
            view.apply("crops", stream.submit(f"d{random.randrange(number + 1)}", triples))
        if random.random() < 0.2:
            view.apply("crops", stream.settings(title=f"title {number}"))
        if random.random() < 0.6:
            before = list(sizes)
            found = everything(view)
            assert sizes == before
            waiting = view._deferred.waiting("crops")
            view.flush()
            assert found == everything(view)
            assert len(sizes) == len(before) + bool(waiting)


def test_a_worker_executes_each_increment_once_and_sees_all_of_them(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    for number in range(5):
        submit(view, stream, f"d{number}")
        assert names(view) == {"first", *(f"d{each}" for each in range(number + 1))}
    assert sizes == [1]
    (holder,) = holders(view)
    assert len(list((holder / "increments").glob("*.ru"))) == 5
    view.flush()
    assert len(names(view)) == 6
    assert not any(path.name.startswith(("copy", "increments")) for path in holders(view)[0].iterdir())
    assert len(holders(view)) == 1


def test_readers_see_their_writes_while_others_write_and_load(tmp_path: Path, view: Quads) -> None:
    streams = {name: ChangeStream(tmp_path, name) for name in ("crops", "soil")}
    problems: list[str] = []
    guard = threading.Lock()
    done: set[str] = set()

    def write(name: str) -> None:
        for number in range(15):
            document = f"{name}{number}"
            with guard:  # entries of one project come in order
                submit(view, streams[name], document, dataset=PUBLIC)
            known = {*done, document}
            found = names(view, PUBLIC)
            if not known <= found:
                problems.append(f"{document}: {known - found} are missing")
            done.add(document)

    def load() -> None:
        while threads[0].is_alive() or threads[1].is_alive():
            view.flush()
            threads[0].join(0.1)

    threads = [threading.Thread(target=write, args=[name]) for name in streams]
    loader = threading.Thread(target=load)
    for thread in (*threads, loader):
        thread.start()
    for thread in (*threads, loader):
        thread.join()
    assert problems == []
    assert len(names(view, PUBLIC)) == 30


def test_increments_that_cannot_be_executed_are_loaded(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    submit(view, stream, "a")
    bad = tmp_path / "bad.ru"
    bad.with_suffix(".nq").touch()
    for text in ("no update", None):
        if text is None:
            bad.unlink()
        else:
            bad.write_text(text)
        submit(view, stream, f"b{text is None}")
        with monkeypatch.context() as patch:
            patch.setattr(Increments, "of", lambda *_: [str(bad)])
            assert "a" in names(view)
    assert sizes == [1, 2, 1]
    assert names(view) == {"first", "a", "bFalse", "bTrue"}


def test_large_checkpoints_are_not_copied(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    monkeypatch.setattr(increments, "_LARGEST", 0)
    submit(view, stream, "a")
    assert names(view) == {"first", "a"}
    assert sizes == [1, 1]


@pytest.mark.parametrize(("limit", "most"), [("_MOST", 2), ("_MOST_BYTES", 200)])
def test_many_changes_are_loaded(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    monkeypatch.setattr(increments, limit, most)
    submit(view, stream, "a", "b", "c")
    assert len(names(view)) == 4
    assert sizes == [1, 3]


def test_many_new_changes_are_loaded_and_more_where_queries_came_between(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    monkeypatch.setattr(increments, "_NEW", 2)
    for new in ("ab", "cd", "ef"):
        submit(view, stream, *new)
        assert names(view) >= set(new)
    assert sizes == [1], "each query adds two increments to those of the ones before"
    submit(view, stream, *"ghi")
    assert names(view) == {"first", *"abcdefghi"}
    assert sizes == [1, 9]


def test_a_query_that_waits_long_for_its_turn_loads(
    tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sizes = ChangeStream(tmp_path), loads(monkeypatch)
    begin(view, stream)
    monkeypatch.setattr("provrepo.views.sparql.waiting.increments.Turns._LONGEST", 0.01)
    submit(view, stream, "a")
    with view._turns["crops"].turn() as mine:
        assert mine
        assert names(view) == {"first", "a"}
    assert sizes == [1, 1]


def test_a_query_that_meets_a_load_waits_for_it(tmp_path: Path, view: Quads, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, started, go_on = ChangeStream(tmp_path), threading.Event(), threading.Event()
    begin(view, stream)
    submit(view, stream, "a")
    load = Quads._load

    def slow(self: Quads, dataset: str, changes: list[increments.Waiting]) -> None:
        with self._writing(dataset):  # so that the checkpoint is not exact
            started.set()
            assert go_on.wait(30)
            load(self, dataset, changes)

    monkeypatch.setattr(Quads, "_load", slow)
    loading = threading.Thread(target=view.flush)
    loading.start()
    assert started.wait(30)
    submit(view, stream, "b")
    found: list[set[str]] = []
    reader = threading.Thread(target=lambda: found.append(names(view)))
    reader.start()
    reader.join(0.2)
    assert found == []
    go_on.set()
    loading.join()
    reader.join()
    assert found == [{"first", "a", "b"}]


def test_a_project_that_leaves_a_dataset_leaves_the_copies(tmp_path: Path, view: Quads) -> None:
    crops, soil = ChangeStream(tmp_path), ChangeStream(tmp_path, "soil")
    submit(view, crops, "first", dataset=PUBLIC)
    view.flush()
    submit(view, soil, "hidden", dataset=PUBLIC)
    submit(view, crops, "a", dataset=PUBLIC)
    assert names(view, PUBLIC) == {"first", "hidden", "a"}
    view.remove_project(PUBLIC, "soil")
    assert names(view, PUBLIC) == {"first", "a"}
    submit(view, crops, "b", dataset=PUBLIC)
    assert names(view, PUBLIC) == {"first", "a", "b"}


def test_what_is_erased_is_in_no_file(tmp_path: Path, view: Quads) -> None:
    stream = ChangeStream(tmp_path)
    begin(view, stream)
    submit(view, stream, "secret")
    assert "secret" in names(view)
    assert any(b"urn:secret" in path.read_bytes() for path in view._checkpoints.root.rglob("*") if path.is_file())
    view.apply("crops", stream.erase("secret", 1))
    assert names(view) == {"first"}
    left = [path for path in view._checkpoints.root.rglob("*") if path.is_file() and b"urn:secret" in path.read_bytes()]
    assert all("copy" not in str(path) and path.suffix not in (".ru", ".nq") for path in left)


def test_after_the_end_of_a_worker_another_one_makes_a_copy(tmp_path: Path) -> None:
    stream = ChangeStream(tmp_path)
    with Pool(1, 2048) as workers:
        view = Quads(tmp_path / "view", base=BASE, workers=workers, limits=QueryLimits(seconds=60))
        view.defer(lambda projects, error: pytest.fail(f"{projects}: {error}"))
        begin(view, stream)
        submit(view, stream, "a")
        assert names(view) == {"first", "a"}
        for worker in workers._all:
            worker.kill()
            worker._process.wait()
        submit(view, stream, "b")
        assert names(view) == {"first", "a", "b"}
        view.close()
    assert not view._checkpoints.root.exists()
