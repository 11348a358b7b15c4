"""The columns of an answer have the order of the SELECT; for ``SELECT *``, that of their first appearance."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from provrepo.codecs.results import QueryResult
from provrepo.views.sparql.columns import ordered, spelled_out
from tests.support.serving import BROWSER, Site, opened

ANY = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT * { ?z prov:used ?a . ?m ?k ?z }", "zamk"),
        ("select*where{?s ?p ?o}", "spo"),
        ("SELECT * { $z ?y $x }", "zyx"),
        ("SELECT DISTINCT * { ?s ?p ?o }", "spo"),
        ("SELECT reduced * { ?s ?p ?o }", "spo"),
        ("SELECT * FROM <urn:?b> { ?s ?p ?o }", "spo"),
        ("SELECT * { GRAPH ?g { ?s ?p ?o } OPTIONAL { ?o ?b ?a } }", "gspoba"),
        ("SELECT * { ?s ?p ?o BIND(1 AS ?b) VALUES (?n ?a) { (1 2) } }", "spobna"),
        ("SELECT * { ?s ?p ?o } VALUES ?a { 1 }", "spoa"),
        ("SELECT * { { ?d ?c ?b } UNION { ?b ?c ?a } }", "dcba"),
        ("SELECT * { ?s prov:used?/^<urn:q>* ?o ; ?d ?c , ?b }", "sodcb"),
        # Text that looks like a variable or a keyword, but is not.
        ("# SELECT ?x\nSELECT # ?a\n * { ?z ?y ?x . # ?a\n ?x ?b ?a }", "zyxba"),
        ("PREFIX select: <urn:?q#> SELECT * { ?z select:d ?y . ?y <urn:?a> ?a }", "zya"),
        ('SELECT * { ?z ?y \'a ?a\' . ?z ?x "?a \'" , \'\'\'it\'s ?a\'\'\' , """a "?b" \\""" ?c""" ; ?d ?a }', "zyxda"),
        ("SELECT * { ?z ?y 'x'@select . ?z ?x '?'^^xsd:string ; ?b ?a }", "zyxba"),
        ("SELECT * { ?z ?q ?d FILTER(?b<?z&&?a>?d) ?d ?a ?b }", "zqdba"),
        ("SELECT * { ?z ?y ?x FILTER(?x IN (<urn:?b>, <urn:?a>)) ?a ?b ?c }", "zyxabc"),
        # A subquery counts with the variables that it projects.
        ("SELECT * { { SELECT ?b (COUNT(?x) AS ?n) { ?x ?a ?b } GROUP BY ?b } ?q ?a ?x }", "bnqax"),
        ("SELECT * { { SELECT * { ?z ?y ?x } } ?a ?b ?z }", "zyxab"),
        ("SELECT * { { SELECT DISTINCT ?b { { SELECT ?b ?c { ?c ?b ?d } } ?y ?x ?w } } ?d ?c ?a }", "bdca"),
        ("SELECT * { { SELECT (EXISTS { ?x ?y ?z } AS ?b) ?c { ?c ?d ?e } } ?e ?a ?c }", "bcea"),
        # All other queries list their variables.
        ("SELECT ?b ?a { ?a ?c ?b }", ""),
        ("SELECT (COUNT(*) AS ?b) ?a { ?b ?c ?a }", ""),
        ("SELECT ?b ?a { { SELECT * { ?a ?c ?b } } }", ""),
    ],
)
def test_variables_by_their_first_appearance(query: str, columns: str) -> None:
    kept = "".join(sorted(set(ANY) - set(columns)))
    assert "".join(ordered(query, ANY)) == columns + kept


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT * { ?b ?a ?c }", "SELECT  ?b ?a ?c  { ?b ?a ?c }"),
        ("# *\nSELECT DISTINCT # *\n*{ ?b ?a ?c }", "# *\nSELECT DISTINCT # *\n ?b ?a ?c { ?b ?a ?c }"),
        ("SELECT * { ?a ?b ?c }", "SELECT * { ?a ?b ?c }"),
        ("SELECT ?b ?a { ?a ?b ?c }", "SELECT ?b ?a { ?a ?b ?c }"),
        ("SELECT (?c * ?b AS ?a) { ?b ?c ?d }", "SELECT (?c * ?b AS ?a) { ?b ?c ?d }"),
    ],
)
def test_the_engine_gets_the_columns_by_name(query: str, found: str) -> None:
    """The query is changed where the engine has another order."""
    assert spelled_out(query, "abc") == found


