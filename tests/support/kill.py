"""Kill -9 during submissions, repeatedly: ``python -m tests.support.kill --rounds 200``.

Each round submits documents through the command line or through a server, kills the process at a random moment, and
checks the data directory: every acknowledged submission is stored, none is incomplete, the views can be brought up to
date, no file has what was erased, and ``fsck`` finds nothing. At the end two rebuilds give the same quads as before.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import provrepo
from provrepo.errors import Error
from provrepo.verify.monitoring import follow, read_checkpoint
from provrepo.verify.notes import VerifierKey
from provrepo.views.sparql.store import Quads
from tests.support.kill_clients import MARK, PROJECT, STATEMENTS, Clients, Tally, document

CLIENTS = 16

_ENTITY = re.compile(rb"(?<![0-9A-Za-z])(d[0-9]+)-n")
"""The name of a document in that of an entity. Compression may hide it. It may cut a UUID, which has no ``n``."""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole process group: the workers of a killed server must not finish its work."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _provrepo(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "provrepo", "--data", str(data), *arguments]


def command_line_round(data: Path, work: Path, tally: Tally, chance: random.Random | None) -> None:
    """Run two ``provrepo submit`` at once and kill them at a random moment; without ``chance``, run one to its end."""
    began = time.monotonic()
    running = []
    for _ in range(2 if chance else 1):
        number = tally.attempted = tally.attempted + 1
        content = document(number)
        file = work / f"d{number}.json"
        file.write_bytes(content)
        process = subprocess.Popen(
            _provrepo(data, "submit", str(file), "--project", PROJECT, "--output", "json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        running.append((process, f"d{number}", hashlib.sha256(content).hexdigest()))
    if chance:
        time.sleep(tally.seconds * chance.uniform(0.2, 1.6))
    for process, name, digest in running:
        if chance:
            _kill(process)
        output = process.communicate()[0]
        tally.seconds = tally.seconds or time.monotonic() - began
        # A complete receipt is an acknowledgement, even if the process was killed afterwards.
        try:
            receipt = json.loads(output)
        except ValueError:
            continue
        if receipt["sha256"] != digest:
            tally.problems.append(f"{name}: the receipt names another digest")
        tally.acknowledged[name] = digest


def server_round(data: Path, token: str, tally: Tally, chance: random.Random) -> None:
    """Run a server with many clients and kill it at a random moment while they submit."""
    server = subprocess.Popen(
        _provrepo(data, "serve", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    clients = Clients(_announced(server), token, data, tally, count=CLIENTS, seed=chance.randrange(1 << 30))
    drain = threading.Thread(target=server.stderr.read if server.stderr else None)
    drain.start()
    clients.start()
    if chance.random() < 0.8:  # otherwise possibly before a submission is stored
        clients.acknowledged.wait(tally.seconds * 60)
    time.sleep(tally.seconds * chance.uniform(0.0, 2.5))
    _kill(server)
    clients.stop()
    drain.join()
    for pipe in (server.stdout, server.stderr):
        if pipe:
            pipe.close()


def _announced(server: subprocess.Popen[bytes]) -> str:
    """The URL that ``provrepo serve`` prints once it listens."""
    if server.stderr is None or server.stdout is None:
        raise RuntimeError("the server has no pipes")
    for line in server.stderr:
        for word in line.decode().split():
            if word.startswith("http://127.0.0.1"):
                return word.rstrip("/.,") + "/"
    raise RuntimeError("the server printed no URL")


def inspect(data: Path, tally: Tally, *, thorough: bool) -> None:
    """Check a data directory after a kill: nothing is lost or incomplete, and the views match the ledger."""
    with provrepo.open(data) as repository:
        listed = {info.name: info.current for info in repository.documents(PROJECT)}
        stored = {name: version for name, version in listed.items() if version.state != "erased"}
        for name, digest in tally.acknowledged.items():
            if name in tally.uncertain:
                continue
            if name not in stored:
                tally.problems.append(f"{name} was acknowledged and is lost")
            elif stored[name].sha256 != digest:
                tally.problems.append(f"{name} has other bytes than were acknowledged")
        for name in stored.keys() & tally.gone.keys() - tally.uncertain:
            tally.problems.append(f"{name} was withdrawn or erased, and is there")
        # What was not acknowledged has been decided now.
        for name in tally.uncertain:
            tally.acknowledged.pop(name, None)
            if name in stored:
                tally.acknowledged[name] = stored[name].sha256
                tally.gone.pop(name, None)
        tally.uncertain.clear()
        blobs = repository.context.store.blobs
        tally.problems += [f"{digest} was erased and is there" for digest in tally.erased if blobs.exists(digest)]
        for public in (False, True):
            _inspect_dataset(repository, stored, tally, public=public)
        left = [file.name for file in (data / "spool").rglob("*") if file.is_file() and file.suffix != ".lock"]
        if left:
            tally.problems.append(f"the spool has files: {left[:5]}")
        _inspect_log(repository, tally)
        if thorough:
            tally.problems += repository.fsck().problems
        tally.stored = len(stored)
    if thorough:
        tally.problems += remains(data, tally)


def _inspect_log(repository: provrepo.Repository, tally: Tally) -> None:
    """Check that the signed log has only grown since the round before, and has a leaf for each entry."""
    found = repository.log(PROJECT)
    keys = [VerifierKey.from_text(key) for key in found.keys]
    present = read_checkpoint(tally.seen, found.checkpoint, keys)
    if found.size != len(repository.entries(PROJECT, limit=10**6)):
        tally.problems.append(f"the log has {found.size} leaves, and the ledger another number of entries")
    if tally.seen is not None:
        try:
            follow(tally.seen, present, lambda path: repository.log_tile(PROJECT, path))
        except Error as error:
            tally.problems.append(str(error))
    tally.seen = present


def _inspect_dataset(
    repository: provrepo.Repository, stored: dict[str, provrepo.VersionInfo], tally: Tally, *, public: bool
) -> None:
    """Compare the statements in the project's dataset, or in the public one, with the current documents."""
    dataset = {"public": True} if public else {"project": PROJECT}
    query = f"SELECT ?g (COUNT(*) AS ?n) WHERE {{ GRAPH ?g {{ ?s <{MARK}> ?o }} }} GROUP BY ?g"
    counted = {str(row["g"]): int(row["n"].lexical) for row in repository.query(query, **dataset).rows}
    expected = {info.iri: STATEMENTS for info in stored.values()}
    if counted != expected:
        tally.problems.append(
            f"{dataset} has {len(counted)} documents, the ledger {len(expected)}, or some are incomplete"
        )
    default = repository.query(f"SELECT (COUNT(*) AS ?n) WHERE {{ ?s <{MARK}> ?o }}", **dataset).rows
    if int(default[0]["n"].lexical) != STATEMENTS * len(stored):
        tally.problems.append(f"the default graph of {dataset} does not contain each triple once")


