"""Queries on the quads view: results, errors, and the stores that they use."""

from __future__ import annotations

import threading
from pathlib import Path

import pyoxigraph as ox
import pytest

from provrepo.errors import QueryError
from provrepo.model.identifiers import Identifier, Literal
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.pool import StorePool
from provrepo.views.sparql.query import SparqlQuery
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PROV, XSD
from tests.support.quads import ALL, triple


def test_prefixes_need_no_declaration_and_a_base_resolves(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [f"<https://example.org/a> <{PROV}used> <https://example.org/b>"]))
    result = view.query("crops", SparqlQuery("SELECT ?o { <a> prov:used ?o }", base="https://example.org/"))
    assert result.rows == [{"o": Identifier("https://example.org/b")}]
    assert not view.query("crops", "PREFIX prov: <urn:> ASK { ?s prov:used ?o }")


def test_values_have_the_canonical_form_of_the_engine(view: Quads, stream: ChangeStream) -> None:
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
def test_a_syntax_error_has_line_and_column(view: Quads, query: str, line: int, column: int, says: str) -> None:
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
def test_a_query_that_cannot_be_evaluated_is_a_query_error(
    view: Quads, stream: ChangeStream, query: str, base: str | None
) -> None:
    view.apply("crops", stream.submit("a", [triple("a")]))
    with pytest.raises(QueryError):
        view.query("crops", SparqlQuery(query, base=base))


def test_a_stored_error_does_not_keep_the_store_open(tmp_path: Path, stream: ChangeStream) -> None:
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


def test_a_result_can_be_used_after_the_view_is_closed(tmp_path: Path, stream: ChangeStream) -> None:
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
