"""Limits of connections: durations, sizes, and the number of file descriptors."""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

from provrepo.limits import BODY_BYTES

__all__ = ["ConnectionLimits", "Descriptors", "ThrottledWarning", "raise_descriptors"]

_WANTED = 8192
"""The number of descriptors to request from the system: a connection may need a second one, for a temporary file."""

_RESERVED = 512
"""Descriptors that connections must leave free: for the ledger, the views, and pipes of workers."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections. Times are in seconds, rates in bytes per second, sizes in bytes.

    A transfer may take ``start`` seconds, and one second more for each ``rate`` bytes transferred so far.

    Attributes:
        connections: the most open connections; beyond that, the least useful ones are closed.
        body: the largest body of a request.
        head: from the first byte of a request to the end of its head; also from connecting to the first byte.
        idle: between a response and the next request.
        start: the fixed part of the time for receiving a body, and for sending a response.
        rate: the least rate for receiving a body, and for sending a response.
        blocked_rate: the least rate for sending a response so large that a thread is blocked until it is sent.
        linger: before a refused connection is closed, so that the client can read the refusal.
        memory: the part of a body that is kept in memory; a larger body is spooled to a temporary file.
        total: the total size of bodies and responses that are buffered for all connections.
        check_interval: between two checks of all connections.
        pause: the time without accepting connections after descriptors have run out.
        clock: a monotonic time in seconds.
    """

    connections: int = 2000
    body: int = BODY_BYTES
    head: float = 20.0
    idle: float = 30.0
    start: float = 30.0
    rate: float = 8 << 10
    blocked_rate: float = 256 << 10
    linger: float = 5.0
    memory: int = 128 << 10
    total: int = 2 << 30
    check_interval: float = 1.0
    pause: float = 1.0
    clock: Callable[[], float] = time.monotonic


def raise_descriptors() -> int:
    """Raise the descriptor limit of this process up to ``_WANTED`` or the hard limit; return the limit in force."""
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
    """The file descriptors of this process.

    Attributes:
        limit: the most that it may have.
    """

    limit: int

    @property
    def reserved(self) -> int:
        """The number that connections must leave free."""
        return min(_RESERVED, self.limit // 2)

    def connections(self, wanted: int) -> int:
        """The most connections: ``wanted``, or fewer if the limit requires it."""
        return max(1, min(wanted, self.limit - self.reserved))

    def scarce(self, number: int | None = None) -> bool:
        """Whether too few descriptors are left for further connections.

        The system hands out the lowest free number, so that a new descriptor's number is about the number in use.

        Args:
            number: the number of the newest descriptor; by default one is opened to find out.
        """
        if number is None:
            try:
                number = os.open(os.devnull, os.O_RDONLY)
            except OSError:
                return True
            os.close(number)
        return number >= self.limit - self.reserved // 2


class ThrottledWarning:
    """A log warning about a repeated event, written at most once per interval with the number of events."""

    def __init__(self, log: logging.Logger, message: str, clock: Callable[[], float], interval: float = 60.0) -> None:
        """Create the warning with no events counted.

        Args:
            log: the logger.
            message: the message, with one ``%d`` for the number of events.
            clock: a monotonic time in seconds.
            interval: the least number of seconds between two warnings.
        """
        self._log, self._message, self._clock, self._interval = log, message, clock, interval
        self._count = 0
        self._next = clock()

    def add(self, number: int = 1) -> None:
        """Count events, and write the warning if it is due."""
        self._count += number
        self.write()

    def write(self) -> None:
        """Write the warning if events were counted and it is due."""
        if self._count and self._clock() >= self._next:
            self._log.warning(self._message, self._count)
            self._count = 0
            self._next = self._clock() + self._interval
