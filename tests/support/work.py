"""How much work or memory something takes, counted and not timed: counts are the same on a busy machine."""

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
"""Seconds of processor time that stand for no end: a hundred times what anything in ``bounded`` takes."""


def steps(function: Callable[[], object]) -> int:
    """How many lines of Python something executes, and how many calls it makes, in this thread."""
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
    """End the test where what is inside has no end for all one can tell.

    For loops of C that nobody can count, such as those of a regular expression that tries everything again and again,
    on inputs so large that this would take hours. It is no measurement: what ends is right, however long it took.
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
    """The most memory that this process had, in MiB.

    ``ru_maxrss`` starts with that of the process that made this one: on Linux it survives ``execve``.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        scale = 20 if sys.platform == "darwin" else 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> scale
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10
