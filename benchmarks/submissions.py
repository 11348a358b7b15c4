"""Durable submissions: the number per second, and the time of a large one until queries find it."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import provrepo
from benchmarks.generate import pipeline
from benchmarks.measure import isolated, peak_mib, stopwatch


def measure(what: str, data: str, **arguments: Any) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    return {"rate": _rate, "large": _large}[what](Path(data), **arguments)


def _rate(data: Path, documents: int, profiles: list[str]) -> dict[str, Any]:
    """Documents of 100 statements in PROV-JSON, one after the other, each with its own ledger entry and fsync."""
    contents = [pipeline(100, salt=f"d{number}-").write("provjson") for number in range(documents + 5)]
    with provrepo.open(data) as repository:
        repository.create_project("rate", profiles=profiles)
        for number, content in enumerate(contents[:5]):
            repository.submit(content, project="rate", name=f"warm{number}")
        latencies = []
        with stopwatch() as whole:
            for number, content in enumerate(contents[5:]):
                with stopwatch() as one:
                    repository.submit(content, project="rate", name=f"d{number}")
                latencies.append(one.seconds)
        count = repository.query("SELECT (COUNT(*) AS ?n) WHERE { ?a a prov:Activity }", project="rate").rows
    latencies.sort()
    return {
        "per_second": documents / whole.seconds,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "activities": int(count[0]["n"].lexical),
    }


def _large(data: Path, format: str, statements: int, profiles: list[str]) -> dict[str, Any]:  # noqa: A002
    """Submit one large document; the receipt states that queries find it."""
    content = pipeline(statements).write(format)
    with provrepo.open(data) as repository:
        repository.create_project("large", profiles=profiles)
        with stopwatch() as watch:
            receipt = repository.submit(content, project="large", name="large")
        if not receipt.indexed:
            raise RuntimeError("the submission was not indexed")
    return {
        "seconds": watch.seconds,
        "bytes": len(content),
        "statements": receipt.version.statements,
        "worker_mib": peak_mib(resource.RUSAGE_CHILDREN),
    }


def table(directory: Path, statements: int) -> list[str]:
    """Both measurements as Markdown."""
    rows = ["| 100-statement PROV-JSON, one submitter | per second | p50 ms | p99 ms |", "|---|---:|---:|---:|"]
    for profiles in ([], ["core"]):
        title = "with profile core" if profiles else "no profile"
        found = isolated(
            "submissions", what="rate", data=str(directory / f"rate{len(profiles)}"), documents=200, profiles=profiles
        )
        rows.append(f"| {title} | {found['per_second']:.0f} | {found['p50_ms']:.0f} | {found['p99_ms']:.0f} |")
    rows += [
        "",
        "| one document, from bytes to query results | statements | MB | seconds | peak MiB | peak MiB of the worker |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for format_ in ("provjson", "turtle"):
        for profiles in ([], ["core"]):
            found = isolated(
                "submissions",
                what="large",
                data=str(directory / f"large-{format_}{len(profiles)}"),
                format=format_,
                statements=statements,
                profiles=profiles,
            )
            title = f"{format_}, {'profile core' if profiles else 'no profile'}"
            rows.append(
                f"| {title} | {found['statements']:,} | {found['bytes'] / 1e6:.1f} | {found['seconds']:.1f} "
                f"| {found['peak_mib']:.0f} | {found['worker_mib']:.0f} |"
            )
    return rows
