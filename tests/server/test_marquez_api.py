"""Marquez's API for reading: every request of its web client, what that client needs, odd names, and rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from provrepo.repository.events.making import make_documents
from provrepo.server.marquez.intervals import bounds
from provrepo.server.marquez.nodes import item_of
from provrepo.views.openlineage.reading import Item, Name
from tests.support.openlineage_events import lines, run
from tests.support.paths import ROOT
from tests.support.serving import Site, opened

REQUESTS = (ROOT / "tests" / "cases" / "marquez" / "web-client-requests.txt").read_text("utf-8").splitlines()
"""What Marquez's web client asked for, in its order, each request once; values as they were sent."""

FOOD = "food_delivery"
WEEKLY = "ffba2c14-4170-48da-bec3-ab5fd4ec9a3f"
ODD = "0192aa00-0000-7000-8000-000000000001"
ODD_NAMES = [
    ("air/flow ü", "dag.task 1%"),
    ("s3://lab-bucket", "raw/a b+ü.csv"),
    ("postgres://db.lab:5432", "lab.public.plots:v2"),
    ("s3://x", "nodot"),
]


def side(namespace: str, name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def named(events: list[dict[str, Any]], run_id: str, namespace: str) -> list[dict[str, Any]]:
    for event in events:
        event["run"]["runId"] = run_id
        event["job"]["namespace"] = namespace
    return events


def columns(**sources: str) -> dict[str, Any]:
    told = {"type": "DIRECT", "subtype": "IDENTITY", "description": "copied"}
    return {
        "fields": {
            column: {
                "inputFields": [
                    {
                        "namespace": FOOD,
                        "name": source.rpartition("/")[0],
                        "field": source.rpartition("/")[2],
                        "transformations": [told],
                    }
                ]
            }
            for column, source in sources.items()
        }
    }


def schema(*names: str) -> dict[str, Any]:
    # A type that is no text makes the client fail.
    return {"fields": [{"name": name, "type": {"kind": "INT"} if name == "odd" else "INT"} for name in names]}


ORDERS = side(FOOD, "public.orders", schema=schema("id", "placed"))
WEEK = side(
    FOOD,
    "public.orders_7_days",
    schema=schema("order_id", "odd"),
    columnLineage=columns(order_id="public.orders/id", odd="public.elsewhere/x"),
)
DELIVERY = side(
    FOOD,
    "public.delivery_7_days",
    schema={"fields": [{"name": "order_id", "type": "INT", "fields": [{"name": "part", "description": "inner"}]}]},
    columnLineage=columns(order_id="public.orders_7_days/order_id"),
    documentation={"description": "All deliveries."},
    dataSource={"name": "food_db", "uri": "postgres://user:secret@food"},
    tags={"tags": [{"key": "pii", "value": "true"}, {"key": "team", "value": "food", "field": "order_id"}]},
    dataQualityAssertions={"assertions": [{"assertion": "not_null", "success": True, "column": "order_id"}]},
)

EVENTS = [
    *named(
        run(
            *(1, "etl_orders_7_days", "10:00", "10:05"),
            reads=[ORDERS],
            writes=[WEEK],
            facets={"nominalTime": {"nominalStartTime": "2026-11-20T10:00:00Z"}, "parent": {"job": {"name": "etl"}}},
            job_facets={
                "sql": {"query": "SELECT 1"},
                "documentation": {"description": "Weekly."},
                "sourceCodeLocation": {"url": "https://user:secret@lab.example/etl.py"},
            },
        ),
        WEEKLY,
        FOOD,
    ),
    *named(run(2, "etl_delivery_7_days", "11:00", "11:05", reads=[WEEK], writes=[DELIVERY]), "run-two", FOOD),
    *named(run(3, "plot", "12:00", "12:01", reads=[DELIVERY], state="FAIL"), "run-three", FOOD),
    *named(run(4, "stream", "13:00", None, reads=[DELIVERY]), "run-four", FOOD),
    *named(
        run(5, ODD_NAMES[0][1], "14:00", "14:01", reads=[side(*ODD_NAMES[1])], writes=[side(*ODD_NAMES[2])]),
        ODD,
        ODD_NAMES[0][0],
    ),
    {"eventTime": "2026-11-20T15:00:00Z", "dataset": side(*ODD_NAMES[3], schema=schema("a"))},
    {"eventTime": "2026-11-20T15:00:00Z", "job": {"namespace": FOOD, "name": "declared"}, "inputs": [ORDERS]},
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("marquez")) as found:
        found.owner.receive_events(EVENTS, project="open")
        make_documents(found.store, quiet=0, interval=0)
        hidden = named(
            run(7, "hidden", "10:00", "10:05", reads=[ORDERS], writes=[side("secret", "hidden")]), "s", "secret"
        )
        found.owner.receive_events(hidden, project="secret")
        make_documents(found.store, quiet=0, interval=0)
        yield found


def ask(site: Site, address: str, who: str = "", status: int = 200) -> Any:
    response = site.client.get(address, headers=site.auth(who))
    assert response.status_code == status, (address, response.data)
    assert response.mimetype == "application/json"
    return response.get_json()


def path(*parts: str) -> str:
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


# What the web client asks and needs (each "needs" is a page that is blank otherwise)


def _needs_names(found: dict[str, Any]) -> None:
    assert found["name"]
    assert found["id"] == {"namespace": found["namespace"], "name": found["name"]}
    assert isinstance(found["tags"], list)


def _needs_job(found: dict[str, Any]) -> None:
    _needs_names(found)
    assert found["latestRuns"] is None or len(found["latestRuns"]) > 0


def _needs_dataset(found: dict[str, Any]) -> None:
    _needs_names(found)
    for field in found["fields"]:
        assert isinstance(field["name"], str)
        assert isinstance(field["type"], str)
        assert isinstance(field["tags"], list)


def _needs(address: str, body: Any) -> None:
    route, _, query = address.removeprefix("/api/v1/").partition("?")
    parts = route.split("/")
    if parts[0] == "stats":
        assert len(body) == (7 if "WEEK" in query else 24)
        wanted = ("fail", "start", "complete", "abort") if parts[1] == "lineage-events" else ("count",)
        assert all(isinstance(each[name], int) for each in body for name in wanted)
        return
    if "totalCount" in body:
        (members,) = (value for value in body.values() if isinstance(value, list))
        assert body["totalCount"] >= len(members)
    if route == "jobs" or (len(parts) == 3 and parts[2] == "jobs"):
        for job in body["jobs"]:
            _needs_job(job)
    elif parts[-2:-1] == ["jobs"]:
        _needs_job(body)
    elif len(parts) == 3 and parts[2] == "datasets":
        for dataset in body["datasets"]:
            _needs_dataset(dataset)
    elif parts[-2:-1] == ["datasets"]:
        _needs_dataset(body)
    elif parts[-1] == "runs":
        assert all(each["id"] for each in body["runs"])
    elif parts[-1] == "facets":
        assert isinstance(body["facets"], dict)
    elif parts[-1] == "versions":
        assert all(isinstance(each["version"], str) and isinstance(each["fields"], list) for each in body["versions"])
    elif route == "events/lineage":
        assert all(each["run"]["runId"] and each["job"]["name"] for each in body["events"])
    elif route == "search":
        assert all(each["type"] in ("JOB", "DATASET") and each["namespace"] for each in body["results"])
    elif parts[-1] == "lineage":
        _needs_graph(body["graph"], query)
    elif route == "column-lineage":
        ids = {node["id"] for node in body["graph"]}
        ends = {edge["destination"] for node in body["graph"] for edge in node["inEdges"] + node["outEdges"]}
        assert ends <= ids
        assert all(node["id"] == f"datasetField:{_joined(node['data'])}" for node in body["graph"])
    else:
        assert route in ("namespaces", "tags"), route


def _joined(data: dict[str, Any]) -> str:
    return f"{data['namespace']}:{data['dataset']}:{data['field']}"


def _needs_graph(graph: list[dict[str, Any]], query: str) -> None:
    asked = query.partition("nodeId=")[2].partition("&")[0].split(":")
    assert ":".join(map(unquote, asked)) in {node["id"] for node in graph}
    for node in graph:
        (_needs_job if node["type"] == "JOB" else _needs_dataset)(node["data"])
        assert node["id"] == f"{node['type'].lower()}:{node['data']['namespace']}:{node['data']['name']}"
    ids = {node["id"] for node in graph}
    assert {end for node in graph for edge in node["inEdges"] + node["outEdges"] for end in edge.values()} <= ids


@pytest.mark.parametrize("line", REQUESTS)
def test_every_request_of_the_web_client_is_answered(site: Site, line: str) -> None:
    method, address = line.split(" ", 1)
    response = site.client.open(address, method=method)
    if method != "GET":
        assert response.status_code == 405, response.data
        assert "withdraw" in response.get_json()["detail"]
        assert "Allow" in response.headers
        return
    assert response.status_code == 200, response.data
    _needs(address, response.get_json())
    assert b"secret" not in response.data


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PUT", "/api/v1/tags/raw"),
        ("PUT", "/api/v1/namespaces/lab"),
        ("POST", f"/api/v1/namespaces/{FOOD}/datasets/x/fields/a%2Fb/tags/raw"),
        ("DELETE", f"/projects/open/api/v1/namespaces/{FOOD}/datasets/x/fields/a/tags/raw"),
    ],
)
def test_changes_are_refused_with_the_reason(site: Site, method: str, address: str) -> None:
    response = site.client.open(address, method=method, headers=site.auth("all"), json={"description": "x"})
    assert response.status_code == 405
    assert "POST /api/v1/lineage" in response.get_json()["detail"]


