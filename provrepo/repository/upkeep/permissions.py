"""Whether others on the machine can reach a data directory."""

from __future__ import annotations

import stat
from pathlib import Path

__all__ = ["lax"]


def lax(data: Path) -> list[str]:
    """What of a data directory others than its owner may enter, read or write, in words; empty where nothing.

    Only the directory itself matters while it is closed: nobody reaches what lies in it.
    """
    mode = stat.S_IMODE(data.stat().st_mode)
    if not mode & 0o077:
        return []
    open_ = [file for file in sorted(data.rglob("*")) if not file.is_symlink() and _open(file)]
    inside = f", and {len(open_)} files and directories in it such as {open_[0].name}" if open_ else ""
    return [
        f"others on this machine may enter {data} (mode {mode:04o}){inside}: close it with "
        f"`chmod -R go-rwx {data}` unless a group is meant to have it"
    ]


def _open(file: Path) -> bool:
    try:
        return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)
    except OSError:
        return False  # it went away meanwhile
