"""The page about people and their access shows the output of its commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.transcripts import play, same

PAGE = ROOT / "docs" / "how-to" / "give-people-access.md"


@pytest.mark.slow(one_in=3)
def test_the_page_shows_real_output(tmp_path: Path) -> None:
    compared = 0
    for step, printed in play(PAGE.read_text("utf-8"), tmp_path):
        if step.printed is not None:
            assert same(step.printed, printed), f"$ {step.command}\n{printed}"
            compared += 1
    assert compared >= 8
