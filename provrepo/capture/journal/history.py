"""The history in a journal: which version of which file was read and written, and what was derived from what.

Each process records what it observes. Which observations concern the same entity is decided here, in the order of the
journal.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from provrepo.capture.journal.events import FAILED, Event

__all__ = ["Entity", "History", "Run", "Use"]

Number = int | str


@dataclass(slots=True)
class Run:
    """One activity.

    Attributes:
        start: its first event.
        end: its last event; None where it did not end.
        parameters: names and values as text.
        kinds: IRIs of its classes.
        seeds: of random numbers.
        unresolved: names of which it is not known which files they stood for.
        tables: of databases: names of tables that were read or, with True, written.
        queries: statements of SQL, and the database of each.
        unexplained: what was opened, changed or sent, without an explanation.
        unobserved: functions of libraries that could not tell what they opened, with the error, and processes that did
            not report; and how often.
        uses: its usages, in order; each entity once for each role.
        outputs: the entities that it generated, in order.
        engines: names and versions of the programs that controlled it, such as workflow engines.
        identifiers: what these programs call it.
        attempt: its number among the activities with the same identifiers, from 1; 0 for the only one.
        follows: identifiers of activities that had to be completed before it.
        informants: these activities, as far as it used nothing that they generated.
    """

    start: Event
    end: Event | None = None
    parameters: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    tables: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)
    unexplained: dict[str, None] = field(default_factory=dict)
    unobserved: dict[str, int] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    outputs: list[Entity] = field(default_factory=list)
    engines: list[tuple[str, str]] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    attempt: int = 0
    follows: list[str] = field(default_factory=list)
    informants: list[Run] = field(default_factory=list)

    @property
    def number(self) -> Number:
        """Its number in the journal."""
        number: Number = self.start["activity"]
        return number

    @property
    def failed(self) -> bool:
        """Whether it failed; a failed activity generates nothing."""
        return self.end is not None and self.end["status"] == FAILED

    def over(self, time: float) -> bool:
        """Whether it ended before a time, in seconds since the epoch."""
        return self.end is not None and self.end["time"] < time


@dataclass(slots=True)
class Entity:
    """One entity.

    Attributes:
        name: unique in the session.
        event: the event that describes it: ``read`` of a file, ``value``, ``fact``, ``part``, ``dataset`` that is no
            file here, or ``resource``: a URL.
        seen: when it was first observed, in seconds since the epoch.
        kinds: further types, as events with a ``type``.
        stats: the description of a table; None without one.
        maker: the activity that generated it.
        generated: when that was, in seconds since the epoch.
        role: the role of the generation.
        whole: for a part, the entity that it is part of.
    """

    name: str
    event: Event
    seen: float
    kinds: list[Event] = field(default_factory=list)
    stats: Event | None = None
    maker: Run | None = None
    generated: float = 0.0
    role: str | None = None
    whole: Entity | None = None

    @property
    def file(self) -> bool:
        """Whether it is a file with its content."""
        return bool(self.event["event"] == "read")

    @property
    def scalar(self) -> bool:
        """Whether it is a number, text or the like."""
        return bool(self.event.get("scalar"))


class Use(NamedTuple):
    """One usage."""

    run: Run
    thing: Entity
    time: float
    role: str | None


class History:
    """The activities and entities of a journal.

    Events that refer to something that is missing in the journal, because the disk was full or a process was killed,
    are ignored.

    Attributes:
        about: the event that begins the session.
        close: the event that ends it; None where it was killed.
        runs: the activities by number.
        plans: their plans, by name.
        derived: derivations: generated entity, used entity, and the activity where it is known.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.about: Event = {}
        self.close: Event | None = None
        self.runs: dict[Number, Run] = {}
        self.plans: dict[str, Event] = {}
        self.derived: dict[tuple[str, str, Number | None], None] = {}
        self._same_plan: dict[str, str] = {}
        self._things: dict[str, Entity] = {}
        self._current: dict[str, Entity] = {}
        self._writers: dict[str, Run] = {}
        self._contents: dict[str, Event] = {}
        self._resources: dict[tuple[str, str], Entity] = {}
        self._reported: set[int] = set()
        self._files = itertools.count(1)
        self._uses: list[Use] = []
        self._rereads: list[Use] = []
        self._models: list[Event] = []
        everything = _valid(events)
        for event in everything:
            self._before(event)
        for event in everything:
            self._take(event)
        self._conclude()

    def things(self) -> list[Entity]:
        """Entities that were used or generated; the others were made by steps that failed."""
        met = {use.thing.name for run in self.runs.values() for use in run.uses}
        return [thing for thing in self._things.values() if thing.maker is not None or thing.name in met]

    # Events whose order does not matter ------------------------------------------------------------------------------

    def _before(self, event: Event) -> None:
        match event["event"]:
            case "session":
                self.about = event
            case "close":
                self.close = event
            case "start":
                kinds = [event["kind"]] if event.get("kind") else []
                parameters = [(name, value) for name, value in event.get("parameters", [])]
                self.runs[event["activity"]] = Run(event, None, parameters, kinds)
            case "end" if event["activity"] in self.runs:
                self.runs[event["activity"]].end = event
            case "plan":
                self._plan(event)
            case "reported":
                self._reported.add(event["process"])
            case "content":
                self._contents[event["id"]] = {"sha256": event["sha256"], "size": event["size"]}
            case "value" | "fact" | "dataset":
                self._things[event["entity"]] = Entity(event["entity"], event, event.get("time", 0.0))

    def _plan(self, event: Event) -> None:
        """Add a plan. Processes that follow the same plan name it differently."""
        described = {key: value for key, value in event.items() if key not in ("event", "plan")}
        for name, known in self.plans.items():
            if known == described:
                self._same_plan[event["plan"]] = name
                return
        self.plans[event["plan"]] = described

    def plan(self, run: Run) -> str | None:
        """The name of the plan of an activity."""
        name: str = run.start.get("plan") or ""
        name = self._same_plan.get(name, name)
        return name if name in self.plans else None

    # Events in order --------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        run = self._at_work(event.get("activity"), event.get("time"))
        thing = self._things.get(event.get("entity", ""))
        match event["event"]:
            case "parameter" if run:
                run.parameters.append((event["name"], event["value"]))
            case "engine" if run:
                run.engines.append((event["name"], event["version"]))
            case "identifier" if run:
                run.identifiers.append(event["value"])
            case "follows" if run:
                run.follows.append(event["identifier"])
            case "seed" if run:
                run.seeds.append(event["value"])
            case "unresolved" if run:
                run.unresolved.append(event["name"])
            case "unexplained" if run:
                run.unexplained[f"{event['how']} {event['path']}"] = None
            case "unobserved" if run:
                name = f"{event['where']}: {event['error']}"
                run.unobserved[name] = max(event["count"], run.unobserved.get(name, 0))
            case "started" if run and event["process"] not in self._reported:
                name = f"process {event['program']}"
                run.unobserved[name] = run.unobserved.get(name, 0) + 1
            case "resource" if run:
                self._resource(event, run)
            case "query" if run:
                run.queries[event["text"]] = event["database"]
            case "table" if run:
                self._table(event, run)
            case "kind":
                self._kind(event, run, thing)
            case "stats" if thing:
                thing.stats = event
            case "used" if run and thing:
                self._uses.append(Use(run, thing, event["time"], event.get("role")))
            case "made" if run and thing:
                self._generated(thing, run, event["time"], event.get("role"))
            case "read":
                version = self._read(event)
                if run:
                    self._uses.append(Use(run, version, event["time"], event.get("role")))
            case "writing":
                self._current.pop(event["path"], None)
                if run:
                    self._writers[event["path"]] = run
            case "wrote":
                version = self._wrote(event)
                if run:
                    self._generated(version, run, max(version.seen, event["since"]), None)
                    if "reread" in event and version.maker is run:
                        version.generated = min(version.generated, event["reread"])
                        self._rereads.append(Use(run, version, event["reread"], None))
            case "moved":
                self._moved(event["source"], event["target"])
            case "part":
                self._part(event)
            case "model":
                self._models.append(event)

    def _at_work(self, number: Number | None, time: float | None) -> Run | None:
        """The activity that an event belongs to: if it has ended, the activity around it."""
        run = self.runs.get(number) if number is not None else None
        while run is not None and time is not None and run.over(time):
            run = self.runs.get(run.start["outer"])
        return run

    def _part(self, event: Event) -> None:
        """Add a part: the activity that selected it used the whole and generated the part from it."""
        run = self._at_work(event["by"], event["time"])
        whole = self._things.get(event.get("of", ""))
        if "path" in event:
            whole = self._read(event)
        thing = Entity(event["entity"], event, event["time"], whole=whole)
        self._things[thing.name] = thing
        if run is not None:
            self._generated(thing, run, event["time"], None)
            if whole is not None:
                self._uses.append(Use(run, whole, event["time"], None))

    def _table(self, event: Event, run: Run) -> None:
        """Add a table that was read or written, to the database that was."""
        database = event["database"]
        run.tables.setdefault((database, event["wrote"]), []).append(event["table"])
        current = self._current.get(database)
        if "://" in database:  # on a server: each activity that writes makes a new version
            new = event["wrote"] and not run.failed and (current is None or current.maker is not run)
            if current is None or new:
                described = event | {"event": "resource", "url": database}
                current = self._current[database] = self._named("database", described)
            if new:
                self._generated(current, run, event["time"], None)
        if current is not None and not event["wrote"]:  # the connection may be older than the activity
            self._uses.append(Use(run, current, event["time"], None))

    def _resource(self, event: Event, run: Run) -> None:
        """Add what a URL had as its content: the same as long as its digest, or what its server says, is the same."""
        event = event | self._contents.get(event["id"], {})
        if event["method"] == "PUT":
            self._generated(self._named("resource", event), run, event["time"], None)
        elif event["method"] == "GET":
            same = next(
                (event[key] for key in ("sha256", "etag", "version", "modified") if event.get(key)), event["id"]
            )
            known = self._resources.get((event["url"], same))
            if known is None:
                known = self._resources[event["url"], same] = self._named("resource", event)
            self._uses.append(Use(run, known, event["time"], None))
        else:
            run.unexplained[f"{event['method']} {event['url']}"] = None

    def _named(self, kind: str, event: Event) -> Entity:
        thing = Entity(f"{kind}-{next(self._files)}", event, event["time"])
        self._things[thing.name] = thing
        return thing

    def _kind(self, event: Event, run: Run | None, thing: Entity | None) -> None:
        if "path" in event:
            thing = self._current.get(event["path"])
        if thing is not None:
            thing.kinds.append(event)
        elif run is not None and "entity" not in event and event["type"] not in run.kinds:
            run.kinds.append(event["type"])

    def _read(self, event: Event) -> Entity:
        current = self._current.get(event["path"])
        if current is not None and current.event["sha256"] == event["sha256"]:
            return current
        version = self._version(event)
        writer = self._writers.get(event["path"])
        if writer is not None and not writer.over(event["time"]):
            self._generated(version, writer, event["time"], None)  # its content so far; the activity may write more
        return version

    def _moved(self, source: str, target: str) -> None:
        """A folder was renamed: the versions of its files are now below another path."""
        for path in [path for path in self._current if path.startswith(source)]:
            self._current[target + path[len(source) :]] = self._current.pop(path)

    def _wrote(self, event: Event) -> Entity:
        """Add a written file: a new version even of the same bytes, unless it was read while it was being written."""
        self._writers.pop(event["path"], None)
        current = self._current.get(event["path"])
        if current is None or current.event["sha256"] != event["sha256"] or current.seen < event["since"]:
            return self._version(event)
        return current

    def _version(self, event: Event) -> Entity:
        thing = Entity(f"file-{next(self._files)}", event | {"event": "read"}, event["time"])
        self._things[thing.name] = self._current[event["path"]] = thing
        return thing

    @staticmethod
    def _generated(thing: Entity, run: Run, time: float, role: str | None) -> None:
        """Add a generation: the first activity that reports it counts, and a failed activity generates nothing."""
        if thing.maker is None and not run.failed:
            thing.maker, thing.generated, thing.role = run, time, role
            run.outputs.append(thing)

    # Conclusions from all events --------------------------------------------------------------------------------------

    def _conclude(self) -> None:
        for model in self._models:
            self._model(model)
        by_run: defaultdict[Number, list[Use]] = defaultdict(list)
        for use in self._uses:
            if use.thing.maker is not use.run:
                by_run[use.run.number].append(use)
        for number, uses in by_run.items():
            self.runs[number].uses = _distinct(uses)
        for thing in self._things.values():
            if thing.whole is not None:
                self.derived[thing.name, thing.whole.name, thing.maker.number if thing.maker else None] = None
        for run in self.runs.values():
            self._derive(run)
        self._relate_runs()
        for use in self._rereads:  # nothing is derived from them: what was made of them was made by the same activity
            use.run.uses.append(use)

    def _relate_runs(self) -> None:
        """Number the attempts at the same thing, and find the activities that others had to wait for."""
        called: defaultdict[str, list[Run]] = defaultdict(list)
        for run in self.runs.values():
            for identifier in run.identifiers:
                called[identifier].append(run)
        for same in called.values():
            for number, run in enumerate(sorted(same, key=lambda run: run.start["time"]), 1):
                run.attempt = number if len(same) > 1 else 0
        for run in self.runs.values():
            makers = {use.thing.maker.number for use in run.uses if use.thing.maker}
            for identifier in dict.fromkeys(run.follows):
                before = [one for one in called.get(identifier, []) if one is not run and not one.failed]
                if before and before[-1].number not in makers:
                    run.informants.append(before[-1])

    def _model(self, event: Event) -> None:
        """Add a model, which is derived from the entities that were used for training."""
        run = self.runs.get(event["activity"])
        outputs = run.outputs if run else []
        for thing in outputs:
            if thing.event.get("path" if "path" in event else "entity") != event.get("path", event.get("entity")):
                continue
            thing.kinds.append({"type": "http://www.w3.org/ns/mls#Model", "name": event.get("name")})
            for use in self._uses:
                if use.run is run and use.role and "train" in use.role.lower():
                    self._from(thing, use.thing, use.run)

    def _derive(self, run: Run) -> None:
        """Derive outputs from the declared inputs, or the only output from the only input."""
        for thing in run.outputs:
            before = self._things.get(thing.event.get("before", ""))
            if before is not None:
                self._from(thing, before, run)
        if run.end is None or run.failed:
            return
        derives = run.start.get("derives")
        sources = list(dict.fromkeys(use.thing.name for use in run.uses))
        outputs = run.outputs
        if derives is None:
            sources, outputs = self._large(sources), [self._things[n] for n in self._large([o.name for o in outputs])]
            one = len(sources) == len(outputs) == 1 and run.start["outer"] is not None
            sources = sources if one else []
        elif derives is not True:
            roles = derives or []
            sources = [use.thing.name for use in run.uses if use.role in roles]
        for thing in outputs:
            for source in sources:
                self._from(thing, self._things[source], run)

    def _large(self, names: list[str]) -> list[str]:
        """Entities other than numbers and text, where there are any: those are made and used beside data."""
        large = [name for name in names if not self._things[name].scalar]
        return large or names

    def _from(self, thing: Entity, source: Entity, run: Run) -> None:
        if thing is not source:
            self.derived[thing.name, source.name, run.number] = None


def _valid(events: Iterable[Event]) -> list[Event]:
    """The events without those of files that were not opened after all."""
    found: list[Event] = []
    for event in events:
        if event["event"] == "retracted":
            found = [one for one in found if not _retracts(event, one)]
        else:
            found.append(event)
    return found


def _retracts(event: Event, one: Event) -> bool:
    return (
        one["event"] in ("read", "writing")
        and (one["activity"], one["path"]) == (event["activity"], event["path"])
        and one.get("time", 0.0) >= event["since"]
    )


def _distinct(uses: list[Use]) -> list[Use]:
    """Each usage once for each role. One with a role replaces one without, and a part replaces its whole."""
    covered = {use.thing.name for use in uses if use.role} | {use.thing.whole.name for use in uses if use.thing.whole}
    found: dict[tuple[str, str | None], Use] = {}
    for use in uses:
        if use.role or use.thing.name not in covered:
            found.setdefault((use.thing.name, use.role), use)
    return list(found.values())
