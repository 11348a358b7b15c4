"""Look-ups over HTTP, alone and while long queries are killed, and the cost of a worker beyond the engine."""

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
LONG_QUERY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
STEPS = 97
"""Activities that are looked up; the smallest document has at least so many."""

VERSIONS = (1_000, 20_000)
"""Statements of the versions that are queried alone."""

_JSON = pyoxigraph.QueryResultsFormat.JSON
DEADLINE = 1
"""Seconds after which a long query is killed; the next one follows at once."""


def _lookup(number: int) -> str:
    return f"SELECT ?o {{ <{EX}a{number}> prov:used ?o }}"


def measure(data: str, what: str, **arguments: Any) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    if what == "http":
        with served(Path(data)) as server:
            return _over_http(server.address, **arguments)
    return {"process": _in_process, "visible": _until_visible, "versions": _versions}[what](Path(data), **arguments)


def _over_http(address: tuple[str, int], connections: int, seconds: float, long_queries: bool) -> dict[str, Any]:
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
            status = connection.query(_lookup(number)).status
            if status == 200:
                taken.append(time.perf_counter() - start)
            else:
                refused.append(status)
        connection.close()

    def send_long_queries() -> None:
        connection = Connection(address)
        while not over.is_set():
            start = time.perf_counter()
            connection.query(LONG_QUERY, timeout=DEADLINE)
            stopped.append(time.perf_counter() - start)
        connection.close()

    warm = Connection(address)
    for _ in range(20):
        warm.query(_lookup(1))
    threads = [threading.Thread(target=look_up, args=(seed,)) for seed in range(connections)]
    threads += [threading.Thread(target=send_long_queries)] * long_queries
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


def _until_visible(data: Path, token: str, submissions: int) -> dict[str, Any]:
    """Times of submissions over HTTP, and from the receipt to the first query that finds the content."""
    taken, visible, late = [], [], 0
    with served(data) as server:
        connection = Connection(server.address, token=token)
        for number in range(submissions):
            body = pipeline(100, salt=f"v{number}-").write("provjson")
            start = time.perf_counter()
            status = connection.send(
                "POST", f"/projects/large/documents?name=v{number}", body, Content_Type="application/json"
            ).status
            if status != 201:
                raise RuntimeError(f"a submission was answered with {status}")
            received = time.perf_counter()
            taken.append(received - start)
            tries = 1
            while b"true" not in connection.query(f"ASK {{ <{EX}av{number}-0> prov:used ?o }}").body:
                tries += 1
            late += tries > 1
            visible.append(time.perf_counter() - received)
    taken.sort()
    visible.sort()
    return {
        "taken_ms": 1000 * taken[len(taken) // 2],
        "p50_ms": 1000 * visible[len(visible) // 2],
        "p99_ms": 1000 * visible[int(len(visible) * 0.99)],
        "late": late,
    }


def _versions(data: Path, statements: int) -> dict[str, Any]:
    """Milliseconds of the first query on one version, and of the next ones."""
    taken = []
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.query("ASK {}", public=True)
        for _ in range(6):
            start = time.perf_counter()
            repository.query_version("large", f"version{statements}", 1, _lookup(1))
            taken.append(1000 * (time.perf_counter() - start))
    return {"first_ms": taken[0], "next_ms": sorted(taken[1:])[2]}


def _in_process(data: Path, engine: bool, seconds: float) -> dict[str, Any]:
    if engine:
        store = pyoxigraph.Store.read_only(str(data / "views" / "quads" / "_public"))
        return _rate(lambda query: store.query(query, prefixes={"prov": PROV}).serialize(format=_JSON), seconds)
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.query("ASK {}", public=True)
        return _rate(lambda query: repository.query(query, public=True).write("json"), seconds)


def _rate(execute: Callable[[str], object], seconds: float) -> dict[str, Any]:
    taken = []
    number = 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        number = (number * 31 + 7) % STEPS
        start = time.perf_counter()
        execute(_lookup(number))
        taken.append(time.perf_counter() - start)
    taken.sort()
    return {"per_second": len(taken) / seconds, "p50_ms": 1000 * taken[len(taken) // 2]}


def table(directory: Path, statements: int, seconds: float) -> list[str]:
    """All measurements as Markdown."""
    data = directory / "queries"
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.create_project("large", public=True)
        repository.submit(pipeline(statements).write("turtle"), project="large", name="large", format="turtle")
        for size in VERSIONS:
            content = pipeline(size).write("provjson")
            repository.submit(content, project="large", name=f"version{size}", format="provjson")
        token = repository.create_token("benchmarks", write=True)[0]
        repository.query("ASK {}", public=True)
    rows = [
        "| look-ups over HTTP | connections | per second | p50 ms | p99 ms | refused | longest killed query, s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for long_queries in (False, True):
        for connections in CONNECTIONS:
            found = isolated(
                "queries",
                data=str(data),
                what="http",
                connections=connections,
                seconds=seconds,
                long_queries=long_queries,
            )
            rows.append(
                f"| {'while long queries are killed' if long_queries else 'alone'} | {connections} "
                f"| {found['per_second']:,.0f} | {found['p50_ms']:.1f} | {found['p99_ms']:.1f} | {found['refused']} "
                f"| {found['stopped_s']:.2f} |"
            )
    rows += ["", "| look-ups in one thread | per second | p50 ms |", "|---|---:|---:|"]
    for name, engine in (("pyoxigraph in process", True), ("provrepo, through a worker", False)):
        found = isolated("queries", data=str(data), what="process", engine=engine, seconds=seconds)
        rows.append(f"| {name} | {found['per_second']:,.0f} | {found['p50_ms']:.2f} |")
    rows += ["", "| queries on one version, PROV-JSON | first ms | next ms |", "|---|---:|---:|"]
    for size in VERSIONS:
        found = isolated("queries", data=str(data), what="versions", statements=size)
        rows.append(f"| {size:,} statements | {found['first_ms']:.0f} | {found['next_ms']:.1f} |")
    found = isolated("queries", data=str(data), what="visible", token=token, submissions=round(20 * seconds))
    return [
        *rows,
        "",
        "| submissions of 100 statements over HTTP | receipt, p50 ms | until a query finds it, p50 ms | p99 ms "
        "| not found by the first query |",
        "|---:|---:|---:|---:|---:|",
        f"| {round(20 * seconds)} | {found['taken_ms']:.0f} | {found['p50_ms']:.0f} | {found['p99_ms']:.0f} "
        f"| {found['late']} |",
    ]
