"""Look-ups over HTTP, quiet and beside queries that have to be killed, and what the worker adds to the bare engine."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyoxigraph

from benchmarks.generate import EX, pipeline
from benchmarks.measure import isolated
from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from provrepo.vocab import PROV

CONNECTIONS = (1, 8, 32)
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
STEPS = 97
"""Activities that are looked up; the smallest document has as many."""

_JSON = pyoxigraph.QueryResultsFormat.JSON
DEADLINE = 1
"""Seconds after which a runaway is killed; the next one follows at once."""


def _lookup(number: int) -> str:
    return f"SELECT ?o {{ <{EX}a{number}> prov:used ?o }}"


class _Connection:
    """One connection that is kept, with as little of HTTP as will do: the measuring shares the machine."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=30)
        self._stream = self._socket.makefile("rb")

    def ask(self, query: str, **parameters: object) -> int:
        more = "".join(f"&{name}={value}" for name, value in parameters.items())
        self._socket.sendall(f"GET /sparql?query={quote(query)}{more} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status = int(self._stream.readline().split()[1])
        length = 0
        while (line := self._stream.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self._stream.read(length)
        return status

    def close(self) -> None:
        self._socket.close()


@contextmanager
def _served(data: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                found = re.search(r"http://\S+", line)
                if found and "serves" in line:
                    url = urlsplit(found.group())
                    threading.Thread(target=process.stderr.read, daemon=True).start()  # type: ignore[union-attr]
                    yield url.hostname or "", url.port or 0
                    return
        finally:
            process.terminate()


def measure(data: str, what: str, **arguments: Any) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    if what == "http":
        with _served(Path(data)) as address:
            return _over_http(address, **arguments)
    return _in_process(Path(data), **arguments)


def _over_http(address: tuple[str, int], connections: int, seconds: float, runaways: bool) -> dict[str, Any]:
    taken: list[float] = []
    refused: list[int] = []
    stopped: list[float] = []
    over = threading.Event()

    def look_up(seed: int) -> None:
        connection = _Connection(address)
        number = seed
        while not over.is_set():
            number = (number * 31 + 7) % STEPS
            start = time.perf_counter()
            status = connection.ask(_lookup(number))
            if status == 200:
                taken.append(time.perf_counter() - start)
            else:
                refused.append(status)
        connection.close()

    def run_away() -> None:
        connection = _Connection(address)
        while not over.is_set():
            start = time.perf_counter()
            connection.ask(RUNAWAY, timeout=DEADLINE)
            stopped.append(time.perf_counter() - start)
        connection.close()

    warm = _Connection(address)
    for _ in range(20):
        warm.ask(_lookup(1))
    threads = [threading.Thread(target=look_up, args=(seed,)) for seed in range(connections)]
    threads += [threading.Thread(target=run_away)] * runaways
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()
    taken.sort()
    return {
        "per_second": len(taken) / seconds,
        "p50_ms": 1000 * taken[len(taken) // 2],
        "p99_ms": 1000 * taken[int(len(taken) * 0.99)],
        "refused": len(refused),
        "stopped_s": max(stopped, default=0.0),
    }


def _in_process(data: Path, engine: bool, seconds: float) -> dict[str, Any]:
    if engine:
        store = pyoxigraph.Store.read_only(str(data / "views" / "quads" / "_public"))
        return _rate(lambda query: store.query(query, prefixes={"prov": PROV}).serialize(format=_JSON), seconds)
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.query("ASK {}", public=True)
        return _rate(lambda query: repository.query(query, public=True).write("json"), seconds)


def _rate(ask: Callable[[str], object], seconds: float) -> dict[str, Any]:
    taken = []
    number = 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        number = (number * 31 + 7) % STEPS
        start = time.perf_counter()
        ask(_lookup(number))
        taken.append(time.perf_counter() - start)
    taken.sort()
    return {"per_second": len(taken) / seconds, "p50_ms": 1000 * taken[len(taken) // 2]}


def table(directory: Path, statements: int, seconds: float) -> list[str]:
    """All of it as Markdown."""
    data = directory / "queries"
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.create_project("large", public=True)
        repository.submit(pipeline(statements).write("turtle"), project="large", name="large", format="turtle")
        repository.query("ASK {}", public=True)
    rows = [
        "| look-ups over HTTP | connections | per second | p50 ms | p99 ms | refused | longest runaway, s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for runaways in (False, True):
        for connections in CONNECTIONS:
            found = isolated(
                "queries", data=str(data), what="http", connections=connections, seconds=seconds, runaways=runaways
            )
            rows.append(
                f"| {'one runaway after another' if runaways else 'quiet'} | {connections} "
                f"| {found['per_second']:,.0f} | {found['p50_ms']:.1f} | {found['p99_ms']:.1f} | {found['refused']} "
                f"| {found['stopped_s']:.2f} |"
            )
    rows += ["", "| look-ups in one thread | per second | p50 ms |", "|---|---:|---:|"]
    for name, engine in (("pyoxigraph in process", True), ("provrepo, through a worker", False)):
        found = isolated("queries", data=str(data), what="process", engine=engine, seconds=seconds)
        rows.append(f"| {name} | {found['per_second']:,.0f} | {found['p50_ms']:.2f} |")
    return rows
