"""Mirrors: a project of another server on this machine, copied by ``provrepo mirror``, indexing included."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import provrepo
from benchmarks.generate import pipeline
from benchmarks.measure import peak_mib
from benchmarks.served import served

STATEMENTS = 100_000
"""In all documents together."""

SIZES = (20, 100, 1_000)
"""Statements of a document."""


def table(directory: Path, statements: int = STATEMENTS) -> list[str]:
    """A row for each size of the documents, as Markdown."""
    lines = [
        "| statements of a document | documents | seconds | statements per second | peak MiB | unchanged, seconds |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for size in SIZES:
        origin, copy = directory / f"mirrored-{size}", directory / f"mirror-{size}"
        documents = statements // size
        with provrepo.open(origin) as repository:
            repository.create_project("crops", public=True)
            for number in range(documents):
                data = pipeline(size, salt=f"{size}-{number}-").write("provjson")
                repository.submit(data, project="crops", name=f"d{number}", format="provjson")
        with served(origin) as server:
            host, port = server.address
            url = f"http://{host}:{port}/projects/crops"
            seconds, peak = _timed("--data", str(copy), "mirror", url)
            again, _ = _timed("--data", str(copy), "pull")
        each = f"{documents * size / seconds:,.0f}"
        lines.append(f"| {size:,} | {documents:,} | {seconds:.1f} | {each} | {peak:.0f} | {again:.1f} |")
    return lines


def _timed(*arguments: str) -> tuple[float, float]:
    """The seconds of a command with its start, and the greatest peak memory of all commands so far."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVREPO_")}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "provrepo", *arguments], check=True, stdout=subprocess.DEVNULL, env=kept)
    return time.perf_counter() - began, peak_mib(resource.RUSAGE_CHILDREN)
