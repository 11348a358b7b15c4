"""Luigi runs tasks of which the last one fails, in its process and in others: both are recorded in the same way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python
from tests.integration.recordings import beside
from tests.support.captured import Captured

SOURCE = Path(__file__).with_name("luigi") / "pipe.py"


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return python("luigi", ["luigi==3.8.1"])
    except NotHere as error:
        pytest.skip(f"luigi cannot be installed: {error}")


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_recorded(workers: int, interpreter: Path, tmp_path: Path) -> None:
    shutil.copy(SOURCE, tmp_path)
    (tmp_path / "raw.csv").write_text("1,2,3\n4,,6\n", "utf-8")
    words = ["-m", "luigi", "--module", "pipe", "Publish", "--local-scheduler", "--workers", workers]
    done = beside(interpreter, words, tmp_path)
    assert "Failed to" not in done.stderr
    assert "provenance is incomplete" not in done.stderr
    (path,) = (tmp_path / "prov").glob("luigi-Publish-*.trig")
    found = Captured(path)
    assert found.problems("core", "pipeline") == []
    assert found.used == {
        ("Clean", "raw.csv"), ("Train", "clean.csv"), ("Publish", "model.txt"), ("Publish", "metrics.json"),
    }  # fmt: skip
    assert found.generated == {("clean.csv", "Clean"), ("model.txt", "Train"), ("metrics.json", "Train")}
    assert found.sources() == {"raw.csv"}
    assert [found.status(name) for name in ("Clean", "Train", "Publish")] == ["Completed", "Completed", "Failed"]
    assert found.parameters("Train") == {"alpha=1.0", "api_token=(masked)"}
    assert "hunter2" not in path.read_text("utf-8")
