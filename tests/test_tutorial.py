"""The tutorials show the output of their commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.extras import needs_examples
from tests.support.paths import ROOT
from tests.support.sampling import sample
from tests.support.transcripts import play, replaced, same, served

TUTORIALS = ROOT / "docs" / "tutorial"


@pytest.mark.slow
@pytest.mark.parametrize("name", sample(sorted(page.name for page in TUTORIALS.glob("*.md")), 1))
def test_a_tutorial_shows_real_output(name: str, tmp_path: Path) -> None:
    page = (TUTORIALS / name).read_text("utf-8")
    if "'.[examples]'" in page:
        needs_examples()
    compared = 0
    with served(page, tmp_path) as addresses:
        for step, printed in play(replaced(page, addresses), tmp_path):
            if step.printed is not None:
                assert same(step.printed, printed), (
                    f"$ {step.command}\n{printed}\n"
                    f"If that is right: python -m tests.support.transcripts docs/tutorial/{name}"
                )
                compared += 1
    assert compared > 10


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("a b\nc\n", "c\na   b\n", True),
        ("a\n...\nc\n", "a\nb\nc\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("0.84}", "0.86}", True),
        ("0.84}", "0.91}", False),
        ("ni:///sha-256;abc x", "ni:///sha-256;-d_ x", True),
        ("12 things", "13 things", False),
    ],
)
def test_comparison_of_output(shown: str, printed: str, alike: bool) -> None:
    assert same(shown, printed) is alike
