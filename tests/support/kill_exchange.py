"""Kill -9 during pushes and reviews, repeatedly: ``python -m tests.support.kill_exchange --rounds 300``.

Two servers run: a laboratory that pushes each version of a project, and its peer, where documents wait. In each round
documents are submitted to the first, a reviewer decides at the second, and one of the three processes, or both servers,
are killed at a random moment. At the end everything is worked off without kills. Then every version that was
acknowledged by the first is decided on at the second exactly once, the accepted ones are there byte for byte, both
ledgers name each other's entries, nothing is there twice, and ``fsck`` finds nothing on either side.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import provrepo
from provrepo.errors import Error
from provrepo.ledger.entries import Entry
from provrepo.repository.repository import Repository
from tests.support.command import environment
from tests.support.laboratories import PROJECT, document

__all__ = ["run"]

_SECONDS = {"PROVREPO_EXCHANGE_SECONDS": "0.1"}


class Server:
    """``provrepo serve`` on a data directory, which can be killed and started again."""

    def __init__(self, data: Path, port: int) -> None:
        self._command = [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", str(port)]
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(**_SECONDS),
        )

    def kill(self) -> bool:
        """Kill it and start it again; returns whether it was running."""
        running = killed(self._process)
        self._process = self._start()
        return running

    def stop(self) -> None:
        """Kill it."""
        killed(self._process)


def killed(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process and those that it has started; returns whether it was running."""
    running = process.poll() is None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return running


def review(data: Path, seed: int) -> None:
    """Decide on what waits until the process is killed, at least for some seconds."""
    chance, end = random.Random(seed), time.monotonic() + 20
    with provrepo.open(data, follow=False) as repository:
        while time.monotonic() < end:
            decide(repository, chance)
            time.sleep(0.01)


def decide(repository: Repository, chance: random.Random) -> None:
    """Decide on each document that waits."""
    for info in repository.pending(PROJECT):
        try:
            if chance.random() < 0.75:
                repository.accept_pending(info.id, reason=f"yes {info.name}")
            else:
                repository.reject_pending(info.id, reason=f"no {info.name}")
        except Error:
            pass  # another process has decided