# What is in the answers


def test_a_job_and_its_runs(site: Site) -> None:
    job = ask(site, path("namespaces", FOOD, "jobs", "etl_orders_7_days"))
    assert (job["description"], job["location"]) == ("Weekly.", "https://lab.example/etl.py")
    assert (job["parentJobName"], job["type"]) == ("etl", "BATCH")
    assert job["inputs"] == [
        {"namespace": FOOD, "name": "public.elsewhere"},
        {"namespace": FOOD, "name": "public.orders"},
    ]
    assert job["outputs"] == [{"namespace": FOOD, "name": "public.orders_7_days"}]
    assert job["facets"]["sql"]["query"] == "SELECT 1"
    latest = job["latestRun"]
    assert (latest["id"], latest["state"], latest["durationMs"]) == (WEEKLY, "COMPLETED", 300_000)
    assert (latest["startedAt"], latest["endedAt"]) == ("2026-11-20T10:00:00.000000Z", "2026-11-20T10:05:00.000000Z")
    assert latest["nominalStartTime"] == "2026-11-20T10:00:00.000000Z"
    assert [each["datasetVersionId"]["version"] for each in latest["outputDatasetVersions"]] == [WEEKLY]
    assert ask(site, path("namespaces", FOOD, "jobs", "etl_orders_7_days", "runs"))["runs"] == [latest]
    assert ask(site, path("jobs", "runs", WEEKLY)) == latest
    assert set(ask(site, path("jobs", "runs", WEEKLY, "facets"))["facets"]) == {"nominalTime", "parent"}
    assert "sql" in ask(site, path("jobs", "runs", WEEKLY, "facets") + "?type=JOB")["facets"]
    declared = ask(site, path("namespaces", FOOD, "jobs", "declared"))
    assert (declared["latestRun"], declared["latestRuns"]) == (None, None)


