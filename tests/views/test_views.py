"""The views: the contract, the default graph against an oracle, the catalogue, and what a query may not do."""

from __future__ import annotations

import re
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

from provrepo.errors import Damaged, QueryError
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.minting import Minter
from provrepo.resources import root
from provrepo.views.contract import BASE, SHARED, ChangeStream, QuadsContract, rebuild
from provrepo.views.sparql import guard
from provrepo.views.sparql import store as quads
from provrepo.views.sparql.memory import Memory
from provrepo.views.sparql.pool import StorePool, directory_name, name_of
from provrepo.views.sparql.query import SparqlQuery
from provrepo.views.sparql.store import Quads
from provrepo.views.view import PUBLIC, View
from provrepo.vocab import PROV, PROVREPO, XSD
from tests.support.paths import ROOT

CATALOGUE = str(Minter(BASE).catalogue())
ALL = "SELECT ?s ?p ?o { ?s ?p ?o }"


class TestQuads(QuadsContract):
    def open(self, path: Path) -> View:
        return Quads(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Quads", view).dump(dataset))

    def default_graph(self, view: View, dataset: str) -> list[str]:
        rows = cast("Quads", view).query(dataset, ALL).rows
        return [" ".join(f"<{row[name]}>" for name in "spo") for row in rows]


class TestQuadsInBulk(TestQuads):
    """The same with every file loaded in bulk and every version taken out in several transactions."""

    @pytest.fixture(autouse=True)
    def bulk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_SMALL_CONTENT", -1)
        monkeypatch.setattr(quads, "_BATCH", 1)


class TestQuadsInBatches(TestQuads):
    """Small content, but versions that leave in several transactions."""

    @pytest.fixture(autouse=True)
    def batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_BATCH", 1)


class TestQuadsOneAtATime(TestQuads):
    """With room for a single open store."""

    def open(self, path: Path) -> View:
        return Quads(path, base=BASE, capacity=1)


class TestQuadsRenewed(TestQuads):
    """With a store that is closed after every change."""

    @pytest.fixture(autouse=True)
    def renewed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quads, "_REOPEN_AFTER", 0)


class TestMemory(QuadsContract):
    @pytest.fixture(autouse=True)
    def kept(self) -> Iterator[None]:
        self.views: dict[Path, Memory] = {}
        yield
        self.views.clear()

    def open(self, path: Path) -> View:
        return self.views.setdefault(path, Memory(base=BASE))

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Memory", view).dump(dataset))

    def default_graph(self, view: View, dataset: str) -> list[str]:
        return [line.removesuffix(" .") for line in self.lines(view, dataset) if len(line.split(" ")) == 4]


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Quads]:
    opened = Quads(tmp_path / "view", base=BASE)
    yield opened
    opened.close()


@pytest.fixture
def stream(tmp_path: Path) -> ChangeStream:
    return ChangeStream(tmp_path)


def triple(subject: str, value: str = "<urn:o>") -> str:
    return f"<urn:{subject}> <urn:p> {value}"


def answer(result: Any) -> int:
    return int(str(result.rows[0]["n"]))


# Random histories against the oracle.

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


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([-1, 4 << 20]), st.sampled_from([1, 20_000]), STEPS)
def test_random_histories_give_what_the_reference_gives(
    tmp_path_factory: pytest.TempPathFactory, small: int, batch: int, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    real, reference = Quads(folder / "view", base=BASE), Memory(base=BASE)
    reference.STAMP = real.STAMP
    streams = {name: ChangeStream(folder, name) for name in ("crops", "soil")}
    versions: dict[tuple[str, str], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quads, "_SMALL_CONTENT", small)
        patch.setattr(quads, "_BATCH", batch)
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


def test_asserted_and_completed_are_apart_in_graphs_and_together_by_default(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [triple("said")], completed=[triple("follows")]))
    version = stream.version("a")
    asked = f"SELECT ?s {{ GRAPH <{version}> {{ ?s ?p ?o }} }}"
    assert view.query("crops", asked).rows == [{"s": Identifier("urn:said")}]
    asked = f"SELECT ?s {{ GRAPH <{CATALOGUE}> {{ <{version}> provrepo:completedBy ?g }} GRAPH ?g {{ ?s ?p ?o }} }}"
    assert view.query("crops", asked).rows == [{"s": Identifier("urn:follows")}]
    assert len(view.query("crops", ALL)) == 2


def test_readers_never_see_half_a_version(tmp_path: Path, view: Quads, stream: ChangeStream) -> None:
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


