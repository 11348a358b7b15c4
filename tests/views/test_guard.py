"""The guard: queries that are refused before they are parsed."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from provrepo.errors import QueryError
from provrepo.views.sparql import guard
from provrepo.views.sparql.store import Quads

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
def test_valid_queries_are_accepted(view: Quads, query: str) -> None:
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
def test_nesting_after_a_comparison_is_found(hidden: str) -> None:
    with pytest.raises(QueryError, match="nested deeper"):
        guard.check("SELECT * { " + hidden)


def test_a_long_query_is_refused() -> None:
    guard.check("ASK {}" + " " * (guard.MAX_LENGTH - 6))
    with pytest.raises(QueryError, match="64 KB"):
        guard.check("ASK {}" + "é" * (guard.MAX_LENGTH // 2))


def test_many_comparisons_are_checked_quickly() -> None:
    with pytest.raises(QueryError):
        guard.check("SELECT * { FILTER(" + "1<a:b#>\n" * 8_000)


def test_the_guard_accepts_every_iri_that_the_engine_accepts() -> None:
    store = ox.Store()
    for code in range(1, 127):
        iri = f"<http://a/{chr(code)}b>"
        try:
            store.query(f"SELECT * {{ ?s ?p {iri} }}")
        except SyntaxError:
            continue
        assert guard._IRI.fullmatch(iri), f"{iri!r} would be read as a comparison"
