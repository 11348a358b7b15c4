"""A pool of worker processes: untrusted input is parsed and checked where it can be killed.

Workers are spawned with a fresh interpreter, never forked, and never import the caller's ``__main__``. A deadline and
a memory limit are properties of the process, whatever the code in it does. Bulk data goes through files: callers pass
paths.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from provrepo.errors import Busy, TimedOut, WorkerFailed
from provrepo.limits import WORKER_WAIT
from provrepo.settings import Settings, for_command, load
from provrepo.workers import callers, wire
from provrepo.workers.callers import Caller
from provrepo.workers.shares import GLANCE, GRACE, Figures, Place, Places

__all__ = ["Pool", "default_pool"]

_LOGGER = logging.getLogger("provrepo.workers")

# The path comes first of all: the package may be importable here only because the caller arranged for it.
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from provrepo.workers.child import main; main(int(sys.argv[2]))"
)

_SIGNALS = {
    signal.SIGSEGV: "it crashed, as parsers do on input that is nested very deeply",
    signal.SIGABRT: "it aborted, as parsers do when memory runs out",
    signal.SIGKILL: "it was killed, as systems do when memory runs out",
}

_NAP = 3600.0
"""Seconds of one wait where nobody can go away: the system takes no number of milliseconds beyond 31 bits."""


class Pool:
    """At most ``size`` worker processes, spawned when first needed and kept warm. Safe to use from many threads.

    Each class of callers has its share of them (``provrepo.workers.shares``). For whom a call is, the thread says that
    makes it (``provrepo.workers.callers``): the call ends when that client closes the connection.
    """

    def __init__(
        self,
        size: int = 2,
        memory: int = 4096,
        environment: Mapping[str, str] | None = None,
        *,
        waiting: Mapping[Caller, int] | None = None,
        public_timeout: float = math.inf,
        grace: float = GRACE,
    ) -> None:
        """A pool without workers yet.

        Args:
            size: how many calls may run at once; more wait.
            memory: address space of a worker, in MiB; 0 for no limit.
            environment: variables that workers have besides those of this process.
            waiting: calls of a class that may wait for a worker; any number where it is not given.
            public_timeout: seconds that a call for a stranger may take at most, whatever is asked for.
            grace: seconds that a caller waits before work of a lower class is stopped.
        """
        self._environment = dict(environment or {})
        self._size = max(1, size)
        self._memory = memory
        self._public_timeout = public_timeout
        self._places = Places(self._size, "worker processes", waiting, grace=grace)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._process = os.getpid()

    def seconds(self, timeout: float) -> float:
        """How long a call may take for the client of this thread, of ``timeout`` seconds that are asked for."""
        return min(timeout, self._public_timeout) if callers.client().caller is Caller.STRANGER else timeout

    def figures(self) -> Figures:
        """How many calls of each class run and wait."""
        return self._places.figures()

    def call(
        self,
        function: str,
        arguments: dict[str, Any],
        *,
        timeout: float,
        patience: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> Any:
        """Run a function in a worker.

        Args:
            function: ``package.module:name``.
            arguments: its keyword arguments, as JSON.
            timeout: seconds it may take before the worker is killed; strangers have ``public_timeout`` at most.
            patience: seconds to wait for a free worker; None to wait as long as it takes, or where the caller is not a
                writer, ``WORKER_WAIT``.
            abandoned: asked several times a second while the worker is busy; where it says True, nobody wants the
                result any more, and the worker is killed. By default whether the client of this thread is gone.

        Returns:
            What it returned, as JSON.

        Raises:
            provrepo.errors.Error: what the function raised, of the same class and with the same attributes.
            TimedOut: the worker took too long.
            WorkerFailed: the worker died, or met an exception that is none of ours; ``abandoned`` said so.
            Busy: no worker became free within ``patience``, too many calls of this class wait already, or the worker
                was needed for a higher class.
        """
        client = callers.client()
        if patience is None and client.caller is not Caller.WRITER:
            patience = WORKER_WAIT
        seconds = self.seconds(timeout)
        place, worker = self._take(client, patience)
        healthy = False
        try:
            self._places.stoppable(place, worker.kill)
            reply = worker.ask(
                {"function": function, "arguments": arguments}, seconds, abandoned or client.disconnected
            )
            # After running out of memory a heap is too fragmented to be trusted with the next call.
            healthy = reply.get("exception") != "MemoryError"
        except TimedOut:
            raise
        except WorkerFailed:
            if place.stopped:
                raise Busy("the worker was needed for callers who go first; try again later") from None
            raise
        finally:
            self._give_back(place, worker, healthy)
        return self._result(reply, function)

    def warm(self, functions: Iterable[str]) -> None:
        """Spawn all workers and call each function once in each, without arguments: imports are then done."""
        workers = [self._take(callers.LOCAL, None) for _ in range(self._size)]
        for place, worker in workers:
            healthy = False
            try:
                for function in functions:
                    self._result(worker.ask({"function": function, "arguments": {}}, 60.0), function)
                healthy = True
            finally:
                self._give_back(place, worker, healthy)

    def close(self) -> None:
        """End all workers, also busy ones; whoever waits for one gets ``WorkerFailed``."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        self._places.close()
        if os.getpid() != self._process:
            return
        for worker in busy:
            worker.kill()  # the thread that waits for it sees it die and clears up after it
        for worker in idle:
            worker.end()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, client: callers.Client, patience: float | None) -> tuple[Place, _Worker]:
        with self._lock:
            if os.getpid() != self._process:
                self._after_fork()
        place = self._places.enter(client, patience)
        try:
            with self._lock:
                worker = next(iter(self._living()), None)
            return place, worker or self._spawn()
        except BaseException:
            self._places.leave(place)
            raise

    def _living(self) -> Iterable[_Worker]:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive():
                yield worker
            else:
                self._all.discard(worker)
                worker.end()

    def _spawn(self) -> _Worker:
        worker = _Worker(self._memory, self._environment)
        with self._lock:
            self._all.add(worker)
            closed = self._closed
        if closed:
            worker.kill()  # too late for ``close`` to have seen it
        return worker

    def _give_back(self, place: Place, worker: _Worker, healthy: bool) -> None:
        # First of all: from here on the worker may belong to another call, and must not be killed for this one.
        self._places.stoppable(place, None)
        with self._lock:
            keep = healthy and not self._closed and not place.stopped
            if keep:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
        if not keep:
            worker.end()
        self._places.leave(place)

    def _after_fork(self) -> None:
        # The workers are the parent's; their pipes must not carry two conversations.
        self._idle, self._all = [], set()
        self._places.reset()
        self._process = os.getpid()

    def _result(self, reply: dict[str, Any], function: str) -> Any:
        error = wire.decode_error(reply)
        if error is not None:
            raise error
        if "exception" not in reply:
            return reply["result"]
        # Not as an error: without any logging set up, Python would print the traceback at the user.
        _LOGGER.info("%s failed in a worker:\n%s", function, reply["traceback"])
        if reply["exception"] == "MemoryError":
            raise WorkerFailed(f"this needs more memory than the {self._memory} MiB that a worker process may use")
        raise WorkerFailed(f"{function} failed: {reply['exception']}: {reply['message']}")


