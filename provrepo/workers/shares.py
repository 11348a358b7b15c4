"""Slots that the classes of callers share, so that no class keeps a higher one waiting.

Of ``n`` slots strangers use at most half, strangers and readers together at most three quarters, and writers all. So of
two or more slots one is reserved for writers, and of three or more one is not used by strangers. Where there are fewer,
work of a lower class is stopped for a caller that has waited for ``GRACE`` seconds
(``docs/adr/0014-shares-of-callers.md``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Generic, TypeVar

from provrepo.errors import Busy, WorkerFailed
from provrepo.workers.callers import Caller, Client

__all__ = ["GRACE", "POLL_INTERVAL", "Figures", "Slot", "SlotQueue", "Slots", "shares"]

T = TypeVar("T")

GRACE = 0.5
"""Seconds that a caller waits before work of a lower class is stopped for it; longer than most calls."""

POLL_INTERVAL = 0.2
"""Seconds between two checks that the client is still connected."""

_CLASSES = tuple(Caller)

Figures = Mapping[Caller, tuple[int, int]]
"""For each class the number of callers that have a slot, and of those that wait."""


def shares(size: int) -> dict[Caller, int]:
    """The number of ``size`` slots that each class may use together with the lower classes."""
    return {
        Caller.STRANGER: max(1, size // 2),
        Caller.READER: max(1, 3 * size // 4),
        Caller.WRITER: size,
    }


class SlotQueue(Generic[T]):
    """The queues of the classes for slots, and the slots in use. Not thread-safe: its user locks."""

    def __init__(self, size: int, waiting: Mapping[Caller, int] | None = None) -> None:
        """Empty queues, and all slots free.

        Args:
            size: the number of slots.
            waiting: the most items of each class that may wait; by default any number.
        """
        self.size = size
        self._shares = shares(size)
        self._waiting = dict(waiting or {})
        self._queues: dict[Caller, deque[T]] = {caller: deque() for caller in Caller}
        self._working = dict.fromkeys(Caller, 0)

    def put(self, item: T, caller: Caller) -> bool:
        """Add an item to the queue of its class; return False where the queue is full."""
        queue = self._queues[caller]
        if len(queue) >= self._waiting.get(caller, len(queue) + 1):
            return False
        queue.append(item)
        return True

    def limit(self, caller: Caller) -> int:
        """The number of slots that a class may use together with the lower classes."""
        return self._shares[caller]

    def take(self) -> tuple[T, Caller] | None:
        """Give a slot to the next item: of the highest class that may start, first in, first out; None if none may."""
        for caller in reversed(_CLASSES):
            if self._queues[caller] and self._blocked(caller) is None:
                self._working[caller] += 1
                return self._queues[caller].popleft(), caller
        return None

    def start(self, caller: Caller) -> bool:
        """Give a slot to a caller of a class before waiting ones of its class; return False where it may not start.

        It may not while a higher class waits.
        """
        higher = _CLASSES[_CLASSES.index(caller) + 1 :]
        if self._blocked(caller) is not None or any(self._queues[other] for other in higher):
            return False
        self._working[caller] += 1
        return True

    def free(self, caller: Caller) -> int:
        """The number of slots that a class could take now; 0 while it, or a higher class, waits for one."""
        place = _CLASSES.index(caller)
        if any(self._queues[other] for other in _CLASSES[place:]):
            return 0
        used = accumulate(self._working[other] for other in _CLASSES)
        return max(
            0, min(self._shares[other] - total for other, total in list(zip(_CLASSES, used, strict=True))[place:])
        )

    def done(self, caller: Caller) -> None:
        """Free a slot of a class."""
        self._working[caller] -= 1

    def remove(self, item: T, caller: Caller) -> None:
        """Remove an item from the queue of its class.

        Raises:
            ValueError: it is not in the queue.
        """
        self._queues[caller].remove(item)

    def clear(self) -> list[T]:
        """Empty the queues; return their items."""
        found = [item for queue in self._queues.values() for item in queue]
        for queue in self._queues.values():
            queue.clear()
        return found

    def remove_where(self, unwanted: Callable[[T], bool], caller: Caller) -> list[T]:
        """Remove the unwanted items from the queue of a class; return them."""
        queue = self._queues[caller]
        found = [item for item in queue if unwanted(item)]
        if found:
            self._queues[caller] = deque(item for item in queue if item not in found)
        return found

    def blocked_by_lower(self, caller: Caller) -> bool:
        """Whether a class may not start now, and only lower classes use the slots."""
        limit = self._blocked(caller)
        return limit is not None and not any(
            self._working[other] for other in _CLASSES[_CLASSES.index(caller) : _CLASSES.index(limit) + 1]
        )

    def figures(self) -> Figures:
        """The numbers of slots in use and of waiting items, by class."""
        return {caller: (self._working[caller], len(self._queues[caller])) for caller in Caller}

    def _blocked(self, caller: Caller) -> Caller | None:
        """The class whose share is used up, so that ``caller`` may not start; None where it may."""
        total = 0
        for index, other in enumerate(_CLASSES):
            total += self._working[other]
            if index >= _CLASSES.index(caller) and total >= self._shares[other]:
                return other
        return None


class Slot:
    """A slot in use.

    Attributes:
        caller: the class of its caller.
        stop: stops the work; None where that is not possible.
        stopped: whether the work was stopped for a higher class.
    """

    __slots__ = ("caller", "stop", "stopped")

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.stopped = False
        self.stop: Callable[[], None] | None = None


class Slots:
    """A ``SlotQueue`` for threads, which block until they have a slot. Thread-safe."""

    def __init__(
        self, size: int, what: str, waiting: Mapping[Caller, int] | None = None, *, grace: float = GRACE
    ) -> None:
        """All slots free.

        Args:
            size: the number of slots.
            what: a plural noun for the slots, for messages.
            waiting: the most threads of each class that may wait; by default any number.
            grace: seconds after which work of a lower class is stopped, where it can be.
        """
        self._what = what
        self._grace = grace
        self._changed = threading.Condition()
        self._queue: SlotQueue[Slot] = SlotQueue(size, waiting)
        self._working: list[Slot] = []
        self._closed = False

    def enter(self, client: Client, timeout: float | None = None) -> Slot:
        """Wait for a slot.

        Args:
            client: that it is for.
            timeout: seconds to wait; None for no limit.

        Raises:
            Busy: too many callers of the class wait already, or no slot became free within ``timeout``.
            WorkerFailed: the client has disconnected, or ``close`` was called.
        """
        slot = Slot(client.caller)
        start = time.monotonic()
        with self._changed:
            if self._closed:
                raise self._end()
            # A running thread starts before waiting threads, which would have to be woken. To hand each slot over to a
            # waiting thread would cost two thread switches for each call, of 5 ms each with a busy interpreter.
            if self._queue.start(slot.caller):
                self._working.append(slot)
            elif not self._queue.put(slot, slot.caller):
                raise Busy(f"too many callers wait for {self._what} already; try again later")
            while slot not in self._working:
                waited = time.monotonic() - start
                if self._closed:
                    raise self._end()
                if timeout is not None and waited >= timeout:
                    self._queue.remove(slot, slot.caller)
                    limit = self._queue.limit(slot.caller)
                    raise Busy(f"all {limit} {self._what} that this caller may have are taken; try again later")
                if client.disconnected is not None and client.disconnected():
                    self._queue.remove(slot, slot.caller)
                    raise WorkerFailed("the client has closed the connection")
                if waited >= self._grace:
                    self._stop_one(slot.caller)
                remaining = [POLL_INTERVAL, *([] if timeout is None else [timeout - waited])]
                self._changed.wait(min(remaining))
                self._admit()
        return slot

    def stoppable(self, slot: Slot, stop: Callable[[], None] | None) -> None:
        """Set the function that stops the work of a slot.

        Args:
            slot: in use.
            stop: must return at once, since it is called with the lock held; None if the work cannot be stopped.
        """
        with self._changed:
            slot.stop = stop

    def leave(self, slot: Slot) -> None:
        """Free a slot."""
        with self._changed:
            self._working.remove(slot)
            self._queue.done(slot.caller)
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse further callers; waiting ones raise ``WorkerFailed``."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()

    def reset(self) -> None:
        """Free all slots: after a fork, those in use belong to the parent process."""
        self._changed = threading.Condition()
        self._queue.clear()
        for slot in self._working:
            self._queue.done(slot.caller)
        self._working = []

    def free(self, caller: Caller) -> int:
        """The number of slots that a class could take now."""
        with self._changed:
            return self._queue.free(caller)

    def figures(self) -> Figures:
        """The numbers of slots in use and of waiting threads, by class."""
        with self._changed:
            return self._queue.figures()

    def _admit(self) -> None:
        while (found := self._queue.take()) is not None:
            self._working.append(found[0])
            self._changed.notify_all()

    def _stop_one(self, caller: Caller) -> None:
        """Stop the newest work of the lowest class, if only lower classes keep a caller waiting."""
        if not self._queue.blocked_by_lower(caller) or any(slot.stopped for slot in self._working):
            return
        stoppable = [slot for slot in self._working if slot.stop is not None]
        for lower in _CLASSES[: _CLASSES.index(caller)]:
            for slot in reversed(stoppable):
                if slot.caller is lower and slot.stop is not None:
                    slot.stopped = True
                    slot.stop()
                    return

    def _end(self) -> WorkerFailed:
        return WorkerFailed(f"the pool of {self._what} is closed")
