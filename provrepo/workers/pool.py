"""A pool of worker processes, in which untrusted input is parsed, checked and queried under limits.

Workers are spawned with a new interpreter, never forked, and do not import the caller's ``__main__``. Deadline and
memory limit are properties of the process, whatever code it runs. Bulk data is passed as paths of files.
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
from provrepo.words import lasting
from provrepo.workers import callers, wire
from provrepo.workers.callers import Caller
from provrepo.workers.shares import GRACE, POLL_INTERVAL, Figures, Slot, Slots

__all__ = ["Pool", "default_pool"]

_LOGGER = logging.getLogger("provrepo.workers")

# The path is set first: the package may be importable only by the caller's own path.
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from provrepo.workers.child import main; main(int(sys.argv[2]))"
)

_SIGNALS = {
    signal.SIGSEGV: "it crashed, as parsers do on input that is nested very deeply",
    signal.SIGABRT: "it aborted, as parsers do when memory runs out",
    signal.SIGKILL: "it was killed, as systems do when memory runs out",
}

_LONGEST_POLL = 3600.0
"""Seconds of one ``poll`` without a client to check: its milliseconds are limited to 31 bits."""


class Pool:
    """At most ``size`` worker processes, spawned when first needed and reused. Thread-safe.

    Each class of callers has a share of them (``provrepo.workers.shares``). A call is made for the client of its thread
    (``provrepo.workers.callers``), and is stopped when that client closes the connection.
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
            size: the most calls that run at once; others wait.
            memory: limit of a worker's address space, in MiB; 0 for no limit.
            environment: variables of workers in addition to those of this process.
            waiting: the most calls of each class that may wait for a worker; by default any number.
            public_timeout: the longest timeout of calls for strangers, in seconds.
            grace: seconds that a caller waits before work of a lower class is stopped.
        """
        self._environment = dict(environment or {})
        self._size = max(1, size)
        self._memory = memory
        self._public_timeout = public_timeout
        self._slots = Slots(self._size, "worker processes", waiting, grace=grace)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._process = os.getpid()

    def seconds(self, timeout: float) -> float:
        """The timeout of a call for the client of this thread, in seconds: at most ``timeout``."""
        return min(timeout, self._public_timeout) if callers.client().caller is Caller.STRANGER else timeout

    def figures(self) -> Figures:
        """The numbers of running and of waiting calls of each class."""
        return self._slots.figures()

    def free(self) -> int:
        """The number of further calls for the client of this thread that could start now."""
        return self._slots.free(callers.client().caller)

    def call(
        self,
        function: str,
        arguments: dict[str, Any],
        *,
        timeout: float,
        queue_timeout: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> Any:
        """Run a function in a worker.

        Args:
            function: ``package.module:name``.
            arguments: its keyword arguments, as JSON.
            timeout: seconds after which the worker is killed; for strangers at most ``public_timeout``.
            queue_timeout: seconds to wait for a free worker; None is ``WORKER_WAIT`` for strangers and readers, and
                no limit for writers.
            abandoned: returns True when the result is no longer needed; then the worker is killed. It is called several
                times a second. By default whether the client of this thread has disconnected.

        Returns:
            The function's result, as JSON.

        Raises:
            provrepo.errors.Error: raised by the function; with the same class and attributes.
            TimedOut: the worker took too long.
            WorkerFailed: the worker died, the function raised another exception, or ``abandoned`` returned True.
            Busy: no worker became free within ``queue_timeout``, too many calls of this class wait already, or the
                worker was needed for a higher class.
        """
        client = callers.client()
        if queue_timeout is None and client.caller is not Caller.WRITER:
            queue_timeout = WORKER_WAIT
        seconds = self.seconds(timeout)
        slot, worker = self._acquire(client, queue_timeout)
        healthy = False
        try:
            self._slots.stoppable(slot, worker.kill)
            reply = worker.call(
                {"function": function, "arguments": arguments}, seconds, abandoned or client.disconnected
            )
            # After running out of memory the heap may be too fragmented for the next call.
            healthy = reply.get("exception") != "MemoryError"
        except TimedOut:
            raise
        except WorkerFailed:
            if slot.stopped:
                raise Busy("the worker was needed for callers who go first; try again later") from None
            raise
        finally:
            self._release(slot, worker, healthy)
        return self._result(reply, function)

    def close(self) -> None:
        """End all workers, also busy ones; waiting calls raise ``WorkerFailed``."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        self._slots.close()
        if os.getpid() != self._process:
            return
        for worker in busy:
            worker.kill()  # the thread that waits for its reply then releases it
        for worker in idle:
            worker.end()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acquire(self, client: callers.Client, queue_timeout: float | None) -> tuple[Slot, _Worker]:
        with self._lock:
            if os.getpid() != self._process:
                self._after_fork()
        slot = self._slots.enter(client, queue_timeout)
        try:
            with self._lock:
                worker = next(iter(self._living()), None)
            return slot, worker or self._spawn()
        except BaseException:
            self._slots.leave(slot)
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
            worker.kill()  # ``close`` was called before the worker was in the set
        return worker

    def _release(self, slot: Slot, worker: _Worker, healthy: bool) -> None:
        # First, since the worker may now be used by another call and must not be killed for this one.
        self._slots.stoppable(slot, None)
        with self._lock:
            keep = healthy and not self._closed and not slot.stopped
            if keep:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
        if not keep:
            worker.end()
        self._slots.leave(slot)

    def _after_fork(self) -> None:
        # The workers belong to the parent process; two processes must not use the same pipes.
        self._idle, self._all = [], set()
        self._slots.reset()
        self._process = os.getpid()

    def _result(self, reply: dict[str, Any], function: str) -> Any:
        error = wire.decode_error(reply)
        if error is not None:
            raise error
        if "exception" not in reply:
            return reply["result"]
        # Not logged as an error: without a logging configuration, Python would print the traceback to the user.
        _LOGGER.info("%s failed in a worker:\n%s", function, reply["traceback"])
        if reply["exception"] == "MemoryError":
            raise WorkerFailed(f"this needs more memory than the {self._memory} MiB that a worker process may use")
        raise WorkerFailed(f"{function} failed: {reply['exception']}: {reply['message']}")


