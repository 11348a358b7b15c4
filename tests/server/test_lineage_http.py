"""Lineage and search by HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provrepo.codecs import formats
from tests.support.command import environment
from tests.support.paths import ROOT
from tests.support.serving import Site, opened

EX = "https://example.org/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("lineage")) as found:
        found.submit(
            "hidden",
            b"document\nprefix ex <https://example.org/>\nwasDerivedFrom(ex:raw, ex:confidential)\nendDocument",
            project="secret",
        )
        yield found


def test_lineage(site: Site) -> None:
    answer = site.client.get(f"/lineage?iri={EX}table")
    assert answer.status_code == 200
    body = answer.get_json()
    assert [node["iri"].removeprefix(EX) for node in body["nodes"]] == ["table", "raw", "run", "ada"]
    assert {edge["relation"] for edge in body["edges"]} == {
        "wasGeneratedBy",
        "used",
        "wasAssociatedWith",
        "wasDerivedFrom",
    }
    assert (body["truncated"], body["total_nodes"], body["roots"]) == (False, 4, [f"{EX}raw"])
    assert b"confidential" not in answer.data
    assert b"secret" not in answer.data
    answer = site.client.get(f"/lineage?iri={EX}table&strict=true", headers=site.auth("all"))
    assert [node["iri"].removeprefix(EX) for node in answer.get_json()["nodes"]] == ["table", "raw", "confidential"]
    answer = site.client.get(f"/lineage?iri={EX}raw&direction=downstream&depth=1&limit=1")
    assert {key: answer.get_json()[key] for key in ("truncated", "total_nodes", "beyond")} == {
        "truncated": True,
        "total_nodes": 3,
        "beyond": 0,
    }


@pytest.mark.parametrize("form", ["turtle", "provn", "trig", "provjson", "svg"])
def test_lineage_in_other_formats(site: Site, form: str) -> None:
    answer = site.client.get(f"/lineage?iri={EX}table&format={form}")
    assert answer.status_code == 200
    assert b"raw" in answer.data
    assert answer.headers["Provrepo-Nodes"] == "4/4"


def test_thing_and_search(site: Site) -> None:
    body = site.client.get(f"/thing?iri={EX}table").get_json()
    assert (body["label"], body["kinds"], body["projects"]) == ("harvest <b>2025</b>", ["entity"], ["open"])
    assert site.client.get(f"/thing?iri={EX}confidential").status_code == 404
    body = site.client.get("/search?q=harvest 20").get_json()
    assert (body["total"], [thing["iri"] for thing in body["things"]]) == (1, [f"{EX}table"])
    assert site.client.get("/search?q=confidential").get_json()["total"] == 0
    assert site.client.get("/search?q=confidential", headers=site.auth("all")).get_json()["total"] == 1
    assert site.client.get("/search?q=x&project=secret").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/lineage",
        "/thing",
        "/search",
        f"/lineage?iri={EX}table&depth=0",
        f"/lineage?iri={EX}table&depth=x",
        f"/lineage?iri={EX}table&direction=up",
        f"/lineage?iri={EX}table&strict=perhaps",
        "/lineage?iri=no iri",
        "/search?q=x&limit=100000",
    ],
)
def test_bad_requests(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 400


def test_on_the_command_line(tmp_path: Path) -> None:
    import subprocess
    import sys

    from tests.conftest import TURTLE

    (tmp_path / "run.ttl").write_bytes(TURTLE)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "provrepo", "--data", str(tmp_path / "data"), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120
        )

    assert run("submit", str(tmp_path / "run.ttl"), "--name", "run").returncode == 0
    found = json.loads(run("search", "example", "--output", "json").stdout)
    assert found["total"] > 1
    start = found["things"][0]["iri"]
    graph = json.loads(run("lineage", start, "--direction", "both", "--output", "json").stdout)
    assert graph["start"] == start
    table = run("lineage", start, "--direction", "both")
    assert table.returncode == 0, table.stderr
    assert len(table.stdout.splitlines()) == len(graph["nodes"]) + 1
    assert f"{graph['total_nodes']} things" in table.stderr
    assert "<svg" in run("lineage", start, "--output", "svg").stdout
    missing = run("lineage", "https://example.org/nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "nothing that you may read" in missing.stderr


SECRETS = (b"confidential", b"secret", b"hidden", b"harvester")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A public project whose lineage goes on in a private one, which two later entries of it belong to."""
    with opened(tmp_path_factory.mktemp("rich")) as found:
        text = (
            "document\nprefix ex <https://example.org/>\nentity(ex:model, [prov:type='ex:Model'])\n"
            "wasGeneratedBy(ex:model, ex:train, -)\nused(ex:train, ex:table, -)\nwasDerivedFrom(ex:twin, ex:table)\n"
            "endDocument"
        )
        found.submit("models", text.encode())
        private = (
            'document\nprefix ex <https://example.org/>\nentity(ex:table, [prov:label="confidential label"])\n'
            'agent(ex:harvester)\nagent(ex:ada, [prov:label="a confidential agent"])\n'
            "wasAttributedTo(ex:raw, ex:harvester)\nwasDerivedFrom(ex:raw, ex:confidential)\n"
            "wasDerivedFrom(ex:hidden-report, ex:table)\nwasDerivedFrom(ex:twin, ex:confidential)\n"
            "wasDerivedFrom(ex:model, ex:confidential)\nendDocument"
        )
        found.submit("hidden", private.encode(), project="secret")
        yield found


