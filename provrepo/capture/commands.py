"""Running a command as a step: the files that it is said to read and write are recorded."""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from provrepo.capture import plans
from provrepo.capture.edge import contained, enabled
from provrepo.capture.files import Pending, Signature, absolute, signature
from provrepo.capture.private import command as told
from provrepo.capture.recorder import Activity, Recorder
from provrepo.capture.sessions import default_name, place

__all__ = ["NOT_EXECUTABLE", "NOT_FOUND", "run"]

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes of a command that could not be started, as shells have them."""

_FORWARDED = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]
_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to the whole group of processes: the command has it already."""


def run(words: Sequence[str], inputs: Sequence[str], outputs: Sequence[str], out: Path | None = None) -> int:
    """Run a command, and record it.

    Args:
        words: the command and its arguments.
        inputs: globs of files that it reads, looked up before it starts.
        outputs: globs of files that it writes: those that are new or changed when it has ended.
        out: where the document goes; otherwise ``prov/NAME.trig``.

    Returns:
        The exit status as a shell gives it: 128 and the signal where one ended the command.
    """
    if not enabled():
        return _run(words)
    recorder = contained(_begun)(words, inputs, out)
    before = contained(_matching)(outputs) or {}
    status = _run(words)
    if recorder is not None:
        contained(_ended)(recorder, status, outputs, before)
    return status


def _begun(words: Sequence[str], inputs: Sequence[str], out: Path | None) -> Recorder:
    name = Path(words[0]).name
    session = default_name(name)
    program = shutil.which(words[0])
    plan = {"name": program or words[0], **plans.of_file(program)}
    recorder = Recorder(session, place(session, out), None, outside=False, plan=plan)
    activity = Activity(recorder, name, recorder.root, recorder.plan(None, plan))
    activity.parameter("command", shlex.join(told(words)))
    for path in _matching(inputs):
        contained(activity.read)(path)
    return recorder


def _ended(recorder: Recorder, status: int, outputs: Sequence[str], before: dict[str, Signature]) -> None:
    (activity,) = (a for a in recorder.open.values() if a is not recorder.root)
    for path, mark in _matching(outputs).items():
        if before.get(path) != mark:
            recorder.files.rewritten(path)
            activity.pending[path] = Pending(None, None, True, time.time())
    activity.end(f"exit {status}" if status else None)
    recorder.close()


def _matching(patterns: Sequence[str]) -> dict[str, Signature]:
    """The regular files that globs stand for, in the order of their names; ``**`` is any number of folders."""
    found = {absolute(name) for pattern in patterns for name in glob.glob(pattern, recursive=True)}  # noqa: PTH207
    marks = {path: signature(path) for path in sorted(found)}
    return {path: mark for path, mark in marks.items() if mark is not None}


def _run(words: Sequence[str]) -> int:
    try:
        child = subprocess.Popen(words)
    except OSError as error:
        print(f"{words[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    with _forwarding(child):
        status = child.wait()
    return 128 - status if status < 0 else status


@contextmanager
def _forwarding(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Signals to this process are the command's."""

    def forward(number: int, _frame: FrameType | None) -> None:
        if number not in _KEYS or not os.isatty(0):
            with suppress(ProcessLookupError):
                child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
