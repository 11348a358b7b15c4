"""Sixteen people submit documents of the same name at the same time: each name has one winner."""

from __future__ import annotations

import threading
from collections import Counter

from provrepo.errors import Conflict, Denied
from provrepo.repository.repository import Repository
from tests.repository.people.test_members import acting
from tests.support.sampling import ALL, FULL

NAMES = 1_000 if ALL else 40 if FULL else 8
WRITERS = 16


def test_each_name_has_one_winner(repository: Repository) -> None:
    repository.create_project("crops")
    writers = []
    for number in range(WRITERS):
        repository.add_user(f"writer {number}")
        repository.set_member("crops", f"writer {number}", "submitter")
        writers.append(acting(repository, f"writer {number}"))
    together = threading.Barrier(WRITERS)
    ended: Counter[tuple[str, str]] = Counter()
    winners: dict[str, list[int]] = {}
    guard = threading.Lock()

    def write(number: int) -> None:
        for each in range(NAMES):
            data = f"document prefix ex <https://example.org/> entity(ex:by{number}n{each}) endDocument".encode()
            together.wait()
            try:
                writers[number].submit(data, project="crops", name=f"n{each}", format="provn")
            except (Conflict, Denied) as error:
                outcome = type(error).__name__
            else:
                outcome = "stored"
            with guard:
                ended[f"n{each}", outcome] += 1
                if outcome == "stored":
                    winners.setdefault(f"n{each}", []).append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: len(found) for name, found in winners.items()} == {f"n{each}": 1 for each in range(NAMES)}
    assert sum(ended.values()) == NAMES * WRITERS
    for each in range(NAMES):
        (stored,) = repository.history("crops", f"n{each}")
        assert stored.submitter == f"writer {winners[f'n{each}'][0]}"
        assert f"by{winners[f'n{each}'][0]}n{each}".encode() in repository.original("crops", f"n{each}")[0]
    assert list(repository.fsck().problems) == []