def body(site: Site, path: str, who: str = "", status: int = 200) -> dict[str, Any]:
    answer = site.client.get(path, headers=site.auth(who))
    assert answer.status_code == status, answer.data
    found: dict[str, Any] = answer.get_json()
    return found


def nodes(found: dict[str, Any]) -> list[str]:
    return sorted(node["iri"].removeprefix(EX) for node in found["nodes"])


def test_every_parameter_of_lineage(rich: Site) -> None:
    table = f"/lineage?iri={EX}model"
    assert nodes(body(rich, table)) == ["ada", "model", "raw", "run", "table", "train"]
    assert nodes(body(rich, f"{table}&relation=wasGeneratedBy&relation=used&depth=2")) == ["model", "table", "train"]
    assert nodes(body(rich, f"{table}&stop=prov:Activity")) == ["model", "train"]
    assert nodes(body(rich, f"{table}&stop={EX}Nothing&relation=")) == nodes(body(rich, table))
    assert nodes(body(rich, f"{table}&to={EX}table&timeout=20")) == ["model", "table", "train"]
    length = rich.owner.project("open").entries
    now = body(rich, f"{table}&as_of=open/{length}")
    assert (now["as_of"], nodes(now)) == (f"open/{length}", nodes(body(rich, table)))
    moment = rich.owner.version("open", "models").time.replace("Z", "+00:00")
    assert nodes(body(rich, f"{table}&as_of={moment}")) == nodes(now), "a plus that nobody encoded"
    body(rich, f"{table}&as_of=open/1", status=404)
    body(rich, f"{table}&as_of=1999-01-01T00:00:00Z", status=404)
    found = body(rich, f"{table}&source={EX}r*&source={EX}other")
    assert (found["declared"], found["undeclared"], found["coverage"]) == ([f"{EX}raw"], [], 100.0)
    assert body(rich, f"{table}&source=")["declared"] == []
    assert body(rich, table)["declared"] is None


def test_impact(rich: Site) -> None:
    found = body(rich, f"/lineage/impact?iri={EX}raw")
    assert (found["total"], found["kinds"]) == (5, {"entity": 3, "activity": 2})
    assert (found["types"], found["projects"]) == ({f"{EX}Model": 1}, {"open": 5})
    assert found["agents"] == {f"{EX}ada": 2}
    everything = body(rich, f"/lineage/impact?iri={EX}raw", "all")
    assert (everything["total"], everything["projects"]["secret"]) == (6, 5)
    assert (found["labels"], everything["labels"]) == ({}, {f"{EX}ada": "a confidential agent"})
    assert body(rich, f"/lineage/impact?iri={EX}raw&depth=1&relation=used&limit=1")["total"] == 1
    assert body(rich, f"/lineage/impact?iri={EX}model&direction=upstream")["direction"] == "upstream"
    assert rich.client.get(f"/lineage/impact?iri={EX}raw&format=svg").status_code == 406


