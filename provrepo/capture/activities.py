"""Activities: what a run of a step notes of itself, from its start to its end."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.capture.facts.parts import Part, fragment
from provrepo.capture.facts.redaction import secret_name, shown
from provrepo.capture.facts.values import CONTAINERS, qualified, things
from provrepo.capture.failures import contained
from provrepo.capture.files.digests import Pending, Seen, absolute, signature
from provrepo.capture.journal.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provrepo.capture.recorder import Recording

__all__ = ["COMPLETED", "FAILED", "UNFINISHED", "Activity"]

COMPLETED, FAILED, UNFINISHED = "completed", "failed", "unfinished"

_secret = functools.lru_cache(1024)(secret_name)


class Activity:
    """One run of a step, from its start to its end.

    A ``with step(...) as run`` block has it in hand, to say what cannot be seen from outside.

    Args:
        recorder: the session that it belongs to.
        name: what it is called.
        outer: the activity that it is part of.
        plan: the name of what it follows.
        why: the rationale.
        derives: what its outputs are derived from, as ``step`` has it.
        kind: the IRI of a class of activities.
        stats: whether it describes the tables that it takes and returns.
        arguments: names, values and, where they are not the names, roles.
    """

    def __init__(
        self,
        recorder: Recording,
        name: str,
        outer: Activity | None,
        plan: str | None,
        why: str | None = None,
        *,
        derives: bool | tuple[str, ...] | None = None,
        kind: str | None = None,
        stats: bool = False,
        arguments: Iterable[tuple[str, object, str | None]] = (),
    ) -> None:
        self._prepare(recorder, recorder.number(), outer)
        self._stats = stats or recorder.stats
        start: Event = {
            "event": "start", "activity": self.number, "name": name, "plan": plan, "time": recorder.now(),
            "outer": None if outer is None else outer.number,
        }  # fmt: skip
        for key, said in (("why", why), ("derives", derives), ("kind", kind)):
            if said is not None:
                start[key] = said
        events = [start]
        parameters: list[tuple[str, str]] = []
        for argument, value, role in arguments:
            _argument(self, argument, value, role or argument, parameters, events)
        if parameters:
            start["parameters"] = parameters
        recorder.open[self.number] = self
        recorder.journal.write(*events)

    def _prepare(self, recorder: Recording, number: int | str, outer: Activity | None) -> None:
        self.recorder, self.number, self.outer = recorder, number, outer
        self.ended = self.borrowed = self.run = False
        self._stats = recorder.stats
        self.pending: dict[str, Pending] = {}
        self._made: set[str] = set()
        self._uses: set[tuple[object, str | None]] = set()
        self._models: list[Event] = []

    @classmethod
    def lent(cls, recorder: Recording, number: int | str) -> Activity:
        """An activity that another process began and will end."""
        activity = cls.__new__(cls)
        activity._prepare(recorder, number, None)
        activity.borrowed = True
        return activity

    def lend(self) -> None:
        """Go on in a forked child: what was begun in the parent is the parent's to end."""
        self.borrowed = True
        self.pending, self._models = {}, []

    # What the user may say ------------------------------------------------------------------------------------------

    @contained
    def parameter(self, name: str, value: object) -> None:
        """Record a parameter, as text in which nothing secret stands."""
        self.recorder.note("parameter", activity=self.number, name=name, value=told(name, value))

    @contained
    def used(self, thing: object, role: str | None = None) -> None:
        """Record that this activity used something.

        Args:
            thing: a path of a file (str or Path), a part of something (``select``), or a value such as a table.
            role: what it was used as.
        """
        if isinstance(thing, str | Path):
            self.read(absolute(thing), role)
        else:
            for value in things(thing):
                self.uses(self.entity(value), role)

    @contained
    def generated(self, thing: object, role: str | None = None) -> None:
        """Record that this activity generated something; it counts when the activity ends well.

        Args:
            thing: a path of a file (str or Path), or a value such as a table. Where the value was there before, what
                it is now is a new thing.
            role: what it was generated as.
        """
        if isinstance(thing, str | Path):
            self.wrote(absolute(thing))
        else:
            for value in things(thing):
                self.makes(value, role)

    # What is seen ---------------------------------------------------------------------------------------------------

    @contained
    def give(self, result: object, role: str | None = None) -> None:
        """Record that this activity returned something: what was not there before, it generated."""
        events: list[Event] = []
        _given(self, result, role, events)
        if events:
            self.recorder.journal.write(*events)

    def entity(self, value: object) -> str:
        """The entity of a value."""
        events: list[Event] = []
        entity = self._entity(value, events)
        if events:
            self.recorder.journal.write(*events)
        return entity

    def _entity(self, value: object, events: list[Event]) -> str:
        if type(value) is Part:
            return self._part(value, events)
        entity, new = self.recorder.values.register(value)
        if new:
            events.append(self._described(entity, value))
        if self._stats and entity not in self.recorder.described:
            self.recorder.described.add(entity)
            events += _stats(entity, value)
        return entity

    def _part(self, part: Part[Any], events: list[Event]) -> str:
        """The entity of a part: the same for the same part of the same thing."""
        values = self.recorder.values
        known = values.known(part)
        if known is not None:
            return known
        by = part.by if part.by is not None and part.by.recorder is self.recorder else self.recorder.root
        about = part.about()
        if isinstance(part.whole, str | os.PathLike):
            seen = self.recorder.files.content(absolute(part.whole))
            if seen is not None:
                pointer = fragment(part, "text/csv" if seen.path.lower().endswith(".csv") else "")
                about |= seen._asdict() | ({"fragment": pointer} if pointer else {})
        elif list(map(id, things(part.whole))) == [id(part.whole)]:
            about["of"] = by._entity(part.whole, events)
        entity, new = self.recorder.part(repr(about))
        values.adopt(part, entity)
        if new:
            events.append({"event": "part", "entity": entity, "by": by.number, "time": self.recorder.now(), **about})
        return entity

    def _described(self, entity: str, value: object) -> Event:
        return {"event": "value", "entity": entity, "type": qualified(type(value))}

    def uses(self, entity: str, role: str | None = None) -> None:
        """Record a usage of an entity, once for each role."""
        events: list[Event] = []
        self._use(entity, role, events)
        if events:
            self.recorder.journal.write(*events)

    def _use(self, entity: str, role: str | None, events: list[Event]) -> None:
        if entity in self._made or (entity, role) in self._uses:
            return
        self._uses.add((entity, role))
        used: Event = {"event": "used", "activity": self.number, "entity": entity, "time": self.recorder.now()}
        events.append(used | ({"role": role} if role else {}))

    def makes(self, value: object, role: str | None = None) -> str:
        """Record that this activity generated a value, which is a new thing where it was there before."""
        known = self.recorder.values.known(value)
        if known in self._made:
            return known or ""
        events: list[Event] = []
        if known is None:
            entity = self._entity(value, events)
        else:
            self._use(known, None, events)
            entity = self.recorder.values.renew(value)
            events.append(self._described(entity, value) | {"before": known})
            self._entity(value, events)
        self._make(entity, role, events)
        self.recorder.journal.write(*events)
        return entity

    def produced(self, entity: str, role: str | None = None) -> None:
        """Record that this activity generated an entity."""
        events: list[Event] = []
        self._make(entity, role, events)
        self.recorder.journal.write(*events)

    def _make(self, entity: str, role: str | None, events: list[Event]) -> None:
        self._made.add(entity)
        made: Event = {"event": "made", "activity": self.number, "entity": entity, "time": self.recorder.now()}
        events.append(made | ({"role": role} if role else {}))

    def read(self, path: str, role: str | None = None) -> Seen | None:
        """Record that a file is read, with what it holds now; None where there is no file."""
        if path in self.pending:
            return None  # its own work so far
        seen = self.recorder.files.content(path)
        if seen is not None:
            self.saw(seen, role)
        return seen

    def saw(self, seen: Seen, role: str | None = None, *, at: float | None = None) -> None:
        """Record that a file was read.

        Args:
            seen: what it held.
            role: what it was used as.
            at: when that was, in seconds since the epoch; now, otherwise.
        """
        use = ((seen.path, seen.sha256), role)
        if use not in self._uses:
            self._uses.add(use)
            self._file("read", seen, at, {"role": role} if role else {})

    def write(self, path: str, *, truncates: bool, reads: bool) -> None:
        """Record that a file is opened for writing."""
        if path in self.pending:
            return
        before = signature(path)
        if before is not None and not os.access(path, os.W_OK):
            return  # the open is about to fail
        if before is None and (os.path.exists(path) or not os.path.isdir(os.path.dirname(path))):  # noqa: PTH110, PTH112, PTH120
            return  # a directory, a pipe, or nowhere
        digest = None
        if before is not None and not truncates:
            seen = self.read(path) if reads else None
            digest = seen.sha256 if seen else self.recorder.files.digest(path)
        self.writes(path, Pending(before, digest, truncates, self.recorder.now()))

    def writes(self, path: str, opened: Pending) -> None:
        """Record that a file has been opened for writing; what it holds when this activity ends, it generated."""
        if opened.certain:
            self.recorder.files.rewritten(path)
            self.recorder.note("writing", activity=self.number, path=path)
        self.pending[path] = opened

    def wrote(self, path: str, at: float | None = None) -> None:
        """Record that a file is being written or was written just now, whatever it held before.

        Args:
            path: absolute.
            at: when that began, in seconds since the epoch; now, otherwise.
        """
        self.writes(path, Pending(None, None, True, self.recorder.now() if at is None else at))

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
        (holder or self).wrote(target)

    def model(self, thing: object, name: str | None) -> None:
        """Record that this activity trained a model: a value, or the path of a file that holds one when it ends."""
        event: Event = {"event": "model", "activity": self.number, "name": name}
        if isinstance(thing, str | Path):
            self._models.append(event | {"path": absolute(thing)})
        else:
            self.recorder.journal.write(event | {"entity": self.makes(thing)})

    # Its end --------------------------------------------------------------------------------------------------------

    @contained
    def end(self, error: BaseException | str | None, status: str | None = None) -> None:
        """Record the end. The files that it wrote are looked at only now, and not at all where it failed.

        Args:
            error: why it failed; of an exception only the class is told, since its text may hold anything.
            status: where it is neither completed nor failed.
        """
        self._finish([], error, status)

    @contained
    def complete(self, result: object) -> None:
        """Record the end of a function that returned something."""
        events: list[Event] = []
        _given(self, result, None, events)
        self._finish(events, None, None)

    def _finish(self, events: list[Event], error: BaseException | str | None, status: str | None) -> None:
        if self.ended or self.recorder.closed:
            return
        if isinstance(error, SystemExit) and not error.code:
            error = None  # the program ends here, and well
        if error is None:
            self.settle()
        if self.borrowed:
            if events:
                self.recorder.journal.write(*events)
            return
        self.ended = True
        self.recorder.open.pop(self.number, None)
        ended: Event = {
            "event": "end", "activity": self.number, "time": self.recorder.now(),
            "status": status or (FAILED if error else COMPLETED),
        }  # fmt: skip
        if error is not None:
            ended["error"] = error if isinstance(error, str) else type(error).__name__
        self.recorder.journal.write(*events, ended)

    @contained
    def settle(self) -> None:
        """Note what the files hold that were written so far."""
        pending, self.pending = self.pending, {}
        for path, opened in pending.items():
            contained(self._settled)(path, opened)
        models, self._models = self._models, []
        if models:
            self.recorder.journal.write(*models)

    def _settled(self, path: str, opened: Pending) -> None:
        seen = self.recorder.files.content(path)
        if seen is not None and (opened.certain or self._changed(path, opened, seen.sha256)):
            self._file("wrote", seen, None, {"since": opened.since})

    @staticmethod
    def _changed(path: str, opened: Pending, digest: str) -> bool:
        if opened.before is None:
            return True
        return digest != opened.sha256 if opened.sha256 else signature(path) != opened.before

    def _file(self, event: str, seen: Seen, at: float | None, more: Event) -> None:
        now = self.recorder.now()
        told = {"event": event, "activity": self.number, "time": now if at is None else min(at, now)}
        self.recorder.journal.write({**told, **seen._asdict(), **more})


def _stats(entity: str, value: object) -> list[Event]:
    from provrepo.capture.facts.tables import described

    found = contained(described)(value)
    return [{"event": "stats", "entity": entity, **found}] if found else []


def told(name: str, value: object) -> str:
    """A parameter as text in which nothing secret stands."""
    if type(value) in (bool, int, float) and not _secret(name):
        return repr(value)
    return shown(name, value)


@contained
def _argument(
    activity: Activity, name: str, value: object, role: str, parameters: list[tuple[str, str]], events: list[Event]
) -> None:
    """An argument: things are used, the rest are parameters."""
    known = activity.recorder.values.known
    found = False
    if not _secret(name):
        for thing in things(value):
            if type(thing) in CONTAINERS and known(thing) is None:
                continue  # a list of names is a parameter, unless a step made it
            found = True
            activity._use(activity._entity(thing, events), role, events)
    if not found:
        parameters.append((name, told(name, value)))


@contained
def _given(activity: Activity, result: object, role: str | None, events: list[Event]) -> None:
    for value in things(result):
        if activity.recorder.values.known(value) is None:
            activity._make(activity._entity(value, events), role, events)
