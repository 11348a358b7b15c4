"""Temporary files: those of a running process stay, whatever the clock is; those of an ended process are removed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import provrepo
from provrepo.ledger.storage import scratch
from provrepo.ledger.storage.blobs import Blobs
from provrepo.repository.store import Store
from provrepo.settings import Settings
from tests.conftest import PROVJSON
from tests.support.paths import ROOT

_PROGRAM = """
import sys
from pathlib import Path
from provrepo.repository.store import Store
from provrepo.settings import Settings
store = Store.open(Settings(data=Path(sys.argv[1]), workers=1), follow=False)
store.temporary().write_bytes(b"half")
print(store.temporary().parent.name, flush=True)
sys.stdin.read()
"""


def test_what_a_living_process_writes_stays_until_it_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with provrepo.open(data) as repository:
        repository.submit(PROVJSON, name="run")
    other = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    left = data / "spool" / "1-left"
    left.mkdir()
    (left / "half.in").touch()
    (data / "spool" / "old.nq").touch()
    with Store.open(Settings(data=data, workers=1)) as store:
        assert store.may_follow()
        found = {path.name for path in (data / "spool").iterdir()} - {store.parts.scratch.path.name}
        assert {name, f"{name}.lock"} <= found
        assert not found & {"1-left", "old.nq"}
        assert len(list((data / "spool" / name).iterdir())) == 1
    other.kill()
    other.communicate()
    with Store.open(Settings(data=data, workers=1)) as store:
        assert store.may_follow()
    assert list((data / "spool").iterdir()) == []


def test_sweeping_beside_writers_loses_nothing(tmp_path: Path) -> None:
    stop, blobs = threading.Event(), Blobs(tmp_path)

    def sweep() -> None:
        while not stop.is_set():
            blobs.sweep()

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in sweepers:
        thread.start()
    try:
        digests = [blobs.put(b"%d" % number) for number in range(100)]
        folders = [scratch.Scratch(tmp_path / "incoming") for _ in range(20)]
        assert all(folder.path.is_dir() for folder in folders)
    finally:
        stop.set()
        for thread in sweepers:
            thread.join()
    assert all(blobs.verify(digest) for digest in digests)
    for folder in folders:
        folder.close()
    assert list((tmp_path / "incoming").iterdir()) == []


def test_what_is_no_file_of_ours_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/nonexistent")
    assert scratch.sweep(tmp_path) == 0
    assert scratch.sweep(tmp_path / "missing") == 0
    with pytest.raises(OSError, match="missing"):
        scratch.Scratch(tmp_path / "missing")
