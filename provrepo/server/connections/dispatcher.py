"""Request threads, shared by the classes of callers; takes the place of waitress' own dispatcher.

Strangers never have all of the threads, nor have readers (``provrepo.workers.shares``). Requests wait in one bounded
queue for each class; beyond it they are answered 503. What always has to be answered passes by the queues: probes,
refusals, and requests whose token has to be looked up before it is known to which queue they belong.
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
from provrepo.workers.shares import Figures, Line

__all__ = ["MIN_THREADS", "CallerClassifier", "Dispatcher"]

_log = logging.getLogger(__name__)

MIN_THREADS = 4
"""Request threads at least: with four, each class of callers has one that no lower class can take."""

_EXPRESS = 2
"""Threads for what passes by the queues."""

_LONGEST = 30.0
"""Seconds after which a request of a stranger or reader is not answered any more: its client has mostly given up."""

_PROBES = frozenset({"/health", "/ready"})


def _overloaded(reason: str) -> Refusal:
    return Refusal(503, f"{reason}; try again later", headers={"Retry-After": "5"})


class CallerClassifier:
    """To which class of callers a request belongs. What tokens stand for is remembered for a minute.

    It decides about the order of requests alone; what a caller may do is asked of the ledger each time.
    """

    _KNOWN = 1000
    _SECONDS = 60.0

    def __init__(self, store: Store, prefix: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """No token is known yet.

        Args:
            store: where tokens are looked up.
            prefix: of all paths.
            clock: in seconds.
        """
        self._store = store
        self._prefix = prefix
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def is_probe(self, request: Any) -> bool:
        """Whether a request asks how the server does."""
        path: str = request.path
        return path.removeprefix(self._prefix) in _PROBES

    def known(self, request: Any) -> Caller | None:
        """The class of a request; None where its token has to be looked up."""
        header = request.headers.get("AUTHORIZATION")
        if header is None:
            return Caller.STRANGER
        with self._lock:
            found, until = self._known.get(_digest(header), (None, 0.0))
        return found if self._clock() < until else None

    def look_up(self, request: Any) -> Caller:
        """The class of a request with a token; who shows one that is not in force is a stranger."""
        header = request.headers.get("AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        actor = self._store.authenticate(token) if scheme.lower() == "bearer" else None
        found = Caller.STRANGER if actor is None else class_of(actor)
        with self._lock:
            self._known[_digest(header)] = found, self._clock() + self._SECONDS
            while len(self._known) > self._KNOWN:
                self._known.popitem(last=False)
        return found


def _digest(header: str) -> bytes:
    # Tokens are not kept, nor are headers of any length.
    return hashlib.sha256(header.encode("utf-8", "surrogateescape")).digest()


class _Waiting(NamedTuple):
    """A task of waitress, which is a channel with requests, and since when it waits."""

    task: Any
    since: float


class Dispatcher:
    """Runs tasks in threads. The methods without a docstring of their own are those that waitress calls."""

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
            classes: of callers.
            threads: that answer requests; there are ``MIN_THREADS`` at least.
            queue: requests of one class that may wait.
            clock: in seconds.
        """
        self._classes = classes
        self._clock = clock
        self._lock = threading.Lock()
        self._queued, self._passing = threading.Condition(self._lock), threading.Condition(self._lock)
        self._line: Line[_Waiting] = Line(max(MIN_THREADS, threads), dict.fromkeys(Caller, queue))
        self._express: deque[Any] = deque()
        self._stopping = False
        targets = [*[self._serve] * self._line.size, *[self._serve_express] * _EXPRESS]
        self._threads = [
            threading.Thread(target=target, name=f"request-{number}", daemon=True)
            for number, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()

    def add_task(self, task: Any) -> None:
        """Have a request answered.

        Args:
            task: the channel whose first request it is.
        """
        request = task.requests[0]
        with self._lock:
            caller = None if request.error or self._classes.is_probe(request) else self._classes.known(request)
            if caller is None:
                self._pass_by(task)
            else:
                self._queue(task, caller)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Let the requests that run end, and drop those that wait.

        Args:
            cancel_pending: whether to close the connections of those that wait.
            timeout: seconds to wait for those that run.

        Returns:
            Whether none runs any more.
        """
        end = time.monotonic() + timeout
        with self._lock:
            self._stopping = True
            self._queued.notify_all()
            self._passing.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        running = sum(thread.is_alive() for thread in self._threads)
        if running:
            _log.warning("%d requests are still running", running)
        if cancel_pending:
            with self._lock:
                pending = [*(waiting.task for waiting in self._line.clear()), *self._express]
                self._express.clear()
            for task in pending:
                task.cancel()
        return not running

    def figures(self) -> Figures:
        """How many requests of each class run and wait."""
        with self._lock:
            return self._line.figures()

    def _queue(self, task: Any, caller: Caller) -> None:
        waiting = _Waiting(task, self._clock())
        if not self._line.put(waiting, caller):
            # Those whose client has left need no thread of the application.
            left = self._line.remove_where(lambda each: not each.task.connected, caller)
            for each in left:
                self._pass_by(each.task)
            if not left or not self._line.put(waiting, caller):
                task.requests[0].error = _overloaded("too many requests wait already")
                self._pass_by(task)
                return
        self._queued.notify()  # what ends lets one more start at most, in the same thread

    def _pass_by(self, task: Any) -> None:
        self._express.append(task)
        self._passing.notify()

    def _serve(self) -> None:
        while True:
            with self._lock:
                found = None
                while not self._stopping and (found := self._line.take()) is None:
                    self._queued.wait()
                if found is None:
                    return
            waiting, caller = found
            if caller is not Caller.WRITER and self._clock() - waiting.since > _LONGEST:
                waiting.task.requests[0].error = _overloaded("the request has waited too long")
            try:
                self._run(waiting.task)
            finally:
                with self._lock:
                    self._line.done(caller)

    def _serve_express(self) -> None:
        while True:
            with self._lock:
                while not self._express and not self._stopping:
                    self._passing.wait()
                if self._stopping:
                    return
                task = self._express.popleft()
            request = task.requests[0]
            if request.error or not task.connected or self._classes.is_probe(request):
                self._run(task)
            else:
                self._admit(task)

    def _admit(self, task: Any) -> None:
        """Queue a request whose token has to be looked up."""
        try:
            caller = self._classes.look_up(task.requests[0])
        except Exception:  # noqa: BLE001 (the application meets the same failure, and answers it)
            _log.exception("a token could not be looked up")
            caller = Caller.STRANGER
        with self._lock:
            self._queue(task, caller)

    @staticmethod
    def _run(task: Any) -> None:
        try:
            task.service()
        except BaseException:  # noqa: BLE001 (whatever it was, the thread is needed for the next request)
            _log.exception("a request could not be answered")
