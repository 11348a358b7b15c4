"""The W3C suites of SPARQL 1.1: the protocol case by case, and queries, compared with the engine alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from provrepo.codecs.results import QueryResult, from_pyoxigraph
from provrepo.repository.records import PUBLIC
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from provrepo.views.sparql.columns import ordered
from provrepo.views.sparql.query import SparqlQuery
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PREDECLARED
from tests.support.corpus import corpus, present

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
HT = "http://www.w3.org/2011/http#"
UT = "http://www.w3.org/2009/sparql/tests/test-update#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


class Manifest:
    """A manifest of the suite."""

    def __init__(self, file: Path) -> None:
        self.base = f"https://suite.example/{file.parent.name}/{file.name}"
        self.folder = file.parent
        self.store = ox.Store()
        self.store.load(path=str(file), format=ox.RdfFormat.TURTLE, base_iri=self.base)

    def values(self, subject: Any, predicate: str) -> list[Any]:
        return [quad.object for quad in self.store.quads_for_pattern(subject, ox.NamedNode(predicate), None)]

    def value(self, subject: Any, predicate: str) -> Any:
        return next(iter(self.values(subject, predicate)), None)

    def text(self, subject: Any, predicate: str) -> str:
        found = self.value(subject, predicate)
        return "" if found is None else found.value

    def items(self, head: Any) -> Iterator[Any]:
        while head is not None and head.value != RDF + "nil":
            yield self.value(head, RDF + "first")
            head = self.value(head, RDF + "rest")

    def tests(self, kind: str) -> dict[str, Any]:
        found = self.store.quads_for_pattern(None, ox.NamedNode(RDF + "type"), ox.NamedNode(MF + kind))
        return {quad.subject.value.rpartition("#")[2].rpartition("/")[2]: quad.subject for quad in found}

    def file(self, node: Any) -> Path:
        return self.folder / node.value.rpartition("/")[2]


# The protocol.

FOLDER = present("sparql11")
PROTOCOL = Manifest(FOLDER / "protocol" / "manifest.ttl") if FOLDER else None
CASES = sorted(PROTOCOL.tests("ProtocolTest")) if PROTOCOL else []
NO_UPDATE = pytest.mark.xfail(strict=True, reason="what the dataset holds changes by submitting documents only")


def _cases() -> list[Any]:
    # Updates are refused, also those that should succeed.
    return [pytest.param(name, marks=NO_UPDATE if name.startswith("update_") else ()) for name in CASES]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """The endpoint of a public dataset that has the graphs of the suite under their names."""
    corpus("sparql11")
    with Store.open(Settings(data=tmp_path_factory.mktemp("data"), workers=1, query_workers=1)) as store:
        view = store.view(Quads)
        with view._writing(PUBLIC) as opened:
            for number in (1, 2, 3):
                graph = ox.NamedNode(f"http://kasei.us/2009/09/sparql/data/data{number}.rdf")
                data = corpus("sparql11") / "protocol" / f"data{number}.nt"
                opened.store.load(path=str(data), format=ox.RdfFormat.N_TRIPLES, to_graph=graph)
        yield create_app(store).test_client()


def test_the_protocol_suite_is_complete() -> None:
    corpus("sparql11")
    assert len(CASES) >= 30


@pytest.mark.parametrize("name", _cases())
def test_protocol(client: FlaskClient, name: str) -> None:
    assert PROTOCOL is not None
    case = PROTOCOL.tests("ProtocolTest")[name]
    for request in PROTOCOL.items(PROTOCOL.value(PROTOCOL.value(case, MF + "action"), HT + "requests")):
        answer = _send(client, PROTOCOL, request)
        expected = PROTOCOL.value(request, HT + "resp")
        statuses = [status.value[-3:] for status in PROTOCOL.values(expected, MF + "expectedStatus")]
        assert f"{answer.status_code // 100}xx" in statuses, (answer.status_code, answer.text)
        boolean = PROTOCOL.text(expected, MF + "expectedBoolean")
        if boolean:
            assert answer.get_json()["boolean"] is (boolean == "true")
        form = PROTOCOL.text(expected, MF + "expectedFormat")
        if form == "tabular":
            assert answer.mimetype == "application/sparql-results+json"
        elif form == "RDF":
            assert ox.RdfFormat.from_media_type(answer.mimetype) is not None


def _send(client: FlaskClient, manifest: Manifest, request: Any) -> Any:
    path = re.sub(r"^/(sparql|update)/?", "/sparql", manifest.text(request, HT + "absolutePath"))
    headers = {
        manifest.text(header, HT + "fieldName"): manifest.text(header, HT + "fieldValue")
        for header in manifest.items(manifest.value(request, HT + "headers"))
    }
    body = manifest.value(request, HT + "body")
    content = "http://www.w3.org/2011/content#"
    data = b""
    if body is not None:
        encoding = manifest.text(body, content + "characterEncoding") or "utf-8"
        data = manifest.text(body, content + "chars").encode(encoding)
    return client.open(path, method=manifest.text(request, HT + "methodName"), headers=headers, data=data)


# Queries, through a worker on a checkpoint, against the engine on a store in memory.

SUITES = ("aggregates", "exists", "negation", "property-path")


def _queries() -> list[tuple[str, str]]:
    if FOLDER is None:
        return []
    return [
        (suite, name)
        for suite in SUITES
        for name in sorted(Manifest(FOLDER / suite / "manifest.ttl").tests("QueryEvaluationTest"))
    ]


def test_the_query_suites_are_complete() -> None:
    corpus("sparql11")
    assert len(_queries()) >= 80


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    return {suite: Manifest(corpus("sparql11") / suite / "manifest.ttl") for suite in SUITES}


@pytest.fixture(scope="module")
def view(client: FlaskClient) -> Quads:
    """The view behind the endpoint."""
    found: Quads = client.application.extensions["provrepo"].view(Quads)
    return found


@pytest.mark.parametrize(("suite", "name"), _queries())
def test_a_query_has_the_answer_of_the_engine(
    view: Quads, client: FlaskClient, manifests: dict[str, Manifest], suite: str, name: str
) -> None:
    manifest = manifests[suite]
    action = manifest.value(manifest.tests("QueryEvaluationTest")[name], MF + "action")
    text = manifest.file(manifest.value(action, QT + "query")).read_text("utf-8")
    plain = ox.Store()
    for data in manifest.values(action, QT + "data"):
        plain.load(path=str(manifest.file(data)), format=_format(manifest.file(data)), base_iri=data.value)
    for data in manifest.values(action, QT + "graphData"):
        plain.load(
            path=str(manifest.file(data)), format=_format(manifest.file(data)), base_iri=data.value, to_graph=data
        )
    expected = from_pyoxigraph(plain.query(text, base_iri=manifest.base, prefixes=dict(PREDECLARED)))
    expected.variables = ordered(text, expected.variables)  # SPARQL gives those of SELECT * no order
    with view._writing("suite") as opened:
        opened.store.clear()
        opened.store.extend(list(plain))
    assert canonical(view.query("suite", SparqlQuery(text, manifest.base))) == canonical(expected)


def _format(path: Path) -> ox.RdfFormat:
    return {".rdf": ox.RdfFormat.RDF_XML, ".nt": ox.RdfFormat.N_TRIPLES}.get(path.suffix, ox.RdfFormat.TURTLE)


def canonical(result: QueryResult) -> tuple[object, ...]:
    """An answer with sorted rows, since only ORDER BY defines their order, and with sorted parts of GROUP_CONCAT."""

    def term(value: Any) -> str:
        text = repr(value)
        return "".join(sorted(text)) if "," in text or " " in text else text

    rows = Counter(tuple(sorted((name, term(value)) for name, value in row.items())) for row in result.rows)
    return result.kind, result.variables, result.boolean, rows, Counter(map(repr, result.triples))