def dump(data: Path) -> str:
    """A digest of all quads of all datasets."""
    digest = hashlib.sha256()
    with provrepo.open(data) as repository:
        quads = repository.context.store.view(Quads)  # no verb returns every quad
        for dataset in quads.datasets():
            for line in quads.dump(dataset):
                digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def remains(data: Path, tally: Tally) -> list[str]:
    """The files of a data directory that still name an entity of an erased document."""
    erased = {name.encode() for name in tally.gone if _digest(name) in tally.erased}
    return [
        f"{file.relative_to(data)} names entities of {name.decode()}, which was erased"
        for file in sorted(path for path in data.rglob("*") if path.is_file())
        for name in sorted(erased.intersection(_ENTITY.findall(file.read_bytes())))
    ]


def _digest(name: str) -> str:
    return hashlib.sha256(document(int(name[1:]))).hexdigest()


def run(rounds: int, seed: int, data: Path, work: Path) -> Tally:
    """Run the rounds, half of them through the command line and half through a server."""
    chance = random.Random(seed)
    tally = Tally()
    with provrepo.open(data) as repository:
        repository.create_project(PROJECT, public=True)
        token, _ = repository.create_token("killer")
    command_line_round(data, work, tally, None)
    for number in range(rounds):
        if number % 2:
            server_round(data, token, tally, chance)
        else:
            command_line_round(data, work, tally, chance)
        tally.rounds += 1
        inspect(data, tally, thorough=number % 10 == 9 or number == rounds - 1)
        if sys.stderr.isatty():
            print(f"\r{tally.report()}", end="", file=sys.stderr)
        if tally.problems:
            break
    live = dump(data)
    for _ in range(2):
        with provrepo.open(data) as repository:
            repository.rebuild()
        if dump(data) != live:
            tally.problems.append("a rebuild gives other quads than before")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data, work = Path(directory) / "data", Path(directory) / "work"
        work.mkdir()
        tally = run(arguments.rounds, arguments.seed, data, work)
    print(tally.report())
    for problem in tally.problems:
        print(f"problem: {problem}")
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
