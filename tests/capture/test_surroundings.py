"""What nothing explains is named, and files that a step names in arguments and results are inferred."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provrepo.capture import session, step
from provrepo.capture.files import surroundings
from provrepo.capture.files.surroundings import Surroundings
from provrepo.vocab import PROVREPO
from tests.support.captured import Captured
from tests.support.command import provrepo


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("b\na\n")


def unexplained(found: Captured) -> list[str]:
    return [value for one in found.activities() for value in found.values(one, PROVREPO + "unexplained")]


LINE = "sort raw.csv > sorted.csv; mkdir -p out/deep; cp sorted.csv out/deep/copy.csv; rm sorted.csv"


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.parametrize("way", ["step", "run"])
def test_files_of_other_programs_are_named_and_no_edges(way: str, caplog: pytest.LogCaptureFixture) -> None:
    if way == "run":
        done = provrepo("run", "--out", "run.trig", "--", "sh", "-c", LINE, cwd=Path.cwd())
        said = done.stderr.decode()
    else:
        with caplog.at_level(logging.WARNING, "provrepo.capture"), session("run", out="run.trig"):
            step("work")(lambda: subprocess.run(LINE, shell=True, check=True))()
        said = caplog.text
    found = Captured(Path("run.trig"))
    assert unexplained(found) == ["changed out/deep/copy.csv", "opened raw.csv"]
    assert "csv" not in str(found.used | found.generated)
    assert said.count("\n") == 1
    assert "not recorded, since nothing explains it: out/deep/copy.csv (changed), raw.csv (opened)" in said


def test_what_is_explained_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    Path("helper.py").write_text("value = 1\n")
    Path(".hidden").write_text("x")
    Path("tool.sh").write_text("#!/bin/sh\ncat .hidden\n")
    Path("tool.sh").chmod(0o755)
    Path("notes.txt").write_text("x")
    with caplog.at_level(logging.WARNING, "provrepo.capture"):
        with session("run", out="run.trig"):

            @step
            def work() -> None:
                Path("out.csv").write_text(Path("raw.csv").read_text())
                with Path("notes.txt").open("a"):  # and writes nothing
                    pass
                subprocess.run([sys.executable, "-c", "import helper; open('raw.csv').read()"], check=True)
                subprocess.run(["./tool.sh"], check=True, capture_output=True)
                Path("temporary").write_text("x")
                Path("temporary").unlink()

            work()
        step("outside")(lambda: None)
    assert unexplained(Captured(Path("run.trig"))) == []
    assert "explains" not in caplog.text


def test_a_scan_finds_changes_where_there_is_no_inotify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings.sys, "platform", "plan9")
    watch = Surroundings(str(Path.cwd()))
    Path("new.csv").write_text("x")
    Path("raw.csv").write_text("longer than before")
    assert watch.found(lambda path, changed: False) == [("changed", "new.csv"), ("changed", "raw.csv")]
    assert watch.found(lambda path, changed: path.endswith("new.csv")) == [("changed", "raw.csv")]


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_lost_events_and_closed_descriptors_are_made_good_by_a_scan() -> None:
    watch = Surroundings(str(Path.cwd()))
    Path("new.csv").write_text("x")
    watch._take(-1, surroundings._OVERFLOW, "")
    Path("later.csv").write_text("x")
    os.close(watch._queue)
    with Path("raw.csv").open() as reused:  # the program uses the number
        assert watch.found(lambda path, changed: False) == [("changed", "later.csv"), ("changed", "new.csv")]
        assert reused.read() == "b\na\n"


def test_a_large_folder_is_not_watched_and_the_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "LARGEST", 3)
    for number in range(5):
        Path(f"{number}.csv").touch()
    with session("run", out="run.trig"):
        step("work")(lambda: Path("raw.csv").read_text())()
    assert unexplained(Captured(Path("run.trig"))) == ["not watched: more than 3 files"]


@step(infer=True)
def convert(source: Path, target: str, more: Any = None) -> Any:
    """A step whose files nobody sees: another program opens them."""
    subprocess.run(["cp", source, target], check=True)
    return more


def test_files_that_arguments_and_results_name_are_inferred() -> None:
    Path("extra.csv").write_text("x")
    Path("made.csv").unlink(missing_ok=True)
    with session("run", out="run.trig"):
        convert(Path("raw.csv"), "out.csv", {"other": ["extra.csv", "no such file", "x" * 5000, "\0"]})

        @step(infer=True)
        def make() -> tuple[str, Path]:
            subprocess.run(["cp", "raw.csv", "made.csv"], check=True)
            return "made.csv", Path("extra.csv")  # the second is older than the step

        time.sleep(1.1)  # a file counts as made by the step where its time is within the tick of a coarse clock
        make()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert {pair for pair in found.used if "csv" in pair[1]} == {("convert", "raw.csv"), ("convert", "extra.csv")}
    assert {pair for pair in found.generated if "csv" in pair[0]} == {("out.csv", "convert"), ("made.csv", "make")}


def test_nothing_is_inferred_unless_it_is_asked_for() -> None:
    with session("run", out="run.trig"):

        @step
        def plain(source: str) -> str:
            subprocess.run(["cp", source, "out.csv"], check=True)
            return "out.csv"

        plain("raw.csv")
    found = Captured(Path("run.trig"))
    assert "csv" not in str(found.used | found.generated)
