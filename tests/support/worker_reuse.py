"""Worker processes that outlive their pool, so that a test does not start one for each repository that it opens.

To start a worker costs more than most tests: an interpreter, and the modules of the first call. Workers keep nothing
of a call but caches by path and digest, and a pool uses them for thousands of calls of different callers; here the next
pool does. Only pools of this process are changed; those of commands and servers that tests start are as always.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest

from provrepo.settings import for_command
from provrepo.workers.pool import Pool, _Worker

__all__ = ["ended_with_their_pool", "reused"]

LIVES = 40
"""The number of pools that a worker serves: what it remembers must not add up."""

IDLE = 4
"""The most workers that wait for another pool."""

_Kind = tuple[object, ...]

_suspended = threading.Event()


@contextmanager
def ended_with_their_pool() -> Iterator[None]:
    """Workers are as always within the block: started by their pool, and ended by it."""
    _suspended.set()
    try:
        yield
    finally:
        _suspended.clear()


class _Reserve:
    """Idle workers of closed pools, newest last."""

    def __init__(self) -> None:
        self._workers: list[tuple[_Kind, int, _Worker]] = []
        self._lives: WeakKeyDictionary[_Worker, tuple[_Kind, int]] = WeakKeyDictionary()

    def take(self, pool: Pool) -> _Worker:
        """A worker as the pool would start it."""
        kind = _kind(pool)
        for index in reversed(range(len(self._workers))) if not _suspended.is_set() else ():
            found, lives, worker = self._workers[index]
            if found == kind:
                del self._workers[index]
                if worker.alive():
                    self._lives[worker] = kind, lives
                    return worker
                worker.end()
                break
        worker = _Worker(pool._memory, pool._environment)
        self._lives[worker] = kind, 0
        return worker

    def keep(self, worker: _Worker) -> None:
        kind, lives = self._lives.pop(worker, ((), LIVES))
        if lives + 1 >= LIVES or not worker.alive() or _suspended.is_set():
            worker.end()
            return
        self._workers.append((kind, lives + 1, worker))
        if len(self._workers) > IDLE:
            self._workers.pop(0)[2].end()

    def close(self) -> None:
        while self._workers:
            self._workers.pop()[2].end()


def _kind(pool: Pool) -> _Kind:
    """What a worker has from its start: program, memory, environment, import path and folder."""
    variables = for_command(**pool._environment)
    variables.pop("PYTEST_CURRENT_TEST", None)
    return sys.executable, pool._memory, tuple(sorted(variables.items())), tuple(sys.path), Path.cwd()


@contextmanager
def reused() -> Iterator[None]:
    """Pools that are made within the block use workers again."""
    reserve = _Reserve()
    close = Pool.close

    def spawn(self: Pool) -> _Worker:
        worker = reserve.take(self)
        with self._lock:
            self._all.add(worker)
            closed = self._closed
        if closed:
            worker.kill()
        return worker

    def closed(self: Pool) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        close(self)
        for worker in idle:
            if os.getpid() == self._process:
                reserve.keep(worker)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pool, "_spawn", spawn)
        patched.setattr(Pool, "close", closed)
        try:
            yield
        finally:
            reserve.close()
