"""The benchmark beside other tools: what is not there is said to be not there, and nothing is installed unasked."""

from __future__ import annotations

from pathlib import Path

from benchmarks import peers


def test_tools_that_are_absent_are_told_of(tmp_path: Path) -> None:
    rows = peers.table(tmp_path / "nowhere")
    assert [row.split(" | ")[1].strip() for row in rows[2:]] == ["not installed"] * len(peers.TOOLS)
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert list(tmp_path.iterdir()) == []
