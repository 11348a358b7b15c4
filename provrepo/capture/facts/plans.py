"""Plans: the function, script or command that an activity followed, with the digest and the commit of its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provrepo.capture.facts.values import qualified
from provrepo.capture.journal.events import Event

__all__ = ["commits", "of_file", "of_folder", "of_function", "of_script"]

_MAIN = "__main__."
GIT_TIMEOUT = 5
"""Seconds that a call of git may take."""


def of_function(function: Callable[..., Any]) -> Event:
    """A function as a plan: its name with its module, the digest of its source, and its commit."""
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
    """The qualified name of a function; for a function of the script, with the module name of the script."""
    name = qualified(code, "step")
    if not name.startswith(_MAIN):
        return name
    module, file = sys.modules.get("__main__"), getattr(getattr(code, "__code__", None), "co_filename", "")
    spec = getattr(module, "__spec__", None)
    if spec is not None and spec.origin == file and spec.name != "__main__":  # python -m
        script = spec.name.removesuffix(".__main__")
    else:  # in a worker of joblib, __main__ is not the script
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
    """A file with code as a plan: its digest and commit; empty for None."""
    if path is None:
        return {}
    import hashlib

    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return {"sha256": digest} | _commit_of(Path(path).resolve())


def of_folder(folder: Path) -> Event:
    """The commit of a folder, and whether its files differ from it."""
    return _commit(str(folder))


commits: dict[str, Event] = {}
"""Cache: for each folder and file with code, its commit and whether anything differs from it."""


def _commit_of(file: Path) -> Event:
    """The commit of a file's working tree, and whether anything differs from it; an untracked file differs."""
    if str(file) not in commits:
        found = _commit(str(file.parent))
        unknown = found and _git(str(file.parent), "ls-files", "--error-unmatch", "--", file.name) is None
        commits[str(file)] = found | {"dirty": True} if unknown else found
    return commits[str(file)]


def _commit(folder: str) -> Event:
    """The commit of a working tree, and whether files differ from it; empty without a working tree."""
    if folder not in commits:
        status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
        commits[folder] = {} if status is None else _parsed(status)
    return commits[folder]


def _parsed(status: str) -> Event:
    """The commit in the output of ``git status``; empty before the first commit."""
    headers = [line.split() for line in status.splitlines() if line.startswith("#")]
    commit = next((words[2] for words in headers if words[1] == "branch.oid"), "(initial)")
    changed = any(not line.startswith("#") for line in status.splitlines())
    return {} if commit == "(initial)" else {"commit": commit, "dirty": changed}


def _git(folder: str, *words: str) -> str | None:
    import subprocess

    from provrepo.capture.files.surroundings import unseen

    try:
        with unseen():
            done = subprocess.run(
                [
                    "git",
                    "--no-optional-locks",
                    "--literal-pathspecs",
                    "-c",
                    "core.fsmonitor=false",
                    "-C",
                    folder,
                    *words,
                ],
                capture_output=True,
                text=True,
                timeout=GIT_TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
            )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
