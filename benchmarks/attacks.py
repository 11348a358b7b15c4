"""Queries that are designed to harm a server: the time of each with a deadline of a second, and of the next query."""

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


class Result(NamedTuple):
    """The result of one attack.

    Attributes:
        status: the HTTP status of the answer.
        seconds: the time until the answer.
        following: the seconds of a normal query directly after it.
    """

    status: int
    seconds: float
    following: float


def measure(data: str) -> dict[str, Any]:
    """Send every attack twice: the first round measures the times, the second one the memory that stays allocated."""
    with served(Path(data)) as server:
        connection = Connection(server.address)
        connection.query(NEXT)
        found = {
            group: {name: _attack(connection, text) for name, (text, _) in GROUPS[group].items()} for group in GROUPS
        }
        before = _resident(server)
        for attacks in GROUPS.values():
            for text, _ in attacks.values():
                _attack(connection, text)
        return {"groups": found, "before": before, "after": _resident(server)}


def _attack(connection: Connection, text: str) -> Result:
    body = urlencode({"query": text, "timeout": DEADLINE}).encode()
    start = time.perf_counter()
    status = connection.send("POST", "/sparql", body, Content_Type=FORM).status
    answered = time.perf_counter()
    if b"true" not in connection.query(NEXT).body:
        raise RuntimeError("the server gives no answer")
    return Result(status, answered - start, time.perf_counter() - answered)


def _resident(server: Server) -> float:
    """Resident memory of the server's process in MiB; requires Linux."""
    pages = int(Path(f"/proc/{server.process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def table(directory: Path, statements: int) -> list[str]:
    """A row for each group of attacks, as Markdown."""
    data = directory / "attacks"
    with open_repository(settings=replace(Settings(data=data), workers=1)) as repository:
        repository.create_project("open", public=True)
        repository.submit(pipeline(statements).write("turtle"), project="open", name="large", format="turtle")
    found = isolated("attacks", data=str(data))
    rows = [
        "| attacks, deadline 1 s | queries | answers | slowest, s | its name | slowest next query, s |",
        "|---|---:|---|---:|---|---:|",
    ]
    for group, attacks in found["groups"].items():
        results = {name: Result(*values) for name, values in attacks.items()}
        slowest = max(results, key=lambda name: results[name].seconds)
        statuses = Counter(attack.status for attack in results.values())
        rows.append(
            f"| {group} | {len(results)} | {', '.join(f'{n} × {status}' for status, n in sorted(statuses.items()))} "
            f"| {results[slowest].seconds:.2f} | {slowest} | {max(each.following for each in results.values()):.2f} |"
        )
    return [
        *rows,
        "",
        f"The server's resident memory after each round: {found['before']:.0f} and {found['after']:.0f} MiB.",
    ]
