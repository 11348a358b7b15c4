"""The examples of SPARQL clients in the documentation, run against a server."""

from __future__ import annotations

import csv
import io
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.conftest import TURTLE
from tests.support.command import Command, environment, serving
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "how-to" / "query.md").read_text("utf-8")
EXAMPLES = re.findall(r"(?s)<!-- live -->\n```(sh|python)\n(.*?)```", PAGE)
RUN, RAW = "http://example.org/run", "http://example.org/raw"
QUERY = "SELECT ?run ?input { ?run prov:used ?input }"
RUNAWAY = "SELECT (COUNT(*) AS ?n) { " + " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(8)) + " }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server, without the slash at its end."""
    work = tmp_path_factory.mktemp("served")
    command = Command(work / "data")
    command("project", "create", "crops", "--public")
    (work / "run.ttl").write_bytes(TURTLE)
    command("submit", work / "run.ttl", "--project", "crops", "--name", "run-42")
    with serving(command.data, PROVREPO_QUERY_WORKERS="1") as url:
        yield url


def _run(language: str, example: str, server: str, work: Path) -> str:
    command = ["sh", "-e", "-c", example] if language == "sh" else [sys.executable, "-c", example]
    variables = {**environment(), "SERVER": server, "NO_PROXY": "*"}
    ran = subprocess.run(command, capture_output=True, text=True, cwd=work, env=variables, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_documentation_shows_every_client() -> None:
    shown = " ".join(example for _, example in EXAMPLES)
    assert [name for name in ("curl", "SPARQLWrapper", "SPARQLStore") if name not in shown] == []
    assert "pandas.read_csv" in PAGE


@pytest.mark.parametrize(("language", "example"), EXAMPLES)
def test_the_shown_examples_work(server: str, tmp_path: Path, language: str, example: str) -> None:
    printed = _run(language, example, server, tmp_path)
    assert RUN in printed
    assert RAW in printed


def test_rdflib_traverses_the_graph(server: str, tmp_path: Path) -> None:
    script = f"""
import os
from rdflib import Graph, PROV, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
graph = Graph(SPARQLStore(os.environ["SERVER"] + "/projects/crops/sparql"))
print(*graph.objects(URIRef("{RUN}"), PROV.used))
print(graph.query("ASK {{ ?s prov:used ?o }}").askAnswer)
print(len(graph.query("CONSTRUCT {{ ?s prov:used ?o }} WHERE {{ ?s prov:used ?o }}").graph))
"""
    assert _run("python", script, server, tmp_path).split() == [RAW, "True", "1"]


def test_the_csv_that_pandas_reads(server: str) -> None:
    address = f"{server}/projects/crops/sparql?{urlencode({'query': QUERY, 'format': 'csv'})}"
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        rows = list(csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline="")))
    assert rows == [{"run": RUN, "input": RAW}]


def _connected(server: str, query: str) -> socket.socket:
    host, _, port = server.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    line = f"GET /sparql?{urlencode({'query': query})} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    connection.sendall(line.encode())
    return connection


def test_a_half_closed_connection_counts_as_disconnected(server: str) -> None:
    """TCP does not distinguish a half-closed connection from a closed one; the query ends, and its slot is free."""
    with _connected(server, RUNAWAY) as connection:
        time.sleep(0.5)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        # There is one worker: while the query kept it, this would be 503.
        with urllib.request.urlopen(f"{server}/sparql?{urlencode({'query': 'ASK {}'})}", timeout=30) as answer:
            assert answer.status == 200


def test_an_open_connection_gets_its_response(server: str) -> None:
    with _connected(server, "ASK {}") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
