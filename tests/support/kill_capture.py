"""Kill -9 of a captured pipeline, repeatedly: ``python -m tests.support.kill_capture --rounds 200``.

Each round runs a pipeline of steps, some of them in other processes, and kills it at a random moment: at a random
write to the journal, within the line or directly after it, or after a random time. Afterwards the pipeline's own
files must be as without capture. The recovered document must be valid, be marked as incomplete, have every step that
has ended according to the pipeline itself, and violate the profile ``pipeline`` only by missing ends.
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

from provrepo.capture.delivery.outbox import recover
from provrepo.vocab import PROVREPO
from tests.support.captured import Captured
from tests.support.command import environment

STEPS = 12

PIPELINE = """
import multiprocessing, os, random, signal, sys
from pathlib import Path
from provrepo.capture import session, step
from provrepo.capture.journal import events as journal

steps, moment, half = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "half"
writes = 0
write = os.write

def killing(file, data):
    global writes
    if not data.startswith(b"\\n["):
        return write(file, data)
    writes += 1
    if writes == moment:
        write(file, data[: len(data) // 2] if half else data)
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, data)

if moment:
    os.write = killing

class Table:
    pass

@step
def make(number, table):
    name = f"f{number}"
    before = Path(f"f{number - 1}").read_text() if number else ""
    Path(name).write_text(before + f"{number};")
    return Table()

def elsewhere(number):
    make(number, None)

with session("killed", out="prov/killed.trig"):
    table = Table()
    for number in range(steps):
        if number % 4 == 3:
            process = multiprocessing.get_context("fork").Process(target=elsewhere, args=(number,))
            process.start()
            process.join()
            if process.exitcode:
                os.kill(os.getpid(), signal.SIGKILL)
        else:
            table = make(number, table)
        with open("progress", "a") as progress:
            print(number, file=progress)
"""


def content(number: int) -> str:
    """The content of one of the pipeline's files."""
    return "".join(f"{n};" for n in range(number + 1))


def one(folder: Path, chance: random.Random) -> list[str]:
    """Run one round; returns the problems."""
    (folder / "pipeline.py").write_text(PIPELINE)
    timed = chance.random() < 0.4
    moment = 0 if timed else chance.randrange(1, 5 * STEPS)
    command = [sys.executable, "pipeline.py", str(STEPS), str(moment), chance.choice(["half", "whole"])]
    process = subprocess.Popen(command, cwd=folder, env=environment(), start_new_session=True, stderr=subprocess.PIPE)
    if timed:
        begun = chance.randrange(STEPS)  # of the steps that say that they have ended, this many, and then some time
        while process.poll() is None and _ended(folder) < begun:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        return [f"it ended with {process.returncode}: {errors.decode()}"]
    return [*_files(folder), *_document(folder, killed=process.returncode != 0)]


def _ended(folder: Path) -> int:
    """The number of steps that have ended according to the pipeline."""
    progress = folder / "progress"
    return len(progress.read_text().splitlines()) if progress.exists() else 0


def _files(folder: Path) -> list[str]:
    ended = _ended(folder)
    expected = {f"f{n}": content(n) for n in range(ended)}
    found = {file.name: file.read_text() for file in folder.glob("f*")}
    begun = found.pop(f"f{ended}", "")  # by the step that was killed
    wrong = [] if found == expected else [f"files are {sorted(found)} after {ended} steps"]
    return wrong + ([] if content(ended).startswith(begun) else [f"f{ended} holds {begun!r}"])


def _document(folder: Path, *, killed: bool) -> list[str]:
    prov, ended = folder / "prov", _ended(folder)
    recovered = recover(prov) if prov.is_dir() else []
    if list(prov.glob("*.journal")):
        return ["a journal is left"]
    documents = recovered or list(prov.glob("*.trig"))
    if not documents:
        return [f"no document after {ended} steps"] if ended else []
    found = Captured(documents[0])
    broken = {rule.rpartition("#")[2] for rule in found.rules()}
    problems = [f"it breaks {sorted(broken)}"] if broken - ({"End"} if recovered else set()) else []
    # If only the document had to be written at the kill, the session is complete.
    if broken and found.values(found.one("killed"), PROVREPO + "incomplete") != ["true"]:
        problems.append("it is not marked")
    if recovered and not killed:
        problems.append("it ended well and left a journal")
    expected = {(f"f{n}", "make") for n in range(ended)}
    if not expected <= found.generated:
        problems.append(f"{sorted(expected - found.generated)} are missing")
    return problems


def rounds(count: int, seed: int) -> list[str]:
    """Run some rounds; returns the problems."""
    chance = random.Random(seed)
    problems = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            problems += [f"round {number}: {problem}" for problem in one(Path(folder), chance)]
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    problems = rounds(arguments.rounds, arguments.seed)
    print(f"{arguments.rounds} rounds with seed {arguments.seed}, {len(problems)} problems", *problems, sep="\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