class _Worker:
    """One worker process and the pipes to it."""

    def __init__(self, memory: int, environment: Mapping[str, str]) -> None:
        self._memory = memory
        # Opened for appending, so that it can be truncated while the worker has it open.
        self._stderr = tempfile.TemporaryFile("a+b")  # noqa: SIM115 (open as long as the worker lives)
        path = [str(Path(entry or ".").absolute()) for entry in sys.path]
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._poll = select.poll()  # reused: a selector for each call would cost as much as the call
        self._poll.register(self._replies, select.POLLIN)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOTSTRAP, json.dumps(path), str(memory)],
                stdin=requests,
                stdout=replies,
                stderr=self._stderr,
                start_new_session=True,
                env=for_command(**environment),
            )
        except OSError as error:
            self._close()
            raise WorkerFailed(f"cannot start a worker process: {error}") from error
        finally:
            os.close(requests)
            os.close(replies)

    def alive(self) -> bool:
        return self._process.poll() is None

    def call(
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
            raise WorkerFailed("the result is no longer needed; the work was stopped")
        if reply.get("late"):
            raise TimedOut(f"this took longer than {lasting(timeout)} and was stopped")
        self._drain()
        return reply

    def _reply(self, deadline: float, abandoned: Callable[[], bool] | None) -> dict[str, Any] | None:
        """The reply; None where the worker died; ``late`` at the deadline, ``abandoned`` if it is no longer needed."""
        received = bytearray()
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return {"late": True}
            if not self._poll.poll(math.ceil(1000 * min(remaining, POLL_INTERVAL if abandoned else _LONGEST_POLL))):
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
        """Kill the worker and return why it ended."""
        self.kill()
        code = self._process.wait()
        output = self._drain()
        if b"memory allocation" in output or b"MemoryError" in output or b"bad_alloc" in output:
            return f"this needs more memory than the {self._memory} MiB that a worker process may use"
        if code < 0:
            reason = _SIGNALS.get(signal.Signals(-code), "it was stopped")
            return f"the worker process died of {signal.Signals(-code).name}: {reason}"
        return f"the worker process ended with status {code}"

    def _drain(self) -> bytes:
        """Log and return what the worker printed since the last call."""
        self._stderr.seek(0, os.SEEK_END)
        if not self._stderr.tell():
            return b""
        self._stderr.seek(0)
        output = self._stderr.read(1 << 16)
        self._stderr.truncate(0)
        _LOGGER.info("a worker printed:\n%s", output.decode("utf-8", "replace"))
        return output

    def end(self) -> None:
        self.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        os.close(self._requests)
        os.close(self._replies)
        self._stderr.close()

    def kill(self) -> None:
        """Kill the process group: the worker and the processes that it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # It is dead already; macOS raises PermissionError for a group of zombies.
            pass


@cache
def default_pool() -> Pool:
    """The pool that the library and the command line share, with the size of the settings; closed at exit."""
    settings: Settings = load()
    pool = Pool(settings.workers, settings.worker_memory)
    atexit.register(pool.close)
    return pool
