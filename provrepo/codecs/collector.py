"""Pauses of Python's cyclic garbage collector while a document is built.

Reading creates millions of objects without cycles. Each time that their number grows by a quarter, the collector
traverses all of them, which doubles the time of reading.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collection_paused"]


class _Pause:
    """The number of pauses in all threads, and whether the collector was enabled before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._resume = False

    def begin(self) -> None:
        with self._lock:
            if not self._count:
                self._resume = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count and self._resume:
                gc.enable()


_pause = _Pause()


@contextmanager
def collection_paused() -> Iterator[None]:
    """Disable cyclic collection in a ``with`` block, for all threads; reference counting continues. May be nested."""
    _pause.begin()
    try:
        yield
    finally:
        _pause.end()
