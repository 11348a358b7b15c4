"""Queries to other endpoints, against a small server on the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest

from provrepo.errors import QueryError, RemoteError, TooLarge, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, text
from provrepo.repository.queries.named import NamedQuery, load
from provrepo.views.sparql import remote
from provrepo.views.sparql.remote import RemoteEndpoint, query


@dataclass
class Seen:
    """A request that the server received."""

    method: str
    path: str
    headers: dict[str, str]
    query: str


@dataclass
class Endpoint:
    """The server: its requests, and its answers."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler, Seen], None] | None = None


def oxigraph(handler: BaseHTTPRequestHandler, seen: Seen) -> None:
    """Answers as an endpoint with one triple does, in the first format of the Accept header."""
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("urn:a"), ox.NamedNode("http://www.w3.org/ns/prov#used"), ox.Literal("x")))
    try:
        result = store.query(seen.query)
    except SyntaxError as error:
        send(handler, 400, "text/plain", str(error.msg).encode())
        return
    media_type = seen.headers["accept"].split(",")[0]
    known = (
        ox.RdfFormat.from_media_type if isinstance(result, ox.QueryTriples) else ox.QueryResultsFormat.from_media_type
    )
    send(handler, 200, f"{media_type}; charset=utf-8", result.serialize(format=known(media_type)) or b"")


def send(handler: BaseHTTPRequestHandler, status: int, media_type: str, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", media_type)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    served = Endpoint(answer=oxigraph)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parameters = parse_qs(body or urlsplit(self.path).query)
            headers = {name.lower(): value for name, value in self.headers.items()}
            served.seen.append(Seen(self.command, self.path, headers, parameters.get("query", [""])[0]))
            assert served.answer is not None
            try:
                served.answer(self, served.seen[-1])
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has heard enough

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}/sparql"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    thread.join(10)
    server.server_close()


def says(status: int, media_type: str, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler, Seen], None]:
    return lambda handler, seen: send(handler, status, media_type, body, **headers)


def test_select_ask_construct_describe(endpoint: Endpoint) -> None:
    remote_endpoint = RemoteEndpoint(endpoint.url)
    assert remote_endpoint.query("SELECT ?o { ?s prov:used ?o }").rows == [{"o": text("x")}]
    assert remote_endpoint.query("ASK { <urn:a> ?p ?o }").boolean is True
    quad = Quad(Identifier("urn:a"), Identifier("http://www.w3.org/ns/prov#used"), text("x"))
    assert remote_endpoint.query("CONSTRUCT WHERE { ?s ?p ?o }").triples == [quad]
    assert remote_endpoint.query("DESCRIBE <urn:a>").triples == [quad]
    assert [seen.method for seen in endpoint.seen] == ["GET"] * 4
    assert "sparql-results+json" in endpoint.seen[0].headers["accept"]
    assert "n-triples" in endpoint.seen[2].headers["accept"]


def test_the_request_has_no_parameter_but_the_query(endpoint: Endpoint) -> None:
    query(endpoint.url, "ASK {}")
    assert list(parse_qs(urlsplit(endpoint.seen[0].path).query)) == ["query"]
    assert "authorization" not in endpoint.seen[0].headers


def test_a_long_query_is_posted_as_a_form(endpoint: Endpoint) -> None:
    long = "ASK { ?s ?p ?o } #" + "é" * 3_000
    assert query(endpoint.url, long).boolean is True
    assert endpoint.seen[0].method == "POST"
    assert endpoint.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert endpoint.seen[0].query == long


@pytest.mark.parametrize("named", load(), ids=lambda named: named.name)
def test_a_named_query_declares_its_prefixes_for_other_endpoints(endpoint: Endpoint, named: NamedQuery) -> None:
    samples = {"iri": "urn:x", "text": "x", "integer": "1", "time": "2026-01-01T00:00:00Z"}
    bound = named.bind({parameter.name: samples[parameter.kind] for parameter in named.parameters})
    with pytest.raises(SyntaxError):
        ox.Store().query(bound)
    query(endpoint.url, bound)
    assert ox.Store().query(endpoint.seen[0].query) is not None


def test_predeclared_prefixes_are_declared_unless_the_query_does(endpoint: Endpoint) -> None:
    query(endpoint.url, "PREFIX prov: <urn:mine:> ASK { ?s prov:used ?o ; rdfs:label ?l }")
    sent = endpoint.seen[0].query
    assert sent.count("prov:") == 2
    assert "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>" in sent
    assert "dcat:" not in sent


