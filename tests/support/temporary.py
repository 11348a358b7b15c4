"""Temporary folders of tests in memory: a repository waits for the disk after each change, dozens of times per test.

``TMPDIR=/tmp make test`` keeps them on the disk, as do machines without a large file system in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["in_memory", "use_memory"]

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""The bytes that must be free. All tests together take some hundred MB at a time."""


def in_memory(folder: Path = MEMORY, room: int = ROOM) -> bool:
    """Whether a folder can be written, programs in it can be run, and that many bytes of it and of memory are free."""
    try:
        found = os.statvfs(folder)
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return False
    free = next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)
    usable = os.access(folder, os.W_OK | os.X_OK) and not found.f_flag & os.ST_NOEXEC
    return usable and min(free, found.f_bavail * found.f_frsize) >= room


def use_memory(variables: MutableMapping[str, str] = os.environ) -> None:
    """Make new temporary folders of this process, of pytest and of child processes in memory, where there is room."""
    if not variables.get("TMPDIR") and in_memory():
        variables["TMPDIR"] = tempfile.tempdir = str(MEMORY)
