"""The quads view: contract, random histories against the reference implementation, default graph, and crashes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Damaged
from provrepo.model.identifiers import Identifier
from provrepo.views.contract import BASE, SHARED, ChangeStream, QuadsContract, rebuild
from provrepo.views.sparql import loading, updates
from provrepo.views.sparql import store as quads
from provrepo.views.sparql.memory import Memory
from provrepo.views.sparql.pool import directory_name, name_of
from provrepo.views.sparql.store import Quads
from provrepo.views.view import PUBLIC, View
from provrepo.vocab import PROV, XSD
from tests.support.quads import ALL, CATALOGUE, answer, triple
from tests.support.sampling import examples


class TestQuads(QuadsContract):
    def open(self, path: Path) -> View:
        return Quads(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Quads", view).dump(dataset))

    def default_graph(self, view: View, dataset: str) -> list[str]:
        rows = cast("Quads", view).query(dataset, ALL).rows
        return [" ".join(f"<{row[name]}>" for name in "spo") for row in rows]


class TestQuadsInBulk(TestQuads):
    """The suite with every file loaded in bulk, and every version removed in several transactions."""

    @pytest.fixture(autouse=True)
    def bulk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_SMALL_CONTENT", -1)
        monkeypatch.setattr(updates, "_BATCH", 1)


class TestQuadsInParts(TestQuadsInBulk):
    """The suite with every file loaded line by line."""

    @pytest.fixture(autouse=True)
    def parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loading, "_PART", 1)


class TestQuadsInBatches(TestQuads):
    """The suite with small content, and versions that are removed in several transactions."""

    @pytest.fixture(autouse=True)
    def batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(updates, "_BATCH", 1)


class TestQuadsOneAtATime(TestQuads):
    """The suite with at most one open store."""

    def open(self, path: Path) -> View:
        return Quads(path, base=BASE, capacity=1)


class TestQuadsReopened(TestQuads):
    """The suite with a store that is closed after every change."""

    @pytest.fixture(autouse=True)
    def reopened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_REOPEN_AFTER", 0)


class TestQuadsDeferred(TestQuads):
    """The suite with small submissions that wait until a reader needs them."""

    def open(self, path: Path) -> View:
        view = Quads(path, base=BASE)
        view.defer(lambda projects, error: pytest.fail(f"{projects}: {error}"))
        return view


class TestQuadsDeferredInBulk(TestQuadsDeferred):
    """The same, with a bulk load for any number of them."""

    @pytest.fixture(autouse=True)
    def bulk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_FEW", 0)


class TestMemory(QuadsContract):
    @pytest.fixture(autouse=True)
    def views_by_path(self) -> Iterator[None]:
        self.views: dict[Path, Memory] = {}
        yield
        self.views.clear()

    def open(self, path: Path) -> View:
        return self.views.setdefault(path, Memory(base=BASE))

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Memory", view).dump(dataset))

    def default_graph(self, view: View, dataset: str) -> list[str]:
        return [line.removesuffix(" .") for line in self.lines(view, dataset) if len(line.split(" ")) == 4]


# Random histories, compared with the reference implementation.

TRIPLES = st.lists(
    st.builds(
        triple,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["<urn:x>", '"x"', '"a \\" <b> . \\n \\\\ \\u00e9"@de', f'"7"^^<{XSD}integer>', "<urn:é>"]),
    ),
    max_size=4,
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "submit", "submit", "withdraw", "erase", "gone", "lost", "settings", "forget"]),
        st.sampled_from(["crops", "soil"]),
        st.sampled_from(["d", "e"]),
        TRIPLES,
        TRIPLES,
    ),
    max_size=10,
)


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from([-1, 4 << 20]), st.sampled_from([1, 20_000]), STEPS)
def test_random_histories_give_the_quads_of_the_reference(
    tmp_path_factory: pytest.TempPathFactory, small: int, batch: int, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    real, reference = Quads(folder / "view", base=BASE), Memory(base=BASE)
    reference.STAMP = real.STAMP
    streams = {name: ChangeStream(folder, name) for name in ("crops", "soil")}
    versions: dict[tuple[str, str], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quads, "_SMALL_CONTENT", small)
        patch.setattr(updates, "_BATCH", batch)
        for kind, project, document, asserted, completed in steps:
            history, number = streams[project], versions.get((project, document), 0)
            views: tuple[View, ...] = (real, reference)
            if kind == "forget":
                for each in views:
                    each.remove_project(PUBLIC, project)
                    for change in history.changes:
                        each.apply(PUBLIC, change)
                continue
            if kind in ("withdraw", "erase") and not number:
                continue
            if kind in ("submit", "gone"):
                versions[project, document] = number + 1
                change = history.submit(document, None if kind == "gone" else asserted, completed=completed)
            elif kind == "lost":
                versions[project, document] = number + 1
                change = history.lose(document)
            elif kind == "withdraw":
                change = history.withdraw(document)
            elif kind == "erase":
                change = history.erase(document, max(1, number - len(asserted) % 2))
            else:
                change = history.settings(title=f'A "title" \\ {len(asserted)}')
            for each in views:
                each.apply(PUBLIC, change)
    live = list(real.dump(PUBLIC))
    # The oracle copies terms as text; pyoxigraph writes é and not its escape.
    assert live == sorted(line.replace("\\u00e9", "é") for line in reference.dump(PUBLIC))
    assert real.count(PUBLIC) == len(live)
    real.clear(PUBLIC)
    for history in streams.values():
        for change in history.changes:
            real.apply(PUBLIC, change)
    assert list(real.dump(PUBLIC)) == live
    real.close()


# The default graph, through SPARQL.


def test_counting_over_documents_that_share_agents(view: Quads, stream: ChangeStream) -> None:
    agents = [f"<urn:agent:{n}> <{PROV}actedOnBehalfOf> <urn:laboratory>" for n in range(5)]
    for number in range(50):
        used = f"<urn:run:{number}> <{PROV}wasAssociatedWith> <urn:agent:{number % 5}>"
        view.apply("crops", stream.submit(f"d{number}", [used, *agents]))
    count = "SELECT (COUNT(*) AS ?n) { ?run prov:wasAssociatedWith ?agent . ?agent prov:actedOnBehalfOf ?lab }"
    assert answer(view.query("crops", count)) == 50
    assert answer(view.query("crops", "SELECT (COUNT(*) AS ?n) { ?a prov:actedOnBehalfOf ?b }")) == 5
    held = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?a prov:actedOnBehalfOf ?b } }"
    assert answer(view.query("crops", held)) == 250


def test_asserted_and_completed_triples_have_two_graphs_and_one_default_graph(
    view: Quads, stream: ChangeStream
) -> None:
    view.apply("crops", stream.submit("a", [triple("said")], completed=[triple("follows")]))
    version = stream.version("a")
    asked = f"SELECT ?s {{ GRAPH <{version}> {{ ?s ?p ?o }} }}"
    assert view.query("crops", asked).rows == [{"s": Identifier("urn:said")}]
    asked = f"SELECT ?s {{ GRAPH <{CATALOGUE}> {{ <{version}> provrepo:completedBy ?g }} GRAPH ?g {{ ?s ?p ?o }} }}"
    assert view.query("crops", asked).rows == [{"s": Identifier("urn:follows")}]
    assert len(view.query("crops", ALL)) == 2


def test_readers_never_see_a_part_of_a_version(tmp_path: Path, view: Quads, stream: ChangeStream) -> None:
    versions = [[triple(f"{n}-{i}") for i in range(300)] for n in range(12)]
    view.apply("crops", stream.submit("a", versions[0]))
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(answer(view.query("crops", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for triples in versions[1:]:
            view.apply("crops", stream.submit("a", triples))
    finally:
        done.set()
        reader.join()
    assert seen == {300}


def test_a_large_version_is_removed_in_consistent_steps(
    tmp_path: Path, view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each transaction the default graph is the union of the others, and no transaction is large."""
    monkeypatch.setattr(updates, "_BATCH", 7)
    odd = [
        triple("odd", value) for value in ('"07"^^<http://www.w3.org/2001/XMLSchema#integer>', '"a\\n\\"b"@en', '"é"')
    ]
    old = [triple(f"old-{number}") for number in range(20)]
    view.apply("crops", stream.submit("other", [SHARED, *old[:3], odd[0]]))
    view.apply("crops", stream.submit("a", [SHARED, *old, *odd], completed=[*old[:5], triple("completed")]))
    sizes: list[int] = []
    update = quads.DatasetStore.update

    def watched(opened: quads.DatasetStore, text: str, **options: Any) -> None:
        update(opened, text, **options)
        graphs: dict[str, set[str]] = {}
        for quad in opened.store:
            graphs.setdefault(str(quad.graph_name), set()).add(str(quad.triple))
        default = graphs.pop("DEFAULT")
        catalogue = graphs.pop(f"<{CATALOGUE}>")
        assert catalogue
        assert default == set().union(*graphs.values())
        sizes.append(sum(map(len, graphs.values())))

    monkeypatch.setattr(quads.DatasetStore, "update", watched)
    view.apply("crops", stream.submit("a", [SHARED, *old[2:4], odd[1]]))
    assert len(sizes) > 4
    assert all(before - after <= 7 for before, after in pairwise(sizes))
    assert answer(view.query("crops", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")) == len({SHARED, *old[:4], *odd[:2]})


def test_a_store_is_closed_after_many_updates(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else limits the memory of the engine."""
    monkeypatch.setattr(quads, "_REOPEN_AFTER", 100_000)
    opened = []
    for number in range(12):
        view.apply("crops", stream.submit("a", [triple("s", f'"{"x" * 20_000}{number}"')]))
        opened.append(view._pool.opened())
    assert set(opened) == {0, 1}
    assert len(view.query("crops", ALL)) == 1


def test_writers_in_several_threads_lose_nothing(tmp_path: Path, view: Quads) -> None:
    streams = [ChangeStream(tmp_path, f"p{n}") for n in range(4)]

    def write(stream: ChangeStream) -> None:
        for number in range(10):
            view.apply(PUBLIC, stream.submit(f"d{number}", [triple(f"{stream.project}-{number}"), SHARED]))

    threads = [threading.Thread(target=write, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [view.position(PUBLIC, stream.project) for stream in streams] == [10] * 4
    assert len(view.query(PUBLIC, ALL)) == 41


# Crashes: the states that a kill leaves, made by hand.


@pytest.mark.parametrize("small", [-1, 4 << 20], ids=["bulk", "small"])
@pytest.mark.parametrize("at", range(1, 7))
def test_after_a_crash_at_any_step_applying_again_completes_the_change(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch, small: int, at: int
) -> None:
    monkeypatch.setattr(quads, "_SMALL_CONTENT", small)
    monkeypatch.setattr(updates, "_BATCH", 1)
    view.apply("crops", stream.submit("a", [triple("old"), triple("older"), SHARED]))
    view.apply("crops", stream.submit("b", [SHARED]))
    change = stream.submit("a", [triple("new"), triple("old")], completed=[triple("completed")])
    steps = 0

    class Killed(Exception):
        pass

    class Dying:
        """A store whose ``at``-th write raises ``Killed`` instead."""

        def __init__(self, store: ox.Store) -> None:
            self.store = store

        def __getattr__(self, name: str) -> Any:
            nonlocal steps
            if name in ("update", "bulk_load"):
                steps += 1
                if steps == at:
                    raise Killed
            return getattr(self.store, name)

    view.close()
    opener = view._pool._open
    view._pool._open = lambda path: quads.DatasetStore(cast("ox.Store", Dying(opener(path).store)))
    try:
        view.apply("crops", change)
    except Killed:
        assert view.position("crops", "crops") == 2
    else:
        assert 1 <= steps < at
    view.close()
    view._pool._open = opener
    view.apply("crops", change)
    healed = list(view.dump("crops"))
    rebuild(view, "crops", [stream])
    assert healed == list(view.dump("crops"))


def test_content_loaded_before_a_crash_is_removed_when_its_bytes_are_erased(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quads, "_SMALL_CONTENT", -1)
    view.apply("crops", stream.settings(title="Crops"))
    change = stream.submit("a", [triple("a")])

    def die(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(updates.Updates, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            view.apply("crops", change)
    assert view.position("crops", "crops") == 1
    stream.changes.pop()
    view.apply("crops", replace(change, sequence=2, content=None))
    assert view.query("crops", ALL).rows == []
    assert not any("provrepo/ns#graph" in line for line in view.dump("crops"))


def test_files_of_a_killed_bulk_load_are_deleted(tmp_path: Path, stream: ChangeStream) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", stream.submit("a", [triple("a")]))
    view.close()
    left = tmp_path / "view" / "crops" / "bulk-left-1.sst"
    left.write_bytes(b"half")
    assert len(view.query("crops", ALL)) == 1
    assert not left.exists()
    view.close()


def test_an_interrupted_removal_is_finished_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "view" / ".removed-crops"
    left.mkdir(parents=True)
    (left / "CURRENT").write_text("x")
    view = Quads(tmp_path / "view", base=BASE)
    assert not left.exists()
    assert view.datasets() == []


# Content and names that are refused.


@pytest.mark.parametrize("small", [-1, 4 << 20], ids=["bulk", "small"])
@pytest.mark.parametrize(
    "line",
    [
        f"<urn:a> <urn:p> <urn:o> <{CATALOGUE}> .\n",
        "<urn:a> <urn:p> <urn:o> <https://repository.example/projects/other/documents/a/versions/1> .\n",
        "<urn:a> <urn:p> <urn:o> .\n",
        "<urn:a> <urn:p> <urn:b> } } ; DROP ALL ; INSERT DATA { <urn:x> <urn:y> <urn:z> .\n",
        "not N-Quads at all\n",
    ],
)
def test_content_with_graphs_of_other_versions_is_refused(
    view: Quads, stream: ChangeStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int, line: str
) -> None:
    monkeypatch.setattr(quads, "_SMALL_CONTENT", small)
    view.apply("crops", stream.submit("a", [triple("a")]))
    before = list(view.dump("crops"))
    change = stream.submit("b", [])
    file = tmp_path / "foreign.nq"
    file.write_text(line)
    with pytest.raises(Damaged):
        view.apply("crops", replace(change, sequence=2, content=lambda: file))
    assert not file.exists()
    assert list(view.dump("crops")) == before


@pytest.mark.parametrize("name", ["../escape", "", "*other", "_public", ".", "a/b", "a" * 101, "=a"])
def test_invalid_names_of_datasets_are_refused(view: Quads, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a dataset"):
        view.query(name, "ASK {}")


@pytest.mark.parametrize("name", ["crops", "Crops", "CROPS-2_x", PUBLIC, "public"])
def test_directory_names_map_back_to_datasets(name: str) -> None:
    directory = directory_name(name)
    assert directory == directory.lower()
    assert name_of(directory) == name


def test_other_directories_are_not_datasets(tmp_path: Path) -> None:
    view = Quads(tmp_path, base=BASE)
    for name in ("lost+found", ".hidden", "=1", "UPPER"):
        (tmp_path / name).mkdir()
    assert view.datasets() == []


def test_another_base_is_another_stamp(tmp_path: Path) -> None:
    assert Quads(tmp_path, base=BASE).STAMP != Quads(tmp_path, base="").STAMP


def test_the_error_for_a_broken_store_names_the_repair(tmp_path: Path, stream: ChangeStream) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", stream.submit("a", [triple("a")]))
    view.close()
    for file in (tmp_path / "view" / "crops").glob("MANIFEST*"):
        file.write_bytes(b"\x00" * 100)
    with pytest.raises(Damaged, match="provrepo rebuild"):
        view.position("crops", "crops")
    rebuild(view, "crops", [stream])
    assert len(view.query("crops", ALL)) == 1
    view.close()
