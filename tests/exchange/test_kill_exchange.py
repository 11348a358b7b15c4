"""A few rounds of ``python -m tests.support.kill_exchange``, which usually has 300."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import kill_exchange
from tests.support.sampling import rounds


@pytest.mark.slow
def test_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    problems, kills = kill_exchange.run(rounds(15, ci=8, few=3), seed=3, folder=tmp_path)
    assert problems == []
    assert sum(kills.values()) > 0
