"""Many processes open a new data directory, or one of an earlier schema, at the same time."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.command import environment
from tests.support.directories import unpack
from tests.support.paths import ROOT

_PROGRAM = """
import sys
from pathlib import Path
import provrepo
from provrepo.ledger.ledger import Ledger
from provrepo.repository.store import Store
from provrepo.settings import Settings

for line in sys.stdin:
    data, verb = line.rstrip("\\n").split("\\t")
    try:
        with Store.open(Settings(data=Path(data), workers=1), follow=False, create=verb == "write") as store:
            if verb == "write":
                store.owner()
                print(store.ledger.identity().id, flush=True)
            elif store.exists():
                print(store.ledger.identity().id, flush=True)
            else:
                print("none", flush=True)
    except provrepo.Error as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""


def rounds(folder: Path, *, processes: int, number: int, old: bool) -> list[str]:
    """Return the problems. In each round all processes open one directory, half of them to write."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        for _ in range(processes)
    ]
    problems = []
    try:
        for one in range(number):
            data = folder / f"round{one}" / "data"
            data.parent.mkdir()
            if old:
                unpack(ROOT / "tests" / "data" / "directory-v1.tar.gz", data.parent)
            for process_number, process in enumerate(running):
                assert process.stdin is not None
                process.stdin.write(f"{data}\t{'write' if process_number % 2 == 0 or old else 'read'}\n")
            for process in running:
                assert process.stdin is not None
                process.stdin.flush()
            answers = [process.stdout.readline().strip() for process in running if process.stdout is not None]
            identities = set(answers) - {"none"}
            if len(identities) != 1 or any(" " in answer for answer in answers) or (old and "none" in answers):
                problems.append(f"round {one}: {sorted(set(answers))}")
    finally:
        for process in running:
            process.communicate()
    return problems


@pytest.mark.parametrize("old", [False, True])
def test_nobody_sees_a_directory_half_made(tmp_path: Path, old: bool) -> None:
    assert rounds(tmp_path, processes=8, number=3 if old else 6, old=old) == []


def main() -> int:
    """``python -m tests.ledger.test_first_open --rounds 200`` repeats it many times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=8)
    arguments = parser.parse_args()
    found = []
    for old in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            found += rounds(Path(folder), processes=arguments.processes, number=arguments.rounds, old=old)
    print(*found, f"{len(found)} problems", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
