"""Calls of the command line from tests, in this process or in a new one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner, Result

from provrepo.cli.main import cli


class Command:
    """``provrepo --data DIR``, in this process."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *arguments: object, code: int = 0, stdin: bytes | None = None) -> Result:
        """Run a command and check its exit code."""
        result = CliRunner().invoke(cli, ["--data", str(self.data), *map(str, arguments)], input=stdin)
        assert "Traceback" not in result.output
        assert result.exit_code == code, f"exit {result.exit_code}: {result.output}"
        return result

    def json(self, *arguments: object, code: int = 0) -> Any:
        """The value that a command prints with ``--output json``."""
        return json.loads(self(*arguments, "--output", "json", code=code).stdout)

    def error(self, *arguments: object, code: int, stdin: bytes | None = None) -> str:
        """The single line of a command's error message."""
        result = self(*arguments, code=code, stdin=stdin)
        lines = result.stderr.strip().splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:], result.stderr
        return lines[-1].removeprefix("error: ")


def environment(**more: str) -> dict[str, str]:
    """The environment of this process without settings of provrepo, and without those of a ``make`` that runs tests."""
    others = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}  # a make below would print the folders that it enters
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PROVREPO_") and name not in others
    }
    return {**kept, **more}


def provrepo(*arguments: object, cwd: Path, stdin: bytes | None = None, **variables: str) -> Any:
    """Run ``provrepo`` in a new process; returns the completed process."""
    return subprocess.run(
        [sys.executable, "-m", "provrepo", *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        input=stdin,
        capture_output=True,
        check=False,
    )


def _keep(stream: IO[str], log: Path) -> None:
    with log.open("w", encoding="utf-8") as file:
        for line in stream:
            file.write(line)
            file.flush()


@contextmanager
def serving(data: Path, **variables: str) -> Iterator[str]:
    """Run a server on a data directory until the block ends; yields its address without the final slash.

    What it logs is in ``server.log`` beside the data directory.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=data.parent,
        env=environment(**variables),
    )
    assert process.stderr is not None
    url = next(found.group() for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1\S+", line)))
    drain = threading.Thread(target=_keep, args=(process.stderr, data.parent / "server.log"), daemon=True)
    drain.start()
    yield url.rstrip("/")
    process.terminate()
    assert process.wait(timeout=60) == 0
    drain.join()
