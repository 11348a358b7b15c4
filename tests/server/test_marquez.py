"""Marquez's lineage: its names, its shape, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Busy
from provrepo.server.marquez.iris import Name, name_of, readings
from tests.support.paths import ROOT
from tests.support.sampling import examples
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
UUID = "6c3e9d2a-0a4f-4a53-9a8e-111111111111"
MORE = f"""
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix schema: <http://schema.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <{EX}> .
<urn:uuid:{UUID}> a prov:Activity ; prov:used ex:table ; schema:actionStatus schema:FailedActionStatus ;
    prov:startedAtTime "2025-03-02T10:00:00"^^xsd:dateTime ; prov:wasAssociatedWith ex:ada .
ex:plot a prov:Entity ; prov:wasGeneratedBy <urn:uuid:{UUID}> ; prov:wasDerivedFrom ex:table .
ex:paper a prov:Entity ; prov:wasDerivedFrom ex:plot .
ex:other a prov:Activity ; prov:used ex:raw .
<s3://bucket/path/to/table> a prov:Entity ; prov:wasDerivedFrom ex:paper .
"""

STRING, NUMBER, TIME = str, (int, float), "a time"
DATASET: dict[str, Any] = {
    "id": {"namespace": STRING, "name": STRING},
    "type": STRING,
    "name": STRING,
    "physicalName": STRING,
    "createdAt": TIME,
    "updatedAt": TIME,
    "namespace": STRING,
    "sourceName": STRING,
    "fields": [],
    "tags": [],
    "lastModifiedAt": (TIME, None),
    "lastLifecycleState": (STRING, None),
    "description": (STRING, None),
    "facets": {},
    "deleted": bool,
    "iri": STRING,
}
RUN: dict[str, Any] = {
    "id": STRING,
    "createdAt": TIME,
    "updatedAt": TIME,
    "nominalStartTime": (TIME, None),
    "nominalEndTime": (TIME, None),
    "state": (STRING, None),
    "startedAt": (TIME, None),
    "endedAt": (TIME, None),
    "durationMs": (NUMBER, None),
    "args": {},
    "jobVersion": None,
    "facets": {},
}
JOB: dict[str, Any] = {
    "id": {"namespace": STRING, "name": STRING},
    "type": STRING,
    "name": STRING,
    "simpleName": STRING,
    "parentJobName": (STRING, None),
    "parentJobUuid": (STRING, None),
    "createdAt": TIME,
    "updatedAt": TIME,
    "namespace": STRING,
    "inputs": [{"namespace": STRING, "name": STRING}],
    "outputs": [{"namespace": STRING, "name": STRING}],
    "location": (STRING, None),
    "description": (STRING, None),
    "latestRun": (RUN, None),
    "latestRuns": [RUN],
    "tags": [],
    "facets": {},
    "iri": STRING,
}
EDGE = {"origin": STRING, "destination": STRING}
"""What Marquez's description of its API and its web client's types say of each field, written down by hand."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("marquez")) as found:
        found.owner.submit(MORE.encode(), project="open", name="more", format="turtle")
        secret = b"document\nprefix ex <https://example.org/>\nwasDerivedFrom(ex:hidden, ex:table)\nendDocument"
        found.submit("hidden", secret, project="secret")
        yield found


def _ask(site: Site, node_id: str, **more: Any) -> dict[str, Any]:
    headers = more.pop("headers", {})
    answer = site.client.get("/api/v1/lineage", query_string={"nodeId": node_id, **more}, headers=headers)
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.data
    body: dict[str, Any] = answer.get_json()
    return body


def _nodes(body: dict[str, Any]) -> dict[str, Any]:
    return {node["id"]: node for node in body["graph"]}


def _edges(body: dict[str, Any]) -> set[tuple[str, str]]:
    def short(node_id: str) -> str:
        return node_id.replace(EX, "")

    out = {(short(e["origin"]), short(e["destination"])) for node in body["graph"] for e in node["outEdges"]}
    in_ = {(short(e["origin"]), short(e["destination"])) for node in body["graph"] for e in node["inEdges"]}
    assert out == in_, "every edge is told at both of its ends"
    return out


def _fits(value: Any, kind: Any, place: str) -> None:
    if isinstance(kind, tuple) and kind is not NUMBER:
        if value is None and None in kind:
            return
        kind = kind[0]
    if isinstance(kind, dict):
        assert isinstance(value, dict), place
        if kind:
            assert set(value) == set(kind), place
        for name, inner in kind.items():
            _fits(value[name], inner, f"{place}.{name}")
    elif isinstance(kind, list):
        assert isinstance(value, list), place
        for item in value:
            _fits(item, kind[0], place)
    elif kind is None:
        assert value is None, place
    elif kind is TIME:
        assert isinstance(value, str), place
        assert value[10] == "T", place
        assert value.endswith("Z"), place
    else:
        assert isinstance(value, kind), place


# The shape


