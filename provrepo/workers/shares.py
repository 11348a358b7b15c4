"""Places that the classes of callers share, so that no class keeps a higher one waiting.

Of ``n`` places strangers have at most half, strangers and readers together at most three quarters, and writers all. So
from two places on there is one that only a writer may have, and from three on one that no stranger may have. Where
there are fewer, who has waited for ``GRACE`` seconds has work of a lower class stopped
(``docs/adr/0014-shares-of-callers.md``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from provrepo.errors import Busy, WorkerFailed
from provrepo.workers.callers import Caller, Client

__all__ = ["GRACE", "Figures", "Line", "Place", "Places", "shares"]

T = TypeVar("T")

GRACE = 0.5
"""Seconds that a caller waits before work of a lower class is stopped for it. Most calls take less."""

GLANCE = 0.2
"""Seconds between two looks at whether the client is still there."""

_CLASSES = tuple(Caller)

Figures = Mapping[Caller, tuple[int, int]]
"""Of each class how many work, and how many wait."""


def shares(size: int) -> dict[Caller, int]:
    """How many of ``size`` places each class may have, together with the classes below it."""
    return {
        Caller.STRANGER: max(1, size // 2),
        Caller.READER: max(1, 3 * size // 4),
        Caller.WRITER: size,
    }


class Line(Generic[T]):
    """Who waits for a place and how many work, without threads or clocks: the caller locks."""

    def __init__(self, size: int, waiting: Mapping[Caller, int] | None = None) -> None:
        """Nobody waits yet.

        Args:
            size: how many places there are.
            waiting: of a class, how many may wait; any number where it is not given.
        """
        self.size = size
        self._most = shares(size)
        self._waiting = dict(waiting or {})
        self._queues: dict[Caller, deque[T]] = {caller: deque() for caller in Caller}
        self._working = dict.fromkeys(Caller, 0)

    def put(self, item: T, caller: Caller) -> bool:
        """Let something wait; False, and nothing done, where too many of its class wait already."""
        queue = self._queues[caller]
        if len(queue) >= self._waiting.get(caller, len(queue) + 1):
            return False
        queue.append(item)
        return True

    def most(self, caller: Caller) -> int:
        """How many places a class may have, together with the classes below it."""
        return self._most[caller]

    def take(self) -> tuple[T, Caller] | None:
        """What may start now, which is then at work: of the highest class first, in the order in which it came."""
        for caller in reversed(_CLASSES):
            if self._queues[caller] and self._blocked(caller) is None:
                self._working[caller] += 1
                return self._queues[caller].popleft(), caller
        return None

    def start(self, caller: Caller) -> bool:
        """Let something of a class start at once, before those of its class that wait; False where it may not.

        No higher class waits then: lower ones do not go first.
        """
        higher = _CLASSES[_CLASSES.index(caller) + 1 :]
        if self._blocked(caller) is not None or any(self._queues[other] for other in higher):
            return False
        self._working[caller] += 1
        return True

    def done(self, caller: Caller) -> None:
        """Something of a class has ended."""
        self._working[caller] -= 1

    def remove(self, item: T, caller: Caller) -> None:
        """Something does not wait any more.

        Raises:
            ValueError: it did not.
        """
        self._queues[caller].remove(item)

    def clear(self) -> list[T]:
        """Nothing waits any more; what did."""
        found = [item for queue in self._queues.values() for item in queue]
        for queue in self._queues.values():
            queue.clear()
        return found

    def remove_where(self, unwanted: Callable[[T], bool], caller: Caller) -> list[T]:
        """Take out what need not wait any more; what that was."""
        queue = self._queues[caller]
        found = [item for item in queue if unwanted(item)]
        if found:
            self._queues[caller] = deque(item for item in queue if item not in found)
        return found

    def kept_by_lower(self, caller: Caller) -> bool:
        """Whether a class may have no place now, and only lower classes are the reason."""
        limit = self._blocked(caller)
        return limit is not None and not any(
            self._working[other] for other in _CLASSES[_CLASSES.index(caller) : _CLASSES.index(limit) + 1]
        )

    def figures(self) -> Figures:
        """How many work and wait."""
        return {caller: (self._working[caller], len(self._queues[caller])) for caller in Caller}

    def _blocked(self, caller: Caller) -> Caller | None:
        """The class whose share is used up, so that ``caller`` may not start; None where it may."""
        total = 0
        for place, other in enumerate(_CLASSES):
            total += self._working[other]
            if place >= _CLASSES.index(caller) and total >= self._most[other]:
                return other
        return None


class Place:
    """A place that somebody has.

    Attributes:
        caller: its class.
        stop: stops its work; None where that is not possible.
        stopped: whether it was stopped for a higher class.
    """

    __slots__ = ("caller", "stop", "stopped")

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.stopped = False
        self.stop: Callable[[], None] | None = None


class Places:
    """A line for threads: each waits until it has a place. Safe to use from many threads."""

    def __init__(
        self, size: int, what: str, waiting: Mapping[Caller, int] | None = None, *, grace: float = GRACE
    ) -> None:
        """All places are free.

        Args:
            size: how many there are.
            what: they are, in the plural, for messages.
            waiting: of a class, how many may wait.
            grace: seconds after which work of a lower class is stopped, where it can be.
        """
        self._what = what
        self._grace = grace
        self._changed = threading.Condition()
        self._line: Line[Place] = Line(size, waiting)
        self._working: list[Place] = []
        self._closed = False

    def enter(self, client: Client, patience: float | None = None) -> Place:
        """Wait for a place.

        Args:
            client: for whom.
            patience: seconds to wait; None for as long as it takes.

        Raises:
            Busy: too many of the class wait already, or none became free within ``patience``.
            WorkerFailed: the client is gone, or the places are closed.
        """
        place = Place(client.caller)
        start = time.monotonic()
        with self._changed:
            if self._closed:
                raise self._end()
            # Who comes now goes before those who wait in threads that have to be woken first. To hand each place over
            # would cost two changes of threads a call, and with a busy interpreter 5 ms each.
            if self._line.start(place.caller):
                self._working.append(place)
            elif not self._line.put(place, place.caller):
                raise Busy(f"too many callers wait for {self._what} already; try again later")
            while place not in self._working:
                waited = time.monotonic() - start
                if self._closed:
                    raise self._end()
                if patience is not None and waited >= patience:
                    self._line.remove(place, place.caller)
                    most = self._line.most(place.caller)
                    raise Busy(f"all {most} {self._what} that this caller may have are taken; try again later")
                if client.disconnected is not None and client.disconnected():
                    self._line.remove(place, place.caller)
                    raise WorkerFailed("the client has closed the connection")
                if waited >= self._grace:
                    self._stop_one(place.caller)
                left = [GLANCE, *([] if patience is None else [patience - waited])]
                self._changed.wait(min(left))
                self._admit()
        return place

    def stoppable(self, place: Place, stop: Callable[[], None] | None) -> None:
        """Say how the work at a place can be stopped; with None, that it no longer can.

        Args:
            place: which.
            stop: must return at once; it is called with the places locked.
        """
        with self._changed:
            place.stop = stop

    def leave(self, place: Place) -> None:
        """Give a place back."""
        with self._changed:
            self._working.remove(place)
            self._line.done(place.caller)
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more; who waits gets ``WorkerFailed``."""
        with self._changed:
            self._closed = True
            self._line.clear()
            self._changed.notify_all()

    def reset(self) -> None:
        """Begin anew with all places free: after a fork they are the parent's."""
        self._changed = threading.Condition()
        self._line.clear()
        for place in self._working:
            self._line.done(place.caller)
        self._working = []

    def figures(self) -> Figures:
        """How many of each class work and wait."""
        with self._changed:
            return self._line.figures()

    def _admit(self) -> None:
        while (found := self._line.take()) is not None:
            self._working.append(found[0])
            self._changed.notify_all()

    def _stop_one(self, caller: Caller) -> None:
        """Stop the newest work of the lowest class, where lower classes alone keep a caller waiting."""
        if not self._line.kept_by_lower(caller) or any(place.stopped for place in self._working):
            return
        able = [place for place in self._working if place.stop is not None]
        for below in _CLASSES[: _CLASSES.index(caller)]:
            for place in reversed(able):
                if place.caller is below and place.stop is not None:
                    place.stopped = True
                    place.stop()
                    return

    def _end(self) -> WorkerFailed:
        return WorkerFailed(f"the pool of {self._what} is closed")