def test_names_of_variables_may_contain_any_letter() -> None:
    """SPARQL 1.1, section 19.8, VARNAME."""
    names = ["_x", "a\u0301b", "x\u00b71", "\u00e9"]
    query = "SELECT * { ?\u00e9 ?x\u00b71 ?a\u0301b . ?_x ?x\u00b71 1 }"
    assert ordered(query, names) == ("\u00e9", "x\u00b71", "a\u0301b", "_x")


QUERIES = [
    ("SELECT * { ?z prov:wasGeneratedBy ?m . ?m prov:wasAssociatedWith ?a }", ["z", "m", "a"]),
    ("SELECT ?m (STR(?a) AS ?b) ?z { ?z prov:wasGeneratedBy ?m . ?m prov:wasAssociatedWith ?a }", ["m", "b", "z"]),
    ("SELECT * { ?z prov:wasGeneratedBy ?m . OPTIONAL { ?z prov:atLocation ?k } BIND(1 AS ?a) }", ["z", "m", "k", "a"]),
    ("SELECT * { { SELECT ?z (COUNT(?m) AS ?b) { ?z prov:wasGeneratedBy ?m } GROUP BY ?z } }", ["z", "b"]),
]


@pytest.mark.parametrize(("query", "columns"), QUERIES)
def test_every_format_has_the_same_columns(site: Site, query: str, columns: list[str]) -> None:
    def ask(format_: str, accept: str = "*/*") -> bytes:
        answer = site.client.get(
            "/projects/open/sparql", query_string={"query": query, "format": format_}, headers={"Accept": accept}
        )
        assert answer.status_code == 200
        return answer.data

    bound = [name for name in columns if name != "k"]
    table = list(csv.reader(io.StringIO(ask("csv").decode(), newline="")))
    assert table[0] == columns
    row = dict(zip(columns, table[1], strict=True))
    assert row["z"] == "https://example.org/table"
    assert [name for name in columns if row[name]] == bound
    lines = ask("tsv").decode().splitlines()
    assert lines[0].split("\t") == [f"?{name}" for name in columns]
    assert lines[1].split("\t")[columns.index("z")] == "<https://example.org/table>"
    root = ElementTree.fromstring(ask("xml"))
    space = "{http://www.w3.org/2005/sparql-results#}"
    assert [found.get("name") for found in root.iter(f"{space}variable")] == columns
    assert [found.get("name") for found in next(root.iter(f"{space}result"))] == bound
    page = ask("html", BROWSER).decode()
    heads = re.findall(r'<th scope="col"[^>]*><a [^>]*>(?:<bdi[^>]*>)?([^< ]+)', page)
    assert heads == columns


@pytest.mark.parametrize(("query", "columns"), QUERIES)
def test_json_and_rows_have_the_same_columns(site: Site, query: str, columns: list[str]) -> None:
    answer = site.client.get("/sparql", query_string={"query": query})
    assert answer.get_json()["head"]["vars"] == columns
    assert list(answer.get_json()["results"]["bindings"][0]) == [name for name in columns if name != "k"]
    for result in (site.owner.query(query, project="open"), site.owner.query_version("open", "run", 1, query)):
        assert isinstance(result, QueryResult)
        assert list(result.variables) == columns
        assert list(result.rows[0]) == [name for name in columns if name != "k"]
