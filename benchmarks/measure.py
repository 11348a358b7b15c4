"""Run one measurement in a process of its own, so that times and peak memory belong to it alone."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class Stopwatch:
    """Wall-clock seconds of a block, and processor seconds of this process during it."""

    seconds: float = 0.0
    processor: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure a block; the stopwatch has the times after its end."""
    watch = Stopwatch()
    start, processor = time.perf_counter(), time.process_time()
    yield watch
    watch.seconds, watch.processor = time.perf_counter() - start, time.process_time() - processor


def peak_mib(who: int = resource.RUSAGE_SELF) -> float:
    """Peak resident memory in MiB: of this process, or of its children that have ended."""
    peak = resource.getrusage(who).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def isolated(module: str, **arguments: Any) -> dict[str, Any]:
    """Call ``benchmarks.<module>.measure(**arguments)`` in a new process; returns its result and ``peak_mib``."""
    command = [sys.executable, "-m", "benchmarks.measure", module, json.dumps(arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def best(times: int, action: Callable[[], T]) -> tuple[float, T]:
    """The seconds of the fastest of several runs, which other work disturbed least, and the result of the last run."""
    seconds = []
    for _ in range(times):
        with stopwatch() as watch:
            result = action()
        seconds.append(watch.seconds)
    return min(seconds), result


def main() -> None:
    from importlib import import_module

    module, arguments = sys.argv[1], json.loads(sys.argv[2])
    result = import_module(f"benchmarks.{module}").measure(**arguments)
    json.dump({**result, "peak_mib": peak_mib()}, sys.stdout)


if __name__ == "__main__":
    main()
