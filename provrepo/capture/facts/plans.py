"""What an activity followed: a function, a script or a command, with the digest and the commit of its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provrepo.capture.facts.values import qualified
from provrepo.capture.journal.events import Event

__all__ = ["commits", "of_file", "of_folder", "of_function", "of_script"]

_MAIN = "__main__."
PATIENCE = 5
"""Seconds that git may take to say which commit this is."""


def of_function(function: Callable[..., Any]) -> Event:
    """A function: its name with its module, digest of its source, and the commit that it comes from."""
    import hashlib
    import inspect

    code = inspect.unwrap(function)
    described: Event = {"name": _named(code)}
    try:
        described["sha256"] = hashlib.sha256(inspect.getsource(code).encode()).hexdigest()
        file = inspect.getsourcefile(code)
    except (OSError, TypeError):  # typed at a prompt, or not Python
        file = None
    return described | (_commit_of(Path(file).resolve()) if file else {})


def _named(code: Callable[..., Any]) -> str:
    """A function with its module; that of the script has the name that it would be imported by."""
    name = qualified(code, "step")
    if not name.startswith(_MAIN):
        return name
    module, file = sys.modules.get("__main__"), getattr(getattr(code, "__code__", None), "co_filename", "")
    spec = getattr(module, "__spec__", None)
    if spec is not None and spec.origin == file and spec.name != "__main__":  # python -m
        script = spec.name.removesuffix(".__main__")
    else:  # in a worker of joblib, the module that is called so is not the script
        path = Path(file)
        if not path.is_file():
            return name  # typed at a prompt, or in a notebook
        script = path.parent.name if path.stem == "__main__" else path.stem
    return f"{script}.{name.removeprefix(_MAIN)}"


def of_script() -> Event:
    """The script that the interpreter runs, or the prompt."""
    path = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    if path is None or not path.is_file():
        return {"name": "interactive session"}
    return {"name": path.name, **of_file(str(path))}


def of_file(path: str | None) -> Event:
    """A file with code: the digest, and the commit that it comes from; nothing where there is none."""
    if path is None:
        return {}
    import hashlib

    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return {"sha256": digest} | _commit_of(Path(path).resolve())


def of_folder(folder: Path) -> Event:
    """What git says of the files in a folder: the commit, and whether they differ from it."""
    return _commit(str(folder))


commits: dict[str, Event] = {}
"""For each folder and file with code, its commit and whether anything differs from it; asked once."""


def _commit_of(file: Path) -> Event:
    """The commit of a file's working tree, and whether anything differs from it: a file that git does not know does."""
    if str(file) not in commits:
        found = _commit(str(file.parent))
        unknown = found and _git(str(file.parent), "ls-files", "--error-unmatch", "--", file.name) is None
        commits[str(file)] = found | {"dirty": True} if unknown else found
    return commits[str(file)]


def _commit(folder: str) -> Event:
    """The commit of a working tree, and whether files differ from it; nothing where there is none."""
    if folder not in commits:
        told = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
        commits[folder] = {} if told is None else _understood(told)
    return commits[folder]


def _understood(told: str) -> Event:
    """What git says of a working tree; before its first commit there is nothing to say."""
    headers = [line.split() for line in told.splitlines() if line.startswith("#")]
    commit = next((words[2] for words in headers if words[1] == "branch.oid"), "(initial)")
    changed = any(not line.startswith("#") for line in told.splitlines())
    return {} if commit == "(initial)" else {"commit": commit, "dirty": changed}


def _git(folder: str, *words: str) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", folder, *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
