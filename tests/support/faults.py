"""The end of a process at a chosen file operation, without a process: from there on nothing changes on the disk.

Python reports what it does to files to audit hooks (https://docs.python.org/3/library/audit_events.html). The hook of
this module counts what would change the disk below one folder, and lets neither the chosen operation happen nor any
after it, which is what a kill does: no ``finally`` mends anything.
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
    """The process would be dead."""


@dataclass
class Death:
    """What was counted.

    Attributes:
        root: below which operations count.
        at: the number of the operation that does not happen.
        done: what happened before it.
        dead: whether it has come to it.
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
    # Those of directories by descriptor (shutil.rmtree) name no folder.
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
    """Let so many operations below a folder happen, and none after them; what is inside must end with ``Killed``."""
    death = Death(str(root), at)
    _current.append(death)
    try:
        yield death
    except Killed:
        pass
    finally:
        _current.clear()
