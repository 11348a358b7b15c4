"""Queries on one version in its original graphs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import NotFound, QueryError, TimedOut, Withdrawn
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from provrepo.views.sparql import version as quads_version
from provrepo.views.sparql.query import SparqlQuery
from tests.support.command import Command
from tests.support.serving import BROWSER, Site, opened

BUNDLED = b"""document
  prefix e <https://example.org/>
  entity(e:top, [e:count="007" %% xsd:integer])
  used(e:run, e:raw, -)
  bundle e:b entity(e:inner) endBundle
endDocument"""
TRIG = b"""@prefix e: <https://example.org/> .
e:run e:unknownToProv [ e:says "x"@EN ] .
e:b { e:inner e:alsoUnknown e:other . }
"""
GRAPHS = "SELECT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
RUNAWAY = (
    "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?x{n} {{ {' '.join(map(str, range(99)))} }}" for n in range(8))
    + " }"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.submit(BUNDLED, project="open", name="bundled", format="provn")
        site.owner.submit(TRIG, project="open", name="other", format="trig", allow_empty=True)
        yield site


def address(name: str, version: int = 1, project: str = "open") -> str:
    return f"/projects/{project}/documents/{name}/versions/{version}/sparql"


def test_bundles_are_found_under_their_own_names(site: Site) -> None:
    found = site.owner.query_version("open", "bundled", 1, GRAPHS)
    assert [row["g"] for row in found] == ["https://example.org/b"]
    inner = "ASK { GRAPH <https://example.org/b> { <https://example.org/inner> a prov:Entity } }"
    assert site.owner.query_version("open", "bundled", 1, inner).boolean is True
    assert site.owner.query_version("open", "bundled", 1, "ASK { <https://example.org/inner> ?p ?o }").boolean is False


def test_a_version_has_no_completion(site: Site) -> None:
    used = "ASK { ?run prov:used ?raw }"
    assert site.owner.query_version("open", "bundled", 1, used).boolean is True
    # The used thing is an entity by completion only.
    follows = "ASK { <https://example.org/raw> a prov:Entity }"
    assert site.owner.query(follows, project="open").boolean is True
    assert site.owner.query_version("open", "bundled", 1, follows).boolean is False


def test_an_rdf_source_has_exactly_its_triples(site: Site) -> None:
    found = site.owner.query_version("open", "other", 1, "SELECT ?s ?p ?o { ?s ?p ?o }")
    assert {str(row["p"]) for row in found} == {f"https://example.org/{name}" for name in ("unknownToProv", "says")}
    assert any(str(row["o"]).startswith("_:") for row in found)


def test_values_are_compared_by_value(site: Site) -> None:
    query = "SELECT ?n { ?s <https://example.org/count> ?n FILTER(?n = 7) }"
    assert len(site.owner.query_version("open", "bundled", 1, query)) == 1


def test_each_version_is_queried_alone(site: Site) -> None:
    derived = "ASK { ?a prov:wasDerivedFrom ?b }"
    assert site.owner.query_version("open", "twice", 1, derived).boolean is False
    assert site.owner.query_version("open", "twice", 2, derived).boolean is True


def test_the_protocol_and_the_query_select_graphs(site: Site) -> None:
    chosen = {"query": "ASK { <https://example.org/inner> a prov:Entity }"}
    graph = {"default-graph-uri": "https://example.org/b"}
    assert site.client.get(address("bundled"), query_string=chosen).get_json()["boolean"] is False
    assert site.client.get(address("bundled"), query_string=chosen | graph).get_json()["boolean"] is True
    inside = {"query": "ASK FROM <https://example.org/b> { <https://example.org/inner> a prov:Entity }"}
    assert site.client.post(address("bundled"), data=inside).get_json()["boolean"] is True


def test_every_form_of_request(site: Site) -> None:
    query = "SELECT ?s { ?s a prov:Entity }"
    path = address("bundled")
    answers = [
        site.client.get(path, query_string={"query": query}),
        site.client.post(path, data={"query": query}),
        site.client.post(path, data=query, content_type="application/sparql-query"),
    ]
    assert [answer.get_json()["results"]["bindings"] for answer in answers] == [
        [{"s": {"type": "uri", "value": "https://example.org/top"}}]
    ] * 3
    assert answers[0].headers["Access-Control-Allow-Origin"] == "*"
    assert site.client.get(path, query_string={"query": query, "format": "csv"}).text.splitlines()[0] == "s"
    page = site.client.get(path, query_string={"query": query}, headers={"Accept": BROWSER})
    assert "https://example.org/top" in page.text
    assert f'action="{path}"' in page.text
    described = site.client.get(path, headers={"Accept": "text/turtle"})
    assert "sd:Service" in described.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (address("gone"), 410),
        (address("run", 9), 404),
        (address("none"), 404),
        (address("run", project="secret"), 404),
        ("/projects/open/documents/run/versions/first/sparql", 404),
    ],
)
def test_unknown_versions(site: Site, path: str, status: int) -> None:
    answer = site.client.post(path, data={"query": "ASK {}"})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["SELECT * {", "INSERT DATA { <urn:a> <urn:b> <urn:c> }", "ASK { SERVICE <http://127.0.0.1:1/> {} }"]
)
def test_the_guard_applies(site: Site, query: str) -> None:
    assert site.client.post(address("run"), data={"query": query}).status_code == 400
    with pytest.raises(QueryError):
        site.owner.query_version("open", "run", 1, query)


def test_the_deadline_applies(site: Site) -> None:
    with pytest.raises(TimedOut, match=r"longer than 0\.5 s"):
        site.owner.query_version("open", "run", 1, RUNAWAY, timeout=0.5)
    assert site.client.post(address("run"), data={"query": RUNAWAY, "timeout": "0.5"}).status_code == 503


def test_an_erased_version_cannot_be_queried(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        ask = {"query": "ASK { ?s ?p ?o }"}
        assert site.client.get(address("twice"), query_string=ask).status_code == 200
        site.owner.erase("open", "twice", 1, reason="the law")
        assert site.client.get(address("twice"), query_string=ask).status_code == 410
        assert site.client.get(address("twice", 2), query_string=ask).status_code == 200
        with pytest.raises(Withdrawn):
            site.owner.query_version("open", "twice", 1, "ASK {}")
        with pytest.raises(NotFound):
            Repository(site.store, site.store.anonymous()).query_version("secret", "run", 1, "ASK {}")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """The versions that a worker has read, in order."""
    seen: list[bytes] = []
    load = quads_version.load

    def counted(data: bytes, format: str, base: str | None) -> Any:  # noqa: A002
        seen.append(data)
        return load(data, format, base)

    monkeypatch.setattr(quads_version, "load", counted)
    monkeypatch.setattr(quads_version, "read_blob", Path.read_bytes)  # the files have no digests for names
    quads_version._stores.clear()
    yield seen
    quads_version._stores.clear()


def _triples(file: Path, base: str | None = None) -> int:
    query = SparqlQuery("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").to_dict()
    reply = quads_version.run(
        source=str(file), format="turtle", base=base, query=query, rows=9, size=9999, spool=str(file) + ".out"
    )
    return int(json.loads(reply["text"])["results"]["bindings"][0]["n"]["value"])


def test_a_worker_reads_a_version_once(tmp_path: Path, loads: list[bytes]) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_text("<urn:a> a <http://www.w3.org/ns/prov#Entity> .")
    two.write_text("<urn:a> a <http://www.w3.org/ns/prov#Entity> . <b> a <http://www.w3.org/ns/prov#Entity> .")
    base = "http://base.example/"
    assert [_triples(one), _triples(two, base), _triples(one), _triples(two, base)] == [1, 2, 1, 2]
    assert loads == [one.read_bytes(), two.read_bytes()]
    _triples(two, "http://another.example/")
    assert len(loads) == 3


def test_the_cache_of_a_worker_has_the_versions_used_last(
    tmp_path: Path, loads: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / str(number) for number in range(3)]
    for file in files:
        file.write_text(f"<urn:{file.name}> a <http://www.w3.org/ns/prov#Entity> .")
    size = len(files[0].read_bytes())
    monkeypatch.setattr(quads_version, "_CACHE_BYTES", 2 * size)
    for number in (0, 1, 0, 2, 0):
        _triples(files[number])
    assert [data[5:6] for data in loads] == [b"0", b"1", b"2"]
    _triples(files[1])
    assert len(loads) == 4
    # A version that is larger than the cache is read each time.
    monkeypatch.setattr(quads_version, "_CACHE_BYTES", size - 1)
    quads_version._stores.clear()
    _triples(files[0])
    _triples(files[0])
    assert len(loads) == 6
    assert not quads_version._stores


def test_an_erased_version_leaves_the_cache(tmp_path: Path, loads: list[bytes]) -> None:
    gone, other = tmp_path / "gone", tmp_path / "other"
    for file in (gone, other):
        file.write_text("<urn:a> a <http://www.w3.org/ns/prov#Entity> .")
    _triples(gone)
    gone.unlink()
    _triples(other)
    assert [key[0] for key in quads_version._stores] == [str(other)]


def test_a_long_answer_leaves_no_file(site: Site) -> None:
    query = "SELECT ?a ?b { BIND('" + "x" * 60_000 + "' AS ?a) BIND(CONCAT(?a, ?a, ?a, ?a, ?a) AS ?b) }"
    assert len(site.owner.query_version("open", "run", 1, query)) == 1
    assert list((site.store.settings.data / "spool").glob("*.in")) == []


def test_anonymous_clients_may_have_a_shorter_deadline(tmp_path: Path) -> None:
    settings = replace(Settings(data=tmp_path, workers=1, query_workers=1), query_timeout_public=0.4)
    with Store.open(settings) as store:
        owner = Repository(store, store.owner())
        owner.create_project("open", public=True)
        owner.submit(BUNDLED, project="open", name="run", format="provn")
        stranger = Repository(store, store.anonymous())
        for timeout in (None, 20):
            with pytest.raises(TimedOut, match=r"longer than 0\.4 s"):
                stranger.query(RUNAWAY, project="open", timeout=timeout)
        with pytest.raises(TimedOut, match=r"longer than 0\.4 s"):
            stranger.query_version("open", "run", 1, RUNAWAY)
        with pytest.raises(TimedOut, match=r"longer than 0\.2 s"):
            stranger.query(RUNAWAY, project="open", timeout=0.2)
        with pytest.raises(TimedOut, match=r"longer than 0\.8 s"):
            owner.query(RUNAWAY, project="open", timeout=0.8)


def test_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    (tmp_path / "run.provn").write_bytes(BUNDLED)
    command("submit", tmp_path / "run.provn", "--project", "crops")
    for reference in ("crops/run@1", "crops/run"):
        found = command("query", GRAPHS, "--version", reference, "--output", "csv")
        assert found.stdout.split() == ["g", "https://example.org/b"]
