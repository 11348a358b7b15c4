"""Kill -9 during ``pack`` and ``unpack``, repeatedly: ``python -m tests.support.kill_package --rounds 300``.

In each round the project gets new versions, withdrawals and erasures. Then ``provrepo pack`` is killed at a random
moment: the file is the former package or the new one. Then ``provrepo unpack`` of a complete package is killed: the
mirror has some first entries of the project, and ``fsck`` finds nothing. Unpacking it again makes both equal.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import provrepo
from tests.support.kill_mirror import change, entries_of, inspect
from tests.support.mirrored import differences

__all__ = ["run"]


def _run(arguments: Sequence[object], seconds: float | None = None) -> tuple[bool, float]:
    """Run a command, and kill it after some seconds; returns whether it was killed, and how long it ran."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True, time.monotonic() - began
    return False, time.monotonic() - began


def _unpacked(package: Path, data: Path) -> list[str]:
    """What is wrong with a package."""
    try:
        with provrepo.open(data, follow=False) as repository:
            repository.unpack(package, name="copy")
            return [f"{package.name}: {wrong}" for wrong in repository.fsck().problems]
    except provrepo.Error as error:
        return [f"{package.name}: {error}"]


def run(rounds: int, seed: int, folder: Path) -> tuple[list[str], int]:
    """Run some rounds; returns the problems, and how often a command was killed."""
    chance, problems, kills = random.Random(seed), list[str](), 0
    seconds = {"pack": 2.0, "unpack": 2.0}
    data, package = folder / "data", folder / "crops.zip"
    with provrepo.open(folder / "origin") as origin:
        origin.create_project("crops")
        for number in range(rounds):
            change(origin, chance, number)
            command = ["--data", folder / "origin", "pack", "crops", package]
            before = package.read_bytes() if package.exists() else b""
            killed, _ = _run(command, seconds["pack"] * chance.uniform(0.3, 1.1))
            kills += killed
            after = package.read_bytes() if package.exists() else b""
            if killed and after != before and number % 5 == 0:
                problems += [f"round {number}: {wrong}" for wrong in _unpacked(package, folder / f"check-{number}")]
            if not package.exists() or number % 3 == 0:
                killed, seconds["pack"] = _run(command)
            command = ["--data", data, "unpack", package, "--name", "copy"]
            killed, _ = _run(command, seconds["unpack"] * chance.uniform(0.3, 1.1))
            kills += killed
            problems += inspect(data, origin, f"round {number}")
            if number % 10 == 9:
                _run(["--data", folder / "origin", "pack", "crops", package])
                _, seconds["unpack"] = _run(command)
                with provrepo.open(data) as repository:
                    problems += [f"after round {number}: {wrong}" for wrong in differences(repository, origin)]
                    problems += [f"after round {number}: {wrong}" for wrong in repository.fsck(views=True).problems]
                    if len(entries_of(repository)) != origin.context.store.ledger.length("crops"):
                        problems.append(f"after round {number}: entries are missing")
                print(f"{number + 1} rounds, {kills} kills, {len(problems)} problems", flush=True)
    return problems, kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, kills = run(arguments.rounds, arguments.seed, Path(folder))
    print(*found[:50], f"{arguments.rounds} rounds, {kills} kills, {len(found)} problems", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
