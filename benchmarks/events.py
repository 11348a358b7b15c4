"""OpenLineage events: received by a server, divided into runs, and stored as documents."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import provrepo
from benchmarks.measure import isolated, peak_mib, stopwatch
from benchmarks.served import Connection, served

EVENTS = 1_000_000
"""In the file that is divided into runs; a tenth of them is stored as documents."""

_RUN = 100
"""Events of a run."""

_BATCH = 100


def table(directory: Path, events: int = EVENTS) -> list[str]:
    """A row for each way of events into the repository, as Markdown."""
    lines = [
        "| what happens to the events | events | seconds | events per second | peak MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    singly, batches = max(_BATCH, events // 500), max(10 * _BATCH, events // 10)
    data = directory / "received"
    with provrepo.open(data) as repository:
        repository.create_project("crops")
        token = repository.create_token("loader", projects=["crops"])[0]
    for what, count, size in (
        ("received one by one", singly, 1),
        (f"received in batches of {_BATCH}", batches, _BATCH),
    ):
        seconds, peak = _received(data, token, count, size)
        lines.append(_row(what, count, seconds, peak))
    file = directory / "events.jsonl"
    _write(file, events)
    found = isolated("events", file=str(file))
    lines.append(_row("one file, divided into runs", found["events"], found["seconds"], found["peak_mib"]))
    _write(file, events // 10)
    seconds = _imported(directory / "imported", file)
    peak = peak_mib(resource.RUSAGE_CHILDREN)
    lines.append(_row("one file, stored as documents by `provrepo import`", events // 10, seconds, peak))
    return lines


def measure(file: str) -> dict[str, Any]:
    """Divide a file of events into runs."""
    from provrepo.codecs.formats import by_name
    from provrepo.importers.parts import Part, parts_of_lines

    count = 0
    with stopwatch() as watch, Path(file).open("rb") as opened:
        for part in parts_of_lines(opened, by_name("openlineage")):
            assert isinstance(part, Part)
            count += part.data.count(b"\n")
    return {"events": count, "seconds": watch.seconds, "peak_mib": peak_mib()}


def _row(what: str, events: int, seconds: float, peak: float) -> str:
    return f"| {what} | {events:,} | {seconds:.1f} | {events / seconds:,.0f} | {peak:,.0f} |"


def _events(first: int, count: int) -> Iterator[bytes]:
    """Events of runs that read a table and write another, ``_RUN`` of each, as JSON without line breaks."""
    for number in range(first, first + count):
        run, step = divmod(number, _RUN)
        kind = "START" if step == 0 else "COMPLETE" if step == _RUN - 1 else "RUNNING"
        fields = [{"name": f"column_{column}", "type": "double"} for column in range(8)]
        facet = {"_producer": "https://crops.example/", "_schemaURL": "https://crops.example/schema"}
        dataset = {"namespace": "lab", "name": f"table_{run % 50}", "facets": {"schema": {**facet, "fields": fields}}}
        event = {
            "eventType": kind,
            "eventTime": f"2026-11-{run % 28 + 1:02}T{step // 60:02}:{step % 60:02}:00Z",
            "producer": "https://crops.example/",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "run": {"runId": f"00000000-0000-7000-8000-{run:012}", "facets": {"progress": {**facet, "step": step}}},
            "job": {"namespace": "lab", "name": f"job_{run % 50}"},
            "inputs": [dataset],
            "outputs": [{**dataset, "name": f"table_{(run + 1) % 50}"}] if kind == "COMPLETE" else [],
        }
        yield json.dumps(event).encode()


def _write(file: Path, count: int) -> None:
    with file.open("wb") as output:
        for event in _events(0, count):
            output.write(event + b"\n")


def _received(data: Path, token: str, count: int, size: int) -> tuple[float, float]:
    """Seconds to send events, each request after the answer to the last, and the server's peak memory in MiB."""
    # Events that no other measurement sent, since those that are known are not stored again.
    first = size * 1_000_000_000
    bodies = []
    pending = list(_events(first, count))
    for start in range(0, count, size):
        chosen = pending[start : start + size]
        bodies.append(chosen[0] if size == 1 else b"[" + b",".join(chosen) + b"]")
    path = "/api/v1/lineage" + ("" if size == 1 else "/batch")
    with served(data) as server:
        connection = Connection(server.address, token=token)
        began = time.perf_counter()
        for body in bodies:
            answer = connection.send("POST", path, body, Content_Type="application/json")
            if answer.status not in (200, 201):
                raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
        seconds = time.perf_counter() - began
        connection.close()
        peak = _peak_of(server.process)
    return seconds, peak


def _peak_of(process: int) -> float:
    """The peak resident memory of a running process in MiB; 0 where the system does not say it."""
    try:
        text = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0.0)


def _imported(data: Path, file: Path) -> float:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVREPO_")}
    command = [sys.executable, "-m", "provrepo", "--data", str(data), "import", str(file), "--from", "openlineage"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=kept)
    return time.perf_counter() - began
