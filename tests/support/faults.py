"""Simulation of a process that is killed at a chosen file operation: from there on nothing changes on the disk.

Python reports file operations to audit hooks (https://docs.python.org/3/library/audit_events.html). The hook of this
module counts operations that change files below one folder, and prevents the chosen one and all later ones. As after a
kill, no ``finally`` block can change a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Death", "Killed", "killed_at"]


class Killed(BaseException):
    """Raised by the chosen operation and all later ones."""


@dataclass
class Death:
    """The counter of operations.

    Attributes:
        root: the folder below which operations count.
        at: the number of the operation that is prevented.
        done: the operations before it.
        dead: whether it was reached.
    """

    root: str
    at: int
    done: list[str] = field(default_factory=list)
    dead: bool = False


_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.symlink", "sqlite3.connect"}
_current: list[Death] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _current or not (event in _CHANGES or (event == "open" and _writes(arguments))):
        return
    death = _current[0]
    # Operations relative to the descriptor of a directory (shutil.rmtree) have no folder in their path.
    path = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
    if path.startswith("/") and not path.startswith(death.root):
        return
    if event == "sqlite3.connect" and "immutable" in path:
        return
    if death.dead or len(death.done) == death.at:
        death.dead = True
        raise Killed
    death.done.append(f"{event} {path.removeprefix(death.root)}")


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


sys.addaudithook(_hook)


@contextmanager
def killed_at(root: Path, at: int) -> Iterator[Death]:
    """Allow the first operations below a folder and prevent the others; the block must raise ``Killed``."""
    death = Death(str(root), at)
    _current.append(death)
    try:
        yield death
    except Killed:
        pass
    finally:
        _current.clear()
