"""The record of one session: who is at work in it, and the journal that all of them write."""

from __future__ import annotations

import itertools
import os
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.capture.activities import UNFINISHED, Activity
from provrepo.capture.facts import plans
from provrepo.capture.facts.values import Values
from provrepo.capture.failures import contained
from provrepo.capture.files.digests import Files
from provrepo.capture.journal.events import SUFFIX, Event, Journal
from provrepo.settings import enclosing_run

__all__ = [
    "Activity", "Branch", "Recorder", "Recording", "Ticket", "current", "entered", "install", "join", "uninstall",
]  # fmt: skip

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets and that all processes share: what is noted later has a later time."""


def _identity() -> str:
    """A random UUID (RFC 9562, section 5.4), without the module's start-up."""
    bits = bytearray(os.urandom(16))
    bits[6] = bits[6] & 0x0F | 0x40
    bits[8] = bits[8] & 0x3F | 0x80
    digits = bits.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Ticket(NamedTuple):
    """What another process has to know to go on with an activity of a session."""

    journal: str
    id: str
    anchor: float
    outside: bool
    stats: bool
    commits: dict[str, Event]
    activity: int | str
    process: int


class Recording:
    """What every process that belongs to a session has of it.

    Args:
        journal: where it notes what happens.
        identity: of the session, a UUID.
        anchor: seconds since the epoch at which the clock stood at zero.
        mark: what the names of things from this process begin with; empty in the process that began the session.
        outside: whether files opened outside of steps belong to the session's own activity.
        stats: whether all steps describe the tables that they take and return.
    """

    root: Activity

    def __init__(
        self, journal: Journal, identity: str, anchor: float, mark: str, *, outside: bool, stats: bool
    ) -> None:
        self.journal, self.id, self.outside, self.stats = journal, identity, outside, stats
        self.owner = not mark
        self.closed = False
        self.files = Files()
        self.values = Values(lambda: self.fresh("value"))
        self.open: dict[int | str, Activity] = {}
        self.described: set[str] = set()
        self._anchor = anchor
        self._plans: dict[Any, str] = {}
        self._parts: dict[str, str] = {}
        self._start(mark)

    def _start(self, mark: str) -> None:
        self._mark = mark
        self._numbers = itertools.count()
        self._names = itertools.count(1)
        self._lock = threading.RLock()

    @property
    def here(self) -> bool:
        """Whether the session still goes on."""
        return not self.closed

    def now(self) -> float:
        """Seconds since the epoch, never earlier than before."""
        return self._anchor + time.clock_gettime(_CLOCK)

    def note(self, event: str, **fields: Any) -> None:
        """Write one event to the journal."""
        self.journal.write({"event": event, **fields})

    def fresh(self, kind: str) -> str:
        """A name that nothing else in the session has."""
        return f"{kind}-{self._mark}{next(self._names)}"

    def number(self) -> int | str:
        """The next activity's number; the session's own is 0, and in other processes they are text."""
        number = next(self._numbers)
        return f"step-{self._mark}{number}" if self._mark else number

    def plan(self, key: object, described: Event) -> str:
        """The name of a plan, noted when it is first met."""
        with self._lock:
            known = self._plans.get(key)
            if known is None:
                known = self._plans[key] = self.fresh("plan")
                self.note("plan", plan=known, **described)
            return known

    def planned(self, key: object) -> str | None:
        """The name of a plan that was met before."""
        return self._plans.get(key)

    def part(self, about: str) -> tuple[str, bool]:
        """The entity of a part of something, and whether it is new.

        Args:
            about: what tells it from other parts.
        """
        with self._lock:
            known = self._parts.get(about)
            if known is not None:
                return known, False
            entity = self._parts[about] = self.fresh("part")
            return entity, True

    def ticket(self, activity: Activity) -> Ticket:
        """What another process needs to go on with an activity."""
        return Ticket(
            str(self.journal.path), self.id, self._anchor, self.outside, self.stats,
            plans.commits.copy(), activity.number, os.getpid(),
        )  # fmt: skip

    def forked(self) -> None:
        """Go on in a forked child, which is one more process of the session."""
        self.owner = False
        self._start(_mark())
        self.values.forked()
        self.journal.forked()
        for activity in self.open.values():
            activity.lend()

    def lent(self, number: int | str) -> Activity:
        """An activity that another process began."""
        if number == self.root.number:
            return self.root
        activity = self.open.get(number)
        if activity is None:
            activity = self.open[number] = Activity.lent(self, number)
        return activity

    def give_back(self, activity: Activity) -> None:
        """Forget an activity that another process began; it is lent anew where it is needed."""
        if activity is not self.root:
            self.open.pop(activity.number, None)


