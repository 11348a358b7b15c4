"""Kedro runs a project with ``ProvHooks``: each of its runners is recorded in the same way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provrepo.vocab import DCTERMS, SCHEMA
from tests.integration.environments import NotHere, python
from tests.integration.recordings import beside
from tests.support.captured import Captured

SOURCE = Path(__file__).with_name("kedro")
REQUIREMENTS = ["kedro==1.7.0", "kedro-datasets==9.6.0", "pandas==3.1.1"]
USED = {("clean", "raw.csv"), ("train", "clean.csv"), ("count", "model.pkl"), ("last", "n")}
GENERATED = {("clean.csv", "clean"), ("model.pkl", "train"), ("metrics.json", "train"), ("n", "count")}


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return python("kedro", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"kedro cannot be installed: {error}")


def recorded(interpreter: Path, folder: Path, *words: str, code: int = 0) -> Captured:
    """What is recorded of ``kedro run``."""
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for made in ("data", "conf/local"):  # Git keeps no empty folders
        (folder / made).mkdir()
    (folder / "data" / "raw.csv").write_text("plot,ph\n1,6.5\n2,\n3,7.1\n", "utf-8")
    done = beside(interpreter, ["-m", "kedro", "run", *words], folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert "provenance is incomplete" not in done.stdout + done.stderr
    (path,) = (folder / "prov").glob("kedro-*.trig")
    return Captured(path)


@pytest.mark.parametrize("words", [(), ("--runner", "ParallelRunner"), ("--runner", "ThreadRunner"), ("--async",)])
def test_nodes_are_recorded(words: tuple[str, ...], interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, tmp_path, *words)
    assert found.problems("core", "pipeline") == []
    assert (found.used, found.generated) == (USED, GENERATED)
    assert found.sources() == {"raw.csv"}
    assert found.parameters("train") == {"alpha=1.0"}
    (run,) = [s for s in found.activities() if found.values(s, SCHEMA + "identifier")]
    (identifier,) = found.values(run, SCHEMA + "identifier")
    (clean,) = found.elements("clean.csv")
    assert found.values(clean, DCTERMS + "hasVersion") == [identifier.removeprefix("kedro:")]
    assert {found.inside_of(s) for s in found.activities() if s is not run} == {found.label(run.id)}


def test_a_node_that_fails(interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, tmp_path, "--pipelines", "failing", code=1)
    assert found.status("publish") == "Failed"
    assert ("publish", "model.pkl") in found.used
    assert found.problems("core", "pipeline") == []


def test_chunks_of_a_generator_are_one_dataset(interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, tmp_path, "--pipelines", "streamed")
    assert (found.used, found.generated) == ({("chunks", "raw.csv")}, {("parts.csv", "chunks")})