def test_a_token_is_not_sent_to_another_host(endpoint: Endpoint) -> None:
    assert query(endpoint.url, "ASK { ?s ?p ?o }", token="pvr_1_x").boolean is True
    assert endpoint.seen[0].headers["authorization"] == "Bearer pvr_1_x"

    def redirect(handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        if seen.path.startswith("/sparql"):
            send(handler, 302, "text/plain", b"", Location="/elsewhere?query=ASK%20%7B%7D")
        else:
            oxigraph(handler, seen)

    endpoint.answer = redirect
    assert query(endpoint.url, "ASK {}", token="pvr_1_x").boolean is True
    assert endpoint.seen[-1].path.startswith("/elsewhere")
    assert "authorization" not in endpoint.seen[-1].headers


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_no_redirect_to_another_scheme(endpoint: Endpoint, target: str) -> None:
    endpoint.answer = says(302, "text/plain", b"", Location=target)
    with pytest.raises(RemoteError):
        query(endpoint.url, "ASK {}")


def test_a_wrong_query_is_a_query_error_with_the_servers_message(endpoint: Endpoint) -> None:
    with pytest.raises(QueryError, match="does not accept the query: error at 1:"):
        query(endpoint.url, "SELECT * { ?s ?p }")
    with pytest.raises(QueryError, match="does not accept the query"):
        query(endpoint.url, "nonsense")


def test_updates_are_not_sent(endpoint: Endpoint) -> None:
    for update in ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "DROP ALL", "LOAD <http://127.0.0.1:9/>"):
        with pytest.raises(QueryError, match="only SELECT, ASK"):
            query(endpoint.url, update)
    assert endpoint.seen == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, "requires a token"), (403, "403"), (404, "address of the endpoint"), (500, "500"), (503, "503")],
)
def test_a_refusal_has_the_servers_message(endpoint: Endpoint, status: int, expected: str) -> None:
    endpoint.answer = says(status, "text/plain", b"out of luck\x1b[31m\n" + b"x" * 5_000)
    with pytest.raises(RemoteError, match=expected) as caught:
        query(endpoint.url, "ASK {}")
    assert len(str(caught.value)) < 700
    assert "\x1b" not in str(caught.value)


def test_messages_have_no_markup(endpoint: Endpoint) -> None:
    page = b"<html><head><style>p {}</style></head><body><p>The store\n is <b>down</b></p></body></html>"
    endpoint.answer = says(502, "text/html", page)
    with pytest.raises(RemoteError, match="502: The store is down"):
        query(endpoint.url, "ASK {}")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/html", b"<html>log in first</html>"),
        ("application/sparql-results+json", b'{"head"'),
        ("application/sparql-results+json", b'{"head":{"vars":["a"]},"results":{"bindings":[' + b"[" * 100_000),
        ("", b""),
    ],
)
def test_an_unreadable_answer_is_a_remote_error(endpoint: Endpoint, media_type: str, body: bytes) -> None:
    endpoint.answer = says(200, media_type, body)
    with pytest.raises(RemoteError, match="cannot be read"):
        query(endpoint.url, "SELECT * {}")


def test_a_silent_server_is_a_timeout(endpoint: Endpoint) -> None:
    over = threading.Event()
    endpoint.answer = lambda handler, seen: over.wait() and None
    try:
        with pytest.raises(RemoteError, match=r"within 0\.2 s"):
            query(endpoint.url, "ASK {}", timeout=0.2)
    finally:
        over.set()


def test_a_slow_answer_is_a_timeout(endpoint: Endpoint) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/sparql-results+json")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    endpoint.answer = trickle
    try:
        with pytest.raises(RemoteError, match="within"):
            query(endpoint.url, "ASK {}", timeout=0.3)
    finally:
        over.set()


def test_a_too_long_answer_is_not_read(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_BYTES", 1 << 20)
    endpoint.answer = says(200, "application/sparql-results+json", b" " * (2 << 20))
    with pytest.raises(TooLarge, match="LIMIT"):
        query(endpoint.url, "SELECT * {}")


def test_an_incomplete_answer_is_a_remote_error(endpoint: Endpoint) -> None:
    def cut(handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/n-triples")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"<urn:a> <urn:b> <urn:c> .\n")

    endpoint.answer = cut
    with pytest.raises(RemoteError, match="IncompleteRead"):
        query(endpoint.url, "CONSTRUCT WHERE { ?s ?p ?o }")


def test_an_unreachable_server_is_a_remote_error() -> None:
    with pytest.raises(RemoteError, match="cannot be reached"):
        query("http://127.0.0.1:1/sparql", "ASK {}", timeout=5)


@pytest.mark.parametrize("url", ["", "sparql", "file:///etc/passwd", "ftp://example.org/", "http://", "http:///x"])
def test_only_web_addresses_are_endpoints(url: str) -> None:
    with pytest.raises(UsageError, match="http or https"):
        RemoteEndpoint(url)
