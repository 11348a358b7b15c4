"""Activities: the events that a run of a step records, from its start to its end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.capture.facts.named_files import Named
from provrepo.capture.facts.parts import Part, fragment
from provrepo.capture.facts.values import things
from provrepo.capture.failures import contained
from provrepo.capture.files.digests import FileVersion, Pending, absolute, signature
from provrepo.capture.journal.events import COMPLETED, FAILED, Event
from provrepo.capture.observations import Observations
from provrepo.capture.passing import argument_given, described, parameter_text, result_returned, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provrepo.capture.recorder import Recording

__all__ = ["Activity"]


class Activity(Observations):
    """One run of a step, from its start to its end.

    ``with step(...) as run`` returns it, so that a block can record what capture cannot observe.

    Attributes:
        conclusions: called when it ends and has not failed.

    Args:
        recorder: the session that it belongs to.
        name: its label.
        outer: the activity that it is part of.
        plan: the name of its plan.
        why: the rationale.
        derives: what its outputs are derived from, as for ``step``.
        kind: the IRI of a class of activities.
        stats: whether it describes the tables among its arguments and results.
        infer: whether files that arguments and results name are used or generated.
        arguments: names, values and, where they are not the names, roles.
    """

    _named: Named | None

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
        infer: bool = False,
        arguments: Iterable[tuple[str, object, str | None]] = (),
    ) -> None:
        self._prepare(recorder, recorder.number(), outer)
        self.name = name
        self._stats = stats or recorder.stats
        start: Event = {
            "event": "start", "activity": self.number, "name": name, "plan": plan, "time": recorder.now(),
            "outer": None if outer is None else outer.number,
        }  # fmt: skip
        for key, option in (("why", why), ("derives", derives), ("kind", kind)):
            if option is not None:
                start[key] = option
        events = [start]
        parameters: list[tuple[str, str]] = []
        if infer:
            self._named = Named()
        for argument, value, role in arguments:
            if self._named is not None:
                self._named.argument(value, role or argument)
            argument_given(self, argument, value, role or argument, parameters, events)
        if parameters:
            start["parameters"] = parameters
        recorder.open[self.number] = self
        recorder.journal.write(*events)

    def _prepare(self, recorder: Recording, number: int | str, outer: Activity | None) -> None:
        self.recorder, self.number, self.outer = recorder, number, outer
        self.name = ""
        self.ended = self.is_remote = self.run = False
        self._stats = recorder.stats
        self._named = None
        self.pending: dict[str, Pending] = {}
        self.reports: Path | None = None
        self._made: set[str] = set()
        self._uses: set[tuple[object, str | None]] = set()
        self._begin_observations()
        self._models: list[Event] = []
        self.conclusions: list[Callable[[], None]] = []

    @classmethod
    def remote(cls, recorder: Recording, number: int | str) -> Activity:
        """An activity that another process began and will end."""
        activity = cls.__new__(cls)
        activity._prepare(recorder, number, None)
        activity.is_remote = True
        return activity

    def after_fork(self) -> None:
        """Continue in a forked child: the parent ends what it began."""
        self.is_remote = True
        self.pending, self._models, self.reports, self.conclusions = {}, [], None, []

    @property
    def identifier(self) -> str:
        """Its local name in the document."""
        return f"step-{self.number}" if isinstance(self.number, int) and self.number else str(self.number or "session")

    # Calls of the user ------------------------------------------------------------------------------------------

    @contained
    def parameter(self, name: str, value: object) -> None:
        """Record a parameter, as text without secrets."""
        self.recorder.note("parameter", activity=self.number, name=name, value=parameter_text(name, value))

    @contained
    def used(self, thing: object, role: str | None = None) -> None:
        """Record that this activity used something.

        Args:
            thing: a path of a file (str or Path), a part of something (``select``), or a value such as a table.
            role: the role of the usage.
        """
        if isinstance(thing, str | Path):
            self.read(absolute(thing), role)
        else:
            known = self.recorder.values.known(thing) is not None  # a number, say, that a step has made
            for value in [thing] if known else things(thing):
                self.uses(self.entity(value), role)

    @contained
    def generated(self, thing: object, role: str | None = None) -> None:
        """Record that this activity generated something; it counts if the activity does not fail.

        Args:
            thing: a path of a file (str or Path), or a value such as a table. A value that has an entity already gets
                a new one, for its new state.
            role: the role of the generation.
        """
        if isinstance(thing, str | Path):
            self.wrote(absolute(thing))
        else:
            for value in things(thing):
                self.makes(value, role)

    # Observations ---------------------------------------------------------------------------------------------------

    @contained
    def returned(self, result: object, role: str | None = None) -> None:
        """Record a result of this activity: values without an entity were generated by it."""
        events: list[Event] = []
        result_returned(self, result, role, events)
        if events:
            self.recorder.journal.write(*events)

    def entity(self, value: object) -> str:
        """The entity of a value."""
        events: list[Event] = []
        entity = self.entity_in(value, events)
        if events:
            self.recorder.journal.write(*events)
        return entity

    def entity_in(self, value: object, events: list[Event]) -> str:
        """The entity of a value; events that describe it are added to others."""
        if type(value) is Part:
            return self._part(value, events)
        entity, new = self.recorder.values.register(value)
        if new:
            events.append(described(self, entity, value))
        if self._stats and entity not in self.recorder.described:
            self.recorder.described.add(entity)
            events += statistics(self, entity, value)
        return entity

    def _part(self, part: Part[Any], events: list[Event]) -> str:
        """The entity of a part: equal parts of one entity have the same."""
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
            about["of"] = by.entity_in(part.whole, events)
        entity, new = self.recorder.part(repr(about))
        values.adopt(part, entity)
        if new:
            events.append({"event": "part", "entity": entity, "by": by.number, "time": self.recorder.now(), **about})
        return entity

    def uses(self, entity: str, role: str | None = None) -> None:
        """Record a usage of an entity, once for each role."""
        events: list[Event] = []
        self.use_in(entity, role, events)
        if events:
            self.recorder.journal.write(*events)

    def use_in(self, entity: str, role: str | None, events: list[Event]) -> None:
        """Record a usage of an entity, once for each role; the event is added to others."""
        if entity in self._made or (entity, role) in self._uses:
            return
        self._uses.add((entity, role))
        used: Event = {"event": "used", "activity": self.number, "entity": entity, "time": self.recorder.now()}
        events.append(used | ({"role": role} if role else {}))

    def makes(self, value: object, role: str | None = None) -> str:
        """Record that this activity generated a value; a value that has an entity already gets a new one."""
        known = self.recorder.values.known(value)
        if known in self._made:
            return known or ""
        events: list[Event] = []
        if known is None:
            entity = self.entity_in(value, events)
        else:
            self.use_in(known, None, events)
            entity = self.recorder.values.renew(value)
            events.append(described(self, entity, value) | {"before": known})
            self.entity_in(value, events)
        self.make_in(entity, role, events)
        self.recorder.journal.write(*events)
        return entity

    def produced(self, entity: str, role: str | None = None) -> None:
        """Record that this activity generated an entity."""
        events: list[Event] = []
        self.make_in(entity, role, events)
        self.recorder.journal.write(*events)

    def make_in(self, entity: str, role: str | None, events: list[Event]) -> None:
        """Record a generation of an entity; the event is added to others."""
        self._made.add(entity)
        made: Event = {"event": "made", "activity": self.number, "entity": entity, "time": self.recorder.now()}
        events.append(made | ({"role": role} if role else {}))

    def read(self, path: str, role: str | None = None) -> FileVersion | None:
        """Record that a file is read, with its current content; None where there is none, or this activity wrote it."""
        written = self.pending.get(path)
        if written is not None:
            # What is in the file may change again: whether it was used shows when the activity ends.
            self.pending[path] = written._replace(reread=self.recorder.files.reread(path, self.recorder.now()))
            return None
        seen = self.recorder.files.content(path)
        if seen is not None:
            self.record_read(seen, role)
        return seen

    def record_read(self, seen: FileVersion, role: str | None = None, *, at: float | None = None) -> None:
        """Record that a file was read.

        Args:
            seen: its content.
            role: the role of the usage.
            at: the time, in seconds since the epoch; by default now.
        """
        use = ((seen.path, seen.sha256), role)
        if use not in self._uses:
            self._uses.add(use)
            self._file("read", seen, at, {"role": role} if role else {})

    def write(self, path: str, *, truncates: bool, reads: bool) -> None:
        """Record that a file is opened for writing."""
        if path in self.pending:
            return
        self.recorder.seen.add(path)
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
        """Record that a file was opened for writing; this activity generated its content at the end of the activity."""
        if opened.certain:
            self.recorder.files.rewritten(path)
            self.recorder.note("writing", activity=self.number, path=path, time=self.recorder.now())
        self.pending[path] = opened

    def wrote(self, path: str, at: float | None = None) -> None:
        """Record that a file is being written or was just written, whatever its content was.

        Args:
            path: absolute.
            at: the time at which that began, in seconds since the epoch; by default now.
        """
        self.writes(path, Pending(None, None, True, self.recorder.now() if at is None else at))

    def move(self, source: str | None, target: str, *, links: bool = False) -> None:
        """Record that a file gets a new name: one that is being written, or a copy of an existing one.

        Args:
            source: its path; None where that is not known, or where it has no name.
            target: the new path.
            links: whether it keeps the old name too.
        """
        if source is None:
            self.wrote(target)
        elif signature(source) is not None:
            writer = self._writer(source)
            if writer is None:
                self.read(source)
            elif not links:
                del writer.pending[source]
            (writer or self).wrote(target)
        elif not links:
            self._move_folder(os.path.join(source, ""), os.path.join(target, ""))  # noqa: PTH118

    def _writer(self, path: str) -> Activity | None:
        """The activity that is writing a file: this one, or one around it."""
        writer: Activity | None = self
        while writer is not None and path not in writer.pending:
            writer = writer.outer
        return writer

    def _move_folder(self, source: str, target: str) -> None:
        """Follow the files of a folder that is renamed: the ones that are being written, and versions of others."""
        writer: Activity | None = self
        while writer is not None:
            for path in [path for path in writer.pending if path.startswith(source)]:
                del writer.pending[path]
                writer.wrote(target + path[len(source) :])
            writer = writer.outer
        self.recorder.note("moved", activity=self.number, source=source, target=target)

    def retract(self, path: str, since: float, *, pending: bool) -> None:
        """Take back that a file was opened: an opener opened another one.

        Args:
            path: absolute.
            since: the time of the event that was taken for its opening, in seconds since the epoch.
            pending: whether this activity was writing the file before.
        """
        if not pending:
            self.pending.pop(path, None)
        self._uses = {use for use in self._uses if not isinstance(use[0], tuple) or use[0][0] != path}
        self.recorder.note("retracted", activity=self.number, path=path, since=since)

    def model(self, thing: object, name: str | None) -> None:
        """Record that this activity trained a model: a value, or the path of a file that contains it at the end."""
        event: Event = {"event": "model", "activity": self.number, "name": name}
        if isinstance(thing, str | Path):
            self._models.append(event | {"path": absolute(thing)})
        else:
            self.recorder.journal.write(event | {"entity": self.makes(thing)})

    # End --------------------------------------------------------------------------------------------------------

    @contained
    def end(self, error: BaseException | str | None, status: str | None = None) -> None:
        """Record the end. The files that it wrote are read only now, and not at all where it failed.

        Args:
            error: why it failed; of an exception only the class is recorded, since its text may hold anything.
            status: another status than completed or failed.
        """
        self._finish([], error, status)

    @contained
    def complete(self, result: object, *, sole: bool = False) -> None:
        """Record the end of a function that returned a result.

        Args:
            result: the result.
            sole: whether nothing else refers to it.
        """
        events: list[Event] = []
        result_returned(self, result, None, events, sole=sole)
        if self._named is not None:
            contained(self._named.result)(result)
        self._finish(events, None, None)

    def _finish(self, events: list[Event], error: BaseException | str | None, status: str | None) -> None:
        if self.ended or self.recorder.closed:
            return
        if isinstance(error, SystemExit) and not error.code:
            error = None  # the program ends here without an error
        self._children()
        if self._named is not None:
            contained(self._named.conclude)(self)
        if error is None:
            for conclude in self.conclusions:
                contained(conclude)()
            self.settle()
        events += self._counted()
        if self.is_remote:
            if events:
                self.recorder.journal.write(*events)
            return
        self.ended = True
        if self.recorder.surroundings is not None:
            self.recorder.surroundings.drain()
        self.recorder.open.pop(self.number, None)
        ended: Event = {
            "event": "end", "activity": self.number, "time": self.recorder.now(),
            "status": status or (FAILED if error else COMPLETED),
        }  # fmt: skip
        if error is not None:
            ended["error"] = error if isinstance(error, str) else type(error).__name__
        self.recorder.journal.write(*events, ended)

    @contained
    def _children(self) -> None:
        """Record the files that processes opened which this activity started."""
        if self.reports is not None or (self.recorder.forks and not self.is_remote):
            from provrepo.capture.files.children import take

            events = take(self)
            if events:
                self.recorder.journal.write(*events)

    @contained
    def settle(self) -> None:
        """Record the contents of the files that were written so far."""
        self._children()
        pending, self.pending = self.pending, {}
        for path, opened in pending.items():
            self._settled(path, opened)
        models, self._models = self._models, []
        if models:
            self.recorder.journal.write(*models)

    @contained
    def _settled(self, path: str, opened: Pending) -> None:
        seen = self.recorder.files.content(path)
        if opened.certain and opened.untouched(signature(path)):
            self.retract(path, opened.since, pending=False)
        elif seen is not None and (opened.certain or self._changed(path, opened, seen.sha256)):
            again = opened.reread if opened.reread and opened.reread.of(seen, signature(path)) else None
            self._file("wrote", seen, None, {"since": opened.since} | ({"reread": again.time} if again else {}))

    @staticmethod
    def _changed(path: str, opened: Pending, digest: str) -> bool:
        if opened.before is None:
            return True
        return digest != opened.sha256 if opened.sha256 else signature(path) != opened.before

    def _file(self, event: str, seen: FileVersion, at: float | None, more: Event) -> None:
        now = self.recorder.now()
        parameter_text = {"event": event, "activity": self.number, "time": now if at is None else min(at, now)}
        self.recorder.journal.write({**parameter_text, **seen._asdict(), **more})
