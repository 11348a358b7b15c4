"""Only the owner can access the files of a repository, whichever verb creates it and whatever the umask is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from tests.conftest import PROVJSON


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(data: Path) -> dict[str, int]:
    return {str(p.relative_to(data)): stat.S_IMODE(p.lstat().st_mode) for p in [data, *data.rglob("*")]}


@pytest.mark.usefixtures("_open_umask")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o007])
def test_the_command_line_makes_everything_for_the_owner_alone(tmp_path: Path, umask: int) -> None:
    os.umask(umask)
    file = tmp_path / "run.json"
    file.write_bytes(PROVJSON)
    data = tmp_path / "new" / "data"
    for verb in (["submit", str(file), "--name", "a"], ["query", "ASK { ?s ?p ?o }"], ["rebuild"]):
        done = subprocess.run(
            [sys.executable, "-m", "provrepo", "--data", str(data), *verb], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    found = modes(data)
    assert len(found) > 20
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.mark.usefixtures("_open_umask")
def test_the_library_closes_the_directory_and_leaves_the_umask(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit(PROVJSON, name="a")
        repository.query("ASK {}")
    found = modes(tmp_path / "data")
    assert found["."] == 0o700
    assert [oct(mode) for name, mode in found.items() if name.endswith("ledger.sqlite")] == ["0o600"]
    probe = tmp_path / "probe"
    probe.touch()
    assert stat.S_IMODE(probe.stat().st_mode) == 0o666


def test_laxer_permissions_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with provrepo.open(data) as repository:
        repository.submit(PROVJSON, name="a")
        assert not any("chmod" in note for note in repository.fsck().notes)
        data.chmod(0o755)
        check = repository.fsck()
        assert check.sound
        [note] = [note for note in check.notes if "chmod" in note]
        assert "0755" in note