def test_common(rich: Site) -> None:
    path = f"/lineage/common?iri={EX}model&iri={EX}twin"
    found = body(rich, path)
    assert [node["iri"] for node in found["nodes"] if node["nearest"]] == [f"{EX}table"]
    assert (found["total"], found["nodes"][0]["distances"]) == (4, [2, 1])
    assert (found["starts"], found["truncated"]) == ([f"{EX}model", f"{EX}twin"], False)
    everything = body(rich, path, "all")
    assert f"{EX}confidential" in [node["iri"] for node in everything["nodes"]]
    cut = body(rich, f"{path}&limit=1&strict=false")
    assert (len(cut["nodes"]), cut["total"], cut["truncated"]) == (1, 4, True)


def test_thing_as_json_and_prov(rich: Site) -> None:
    found = body(rich, f"/thing?iri={EX}table")
    assert found["label"] == "harvest <b>2025</b>"
    assert [source["document"] for source in found["sources"]] == ["models", "run", "twice"]
    source = found["sources"][1]
    info = rich.owner.version("open", "run")
    assert (source["time"], source["submitter"], source["actor"], source["graph"]) == (
        info.time,
        info.submitter,
        info.actor,
        info.iri,
    )
    assert [statement["kind"] for statement in source["statements"]] == ["entity", "wasGeneratedBy"]
    assert body(rich, f"/thing?iri={EX}table", "all")["total_versions"] == 5
    answer = rich.client.get(f"/thing?iri={EX}table&versions=1&limit=1&format=trig")
    assert (answer.status_code, answer.content_type) == (200, "application/trig")
    assert (answer.headers["Provrepo-Versions"], answer.headers["Provrepo-Statements"]) == ("1/3", "1/2")
    for form in ("trig", "provjson", "provn"):
        answer = rich.client.get(f"/thing?iri={EX}table&format={form}")
        assert len(formats.read(answer.data, format=form).bundles) == 3
    assert rich.client.get(f"/thing?iri={EX}table", headers={"Accept": "application/trig"}).status_code == 200
    assert rich.client.get(f"/thing?iri={EX}table&format=turtle").status_code == 406


@pytest.mark.parametrize(
    "path",
    [
        f"/lineage?iri={EX}table&direction=both",
        f"/lineage?iri={EX}raw&direction=downstream&format=trig",
        f"/lineage?iri={EX}raw&direction=both&format=svg",
        f"/lineage?iri={EX}model&depth=1",
        f"/lineage?iri={EX}model&source={EX}confidential",
        f"/lineage?iri={EX}model&as_of=2999-01-01T00:00:00Z",
        f"/lineage/impact?iri={EX}raw",
        f"/lineage/impact?iri={EX}table",
        f"/lineage/common?iri={EX}model&iri={EX}twin",
        f"/thing?iri={EX}table",
        f"/thing?iri={EX}raw&format=provjson",
        "/search?q=confidential",
        "/search?q=harvester",
    ],
)
def test_what_is_private_does_not_show(rich: Site, path: str) -> None:
    """The same bytes as if there were no private project: neither names nor counts tell of it."""
    before = rich.client.get(path)
    assert before.status_code == 200
    asked = path.encode()
    assert [secret for secret in SECRETS if secret in before.data and secret not in asked] == []
    rich.owner.withdraw("secret", "hidden", reason="for a moment")
    try:
        assert rich.client.get(path).data == before.data
        assert rich.client.get(path).headers.get("Provrepo-Nodes") == before.headers.get("Provrepo-Nodes")
    finally:
        data, _ = rich.owner.original("secret", "hidden", 1)
        rich.submit("hidden", data, project="secret")


