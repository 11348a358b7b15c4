"""Kill -9 and cut connections during mirroring, repeatedly: ``python -m tests.support.kill_mirror --rounds 300``.

In each round the origin gets new versions, withdrawals and erasures. Then ``provrepo mirror`` or ``provrepo pull`` is
killed at a random moment, or its connections are cut. Afterwards the mirror has a prefix of the origin's entries, and
``fsck`` finds nothing; a last pull makes both equal, entry for entry and blob for blob.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import provrepo
from provrepo.errors import Error
from provrepo.repository.repository import Repository
from tests.support.kill import document
from tests.support.mirrored import differences, entries
from tests.support.origins import Served, served

__all__ = ["run"]

PADDING = b"\n" * 400_000


def change(origin: Repository, chance: random.Random, number: int) -> None:
    """Append some entries of all kinds to the origin."""
    for step in range(chance.randint(1, 6)):
        data = document(number * 10 + step)
        if chance.random() < 0.2:
            data += PADDING
        origin.submit(data, project="crops", name=f"d{chance.randrange(12)}", update=True, again=True)
    names = [info.name for info in origin.documents("crops") if info.current.state == "current"]
    if names and chance.random() < 0.3:
        origin.withdraw("crops", chance.choice(names), reason="no longer true")
    if chance.random() < 0.3:
        name = chance.choice([info.name for info in origin.documents("crops", withdrawn=True)])
        versions = [info for info in origin.history("crops", name) if info.state != "erased"]
        if versions:
            origin.erase("crops", name, chance.choice(versions).version, reason="the law")


def _cut(chance: random.Random) -> Any:
    """Cut some connections after some bytes."""
    return lambda environ: chance.randrange(3_000) if chance.random() < 0.4 else None


def _pull(data: Path, token: str, url: str, seconds: float | None, chance: random.Random) -> None:
    """Pull in a process; kill its group at a random moment, or wait for its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(data), "mirror", url, "--name", "copy"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PROVREPO_TOKEN": token},
        start_new_session=True,
    )
    if seconds is None:
        process.wait()
        return
    time.sleep(seconds * chance.uniform(0.3, 1.1))
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def inspect(data: Path, origin: Repository, where: str) -> list[str]:
    """Check a mirror after a kill."""
    if not (data / "ledger.sqlite").exists():
        return []
    with provrepo.open(data, follow=False) as repository:
        if not any(mirror.name == "copy" for mirror in repository.mirrors()):
            return []
        problems = [f"{where}: {wrong}" for wrong in repository.fsck().problems]
        here = entries_of(repository)
        if here != entries_of(origin, "crops")[: len(here)]:
            problems.append(f"{where}: the entries are not a prefix of those of the origin")
        return problems


def entries_of(repository: Repository, project: str = "copy") -> list[bytes]:
    found: list[bytes] = []
    try:
        while page := entries(repository, project, len(found)):
            found += page
    except Error:
        return found  # no entry yet
    return found


def _rounds(
    rounds: int, chance: random.Random, data: Path, origin: Repository, server: Served, token: str
) -> list[str]:
    problems: list[str] = []
    seconds = 2.0
    for number in range(rounds):
        change(origin, chance, number)
        if chance.random() < 0.3:
            server.instead = _cut(chance)
            _pull(data, token, server.project(), None, chance)
            server.instead = lambda environ: None
        else:
            _pull(data, token, server.project(), seconds, chance)
        problems += inspect(data, origin, f"round {number}")
        if number % 20 == 19:
            began = time.monotonic()
            _pull(data, token, server.project(), None, chance)
            seconds = time.monotonic() - began
            with provrepo.open(data) as repository:
                problems += [f"after round {number}: {wrong}" for wrong in differences(repository, origin)]
                problems += [f"after round {number}: {wrong}" for wrong in repository.fsck(views=True).problems]
            print(f"{number + 1} rounds, {len(problems)} problems", flush=True)
    return problems


def run(rounds: int, seed: int, folder: Path) -> list[str]:
    """Run some rounds, a multiple of 20; returns the problems."""
    chance = random.Random(seed)
    with provrepo.open(folder / "origin") as origin:
        origin.create_project("crops")
        token, _ = origin.create_token("lab-b", projects=["crops"])
        with served(origin) as server:
            return _rounds(rounds, chance, folder / "data", origin, server, token)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(arguments.rounds, arguments.seed, Path(folder))
    print(*found[:50], f"{arguments.rounds} rounds, {len(found)} problems", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
