"""The verbs ``receipt``, ``verify`` and ``log``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    command = Command(tmp_path / "data")
    (tmp_path / "run.json").write_bytes(PROVJSON)
    (tmp_path / "run.ttl").write_bytes(TURTLE)
    command("project", "create", "crops")
    answer = command("submit", tmp_path / "run.json", "--project", "crops", "--output", "json").stdout
    (tmp_path / "answer.json").write_text(answer)
    (tmp_path / "receipt.json").write_text(command("receipt", "crops/run").stdout)
    (tmp_path / "keys").write_text(command("log", "keys").stdout)
    return command


@pytest.mark.parametrize("name", ["answer.json", "receipt.json"])
def test_what_is_proven_and_what_is_not(command: Command, tmp_path: Path, name: str) -> None:
    # No data directory is needed.
    elsewhere = Command(tmp_path / "none")
    result = elsewhere("verify", tmp_path / name, tmp_path / "run.json", "--key", tmp_path / "keys").stdout
    proven, limits = result.splitlines()
    assert proven == (
        "Proven: entry 2 of project crops records these bytes as run version 1, and a key that you trust signed a list "
        "of 2 entries that contains it."
    )
    assert limits.startswith("Not proven: that the content is true, ")
    assert not (tmp_path / "none").exists()
    assert command.json("verify", tmp_path / name, "--key", tmp_path / "keys")["proven"] is True


def test_other_bytes_and_changed_receipts(command: Command, tmp_path: Path) -> None:
    result = command("verify", tmp_path / "receipt.json", tmp_path / "run.ttl", code=1).stdout
    assert result.startswith("Not proven: the document has the SHA-256 ")
    found = json.loads((tmp_path / "receipt.json").read_text())
    found["entry"]["actor"] = "0" * 32
    (tmp_path / "changed.json").write_text(json.dumps(found))
    assert "is not in the tree" in command("verify", tmp_path / "changed.json", code=1).stdout
    assert command.json("verify", tmp_path / "changed.json", code=1)["proven"] is False


def test_a_receipt_from_stdin(command: Command, tmp_path: Path) -> None:
    given = (tmp_path / "receipt.json").read_bytes()
    assert command("verify", "-", stdin=given).stdout.startswith("Proven: ")


def test_what_cannot_be_read(command: Command, tmp_path: Path) -> None:
    assert "cannot read the receipt" in command.error("verify", tmp_path / "absent", code=2)
    assert "not JSON" in command.error("verify", tmp_path / "run.ttl", code=2)
    assert "not a receipt" in command.error("verify", tmp_path / "run.json", code=2)
    assert "line 1: not a key" in command.error(
        "verify", tmp_path / "receipt.json", "--key", tmp_path / "run.ttl", code=2
    )
    assert "cannot read the document" in command.error("verify", tmp_path / "receipt.json", tmp_path / "absent", code=2)


def test_the_log_and_its_keys(command: Command, tmp_path: Path) -> None:
    shown = command("log", "show", "crops").stdout
    found = command.json("log", "show", "crops")
    assert found["checkpoint"] in shown + "\n"
    assert "crops: 2 entries in a signed log" in shown
    assert command("log", "show").stdout.startswith("the repository: ")
    assert command("log", "rotate").stdout.count("\n  key ") == 2
    (tmp_path / "new").write_text(command("receipt", "crops/run").stdout)
    assert command("verify", tmp_path / "new", "--key", tmp_path / "keys").stdout.startswith("Proven: ")
    assert command("log", "retire").stdout.count("\n  key ") == 1
    (tmp_path / "newer").write_text(command("receipt", "crops/run").stdout)
    assert "no key that is trusted" in command("verify", tmp_path / "newer", "--key", tmp_path / "keys", code=1).stdout
    assert "no key was replaced" in command.error("log", "retire", code=1)
    assert command("log", "rotate", "--lost").stdout.count("\n  key ") == 1
