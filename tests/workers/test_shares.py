"""Slots that classes of callers share: which callers start, which wait, and which work is stopped."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provrepo.errors import Busy, Error, WorkerFailed
from provrepo.workers.callers import LOCAL, Caller, Client, begin, client, client_gone, end, on_behalf_of
from provrepo.workers.shares import Slot, SlotQueue, Slots, shares

STRANGER, READER, WRITER = Caller
CLASSES = list(Caller)
SOON = 60
"""Seconds to wait for what happens at once."""


@pytest.mark.parametrize("size", range(1, 65))
def test_each_class_has_a_slot_and_lower_ones_leave_some(size: int) -> None:
    most = shares(size)
    assert 1 <= most[STRANGER] <= most[READER] <= most[WRITER] == size
    if size >= 2:
        assert most[READER] < size
    if size >= 3:
        assert most[STRANGER] < most[READER]


STEPS = st.lists(st.one_of(st.sampled_from(CLASSES), st.integers(0, 30)), max_size=120)
"""Somebody of a class arrives, or one of those that work ends."""


@given(st.integers(1, 9), STEPS)
def test_shares_are_respected_and_no_class_waits_for_lower_ones(size: int, steps: list[Caller | int]) -> None:
    queue: SlotQueue[int] = SlotQueue(size)
    waiting: dict[Caller, list[int]] = defaultdict(list)
    working: list[tuple[int, Caller]] = []

    def admit() -> None:
        while (found := queue.take()) is not None:
            item, caller = found
            assert item == waiting[caller].pop(0), "within a class the first goes first"
            working.append((item, caller))

    def count(*callers: Caller) -> int:
        return sum(caller in callers for _, caller in working)

    for number, step in enumerate(steps):
        if isinstance(step, Caller):
            assert queue.put(number, step)
            waiting[step].append(number)
        elif working:
            _, caller = working.pop(step % len(working))
            queue.done(caller)
        admit()
        for index, caller in enumerate(CLASSES):
            assert count(*CLASSES[: index + 1]) <= shares(size)[caller]
            assert queue.figures()[caller] == (count(caller), len(waiting[caller]))
        # A writer waits for writers alone, a reader for readers and writers. Where there are too few slots to keep
        # one free for them, ``blocked_by_lower`` is true, and the end of lower work admits a caller.
        for index, caller in list(enumerate(CLASSES))[1:]:
            if waiting[caller] and not count(*CLASSES[index:]):
                assert size <= CLASSES.index(WRITER), "there is a slot that no lower class may have"
                assert queue.blocked_by_lower(caller)
                lowest = min(working, key=lambda each: CLASSES.index(each[1]))
                working.remove(lowest)
                queue.done(lowest[1])
                before = len(working)
                admit()
                assert len(working) == before + 1


@given(st.integers(1, 9), st.lists(st.tuples(st.sampled_from(CLASSES), st.booleans())), st.sampled_from(CLASSES))
def test_an_immediate_start_respects_shares_and_higher_classes(
    size: int, before: list[tuple[Caller, bool]], caller: Caller
) -> None:
    queue: SlotQueue[int] = SlotQueue(size)
    for number, (other, waits) in enumerate(before):
        if waits:
            queue.put(number, other)
        else:
            queue.start(other)
    figures = queue.figures()
    higher = CLASSES[CLASSES.index(caller) + 1 :]
    free = queue.free(caller)
    for taken in range(free):
        assert queue.start(caller), f"{free} slots were free, and {taken} could be taken"
    if not any(figures[other][1] for other in CLASSES[CLASSES.index(caller) :]):
        assert not queue.start(caller), f"more than {free} slots were free"
    for _ in range(free):
        queue.done(caller)
    started = queue.start(caller)
    assert not (started and any(figures[other][1] for other in higher))
    working = [queue.figures()[other][0] for other in CLASSES]
    assert all(sum(working[: index + 1]) <= shares(size)[other] for index, other in enumerate(CLASSES))
    assert sum(working) == sum(figures[other][0] for other in CLASSES) + started
    if not figures[caller][1] and not any(figures[other][1] for other in higher):
        assert started or queue.put(-1, caller), "what may not start waits"


def test_a_queue_is_bounded_for_each_class() -> None:
    queue: SlotQueue[str] = SlotQueue(1, {STRANGER: 2, READER: 1})
    assert [queue.put(name, STRANGER) for name in "abc"] == [True, True, False]
    assert [queue.put(name, READER) for name in "de"] == [True, False]
    assert all(queue.put(str(number), WRITER) for number in range(1000))


def test_unwanted_items_are_removed_from_the_queue() -> None:
    queue: SlotQueue[str] = SlotQueue(1)
    for name in "abcd":
        queue.put(name, STRANGER)
    assert queue.remove_where(lambda name: name in "bd", STRANGER) == ["b", "d"]
    queue.remove("a", STRANGER)
    assert queue.take() == ("c", STRANGER)
    queue.put("e", WRITER)
    assert queue.clear() == ["e"]
    assert queue.take() is None


class Work:
    """A thread that acquires a slot and keeps it until its work ends or is stopped."""

    def __init__(self, slots: Slots, caller: Caller, *, stoppable: bool = True, timeout: float | None = None) -> None:
        self.entered, self.over = threading.Event(), threading.Event()
        self.stopped = False
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(slots, caller, stoppable, timeout))
        self._thread.start()

    def _run(self, slots: Slots, caller: Caller, stoppable: bool, timeout: float | None) -> None:
        try:
            slot = slots.enter(Client(caller), timeout)
        except Error as error:
            self.error = error
            return
        if stoppable:
            slots.stoppable(slot, self.over.set)
        self.entered.set()
        assert self.over.wait(SOON)
        self.stopped = slot.stopped
        slots.leave(slot)

    def starts(self) -> None:
        assert self.entered.wait(SOON)

    def ends(self) -> Work:
        self._thread.join(SOON)
        assert not self._thread.is_alive()
        return self


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("lower", "higher"), [(STRANGER, READER), (STRANGER, WRITER), (READER, WRITER)])
def test_with_few_slots_lower_work_is_stopped(size: int, lower: Caller, higher: Caller) -> None:
    slots = Slots(size, "workers", grace=0.01)
    first = Work(slots, lower)
    first.starts()
    second = Work(slots, higher)
    second.starts()
    if shares(size)[higher] == 1:
        assert first.ends().stopped
    second.over.set()
    first.over.set()
    assert not second.ends().stopped
    first.ends()


def test_work_is_not_stopped_for_its_own_class_nor_where_a_higher_one_works() -> None:
    slots = Slots(2, "workers", grace=0)
    stranger, writer = Work(slots, STRANGER), Work(slots, WRITER)
    stranger.starts()
    writer.starts()
    for caller in (STRANGER, WRITER):
        other = Work(slots, caller, timeout=0.1)
        assert isinstance(other.ends().error, Busy)
    writer.over.set()
    assert not writer.ends().stopped
    stranger.over.set()
    assert not stranger.ends().stopped


def test_the_newest_of_the_lowest_class_is_stopped_and_one_alone() -> None:
    slots = Slots(1, "workers", grace=0)
    first = Work(slots, STRANGER)
    first.starts()
    others = [Work(slots, WRITER) for _ in range(3)]
    assert first.ends().stopped
    for other in others:
        other.over.set()
    assert not any(other.ends().stopped for other in others)


def test_work_that_cannot_be_stopped_delays_others_until_the_timeout() -> None:
    slots = Slots(1, "workers", grace=0)
    first = Work(slots, STRANGER, stoppable=False)
    first.starts()
    assert isinstance(Work(slots, WRITER, timeout=0.1).ends().error, Busy)
    first.over.set()
    assert not first.ends().stopped
    after = Work(slots, WRITER)
    after.starts()
    after.over.set()
    after.ends()


def test_waiting_ends_when_the_client_disconnects() -> None:
    slots = Slots(1, "workers")
    slot = slots.enter(LOCAL)
    with pytest.raises(WorkerFailed, match="closed the connection"):
        slots.enter(Client(WRITER, lambda: True))
    assert slots.figures()[WRITER] == (1, 0)
    slots.leave(slot)
    assert slots.figures()[WRITER] == (0, 0)


def test_a_full_queue_refuses_at_once() -> None:
    slots = Slots(1, "workers", {STRANGER: 0})
    slot = slots.enter(LOCAL)
    with pytest.raises(Busy, match="too many"):
        slots.enter(Client(STRANGER))
    slots.leave(slot)


def test_closed_slots_admit_no_caller() -> None:
    slots = Slots(1, "workers")
    slot: Slot = slots.enter(LOCAL)
    waiting = Work(slots, WRITER)
    while slots.figures()[WRITER] != (1, 1):
        threading.Event().wait(0.01)
    slots.close()
    assert isinstance(waiting.ends().error, WorkerFailed)
    with pytest.raises(WorkerFailed):
        slots.enter(LOCAL)
    slots.leave(slot)


def test_a_thread_has_one_client_until_its_end() -> None:
    assert client() is LOCAL
    assert not client_gone()
    begin(Client(STRANGER, lambda: True))
    try:
        assert (client().caller, client_gone()) == (STRANGER, True)
        with on_behalf_of(LOCAL):
            assert not client_gone()
        assert client_gone()
        seen: list[Client] = []
        thread = threading.Thread(target=lambda: seen.append(client()))
        thread.start()
        thread.join()
        assert seen == [LOCAL]
    finally:
        end()
    assert client() is LOCAL
