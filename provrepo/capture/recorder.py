"""The recorder of a session: its open activities, and the journal that its processes share."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from provrepo.capture.activities import Activity
from provrepo.capture.facts import plans
from provrepo.capture.facts.values import Values
from provrepo.capture.failures import contained, warn_once
from provrepo.capture.files.digests import Files
from provrepo.capture.journal.events import OWN, SUFFIX, UNFINISHED, Event, Journal, reports_folder
from provrepo.settings import enclosing_run

if TYPE_CHECKING:
    from provrepo.capture.files.surroundings import Surroundings

__all__ = [
    "Activity", "JoinedSession", "Recorder", "Recording", "SessionContext", "current", "entered", "install", "join",
    "uninstall",
]  # fmt: skip

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A monotonic clock that all processes share: a later event has a later time."""


def _identity() -> str:
    """A random UUID (RFC 9562, section 5.4), without the import time of ``uuid``."""
    bits = bytearray(os.urandom(16))
    bits[6] = bits[6] & 0x0F | 0x40
    bits[8] = bits[8] & 0x3F | 0x80
    digits = bits.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _anchor() -> float:
    """The zero of the clock in seconds since the epoch, of which the process was not interrupted while it read both."""
    tries = [(time.clock_gettime(_CLOCK), time.time(), time.clock_gettime(_CLOCK)) for _ in range(3)]
    before, moment, after = min(tries, key=lambda found: found[2] - found[0])
    return moment - (before + after) / 2


class SessionContext(NamedTuple):
    """The context that is propagated to another process: a session and the current activity in it."""

    journal: str
    id: str
    anchor: float
    outside: bool
    stats: bool
    commits: dict[str, Event]
    activity: int | str
    process: int


