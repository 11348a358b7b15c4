"""Files that the program holds locked: hashing them leaves its locks (fcntl(2): closing any descriptor removes all)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provrepo.capture import session, step
from provrepo.capture.child import provrepo_digests
from provrepo.capture.child.provrepo_digests import sha256
from tests.support.captured import Captured
from tests.support.command import provrepo

WRITER = "import sqlite3; sqlite3.connect('work.db', timeout=0, isolation_level=None).execute('BEGIN IMMEDIATE')"
LOCKER = "import fcntl; fcntl.lockf(open('work.db', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    connection = sqlite3.connect("work.db")
    connection.execute("CREATE TABLE kept (number)")
    connection.close()


def refused(code: str) -> bool:
    """Whether another process cannot get the lock."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode != 0


def descriptors() -> list[str]:
    """The files that this process has open, below the working folder."""
    found = []
    for name in Path("/dev/fd").iterdir():
        try:
            found.append(os.path.realpath(f"/proc/self/fd/{name.name}"))
        except OSError:
            continue
    return [path for path in found if path.startswith(str(Path.cwd()))]


def immediate() -> sqlite3.Connection:
    connection = sqlite3.connect("work.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO kept VALUES (1)")
    return connection


def write_ahead() -> sqlite3.Connection:
    connection = sqlite3.connect("work.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("INSERT INTO kept VALUES (1)")
    return connection


def last_one_out() -> bool:
    """Whether another process, when it closes its connection, finds this one: it leaves the write-ahead log alone."""
    code = "import sqlite3; c = sqlite3.connect('work.db'); c.execute('SELECT * FROM kept').fetchall(); c.close()"
    subprocess.run([sys.executable, "-c", code], check=True)
    return Path("work.db-wal").exists()


@pytest.mark.parametrize(
    ("begin", "holds"), [(immediate, lambda: refused(WRITER)), (write_ahead, last_one_out)], ids=["delete", "wal"]
)
def test_a_step_leaves_the_locks_of_a_connection(
    begin: Callable[[], sqlite3.Connection], holds: Callable[[], bool]
) -> None:
    with session("run", out="run.provn"):

        @step
        def change() -> sqlite3.Connection:
            return begin()

        @step
        def look() -> None:
            sqlite3.connect("work.db").close()  # it is hashed here, and SQLite itself knows of its other connection

        connection = change()
        assert holds()
        look()
        assert holds()
        connection.close()
    assert ("change", "work.db") in Captured(Path("run.provn")).used


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_many_threads_hash_what_a_connection_has_locked() -> None:
    connection = immediate()
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(sha256, ["work.db"] * 40))
    assert refused(WRITER)
    assert len(descriptors()) > len(set(descriptors()))
    connection.close()
    assert digests == {sha256("work.db")} == {hashlib.sha256(Path("work.db").read_bytes()).hexdigest()}
    assert descriptors() == []


def test_a_descriptor_that_the_program_has_closed() -> None:
    connection = immediate()
    sha256("work.db")
    (kept,) = provrepo_digests._kept
    os.close(kept)
    Path("other").write_text("other")
    other = os.open("other", os.O_RDONLY)
    assert other == kept
    assert sha256("work.db") == sha256("work.db")
    assert os.read(other, 5) == b"other"
    os.close(other)
    connection.close()
    sha256("work.db")


def test_a_lock_of_the_program_itself() -> None:
    with Path("work.db").open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        for _ in range(3):
            sha256("work.db")
            assert refused(LOCKER)
    sha256("work.db")
    assert not refused(LOCKER)


def test_a_program_below_provrepo_run() -> None:
    Path("work.py").write_text(
        "import sqlite3, subprocess, sys\n"
        "connection = sqlite3.connect('work.db', isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "sqlite3.connect('work.db').close()\n"
        f"sys.exit(subprocess.run([sys.executable, '-I', '-c', {WRITER!r}], stderr=-3).returncode == 0)\n"
    )
    done = provrepo("run", "--out", "run.provn", "--", sys.executable, "work.py", cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
