"""Answers to queries: what is read is what is written, in every format."""

from __future__ import annotations

import csv
import io
import json

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.results import QueryResult, from_pyoxigraph, parse
from provrepo.errors import QueryError, ReadError, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.vocab import PROV, XSD
from tests.support.sampling import examples

EX = "https://example.org/"
INTEGER = XSD + "integer"


def select() -> QueryResult:
    return QueryResult(
        "bindings",
        ("thing", "note"),
        [
            {"thing": Identifier(EX + "é"), "note": text('tab\t, "quote"\nnewline')},
            {"thing": Identifier("_:b0"), "note": text("Grüße", "de")},
            {"note": Literal("007", INTEGER)},
            {},
        ],
    )


def graph() -> QueryResult:
    return QueryResult(
        "graph",
        triples=[
            Quad(Identifier(EX + "a"), Identifier(PROV + "used"), Identifier(EX + "b")),
            Quad(Identifier("_:n"), Identifier(PROV + "value"), Literal("007", INTEGER)),
            Quad(Identifier(EX + "a"), Identifier(PROV + "label"), text("Größe", "de")),
        ],
    )


def test_what_a_store_answers_comes_in_the_terms_of_the_model() -> None:
    answer = ox.Store().query('SELECT ?s ?unbound ("x"@en AS ?t) (7 AS ?n) { VALUES ?s { <urn:a> } }')
    result = from_pyoxigraph(answer)
    assert result.kind == "bindings"
    assert result.variables == ("s", "unbound", "t", "n")
    assert list(result) == [{"s": Identifier("urn:a"), "t": text("x", "en"), "n": Literal("7", INTEGER)}]
    assert isinstance(result.rows[0]["s"], Identifier)
    assert len(result) == 1
    assert result


def test_an_ask_is_as_true_as_its_answer() -> None:
    assert from_pyoxigraph(ox.Store().query("ASK {}"))
    no = from_pyoxigraph(ox.Store().query("ASK { ?s ?p ?o }"))
    assert no.boolean is False
    assert not no
    assert list(no) == []


def test_a_construct_gives_triples() -> None:
    result = from_pyoxigraph(ox.Store().query('CONSTRUCT { <urn:a> <urn:p> "x" } {}'))
    assert result.kind == "graph"
    assert list(result) == [Quad(Identifier("urn:a"), Identifier("urn:p"), text("x"))]


@pytest.mark.parametrize("format_name", ["json", "xml", "tsv"])
def test_rows_survive_writing_and_reading(format_name: str) -> None:
    result = select()
    assert parse(result.write(format_name), result.media_type(format_name)) == result


def test_csv_is_what_a_spreadsheet_reads() -> None:
    rows = list(csv.reader(io.StringIO(select().write("csv").decode(), newline="")))
    assert rows[:4] == [
        ["thing", "note"],
        [EX + "é", 'tab\t, "quote"\nnewline'],
        ["_:b0", "Grüße"],
        ["", "007"],
    ]


def test_json_is_the_format_of_the_recommendation() -> None:
    written = json.loads(select().write("json"))
    assert written["head"] == {"vars": ["thing", "note"]}
    assert written["results"]["bindings"][1] == {
        "thing": {"type": "bnode", "value": "b0"},
        "note": {"type": "literal", "value": "Grüße", "xml:lang": "de"},
    }


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("format_name", ["json", "xml"])
def test_a_boolean_survives_writing_and_reading(format_name: str, answer: bool) -> None:
    result = QueryResult("boolean", boolean=answer)
    assert parse(result.write(format_name), result.media_type(format_name)) == result


@pytest.mark.parametrize("format_name", ["turtle", "ntriples", "rdfxml", "rdfjsonld", "trig", "nquads"])
def test_triples_survive_writing_and_reading(format_name: str) -> None:
    result = graph()
    back = parse(result.write(format_name), result.media_type(format_name))

    def comparable(triples: list[Quad]) -> list[tuple[str, ...]]:
        # Serializations may rename blank nodes, and their order means nothing.
        return sorted(("_:" if t.subject.startswith("_:") else t.subject, t.predicate, repr(t.object)) for t in triples)

    assert comparable(back.triples) == comparable(result.triples)


def test_turtle_declares_only_the_prefixes_it_uses() -> None:
    written = graph().write("turtle").decode()
    assert "@prefix prov:" in written
    assert "@prefix dcat:" not in written


@pytest.mark.parametrize(
    ("result", "wrong", "offered"),
    [
        (QueryResult("boolean", boolean=True), "csv", "json, xml"),
        (QueryResult("bindings"), "turtle", "json, xml, csv, tsv"),
        (QueryResult("graph"), "json", "turtle, ntriples"),
    ],
)
def test_a_format_that_does_not_fit_is_named_with_those_that_do(result: QueryResult, wrong: str, offered: str) -> None:
    with pytest.raises(UsageError, match=offered):
        result.write(wrong)
    with pytest.raises(UsageError, match=offered):
        result.media_type(wrong)


def test_media_types_have_no_parameters() -> None:
    for result in (select(), graph(), QueryResult("boolean", boolean=True)):
        assert all(";" not in result.media_type(name) for name in result.formats())


def test_an_evaluation_that_fails_is_a_query_error() -> None:
    with pytest.raises(QueryError, match="port 9"):
        from_pyoxigraph(ox.Store().query("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"))


@pytest.mark.parametrize("term", ["TRIPLE(<urn:a>, <urn:b>, 1)", '"a"@en--ltr'])
def test_terms_of_rdf_12_are_refused_by_name(term: str) -> None:
    with pytest.raises(QueryError, match=r"RDF 1\.2"):
        from_pyoxigraph(ox.Store().query(f"SELECT ({term} AS ?x) {{}}"))


@pytest.mark.parametrize(
    ("data", "media_type", "says"),
    [
        (b'{"head":{"vars":["a"]},"results":{"bindi', "application/sparql-results+json", "line 1"),
        (b"<html><body>Proxy", "application/sparql-results+xml", "as its media type states"),
        (b"a\r\n1\r\n", "text/csv", "lossy"),
        (b"<urn:a> <urn:b>", "text/turtle", "as its media type states"),
        (b"<html>", "text/html", "text/html"),
        (b"", "", "nothing"),
        (b'{"a":' * 100_000, "application/sparql-results+json", "levels deep"),
        (b"[" * 100_000, "application/ld+json", "levels deep"),
        (b"<a>" * 100_000, "application/sparql-results+xml", "levels deep"),
        (b"?a\n" + b"<<( <urn:a> <urn:b> " * 100_000, "text/tab-separated-values", "levels deep"),
        (b"<urn:a> <urn:b> " + b"<<( <urn:a> <urn:b> " * 100_000, "text/turtle", "levels deep"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/sparql-results+xml", "DOCTYPE"),
        (b'{"@context": "http://127.0.0.1:9/", "@id": "urn:a"}', "application/ld+json", "as its media type states"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(data: bytes, media_type: str, says: str) -> None:
    with pytest.raises(ReadError, match=says):
        parse(data, media_type)


LITERALS = st.builds(text, st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from([None, "en", "de"]))


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.one_of(LITERALS, st.just(Identifier(EX))))))
def test_any_rows_survive(rows: list[dict[str, Identifier | Literal]]) -> None:
    result = QueryResult("bindings", ("a", "b", "c"), rows)
    for format_name in ("json", "tsv"):
        assert parse(result.write(format_name), result.media_type(format_name)) == result
