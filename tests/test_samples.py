"""What a run of the tests leaves out: samples, what would begin too late, and the disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import sampling, temporary
from tests.support.command import environment
from tests.support.paths import ROOT


def test_numbers_of_generated_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*, everything: bool, full: bool, seed: int = 1) -> list[int]:
        monkeypatch.setattr(sampling, "ALL", everything)
        monkeypatch.setattr(sampling, "FULL", full)
        monkeypatch.setattr(sampling, "SEED", seed)
        return sampling.numbers(1_000, ci=250, few=40)

    assert drawn(everything=False, full=False) == list(range(40))
    assert drawn(everything=True, full=True) == list(range(1_000))
    found = drawn(everything=False, full=True)
    assert found[:40] == list(range(40))
    assert found == sorted(set(found))
    assert (len(found), found[-1] < 1_000) == (250, True)
    assert drawn(everything=False, full=True, seed=2) != found


@pytest.mark.parametrize(("until", "skipped"), [(-1, 1), (3600, 0)])
def test_no_test_begins_after_the_time_for_tests(tmp_path: Path, until: int, skipped: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_setup, pytest_terminal_summary\n")
    (tmp_path / "test_one.py").write_text("def test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--rootdir=.", "test_one.py"]
    variables = environment(TEST_UNTIL=str(int(time.time()) + until), PYTHONPATH=str(ROOT))
    ran = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert re.search(r"(\d) (passed|skipped)", ran.stdout).groups() == ("1", "skipped" if skipped else "passed")  # type: ignore[union-attr]
    assert ("1 tests were not run" in ran.stdout) is bool(skipped)


def test_memory_is_used_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert temporary.in_memory(tmp_path, 1 << 20)
    assert not temporary.in_memory(tmp_path, 1 << 60)
    assert not temporary.in_memory(tmp_path / "absent", 0)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(temporary, "in_memory", lambda: True)
    given, none = {"TMPDIR": "/elsewhere"}, dict[str, str]()
    temporary.use_memory(given)
    temporary.use_memory(none)
    assert (given, none) == ({"TMPDIR": "/elsewhere"}, {"TMPDIR": os.fspath(temporary.MEMORY)})
