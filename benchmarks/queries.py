"""Look-ups over HTTP, quiet and beside queries that have to be killed, and what the worker adds to the bare engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph

from benchmarks.generate import EX, pipeline
from benchmarks.measure import isolated
from benchmarks.served import Connection, served
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


def measure(data: str, what: str, **arguments: Any) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    if what == "http":
        with served(Path(data)) as server:
            return _over_http(server.address, **arguments)
    return _in_process(Path(data), **arguments)


def _over_http(address: tuple[str, int], connections: int, seconds: float, runaways: bool) -> dict[str, Any]:
    taken: list[float] = []
    refused: list[int] = []
    stopped: list[float] = []
    over = threading.Event()

    def look_up(seed: int) -> None:
        connection = Connection(address)
        number = seed
        while not over.is_set():
            number = (number * 31 + 7) % STEPS
            start = time.perf_counter()
            status = connection.ask(_lookup(number)).status
            if status == 200:
                taken.append(time.perf_counter() - start)
            else:
                refused.append(status)
        connection.close()

    def run_away() -> None:
        connection = Connection(address)
        while not over.is_set():
            start = time.perf_counter()
            connection.ask(RUNAWAY, timeout=DEADLINE)
            stopped.append(time.perf_counter() - start)
        connection.close()

    warm = Connection(address)
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