def test_a_large_version_leaves_in_steps_of_which_each_is_consistent(
    tmp_path: Path, view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two transactions the default graph is what the other graphs hold, and none of them is large."""
    monkeypatch.setattr(quads, "_BATCH", 7)
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


def test_a_store_that_was_written_to_for_long_is_closed(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine keeps in memory has no other bound."""
    monkeypatch.setattr(quads, "_REOPEN_AFTER", 100_000)
    opened = []
    for number in range(12):
        view.apply("crops", stream.submit("a", [triple("s", f'"{"x" * 20_000}{number}"')]))
        opened.append(view._pool.opened())
    assert set(opened) == {0, 1}
    assert len(view.query("crops", ALL)) == 1


def test_writers_of_many_threads_lose_nothing(tmp_path: Path, view: Quads) -> None:
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


# Crashes: what a kill leaves, made by hand.


@pytest.mark.parametrize("small", [-1, 4 << 20], ids=["bulk", "small"])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_crash_at_any_step_is_healed_by_applying_again(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch, small: int, at: int
) -> None:
    monkeypatch.setattr(quads, "_SMALL_CONTENT", small)
    monkeypatch.setattr(quads, "_BATCH", 1)
    view.apply("crops", stream.submit("a", [triple("old"), triple("older"), SHARED]))
    view.apply("crops", stream.submit("b", [SHARED]))
    change = stream.submit("a", [triple("new"), triple("old")], completed=[triple("completed")])
    steps = 0

    class Killed(Exception):
        pass

    class Dying:
        """A store whose ``at``-th write is the first thing that never happens."""

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


def test_content_loaded_before_a_crash_leaves_when_its_bytes_are_gone(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quads, "_SMALL_CONTENT", -1)
    view.apply("crops", stream.settings(title="Crops"))
    change = stream.submit("a", [triple("a")])

    def die(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Quads, "_remove", die)
        with pytest.raises(KeyboardInterrupt):
            view.apply("crops", change)
    assert view.position("crops", "crops") == 1
    stream.changes.pop()
    view.apply("crops", replace(change, sequence=2, content=None))
    assert view.query("crops", ALL).rows == []
    assert not any("provrepo/ns#graph" in line for line in view.dump("crops"))


def test_files_of_a_killed_bulk_load_are_swept(tmp_path: Path, stream: ChangeStream) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", stream.submit("a", [triple("a")]))
    view.close()
    left = tmp_path / "view" / "crops" / "bulk-left-1.sst"
    left.write_bytes(b"half")
    assert len(view.query("crops", ALL)) == 1
    assert not left.exists()
    view.close()


def test_half_a_removal_is_finished_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "view" / ".removed-crops"
    left.mkdir(parents=True)
    (left / "CURRENT").write_text("x")
    view = Quads(tmp_path / "view", base=BASE)
    assert not left.exists()
    assert view.datasets() == []


# What does not belong.


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
def test_content_that_reaches_out_of_its_version_is_refused(
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
def test_names_that_no_dataset_has_are_refused(view: Quads, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a dataset"):
        view.query(name, "ASK {}")


@pytest.mark.parametrize("name", ["crops", "Crops", "CROPS-2_x", PUBLIC, "public"])
def test_directory_names_can_be_read_back(name: str) -> None:
    directory = directory_name(name)
    assert directory == directory.lower()
    assert name_of(directory) == name


def test_directories_of_others_are_no_datasets(tmp_path: Path) -> None:
    view = Quads(tmp_path, base=BASE)
    for name in ("lost+found", ".hidden", "=1", "UPPER"):
        (tmp_path / name).mkdir()
    assert view.datasets() == []


def test_another_base_is_another_stamp(tmp_path: Path) -> None:
    assert Quads(tmp_path, base=BASE).STAMP != Quads(tmp_path, base="").STAMP


def test_a_broken_store_says_what_to_do(tmp_path: Path, stream: ChangeStream) -> None:
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


# The catalogue.


def catalogue(view: Quads, pattern: str) -> list[dict[str, Any]]:
    return view.query("crops", f"SELECT * {{ GRAPH <{CATALOGUE}> {{ {pattern} }} }}").rows


def test_the_catalogue_tells_the_history_of_a_document(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", [triple("a")]), stream.submit("a", [triple("b")]), stream.withdraw("a")):
        view.apply("crops", change)
    found = catalogue(
        view,
        """
        ?document a provrepo:Document ; dcterms:identifier "a" .
        ?version provrepo:document ?document ; provrepo:state ?state ; dcat:version ?number ;
            provrepo:sha256 ?sha256 ; provrepo:format "turtle" ; provrepo:verdict "conforms" ;
            prov:wasGeneratedBy [ a provrepo:Submission ; prov:wasAssociatedWith ?who ; prov:endedAtTime ?when ] .
        ?who a prov:Agent .
        OPTIONAL { ?version prov:wasRevisionOf ?former }
        OPTIONAL { ?version prov:invalidatedAtTime ?invalidated ;
                   prov:wasInvalidatedBy [ a provrepo:Withdrawal ; provrepo:reason ?reason ] }
        """,
    )
    first, second = sorted(found, key=lambda row: str(row["number"]))
    minter = Minter(BASE)
    assert first["version"] == minter.version("crops", "a", 1)
    assert (first["state"], second["state"]) == (text("superseded"), text("withdrawn"))
    assert second["former"] == first["version"]
    assert first["sha256"] == text(f"{1:064x}")
    assert first["who"] == minter.actor("somebody")
    assert second["reason"] == text("a mistake")
    assert "reason" not in first
    assert str(second["invalidated"]).startswith("2026-01-01T00:00:03")


def test_a_document_that_comes_back_is_current_and_its_former_version_stays_withdrawn(
    view: Quads, stream: ChangeStream
) -> None:
    for change in (stream.submit("a", []), stream.withdraw("a"), stream.submit("a", [])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "withdrawn", "2": "current"}
    current = catalogue(view, "?d dcat:hasCurrentVersion ?v")
    assert [row["v"] for row in current] == [stream.version("a")]


def test_there_is_one_current_version_even_after_an_unreadable_entry(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", []), stream.lose("a"), stream.submit("a", [])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "superseded", "3": "current"}
    view.apply("crops", stream.lose("a"))
    view.apply("crops", stream.withdraw("a"))
    states = {str(row["v"])[-1]: str(row["s"]) for row in catalogue(view, "?v provrepo:state ?s")}
    assert states == {"1": "superseded", "3": "superseded", "4": "withdrawn"}
    assert catalogue(view, "?d dcat:hasCurrentVersion ?v") == []


def test_an_erased_version_stays_erased(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", [triple("a")]), stream.erase("a", 1), stream.submit("a", [triple("b")])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "erased", "2": "current"}
    assert [str(row["r"]) for row in catalogue(view, "?e a provrepo:Erasure ; provrepo:reason ?r")] == ["the law"]


def test_settings_replace_each_other(view: Quads, stream: ChangeStream) -> None:
    for change in (
        stream.settings(title="Crops", profiles=["core", "pipeline"]),
        stream.settings(title="Grain"),
        stream.settings(profiles=["core"]),
    ):
        view.apply("crops", change)
    found = catalogue(view, "?p a provrepo:Project ; dcterms:title ?title ; provrepo:profile ?profile")
    assert [(row["title"], row["profile"]) for row in found] == [(text("Grain"), Minter(BASE).profile("core"))]


def test_the_catalogue_says_which_graphs_hold_a_version_while_they_do(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [triple("a")], completed=[triple("b")]))
    version = stream.version("a")
    graphs = [str(row["g"]) for row in catalogue(view, f"<{version}> provrepo:graph ?g")]
    assert sorted(graphs) == [version, f"{version}#completed"]
    view.apply("crops", stream.withdraw("a"))
    assert catalogue(view, "?v provrepo:graph ?g") == []
    assert catalogue(view, "?v provrepo:completedBy ?g") == []


def test_bundles_are_described_by_their_graphs(view: Quads, stream: ChangeStream, tmp_path: Path) -> None:
    change = stream.submit("a", [])
    version, file = stream.version("a"), tmp_path / "bundles.nq"
    file.write_text(
        f"<urn:a> <urn:p> <urn:b> <{version}#bundle-1> .\n<urn:a> <urn:q> <urn:b> <{version}#bundle-1-completed> .\n"
    )
    view.apply("crops", replace(change, sequence=1, content=lambda: file))
    found = catalogue(view, "?v provrepo:graph ?bundle . ?bundle a prov:Bundle ; provrepo:completedBy ?completed")
    assert found == [
        {
            "bundle": Identifier(f"{version}#bundle-1"),
            "v": Identifier(version),
            "completed": Identifier(f"{version}#bundle-1-completed"),
        }
    ]
    view.apply("crops", stream.withdraw("a"))
    assert not any("#bundle-1" in line for line in view.dump("crops"))


def test_every_term_of_the_catalogue_is_in_the_ontology(view: Quads, stream: ChangeStream) -> None:
    ontology = ox.Store()
    ontology.load(path=str(root() / "ontology" / "provrepo.ttl"), format=ox.RdfFormat.TURTLE)
    for change in (
        stream.settings(title="Crops", profiles=["core"]),
        stream.submit("a", [triple("a")], completed=[triple("b")]),
        stream.submit("a", [triple("a")], completed=[triple("b")]),
        stream.withdraw("a"),
        stream.erase("a", 1),
    ):
        view.apply("crops", change)
    rows = catalogue(view, "?s ?p ?o")
    used = {str(row[name]) for row in rows for name in "po" if str(row[name]).startswith(PROVREPO)}
    assert len(used) > 20
    defined = {quad.subject for quad in ontology}
    assert [term for term in sorted(used) if ox.NamedNode(term) not in defined] == []


# The documentation.

GRAPHS = ROOT / "docs" / "reference" / "graphs.md"
EXAMPLES = re.findall(r"(?s)```sparql\n(.*?)```", GRAPHS.read_text("utf-8"))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_queries_of_the_reference_find_something(view: Quads, tmp_path: Path, number: int) -> None:
    stream = ChangeStream(tmp_path)
    view.apply("crops", stream.submit("old", [triple("old")]))
    view.apply("crops", stream.withdraw("old"))
    for _ in range(2):
        change = stream.submit("run", [])
        version, file = stream.version("run"), tmp_path / "run.nq"
        quads = {
            "": [
                ("run", "used", "raw"),
                ("run", "wasAssociatedWith", "ada"),
                ("result", "wasGeneratedBy", "run"),
                ("result", "wasDerivedFrom", "raw"),
            ],
            "#completed": [("raw", "wasUsedBy", "run")],
            "#bundle-1": [("inner", "wasGeneratedBy", "run")],
        }
        lines = [
            f"<https://example.org/{s}> <{PROV}{p}> <https://example.org/{o}> <{version}{graph}> .\n"
            for graph, triples in quads.items()
            for s, p, o in triples
        ]
        lines.append(f"<{version}#bundle-1> <{PROVREPO}bundle> <https://example.org/b> <{version}#completed> .\n")
        file.write_text("".join(lines))
        view.apply("crops", replace(change, content=lambda file=file: file))
    assert len(view.query("crops", EXAMPLES[number])) > 0


def test_the_reference_has_examples() -> None:
    assert len(EXAMPLES) >= 6


# Queries.


def test_prefixes_need_no_declaration_and_a_base_resolves(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [f"<https://example.org/a> <{PROV}used> <https://example.org/b>"]))
    result = view.query("crops", SparqlQuery("SELECT ?o { <a> prov:used ?o }", base="https://example.org/"))
    assert result.rows == [{"o": Identifier("https://example.org/b")}]
    assert not view.query("crops", "PREFIX prov: <urn:> ASK { ?s prov:used ?o }")


def test_values_are_those_of_the_engine(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [triple("a", f'"007"^^<{XSD}integer>')]))
    assert view.query("crops", "SELECT ?o { ?s ?p ?o }").rows == [{"o": Literal("7", XSD + "integer")}]


@pytest.mark.parametrize(
    ("query", "line", "column", "says"),
    [
        ("SELECT * WHERE {\n ?s ?p }", 2, 9, "cannot be understood"),
        ("SELECT * { ?s nope:p ?o }", 1, 21, "Prefix not found"),
        ("SELECT * { ?s <a b> ?o }", 1, 20, "IRI parsing failed"),
        ("SELECT ?s ?s {}", 1, 16, "Duplicated variable name in SELECT"),
        ("SELECT (COUNT(*) AS ?n) ?s { ?s ?p ?o }", 1, 40, "contains a variable that is unbound"),
        ("", 1, 1, "cannot be understood"),
        ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", 1, 10, "expected CONSTRUCT"),
    ],
)
def test_a_mistake_in_a_query_has_a_place(view: Quads, query: str, line: int, column: int, says: str) -> None:
    with pytest.raises(QueryError, match=says) as caught:
        view.query("crops", query)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("query", "base"),
    [
        ("SELECT ?s ?s {}", None),
        ("SELECT (<urn:f>(1) AS ?x) {}", None),
        ("ASK {}", "no iri"),
        ("SELECT (TRIPLE(?s, ?p, ?o) AS ?t) { ?s ?p ?o }", None),
    ],
)
def test_what_cannot_be_evaluated_is_a_query_error(
    view: Quads, stream: ChangeStream, query: str, base: str | None
) -> None:
    view.apply("crops", stream.submit("a", [triple("a")]))
    with pytest.raises(QueryError):
        view.query("crops", SparqlQuery(query, base=base))


def test_an_error_that_is_kept_does_not_keep_the_store_open(tmp_path: Path, stream: ChangeStream) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", stream.submit("a", [triple("a")]))
    kept = []
    for query in ("SELECT * {", "SELECT (TRIPLE(?s, ?p, ?o) AS ?t) { ?s ?p ?o }", "SELECT (<urn:f>(1) AS ?x) {}"):
        try:
            view.query("crops", query)
        except QueryError as error:
            kept.append(error)
    view.close()
    ox.Store(str(tmp_path / "view" / "crops"))
    assert len(kept) == 3


def test_a_result_outlives_the_view(tmp_path: Path, stream: ChangeStream) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", stream.submit("a", [triple("a")]))
    result = view.query("crops", ALL)
    view.clear("crops")
    view.close()
    assert len(result.rows) == 1


def test_idle_stores_are_closed(tmp_path: Path) -> None:
    opened: list[str] = []
    pool: StorePool[str] = StorePool(tmp_path, lambda path: opened.append(path.name) or path.name, capacity=2)
    for name in ("a", "b", "c", "c", "a"):
        with pool.use(name, create=True) as thing:
            assert thing == name
            assert pool.opened() <= 2
    assert opened == ["a", "b", "c", "a"]
    with pool.use("a"), pool.use("b"), pool.use("c"):
        assert pool.opened() == 3, "what is in use stays open"


def test_removing_waits_for_readers(tmp_path: Path) -> None:
    pool: StorePool[Path] = StorePool(tmp_path, lambda path: path, capacity=2)
    entered, leave = threading.Event(), threading.Event()

    def read() -> None:
        with pool.use("a", create=True):
            entered.set()
            leave.wait(10)
            assert pool.path("a").is_dir()

    reader = threading.Thread(target=read)
    reader.start()
    entered.wait(10)
    remover = threading.Thread(target=pool.remove, args=("a",))
    remover.start()
    remover.join(0.05)
    assert remover.is_alive()
    leave.set()
    remover.join(10)
    reader.join(10)
    assert not pool.path("a").exists()


# The guard.

ELSEWHERE = "<http://127.0.0.1:9/>"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ SERVICE {ELSEWHERE} {{ ?s ?p ?o }} }}",
        f"SELECT * {{ service silent {ELSEWHERE} {{ ?s ?p ?o }} }}",
        f"SELECT * {{ SERVICE#comment\n{ELSEWHERE}{{}} }}",
        f"PREFIX ex: {ELSEWHERE} SELECT * {{SERVICEex:x{{?s?p?o}}}}",
        "SELECT * {SERVICE?x{?s?p?o}}",
        f"SELECT*{{?s?p 1SERVICE{ELSEWHERE}{{}}}}",
        f"SELECT*{{?s?p'a'SERVICE{ELSEWHERE}{{}}}}",
        f"SELECT*{{?s?p trueSERVICE{ELSEWHERE}{{}}}}",
        f"PREFIX e:<a:>SELECT*{{?s?p e:.SERVICE{ELSEWHERE}{{}}}}",
        f"SELECT*{{BIND(1AS?x)SERVICE{ELSEWHERE}{{}}}}",
        f"SELECT * {{ FILTER(1<'x>y') SERVICE {ELSEWHERE} {{ ?s ?p ?o }} FILTER('z'='z') }}",
        f"PREFIX u: <urn:> SELECT * {{ FILTER(1<u:x#>'\n) SERVICE {ELSEWHERE} {{ }} #'\n }}",
        f"SELECT * {{ ?s ?p <urn:a\\u0062'> . SERVICE {ELSEWHERE} {{ ?s ?p ?o }} ?s ?p 'z' }}",
        f"SELECT * {{ # a comment ends here\r SERVICE {ELSEWHERE} {{}} }}",
        f"SELECT * {{ ?s ?p '''it's''' SERVICE {ELSEWHERE} {{}} }}",
    ],
)
def test_service_is_refused_however_it_is_hidden(view: Quads, query: str) -> None:
    with pytest.raises(QueryError, match="SERVICE is not allowed"):
        view.query("crops", query)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT * { ?s ?p "the SERVICE of others" }',
        "SELECT * { ?s ?p '''it's a \"SERVICE\" ''' }",
        "SELECT ?service { ?service schema:serviceType ?o ; <http://example.org/service#service> schema:Service }",
        "SELECT * { ?s ?p ?o } # no SERVICE here",
        "SELECT * { ?s ?p 'x'@en FILTER(?s < ?o || ?o > 3) }",
        "SELECT * { ?s <urn:it's> ?o FILTER(?o IN (<urn:it's>, <urn:x#y>)) }",
        "SELECT * { ?s ?p ?o FILTER(strstarts(str(?s), 'a(((')) }",
        "SELECT * { VALUES ?d { " + '"2020-01-01"^^xsd:date ' * 1500 + "} }",
        "SELECT * { ?s ?p ?o FILTER(?o IN (" + ", ".join(f"<urn:uuid:x#{n}>" for n in range(90)) + ")) }",
    ],
)
def test_innocent_queries_pass(view: Quads, query: str) -> None:
    view.query("crops", query)


