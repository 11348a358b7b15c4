"""The check whether other users of the machine can access a data directory."""

from __future__ import annotations

import stat
from pathlib import Path

from provrepo.words import counted

__all__ = ["lax"]


def lax(data: Path) -> list[str]:
    """Return a sentence if users other than the owner may enter, read or write a data directory.

    If the directory itself is private, the permissions of the files in it do not matter.
    """
    mode = stat.S_IMODE(data.stat().st_mode)
    if not mode & 0o077:
        return []
    open_ = [file for file in sorted(data.rglob("*")) if not file.is_symlink() and _open(file)]
    inside = (
        f", and {counted(len(open_), 'file or directory', 'files and directories')} in it such as {open_[0].name}"
        if open_
        else ""
    )
    return [
        f"others on this machine may enter {data} (mode {mode:04o}){inside}: close it with "
        f"`chmod -R go-rwx {data}` unless a group is meant to have it"
    ]


def _open(file: Path) -> bool:
    try:
        return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)
    except OSError:
        return False  # it was removed meanwhile
