"""A few rounds of ``python -m tests.support.kill``, which usually has 200."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import kill_backup
from tests.support.kill import run
from tests.support.sampling import rounds


@pytest.mark.slow
def test_kills_lose_nothing_and_leave_nothing_by_half(tmp_path: Path) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    work.mkdir()
    tally = run(rounds(20, ci=10, few=4), seed=7, data=data, work=work)
    assert tally.problems == []
    assert tally.acknowledged, "no submission was acknowledged before its kill: the sample shows nothing"
    assert tally.stored >= len(tally.acknowledged)


@pytest.mark.slow
def test_killed_backups_and_restores_leave_what_was_there(tmp_path: Path) -> None:
    assert kill_backup.run(rounds(10, ci=5, few=2), seed=3, folder=tmp_path) == []
