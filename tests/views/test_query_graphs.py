"""Selection of graphs: FROM, FROM NAMED, and the parameters of the protocol, which override them."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from provrepo.errors import QueryError
from provrepo.views.sparql import graphs
from provrepo.views.sparql.query import QueryLimits, SparqlQuery, evaluate

EX = "https://example.org/"
TRIPLES = {"g1": ["a b"], "g2": ["a b", "c d"], "g3": ["e f"]}


@pytest.fixture(scope="module")
def store() -> ox.Store:
    store = ox.Store()
    for graph, triples in TRIPLES.items():
        for subject, value in (triple.split() for triple in triples):
            triple = ox.NamedNode(EX + subject), ox.NamedNode(EX + "p"), ox.NamedNode(EX + value)
            store.add(ox.Quad(*triple, ox.NamedNode(EX + graph)))
            store.add(ox.Quad(*triple))
    return store


def count(store: ox.Store, text: str, default: str = "", named: str = "", base: str | None = EX) -> int:
    query = SparqlQuery(text, base, [EX + g for g in default.split()], [EX + g for g in named.split()])
    _, written = evaluate(store, query, QueryLimits())
    return written.count(b'"s":{')


ALL = "{ ?s ?p ?o }"
NAMED = "{ GRAPH ?g { ?s ?p ?o } }"


@pytest.mark.parametrize(
    ("text", "default", "named", "rows"),
    [
        (f"SELECT * {ALL}", "", "", 3),
        (f"SELECT * FROM <g1> {ALL}", "", "", 1),
        (f"SELECT * FROM <g1> FROM <g2> {ALL}", "", "", 2),
        (f"SELECT * FROM <g1> FROM <g1> {ALL}", "", "", 1),
        (f"SELECT * FROM <g1> FROM <g2> FROM NAMED <g3> {NAMED}", "", "", 1),
        (f"SELECT * FROM <g1> FROM <g2> {NAMED}", "", "", 0),
        (f"SELECT * FROM NAMED <g1> {ALL}", "", "", 0),
        (f"SELECT * FROM NAMED <g1> FROM NAMED <g2> {NAMED}", "", "", 3),
        (f"PREFIX from: <{EX}> SELECT * FROM from:g1 FROM from:g2 {ALL}", "", "", 2),
        (f"BASE <{EX}> #FROM <g3>\nSELECT * FROM <g1>#\nfrom <g2> {ALL}", "", "", 2),
        (f'SELECT ?s ("FROM <x>" AS ?t) FROM <g1> FROM <g2> {ALL}', "", "", 2),
        (f"SELECT * FROM <nothing> FROM <g1> {ALL}", "", "", 1),
        (f"SELECT * {ALL}", "g1 g2", "", 2),
        (f"SELECT * {ALL}", "g3", "", 1),
        (f"SELECT * {NAMED}", "g3", "", 0),
        (f"SELECT * {ALL}", "", "g3", 0),
        (f"SELECT * {NAMED}", "", "g3 g2", 3),
        (f"SELECT * {NAMED}", "g1 g2", "g3", 1),
        (f"SELECT * FROM <g1> FROM <g2> {ALL}", "g3", "", 1),
        (f"SELECT * FROM NAMED <g2> {NAMED}", "", "g1", 1),
    ],
)
def test_a_query_reads_the_graphs_that_it_selects(
    store: ox.Store, text: str, default: str, named: str, rows: int
) -> None:
    assert count(store, text, default, named) == rows


def test_a_merge_has_a_limit(store: ox.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MAX_MERGED", 3)
    assert count(store, f"SELECT * {ALL}", "g1 g2") == 2
    with pytest.raises(QueryError, match="more than 3 triples"):
        count(store, f"SELECT * {ALL}", "g1 g2 g3")


def test_an_invalid_name_of_a_graph_is_refused(store: ox.Store) -> None:
    with pytest.raises(QueryError, match="absolute IRI"):
        evaluate(store, SparqlQuery(f"SELECT * {ALL}", default_graphs=["relative"]), QueryLimits())
    with pytest.raises(QueryError) as caught:
        count(store, f"SELECT * FROM nope:g1 FROM <g2> {ALL}")
    assert caught.value.line == 1
