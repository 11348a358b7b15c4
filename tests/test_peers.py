"""The benchmark with other tools: missing tools are reported, and nothing is installed without the option."""

from __future__ import annotations

from pathlib import Path

from benchmarks import peers


def test_missing_tools_are_reported(tmp_path: Path) -> None:
    rows = peers.table(tmp_path / "nowhere")
    assert [row.split(" | ")[1].strip() for row in rows[2:]] == ["not installed"] * len(peers.TOOLS)
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert list(tmp_path.iterdir()) == []