class _Worker:
    """One worker process and the conversation with it."""

    def __init__(self, memory: int, environment: Mapping[str, str]) -> None:
        self._memory = memory
        # Opened for appending, so that it can be emptied while the worker holds it open.
        self._stderr = tempfile.TemporaryFile("a+b")  # noqa: SIM115 (it lives as long as the worker)
        path = [str(Path(entry or ".").absolute()) for entry in sys.path]
        theirs, self._requests = os.pipe()
        self._replies, answers = os.pipe()
        self._arrival = select.poll()  # kept: to make a selector for each call would cost as much as the call
        self._arrival.register(self._replies, select.POLLIN)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOTSTRAP, json.dumps(path), str(memory)],
                stdin=theirs,
                stdout=answers,
                stderr=self._stderr,
                start_new_session=True,
                env=for_command(**environment),
            )
        except OSError as error:
            self._close()
            raise WorkerFailed(f"cannot start a worker process: {error}") from error
        finally:
            os.close(theirs)
            os.close(answers)

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, request: dict[str, Any], timeout: float, abandoned: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        message = memoryview(wire.frame({**request, "timeout": timeout}))
        deadline = time.monotonic() + timeout
        try:
            while message:
                message = message[os.write(self._requests, message) :]
            reply = self._reply(deadline, abandoned)
        except BrokenPipeError:
            reply = None
        if reply is None:
            raise WorkerFailed(self._death())
        if reply.get("abandoned"):
            raise WorkerFailed("nobody waits for the result any more; the work was stopped")
        if reply.get("late"):
            raise TimedOut(f"this took longer than {timeout:g} s and was stopped")
        self._drain()
        return reply

    def _reply(self, deadline: float, abandoned: Callable[[], bool] | None) -> dict[str, Any] | None:
        """The reply; None where the worker died first; ``late`` at the deadline, ``abandoned`` once that is so."""
        received = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return {"late": True}
            if not self._arrival.poll(math.ceil(1000 * min(left, GLANCE if abandoned else _NAP))):
                if abandoned is not None and abandoned():
                    return {"abandoned": True}
                continue
            chunk = os.read(self._replies, 1 << 20)
            if not chunk:
                return None
            received += chunk
            message = wire.complete(received)
            if message is not None:
                return message

    def _death(self) -> str:
        self.kill()
        code = self._process.wait()
        said = self._drain()
        if b"memory allocation" in said or b"MemoryError" in said or b"bad_alloc" in said:
            return f"this needs more memory than the {self._memory} MiB that a worker process may use"
        if code < 0:
            reason = _SIGNALS.get(signal.Signals(-code), "it was stopped")
            return f"the worker process died of {signal.Signals(-code).name}: {reason}"
        return f"the worker process ended with status {code}"

    def _drain(self) -> bytes:
        """What the worker printed since last time, which is logged."""
        self._stderr.seek(0, os.SEEK_END)
        if not self._stderr.tell():
            return b""
        self._stderr.seek(0)
        said = self._stderr.read(1 << 16)
        self._stderr.truncate(0)
        _LOGGER.info("a worker printed:\n%s", said.decode("utf-8", "replace"))
        return said

    def end(self) -> None:
        self.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        os.close(self._requests)
        os.close(self._replies)
        self._stderr.close()

    def kill(self) -> None:
        """The whole process group: what the worker started goes with it."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Dead already; macOS says it is not permitted to signal a group of zombies.
            pass


@cache
def default_pool() -> Pool:
    """The pool that the library and the command line share, as large as the settings say; closed at exit."""
    settings: Settings = load()
    pool = Pool(settings.workers, settings.worker_memory)
    atexit.register(pool.close)
    return pool
