"""How long connections may take, and how many the process can have."""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Descriptors", "ConnectionLimits", "ThrottledWarning", "raise_descriptors"]

_WANTED = 8192
"""Descriptors to ask the system for: each connection can take a second one, for a large body or answer."""

_RESERVED = 512
"""Descriptors that are kept from connections: for the ledger, the views, and pipes of workers."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections. Times are in seconds, rates in bytes per second.

    What takes long because it is long has ``start`` seconds, and one second more for each ``rate`` bytes that have
    been moved.

    Attributes:
        connections: the most that are open at a time; beyond them, the least useful ones are closed.
        body: the largest body of a request, in bytes.
        head: from the first byte of a request to the end of its head; also from the connection to the first byte.
        idle: between an answer and the next request.
        start: for a body, and for the reader of an answer.
        rate: of a body that is sent, and of an answer that is read.
        blocked_rate: of an answer so large that a thread waits for its reader.
        linger: before a refused connection is closed, so that the client can read the refusal.
        memory: bytes of a body that are kept in memory; the rest is in a temporary file.
        total: bytes that all connections may have in bodies and in answers.
        tend: between two judgements of all connections.
        pause: without accepting connections, where no descriptor is left.
        clock: the time in seconds, from any beginning.
    """

    connections: int = 2000
    body: int = 32 << 20
    head: float = 20.0
    idle: float = 30.0
    start: float = 30.0
    rate: float = 8 << 10
    blocked_rate: float = 256 << 10
    linger: float = 5.0
    memory: int = 128 << 10
    total: int = 2 << 30
    tend: float = 1.0
    pause: float = 1.0
    clock: Callable[[], float] = time.monotonic


def raise_descriptors() -> int:
    """Raise the limit of descriptors of this process as far as it may and it is of use; the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _WANTED
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a further limit, which getrlimit does not show
            return soft
        return wanted
    return soft


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The descriptors of this process.

    Attributes:
        limit: how many there may be.
    """

    limit: int

    @property
    def reserved(self) -> int:
        """Those that connections must not take."""
        return min(_RESERVED, self.limit // 2)

    def connections(self, wanted: int) -> int:
        """How many connections there may be, if it is the number that is wanted or less."""
        return max(1, min(wanted, self.limit - self.reserved))

    def scarce(self, number: int | None = None) -> bool:
        """Whether connections have to leave the rest to others.

        The system gives the lowest number that is free, so that as many descriptors as it says are in use.

        Args:
            number: of the newest descriptor; one is opened where it is not given.
        """
        if number is None:
            try:
                number = os.open(os.devnull, os.O_RDONLY)
            except OSError:
                return True
            os.close(number)
        return number >= self.limit - self.reserved // 2


class ThrottledWarning:
    """Writes a line of log at most once in an interval, and then says how often it happened."""

    def __init__(self, log: logging.Logger, message: str, clock: Callable[[], float], interval: float = 60.0) -> None:
        """Write nothing yet.

        Args:
            log: takes it as a warning.
            message: with one ``%d`` for the number.
            clock: the time in seconds.
            interval: seconds between two lines.
        """
        self._log, self._message, self._clock, self._interval = log, message, clock, interval
        self._count = 0
        self._next = clock()

    def add(self, number: int = 1) -> None:
        """It has happened once more."""
        self._count += number
        self.write()

    def write(self) -> None:
        """Write what there is to say, if it is time."""
        if self._count and self._clock() >= self._next:
            self._log.warning(self._message, self._count)
            self._count = 0
            self._next = self._clock() + self._interval