def test_a_dataset_and_its_versions(site: Site) -> None:
    dataset = ask(site, path("namespaces", FOOD, "datasets", "public.delivery_7_days"))
    assert (dataset["description"], dataset["sourceName"]) == ("All deliveries.", "food_db")
    assert dataset["tags"] == ["pii"]
    assert dataset["fields"] == [
        {"name": "order_id", "type": "INT", "tags": ["team=food"], "description": None},
        {"name": "order_id.part", "type": "", "tags": [], "description": "inner"},
    ]
    assert dataset["columnLineage"][0]["inputFields"][0]["dataset"] == "public.orders_7_days"
    assert dataset["facets"]["dataQualityAssertions"]["assertions"][0]["success"] is True
    versions = ask(site, path("namespaces", FOOD, "datasets", "public.delivery_7_days", "versions"))["versions"]
    assert [each["version"] for each in versions] == ["run-two"]
    assert versions[0]["createdByRun"]["id"] == "run-two"
    assert dataset["currentVersion"] == "run-two"
    orders = ask(site, path("namespaces", FOOD, "datasets", "public.orders"))
    assert (orders["columnLineage"], orders["currentVersion"]) == (None, None)
    assert {each["name"] for each in ask(site, "/api/v1/tags")["tags"]} == {"pii", "team=food"}


