"""The record of one session: its activities, what they used and generated, and the document made of it at the end."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provrepo.capture import plans
from provrepo.capture.edge import LOG, contained
from provrepo.capture.files import Files, Pending, absolute, signature
from provrepo.capture.journal import SUFFIX, Event, Journal
from provrepo.capture.values import CONTAINERS, Values, things
from provrepo.settings import enclosing_run

__all__ = ["Activity", "Recorder", "current", "entered", "install", "uninstall"]

COMPLETED, FAILED, UNFINISHED = "completed", "failed", "unfinished"


def instant(seconds: float | None = None) -> str:
    """An xsd:dateTime in UTC; now, unless seconds since the epoch are given."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _identity() -> str:
    """A random UUID (RFC 9562, section 5.4)."""
    import uuid

    return str(uuid.uuid4())


class Recorder:
    """One session.

    Args:
        name: what the session is called; also the label of its activity.
        out: where the document goes; absolute.
        agent: the IRI of who is responsible, or None for the user of this machine.
        outside: whether files opened outside of steps belong to the session's own activity.
        plan: what the session follows; None for the script that runs.
        software: name and version of what carries it out; None for this interpreter.
    """

    def __init__(
        self, name: str, out: Path, agent: str | None, *, outside: bool,
        plan: Event | None = None, software: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.out = out
        self.outside = outside
        self.files = Files()
        self.values = Values()
        self.generated: set[str] = set()
        self.open: dict[int, Activity] = {}
        self.closed = False
        self._pid = os.getpid()
        self._numbers = itertools.count()
        self._plans: dict[Any, str] = {}
        self._lock = threading.RLock()
        from provrepo.capture.surroundings import person, surroundings

        self.id = _identity()
        self.journal = Journal(out.with_name(f"{out.name}.{self.id[:8]}{SUFFIX}"))
        self.note(
            "session", id=self.id, name=name, person=contained(person)() or "unknown", agent=agent,
            surroundings=contained(surroundings)(software) or {}, within=enclosing_run(),
        )  # fmt: skip
        self.root = Activity(self, name, None, self.plan(None, plan or contained(plans.of_script)() or {"name": name}))

    @property
    def here(self) -> bool:
        """Whether this is the process, and the time, that the session belongs to. A forked child notes nothing."""
        return not self.closed and os.getpid() == self._pid

    def note(self, event: str, **fields: Any) -> None:
        """Write one event to the journal."""
        self.journal.write({"event": event, **fields})

    def number(self) -> int:
        """The next activity's number; the session's own is 0."""
        return next(self._numbers)

    def plan(self, key: object, described: Event) -> str:
        """The name of a plan, noted when it is first met."""
        with self._lock:
            known = self._plans.get(key)
            if known is None:
                known = self._plans[key] = f"plan-{len(self._plans) + 1}"
                self.note("plan", plan=known, **described)
            return known

    def planned(self, key: object) -> str | None:
        """The name of a plan that was met before."""
        return self._plans.get(key)

    def claim(self, entity: str) -> bool:
        """Whether an activity may say that it generated an entity: only the first may."""
        with self._lock:
            if entity in self.generated:
                return False
            self.generated.add(entity)
            return True

    def close(self, error: BaseException | None = None, *, packages: list[str] | None = None) -> None:
        """End what is open, write the document, and take the journal away.

        Args:
            error: why the session failed.
            packages: what it ran on, as ``name==version``; None for the packages of this process.
        """
        if not self.here:
            return
        for activity in sorted(self.open.values(), key=lambda a: -a.number):
            if activity is not self.root:
                activity.end(None, status=UNFINISHED)
        self.root.end(error)
        from provrepo.capture.surroundings import packages as imported

        self.closed = True
        self.note("close", time=instant(), packages=contained(imported)() or [] if packages is None else packages)
        if contained(self._publish)() is None:
            self.journal.leave()

    def _publish(self) -> bool:
        from provrepo.capture.document import build, save

        document = build(self.journal.events)
        if document is not None:
            save(document, self.out)
            LOG.info("provenance of this session: %s", self.out)
        self.journal.done()
        return True


class Activity:
    """One run of a step, from its start to its end.

    A ``with step(...) as run`` block has it in hand, to say what cannot be seen from outside.
    """

    def __init__(
        self, recorder: Recorder, name: str, outer: Activity | None, plan: str | None, why: str | None = None
    ) -> None:
        self.recorder = recorder
        self.outer = outer
        self.number = recorder.number()
        self.pending: dict[str, Pending] = {}
        self.made: dict[str, tuple[float, str | None]] = {}
        self.inputs: dict[str, str | None] = {}
        self.derives: bool | tuple[str, ...] | None = None
        self.models: list[tuple[str, str | None]] = []
        self.run = False
        self.ended = False
        recorder.open[self.number] = self
        recorder.note(
            "start", activity=self.number, name=name, plan=plan, time=instant(), why=why,
            outer=outer.number if outer else None,
        )  # fmt: skip

    # What the user may say ------------------------------------------------------------------------------------------

    @contained
    def parameter(self, name: str, value: object) -> None:
        """Record a parameter, as text in which nothing secret stands."""
        from provrepo.capture.private import shown

        self.recorder.note("parameter", activity=self.number, name=name, value=shown(name, value))

    @contained
    def use(self, thing: object, role: str | None = None) -> None:
        """Record that this activity used something.

        Args:
            thing: a path of a file (str or Path), or a value such as a table.
            role: what it was used as.
        """
        if isinstance(thing, str | Path):
            self.read(absolute(thing), role)
        else:
            for value in things(thing):
                self.used(self.entity(value), role)

    @contained
    def make(self, thing: object, role: str | None = None) -> None:
        """Record that this activity generated something; it counts when the activity ends well.

        Args:
            thing: a path of a file (str or Path), or a value such as a table.
            role: what it was generated as.
        """
        if isinstance(thing, str | Path):
            self.pending[absolute(thing)] = Pending(None, None, True, time.time())
        else:
            self.give(thing, role)

    @contained
    def give(self, result: object, role: str | None = None) -> None:
        """Record that this activity returned something: what was not there before, it generated."""
        for value in things(result):
            if self.recorder.values.known(value) is None:
                self.produced(self.entity(value), role)

    # What is seen ---------------------------------------------------------------------------------------------------

    def entity(self, value: object) -> str:
        """The entity of a value."""
        entity, new = self.recorder.values.register(value)
        if new:
            kind = type(value)
            self.recorder.note("value", entity=entity, type=f"{kind.__module__}.{kind.__qualname__}")
        return entity

    def used(self, entity: str, role: str | None = None) -> None:
        """Record a usage, once for each role."""
        if entity in self.made or (entity in self.inputs and (role is None or self.inputs[entity] == role)):
            return
        self.inputs[entity] = role
        self.recorder.note("used", activity=self.number, entity=entity, time=instant(), role=role)

    def produced(self, entity: str, role: str | None = None) -> None:
        """Hold an entity as generated until the activity has ended well."""
        self.made.setdefault(entity, (time.time(), role))

    def read(self, path: str, role: str | None = None) -> str | None:
        """Record that a file is read, with what it holds now; the entity of that, or None where there is no file."""
        if path in self.pending:
            return None  # its own work so far
        found = self.recorder.files.version(path)
        if found is None:
            return None
        self._file(*found)
        self.used(found[0].entity, role)
        return found[0].entity

    def write(self, path: str, *, truncates: bool, reads: bool) -> None:
        """Record that a file is opened for writing."""
        if path in self.pending:
            return
        before = signature(path)
        if before is not None and not os.access(path, os.W_OK):
            return  # the open is about to fail
        if before is None and (os.path.exists(path) or not os.path.isdir(os.path.dirname(path))):  # noqa: PTH110, PTH112, PTH120
            return  # a directory, a pipe, or nowhere
        if before is not None and reads and not truncates:
            self.read(path)
        digest = self.recorder.files.digest(path) if before and not truncates else None
        if truncates:
            self.recorder.files.rewritten(path)
        self.pending[path] = Pending(before, digest, truncates, time.time())

    def rename(self, source: str, target: str) -> None:
        """Record that a file is given another name: what was being written, or a copy of what was there."""
        if signature(source) is None:
            return
        holder: Activity | None = self
        while holder is not None and source not in holder.pending:
            holder = holder.outer
        if holder is not None:
            del holder.pending[source]
        else:
            self.read(source)
        self.recorder.files.rewritten(target)
        (holder or self).pending[target] = Pending(None, None, True, time.time())

    @contained
    def argument(self, name: str, value: object, role: str | None = None) -> None:
        """Record an argument: things are used, the rest are parameters."""
        from provrepo.capture.private import secret_name

        found = [] if secret_name(name) else [thing for thing in things(value) if self._followed(thing)]
        for thing in found:
            self.used(self.entity(thing), role or name)
        if not found:
            self.parameter(name, value)

    def _followed(self, thing: object) -> bool:
        """Whether an argument is a thing: a list of names is a parameter, unless a step made it."""
        return type(thing) not in CONTAINERS or self.recorder.values.known(thing) is not None

    @contained
    def end(self, error: BaseException | str | None, status: str | None = None) -> None:
        """Record the end. What it generated is noted only now, and not at all where it failed.

        Args:
            error: why it failed; of an exception only the class is told, since its text may hold anything.
            status: where it is neither completed nor failed.
        """
        if self.ended or not self.recorder.here:
            return
        self.ended = True
        self.recorder.open.pop(self.number, None)
        if error is None:
            contained(self._outputs)()
        self.recorder.note(
            "end", activity=self.number, time=instant(), status=status or (FAILED if error else COMPLETED),
            error=error if error is None or isinstance(error, str) else type(error).__name__,
        )  # fmt: skip

    def _outputs(self) -> None:
        for path, pending in self.pending.items():
            found = self.recorder.files.version(path)
            if found is None or not (pending.certain or self._changed(path, pending, found[0].sha256)):
                continue
            self._file(*found)
            self.made.setdefault(found[0].entity, (max(found[0].seen, pending.since), None))
        claimed = {e: said for e, said in self.made.items() if self.recorder.claim(e)}
        for entity, (seen, role) in claimed.items():
            self.recorder.note("generated", activity=self.number, entity=entity, time=instant(seen), role=role)
        for source in self._sources(len(claimed)):
            for entity in claimed:
                if source != entity:
                    self.recorder.note("derived", activity=self.number, entity=entity, source=source)

        self._trained(claimed)

    def _trained(self, claimed: Iterable[str]) -> None:
        """Say which of the outputs are models, and what they learned from."""
        training = [entity for entity, role in self.inputs.items() if role and "train" in role.lower()]
        for model, name in self.models:
            found = self.recorder.files.version(model) if os.path.isabs(model) else None  # noqa: PTH117
            entity = found[0].entity if found else model
            if entity not in claimed:
                continue
            self.recorder.note("kind", of=entity, type="http://www.w3.org/ns/mls#Model", name=name)
            for source in training:
                self.recorder.note("derived", activity=self.number, entity=entity, source=source)

    @staticmethod
    def _changed(path: str, pending: Pending, digest: str) -> bool:
        if pending.before is None:
            return True
        return digest != pending.sha256 if pending.sha256 else signature(path) != pending.before

    def _sources(self, outputs: int) -> list[str]:
        """What the outputs were derived from: what was declared, or the one input of the one output."""
        if self.derives is True:
            return list(self.inputs)
        if isinstance(self.derives, tuple):
            return [entity for entity, role in self.inputs.items() if role in self.derives]
        one = self.derives is None and outputs == 1 and len(self.inputs) == 1 and self is not self.recorder.root
        return list(self.inputs) if one else []

    def _file(self, version: Any, new: bool) -> None:
        if new:
            self.recorder.note(
                "file", entity=version.entity, path=version.path, sha256=version.sha256, size=version.size,
                media=version.media, modified=instant(version.modified / 1e9),
            )  # fmt: skip


# Which session, and which activity of it ------------------------------------------------------------------------------

entered: ContextVar[Activity | None] = ContextVar("provrepo_activity", default=None)
"""The activity that the running code belongs to."""

_sessions: list[Recorder] = []


def install(recorder: Recorder) -> None:
    """Make a session the one that steps belong to."""
    _sessions.append(recorder)


def uninstall(recorder: Recorder) -> None:
    """Give its place back to the session before it."""
    if recorder in _sessions:
        _sessions.remove(recorder)


def session_now() -> Recorder | None:
    """The session that a step belongs to which begins now."""
    activity = entered.get()
    if activity is not None and activity.recorder.here:
        return activity.recorder
    return next((recorder for recorder in reversed(_sessions) if recorder.here), None)


def current() -> Activity | None:
    """The activity that the running code belongs to; the session's own outside of all steps."""
    if not _sessions:
        return None
    activity = entered.get()
    if activity is not None and activity.recorder.here and not activity.ended:
        return activity
    recorder = session_now()
    return recorder.root if recorder is not None else None
