"""Graphs over HTTP: reading with the Graph Store Protocol, the service description and VoID."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import pyoxigraph as ox
import pytest

from provrepo.codecs.results import QueryResult
from provrepo.errors import TimedOut
from provrepo.server.queries.statistics import DatasetStatistics, StatisticsCache
from tests.support.serving import BROWSER, PROVN, Site, opened

TURTLE = b"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix e: <https://example.org/> .
e:run a prov:Activity ; e:count "007"^^<http://www.w3.org/2001/XMLSchema#integer> ; prov:used e:raw .
e:raw a prov:Entity .
"""
BUNDLE = b"""document prefix e <https://example.org/> entity(e:top)
bundle e:b entity(e:inner) endBundle endDocument"""
SD = "http://www.w3.org/ns/sparql-service-description#"
VOID = "http://rdfs.org/ns/void#"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.submit(TURTLE, project="open", name="spelled", format="turtle")
        site.owner.submit(BUNDLE, project="open", name="bundled", format="provn")
        site.owner.submit(PROVN, project="secret", name="hidden", format="provn")
        yield site


def triples(answer, base: str = "https://lab.example/") -> set[str]:
    assert answer.status_code == 200, answer.text
    format_ = ox.RdfFormat.from_media_type(answer.mimetype)
    return {str(quad.triple) for quad in ox.parse(answer.data, format_, base_iri=base)}


def version(site: Site, name: str) -> str:
    return site.owner.version("open", name).iri


def test_an_asserted_graph_is_what_was_submitted(site: Site) -> None:
    answer = site.client.get("/projects/open/graphs", query_string={"graph": version(site, "spelled")})
    assert triples(answer) == {str(quad.triple) for quad in ox.parse(TURTLE, ox.RdfFormat.TURTLE)}
    assert "007" in answer.text
    assert answer.mimetype == "text/turtle"


def test_the_asserted_graph_of_a_document_with_bundles_is_its_top_level(site: Site) -> None:
    iri = version(site, "bundled")
    top = site.client.get("/projects/open/graphs", query_string={"graph": iri})
    assert "example.org/top" in top.text or "e:top" in top.text
    assert "inner" not in top.text
    bundle = site.client.get("/projects/open/graphs", query_string={"graph": f"{iri}#bundle-1"})
    assert any("inner" in triple for triple in triples(bundle))


@pytest.mark.parametrize("format_", ["turtle", "ntriples", "rdfxml", "rdfjsonld"])
@pytest.mark.parametrize("which", [{"default": ""}, {"graph": "default"}])
def test_the_default_graph_in_each_format(site: Site, format_: str, which: dict[str, str]) -> None:
    answer = site.client.get("/projects/open/graphs", query_string={**which, "format": format_})
    count = site.owner.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", project="open").rows[0]["n"]
    assert len(triples(answer)) == int(count.lexical)