@pytest.mark.parametrize(
    "opening",
    ["{", "(", "[ <urn:p> ", "FILTER EXISTS {", "{ SELECT * {", "(<urn:p>/", "<<( ?s ?p ", "!("],
)
def test_deep_nesting_is_refused_before_it_is_parsed(opening: str) -> None:
    with pytest.raises(QueryError, match="nested deeper than 64") as caught:
        guard.check("SELECT * {\n" + opening * 3_000)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "chain",
    [
        "!" * 60_000,
        "1" + "+1" * 30_000,
        "1" + "||1" * 20_000,
        "OPTIONAL{?s?p?o}" * 4_000,
        "{}" + "UNION{}" * 9_000,
        "MINUS{}" * 9_000,
        "GRAPH?g{}" * 7_000,
        "?s <a:>" + "/<a:>" * 12_000 + " ?o",
        "?s ?p 1" + ",1" * 30_000,
    ],
)
def test_long_chains_are_refused_before_they_are_parsed(chain: str) -> None:
    with pytest.raises(QueryError, match=r"more than (1000 operators|60 triple patterns)"):
        guard.check("SELECT * {" + chain + "}")


@pytest.mark.parametrize("separator", [" . ?s ", " ; ", " , "])
def test_the_patterns_of_a_group_are_counted(separator: str) -> None:
    link = "?o" if separator == " , " else "?p ?o"
    first = "SELECT * { ?s ?p ?o"

    def query(count: int) -> str:
        return first + f"{separator}{link}" * (count - 1) + " . }"

    guard.check(query(60))
    with pytest.raises(QueryError, match="more than 60 triple patterns"):
        guard.check(query(61))
    guard.check("ASK { FILTER(?x IN (" + ", ".join(map(str, range(500))) + ")) }")
    guard.check("SELECT * { " + " ".join(f"{{ {query(40).removeprefix('SELECT * { ')}" for _ in range(5)) + " }")


