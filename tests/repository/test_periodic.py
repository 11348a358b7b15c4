"""Work that a server repeats: errors do not end it, it is done when it is woken, and it ends with the store."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provrepo.errors import NoSpace
from provrepo.repository.store import Store
from provrepo.repository.upkeep.periodic import Periodic
from provrepo.settings import Settings

_HOUR = 3600.0
_PATIENCE = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(Settings(data=tmp_path, workers=1)) as opened:
        yield opened


def counting(outcomes: Callable[[int], object] = lambda _: None) -> tuple[queue.Queue[int], Callable[[], None]]:
    """A queue that gets a number each time when the returned work begins, which then does what ``outcomes`` does."""
    done: queue.Queue[int] = queue.Queue()
    numbers = iter(range(1, 1_000_000))

    def work() -> None:
        number = next(numbers)
        done.put(number)
        outcomes(number)

    return done, work


def test_it_is_done_again_after_each_pause(store: Store) -> None:
    done, work = counting()
    Periodic(store, "work", work, seconds=0.001).start()
    assert [done.get(timeout=_PATIENCE) for _ in range(3)] == [1, 2, 3]


def test_it_is_done_after_the_first_pause_or_at_once(store: Store) -> None:
    done, work = counting()
    Periodic(store, "work", work, seconds=_HOUR).start()
    assert done.empty()
    Periodic(store, "work", work, seconds=_HOUR, now=True).start()
    assert done.get(timeout=_PATIENCE) == 1


def test_errors_are_logged_once_and_do_not_end_it(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[Exception] = [NoSpace("the disk is full"), NoSpace("the disk is full"), RuntimeError("unexpected")]

    def fail(number: int) -> None:
        if number <= len(failures):
            raise failures[number - 1]

    done, work = counting(fail)
    with caplog.at_level(logging.WARNING, logger="provrepo.repository.upkeep.periodic"):
        Periodic(store, "the work", work, seconds=0.001).start()
        while done.get(timeout=_PATIENCE) < 5:
            pass
    assert [(record.getMessage(), bool(record.exc_info)) for record in caplog.records] == [
        ("the work failed, and is tried again: the disk is full", False),
        ("the work failed, and is tried again: unexpected", True),
    ]


def test_it_ends_with_the_store(tmp_path: Path) -> None:
    seen = threading.Event()

    def outlive(_: int) -> None:
        while not periodic.stopping():
            seen.wait(0.001)
        seen.set()

    done, work = counting(outlive)
    with Store.open(Settings(data=tmp_path, workers=1)) as store:
        periodic = Periodic(store, "work", work, seconds=0.001)
        periodic.start()
        assert done.get(timeout=_PATIENCE) == 1
    assert seen.is_set()
    assert done.empty()


def test_a_store_that_drains_begins_nothing(store: Store) -> None:
    done, work = counting()
    store.draining = True
    periodic = Periodic(store, "work", work, seconds=_HOUR, now=True)
    periodic.start()
    periodic.stop()
    assert done.empty()


def test_without_a_pause_nothing_is_done(store: Store) -> None:
    done, work = counting()
    periodic = Periodic(store, "work", work, seconds=0, now=True)
    periodic.start()
    periodic.stop()
    assert done.empty()
