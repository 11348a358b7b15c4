"""Type checkers see through steps: what is decorated keeps its signature."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import environment

PROGRAM = """
from collections.abc import AsyncIterator, Iterator
from typing import reveal_type

from provrepo.capture import Part, log_params, select, session, step


class Table: ...


@step
def load(path: str, *, limit: int) -> Table:
    return Table()


@step("clean", why="drift", stats=True)
def clean(table: Table, *more: int) -> list[Table]:
    return [table]


@step
async def fetch(path: str) -> Table:
    return Table()


@step
def parts(table: Table) -> Iterator[Table]:
    yield table


@step
async def stream(table: Table) -> AsyncIterator[Table]:
    yield table


class Lab:
    @step
    def measure(self, table: Table) -> int:
        return 1

    @step
    @staticmethod
    def still(table: Table) -> str:
        return ""


@session(out="run.trig", stats=True)
def main(count: int) -> float:
    return 1.0


reveal_type(load)
reveal_type(clean)
reveal_type(fetch)
reveal_type(parts)
reveal_type(stream)
reveal_type(Lab().measure)
reveal_type(Lab().still)
reveal_type(main)
reveal_type(select(Table(), rows=slice(3), columns=["a"], region=(0, 0, 1, 1), name="x").whole)
with step("block", why="said") as run:
    reveal_type(run.used(Table(), role="training"))
    run.generated("model.bin")
with session() as running:
    reveal_type(running.path)
load(3, limit=1)
clean(Table(), "x")
Lab().measure(3)
step("x", wy="typo")
"""


@pytest.mark.slow(one_in=2)
def test_mypy_strict_on_a_program(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [
        sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-color-output",
        "--cache-dir", str(tmp_path / "cache"), "program.py",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment())
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    revealed = [line.partition('"')[2].rstrip('"') for line in lines if line.startswith("note: Revealed")]
    assert revealed == [
        "def (path: str, *, limit: int) -> program.Table",
        "def (table: program.Table, *more: int) -> list[program.Table]",
        "def (path: str) -> typing.Coroutine[Any, Any, program.Table]",
        "def (table: program.Table) -> typing.Iterator[program.Table]",
        "def (table: program.Table) -> typing.AsyncIterator[program.Table]",
        "def (table: program.Table) -> int",
        "def (table: program.Table) -> str",
        "def (count: int) -> float",
        "program.Table",
        "None",
        "pathlib.Path | None",
    ], done.stdout
    errors = [line for line in lines if line.startswith("error:")]
    kinds = [error.rpartition("[")[2].rstrip("]") for error in errors]
    assert kinds == ["arg-type"] * 3 + ["call-overload"] * len(kinds[3:]), errors
    assert len(kinds) > 3
