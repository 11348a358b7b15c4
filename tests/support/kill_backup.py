"""Kill -9 during backups and restores, repeatedly: ``python -m tests.support.kill_backup --rounds 100``.

After each kill the earlier snapshots are complete, and a data directory that was being restored is either not a
repository or a complete one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import provrepo
from provrepo.repository.upkeep.backup import Archive
from provrepo.repository.upkeep.restore import restore
from tests.support.kill import document

__all__ = ["run"]


def _killed(chance: random.Random, seconds: float, *arguments: object) -> bool:
    """Run a command and kill it at a random moment; returns whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds * chance.uniform(0.3, 1.2))
    killed = process.poll() is None
    process.kill()
    process.wait()
    return killed


def run(rounds: int, seed: int, folder: Path, *, documents: int = 40) -> list[str]:
    """Run some rounds; returns the problems."""
    chance, problems = random.Random(seed), []
    data, target, again = folder / "data", folder / "backup", folder / "again"
    with provrepo.open(data, follow=False) as repository:
        for number in range(documents):
            repository.submit(document(number), name=f"d{number}")
        repository.backup(target)
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "provrepo", "--data", str(data), "backup", str(target)], check=True)
    seconds = time.monotonic() - began
    for number in range(rounds):
        with provrepo.open(data, follow=False) as repository:
            repository.submit(document(documents + number), name=f"d{documents + number}")
        before = [snapshot.name for snapshot in Archive(target).snapshots()]
        keep = ["--keep", chance.randint(1, 3)] if chance.random() < 0.5 else []
        _killed(chance, seconds, "--data", data, "backup", target, *keep)
        archive = Archive(target)
        after, checked = archive.snapshots(), set[str]()
        if not after or after[-1].name < before[-1]:
            problems.append(f"round {number}: snapshots {before} became {[snapshot.name for snapshot in after]}")
        problems += [f"round {number}: {wrong}" for one in after for wrong in archive.problems(one, checked)]
        shutil.rmtree(again, ignore_errors=True)
        _killed(chance, seconds, "--data", again, "restore", target)
        if not (again / "ledger.sqlite").exists():
            restore(target, again)
        with provrepo.open(again, follow=False) as repository:
            problems += [f"round {number}, restored: {wrong}" for wrong in repository.fsck().problems]
            if len(repository.documents("default")) < documents:
                problems.append(f"round {number}: documents are missing after the restore")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(arguments.rounds, arguments.seed, Path(folder))
    print(*found, f"{arguments.rounds} rounds, {len(found)} problems", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