def test_one_version_of_a_dataset(site: Site) -> None:
    address = f"/api/v1/namespaces/{FOOD}/datasets/public.delivery_7_days/versions"
    listed = site.client.get(address).get_json()["versions"]
    assert listed
    for version in listed:
        assert site.client.get(f"{address}/{quote(version['version'], safe='')}").get_json() == version
    missing = site.client.get(f"{address}/nothing")
    assert (missing.status_code, missing.get_json()) == (
        404,
        {"code": 404, "message": "Dataset version 'nothing' not found."},
    )


@pytest.mark.parametrize(
    ("address", "instead"),
    [
        (f"v1/namespaces/{FOOD}/jobs/etl_orders_7_days/versions", "type=job"),
        (f"v1/namespaces/{FOOD}/jobs/etl%2Forders/versions/0192aa00-0000-7000-8000-000000000001", "type=job"),
        ("v1/sources", "/api/v1/namespaces"),
        ("v1/sources/postgres%3A%2F%2Fdb", "dataSource"),
        ("v1/runlineage/upstream?runId=1", "/api/v1/lineage"),
        ("v2beta/search/jobs?q=x", "/api/v1/search"),
        ("v2beta/search/datasets?q=x", "/api/v1/search"),
    ],
)
def test_what_is_not_kept_is_named(site: Site, address: str, instead: str) -> None:
    for below in ("/api", "/projects/open/api"):
        answer = site.client.get(f"{below}/{address}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, 404)
        assert instead in answer.get_json()["message"]


def test_lists_are_paged_and_filtered(site: Site) -> None:
    every = ask(site, "/api/v1/jobs")
    assert every["totalCount"] == 6
    names = [job["name"] for job in every["jobs"]]
    assert names[:3] == ["declared", "dag.task 1%", "stream"]
    page = ask(site, "/api/v1/jobs?limit=2&offset=1")
    assert ([job["name"] for job in page["jobs"]], page["totalCount"]) == (names[1:3], 6)
    for state, wanted in (("FAILED", ["plot"]), ("RUNNING", ["stream"]), ("ABORTED", [])):
        found = ask(site, f"/api/v1/jobs?lastRunStates={state}")
        assert ([job["name"] for job in found["jobs"]], found["totalCount"]) == (wanted, len(wanted))
    assert ask(site, "/api/v1/namespaces/none/jobs") == {"jobs": [], "totalCount": 0}


def edges(body: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    def short(name: str) -> str:
        return name.removeprefix(f"datasetField:{FOOD}:").replace(f"{FOOD}:", "")

    return {(short(edge["origin"]), short(edge["destination"])) for node in body["graph"] for edge in node[kind]}


def test_lineage(site: Site) -> None:
    body = ask(site, f"/api/v1/lineage?nodeId=dataset:{FOOD}:public.orders_7_days&depth=0")
    assert edges(body, "outEdges") == {
        ("dataset:public.orders", "job:etl_orders_7_days"),
        ("dataset:public.elsewhere", "job:etl_orders_7_days"),
        ("job:etl_orders_7_days", "dataset:public.orders_7_days"),
        ("dataset:public.orders_7_days", "job:etl_delivery_7_days"),
        ("job:etl_delivery_7_days", "dataset:public.delivery_7_days"),
    }
    assert edges(body, "outEdges") == edges(body, "inEdges")
    assert "job:plot" in str(ask(site, f"/api/v1/lineage?nodeId=dataset:{FOOD}:public.orders&depth=2")).replace(
        f"{FOOD}:", ""
    )
    cut = ask(site, f"/api/v1/lineage?nodeId=dataset:{FOOD}:public.orders_7_days&limit=2")
    assert (len(cut["graph"]), cut["provrepo"]["truncated"]) == (2, True)


def test_column_lineage(site: Site) -> None:
    asked = f"/api/v1/column-lineage?nodeId=dataset:{FOOD}:public.orders_7_days"
    body = ask(site, f"{asked}&withDownstream=true")
    week, orders, delivery = "public.orders_7_days:order_id", "public.orders:id", "public.delivery_7_days:order_id"
    assert edges(body, "outEdges") == {
        (orders, week),
        ("public.elsewhere:x", "public.orders_7_days:odd"),
        (week, delivery),
    }
    assert edges(body, "inEdges") == {(target, origin) for origin, target in edges(body, "outEdges")}, "as Marquez"
    assert delivery not in {end for edge in edges(ask(site, asked), "outEdges") for end in edge}
    one = ask(site, f"/api/v1/column-lineage?nodeId=datasetField:{FOOD}:public.delivery_7_days:order_id&depth=1")
    assert edges(one, "outEdges") == {(week, delivery)}, "cut at the depth"
    data = next(node["data"] for node in one["graph"] if "delivery" in node["id"])
    assert (data["fieldType"], data["transformationType"], data["transformationDescription"]) == (
        *("INT", "IDENTITY"),
        "copied",
    )
    assert ask(site, "/api/v1/column-lineage?nodeId=dataset:none:none")["graph"] == []


def test_events_are_those_of_runs_by_time(site: Site) -> None:
    body = ask(site, "/api/v1/events/lineage")
    assert (body["totalCount"], body["provrepo"]["truncated"]) == (9, False)
    times = [event["eventTime"] for event in body["events"]]
    assert times == sorted(times, reverse=True)
    some = ask(site, "/api/v1/events/lineage?after=2026-11-20T10:05:00Z&before=2026-11-20T11:05:00Z&sortDirection=asc")
    assert [event["eventTime"][11:16] for event in some["events"]] == ["10:05", "11:00"], (
        "after counts, before does not"
    )
    assert some["totalCount"] == 2
    assert "secret" not in json.dumps(body)
    sent = next(event for event in EVENTS if event.get("run", {}).get("runId") == "run-three")
    assert next(event for event in body["events"] if event["run"]["runId"] == "run-three")["job"] == sent["job"]


def test_search(site: Site) -> None:
    found = ask(site, "/api/v1/search?q=ORDERS&sort=NAME&limit=100")
    assert [(each["type"], each["name"]) for each in found["results"]] == [
        ("JOB", "etl_orders_7_days"),
        ("DATASET", "public.orders"),
        ("DATASET", "public.orders_7_days"),
    ]
    assert found["results"][0]["nodeId"] == f"job:{FOOD}:etl_orders_7_days"
    assert ask(site, "/api/v1/search?q=orders&filter=JOB")["totalCount"] == 1
    assert ask(site, "/api/v1/search?q=")["results"] == []
    assert ask(site, "/api/v1/search?q=*")["results"] == []
    assert [each["name"] for each in ask(site, "/api/v1/search?q=%25")["results"]] == ["dag.task 1%"]


def test_statistics(tmp_path: Any) -> None:
    now = datetime.now(UTC)
    with opened(tmp_path / "data") as site:
        hours = [(now - timedelta(hours=hour)).isoformat() for hour in (2, 1)]
        site.owner.receive_events(run(1, "new", *hours, reads=["a"], writes=["b"], state="ABORT"), project="open")
        make_documents(site.store, quiet=0, interval=0)
        rows = ask(site, "/api/v1/stats/lineage-events?period=DAY")
        assert [(row["start"], row["abort"]) for row in rows[-4:]] in (
            [(0, 0), (1, 0), (0, 1), (0, 0)],
            [(1, 0), (0, 1), (0, 0), (0, 0)],  # an hour passed meanwhile
        )
        week = ask(site, "/api/v1/stats/lineage-events?period=WEEK&timezone=Pacific/Auckland")
        assert sum(row["start"] + row["abort"] for row in week) == 2
        for what, count in (("jobs", 1), ("datasets", 2), ("sources", 1)):
            rows = ask(site, f"/api/v1/stats/{what}?period=DAY")
            assert (rows[0]["count"], rows[-1]["count"]) == (0, count)


def test_days_are_those_of_the_time_zone() -> None:
    now = datetime(2026, 10, 27, 12, 30, tzinfo=UTC)
    week = bounds("WEEK", "Europe/Berlin", now)
    hours = [(end - start) / 3_600_000_000 for start, end in pairwise(week)]
    assert hours == [24.0] * 4 + [25.0] + [24.0] * 2, "summer time ended on the 25th"
    assert bounds("DAY", "", now)[-1] - bounds("DAY", "", now)[0] == 24 * 3_600_000_000


# Names


def test_odd_names_lead_back(site: Site) -> None:
    (job, *datasets) = ODD_NAMES
    assert ask(site, path("namespaces", job[0], "jobs", job[1]))["name"] == job[1]
    assert ask(site, path("namespaces", job[0]))["name"] == job[0]
    for namespace, name in datasets:
        assert ask(site, path("namespaces", namespace, "datasets", name))["namespace"] == namespace
        assert ask(site, "/projects/open" + path("namespaces", namespace, "datasets", name))["name"] == name
        for node in (
            f"dataset:{quote(namespace, safe='')}:{quote(name, safe='')}",
            quote(f"dataset:{namespace}:{name}", safe=""),
            f"dataset:{namespace}:{name}",
        ):
            graph = ask(site, f"/api/v1/lineage?nodeId={node}")["graph"]
            assert f"dataset:{namespace}:{name}" in {each["id"] for each in graph}


class _Known:
    """A reading that knows one name."""

    def __init__(self, name: Name) -> None:
        self.known = name

    def item(self, name: Name) -> Item | None:
        return Item(name, 0, 0, (1,)) if name == self.known else None


@given(st.text(max_size=12), st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_every_name_leads_to_its_node(namespace: str, name: str, field: str) -> None:
    if "\ufffd" in namespace + name or "@" in namespace + name or not (namespace + name).isprintable():
        return
    known: Any = _Known(Name("DATASET", namespace, name))
    parts = [quote(part, safe="") for part in (namespace, name, field)]
    for raw in (":".join(["dataset", *parts[:2]]), quote(f"dataset:{namespace}:{name}", safe="")):
        found = item_of(known, raw)
        assert found is not None
        assert (found[0].name, found[1]) == (known.known, "")
    found = item_of(known, ":".join(["datasetField", *parts]))
    assert found is not None
    assert found[1] == field


@given(st.text(max_size=20), st.text(min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_name_in_a_path_is_a_name(site: Site, namespace: str, name: str) -> None:
    if name in (".", "..") or namespace in (".", ".."):
        return  # these vanish from an address before it is sent
    try:
        address = path("namespaces", namespace, "jobs", name)
    except UnicodeEncodeError:
        return
    response = site.client.get(address)
    assert response.status_code == 404
    assert response.get_json()["code"] == 404
    assert "not found" in response.get_json()["message"]


def test_a_path_that_a_proxy_changed_is_taken_as_it_came(site: Site) -> None:
    environ = EnvironBuilder(path="/api/v1/namespaces/lab/jobs/a", base_url="http://localhost/").get_environ()
    environ["REQUEST_URI"] = environ["RAW_URI"] = "/elsewhere/api/v1/namespaces/x%2Fy/jobs/a"
    with site.app.request_context(environ):
        assert site.client.open(environ_overrides={}, path="/api/v1/namespaces/lab/jobs/a").status_code == 404
    status: list[str] = []
    b"".join(site.app.wsgi_app(environ, lambda code, headers, info=None: status.append(code) or (lambda data: None)))
    assert status == ["404 NOT FOUND"]


# Errors, and who may see what


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("namespaces/none", 404),
        (f"namespaces/{FOOD}/jobs/none", 404),
        (f"namespaces/{FOOD}/jobs/none/runs", 404),
        (f"namespaces/{FOOD}/jobs/public.orders", 404),
        (f"namespaces/{FOOD}/datasets/none", 404),
        (f"namespaces/{FOOD}/datasets/none/versions", 404),
        ("jobs/runs/none", 404),
        ("jobs/runs/none/facets?type=job", 404),
        (f"jobs/runs/{WEEKLY}/facets?type=dataset", 400),
        ("lineage?nodeId=", 400),
        ("lineage?nodeId=job:none:none", 404),
        ("column-lineage?nodeId=nonsense", 400),
        ("column-lineage?nodeId=dataset:a:b&withDownstream=perhaps", 400),
        ("jobs?limit=0", 400),
        ("jobs?limit=100000", 400),
        ("jobs?offset=-1", 400),
        ("jobs?lastRunStates=DEAD", 400),
        ("search?q=x&filter=RUN", 400),
        ("search?q=x&sort=AGE", 400),
        ("events/lineage?after=yesterday", 400),
        ("events/lineage?sortDirection=up", 400),
        ("stats/jobs?period=YEAR", 400),
        ("stats/jobs?period=WEEK&timezone=Moon/Sea", 400),
        ("stats/jobs?period=WEEK&timezone=../../etc/passwd", 400),
    ],
)
def test_errors_have_marquez_shape(site: Site, address: str, status: int) -> None:
    body = ask(site, f"/api/v1/{address}", status=status)
    assert set(body) == {"code", "message"}
    assert body["code"] == status


PRIVATE = [
    "namespaces/secret",
    "namespaces/secret/jobs/hidden",
    "namespaces/secret/jobs/hidden/runs",
    "namespaces/secret/datasets/hidden",
    "namespaces/secret/datasets/hidden/versions",
    "jobs/runs/s",
    "jobs/runs/s/facets",
    "lineage?nodeId=job:secret:hidden",
]
LISTS = [
    "namespaces",
    "jobs",
    "namespaces/secret/jobs",
    "namespaces/secret/datasets",
    "search?q=hidden",
    "events/lineage",
    f"lineage?nodeId=dataset:{FOOD}:public.orders",
    "stats/jobs?period=WEEK",
]


def test_private_projects_show_only_to_those_who_may_read_them(site: Site) -> None:
    for address in PRIVATE:
        for who in ("", "open"):
            body = ask(site, f"/api/v1/{address}", who, status=404)
            unknown = ask(site, f"/api/v1/{address.replace('hidden', 'absent').replace('secret', 'absent')}", who, 404)
            told = body["message"].replace("hidden", "absent").replace("secret", "absent")
            assert told == unknown["message"] or "Run" in told
        ask(site, f"/api/v1/{address}", "reader")
    for address in LISTS:
        for who in ("", "open"):
            assert "hidden" not in json.dumps(ask(site, f"/api/v1/{address}", who))
        if not address.startswith("stats"):
            assert "secret" in json.dumps(ask(site, f"/api/v1/{address}", "reader")), address
        ask(site, f"/projects/secret/api/v1/{address}", "reader")
        assert site.client.get(f"/projects/secret/api/v1/{address}").status_code == 404
    counts = [ask(site, "/api/v1/stats/jobs?period=WEEK", who)[-1]["count"] for who in ("", "reader")]
    assert counts[1] == counts[0] + 1


def test_withdrawn_and_erased_runs_are_gone(tmp_path: Any) -> None:
    with opened(tmp_path / "data") as site:
        for number, name in ((1, "kept"), (2, "withdrawn"), (3, "erased")):
            data = lines(run(number, name, "10:00", "10:05", reads=["raw"], writes=[name]))
            site.owner.submit(data, project="open", name=name, format="openlineage")
        assert ask(site, "/api/v1/jobs")["totalCount"] == 3
        site.owner.withdraw("open", "withdrawn", reason="wrong")
        site.owner.erase("open", "erased", 1, reason="the law")
        assert [job["name"] for job in ask(site, "/api/v1/jobs")["jobs"]] == ["kept"]
        assert ask(site, "/api/v1/events/lineage")["totalCount"] == 2
        graph = ask(site, "/api/v1/lineage?nodeId=dataset:lab:raw")["graph"]
        assert {node["id"] for node in graph} == {"dataset:lab:raw", "job:lab:kept", "dataset:lab:kept"}
        assert site.owner.fsck(views=True).problems == ()
