"""The SPARQL 1.1 Protocol, sections 2.1 and 2.2, beyond the W3C cases, with mistakes of clients."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.support.serving import BROWSER, Site, opened

SELECT = "SELECT ?thing { ?run prov:used ?thing }"
CONSTRUCT = "CONSTRUCT WHERE { ?run prov:used ?thing }"
QUERY = "application/sparql-query"
FORM = "application/x-www-form-urlencoded"
JSON = "application/sparql-results+json"
GRAPHS = ("default-graph-uri", "named-graph-uri")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def ask(site: Site, query: str = SELECT, accept: str = "*/*", **parameters: object) -> TestResponse:
    return site.client.get("/sparql", query_string={"query": query, **parameters}, headers={"Accept": accept})


def refused(answer: TestResponse, status: int, words: str) -> None:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert words in answer.get_json()["detail"]


# Methods.


@pytest.mark.parametrize("parameters", [{}, {"query": SELECT}, {"query": CONSTRUCT}, {"query": "nonsense"}])
def test_head_is_get_without_a_body(site: Site, parameters: dict[str, str]) -> None:
    get, head = (site.client.open("/sparql", method=method, query_string=parameters) for method in ("GET", "HEAD"))
    assert head.data == b""
    assert head.status_code == get.status_code
    for name in ("Content-Type", "Content-Length", "Vary", "Access-Control-Allow-Origin"):
        assert head.headers[name] == get.headers[name], name


def test_options_answers_cors_preflights(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.repository.store.Store.base", lambda _: "https://prov.example/")
    answer = site.client.options(
        "/sparql", headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(site: Site, method: str) -> None:
    answer = site.client.open("/sparql", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_other_sites_may_read_errors(site: Site) -> None:
    assert ask(site, "nonsense").headers["Access-Control-Allow-Origin"] == "*"


# The query.


@pytest.mark.parametrize(
    "kind",
    [QUERY, f"{QUERY}; charset=utf-8", f"{QUERY};charset=UTF-8", "Application/SPARQL-Query", f"{QUERY}; version=1.1"],
)
def test_parameters_and_case_of_the_media_type_do_not_matter(site: Site, kind: str) -> None:
    assert site.client.post("/sparql", data=SELECT, content_type=kind).status_code == 200
    form = kind.lower().replace(QUERY, FORM)
    assert site.client.post("/sparql", data=f"query={quote(SELECT)}", content_type=form).status_code == 200


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_query_is_utf_8_whatever_its_charset_says(site: Site, encoding: str) -> None:
    data = 'ASK { ?s ?p "é" }'.encode(encoding)
    answer = site.client.post("/sparql", data=data, content_type=f"{QUERY}; charset={encoding}")
    refused(answer, 400, "not UTF-8")


def test_parameters_that_are_not_utf_8_are_refused(site: Site) -> None:
    mangled = "query=ASK%20%7B%20%3Fs%20%3Fp%20%22%E9%22%20%7D"
    refused(site.client.get(f"/sparql?{mangled}"), 400, "not UTF-8")
    refused(site.client.post("/sparql", data=mangled, content_type=FORM), 400, "not UTF-8")
    graph = "query=ASK%20%7B%7D&default-graph-uri=urn:%E9"
    refused(site.client.get(f"/sparql?{graph}"), 400, "default-graph-uri is not UTF-8")
    # The character itself is one like any other.
    assert ask(site, 'ASK { ?s ?p "\ufffd" }').get_json()["boolean"] is False


def test_a_byte_order_mark_is_ignored(site: Site) -> None:
    answer = site.client.post("/sparql", data="\ufeffASK {}".encode(), content_type=QUERY)
    assert answer.get_json()["boolean"] is True


@pytest.mark.parametrize("query", ["", " ", "%0A", "+"])
def test_an_empty_query_counts_as_missing(site: Site, query: str) -> None:
    for accept in ("*/*", "text/turtle", JSON):
        refused(site.client.get(f"/sparql?query={query}", headers={"Accept": accept}), 400, "no query")
    refused(site.client.post("/sparql", data=f"query={query}", content_type=FORM), 400, "no query")
    refused(site.client.post("/sparql", data=query, content_type=QUERY), 400, "")
    # The form of the page can be sent empty.
    page = site.client.get(f"/sparql?query={query}", headers={"Accept": BROWSER})
    assert (page.status_code, page.mimetype) == (200, "text/html")


def test_a_query_may_be_given_once_only(site: Site) -> None:
    assert site.client.post(f"/sparql?query={quote(SELECT)}", data="x=1", content_type=FORM).status_code == 200
    for data, kind in ((f"query={quote(SELECT)}", FORM), (SELECT, QUERY)):
        answer = site.client.post(f"/sparql?query={quote(SELECT)}", data=data, content_type=kind)
        refused(answer, 400, "more than one query")


def test_unknown_parameters_are_ignored(site: Site) -> None:
    answer = ask(site, output="xml", results="json", debug="on")
    assert answer.mimetype == JSON


# The graphs.


@pytest.mark.parametrize("method", ["GET", "POST", "direct"])
def test_default_graphs_are_merged_without_duplicates(site: Site, method: str) -> None:
    first = site.owner.version("open", "run").iri
    second = site.owner.version("open", "twice").iri
    count = "SELECT (COUNT(*) AS ?n) { ?run prov:used ?thing }"
    parameters = f"default-graph-uri={quote(first, safe='')}&default-graph-uri={quote(second, safe='')}"
    if method == "GET":
        answer = site.client.get(f"/sparql?query={quote(count)}&{parameters}")
    elif method == "POST":
        answer = site.client.post("/sparql", data=f"query={quote(count)}&{parameters}", content_type=FORM)
    else:
        answer = site.client.post(f"/sparql?{parameters}", data=count, content_type=QUERY)
    # Both documents say the same of it.
    assert answer.get_json()["results"]["bindings"][0]["n"]["value"] == "1"


def test_graphs_of_the_protocol_override_those_of_the_query(site: Site) -> None:
    """Section 2.1.4."""
    graph = site.owner.version("open", "run").iri
    query = "ASK FROM <urn:nothing> { ?run prov:used ?thing }"
    assert ask(site, query).get_json()["boolean"] is False
    assert ask(site, query, **{"default-graph-uri": graph}).get_json()["boolean"] is True
    named = "ASK { GRAPH ?g { ?run prov:used ?thing } }"
    assert ask(site, named, **{"default-graph-uri": graph}).get_json()["boolean"] is False
    assert ask(site, named, **{"named-graph-uri": graph}).get_json()["boolean"] is True


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
@pytest.mark.parametrize("value", ["relative", "http://a b/", "<urn:x>"])
def test_a_graph_has_an_absolute_iri(site: Site, name: str, value: str) -> None:
    refused(ask(site, "ASK {}", **{name: value}), 400, "absolute IRI")


@pytest.mark.parametrize("names", [GRAPHS[:1], GRAPHS[1:], GRAPHS])
@pytest.mark.parametrize("where", ["GET", "form", "direct"])
def test_an_empty_graph_parameter_counts_as_missing(site: Site, names: tuple[str, ...], where: str) -> None:
    """Empty fields of a form are ignored: all graphs are queried, or those in other parameters."""
    empty = dict.fromkeys(names, "")
    if where == "GET":
        answer = ask(site, **empty)
    elif where == "form":
        answer = site.client.post("/sparql", data={"query": SELECT, **empty})
    else:
        answer = site.client.post("/sparql", query_string=empty, data=SELECT, content_type=QUERY)
    assert answer.status_code == 200
    assert len(answer.get_json()["results"]["bindings"]) == 1
    graph = quote(site.owner.version("open", "run").iri, safe="")
    beside = "&".join(f"{name}=&{name}={graph}" for name in names)
    named = "GRAPH ?g" if names == ("named-graph-uri",) else ""
    query = quote(f"ASK {{ {named} {{ ?run prov:used ?thing }} }}")
    assert site.client.get(f"/sparql?query={query}&{beside}").get_json()["boolean"] is True


# The answer.


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{JSON};q=0.2, text/csv;q=0.9", "text/csv"),
        (f"text/csv, {JSON}", JSON),
        (f"text/csv;q=0.9, {JSON};q=0.9", JSON),
        ("text/csv;q=0.001, image/png", "text/csv"),
        ("text/csv; header=present", "text/csv"),
        (f"{JSON}; charset=utf-8", JSON),
        (f"{JSON};q=0, application/json;q=0, */*;q=0.1", "application/sparql-results+xml"),
        (f"{JSON};q=nonsense", JSON),
        ("application/rdf+xml, application/sparql-results+xml;q=0.8, */*;q=0.1", "application/sparql-results+xml"),
    ],
)
def test_acceptable_media_types(site: Site, accept: str, media_type: str) -> None:
    answer = ask(site, accept=accept)
    assert (answer.status_code, answer.mimetype) == (200, media_type)


@pytest.mark.parametrize("accept", ["image/png", f"{JSON};q=0", "text/turtle", "*/*;q=0", "text/boolean"])
def test_unacceptable_media_types(site: Site, accept: str) -> None:
    answer = ask(site, accept=accept)
    refused(answer, 406, "available are")
    assert {"format": "json", "media_type": JSON} in answer.get_json()["available"]


@pytest.mark.parametrize(
    ("query", "format_", "content_type"),
    [
        (SELECT, "json", JSON),
        (SELECT, "xml", "application/sparql-results+xml"),
        (SELECT, "csv", "text/csv; charset=utf-8"),
        (SELECT, "tsv", "text/tab-separated-values; charset=utf-8"),
        (CONSTRUCT, "turtle", "text/turtle; charset=utf-8"),
        (CONSTRUCT, "ntriples", "application/n-triples"),
        (CONSTRUCT, "rdfxml", "application/rdf+xml"),
        (CONSTRUCT, "rdfjsonld", "application/ld+json"),
        (CONSTRUCT, "trig", "application/trig"),
        (CONSTRUCT, "nquads", "application/n-quads"),
    ],
)
def test_the_exact_media_types(site: Site, query: str, format_: str, content_type: str) -> None:
    answer = ask(site, query, format=format_)
    assert answer.headers["Content-Type"] == content_type
    assert answer.data
