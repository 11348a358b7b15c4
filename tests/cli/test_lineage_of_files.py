"""Lineage of what a file holds, from the command line: nobody has to know the IRI that it was recorded under."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provrepo.capture import session, step
from tests.support.command import provrepo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a result, what it was made from, and a repository that knows how."""
    monkeypatch.chdir(tmp_path)

    @step
    def upper(source: str, target: str) -> None:
        Path(target).write_text(Path(source).read_text("utf-8").upper(), "utf-8")

    Path("raw.txt").write_text("wheat\n", "utf-8")
    with session("upper", out="run.trig"):
        upper("raw.txt", "result.txt")
    assert provrepo("--data", "data", "submit", "run.trig", cwd=tmp_path).returncode == 0
    return tmp_path


def test_a_file_stands_for_its_content(folder: Path) -> None:
    shutil.copy(folder / "result.txt", folder / "renamed.txt")
    upstream = provrepo("--data", "data", "lineage", "renamed.txt", cwd=folder).stdout.decode()
    assert "raw.txt" in upstream
    assert "result.txt" in upstream
    downstream = provrepo("--data", "data", "lineage", "raw.txt", "--direction", "downstream", cwd=folder)
    assert "result.txt" in downstream.stdout.decode()
    path = provrepo("--data", "data", "lineage", "renamed.txt", "--to", "raw.txt", cwd=folder).stdout.decode()
    assert "upper" in path


@pytest.mark.parametrize("thing", ["changed.txt", "https://lab.example/" + "x" * 300])
def test_what_was_never_recorded_is_said_to_be_unknown(folder: Path, thing: str) -> None:
    (folder / "changed.txt").write_text("rye\n", "utf-8")
    answer = provrepo("--data", "data", "lineage", thing, cwd=folder)
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.startswith(b"error: nothing that you may read speaks of ")
