"""The benchmark with other tools: missing tools are reported, and nothing is installed without the option."""

from __future__ import annotations

from pathlib import Path

from benchmarks import peers, shacl_peers


def test_missing_tools_are_reported(tmp_path: Path) -> None:
    rows = peers.table(tmp_path / "nowhere")
    assert [row.split(" | ")[1].strip() for row in rows[2:]] == ["not installed"] * len(peers.TOOLS)
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert list(tmp_path.iterdir()) == []


def test_missing_processors_of_shacl_are_reported(tmp_path: Path) -> None:
    found = {processor.name: processor.command for processor in shacl_peers.processors(tmp_path / "nowhere")}
    assert [name.split(" ")[0] for name, command in found.items() if command is None] == ["rudof", "Jena"]
    assert list(tmp_path.iterdir()) == []
