"""A project that grows: submission, start of the server and queries by the number of documents.

``python -m benchmarks --only documents`` writes the picture ``benchmarks/pictures/documents.svg`` too.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import provrepo
from benchmarks.charts import Chart, draw
from benchmarks.generate import pipeline
from benchmarks.intake import processor
from benchmarks.measure import isolated, stopwatch
from benchmarks.served import Connection, served

PICTURE = Path(__file__).parent / "pictures" / "documents.svg"

STATEMENTS = 20
"""Statements of each document: with 100, the largest project would take hours."""

_MEASURED = 60
"""Submissions, and queries of each kind, that are measured for one size."""

_STARTS = 3
_SUBMITTERS = 8
_COLUMNS = {
    "start": "start of the server, s",
    "submission": "submission, p50 ms",
    "processor": "its processor ms in the server",
    "query": "look-up, p50 ms",
    "after": "query after a change, p50 ms",
}


def table(directory: Path, sizes: list[int], picture: Path | None = None) -> list[str]:
    """The table as Markdown; draws the same to a file.

    Args:
        directory: for the data directory.
        sizes: numbers of documents, in ascending order.
        picture: the file of the picture; None for none.
    """
    data = directory / "documents"
    with provrepo.open(data) as repository:
        repository.create_project("grown")
        token, _ = repository.create_token("benchmark", projects=["grown"])
    rows: list[dict[str, float]] = []
    for before, size in zip([0, *sizes], sizes, strict=False):
        isolated("documents", data=str(data), first=before, last=size)
        rows.append({"documents": size, **_measured(data, token, size)})
    if picture is not None:
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(draw(_charts(rows)), "utf-8")
    return [
        f"| documents of {STATEMENTS} statements in one project | {' | '.join(_COLUMNS.values())} |",
        f"|---:|{'---:|' * len(_COLUMNS)}",
        *(f"| {row['documents']:,} | {' | '.join(f'{row[name]:.2f}' for name in _COLUMNS)} |" for row in rows),
    ]


def _charts(rows: list[dict[str, float]]) -> list[Chart]:
    def chart(name: str, goal: float | None = None) -> Chart:
        return Chart(_COLUMNS[name], "documents in the project", [(row["documents"], row[name]) for row in rows], goal)

    # The goal was that a submission takes at most a fifth more than in the smallest project.
    return [chart("submission", rows[0]["submission"] * 1.2), chart("start", 1.0), chart("query"), chart("after")]


def measure(data: str, first: int, last: int) -> dict[str, Any]:
    """Add documents to the project, in a process of its own."""
    numbers, guard = iter(range(first, last)), threading.Lock()
    with provrepo.open(Path(data)) as repository:
        repository.context.store.follower.start()  # as in a server, which loads many at once

        def submit() -> None:
            while True:
                with guard:
                    number = next(numbers, None)
                if number is None:
                    return
                repository.submit(_document(f"d{number}"), project="grown", name=f"d{number}", format="provjson")

        threads = [threading.Thread(target=submit) for _ in range(_SUBMITTERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = next(info.documents for info in repository.projects() if info.name == "grown")
    if stored < last:
        raise RuntimeError(f"{stored} of {last} documents were stored")
    return {"documents": stored}


def _document(name: str) -> bytes:
    return pipeline(STATEMENTS, salt=f"{name}-").write("provjson")


def _measured(data: Path, token: str, size: int) -> dict[str, float]:
    starts = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with served(data) as server:
            answer = Connection(server.address, token=token).send("GET", "/ready")
            starts.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"/ready is {answer.status}")
    seconds: dict[str, list[float]] = {"submission": [], "query": [], "after": []}
    with served(data) as server:
        connection = Connection(server.address, token=token)

        def submitted(name: str) -> float:
            content = _document(name)
            path = f"/projects/grown/documents?name={name}"
            with stopwatch() as watch:
                answer = connection.send("POST", path, content, Content_Type="application/json")
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {answer.body[:200]!r}")
            return watch.seconds

        def asked(name: str) -> float:
            query = f"ASK {{ <http://example.org/run/a{name}-0> ?p ?o }}"
            with stopwatch() as watch:
                answer = connection.query(query, path="/projects/grown/sparql")
            if b"true" not in answer.body:
                raise RuntimeError(f"{answer.status} {answer.body[:200]!r}")
            return watch.seconds

        for number in range(_MEASURED // 6):
            submitted(f"w{size}-{number}")  # a worker is started
        used = processor(server.process)
        seconds["submission"] = [submitted(f"s{size}-{number}") for number in range(_MEASURED)]
        used = processor(server.process) - used
        time.sleep(3)  # until what waits is loaded
        asked("d0")
        seconds["query"] = [asked(f"d{number % size}") for number in range(_MEASURED)]
        for number in range(_MEASURED):
            name = f"q{size}-{number}"
            submitted(name)
            seconds["after"].append(asked(name))
    found = {name: median(values) * 1000 for name, values in seconds.items()}
    return {"start": median(starts), "processor": used / _MEASURED * 1000, **found}
