"""Lineage of what a file holds, from the command line: nobody has to know the IRI that it was recorded under."""

from __future__ import annotations

import json
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


def gate(folder: Path, *arguments: str, sources: str) -> tuple[int, str]:
    (folder / "sources.txt").write_text(sources, "utf-8")
    done = provrepo("--data", "data", "gate", *arguments, "--sources", "sources.txt", cwd=folder)
    return done.returncode, (done.stdout or done.stderr).decode()


def test_a_recording_passes_the_gate(folder: Path) -> None:
    """From one recording into the one before it; sources are files or names of content."""

    @step
    def count(source: str, target: str) -> None:
        Path(target).write_text(f"{len(Path(source).read_text('utf-8'))}\n", "utf-8")

    with session("count", out="count.trig"):
        count("result.txt", "count.txt")
    assert provrepo("--data", "data", "submit", "count.trig", cwd=folder).returncode == 0
    code, told = gate(folder, "count.txt", sources="# ours\nraw.*\n")
    assert (code, told.split(", ")[1].split(" of ")[0]) == (0, "coverage 100 %"), told
    code, told = gate(folder, "count.txt", sources="https://lab.example/*\n")
    assert code == 1
    assert "(raw.txt) comes from no declared source" in told
    assert "(raw.txt) has no origin" in told
    roots = provrepo("--data", "data", "lineage", "count.txt", "--sources", "sources.txt", cwd=folder)
    assert b"0 of 1 root is a declared source" in roots.stderr
    (folder / "sources.txt").write_text("raw.txt\n", "utf-8")
    roots = provrepo("--data", "data", "lineage", "count.txt", "--sources", "sources.txt", cwd=folder)
    assert b"1 of 1 root is a declared source, 100 %" in roots.stderr


def test_a_source_that_is_nothing_is_named_by_its_line(folder: Path) -> None:
    code, told = gate(folder, "result.txt", sources="raw.txt\n\nlost.txt\n")
    assert (code, told) == (2, "error: sources.txt, line 3: 'lost.txt' is no file here, and not an absolute IRI\n")


def test_a_changed_file_is_told(folder: Path) -> None:
    recorded = provrepo("--data", "data", "lineage", "result.txt", "--output", "json", cwd=folder)
    name = json.loads(recorded.stdout)["start"]
    (folder / "result.txt").write_text("RYE\n", "utf-8")
    for verb in (("lineage", "result.txt"), ("thing", "result.txt")):
        done = provrepo("--data", "data", *verb, cwd=folder)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"error: result.txt was changed: its present bytes, ni:///sha-256;")
        assert f"the recorded bytes were others: {name} (default/run@1, ".encode() in done.stderr
    assert gate(folder, "result.txt", sources="raw.txt")[0] == 1
    # Other recorded bytes in its place are another thing, which is told too.
    shutil.copy(folder / "raw.txt", folder / "result.txt")
    done = provrepo("--data", "data", "lineage", "result.txt", cwd=folder)
    assert done.returncode == 0
    assert b"warning: result.txt was changed: its present bytes, ni:///sha-256;" in done.stderr
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "result.txt").write_text("OATS\n", "utf-8")
    done = provrepo("--data", "data", "lineage", "elsewhere/result.txt", cwd=folder)
    assert b"of a file of that name the recorded bytes were others: " in done.stderr
