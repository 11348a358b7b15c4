"""Submissions as their users meet them: a large file by the command line, and small documents over HTTP.

The peer of the large file is Apache Jena Fuseki with TDB2, installed from Maven Central: a bare ``PUT`` of the same
file, without checks, ledger, versions or completion. Where Java or Maven is missing, a row says so.
"""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import provrepo
from benchmarks.generate import bare, pipeline
from benchmarks.measure import isolated, peak_mib, stopwatch
from benchmarks.served import Connection, served

STEPS = 13_000
"""79,692 statements, 133,012 triples."""

ROUNDS = 3
POM = Path(__file__).parent / "fuseki" / "pom.xml"


def table(directory: Path, steps: int = STEPS, documents: int = 400) -> list[str]:
    """Both tables as Markdown."""
    return [*_large_table(directory, steps), "", *_rate_table(directory, documents)]


# A large file ---------------------------------------------------------------------------------------------------


def _large_table(directory: Path, steps: int) -> list[str]:
    file = directory / "large.ttl"
    document = bare(steps)
    file.write_bytes(document.write("turtle"))
    rows = [
        f"| `submit` of {len(document):,} statements in Turtle | seconds | processor seconds | peak MiB |",
        "|---|---:|---:|---:|",
    ]
    classpath = _fuseki(directory)
    times: dict[str, list[tuple[float, float, float]]] = {}
    for number in range(ROUNDS):
        for name in ("private", "public"):
            times.setdefault(f"provrepo, {name} project", []).append(
                _submitted(directory / f"{name}{number}", file, name)
            )
        if classpath:
            times.setdefault("Fuseki 5.6, TDB2, bare PUT", []).append(
                _put(directory / f"fuseki{number}", file, classpath)
            )
    for what, found in times.items():
        rows.append(f"| {what} | " + " | ".join(f"{median(column):.1f}" for column in zip(*found, strict=True)) + " |")
    return rows if classpath else [*rows, "| Fuseki: there is no Java or no Maven here | | | |"]


def _submitted(data: Path, file: Path, visibility: str) -> tuple[float, float, float]:
    with provrepo.open(data) as repository:
        repository.create_project("large", public=visibility == "public")
    command = [sys.executable, "-m", "provrepo", "--data", str(data), "submit", str(file), "--project", "large"]
    found = isolated("intake", what="command", command=command)
    shutil.rmtree(data)
    return found["seconds"], found["processor"], found["peak"]


def measure(what: str, **arguments: Any) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    return {"command": _command, "clients": _clients}[what](**arguments)


def _command(command: list[str]) -> dict[str, Any]:
    """A whole process, with the processes that it has started and waited for."""
    with stopwatch() as watch:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": watch.seconds,
        "processor": used.ru_utime + used.ru_stime,
        "peak": peak_mib(resource.RUSAGE_CHILDREN),
    }


def _fuseki(directory: Path) -> str:
    """The class path of Fuseki; empty where it cannot be installed."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        return ""
    output = directory / "classpath"
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM), "dependency:build-classpath"]
    done = subprocess.run([*command, f"-Dmdep.outputFile={output}"], capture_output=True, check=False)
    return output.read_text("utf-8").strip() if done.returncode == 0 else ""


def _put(data: Path, file: Path, classpath: str) -> tuple[float, float, float]:
    data.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    main = "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"
    command = [
        "java",
        "-cp",
        classpath,
        main,
        "--localhost",
        f"--port={port}",
        "--tdb2",
        f"--loc={data}",
        "--update",
        "/ds",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            connection = _connected(port)
            before = processor(process.pid)
            with stopwatch() as watch:
                connection.request("PUT", "/ds/data?default", file.read_bytes(), {"Content-Type": "text/turtle"})
                status = connection.getresponse().status
            if status not in (200, 201, 204):
                raise RuntimeError(f"Fuseki answered {status}")
            used, peak = processor(process.pid) - before, _peak_mib(process.pid)
        finally:
            process.kill()
    return watch.seconds, used, peak


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return connection


def processor(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


# Small documents ------------------------------------------------------------------------------------------------


def _rate_table(directory: Path, documents: int) -> list[str]:
    rows = [
        "| 100 statements in PROV-JSON, over HTTP | clients | per second | p50 ms | p99 ms | server, processor ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    kinds = [(query, clients) for query in (False, True) for clients in (1, 16)]
    found: dict[tuple[bool, int], list[list[float]]] = {kind: [] for kind in kinds}
    for number in range(ROUNDS):
        for query, clients in kinds:
            data = directory / f"rate-{query}-{clients}-{number}"
            found[query, clients].append(_rates(data, documents, clients=clients, query=query))
            shutil.rmtree(data)
    for (query, clients), rounds in found.items():
        what = "each followed by a query that must see it" if query else "durable submissions"
        rate, half, most, used = (median(column) for column in zip(*rounds, strict=True))
        rows.append(f"| {what} | {clients} | {rate:.0f} | {half:.0f} | {most:,.0f} | {used:.1f} |")
    return rows


def _rates(data: Path, documents: int, *, clients: int, query: bool) -> list[float]:
    """Documents per second, p50 and p99 in ms, and ms of the processor that the server used for each document."""
    with _project(data) as (server, token):
        before = processor(server.process)
        arguments = {"address": list(server.address), "token": token, "documents": documents}
        found = isolated("intake", what="clients", clients=clients, query=query, **arguments)
        used = (processor(server.process) - before) / documents * 1000
    return [found["rate"], found["p50"], found["p99"], used]


@contextmanager
def _project(data: Path) -> Iterator[tuple[Any, str]]:
    with provrepo.open(data) as repository:
        repository.create_project("rate")
        token, _ = repository.create_token("benchmark", projects=["rate"])
    with served(data) as server:
        yield server, token


def _clients(address: list[Any], token: str, clients: int, documents: int, query: bool) -> dict[str, Any]:
    """Clients that submit as fast as they get answers, each over one connection."""
    contents = [pipeline(100, salt=f"d{number}-").write("provjson") for number in range(documents)]
    numbers, seconds, problems = iter(range(documents)), list[float](), list[str]()
    guard = threading.Lock()

    def client() -> None:
        connection = Connection((address[0], address[1]), token=token)
        while True:
            with guard:
                number = next(numbers, None)
            if number is None:
                return
            with stopwatch() as watch:
                path = f"/projects/rate/documents?name=d{number}"
                answer = connection.send("POST", path, contents[number], Content_Type="application/json")
                if answer.status == 201 and query:
                    answer = _seen(connection, number)
            with guard:
                seconds.append(watch.seconds)
                if answer.status not in (200, 201) or (query and b"true" not in answer.body):
                    problems.append(f"{answer.status} {answer.body[:200]!r}")

    threads = [threading.Thread(target=client) for _ in range(clients)]
    with stopwatch() as whole:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if problems:
        raise RuntimeError(f"{len(problems)} requests failed: {problems[0]}")
    seconds.sort()
    return {
        "rate": documents / whole.seconds,
        "p50": seconds[len(seconds) // 2] * 1000,
        "p99": seconds[int(len(seconds) * 0.99)] * 1000,
    }


def _seen(connection: Connection, number: int) -> Any:
    """The answer to the question whether a document is there, asked again where the server is busy."""
    query = f"ASK {{ <http://example.org/run/ad{number}-0> ?p ?o }}"
    while True:
        answer = connection.query(query, path="/projects/rate/sparql")
        if answer.status != 503:
            return answer
        time.sleep(0.02)
