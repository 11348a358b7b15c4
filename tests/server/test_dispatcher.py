"""Request threads: the shares of the classes of callers, bounded queues, and the express threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.connections.dispatcher import MIN_THREADS, CallerClassifier, Dispatcher
from provrepo.server.connections.refusal import Refusal
from provrepo.settings import Settings
from provrepo.workers.callers import Caller
from provrepo.workers.shares import shares

STRANGER, READER, WRITER = Caller
SOON = 60
"""Seconds to wait for events that should happen at once."""


class Task:
    """A task as waitress passes it: a channel with requests."""

    def __init__(
        self, caller: Caller | str, path: str = "/validate", *, work: Callable[[], Any] = lambda: None
    ) -> None:
        headers = {} if caller is STRANGER else {"AUTHORIZATION": f"Bearer {caller}"}
        self.requests = [SimpleNamespace(path=path, headers=headers, error=None)]
        self.connected, self.cancelled = True, False
        self.started, self.ended = threading.Event(), threading.Event()
        self._work = work

    def service(self) -> None:
        self.started.set()
        if self.connected and not self.requests[0].error:
            self._work()
        self.ended.set()

    def cancel(self) -> None:
        self.cancelled = True

    @property
    def refused(self) -> bool:
        assert self.ended.wait(SOON)
        return isinstance(self.requests[0].error, Refusal)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Names(CallerClassifier):
    """A classifier whose tokens are names of classes; each is looked up once."""

    def look_up(self, request: Any) -> Caller:
        token = request.headers["AUTHORIZATION"].removeprefix("Bearer ")
        if token == "broken":
            raise OSError("no database")
        return Caller(token)


class Site:
    def __init__(self, threads: int = 4, queue: int = 100) -> None:
        self.clock = Clock()
        self.over = threading.Event()
        self.dispatcher = Dispatcher(Names(None, "/prefix"), threads=threads, queue=queue, clock=self.clock)  # type: ignore[arg-type]

    def send(self, caller: Caller | str, path: str = "/prefix/validate", *, slow: bool = False) -> Task:
        task = Task(caller, path, work=(lambda: self.over.wait(SOON)) if slow else lambda: None)
        self.dispatcher.add_task(task)
        return task

    def slow(self, caller: Caller, count: int) -> list[Task]:
        """Send requests that do not end; wait until those with a thread have started."""
        tasks = [self.send(caller, slow=True) for _ in range(count)]
        while sum(self.dispatcher.figures()[caller]) + sum(task.ended.is_set() for task in tasks) < count:
            threading.Event().wait(0.001)
        return tasks

    def slow_and_waiting(self, count: int) -> list[Task]:
        """Occupy all threads of strangers, and queue some more requests."""
        for task in [self.send(STRANGER, slow=True) for _ in range(shares(4)[STRANGER])]:
            assert task.started.wait(SOON)
        return [self.send(STRANGER, slow=True) for _ in range(count)]


@pytest.fixture
def site() -> Iterator[Site]:
    yield from opened()


def opened(**more: int) -> Iterator[Site]:
    site = Site(**more)
    try:
        yield site
    finally:
        site.over.set()
        site.dispatcher.shutdown()


@pytest.mark.parametrize("count", [4, 50])
def test_strangers_and_readers_that_never_end_leave_threads_to_writers(site: Site, count: int) -> None:
    strangers, readers = site.slow(STRANGER, count), site.slow(READER, count)
    for _ in range(100):
        assert site.send(WRITER).ended.wait(SOON)
    for path in ("/prefix/health", "/prefix/ready"):
        assert site.send(STRANGER, path).ended.wait(SOON)
    assert sum(task.started.is_set() for task in strangers) <= shares(4)[STRANGER]
    assert sum(task.started.is_set() for task in [*strangers, *readers]) <= shares(4)[READER]
    site.over.set()
    assert not any(task.refused for task in [*strangers, *readers])


def test_probes_are_answered_while_writers_have_all_threads(site: Site) -> None:
    site.slow(WRITER, 8)
    assert site.send(STRANGER, "/prefix/health").ended.wait(SOON)


def test_few_threads_are_enough_for_each_class() -> None:
    for site in opened(threads=1):
        assert sum(site.dispatcher.figures()[STRANGER]) == 0
        site.slow(STRANGER, MIN_THREADS)
        site.slow(READER, MIN_THREADS)
        assert site.send(WRITER).ended.wait(SOON)


def test_a_full_queue_refuses_its_own_class_alone() -> None:
    for site in opened(queue=3):
        site.slow_and_waiting(3)
        assert all(site.send(STRANGER).refused for _ in range(10))
        assert not site.send(READER).refused
        assert not site.send(WRITER).refused


def test_requests_of_disconnected_clients_leave_a_full_queue() -> None:
    for site in opened(queue=3):
        waiting = site.slow_and_waiting(3)[1:]
        for task in waiting:
            task.connected = False
        others = [site.send(STRANGER, slow=True) for _ in range(3)]
        assert all(task.ended.wait(SOON) for task in waiting)
        site.over.set()
        assert [task.refused for task in others] == [False, False, True]


def test_requests_that_waited_too_long_are_refused(site: Site) -> None:
    (late,) = site.slow_and_waiting(1)
    site.clock.now = 31
    new = site.send(STRANGER)
    site.over.set()
    assert late.refused
    assert not new.refused


def test_refusals_and_failed_look_ups_block_no_thread(site: Site) -> None:
    site.slow(WRITER, 8)
    bad = Task(STRANGER)
    bad.requests[0].error = ValueError("malformed")
    site.dispatcher.add_task(bad)
    assert bad.ended.wait(SOON)
    unknown = site.send("broken")
    site.over.set()
    assert unknown.ended.wait(SOON)


def test_an_exception_does_not_end_a_thread(site: Site) -> None:
    def fail() -> None:
        raise SystemExit

    for caller in Caller:
        for _ in range(10):
            site.dispatcher.add_task(Task(caller, work=fail))
        assert site.send(caller).ended.wait(SOON)
    while any(sum(figures) for figures in site.dispatcher.figures().values()):
        threading.Event().wait(0.001)


def test_shutdown_cancels_waiting_tasks_and_reports_running_ones(site: Site) -> None:
    running = site.slow(STRANGER, shares(4)[STRANGER])
    assert all(task.started.wait(SOON) for task in running)
    waiting = site.send(STRANGER)
    assert site.dispatcher.shutdown(timeout=0.01) is False
    assert (waiting.cancelled, waiting.started.is_set()) == (True, False)
    site.over.set()
    assert site.dispatcher.shutdown(timeout=SOON) is True


def test_tokens_determine_the_class_and_are_not_cached_in_clear(tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(Settings(data=tmp_path)) as store:
        owner = Repository(store, store.owner())
        writer, info = owner.create_token("ada")
        reader, _ = owner.create_token("eve", write=False)
        classes = CallerClassifier(store, clock=clock)

        def request(header: str | None) -> Any:
            return SimpleNamespace(path="/", headers={} if header is None else {"AUTHORIZATION": header})

        assert classes.cached(request(None)) is STRANGER
        for header, caller in [
            (f"Bearer {writer}", WRITER),
            (f"bearer {reader}", READER),
            (f"Basic {writer}", STRANGER),
            ("Bearer pvr_none", STRANGER),
            ("", STRANGER),
            ("Bearer \udcff", STRANGER),
        ]:
            assert classes.cached(request(header)) is None
            assert classes.look_up(request(header)) is caller
            assert classes.cached(request(header)) is caller
        assert writer not in repr(vars(classes))
        owner.revoke_token(info.id)
        clock.now = 61
        assert classes.cached(request(f"Bearer {writer}")) is None
        assert classes.look_up(request(f"Bearer {writer}")) is STRANGER
        for number in range(2000):
            classes.look_up(request(f"Bearer {number}"))
        assert len(classes._cache) == 1000
