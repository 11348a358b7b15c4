"""A server under steady mixed load for an hour: growth of memory and other resources, and failures. Requires Linux.

Documents are replaced, not added, so the datasets keep their size, and memory should not grow. The ledger and its blobs
keep every version, so the data directory grows by a known amount for each submission.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from benchmarks.generate import EX, pipeline
from benchmarks.served import Connection, Server, served
from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings

EVERY = 10.0
"""Seconds between two samples."""

SETTLED = 300.0
"""Seconds after which growth is measured: workers have started and caches are full."""

STEPS = 97
DOCUMENTS = 10
LONG_QUERY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
_MIB = 1 << 20


class Sample(NamedTuple):
    """The resources of the server at one time.

    Attributes:
        seconds: the time since the start.
        server: resident memory of the server's process, in MiB.
        anonymous: the part of it that does not belong to files, in MiB.
        workers: the sum of the resident memory of its worker processes, in MiB.
        processes: the number of worker processes.
        descriptors: the number of open files of the server.
        threads: the number of its threads.
        checkpoints: the number of directories of checkpoints.
    """

    seconds: float
    server: float
    anonymous: float
    workers: float
    processes: int
    descriptors: int
    threads: int
    checkpoints: int


@dataclass
class Tally:
    """Times and results of the requests of one kind."""

    taken: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)


@dataclass
class Kind:
    """Requests that are sent at a constant rate.

    Attributes:
        name: its name in the table.
        every: seconds from one request to the next.
        send: sends a request, given its number, and returns the HTTP status.
        expected: the statuses that are not failures.
        tally: the results.
    """

    name: str
    every: float
    send: Callable[[Connection, int], int]
    expected: frozenset[int] = frozenset({200})
    tally: Tally = field(default_factory=Tally)


def table(directory: Path, minutes: float) -> list[str]:
    """Run for some minutes; returns growth and requests as Markdown."""
    data = directory / "soak"
    token = _prepare(data)
    kinds = _kinds()
    before = _sizes(data)
    with served(data) as server:
        samples = _run(server, data, token, kinds, 60 * minutes)
    return [*_growth(samples), "", *_requests(kinds), "", *_disk(before, _sizes(data))]


def _prepare(data: Path) -> str:
    """Submit a large document, and small ones to be replaced, all public; returns a token that may replace them."""
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.create_project("large", public=True)
        repository.create_project("live", public=True)
        repository.submit(pipeline(20_000).write("turtle"), project="large", name="large", format="turtle")
        for number in range(DOCUMENTS):
            repository.submit(_changing(number, 0), project="live", name=f"d{number}", format="provjson")
        return repository.create_token("soak", write=True)[0]


def _changing(document: int, turn: int) -> bytes:
    return pipeline(100, salt=f"d{document}t{turn}-").write("provjson")


# The load


def _kinds() -> list[Kind]:
    return [
        Kind("look-ups", 0.02, _look_up),
        Kind("CONSTRUCT, aggregates, one version", 2.0, _query),
        Kind("lineage, search, things", 3.0, _about),
        Kind("pages", 3.0, _page),
        Kind("exports", 3.0, _export),
        Kind("new versions, with a query", 5.0, _submit),
        Kind("long queries, killed after 1 s", 4.0, _send_long_query, frozenset({503})),
    ]


def _look_up(connection: Connection, number: int) -> int:
    return connection.query(f"SELECT ?o {{ <{EX}a{number % STEPS}> prov:used ?o }}").status


_QUERIES = (
    ("/sparql", "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n)"),
    ("/projects/large/sparql", "CONSTRUCT { ?e prov:wasInfluencedBy ?a } { ?e prov:wasGeneratedBy ?a } LIMIT 3000"),
    ("/projects/live/sparql", "SELECT ?a (COUNT(?e) AS ?n) { ?a prov:used ?e } GROUP BY ?a"),
    ("/projects/large/sparql", f"SELECT ?e {{ <{EX}out400> prov:wasDerivedFrom+ ?e }}"),
    ("/projects/live/documents/d1/versions/1/sparql", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"),
)


def _query(connection: Connection, number: int) -> int:
    path, query = _QUERIES[number % len(_QUERIES)]
    return connection.query(query, path=path).status


def _about(connection: Connection, number: int) -> int:
    thing = quote(f"{EX}out{number % STEPS}", safe="")
    paths = (f"/lineage?iri={thing}", "/search?q=output", f"/thing?iri={thing}", f"/lineage?iri={thing}&format=turtle")
    return connection.send("GET", paths[number % len(paths)]).status


def _page(connection: Connection, number: int) -> int:
    paths = ("/", "/projects/live", f"/projects/live/documents/d{number % DOCUMENTS}", "/sparql", "/queries")
    return connection.send("GET", paths[number % len(paths)], Accept="text/html").status


def _export(connection: Connection, number: int) -> int:
    suffix = ("json", "ttl", "provn", "xml", "nq", "jsonld")[number % 6]
    return connection.send("GET", f"/projects/live/documents/d{number % DOCUMENTS}.{suffix}").status


def _submit(connection: Connection, number: int) -> int:
    """Submit a new version; returns its status, or 0 where the next query does not find it."""
    document, turn = number % DOCUMENTS, number + 1
    path = f"/projects/live/documents/d{document}"
    kind = "application/json"
    status = connection.send("PUT", path, _changing(document, turn), If_Match="*", Content_Type=kind).status
    found = connection.query(f"ASK {{ <{EX}ad{document}t{turn}-0> prov:used ?o }}")
    return status if b"true" in found.body else 0


def _send_long_query(connection: Connection, number: int) -> int:
    return connection.send("GET", "/sparql?" + urlencode({"query": LONG_QUERY, "timeout": 1})).status


def _run(server: Server, data: Path, token: str, kinds: list[Kind], seconds: float) -> list[Sample]:
    over = threading.Event()
    threads = [threading.Thread(target=_keep_sending, args=(kind, server, token, over)) for kind in kinds]
    for thread in threads:
        thread.start()
    samples = []
    start = time.monotonic()
    try:
        while (passed := time.monotonic() - start) < seconds:
            samples.append(_sample(server.process, data, passed))
            _report(samples)
            over.wait(EVERY)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return samples


def _keep_sending(kind: Kind, server: Server, token: str, over: threading.Event) -> None:
    connection = Connection(server.address, token=token)
    number, due = 0, time.monotonic()
    while not over.is_set():
        start = time.monotonic()
        try:
            status = kind.send(connection, number)
            kind.tally.statuses[status] += 1
            kind.tally.taken.append(time.monotonic() - start)
            if status not in kind.expected:
                kind.tally.unexpected[str(status)] += 1
        except OSError as error:
            kind.tally.unexpected[type(error).__name__] += 1
            connection.close()
            connection = Connection(server.address, token=token)
        number += 1
        # Requests that are late are skipped, so that the rate stays constant.
        due = max(due + kind.every, time.monotonic())
        over.wait(max(0.0, due - time.monotonic()))
    connection.close()


# Resources


def _sample(process: int, data: Path, seconds: float) -> Sample:
    status = _status(process)
    workers = [_status(child) for child in _children(process)]
    return Sample(
        seconds,
        status.get("VmRSS", 0) / 1024,
        status.get("RssAnon", 0) / 1024,
        sum(worker.get("VmRSS", 0) for worker in workers) / 1024,
        len(workers),
        len(list(Path(f"/proc/{process}/fd").iterdir())),
        status.get("Threads", 0),
        len(list((data / "views" / "quads-checkpoints").glob("*/*"))),
    )


def _status(process: int) -> dict[str, int]:
    """The numbers of ``/proc/PID/status``, sizes in KiB; empty for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    fields = (line.replace(":", " ").split() for line in lines)
    return {words[0]: int(words[1]) for words in fields if len(words) > 1 and words[1].isdigit()}


