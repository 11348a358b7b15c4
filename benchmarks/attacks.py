"""Queries that are made to do harm: how soon each is answered at a deadline of a second, and the next one after it."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.generate import EX, pipeline
from benchmarks.measure import isolated
from benchmarks.served import Connection, Server, served
from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from tests.support.attacks import GROUPS

DEADLINE = 1
NEXT = f"ASK {{ <{EX}a1> prov:used ?o }}"
FORM = "application/x-www-form-urlencoded"


class Taken(NamedTuple):
    """One attack.

    Attributes:
        status: of its answer.
        seconds: until that.
        following: seconds that a harmless query right after it takes.
    """

    status: int
    seconds: float
    following: float


def measure(data: str) -> dict[str, Any]:
    """Every attack twice: the first round for the times, the second for what memory it leaves taken."""
    with served(Path(data)) as server:
        connection = Connection(server.address)
        connection.ask(NEXT)
        found = {
            group: {name: _attack(connection, text) for name, (text, _) in GROUPS[group].items()} for group in GROUPS
        }
        before = _resident(server)
        for attacks in GROUPS.values():
            for text, _ in attacks.values():
                _attack(connection, text)
        return {"groups": found, "before": before, "after": _resident(server)}


def _attack(connection: Connection, text: str) -> Taken:
    body = urlencode({"query": text, "timeout": DEADLINE}).encode()
    start = time.perf_counter()
    status = connection.send("POST", "/sparql", body, Content_Type=FORM).status
    answered = time.perf_counter()
    if b"true" not in connection.ask(NEXT).body:
        raise RuntimeError("the server answers no more")
    return Taken(status, answered - start, time.perf_counter() - answered)


def _resident(server: Server) -> float:
    """MiB of the server's own process; needs Linux."""
    pages = int(Path(f"/proc/{server.process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def table(directory: Path, statements: int) -> list[str]:
    """By group, as Markdown."""
    data = directory / "attacks"
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.create_project("open", public=True)
        repository.submit(pipeline(statements).write("turtle"), project="open", name="large", format="turtle")
    found = isolated("attacks", data=str(data))
    rows = [
        "| attacks, deadline 1 s | queries | answers | slowest, s | which | slowest query after one, s |",
        "|---|---:|---|---:|---|---:|",
    ]
    for group, attacks in found["groups"].items():
        taken = {name: Taken(*values) for name, values in attacks.items()}
        slowest = max(taken, key=lambda name: taken[name].seconds)
        statuses = Counter(attack.status for attack in taken.values())
        rows.append(
            f"| {group} | {len(taken)} | {', '.join(f'{n} × {status}' for status, n in sorted(statuses.items()))} "
            f"| {taken[slowest].seconds:.2f} | {slowest} | {max(attack.following for attack in taken.values()):.2f} |"
        )
    return [
        *rows,
        "",
        f"The server's resident memory after each round: {found['before']:.0f} and {found['after']:.0f} MiB.",
    ]