class Recording:
    """A session, as each of its processes records it.

    Args:
        journal: receives the events.
        identity: of the session, a UUID.
        anchor: the zero of the clock, in seconds since the epoch.
        mark: a prefix of the names that this process gives; empty in the process that began the session.
        outside: whether files opened outside of steps belong to the session's own activity.
        stats: whether all steps describe the tables among their arguments and results.

    Attributes:
        seen: files that may be changed without a further event.
        forks: whether this process was forked: a child may have begun another program, which reports.
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
        self.seen: set[str] = set()
        self.forks = False
        self.surroundings: Surroundings | None = None
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
        """Whether the session is open."""
        return not self.closed

    def now(self) -> float:
        """The time in seconds since the epoch; it never decreases."""
        return self._anchor + time.clock_gettime(_CLOCK)

    def note(self, event: str, **fields: Any) -> None:
        """Write one event to the journal."""
        self.journal.write({"event": event, **fields})

    def fresh(self, kind: str) -> str:
        """A name that is unique in the session."""
        return f"{kind}-{self._mark}{next(self._names)}"

    def number(self) -> int | str:
        """The number of the next activity; that of the session is 0. In other processes numbers are text."""
        number = next(self._numbers)
        return f"step-{self._mark}{number}" if self._mark else number

    def plan(self, key: object, described: Event) -> str:
        """The name of a plan, which is recorded on first use."""
        with self._lock:
            known = self._plans.get(key)
            if known is None:
                known = self._plans[key] = self.fresh("plan")
                self.note("plan", plan=known, **described)
            return known

    def planned(self, key: object) -> str | None:
        """The name of a plan that was used before."""
        return self._plans.get(key)

    def part(self, about: str) -> tuple[str, bool]:
        """The entity of a part, and whether it is new.

        Args:
            about: identifies the part.
        """
        with self._lock:
            known = self._parts.get(about)
            if known is not None:
                return known, False
            entity = self._parts[about] = self.fresh("part")
            return entity, True

    def context_for(self, activity: Activity) -> SessionContext:
        """The context that another process needs to continue an activity."""
        return SessionContext(
            str(self.journal.path), self.id, self._anchor, self.outside, self.stats,
            plans.commits.copy(), activity.number, os.getpid(),
        )  # fmt: skip

    def forked(self) -> None:
        """Continue in a forked child, as a further process of the session."""
        self.owner = False
        if self.surroundings is not None:
            self.surroundings.forget()
            self.surroundings = None
        self._start(_mark())
        self.values.forked()
        self.journal.forked()
        for activity in self.open.values():
            activity.after_fork()

    def remote(self, number: int | str) -> Activity:
        """An activity that another process began and will end."""
        if number == self.root.number:
            return self.root
        activity = self.open.get(number)
        if activity is None:
            activity = self.open[number] = Activity.remote(self, number)
        return activity

    def forget(self, activity: Activity) -> None:
        """Forget an activity that another process began; ``remote`` creates it again when needed."""
        if activity is not self.root:
            self.open.pop(activity.number, None)


def _mark() -> str:
    return f"{os.urandom(4).hex()}-"


class JoinedSession(Recording):
    """A session, in a process that did not begin it."""

    def __init__(self, context: SessionContext) -> None:
        plans.commits.update(context.commits)
        journal = Journal(Path(context.journal), joins=True)
        super().__init__(
            journal, context.id, context.anchor, _mark(), outside=context.outside, stats=context.stats
        )  # fmt: skip
        self.root = Activity.remote(self, 0)


class Recorder(Recording):
    """A session, in the process that began it and that writes its document at the end.

    Args:
        name: the name of the session; also the label of its activity.
        out: the path of the document; absolute. An existing file is not replaced: then its name gets a number.
        agent: the IRI of the responsible agent; None for the user of this machine.
        outside: whether files opened outside of steps belong to the session's own activity.
        plan: the plan of the session; None for the script that runs.
        software: name and version of the program that runs it; None for this interpreter.
        stats: whether all steps describe the tables among their arguments and results.
    """

    def __init__(
        self, name: str, out: Path, agent: str | None, *, outside: bool,
        plan: Event | None = None, software: tuple[str, str] | None = None, stats: bool = False,
    ) -> None:  # fmt: skip
        from provrepo.capture.facts.environment import environment, person

        self._wanted, self.out = out, out
        identity = _identity()
        journal = Journal(out.with_name(f"{out.name}.{identity[:8]}{SUFFIX}"))
        super().__init__(journal, identity, _anchor(), "", outside=outside, stats=stats)
        self.note(
            "session", id=identity, name=name, person=contained(person)() or "unknown", agent=agent,
            surroundings=contained(environment)(software) or {}, within=enclosing_run(),
        )  # fmt: skip
        followed_plan = plan or contained(plans.of_script)() or {"name": name}
        self.root = Activity(self, name, None, self.plan(None, followed_plan))
        self.surroundings = contained(self._watched)()

    def close(self, error: BaseException | str | None = None, *, packages: list[str] | None = None) -> None:
        """End open activities, write the document, and delete the journal.

        Args:
            error: why the session failed.
            packages: the packages that it ran on, as ``name==version``; None for those of this process.
        """
        if self.closed or not self.owner:
            return
        for activity in reversed(list(self.open.values())):
            if activity is not self.root:
                activity.end(None, status=UNFINISHED)
        contained(self._children)()
        contained(self._unexplained)()
        self.root.end(error)
        from provrepo.capture.facts.environment import packages as imported

        self.closed = True
        self.note("close", time=self.now(), packages=contained(imported)() or [] if packages is None else packages)
        if contained(self._publish)() is None:
            self.journal.leave()

    def _children(self) -> None:
        """Record what processes that steps started have reported since the steps ended."""
        if reports_folder(self.journal.path).is_dir():
            from provrepo.capture.files.children import rest

            events = rest(self)
            if events:
                self.journal.write(*events)

    def _watched(self) -> Surroundings | None:
        from provrepo.capture.files.surroundings import LARGEST, Surroundings, TooLarge

        try:
            return Surroundings(str(Path.cwd()))
        except TooLarge:
            self.note("unexplained", activity=0, how="not watched:", path=f"more than {LARGEST} files")
        return None

    def _unexplained(self) -> None:
        """Name the files below the working folder that were opened or changed and are in no event."""
        watch, self.surroundings = self.surroundings, None
        if watch is None:
            return
        from provrepo.capture.files.surroundings import SHOWN, explaining, line

        read, written = explaining(self.journal.whole())
        known = self.seen | written
        own = (str(self.out), str(self.journal.path), str(reports_folder(self.journal.path)))
        folders = tuple(os.path.join(place, "") for place in {str(Path.cwd() / "prov"), *self._documents()})  # noqa: PTH118
        others: list[str] = []
        real = functools.cache(lambda wrote: {os.path.realpath(name) for name in (known if wrote else read)})

        def explained(path: str, changed: bool) -> bool:
            if path.startswith(own):
                return True
            if path.startswith(folders) or path.endswith(OWN):
                others.append(path)
                return True
            if path in known or (path in read and not changed):
                return True
            return path in real(True) or (not changed and path in real(False))

        found = watch.found(explained)
        watch.close()
        if found and not others:  # otherwise it may be explained in the document of another session
            warn_once("not recorded, since nothing explains it: %s", line(found))
            more = [("and", f"{len(found) - SHOWN} more")] if len(found) > SHOWN else []
            for how, path in found[:SHOWN] + more:
                self.note("unexplained", activity=0, how=how, path=path)

    def _documents(self) -> list[str]:
        """The folder of the document, if it is a folder for documents alone."""
        return [str(self.out.parent)] if self.out.parent.name == "prov" else []

    def _publish(self) -> bool:
        from provrepo.capture.delivery.outbox import queue
        from provrepo.capture.journal.document import build, save_new
        from provrepo.codecs.collector import collection_paused

        with collection_paused():  # it would traverse all objects of the program
            document = build(self.journal.whole())
            if document is not None:
                self.out = save_new(document, self._wanted)
                if self.out != self._wanted:
                    warn_once("%s exists; this recording is in %s", self._wanted, self.out)
        reports = reports_folder(self.journal.path)
        if reports.is_dir():
            from provrepo.capture.files.reports import remove

            remove(reports)
        self.journal.done(idle=document is None)
        if document is not None:
            contained(queue)(self.out)
        return True


# The current session and activity ------------------------------------------------------------------------------

entered: ContextVar[Activity | None] = ContextVar("provrepo_activity", default=None)
"""The activity that the running code belongs to."""

_sessions: list[Recording] = []
_opening = threading.RLock()


def opening() -> threading.RLock:
    """The lock under which the default session of a process begins, so that there is only one."""
    return _opening


def install(recording: Recording) -> None:
    """Make a session the current one."""
    _sessions.append(recording)


def uninstall(recording: Recording) -> None:
    """Make the session before it the current one again."""
    if recording in _sessions:
        _sessions.remove(recording)


def session_now() -> Recording | None:
    """The session of a step that begins now."""
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


def join(context: SessionContext) -> Activity:
    """The activity that a context of another process is for; the session is joined where this has not happened yet."""
    for recording in _sessions:
        if recording.id == context.id:
            return recording.remote(context.activity)
    branch = JoinedSession(context)
    install(branch)
    return branch.remote(context.activity)


def _forked() -> None:
    global _opening  # noqa: PLW0603 (the thread that held it does not exist in this process)
    _opening = threading.RLock()
    for recording in _sessions:
        contained(recording.forked)()
    atexit.register(settle_here)


@contained
def settle_here() -> None:
    """Record what this process, which was forked, has written so far: it is about to end."""
    for recording in _sessions:
        if not recording.owner:
            for activity in {id(one): one for one in (*recording.open.values(), recording.root)}.values():
                activity.settle()


def _forks() -> None:
    for recording in _sessions:
        recording.forks = True


def _before_fork() -> None:
    """Load what activities load once there are children: a child of a fork meanwhile would wait for it forever."""
    if _sessions:
        from provrepo.capture.files import children  # noqa: F401


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_forks, after_in_child=_forked)