def _mark() -> str:
    return f"{os.urandom(4).hex()}-"


class Branch(Recording):
    """A session in a process that did not begin it."""

    def __init__(self, ticket: Ticket) -> None:
        plans.commits.update(ticket.commits)
        journal = Journal(Path(ticket.journal), joins=True)
        super().__init__(
            journal, ticket.id, ticket.anchor, _mark(), outside=ticket.outside, stats=ticket.stats
        )  # fmt: skip
        self.root = Activity.lent(self, 0)


class Recorder(Recording):
    """A session in the process that began it, which makes its document at the end.

    Args:
        name: what the session is called; also the label of its activity.
        out: where the document goes; absolute.
        agent: the IRI of who is responsible, or None for the user of this machine.
        outside: whether files opened outside of steps belong to the session's own activity.
        plan: what the session follows; None for the script that runs.
        software: name and version of what carries it out; None for this interpreter.
        stats: whether all steps describe the tables that they take and return.
    """

    def __init__(
        self, name: str, out: Path, agent: str | None, *, outside: bool,
        plan: Event | None = None, software: tuple[str, str] | None = None, stats: bool = False,
    ) -> None:  # fmt: skip
        from provrepo.capture.facts.environment import person, surroundings

        self.out = out
        identity = _identity()
        journal = Journal(out.with_name(f"{out.name}.{identity[:8]}{SUFFIX}"))
        anchor = time.time() - time.clock_gettime(_CLOCK)
        super().__init__(journal, identity, anchor, "", outside=outside, stats=stats)
        self.note(
            "session", id=identity, name=name, person=contained(person)() or "unknown", agent=agent,
            surroundings=contained(surroundings)(software) or {}, within=enclosing_run(),
        )  # fmt: skip
        followed = plan or contained(plans.of_script)() or {"name": name}
        self.root = Activity(self, name, None, self.plan(None, followed))

    def close(self, error: BaseException | None = None, *, packages: list[str] | None = None) -> None:
        """End what is open, write the document, and take the journal away.

        Args:
            error: why the session failed.
            packages: what it ran on, as ``name==version``; None for the packages of this process.
        """
        if self.closed or not self.owner:
            return
        for activity in reversed(list(self.open.values())):
            if activity is not self.root:
                activity.end(None, status=UNFINISHED)
        self.root.end(error)
        from provrepo.capture.facts.environment import packages as imported

        self.closed = True
        self.note("close", time=self.now(), packages=contained(imported)() or [] if packages is None else packages)
        if contained(self._publish)() is None:
            self.journal.leave()

    def _publish(self) -> bool:
        from provrepo.capture.delivery.outbox import queue
        from provrepo.capture.journal.document import build, save
        from provrepo.codecs.collector import paused

        with paused():  # it would go through all that the program holds
            document = build(self.journal.whole())
            if document is not None:
                save(document, self.out)
        self.journal.done(idle=document is None)
        if document is not None:
            contained(queue)(self.out)
        return True


# Which session, and which activity of it ------------------------------------------------------------------------------

entered: ContextVar[Activity | None] = ContextVar("provrepo_activity", default=None)
"""The activity that the running code belongs to."""

_sessions: list[Recording] = []
_opening = threading.RLock()


def opening() -> threading.RLock:
    """Held while the session of a process that names none begins, so that there is one."""
    return _opening


def install(recording: Recording) -> None:
    """Make a session the one that steps belong to."""
    _sessions.append(recording)


def uninstall(recording: Recording) -> None:
    """Give its place back to the session before it."""
    if recording in _sessions:
        _sessions.remove(recording)


def session_now() -> Recording | None:
    """The session that a step belongs to which begins now."""
    activity = entered.get()
    if activity is not None and not activity.recorder.closed:
        return activity.recorder
    return next((recording for recording in reversed(_sessions) if not recording.closed), None)


def current() -> Activity | None:
    """The activity that the running code belongs to; the session's own outside of all steps."""
    if not _sessions:
        return None
    activity = entered.get()
    if activity is not None and not activity.ended and not activity.recorder.closed:
        return activity
    recording = session_now()
    return recording.root if recording is not None else None


def join(ticket: Ticket) -> Activity:
    """The activity that a ticket of another process is for; the session is joined where this has not happened yet."""
    for recording in _sessions:
        if recording.id == ticket.id:
            return recording.lent(ticket.activity)
    branch = Branch(ticket)
    install(branch)
    return branch.lent(ticket.activity)


def _forked() -> None:
    global _opening  # noqa: PLW0603 (whoever held it is not in this process)
    _opening = threading.RLock()
    for recording in _sessions:
        contained(recording.forked)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