def test_every_field_is_there(site: Site) -> None:
    body = _ask(site, f"dataset:{EX}:table")
    assert len(body["graph"]) == 7
    for node in body["graph"]:
        assert set(node) == {"id", "type", "data", "inEdges", "outEdges"}
        _fits(node["data"], {"JOB": JOB, "DATASET": DATASET}[node["type"]], node["id"])
        _fits(node["inEdges"] + node["outEdges"], [EDGE], node["id"])
        type_ = {"BATCH": "job", "DB_TABLE": "dataset"}[node["data"]["type"]]
        assert node["id"] == f"{type_}:{node['data']['namespace']}:{node['data']['name']}"
        assert node["data"]["id"] == {key: node["data"][key] for key in ("namespace", "name")}
    assert [node["id"] for node in body["graph"]] == sorted(node["id"] for node in body["graph"])


def test_what_flows_where(site: Site) -> None:
    body = _ask(site, f"dataset:{EX}:table")
    job = f"job:urn:uuid:{UUID}"
    assert _edges(body) == {
        ("dataset::raw", "job::run"),
        ("job::run", "dataset::table"),
        ("dataset::table", job),
        (job, "dataset::plot"),
        ("dataset::plot", "dataset::paper"),
        ("dataset::paper", "dataset:s3://bucket/path/to/:table"),
    }
    assert body["provrepo"]["truncated"] is False
    run = _nodes(body)[f"job:{EX}:run"]["data"]
    assert (run["inputs"], run["outputs"]) == (
        [{"namespace": EX, "name": "raw"}],
        [{"namespace": EX, "name": "table"}],
    )
    assert b"ada" not in site.client.get(f"/api/v1/lineage?nodeId=dataset:{EX}:table").data


def _reached(nodes: dict[str, Any], start: str, edges: str, end: str) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [edge[end] for edge in nodes[node][edges]]
    return found


@pytest.mark.parametrize("start", [f"dataset:{EX}:table", f"job:{EX}:run", f"dataset:{EX}:paper"])
def test_the_web_client_reaches_every_node_from_the_one_it_asked_for(site: Site, start: str) -> None:
    nodes = _nodes(_ask(site, start))
    upstream = _reached(nodes, start, "inEdges", "origin")
    assert upstream | _reached(nodes, start, "outEdges", "destination") == set(nodes)


def test_times_and_states(site: Site) -> None:
    nodes = _nodes(_ask(site, f"dataset:{EX}:table"))
    run = nodes[f"job:{EX}:run"]["data"]["latestRun"]
    assert (run["startedAt"], run["endedAt"]) == ("2025-03-01T10:00:00Z", "2025-03-01T10:05:00Z")
    assert (run["durationMs"], run["state"]) == (300_000, "COMPLETED")
    failed = nodes[f"job:urn:uuid:{UUID}"]["data"]["latestRun"]
    assert (failed["id"], failed["state"]) == (UUID, "FAILED")
    assert (failed["startedAt"], failed["durationMs"]) == (None, None), "a time without a zone is no moment"
    table = nodes[f"dataset:{EX}:table"]["data"]
    assert table["lastModifiedAt"] == "2025-03-01T10:04:00Z"
    assert table["description"] == "harvest <b>2025</b>"
    times = [site.owner.version("open", name).time for name in ("run", "twice", "more")]
    assert (table["createdAt"], table["updatedAt"]) == (min(times), max(times))
    other = _ask(site, f"job:{EX}:other")
    assert _nodes(other)[f"job:{EX}:other"]["data"]["latestRun"] is None


# Depth and limit


def test_depth_counts_jobs(site: Site) -> None:
    def told(node_id: str, depth: int) -> set[str]:
        return {node.replace(EX, "") for node in _nodes(_ask(site, node_id, depth=depth))}

    assert told(f"job:{EX}:run", 0) == {"job::run", "dataset::raw", "dataset::table"}
    one = told(f"job:{EX}:run", 1)
    assert f"job:urn:uuid:{UUID}" in one
    assert "dataset::plot" in one
    assert told(f"dataset:{EX}:raw", 0) >= {"dataset::raw", "job::run", "job::other", "dataset::table"}
    assert _ask(site, f"job:{EX}:run", depth=0)["provrepo"]["beyond"] > 0


def test_truncation_is_said_and_edges_lead_to_nodes_that_are_told(site: Site) -> None:
    body = _ask(site, f"dataset:{EX}:table", limit=3)
    assert body["provrepo"]["truncated"] is True
    assert body["provrepo"]["total_nodes"] > len(body["graph"])
    ids = set(_nodes(body))
    assert {end for node in body["graph"] for e in node["inEdges"] + node["outEdges"] for end in e.values()} <= ids


# Names


