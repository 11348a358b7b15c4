"""The time of a decision about access: from a token to its actor, and from there to the rights in a project."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import provrepo
from provrepo.repository import access

_ROUNDS = 2_000


def table(directory: Path) -> list[str]:
    """The table as Markdown."""
    rows = [
        "| projects in which the actor has a role | token to actor, µs | rights in a project, µs |",
        "|---:|---:|---:|",
    ]
    with provrepo.open(directory / "access") as repository:
        repository.create_project("p0")
        repository.add_user("ada")
        secret, _ = repository.create_token("ada", scopes=["read", "submit", "curate", "manage"])
        store = repository.context.store
        made = 0
        for size in (1, 10, 100):
            for number in range(made, size):
                if number:
                    repository.create_project(f"p{number}")
                repository.set_member(f"p{number}", "ada", "curator")
            made = size
            actor = store.authenticate(secret)
            if actor is None or len(actor.roles) != size:
                raise RuntimeError("the token has other roles than it was given")
            last = f"p{size - 1}"
            found = (_each(lambda: store.authenticate(secret)), _each(lambda: access.rights(actor, last, public=False)))  # noqa: B023
            rows.append(f"| {size:,} | {found[0]:.1f} | {found[1]:.1f} |")
    return rows


def _each(call: Callable[[], object]) -> float:
    """The median time of a call in microseconds."""
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times) * 1e6
