"""Lineage and search by HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT, environment
from tests.serving import Site, opened

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