def test_the_forms_of_a_node_id(site: Site) -> None:
    canonical = _ask(site, "dataset:s3://bucket/path/to/:table")
    assert _nodes(canonical).keys() == _nodes(_ask(site, "dataset:s3://bucket/path/to/table")).keys()
    asked = _nodes(_ask(site, "dataset:s3://bucket:path/to/table"))
    node = asked["dataset:s3://bucket:path/to/table"]
    assert node["data"]["id"] == {"namespace": "s3://bucket", "name": "path/to/table"}
    assert node["inEdges"] == [{"origin": f"dataset:{EX}:paper", "destination": "dataset:s3://bucket:path/to/table"}]
    assert f"job:urn:uuid:{UUID}" in _nodes(_ask(site, f"job:urn:uuid:{UUID}"))


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("https://lab.example/data#table", Name("https://lab.example/data#", "table")),
        ("https://lab.example/a/b:c", Name("https://lab.example/a/", "b:c")),
        ("https://lab.example/", Name("https://", "lab.example/")),
        ("https://lab.example/a/", Name("https://lab.example/", "a/")),
        ("https://lab.example/a#", Name("https://lab.example/", "a#")),
        ("ni:///sha-256;Abc", Name("ni:///", "sha-256;Abc")),
        (f"urn:uuid:{UUID}#step-1", Name(f"urn:uuid:{UUID}#", "step-1")),
        ("urn:isbn:123", Name("urn:isbn", "123")),
    ],
)
def test_names(iri: str, name: Name) -> None:
    assert name_of(iri) == name
    assert readings(name.id("DATASET"))[1][0] == (iri, name)


@given(st.text(alphabet="a:/#é%", max_size=12).map("x:".__add__))
@settings(max_examples=examples(500), deadline=None)
def test_every_iri_has_a_name_that_leads_back_to_it(iri: str) -> None:
    if is_iri(iri):
        type_, found = readings(name_of(iri).id("JOB"))
        assert (type_, found[0].iri, found[0].name) == ("JOB", iri, name_of(iri))


def test_openlineage_names() -> None:
    assert [reading.iri for reading in readings("dataset:postgres://h:5432:db.public.t")[1]][-1] == (
        "postgres://h:5432/db.public.t"
    )


# Errors, and who may see what


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("nodeId=", 400),
        ("nodeId=nonsense", 400),
        ("nodeId=run:6c3e", 400),
        ("nodeId=dataset:", 404),
        ("nodeId=dataset::::", 404),
        ("nodeId=dataset:food_delivery:public.orders", 404),
        (f"nodeId=dataset:{EX}:none", 404),
        (f"nodeId=job:{EX}:table", 404),
        (f"nodeId=dataset:{EX}:run", 404),
        (f"nodeId=dataset:{EX}:ada", 404),
        (f"nodeId=dataset:{EX}:hidden", 404),
        (f"nodeId=dataset:{EX}:table&depth=-1", 400),
        (f"nodeId=dataset:{EX}:table&depth=x", 400),
        (f"nodeId=dataset:{EX}:table&depth=99999999", 400),
        (f"nodeId=dataset:{EX}:table&limit=0", 400),
        ("nodeId=dataset:%0d%0aSet-Cookie:a", 404),
        ("nodeId=dataset:https://example.org/:%3E%7D%20UNION%20%7B", 404),
        ("nodeId=dataset:" + "a:" * 3000, 404),
    ],
    ids=lambda value: str(value)[:60],
)
def test_errors_have_marquez_shape(site: Site, query: str, status: int) -> None:
    answer = site.client.get(f"/api/v1/lineage?{query}", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    body = answer.get_json()
    assert set(body) == {"code", "message"}
    assert body["code"] == status
    assert body["message"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_bad_token_is_said_in_the_same_shape(site: Site) -> None:
    answer = site.client.get(f"/api/v1/lineage?nodeId=dataset:{EX}:table", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
    assert answer.get_json()["code"] == 401
    assert "WWW-Authenticate" in answer.headers


def test_a_busy_server_says_so_in_the_same_shape(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        raise Busy("as many queries are running as this server allows")

    monkeypatch.setattr("provrepo.server.queries.running.query_slot", busy)
    answer = site.client.get(f"/api/v1/lineage?nodeId=dataset:{EX}:table")
    assert (answer.status_code, answer.get_json()["code"]) == (503, 503)
    assert answer.headers["Retry-After"] == "1"


def test_private_projects_show_only_to_those_who_may_read_them(site: Site) -> None:
    assert b"hidden" not in site.client.get(f"/api/v1/lineage?nodeId=dataset:{EX}:table").data
    assert f"dataset:{EX}:hidden" in _nodes(_ask(site, f"dataset:{EX}:table", headers=site.auth("all")))
    private, unknown = (
        site.client.get(f"/api/v1/lineage?nodeId=dataset:{EX}:{name}").get_json()["message"] for name in ("hidden", "x")
    )
    assert private.replace("hidden", "x") == unknown


def test_head_caching_and_other_sites(site: Site) -> None:
    path = f"/api/v1/lineage?nodeId=dataset:{EX}:table"
    answer = site.client.get(path, headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert site.client.head(path).headers["ETag"] == answer.headers["ETag"]
    assert site.client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert site.client.put(path).status_code == 405


def test_the_page_of_the_reference_shows_what_is(site: Site) -> None:
    page = (ROOT / "docs" / "reference" / "marquez.md").read_text("utf-8")
    for field in {*DATASET, *JOB, *RUN} - {"fields", "nominalStartTime", "nominalEndTime", "parentJobUuid"}:
        if field not in {"lastLifecycleState", "deleted"}:
            assert f"`{field}`" in page or f".{field}`" in page, field
