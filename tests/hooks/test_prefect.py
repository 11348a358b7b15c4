"""Flows and tasks of Prefect: their functions, in the contexts that its engine makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provrepo.capture import session
from provrepo.model.statements import COMMUNICATION
from provrepo.vocab import PROVREPO, SCHEMA
from tests.support.captured import Captured


def test_a_flow_and_its_tasks(prefect: Any, folder: Path, recorded: Callable[[], Captured]) -> None:
    tries: list[int] = []

    def read(src: str) -> list[str]:
        return Path(src).read_text("utf-8").split()

    def train(rows: list[str], alpha: float) -> dict[str, int]:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError
        return {"n": len(rows)}

    def pipeline(src: str, fail: bool = False) -> Any:
        note()
        return fit(clean(src), 0.5)

    clean, note = prefect.Task(read, "clean"), prefect.Task(lambda: None, "note")
    clean.assets = SimpleNamespace(
        direct_asset_dependencies=[SimpleNamespace(key=f"file://{folder}/raw.csv")],
        downstream_assets=[SimpleNamespace(key="s3://lab/clean")],
    )
    fit = prefect.Task(train, "train", retries=1, after=("clean", "note"))
    assert prefect.Flow(pipeline, "crops")("raw.csv") == {"n": 2}
    found = recorded()
    assert found.problems("core", "pipeline") == []
    assert found.used == {("clean", "raw.csv"), ("train", "list")}
    assert {("list", "clean"), ("clean", "clean"), ("dict", "train")} <= found.generated
    attempts = [(*found.values(s, PROVREPO + "attempt"), *found.values(s, SCHEMA + "error")) for s in
                found.elements("train")]  # fmt: skip
    assert sorted(attempts) == [("1", "ValueError"), ("2",)]
    told = {(found.label(s.args[0]), found.label(s.args[1])) for s in found.document if s.kind is COMMUNICATION}
    assert told == {("train", "note")}
    (flow,) = [s for s in found.activities() if "prefect:flow-run/of-crops" in found.values(s, SCHEMA + "identifier")]
    assert found.values(flow, SCHEMA + "additionalProperty") == ["src=raw.csv"]


def test_a_flow_that_fails(prefect: Any, recorded: Callable[[], Captured]) -> None:
    def write() -> None:
        Path("half.txt").write_text("x", "utf-8")
        raise PermissionError

    task = prefect.Task(write, "write")
    with pytest.raises(PermissionError):
        prefect.Flow(lambda: task(), "crops")()
    assert recorded().status("write") == "Failed"
    assert recorded().generated == set()


def test_a_flow_in_a_session_is_an_activity_of_it(prefect: Any, folder: Path) -> None:
    flow = prefect.Flow(lambda: prefect.Task(lambda: [1], "make")(), "crops")
    with session("whole", out=folder / "whole.trig"):
        flow()
    found = Captured(folder / "whole.trig")
    assert (found.inside("make"), found.inside("crops")) == ("crops", "whole")
    assert not (folder / "prov").exists()


def test_functions_keep_their_signature_and_are_recorded_once(prefect: Any, recorded: Callable[[], Captured]) -> None:
    def read(src: str) -> list[str]:
        return [src]

    task = prefect.Task(read, "read")
    again = prefect.Task(task.fn, "again")
    assert inspect.signature(again.fn) == inspect.signature(read)
    assert task.fn("x") == ["x"]  # called as a function: no run of Prefect
    prefect.Flow(lambda: again("x"), "crops")()
    assert len(recorded().activities()) == 2
