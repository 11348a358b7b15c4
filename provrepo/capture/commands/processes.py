"""Runs a command transparently: signals, exit status, files and terminal are as without a process in between."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["NOT_EXECUTABLE", "NOT_FOUND", "Abandoned", "Process", "as_by_a_shell"]

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes of a command that could not be started, as in a shell."""

_FORWARDED = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]
_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to its whole foreground process group, so the command receives them itself."""


class Abandoned(BaseException):
    """A signal arrived after the command had ended: the work that is left is given up."""


def as_by_a_shell(status: int) -> int:
    """An exit status as in ``$?``.

    Args:
        status: as ``Popen.wait`` returns it: negative for a signal.
    """
    return 128 - status if status < 0 else status


class Process:
    """A command that receives the signals of this process while it runs, and shares its files and its terminal.

    Args:
        words: the command and its arguments.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._over = False

    def run(self, environment: Mapping[str, str] | None) -> int:
        """Run the command and wait for it.

        Args:
            environment: the environment; None to inherit it.

        Returns:
            The exit status, negative for a signal; 126 or 127, after a message, where it could not be started.
        """
        try:
            self._child = self._start(environment)
        except OSError as error:
            self._over = True
            print(f"provrepo run: {self._words[0]}: {error.strerror}", file=sys.stderr)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        for number in self._early:
            self._send(number)
        status = self._child.wait()
        self._over = True
        return status

    def _start(self, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        # Descriptors stay open: make passes its job server in some, and scripts their redirections.
        try:
            return subprocess.Popen(self._words, env=environment, close_fds=False)
        except OSError as error:
            program = shutil.which(self._words[0])
            if error.errno != errno.ENOEXEC or program is None:
                raise
        shell = ["/bin/sh", program, *self._words[1:]]  # a script without an interpreter line, as in execvp(3)
        return subprocess.Popen(shell, env=environment, close_fds=False)

    @contextmanager
    def forwarding(self) -> Iterator[None]:
        """Forward signals to the command. After its end a signal raises ``Abandoned`` inside the block."""
        before = {}
        if threading.current_thread() is threading.main_thread():
            for number in _FORWARDED:
                if (
                    signal.getsignal(number) is not signal.SIG_IGN
                ):  # the command inherits an ignored signal, as under nohup
                    before[number] = signal.signal(number, self._forward)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._over:
            raise Abandoned
        if number in _KEYS and _in_foreground():
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self._child is not None:
                self._child.send_signal(number)


def _in_foreground() -> bool:
    """Whether this process is in the foreground process group of its terminal."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
