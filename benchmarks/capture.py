"""The cost of capture: a pipeline of the standard library with and without it, hashing alone, and single calls."""

from __future__ import annotations

import csv
import hashlib
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import best, isolated, stopwatch

FILES, ROWS = 40, 40_000
CALLS = 3_000


def measure(mode: str, what: str) -> dict[str, Any]:
    """One run, in a process of its own, since capture is on or off for a whole process."""
    os.environ["PROVREPO_CAPTURE"] = mode
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        return {"pipeline": _pipeline, "calls": _calls}[what]()


def _pipeline() -> dict[str, Any]:
    from provrepo.capture import session, step

    @step
    def make(path: str, seed: int) -> None:
        with Path(path).open("w", newline="") as file:
            csv.writer(file).writerows([n, (n * seed * 7919) % 1000, n % 17] for n in range(ROWS))

    class Table(list[list[float]]):
        """Rows that steps pass to each other."""

    @step
    def load(path: str) -> Table:
        with Path(path).open(newline="") as file:
            return Table([float(cell) for cell in row] for row in csv.reader(file))

    @step
    def clean(table: Table) -> Table:
        middle = statistics.fmean(row[1] for row in table)
        return Table(row for row in table if abs(row[1] - middle) < 400)

    @step
    def save(table: Table, path: str) -> None:
        with Path(path).open("w", newline="") as file:
            csv.writer(file).writerows(table)

    start = time.process_time()  # wall-clock time varies by more than the few per cent to measure
    with session("benchmark"):
        for number in range(FILES):
            make(f"raw{number}.csv", number + 1)
            save(clean(load(f"raw{number}.csv")), f"clean{number}.csv")
    seconds, start = time.process_time() - start, time.process_time()
    for path in sorted(Path().glob("*.csv")):
        hashlib.sha256(path.read_bytes()).hexdigest()
    return {"seconds": seconds, "hashing": time.process_time() - start}


def _calls() -> dict[str, Any]:
    from provrepo.capture import session, step

    def plain(number: int) -> int:
        return number

    captured = step(plain)

    def called(function: Any) -> float:
        seconds, _ = best(3, lambda: [function(n) for n in range(CALLS)])
        return seconds / CALLS

    with session("warm"):  # imports the modules that a session needs
        captured(0)
    with stopwatch() as one, session("one"):
        captured(0)
    with session("benchmark"):
        captured(0)
        return {"call": called(captured) - called(plain), "session": one.seconds}


def _import() -> float:
    """Seconds of the import, without the start of the interpreter."""

    def seconds(code: str) -> float:
        return best(9, lambda: subprocess.run([sys.executable, "-c", code], check=True))[0]

    return seconds("import provrepo.capture") - seconds("pass")


def table() -> list[str]:
    """The rows of the Markdown table."""
    runs: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
    for _ in range(4):
        for mode, found in runs.items():
            found.append(isolated("capture", mode=mode, what="pipeline"))
    fastest = {mode: min(run["seconds"] for run in found) for mode, found in runs.items()}
    hashing = min(run["hashing"] for run in runs["on"])
    calls = {mode: isolated("capture", mode=mode, what="calls") for mode in runs}
    more = fastest["on"] - fastest["off"]
    return [
        "| what | |",
        "|---|---:|",
        f"| pipeline of {4 * FILES} steps without capture, CPU | {fastest['off']:.3f} s |",
        f"| with capture, CPU | {fastest['on']:.3f} s |",
        f"| overhead without hashing | {(more - hashing) / fastest['off']:.1%} |",
        f"| hashing | {hashing / fastest['off']:.1%} |",
        f"| a call, on | {calls['on']['call'] * 1e6:.0f} µs |",
        f"| a call, off | {calls['off']['call'] * 1e6:.3f} µs |",
        f"| a session of one step, all modules loaded | {calls['on']['session'] * 1e3:.0f} ms |",
        f"| `import provrepo.capture` | {_import() * 1e3:.0f} ms |",
    ]
