"""Transactions that several threads share."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import Damaged, InvalidName, NoSpace
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import Entry
from provrepo.ledger.ledger import Ledger
from tests.support.ledgers import SOFTWARE, submission


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data", software=SOFTWARE) as opened:
        yield opened


def appended(document: str) -> Callable[[Appending], Entry]:
    def work(appending: Appending) -> Entry:
        version = appending.newest(document) + 1
        return appending.append("submit", submission(document, version=version), actor="x")

    return work


def together(ledger: Ledger, works: list[tuple[str, Callable[[Appending], Any]]]) -> list[Future[Any]]:
    """Do the first piece of work alone, and all others in one batch after it."""
    inside, go = threading.Event(), threading.Event()

    def first(appending: Appending) -> Any:
        inside.set()
        assert go.wait(60)
        return works[0][1](appending)

    with ThreadPoolExecutor(max_workers=len(works)) as threads:
        futures = [threads.submit(ledger.batches.append, works[0][0], first)]
        assert inside.wait(60)
        for number, (project, work) in enumerate(works[1:], 1):
            futures.append(threads.submit(ledger.batches.append, project, work))
            while len(ledger.batches._waiting) < number:
                time.sleep(0.001)
        go.set()
    return futures


@pytest.fixture
def transactions(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The transactions that were begun."""
    found: list[sqlite3.Connection] = []
    writing = ledger.database.writing

    @contextmanager
    def counted() -> Iterator[sqlite3.Connection]:
        with writing() as connection:
            found.append(connection)
            yield connection

    monkeypatch.setattr(ledger.database, "writing", counted)
    return found


def test_what_waits_is_one_transaction_in_the_order_of_arrival(
    ledger: Ledger, transactions: list[sqlite3.Connection]
) -> None:
    works = [("crops" if number % 2 else "soil", appended(f"d{number}")) for number in range(9)]
    entries = [future.result() for future in together(ledger, works)]
    assert len(transactions) == 2
    assert [entry.body["document"] for entry in ledger.entries("soil")] == ["d0", "d2", "d4", "d6", "d8"]
    assert [entry.body["document"] for entry in ledger.entries("crops")] == ["d1", "d3", "d5", "d7"]
    assert {entry.sha256 for entry in entries} == {e.sha256 for p in ("soil", "crops") for e in ledger.entries(p)}
    assert list(ledger.verify()) == []


def test_each_sees_what_those_before_it_have_appended(ledger: Ledger) -> None:
    futures = together(ledger, [("crops", appended("run"))] * 5)
    assert [future.result().body["version"] for future in futures] == [1, 2, 3, 4, 5]


def test_one_that_fails_undoes_nothing_of_others(ledger: Ledger, transactions: list[sqlite3.Connection]) -> None:
    def refused(appending: Appending) -> None:
        appended("refused")(appending)
        raise ValueError("the work is refused")

    def broken(appending: Appending) -> None:
        appended("broken")(appending)
        appending.connection.execute("INSERT INTO entries (project) VALUES (NULL)")

    works = [("crops", each) for each in (appended("a"), refused, appended("b"), broken, appended("c"))]
    first, second, third, fourth, fifth = together(ledger, works)
    with pytest.raises(ValueError, match="the work is refused"):
        second.result()
    with pytest.raises(Damaged, match=r"ledger\.sqlite"):
        fourth.result()
    assert [each.result().sequence for each in (first, third, fifth)] == [1, 2, 3]
    assert [entry.body["document"] for entry in ledger.entries("crops")] == ["a", "b", "c"]
    assert len(transactions) == 2
    assert list(ledger.verify()) == []


def test_after_a_transaction_that_fails_each_has_one_of_its_own(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, count = ledger.database.writing, iter(range(100))

    @contextmanager
    def failing() -> Iterator[sqlite3.Connection]:
        with writing() as connection:
            number = next(count)
            yield connection
            if number in (1, 2):  # the batch, and one of those that try again
                raise NoSpace("the disk is full")

    monkeypatch.setattr(ledger.database, "writing", failing)
    futures = together(ledger, [("crops", appended(f"d{number}")) for number in range(4)])
    errors = [error for future in futures if (error := future.exception()) is not None]
    assert [type(error) for error in errors] == [NoSpace]
    stored = [entry.body["document"] for entry in ledger.entries("crops")]
    assert sorted(stored) == sorted(future.result().body["document"] for future in futures if not future.exception())
    assert len(stored) == 3
    assert list(ledger.verify()) == []


def test_the_database_undoes_a_whole_transaction(ledger: Ledger) -> None:
    """As SQLite does on a full disk."""
    times = iter(range(100))

    def full(appending: Appending) -> Entry:
        entry = appended("full")(appending)
        if next(times) == 0:
            appending.connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        return entry

    futures = together(ledger, [("crops", each) for each in (appended("a"), appended("b"), full, appended("c"))])
    assert sorted(future.result().sequence for future in futures) == [1, 2, 3, 4]
    assert {entry.body["document"] for entry in ledger.entries("crops")} == {"a", "b", "full", "c"}
    assert list(ledger.verify()) == []


def test_errors_of_a_single_writer(ledger: Ledger) -> None:
    with pytest.raises(InvalidName):
        ledger.batches.append("no name", appended("a"))
    with pytest.raises(InvalidName):
        ledger.batches.append("crops", appended("no name"))
    assert ledger.batches.append("crops", appended("a")).sequence == 1
    assert ledger.length("crops") == 1


@pytest.mark.parametrize("leads", [False, True])
def test_a_thread_that_is_interrupted_while_it_waits_keeps_nobody_waiting(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, leads: bool
) -> None:
    original = threading.Event.wait

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread().name != "interrupted":
            return original(event, timeout)
        if leads:
            original(event, 60)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "wait", wait)
    outcomes = list[str]()

    def interrupted() -> None:
        try:
            ledger.batches.append("crops", appended("interrupted"))
        except KeyboardInterrupt:
            outcomes.append("interrupted")

    inside, go = threading.Event(), threading.Event()

    def first(appending: Appending) -> Entry:
        inside.set()
        assert go.wait(60)
        return appended("first")(appending)

    with ThreadPoolExecutor() as threads:
        leader = threads.submit(ledger.batches.append, "crops", first)
        assert inside.wait(60)
        thread = threading.Thread(target=interrupted, name="interrupted")
        thread.start()
        while leads and not ledger.batches._waiting:
            time.sleep(0.001)
        if not leads:
            thread.join(60)
        last = threads.submit(ledger.batches.append, "crops", appended("last"))
        while not ledger.batches._waiting:
            time.sleep(0.001)
        go.set()
        assert [leader.result(60).sequence, last.result(60).sequence] == [1, 2]
        thread.join(60)
    assert outcomes == ["interrupted"]
    assert ledger.batches.append("crops", appended("after")).sequence == 3
