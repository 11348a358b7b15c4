"""What the SPARQL clients in use send, as they are: SPARQLWrapper and rdflib themselves, and the requests of others.

Those of Yasgui were written down from its sources (``packages/yasqe/src/sparql.ts`` and ``defaults.ts``), and those of
RDF4J 5.1.2 from what its ``SPARQLRepository`` sent to a server that recorded them.
"""

from __future__ import annotations

import gzip
import io
import os
import warnings
from collections.abc import Iterator
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from rdflib import PROV, Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import GET, JSON, POST, POSTDIRECTLY, URLENCODED, XML, SPARQLWrapper
from SPARQLWrapper.Wrapper import _allowedFormats
from werkzeug.test import TestResponse

from tests.support.browsing import serving
from tests.support.serving import Site, opened

RUN, RAW = "https://example.org/run", "https://example.org/raw"
SELECT = "SELECT * WHERE { ?run <http://www.w3.org/ns/prov#used> ?input }"
ASK = "ASK { ?run <http://www.w3.org/ns/prov#used> ?input }"
CONSTRUCT = "CONSTRUCT { ?run <urn:used> ?input } WHERE { ?run <http://www.w3.org/ns/prov#used> ?input }"
DESCRIBE = f"DESCRIBE <{RUN}>"

JSON_ROWS, XML_ROWS = "application/sparql-results+json", "application/sparql-results+xml"
TABLES = {"xml": XML_ROWS, "json": JSON_ROWS, "csv": "text/csv", "tsv": "text/tab-separated-values"}
GRAPHS = {
    "xml": "application/rdf+xml",
    "rdf": "application/rdf+xml",
    "rdf+xml": "application/rdf+xml",
    "json": "application/ld+json",
    "json-ld": "application/ld+json",
}
"""Names of SPARQLWrapper and the media types it gets for them; for other names the default."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    before = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = "*"
    with serving(site.app) as address:
        yield f"{address}/projects/open/sparql"
    del os.environ["NO_PROXY"]
    if before is not None:
        os.environ["NO_PROXY"] = before


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def statements(data: bytes, media_type: str) -> set[tuple[str, str, str]]:
    found = ox.parse(data, ox.RdfFormat.from_media_type(media_type))
    return {(t.subject.value, t.predicate.value, t.object.value) for t in found}


# SPARQLWrapper


def wrapped(url: str, query: str, format_: str | None, method: str, sent: str = URLENCODED) -> SPARQLWrapper:
    client = SPARQLWrapper(url)
    client.setQuery(query)
    client.setMethod(method)
    client.setRequestMethod(sent)
    if format_ is not None:
        client.setReturnFormat(format_)
    return client


WAYS = [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)]


@pytest.mark.parametrize(("method", "sent"), WAYS)
@pytest.mark.parametrize("format_", [None, *_allowedFormats])
def test_sparqlwrapper_selects_in_every_format(url: str, method: str, sent: str, format_: str | None) -> None:
    answer = wrapped(url, SELECT, format_, method, sent).query()
    media_type = answer.info()["content-type"].partition(";")[0]
    assert media_type == TABLES.get(format_ or "xml", JSON_ROWS)
    found = answer.convert()
    if media_type == JSON_ROWS:
        assert found["head"]["vars"] == ["run", "input"]
        assert [(row["run"]["value"], row["input"]["value"]) for row in found["results"]["bindings"]] == [(RUN, RAW)]
    elif media_type == XML_ROWS:
        assert [node.firstChild.data for node in found.getElementsByTagName("uri")] == [RUN, RAW]
    elif media_type == "text/csv":
        assert found == f"run,input\r\n{RUN},{RAW}\r\n".encode()
    else:
        assert found == f"?run\t?input\n<{RUN}>\t<{RAW}>\n".encode()


@pytest.mark.parametrize(("method", "sent"), WAYS)
@pytest.mark.parametrize("format_", [None, *(name for name in _allowedFormats if name not in ("csv", "tsv"))])
def test_sparqlwrapper_asks_in_every_format(url: str, method: str, sent: str, format_: str | None) -> None:
    """Except for formats without booleans, if it accepts no other."""
    found = wrapped(url, ASK, format_, method, sent).queryAndConvert()
    if format_ in (None, XML):
        assert found.getElementsByTagName("boolean")[0].firstChild.data == "true"
    else:
        assert found["boolean"] is True


@pytest.mark.parametrize(("method", "sent"), WAYS)
@pytest.mark.parametrize("query", [CONSTRUCT, DESCRIBE])
@pytest.mark.parametrize("format_", [None, *_allowedFormats])
def test_sparqlwrapper_gets_graphs_in_every_format(
    url: str, query: str, method: str, sent: str, format_: str | None
) -> None:
    answer = wrapped(url, query, format_, method, sent).query()
    media_type = answer.info()["content-type"].partition(";")[0]
    assert media_type == GRAPHS.get(format_ or "xml", "text/turtle")
    wanted = (RUN, "urn:used" if query == CONSTRUCT else str(PROV.used), RAW)
    assert wanted in statements(answer.response.read(), media_type)
    found = wrapped(url, query, format_, method, sent).queryAndConvert()
    if isinstance(found, Graph):
        assert tuple(map(URIRef, wanted)) in found


def test_sparqlwrapper_gets_the_error(url: str) -> None:
    from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

    with pytest.raises(QueryBadFormed, match="line 1"):
        wrapped(url, "SELECT ?s { ?s ?p", JSON, GET).query()


# rdflib


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("format_", ["xml", "json", "csv", "tsv"])
def test_rdflibs_store_asks_in_every_format(url: str, method: str, format_: str) -> None:
    store = SPARQLStore(url, returnFormat=format_, method=method)
    found = store.query(SELECT)
    assert [str(variable) for variable in found.vars] == ["run", "input"]
    assert [tuple(map(str, row)) for row in found] == [(RUN, RAW)]
    if format_ in ("xml", "json"):
        assert store.query(ASK).askAnswer is True


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize(
    "format_", ["xml", "turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"]
)
def test_rdflibs_store_gets_graphs(url: str, method: str, format_: str) -> None:
    store = SPARQLStore(url, returnFormat=format_, method=method)
    found = store.query(CONSTRUCT).graph
    assert found is not None
    assert list(found) == [(URIRef(RUN), URIRef("urn:used"), URIRef(RAW))]


def test_rdflibs_store_is_traversed_as_documented(url: str, site: Site) -> None:
    graph = Graph(SPARQLStore(url, returnFormat="json"))
    assert set(graph.objects(URIRef(RUN), PROV.used)) == {URIRef(RAW)}
    named = Graph(SPARQLStore(url), identifier=URIRef(site.owner.version("open", "run").iri))
    assert (URIRef(RUN), PROV.used, URIRef(RAW)) in named
    assert len(Graph(SPARQLStore(url), identifier=URIRef("urn:nothing"))) == 0


# Yasgui

YASGUI_ROWS = "application/sparql-results+json,*/*;q=0.9"
YASGUI_GRAPH = "application/n-triples,*/*;q=0.9"
ELSEWHERE = "https://yasgui.example"


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, YASGUI_ROWS, JSON_ROWS),
        (ASK, YASGUI_ROWS, JSON_ROWS),
        (CONSTRUCT, YASGUI_GRAPH, "application/n-triples"),
        (DESCRIBE, YASGUI_GRAPH, "application/n-triples"),
    ],
)
def test_yasgui(site: Site, method: str, query: str, accept: str, media_type: str) -> None:
    headers = {"Accept": accept, "Origin": ELSEWHERE, "Accept-Encoding": "gzip, deflate, br"}
    if method == "POST":
        # superagent's type("form") writes no charset.
        answer = site.client.post(
            "/sparql",
            data=urlencode({"query": query}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
    else:
        answer = site.client.get("/sparql", query_string={"query": query}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/sparql", "/projects/secret/sparql", "/projects/open/documents/run", "/lineage"])
def test_yasgui_with_a_token(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers send a preflight without the token first (Fetch Standard, CORS preflight)."""
    monkeypatch.setattr("provrepo.repository.store.Store.base", lambda _: "https://prov.example/")
    is_query = path.endswith("sparql")
    preflight = site.client.options(
        path,
        headers={
            "Origin": ELSEWHERE,
            "Access-Control-Request-Method": "POST" if is_query else "GET",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "accept"} <= set(allowed)
    assert ("POST" in preflight.headers["Access-Control-Allow-Methods"].split(", ")) is is_query
    assert int(preflight.headers["Access-Control-Max-Age"]) > 0
    if is_query:
        answer = site.client.post(
            path, data={"query": ASK}, headers={**site.auth("all"), "Accept": YASGUI_ROWS, "Origin": ELSEWHERE},
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert answer.get_json()["boolean"] is True
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Link", "Location", "Retry-After"} <= set(exposed)


# RDF4J

RDF4J_ROWS = (
    "text/csv;q=0.8, application/x-sparqlstar-results+json;q=0.8, application/sparql-results+json;q=0.8, "
    "application/json;q=0.8, application/sparql-results+xml, application/xml, text/tab-separated-values;q=0.8, "
    "application/x-sparqlstar-results+xml;q=0.8, text/x-tab-separated-values-star;q=0.8, "
    "application/x-sparqlstar-results+tsv;q=0.8, application/x-binary-rdf-results-table;q=0.8"
)
RDF4J_BOOLEAN = (
    "application/sparql-results+json;q=0.8, application/json;q=0.8, application/x-sparqlstar-results+json;q=0.8, "
    "application/sparql-results+xml;q=0.8, application/xml;q=0.8, text/boolean"
)
RDF4J_GRAPH = (
    "application/n-triples;q=0.7, text/plain;q=0.7, application/rdf+xml;q=0.4, application/xml;q=0.4, text/xml;q=0.4, "
    "text/turtle, application/x-turtle, application/trig;q=0.8, application/x-trig;q=0.8, "
    "application/x-trigstar;q=0.8, application/x-binary-rdf;q=0.8, application/x-ld+ndjson;q=0.8, "
    "text/x-turtlestar;q=0.8, application/x-turtlestar;q=0.8, application/ld+json;q=0.8"
)
RDF4J = {"User-Agent": "Apache-HttpClient/4.5.14 (Java/17.0.15)", "Accept-Encoding": "gzip,deflate"}
LONG = SELECT + " # " + "x" * 6000
"""Beyond 4,000 characters it sends a form instead of a query in the URL."""


def plain(answer: TestResponse) -> bytes:
    return gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, RDF4J_ROWS, XML_ROWS),
        (LONG, RDF4J_ROWS, XML_ROWS),
        (ASK, RDF4J_BOOLEAN, JSON_ROWS),
        (CONSTRUCT, RDF4J_GRAPH, "text/turtle"),
        (DESCRIBE, RDF4J_GRAPH, "text/turtle"),
        ("SELECT (COUNT(*) AS ?count) WHERE { ?s ?p ?o }", RDF4J_ROWS, XML_ROWS),
        ("SELECT DISTINCT ?_ WHERE { GRAPH ?_ { ?s ?p ?o } }", RDF4J_ROWS, XML_ROWS),
    ],
)
@pytest.mark.parametrize("more", [{}, {"infer": "false", "timeout": "7", "distinct": "true", "queryLn": "SPARQL"}])
def test_rdf4j(site: Site, query: str, accept: str, media_type: str, more: dict[str, str]) -> None:
    headers = {**RDF4J, "Accept": accept}
    if len(query) > 4000:
        answer = site.client.post(
            "/projects/open/sparql",
            data=urlencode({"query": query, **more}),
            content_type="application/x-www-form-urlencoded; charset=utf-8",
            headers=headers,
        )
    else:
        answer = site.client.get("/projects/open/sparql", query_string={"query": query, **more}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    data = plain(answer)
    if media_type == "text/turtle":
        assert any(subject == RUN for subject, _, _ in statements(data, media_type))
    else:
        format_ = ox.QueryResultsFormat.from_media_type(media_type)
        found = ox.parse_query_results(io.BytesIO(data), format_)
        assert bool(found) is True if isinstance(found, ox.QueryBoolean) else len(list(found)) > 0


def test_rdf4j_names_graphs_and_is_refused_updates(site: Site) -> None:
    fields = {"query": SELECT, "default-graph-uri": "urn:x", "named-graph-uri": "urn:y"}
    answer = site.client.get("/sparql", query_string=fields, headers={**RDF4J, "Accept": RDF4J_ROWS})
    assert answer.status_code == 200
    assert b"<result>" not in answer.data
    update = site.client.post(
        "/sparql", data="update=CLEAR+ALL", content_type="application/x-www-form-urlencoded; charset=utf-8"
    )
    assert update.status_code == 403
    bad = site.client.get(
        "/sparql", query_string={"query": "SELECT ?s { ?s ?p "}, headers={**RDF4J, "Accept": RDF4J_ROWS}
    )
    assert (bad.status_code, bad.mimetype) == (400, "application/problem+json")


# Others


@pytest.mark.parametrize(
    ("query", "format_", "media_type"),
    [
        # Names and suffixes of other servers and of media types.
        (SELECT, "srj", JSON_ROWS),
        (SELECT, "srx", XML_ROWS),
        (SELECT, "sparql-results+json", JSON_ROWS),
        (SELECT, "JSON", JSON_ROWS),
        (SELECT, "text/csv", "text/csv"),
        (SELECT, "application/sparql-results+xml", XML_ROWS),
        (SELECT, "application/sparql-results xml", XML_ROWS),  # an unencoded plus
        (SELECT, "application/xml", "application/xml"),
        (SELECT, "text/csv,application/json;q=0.5", "text/csv"),
        (CONSTRUCT, "ttl", "text/turtle"),
        (CONSTRUCT, "nt", "application/n-triples"),
        (CONSTRUCT, "n-triples", "application/n-triples"),
        (CONSTRUCT, "jsonld", "application/ld+json"),
        (CONSTRUCT, "rdf xml", "application/rdf+xml"),
        (CONSTRUCT, "text/n3", "text/n3"),
        (CONSTRUCT, "application/x-trig", "application/x-trig"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        # Unknown values, and values that this kind of result does not have, let Accept decide.
        (SELECT, "nonsense", XML_ROWS),
        (SELECT, "image/png", XML_ROWS),
        (SELECT, "turtle", XML_ROWS),
        (SELECT, "*/*", XML_ROWS),
        (ASK, "csv", XML_ROWS),
        (ASK, "", XML_ROWS),
        (CONSTRUCT, "csv", "application/xml"),
        (CONSTRUCT, "nonsense", "application/xml"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_values_of_format(site: Site, method: str, query: str, format_: str, media_type: str) -> None:
    fields = {"query": query, "format": format_}
    given = {"query_string": fields} if method == "GET" else {"data": fields}
    accept = f"{XML_ROWS}, application/xml;q=0.9"
    answer = site.client.open("/sparql", method=method, headers={"Accept": accept}, **given)
    assert (answer.status_code, answer.mimetype) == (200, media_type)


def test_the_first_known_format_counts(site: Site) -> None:
    fields = [("query", SELECT), ("format", "nonsense"), ("format", ""), ("format", "csv"), ("format", "xml")]
    assert site.client.get(f"/sparql?{urlencode(fields)}").mimetype == "text/csv"


@pytest.mark.parametrize("format_", ["nonsense", "csv", "image/png", ""])
def test_the_graph_store_ignores_unknown_values_of_format(site: Site, format_: str) -> None:
    fields = {"default": "", "format": format_}
    answer = site.client.get("/projects/open/graphs", query_string=fields, headers={"Accept": "application/n-triples"})
    assert (answer.status_code, answer.mimetype) == (200, "application/n-triples")
    named = site.client.get("/projects/open/graphs", query_string={"default": "", "format": "rdf+xml"})
    assert named.mimetype == "application/rdf+xml"


def test_other_addresses_refuse_unknown_values_of_format(site: Site) -> None:
    run = "/projects/open/documents/run"
    assert site.client.get(run, query_string={"format": "text/turtle"}).mimetype == "text/turtle"
    assert site.client.get(run, query_string={"format": "nonsense"}).status_code == 406
    assert site.client.get("/queries/failures", query_string={"format": "nonsense"}).status_code == 406
