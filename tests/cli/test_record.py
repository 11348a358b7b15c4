"""``provrepo record``."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import Command, environment
from tests.support.paths import ROOT
from tests.support.transcripts import play, same

ONE = ("--form", "--what", "weighed", "--who", "Ana", "--when", "2026-01-31", "-o", "urn:x:weights")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path / "data")


def test_a_file_is_never_overwritten(run: Command) -> None:
    first = run("record", *ONE, "--out", "a.ttl").stdout
    assert first == "a.ttl\n"
    before = Path("a.ttl").read_bytes()
    run("record", *ONE, "--out", "a.ttl")  # the same again
    error = run.error("record", *ONE, "--why", "again", "--out", "a.ttl", code=1)
    assert error == "a.ttl exists with other content; name another file with --out"
    assert Path("a.ttl").read_bytes() == before


def test_by_default_a_new_file_in_prov(run: Command) -> None:
    found = {run("record", *ONE).stdout.strip() for _ in range(2)}
    assert len(found) == 2
    assert all(Path(path).parent == Path.cwd() / "prov" and Path(path).is_file() for path in found)


def test_errors_leave_no_file(run: Command) -> None:
    Path("a.csv").write_text("what,who,when,output\na,b,c,d\n")
    assert "give either --form" in run.error("record", code=2)
    assert "write FIELD=COLUMN" in run.error("record", "--rows", "a.csv", "--map", "what", code=2)
    assert "--map is for --rows" in run.error("record", *ONE, "--map", "what=Task", code=2)
    assert run.error("record", "--form", "--what", "weighed", code=2).startswith("who: is missing")
    assert "1 row of a.csv cannot be recorded" in run.error("record", "--rows", "a.csv", code=2)
    assert sorted(path.name for path in Path().iterdir()) == ["a.csv"]


def test_a_terminal_is_asked_for_what_is_missing(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    answers = ["Ana", "", "soon", "urn:x:a", "", "", "", "", "", "2026-01-31"]  # who, when, input, output, why, plan, …
    words = [sys.executable, "-m", "provrepo", "record", "--form", "--what", "weighed", "--out", "a.trig"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdin=follower, stdout=-1, stderr=-1) as process:
        os.close(follower)
        os.write(leader, "".join(f"{answer}\n" for answer in answers).encode())
        printed, questions = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0, questions
    assert printed == b"a.trig\n"
    assert b"when: 'soon' is not a time" in questions
    assert b"2026-01-31T00:00:00" in (tmp_path / "a.trig").read_bytes()


MAKE = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
PAGES = ["record-by-hand.md", "compare-runs.md", "share-a-part.md", "import-a-log.md"]


@pytest.mark.slow(one_in=2)
@pytest.mark.parametrize("page", [*PAGES, pytest.param("record-a-makefile.md", marks=MAKE)])
def test_the_page_shows_real_output(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    compared = 0
    for step, printed in play((ROOT / "docs" / "how-to" / page).read_text("utf-8"), tmp_path):
        if step.printed is not None:
            assert same(step.printed, printed), f"$ {step.command}\n{printed}"
            compared += 1
    assert compared
