"""The tutorial about the worked example shows what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from provrepo.resources import root
from tests.command import ROOT, environment
from tests.transcripts import Shell, same, steps

PAGE = ROOT / "docs" / "tutorial" / "trace-a-model.md"
ANA = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ana"), ("EMAIL", "ana@lab.example"))
}


def test_the_tutorial_shows_real_output(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the extra `examples` is not installed: pip install '.[examples]'")
    (tmp_path / "examples").symlink_to(root() / "examples")
    variables = environment(HOME=str(tmp_path), PYTHONDONTWRITEBYTECODE="1", **ANA)
    compared = 0
    with Shell(tmp_path, variables) as shell:
        for step in steps(PAGE.read_text("utf-8")):
            if "pip install" in step.command:
                continue
            printed = shell.run(step.command)
            if step.printed is not None:
                assert same(step.printed, printed), f"$ {step.command}\n{printed}"
                shell.learn(step.printed, printed)
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
def test_what_counts_as_the_same_output(shown: str, printed: str, alike: bool) -> None:
    assert same(shown, printed) is alike