def _children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            yield from map(int, (task / "children").read_text().split())
        except OSError:
            continue


def _sizes(data: Path) -> dict[str, float]:
    """MiB of each directory and file in the data directory; several links to a file count once."""
    found: Counter[str] = Counter()
    seen = set()
    for path in sorted(data.rglob("*")):
        try:
            status = path.lstat()
        except OSError:
            continue
        if path.is_file() and status.st_ino not in seen:
            seen.add(status.st_ino)
            parts = path.relative_to(data).parts
            found["/".join(parts[:2] if parts[0] == "views" else parts[:1])] += status.st_size
    return {name: size / _MIB for name, size in sorted(found.items())}


def _report(samples: list[Sample]) -> None:
    """Print a line each minute."""
    if len(samples) % 6 == 1:
        last = samples[-1]
        print(
            f"{last.seconds:6.0f} s: server {last.server:.1f} MiB ({last.anonymous:.1f} anonymous), {last.processes} "
            f"workers {last.workers:.1f} MiB, {last.descriptors} descriptors, {last.threads} threads, "
            f"{last.checkpoints} checkpoints",
            file=sys.stderr,
            flush=True,
        )


# Tables


def _growth(samples: list[Sample]) -> list[str]:
    length = samples[-1].seconds
    counted = [sample for sample in samples if sample.seconds >= min(SETTLED, length / 4)]
    rows = [
        f"| {length / 60:.0f} minutes, {len(samples)} samples | after {counted[0].seconds / 60:.0f} min | at the end "
        "| most | slope per hour |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, title in (
        ("server", "server, resident MiB"),
        ("anonymous", "of it anonymous, MiB"),
        ("workers", "workers together, resident MiB"),
        ("processes", "workers"),
        ("descriptors", "open files"),
        ("threads", "threads"),
        ("checkpoints", "checkpoint directories"),
    ):
        values = [float(getattr(sample, name)) for sample in counted]
        slope = _slope([sample.seconds for sample in counted], values)
        rows.append(f"| {title} | {values[0]:.1f} | {values[-1]:.1f} | {max(values):.1f} | {3600 * slope:+.1f} |")
    return rows


def _slope(seconds: list[float], values: list[float]) -> float:
    """The slope of the linear regression."""
    return statistics.linear_regression(seconds, values).slope if len(seconds) > 1 else 0.0


def _requests(kinds: list[Kind]) -> list[str]:
    rows = ["| requests | sent | p50 ms | p99 ms | longest ms | failures |", "|---|---:|---:|---:|---:|---|"]
    for kind in kinds:
        taken = sorted(kind.tally.taken) or [0.0]
        failures = ", ".join(f"{count} × {what}" for what, count in sorted(kind.tally.unexpected.items()))
        rows.append(
            f"| {kind.name} | {sum(kind.tally.statuses.values()):,} | {1000 * taken[len(taken) // 2]:.1f} "
            f"| {1000 * taken[int(len(taken) * 0.99)]:.1f} | {1000 * taken[-1]:.0f} | {failures or 'none'} |"
        )
    return rows


def _disk(before: dict[str, float], after: dict[str, float]) -> list[str]:
    rows = ["| on disk, MiB | before | after |", "|---|---:|---:|"]
    for name in sorted({*before, *after}):
        rows.append(f"| `{name}` | {before.get(name, 0):.1f} | {after.get(name, 0):.1f} |")
    return rows
