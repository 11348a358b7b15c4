"""Settings of the C library's heap for long-running processes with threads.

By default glibc gives each thread its own heap and puts ever larger blocks into it; memory that is freed between used
blocks is never returned to the system. On other systems these functions do nothing.
"""

from __future__ import annotations

import ctypes

__all__ = ["limit_arenas", "return_free_memory", "return_large_blocks"]

# Of malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE = 256 << 10
"""The least size of blocks that are returned to the system when they are freed, in bytes."""


def limit_arenas() -> None:
    """Let all threads share two heaps: with one for each, their address space could exceed the memory limit."""
    _tune(_M_ARENA_MAX, 2)


def return_large_blocks() -> None:
    """Return large blocks to the system when they are freed. By default glibc raises the least size up to 32 MB."""
    _tune(_M_MMAP_THRESHOLD, _LARGE)


def return_free_memory() -> None:
    """Return free memory to the system. This takes some milliseconds, so call it after much was freed."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _tune(what: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(what, value)
