"""The examples of docs/how-to/send-to-another-laboratory.md have the results that it shows.

``python -m tests.exchange.test_how_to`` updates the page.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import provrepo
from tests.support.command import serving
from tests.support.paths import ROOT
from tests.support.transcripts import play, rewritten, same

PAGE = ROOT / "docs" / "how-to" / "send-to-another-laboratory.md"
ADDRESS = "https://lab-b.example/"


@pytest.mark.slow(one_in=2)
def test_the_page_shows_real_output(tmp_path: Path) -> None:
    compared = 0
    with provrepo.open(tmp_path / "lab-b") as repository:
        repository.init()
    with serving(tmp_path / "lab-b") as url:
        page = PAGE.read_text("utf-8").replace(ADDRESS, f"{url}/")
        for step, printed in play(page, tmp_path):
            if step.printed is not None:
                assert same(step.printed, printed), f"$ {step.command}\n{printed}"
                compared += 1
    assert compared == 8


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        with provrepo.open(Path(folder) / "lab-b") as made:
            made.init()
        with serving(Path(folder) / "lab-b") as server:
            text = PAGE.read_text("utf-8").replace(ADDRESS, f"{server}/")
            PAGE.write_text(rewritten(text, Path(folder)).replace(f"{server}/", ADDRESS), "utf-8")