def test_head_and_conditions(site: Site) -> None:
    query = {"graph": version(site, "spelled")}
    head = site.client.head("/projects/open/graphs", query_string=query)
    assert (head.status_code, head.data) == (200, b"")
    tag = head.headers["ETag"]
    assert (
        site.client.get("/projects/open/graphs", query_string=query, headers={"If-None-Match": tag}).status_code == 304
    )


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [
        ("", "*/*", 400),
        ("default&graph=https%3A%2F%2Fexample.org%2F", "*/*", 400),
        ("graph=relative", "*/*", 400),
        ("graph=https%3A%2F%2Fexample.org%2F%3E%7D", "*/*", 400),
        ("graph=https%3A%2F%2Fexample.org%2Fnothing", "*/*", 404),
        ("default", "text/csv", 406),
    ],
)
def test_bad_requests(site: Site, query: str, accept: str, status: int) -> None:
    answer = site.client.get(f"/projects/open/graphs?{query}", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_graphs_of_a_private_project_are_private(site: Site) -> None:
    iri = site.owner.version("secret", "hidden").iri
    for path in ("/projects/secret/graphs", "/projects/open/graphs"):
        assert site.client.get(path, query_string={"graph": iri}).status_code == 404
    answer = site.client.get("/projects/secret/graphs", query_string={"graph": iri}, headers=site.auth("all"))
    assert answer.status_code == 200


def test_nothing_is_written(site: Site) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert site.client.open("/projects/open/graphs?default", method=method).status_code == 405


@pytest.mark.parametrize("where", ["/sparql", "/projects/open/sparql"])
def test_the_service_description_is_complete(site: Site, where: str) -> None:
    """The three W3C cases: RDF is returned, names the endpoint, and conforms to the schema."""
    address = urljoin("https://lab.example/", where)
    answer = site.client.get(where, headers={"Accept": "text/turtle"})
    store = ox.Store()
    store.load(answer.data, ox.RdfFormat.TURTLE, base_iri=address)
    assert store.query(
        f"""PREFIX sd: <{SD}> PREFIX void: <{VOID}> ASK {{
          ?service a sd:Service ; sd:endpoint <{address}> ; sd:supportedLanguage sd:SPARQL11Query ;
            sd:resultFormat ?format ; sd:defaultDataset ?dataset .
          ?dataset a sd:Dataset, void:Dataset ; sd:defaultGraph [ a sd:Graph ] ; void:sparqlEndpoint <{address}> .
          FILTER NOT EXISTS {{ ?service sd:endpoint ?e1, ?e2 FILTER(?e1 != ?e2) }} }}"""
    )


def test_void_describes_the_readable_datasets(site: Site) -> None:
    stranger = site.client.get("/.well-known/void")
    assert any("Open crops" in triple for triple in triples(stranger))
    assert "secret" not in stranger.text
    assert "secret" in site.client.get("/.well-known/void", headers=site.auth("all")).text
    assert site.client.get("/.well-known/void", headers={"Accept": BROWSER}).status_code in (200, 406)


def test_statistics_are_recomputed_after_a_change(site: Site) -> None:
    def described() -> ox.Store:
        store = ox.Store()
        answer = site.client.get("/projects/open/sparql", headers={"Accept": "text/turtle"})
        store.load(answer.data, ox.RdfFormat.TURTLE, base_iri="https://lab.example/")
        return store

    def count(name: str) -> int:
        (quad,) = described().quads_for_pattern(None, ox.NamedNode(VOID + name), None)
        return int(quad.object.value)

    def expected(expression: str) -> int:
        query = f"SELECT (COUNT({expression}) AS ?n) {{ ?s ?p ?o OPTIONAL {{ ?s a ?class }} }}"
        return int(site.owner.query(query, project="open").rows[0]["n"].lexical)

    for number in range(2):
        site.submit("counted", f"document prefix e <urn:e:> entity(e:n{number}, [e:p{number}=1]) endDocument".encode())
        triples = site.owner.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", project="open").rows[0]["n"]
        assert count("triples") == int(triples.lexical)
        assert count("distinctSubjects") == expected("DISTINCT ?s")
        assert count("properties") == expected("DISTINCT ?p")
        assert count("classes") == expected("DISTINCT ?class")
        assert count("entities") <= count("distinctSubjects")
    names = described().quads_for_pattern(None, ox.NamedNode(SD + "name"), None)
    graphs = {row["g"] for row in site.owner.query("SELECT ?g { GRAPH ?g {} }", project="open")}
    assert {quad.object.value for quad in names} == graphs
    assert version(site, "counted") in graphs


def test_statistics_are_omitted_if_they_take_too_long() -> None:
    queries = []

    def run(query: str, *, timeout: float) -> QueryResult:
        queries.append(query)
        if "COUNT" in query:
            raise TimedOut(f"longer than {timeout} s")
        return QueryResult("bindings", ("position",), [])

    cache = StatisticsCache()
    assert [cache.of("crops", run) for _ in range(3)] == [DatasetStatistics()] * 3
    assert sum("COUNT" in query for query in queries) == 1
