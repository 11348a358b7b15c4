"""How the C library keeps memory that was freed: tuned for processes that run for long, in threads.

Left alone, glibc gives each thread a heap of its own and lets ever larger blocks grow into it; what is freed between
blocks in use is then kept for good. On other systems nothing is done.
"""

from __future__ import annotations

import ctypes

__all__ = ["few_arenas", "give_back", "return_large_blocks"]

# Of malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE = 256 << 10
"""Bytes from which a block is given back to the system when it is freed."""


def few_arenas() -> None:
    """Share two heaps between all threads: with many processors their address space alone would reach a limit."""
    _tune(_M_ARENA_MAX, 2)


def return_large_blocks() -> None:
    """Give large blocks back. Where this is not said, glibc raises the size from which it does, up to 32 MB."""
    _tune(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Give back what is free now. To be called after much was freed: it takes some milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _tune(what: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(what, value)
