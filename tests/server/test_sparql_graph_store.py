"""The W3C cases of the SPARQL 1.1 Graph Store Protocol: their read requests.

What a case puts is submitted as a document instead, and its graph is then that of the version: read by its name through
``/graphs?graph=`` (indirect identification), or at its own address (direct identification).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest

from provrepo.errors import Withdrawn
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.corpus import corpus, present
from tests.views.test_sparql_w3c import HT, MF, Manifest

FOLDER = present("sparql11")
MANIFESTS = {
    name: Manifest(FOLDER / "graph-store-protocol" / f"manifest-{name}.ttl") if FOLDER else None
    for name in ("direct", "indirect")
}
CASES = {
    name: (manifest, case)
    for manifest in MANIFESTS.values()
    if manifest is not None
    for name, case in sorted(manifest.tests("GraphStoreProtocolTest").items())
}
MERGES = "a graph is what one version asserts: nothing is added to it by POST"
NAMES = "the repository names its graphs, clients do not"
WRITING = {
    "post_get_post_get_direct": MERGES,
    "post_get_post_get_indirect": MERGES,
    "put_get_uri_pct_encoded_indirect": NAMES,
    "put_get_uri_pct_encoded_twice": NAMES,
}
"""Cases that consist of writes by the protocol, with the reason why they are not supported."""

BASE = "http://www.example/gsp/person/1.ttl"


@dataclass
class Played:
    """A running case: its project, and the documents that stand for its graphs."""

    store: Store
    project: str
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.owner = Repository(self.store, self.store.owner())
        self.owner.create_project(self.project, public=True)
        self.client = create_app(self.store).test_client()

    def write(self, method: str, target: str, data: bytes) -> None:
        """Apply a write of the case to the document that stands for the graph."""
        name = self.names.setdefault(target, f"d{len(self.names)}")
        if method == "DELETE":
            with suppress(Withdrawn):
                self.owner.withdraw(self.project, name, reason="the case deletes it")
        else:
            self.owner.submit(
                data, project=self.project, name=name, format="turtle", base=BASE, update=True, allow_empty=True
            )

    def read(self, method: str, target: str, headers: dict[str, str]) -> Any:
        where, query = f"/projects/{self.project}/graphs", {"graph": "urn:nobody"}
        direct = not target.partition("?")[2]
        if target.endswith("?default"):
            query = {"default": ""}
        elif name := self.names.get(target):
            where = f"/projects/{self.project}/documents/{name}" if direct else where
            query = {} if direct else {"graph": self.owner.history(self.project, name)[-1].iri}
        elif direct:
            where, query = f"/projects/{self.project}/documents/nobody", {}
        return self.client.open(where, method=method, query_string=query, headers=headers)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(Settings(data=tmp_path_factory.mktemp("data"), workers=1, query_workers=1)) as store:
        yield store


def test_the_suite_is_complete() -> None:
    corpus("sparql11")
    assert len(CASES) == 14
    assert set(WRITING) < set(CASES)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=WRITING[name]) if name in WRITING else ())
        for name in CASES
    ],
)
def test_reading(store: Store, name: str) -> None:
    manifest, case = CASES[name]
    played = Played(store, name.replace("_", "-"))
    reads = 0
    for request in manifest.items(manifest.value(manifest.value(case, MF + "action"), HT + "requests")):
        method, target = manifest.text(request, HT + "methodName"), manifest.text(request, HT + "absolutePath")
        headers = _headers(manifest, request)
        if method in ("GET", "HEAD"):
            reads += 1
            # What a case creates without naming it is read under the name that it was given.
            answer = played.read(method, target.replace("/gsp?graph=$LOCATION$", "/gsp"), headers)
        elif name in WRITING:
            query = parse_qs(urlsplit(target).query, keep_blank_values=True)
            answer = played.client.open(
                f"/projects/{played.project}/graphs", method=method, query_string=query, data=_body(manifest, request)
            )
        else:
            played.write(method, target, _body(manifest, request))
            continue
        _check(manifest, manifest.value(request, HT + "resp"), answer)
    assert reads


def _headers(manifest: Manifest, node: Any) -> dict[str, str]:
    return {
        manifest.text(header, HT + "fieldName"): manifest.text(header, HT + "fieldValue")
        for header in manifest.items(manifest.value(node, HT + "headers"))
    }


def _body(manifest: Manifest, node: Any) -> bytes:
    body = manifest.value(node, HT + "body")
    return b"" if body is None else manifest.text(body, "http://www.w3.org/2011/content#chars").encode()


STATUS = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404}


def _check(manifest: Manifest, expected: Any, answer: Any) -> None:
    statuses = {STATUS[status.value.rpartition("#")[2]] for status in manifest.values(expected, MF + "expectedStatus")}
    # A withdrawn document is 410, a permanent 404 (RFC 9110, section 15.5.11).
    assert (404 if answer.status_code == 410 else answer.status_code) in statuses, answer.text
    if manifest.value(expected, HT + "body") is not None:
        assert re.match(r"text/turtle\b", answer.headers["Content-Type"])
        assert _canonical(answer.data) == _canonical(_body(manifest, expected))


def _canonical(data: bytes) -> set[str]:
    text = data.decode()
    # In the default graph blank nodes have become IRIs, which mean the same (RDF 1.1 Concepts, section 3.5).
    text = re.sub(r"<urn:uuid:([^>]*)>", r"_:\1", text)
    graph = ox.Dataset(ox.parse(text, ox.RdfFormat.TURTLE, base_iri=BASE))
    graph.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return {str(quad) for quad in graph}
