"""Request threads, shared by the classes of callers; a replacement for the dispatcher of waitress.

Strangers, or strangers and readers together, never occupy all threads (``provrepo.workers.shares``). Requests wait in
one bounded queue for each class; when it is full they are answered with 503. Two further threads, the express threads,
bypass the queues: they serve health probes and refusals, and look up the tokens that decide which queue a request
belongs to.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from provrepo.repository.store import Store
from provrepo.server.connections.refusal import Refusal
from provrepo.server.protocol.auth import class_of
from provrepo.workers.callers import Caller
from provrepo.workers.shares import Figures, SlotQueue

__all__ = ["MIN_THREADS", "CallerClassifier", "Dispatcher"]

_log = logging.getLogger(__name__)

MIN_THREADS = 4
"""The least number of request threads: with four, each class of callers has one that no lower class can occupy."""

_EXPRESS = 2
"""The number of threads that bypass the queues."""

_MAX_WAIT = 30.0
"""Seconds in a queue after which a request of a stranger or reader gets 503: most clients have given up by then."""

_PROBES = frozenset({"/health", "/ready"})


def _overloaded(reason: str) -> Refusal:
    return Refusal(503, f"{reason}; try again later", headers={"Retry-After": "5"})


class CallerClassifier:
    """Finds the class of callers that a request belongs to, with a cache of tokens that lasts a minute.

    The class decides the order of requests only. Permissions are read from the ledger for each request.
    """

    _CACHE_SIZE = 1000
    _CACHE_SECONDS = 60.0

    def __init__(self, store: Store, prefix: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """Create a classifier with an empty cache.

        Args:
            store: the source of tokens.
            prefix: the path prefix of all addresses.
            clock: the time in seconds.
        """
        self._store = store
        self._prefix = prefix
        self._clock = clock
        self._lock = threading.Lock()
        self._cache: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def is_probe(self, request: Any) -> bool:
        """Whether a request is a health probe."""
        path: str = request.path
        return path.removeprefix(self._prefix) in _PROBES

    def cached(self, request: Any) -> Caller | None:
        """The class of a request, from the cache; None if its token has to be looked up."""
        header = request.headers.get("AUTHORIZATION")
        if header is None:
            return Caller.STRANGER
        with self._lock:
            found, until = self._cache.get(_digest(header), (None, 0.0))
        return found if self._clock() < until else None

    def look_up(self, request: Any) -> Caller:
        """Look up the class of a request with a token; a request with an invalid token counts as a stranger's."""
        header = request.headers.get("AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        actor = self._store.authenticate(token) if scheme.lower() == "bearer" else None
        found = Caller.STRANGER if actor is None else class_of(actor)
        with self._lock:
            self._cache[_digest(header)] = found, self._clock() + self._CACHE_SECONDS
            while len(self._cache) > self._CACHE_SIZE:
                self._cache.popitem(last=False)
        return found


def _digest(header: str) -> bytes:
    # The cache must not contain tokens, nor long headers.
    return hashlib.sha256(header.encode("utf-8", "surrogateescape")).digest()


class _QueuedTask(NamedTuple):
    """A task in a queue.

    Attributes:
        task: a waitress channel with requests.
        since: the time at which it was queued.
    """

    task: Any
    since: float


class Dispatcher:
    """Runs tasks in threads; waitress calls ``add_task`` and ``shutdown``."""

    def __init__(
        self,
        classes: CallerClassifier,
        *,
        threads: int,
        queue: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the threads.

        Args:
            classes: finds the class of callers of each request.
            threads: the number of threads that answer requests; at least ``MIN_THREADS`` are started.
            queue: the most requests of one class that may wait.
            clock: the time in seconds.
        """
        self._classes = classes
        self._clock = clock
        self._lock = threading.Lock()
        self._queue_changed, self._express_changed = threading.Condition(self._lock), threading.Condition(self._lock)
        self._slots: SlotQueue[_QueuedTask] = SlotQueue(max(MIN_THREADS, threads), dict.fromkeys(Caller, queue))
        self._express: deque[Any] = deque()
        self._stopping = False
        targets = [*[self._serve] * self._slots.size, *[self._serve_express] * _EXPRESS]
        self._threads = [
            threading.Thread(target=target, name=f"request-{number}", daemon=True)
            for number, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()

    def add_task(self, task: Any) -> None:
        """Queue a request.

        Args:
            task: a channel; its first request is queued.
        """
        request = task.requests[0]
        with self._lock:
            caller = None if request.error or self._classes.is_probe(request) else self._classes.cached(request)
            if caller is None:
                self._queue_express(task)
            else:
                self._queue(task, caller)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Wait for running requests to end, and drop waiting ones.

        Args:
            cancel_pending: whether to close the connections of waiting requests.
            timeout: seconds to wait for running requests.

        Returns:
            Whether all running requests have ended.
        """
        end = time.monotonic() + timeout
        with self._lock:
            self._stopping = True
            self._queue_changed.notify_all()
            self._express_changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        running = sum(thread.is_alive() for thread in self._threads)
        if running:
            _log.warning("%d requests are still running", running)
        if cancel_pending:
            with self._lock:
                pending = [*(queued.task for queued in self._slots.clear()), *self._express]
                self._express.clear()
            for task in pending:
                task.cancel()
        return not running

    def figures(self) -> Figures:
        """The numbers of running and of waiting requests of each class."""
        with self._lock:
            return self._slots.figures()

    def _queue(self, task: Any, caller: Caller) -> None:
        queued = _QueuedTask(task, self._clock())
        if not self._slots.put(queued, caller):
            # Requests whose client has disconnected need no request thread.
            left = self._slots.remove_where(lambda each: not each.task.connected, caller)
            for each in left:
                self._queue_express(each.task)
            if not left or not self._slots.put(queued, caller):
                task.requests[0].error = _overloaded("too many requests are waiting")
                self._queue_express(task)
                return
        self._queue_changed.notify()  # one suffices: when a request ends, its own thread takes the next

    def _queue_express(self, task: Any) -> None:
        self._express.append(task)
        self._express_changed.notify()

    def _serve(self) -> None:
        while True:
            with self._lock:
                found = None
                while not self._stopping and (found := self._slots.take()) is None:
                    self._queue_changed.wait()
                if found is None:
                    return
            queued, caller = found
            if caller is not Caller.WRITER and self._clock() - queued.since > _MAX_WAIT:
                queued.task.requests[0].error = _overloaded("the request has waited too long")
            try:
                self._run(queued.task)
            finally:
                with self._lock:
                    self._slots.done(caller)

    def _serve_express(self) -> None:
        while True:
            with self._lock:
                while not self._express and not self._stopping:
                    self._express_changed.wait()
                if self._stopping:
                    return
                task = self._express.popleft()
            request = task.requests[0]
            if request.error or not task.connected or self._classes.is_probe(request):
                self._run(task)
            else:
                self._admit(task)

    def _admit(self, task: Any) -> None:
        """Look up the token of a request, and queue the request."""
        try:
            caller = self._classes.look_up(task.requests[0])
        except Exception:  # noqa: BLE001 (the application meets the same failure and responds to it)
            _log.exception("a token could not be looked up")
            caller = Caller.STRANGER
        with self._lock:
            self._queue(task, caller)

    @staticmethod
    def _run(task: Any) -> None:
        try:
            task.service()
        except BaseException:  # noqa: BLE001 (the thread is needed for the next request)
            _log.exception("a request could not be answered")