def run(rounds: int, seed: int, folder: Path) -> tuple[list[str], Counter[str]]:
    """Run some rounds; returns the problems, and how often what was killed."""
    chance, kills = random.Random(seed), Counter[str]()
    one, other = folder / "lab-a", folder / "lab-b"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with provrepo.open(other, follow=False) as repository:
        repository.create_project(PROJECT)
        token, _ = repository.create_token("lab-a", projects=(), write=False)
        repository.add_peer("lab-a", "http://127.0.0.1:1/", accepts="pending", projects=[PROJECT])
    sender = provrepo.open(one, follow=False)
    sender.create_project(PROJECT)
    sender.add_peer("lab-b", f"http://127.0.0.1:{port}/", token=token)
    sender.set_project(PROJECT, push=["lab-b"])
    servers = {"sender": Server(one, 0), "receiver": Server(other, port)}
    submitted = 0
    try:
        for number in range(rounds):
            reviewer = subprocess.Popen(
                [sys.executable, "-m", "tests.support.kill_exchange", "--review", str(other), "--seed", str(number)],
                start_new_session=True,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
            for _ in range(chance.randint(1, 3)):
                submitted += 1
                name = f"d{submitted}" if chance.random() < 0.7 else f"d{chance.randint(1, submitted)}"
                sender.submit(document(submitted), project=PROJECT, name=name, update=True)
            time.sleep(chance.uniform(0.3, 2.5))
            victims = chance.choice([("sender",), ("receiver",), ("receiver",), ("reviewer",), ("sender", "receiver")])
            for victim in victims:
                if victim == "reviewer":
                    kills[victim] += killed(reviewer)
                else:
                    kills[victim] += servers[victim].kill()
            killed(reviewer)
            # Attempts are put off after failures, and kills must meet them at work.
            with sender.context.store.exchange.writing() as connection:
                connection.execute("UPDATE pushes SET due = '' WHERE state IN ('queued', 'pending')")
    finally:
        servers["sender"].stop()
    with provrepo.open(other, follow=False) as receiver:
        for _ in range(100):
            sender.send_pushes()
            decide(receiver, chance)
            if not sender.context.store.parts.pushes.listed(states=("queued", "pending")):
                break
            time.sleep(0.1)
        servers["receiver"].stop()
        problems = list(_problems(sender, receiver, submitted))
    sender.close()
    for data in (one, other):
        with provrepo.open(data) as repository:
            repository.query("ASK {}", project=PROJECT)
            problems += [f"{data.name}: {problem}" for problem in repository.fsck().problems]
    return problems, kills


def _entries(repository: Repository, kind: str) -> list[Entry]:
    return [entry for entry in repository.context.store.ledger.entries(PROJECT) if entry.kind == kind]


def _problems(sender: Repository, receiver: Repository, submitted: int) -> Iterator[str]:
    sent = {entry.sha256: entry for entry in _entries(sender, "submit")}
    if len(sent) != submitted:
        yield f"{submitted} versions were acknowledged, and {len(sent)} are stored"
    rows = receiver.context.store.parts.pending.listed(states=("accepted", "rejected", "expired", *_OPEN))
    by_origin = Counter(row.private["origin"]["entry"] for row in rows)
    yield from (f"{entry} waited {count} times" for entry, count in by_origin.items() if count != 1)
    if by_origin.keys() != sent.keys():
        yield f"{len(sent.keys() - by_origin.keys())} versions never arrived"
    pending, reviews = _entries(receiver, "pending"), _entries(receiver, "review")
    for name, entries in (("pending", pending), ("review", reviews)):
        counts = Counter(entry.body["pending"] for entry in entries)
        yield from (f"{row} has {count} entries {name}" for row, count in counts.items() if count != 1)
        if counts.keys() != {row.id for row in rows}:
            yield f"the entries {name} are not those of the rows"
    there = {entry.sha256: entry for entry in _entries(receiver, "submit")}
    arrived = Counter(entry.body["origin"]["entry"] for entry in there.values())
    yield from (f"{entry} was accepted {count} times" for entry, count in arrived.items() if count != 1)
    decided = {row.private["origin"]["entry"]: row for row in rows}
    told = {(entry.body["entry"], entry.body["state"]) for entry in _entries(sender, "exchange")}
    if len(told) != len(_entries(sender, "exchange")):
        yield "the sender has an entry about the same exchange twice"
    received = Counter(entry.body["entry"] for entry in _entries(receiver, "exchange"))
    yield from (f"{entry} was received {count} times" for entry, count in received.items() if count != 1)
    for digest, entry in sent.items():
        row = decided.get(digest)
        push = sender.context.store.parts.pushes.of_entry("lab-b", PROJECT, digest)
        if row is None:
            continue
        if push.state != row.state:
            yield f"{digest} is {push.state} for the sender and {row.state} for the receiver"
        if (row.review, "rejected") not in told and row.state == "rejected":
            yield f"{digest}: the sender has no entry about the rejection"
        if row.state != "accepted":
            if digest in arrived or digest in received:
                yield f"{digest} was {row.state} and is stored"
            continue
        stored = there.get(row.accepted)
        if stored is None or stored.body["origin"]["entry"] != digest or (row.accepted, "accepted") not in told:
            yield f"{digest} was accepted as {row.accepted}, which is not there or not known to the sender"
        elif receiver.context.store.blobs.get(stored.body["blob"]) != sender.context.store.blobs.get(
            entry.body["blob"]
        ):
            yield f"{digest}: the bytes differ"


_OPEN = ("arriving", "waiting", "deciding")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--review", type=Path, help="decide on what waits in this data directory, and do nothing else")
    options = parser.parse_args()
    if options.review:
        review(options.review, options.seed)
        return
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        problems, kills = run(options.rounds, options.seed, Path(folder))
    for problem in problems:
        print(problem)
    counted = ", ".join(f"{count} of the {what}" for what, count in sorted(kills.items()))
    print(f"{options.rounds} rounds in {time.monotonic() - began:.0f} s, kills: {counted}: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
