"""The SPARQL 1.1 Protocol over HTTP."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pyoxigraph
import pytest

from provrepo.repository.repository import Repository
from tests.support.serving import BROWSER, Site, opened

SELECT = "SELECT ?thing ?label WHERE { ?thing prov:wasGeneratedBy ?run . OPTIONAL { ?thing rdfs:label ?label } }"
ASK = "ASK { ?run prov:used ?thing }"
CONSTRUCT = "CONSTRUCT { ?a prov:wasInfluencedBy ?b } WHERE { ?a prov:wasAssociatedWith ?b }"
DESCRIBE = "DESCRIBE <https://example.org/ada>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(params=["/sparql", "/projects/open/sparql"])
def where(request: pytest.FixtureRequest) -> str:
    return request.param


def test_three_ways_to_send_a_query(site: Site, where: str) -> None:
    answers = [
        site.client.get(where, query_string={"query": SELECT}),
        site.client.post(where, data={"query": SELECT}),
        site.client.post(where, data=SELECT, content_type="application/sparql-query"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.mimetype == "application/sparql-results+json"
        body = answer.get_json()
        assert body["head"]["vars"] == ["thing", "label"]
        assert {row["thing"]["value"] for row in body["results"]["bindings"]} == {"https://example.org/table"}


def test_rows_as_json_xml_csv_and_tsv(site: Site, where: str) -> None:
    def ask(format_: str):
        return site.client.get(where, query_string={"query": SELECT, "format": format_})

    rows = list(csv.reader(io.StringIO(ask("csv").text)))
    assert rows[0] == ["thing", "label"]
    assert rows[1] == ["https://example.org/table", "harvest <b>2025</b>"]
    assert ask("csv").headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = ask("tsv").text.splitlines()
    assert lines[0] == "?thing\t?label"
    assert lines[1].startswith("<https://example.org/table>\t")
    root = ElementTree.fromstring(ask("xml").data)
    assert root.tag == "{http://www.w3.org/2005/sparql-results#}sparql"
    assert ask("xml").mimetype == "application/sparql-results+xml"
    binding = ask("json").get_json()["results"]["bindings"][0]
    assert binding["label"] == {"type": "literal", "value": "harvest <b>2025</b>"}


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, "*/*", "application/sparql-results+json"),
        (SELECT, "application/json", "application/json"),
        (SELECT, "application/xml", "application/xml"),
        (SELECT, "text/csv", "text/csv"),
        (SELECT, "text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, BROWSER, "text/html"),
        (SELECT, "text/turtle, application/sparql-results+xml;q=0.5", "application/sparql-results+xml"),
        (ASK, "*/*", "application/sparql-results+json"),
        (ASK, "application/sparql-results+xml", "application/sparql-results+xml"),
        (ASK, BROWSER, "text/html"),
        (CONSTRUCT, "*/*", "text/turtle"),
        (CONSTRUCT, "application/n-triples", "application/n-triples"),
        (CONSTRUCT, "application/rdf+xml", "application/rdf+xml"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        (CONSTRUCT, BROWSER, "text/html"),
        (DESCRIBE, "text/turtle", "text/turtle"),
    ],
)
def test_negotiation(site: Site, where: str, query: str, accept: str, media_type: str) -> None:
    answer = site.client.get(where, query_string={"query": query}, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.mimetype == media_type
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("query", "parameters", "accept"),
    [
        (SELECT, {}, "text/turtle"),
        (SELECT, {"format": "turtle"}, "text/turtle"),
        (ASK, {"format": "nonsense"}, "image/png"),
        (CONSTRUCT, {"format": "csv"}, "text/csv"),
        (CONSTRUCT, {}, "text/csv"),
    ],
)
def test_a_result_without_an_acceptable_format(site: Site, query: str, parameters: dict[str, str], accept: str) -> None:
    answer = site.client.get("/sparql", query_string={"query": query, **parameters}, headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.get_json()["available"]


@pytest.mark.parametrize("format_", ["turtle", "ntriples", "rdfxml", "rdfjsonld"])
def test_graphs_in_all_formats_are_equal(site: Site, where: str, format_: str) -> None:
    answer = site.client.get(where, query_string={"query": CONSTRUCT, "format": format_})
    (triple,) = pyoxigraph.parse(answer.data, pyoxigraph.RdfFormat.from_media_type(answer.mimetype))
    assert triple.subject.value == "https://example.org/run"
    assert triple.object.value == "https://example.org/ada"


def test_ask_is_true_or_false(site: Site, where: str) -> None:
    assert site.client.get(where, query_string={"query": ASK}).get_json()["boolean"] is True
    no = "ASK { <https://nowhere.example/> ?p ?o }"
    assert site.client.get(where, query_string={"query": no}).get_json()["boolean"] is False
    assert "No." in site.client.get(where, query_string={"query": no}, headers={"Accept": BROWSER}).text


def test_each_dataset_contains_its_project_only(site: Site) -> None:
    site.owner.submit(
        b"document prefix h <https://hidden.example/> entity(h:x) endDocument", project="secret", name="hidden"
    )
    everything = "SELECT ?s WHERE { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"

    def seen(path: str, who: str = "") -> str:
        answer = site.client.get(path, query_string={"query": everything}, headers=site.auth(who))
        assert answer.status_code == 200
        return answer.text

    assert "hidden.example" not in seen("/sparql")
    assert "hidden.example" not in seen("/sparql", "all")
    assert "hidden.example" not in seen("/projects/open/sparql", "all")
    assert "hidden.example" in seen("/projects/secret/sparql", "all")


@pytest.mark.parametrize(
    ("method", "kwargs", "status"),
    [
        ("GET", {"query_string": "query=ASK%7B%7D&query=ASK%7B%7D"}, 400),
        ("POST", {"query_string": "query=ASK%7B%7D", "data": {"query": "ASK {}"}}, 400),
        (
            "POST",
            {"query_string": "query=ASK%7B%7D", "data": "ASK {}", "content_type": "application/sparql-query"},
            400,
        ),
        ("POST", {"data": {}}, 415),
        ("POST", {"data": "", "content_type": "application/x-www-form-urlencoded"}, 400),
        ("POST", {"data": "", "content_type": "application/sparql-query"}, 400),
        ("POST", {"data": "ASK {}", "content_type": "text/plain"}, 415),
        ("POST", {"data": b"ASK { <\xff> ?p ?o }", "content_type": "application/sparql-query"}, 400),
        ("POST", {"data": {"update": "CLEAR ALL"}}, 403),
        ("GET", {"query_string": "update=CLEAR+ALL"}, 403),
        ("POST", {"data": "CLEAR ALL", "content_type": "application/sparql-update"}, 403),
        ("GET", {"query_string": {"query": "CLEAR ALL"}}, 400),
        ("GET", {"query_string": {"query": "SELECT"}}, 400),
        ("GET", {"query_string": {"query": "SELECT * WHERE { ?s ?p"}}, 400),
        ("GET", {"query_string": {"query": "ASK {}", "default-graph-uri": "relative"}}, 400),
        ("GET", {"query_string": {"query": "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }"}}, 400),
        ("GET", {"query_string": {"query": "nope:x"}}, 400),
        ("GET", {"query_string": "", "headers": {"Accept": "application/sparql-results+json"}}, 400),
        ("PUT", {"data": "x"}, 405),
    ],
)
def test_bad_requests(site: Site, where: str, method: str, kwargs: dict, status: int) -> None:
    answer = site.client.open(where, method=method, **kwargs)
    assert answer.status_code == status, answer.data
    problem = answer.get_json()
    assert answer.mimetype == "application/problem+json"
    assert problem["detail"]


def test_a_syntax_error_has_line_and_column(site: Site, where: str) -> None:
    problem = site.client.get(where, query_string={"query": "SELECT ?a WHERE {\n  ?a ?b\n}"}).get_json()
    assert problem["type"].endswith("#query")
    assert problem["line"] in (2, 3)


def test_a_bare_get_describes_the_service(site: Site, where: str) -> None:
    for accept in ("text/turtle", "*/*"):
        answer = site.client.get(where, headers={"Accept": accept})
        assert answer.mimetype == "text/turtle"
        triples = list(
            pyoxigraph.parse(answer.data, pyoxigraph.RdfFormat.TURTLE, base_iri=f"https://lab.example{where}")
        )
        endpoint = "http://www.w3.org/ns/sparql-service-description#endpoint"
        assert [t.object.value for t in triples if t.predicate.value == endpoint] == [f"https://lab.example{where}"]


def test_a_browser_gets_the_query_page(site: Site, where: str) -> None:
    page = site.client.get(where, headers={"Accept": BROWSER})
    assert page.status_code == 200
    assert f'<form id="query-form" action="{where}" method="get"' in page.text
    assert '<label for="query">' in page.text
    answered = site.client.get(where, query_string={"query": SELECT}, headers={"Accept": BROWSER})
    assert "harvest &lt;b&gt;2025&lt;/b&gt;" in answered.text
    assert "<b>2025" not in answered.text
    assert re.search(r'<th scope="col" aria-sort="none"><a href="[^"]*sort=thing">thing</a></th>', answered.text)
    assert f"{where}?query={quote('SELECT', safe='')}" in answered.text
    wrong = site.client.get(where, query_string={"query": "SELECT <script>"}, headers={"Accept": BROWSER})
    assert wrong.status_code == 400
    assert "SELECT &lt;script&gt;</textarea>" in wrong.text
    assert "<script>" not in wrong.text


def test_queries_beyond_the_limit_get_503_with_retry_after(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    release, started = threading.Event(), threading.Barrier(3)
    original = Repository.query

    def slow(self: Repository, query: str, **kwargs):
        started.wait(10)
        release.wait(10)
        return original(self, query, **kwargs)

    monkeypatch.setattr(Repository, "query", slow)
    # Four request threads leave room for two queries.
    threads = [
        threading.Thread(target=lambda: site.app.test_client().get("/sparql", query_string={"query": ASK}))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    started.wait(10)
    refused = site.client.get("/sparql", query_string={"query": ASK})
    release.set()
    for thread in threads:
        thread.join()
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    monkeypatch.undo()
    assert site.client.get("/sparql", query_string={"query": ASK}).status_code == 200


@pytest.mark.parametrize("query", ["", "query=ASK%20%7B%7D&"])
def test_a_flag_is_true_or_false_with_and_without_a_query(site: Site, query: str) -> None:
    refused = site.client.get(f"/sparql?{query}quote_formulas=-58800")
    assert refused.status_code == 400
    assert "quote_formulas" in refused.get_json()["detail"]
