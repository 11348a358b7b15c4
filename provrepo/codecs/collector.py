"""Python's cyclic garbage collector, kept out of the way while a document is built.

Reading makes millions of objects in which there are no cycles; each time their number grows by a quarter the collector
walks all of them, which doubles the time that reading takes.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collection_paused"]


class _Pause:
    """How many want a pause, in all threads, and whether the collector was on before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._resume = False

    def begin(self) -> None:
        with self._lock:
            if not self._wanted:
                self._resume = gc.isenabled()
                gc.disable()
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted and self._resume:
                gc.enable()


_pause = _Pause()


@contextmanager
def collection_paused() -> Iterator[None]:
    """No cyclic collection inside, in whatever thread; reference counting goes on. May be nested."""
    _pause.begin()
    try:
        yield
    finally:
        _pause.end()
