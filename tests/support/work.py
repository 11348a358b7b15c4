"""Measures of work and memory that do not depend on the load of the machine: counts instead of times."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ENDLESS = 120
"""Processor seconds that count as endless: a hundred times more than any block in ``bounded`` takes."""


def steps(function: Callable[[], object]) -> int:
    """The number of lines of Python, and of calls, that a function executes in this thread."""
    counted = 0

    def seen(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += 1
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        function()
    finally:
        sys.settrace(before)
    return counted


@contextmanager
def bounded() -> Iterator[None]:
    """A block that fails the test when it takes ``ENDLESS`` seconds of processor time.

    It is for loops in C, which cannot be counted, such as the backtracking of a regular expression, on inputs for which
    these would take hours. It does not measure: any block that ends passes.
    """

    def out_of_time(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still at work after {ENDLESS} s of processor time")

    before = signal.signal(signal.SIGPROF, out_of_time)
    signal.setitimer(signal.ITIMER_PROF, ENDLESS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def peak() -> int:
    """The peak resident memory of this process in MiB.

    ``ru_maxrss`` starts with that of the process that made this one: on Linux it survives ``execve``.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        scale = 20 if sys.platform == "darwin" else 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> scale
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10