@pytest.mark.parametrize(
    "path",
    [
        "/lineage?iri={}&project={}",
        "/lineage?iri={}&as_of={}/2",
        "/lineage/impact?iri={}&project={}",
        "/lineage/impact?iri={}&as_of={}/2",
        "/lineage/common?iri={}&iri=https://example.org/run&project={}",
        "/thing?iri={}&project={}",
        "/thing?iri={}&as_of={}/2",
        "/search?q={}&project={}",
    ],
)
def test_a_private_project_is_like_none(rich: Site, path: str) -> None:
    private, missing = (rich.client.get(path.format(f"{EX}table", name)) for name in ("secret", "nowhere"))
    assert private.status_code == missing.status_code == 404
    assert private.data == missing.data
    unknown = rich.client.get("/lineage?iri=https://example.org/confidential")
    assert (unknown.status_code, unknown.data) == (404, rich.client.get("/lineage?iri=urn:nothing").data)
    assert rich.client.get(path.format(f"{EX}table", "secret"), headers=rich.auth("all")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "relation=uses",
        "relation=wasEndedBy",
        "stop=Plan",
        "stop=" + "x" * 3000,
        "as_of=yesterday",
        "as_of=2026-01-31T12:00:00",
        "as_of=open/0",
        "as_of=open/" + "9" * 40,
        "source=*",
        "source=" + "*a" * 9,
        "&".join(["source=urn:x"] * 101),
        "&".join(["relation=used"] * 101),
        "to=no iri",
        "limit=0",
        "limit=10001",
        "limit=99999999999999999999",
        "limit=١",
        "depth=-1",
        "depth=1e3",
        "timeout=0",
        "timeout=-1",
        "timeout=nan",
        "timeout=1e9",
        "timeout=" + "9" * 400,
        "strict=1",
        "strict=true&relation=used",
        "direction=sideways",
    ],
)
def test_nonsense(site: Site, query: str) -> None:
    answer = site.client.get(f"/lineage?iri={EX}table&{query}")
    assert answer.status_code == 400, answer.data[:500]
    assert answer.content_type == "application/problem+json"
    assert len(answer.data) < 2000


@pytest.mark.parametrize(
    "path",
    [
        "/lineage/impact",
        "/lineage/impact?iri=no iri",
        f"/lineage/impact?iri={EX}table&relation=x",
        "/lineage/common",
        f"/lineage/common?iri={EX}table",
        f"/lineage/common?iri={EX}table&iri={EX}table",
        f"/lineage/common?iri={EX}table&iri=x",
        "/lineage/common?" + "&".join(f"iri={EX}{number}" for number in range(21)),
        "/lineage/common?" + "&".join(f"iri={EX}{number}" for number in range(101)),
        "/thing?iri=no iri",
        f"/thing?iri={EX}table&versions=0",
        f"/thing?iri={EX}table&versions=1001",
        f"/thing?iri={EX}table&limit=x",
        f"/thing?iri={EX}table&as_of=x",
        f"/thing?iri={EX}table&timeout=x",
        "/search?q=x&timeout=x",
    ],
)
def test_nonsense_elsewhere(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        f"/lineage?iri={EX}table",
        f"/lineage/impact?iri={EX}raw",
        f"/lineage/common?iri={EX}table&iri={EX}run",
        f"/thing?iri={EX}table",
    ],
)
def test_deadlines(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.store, "settings", replace(site.store.settings, query_timeout=1e-9))
    for query in ("", "&timeout=100"):
        answer = site.client.get(path + query)
        assert answer.status_code == 503
        assert answer.get_json()["type"].endswith("#timed-out")
        assert answer.headers["Retry-After"] == "60"


def test_lineage_waits_for_a_place_like_queries(site: Site) -> None:
    from contextlib import ExitStack

    from provrepo.server.queries import running

    with site.app.test_request_context(), ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(running.query_slot())
        answer = site.client.get(f"/lineage?iri={EX}table")
        assert (answer.status_code, answer.get_json()["type"].rpartition("#")[2]) == (503, "busy")
    assert site.client.get(f"/lineage?iri={EX}table").status_code == 200