@pytest.mark.parametrize(
    "hidden",
    ["FILTER(1<'x>y') " + "{" * 3_000 + " 'z'", "PREFIX u: <urn:> FILTER(1<u:x#>'\n) " + "(" * 3_000],
)
def test_nesting_cannot_be_hidden_behind_a_comparison(hidden: str) -> None:
    with pytest.raises(QueryError, match="nested deeper"):
        guard.check("SELECT * { " + hidden)


def test_a_long_query_is_refused() -> None:
    guard.check("ASK {}" + " " * (guard.MAX_LENGTH - 6))
    with pytest.raises(QueryError, match="64 KB"):
        guard.check("ASK {}" + "é" * (guard.MAX_LENGTH // 2))


def test_many_comparisons_do_not_take_the_guard_long() -> None:
    with pytest.raises(QueryError):
        guard.check("SELECT * { FILTER(" + "1<a:b#>\n" * 8_000)


def test_the_guard_takes_as_iris_all_that_the_engine_takes() -> None:
    store = ox.Store()
    for code in range(1, 127):
        iri = f"<http://a/{chr(code)}b>"
        try:
            store.query(f"SELECT * {{ ?s ?p {iri} }}")
        except SyntaxError:
            continue
        assert guard._IRI.fullmatch(iri), f"{iri!r} would be read as a comparison"
