"""From the journal of a session to its PROV document.

The journal of a killed session is enough: activities without an end have no end time, and an entity that no recorded
activity generated is declared a source.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from provrepo.capture.journal.attributes import content, file_attributes, instant, is_a, text, typed
from provrepo.capture.journal.events import COMPLETED, FAILED, UNFINISHED, Event
from provrepo.capture.journal.history import Entity, History, Run
from provrepo.capture.journal.measurements import measured
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    ENTITY,
    GENERATION,
    SPECIALIZATION,
    USAGE,
    Attribute,
    Kind,
    Statement,
    Term,
)
from provrepo.vocab import (
    DCAT,
    DCTERMS,
    DQV,
    MLS,
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_VALUE,
    PROVREPO,
    RDFS,
    SCHEMA,
    SPDX,
)

__all__ = ["build", "free_path", "save", "save_new"]

SHOWN = 72
"""Characters of a statement of SQL that are its label."""

_PREFIXES = {"dcterms": DCTERMS, "mls": MLS, "provrepo": PROVREPO, "rdfs": RDFS, "schema": SCHEMA, "spdx": SPDX}
_STATUS = {
    COMPLETED: "CompletedActionStatus",
    FAILED: "FailedActionStatus",
    UNFINISHED: "ActiveActionStatus",
}


def free_path(path: Path) -> Path:
    """A path without a file: this one, or the first free one of ``weights-2.trig``, ``weights-3.trig`` and so on."""
    stem, dot, suffixes = path.name[1:].partition(".")
    found, number = path, 1
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name[0]}{stem}-{number}{dot}{suffixes}")
    return found


def save_new(document: Document, path: Path) -> Path:
    """Write a document to a new file, without ever replacing one; returns its path, as ``free_path`` chooses it."""
    while True:
        free = free_path(path)
        try:
            save(document, free, replace=False)
        except FileExistsError:
            if not os.path.lexists(free):  # the name of its folder is that of a file
                raise
        else:
            return free  # otherwise another process was faster


def save(document: Document, path: Path, *, replace: bool = True) -> None:
    """Write a document in the format of the path's suffix, or TriG, atomically.

    Args:
        document: the document.
        path: of the file.
        replace: whether an existing file is replaced.

    Raises:
        FileExistsError: there is a file that is not to be replaced.
        OSError: it cannot be written.
    """
    from provrepo.capture.facts.environment import writing
    from provrepo.codecs import formats

    format_ = formats.by_suffix(path) or formats.by_name("trig")
    with writing():
        data = formats.write(document, format_.name)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace or not _linked(partial, path):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _linked(partial: Path, path: Path) -> bool:
    """Give a file a second name, which must be new; False where the file system has no links."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def build(events: Iterable[Event]) -> Document | None:
    """Build the document of a session; None where it did nothing.

    Args:
        events: the events of its journal, in order; they may end early.
    """
    history = History(events)
    used_or_generated = any(run.uses or run.outputs for run in history.runs.values())
    if not history.about or not (len(history.runs) > 1 or used_or_generated):
        return None
    return _Description(history).document()


class _Description:
    def __init__(self, history: History) -> None:
        self._history = history
        self._about = history.about
        self._namespace = f"urn:uuid:{self._about['id']}#"
        self._statements: list[Statement] = []
        self._queries: dict[str, Identifier] = {}
        self._engines: dict[tuple[str, str], Identifier] = {}

    def document(self) -> Document:
        self._agents()
        runs = self._history.runs.values()
        followed = {self._history.plan(run) for run in runs}
        for name, plan in self._history.plans.items():
            if name in followed:
                self._plan(name, plan)
        for run in runs:
            self._activity(run)
        entities = self._history.things()
        for entity in entities:
            self._entity(entity)
        for use in (use for run in runs for use in run.uses):
            self._relation(USAGE, use.run.number, use.thing.name, use.time, use.role, _tables(use.run, use.thing))
        for entity in entities:
            if entity.maker is not None:
                tables = _tables(entity.maker, entity, wrote=True)
                self._relation(GENERATION, entity.name, entity.maker.number, entity.generated, entity.role, tables)
        described = {entity.name for entity in entities}
        for generated, used, number in self._history.derived:
            if generated in described and used in described:
                activity = None if number is None else self._id(number)
                args = (self._id(generated), self._id(used), activity, None, None)
                self._statements.append(Statement(DERIVATION, None, args))
        more = {"dqv": DQV} if any(entity.stats for entity in entities) else {}
        if any(entity.event["event"] == "dataset" or _named_dataset(entity) for entity in entities):
            more["dcat"] = DCAT
        return Document(self._statements, prefixes={**_PREFIXES, **more, "run": self._namespace})

    def _id(self, name: str | int) -> Identifier:
        if isinstance(name, int):
            name = f"step-{name}" if name else "session"
        return Identifier(self._namespace + name)

    def _relation(
        self, kind: Kind, first: str | int, second: str | int, time: float, role: str | None, tables: list[str]
    ) -> None:
        attributes = [text(PROV_ROLE, role)] if role else []
        attributes += [text(PROVREPO + "table", table) for table in tables]
        args: tuple[Term, ...] = (self._id(first), self._id(second), instant(time))
        self._statements.append(Statement(kind, None, args, tuple(attributes)))

    def _agents(self) -> None:
        about = self._about["surroundings"]
        python = about.get("python", "unknown")
        named = self._about.get("agent")  # need not be the user of this account
        person = Identifier(named) if named else self._id("person")
        description = [is_a(PROV + "Person")] + ([] if named else [text(PROV_LABEL, self._about["person"])])
        software = [
            is_a(PROV + "SoftwareAgent"),
            text(PROV_LABEL, f"{about.get('implementation', 'Python')} {python}"),
            text(SCHEMA + "softwareVersion", python),
        ]
        self._statements += [
            Statement(AGENT, person, (), tuple(description)),
            Statement(AGENT, self._id("python"), (), tuple(software)),
            Statement(DELEGATION, None, (self._id("python"), person, None)),
        ]
        engines = dict.fromkeys(engine for run in self._history.runs.values() for engine in run.engines)
        for engine in engines:
            name, version = engine
            description = [is_a(PROV + "SoftwareAgent"), text(PROV_LABEL, f"{name} {version}")]
            description.append(text(SCHEMA + "softwareVersion", version))
            agent = self._engines[engine] = self._id(f"engine-{len(self._engines) + 1}")
            self._statements += [
                Statement(AGENT, agent, (), tuple(description)),
                Statement(DELEGATION, None, (agent, person, None)),
            ]

    def _plan(self, name: str, plan: Event) -> None:
        attributes = [is_a(PROV + "Plan"), text(PROV_LABEL, plan["name"])]
        if plan.get("sha256"):
            attributes.append(text(SPDX + "checksumValue", plan["sha256"]))
        if plan.get("path"):
            attributes.append(text(PROV_LOCATION, plan["path"]))
        if plan.get("cell"):
            attributes.append(text(PROVREPO + "cell", plan["cell"]))
        if plan.get("commit"):
            attributes.append(text(PROVREPO + "commit", plan["commit"]))
        if "dirty" in plan:
            attributes.append(typed(PROVREPO + "dirty", str(plan["dirty"]).lower(), "boolean"))
        self._statements.append(Statement(ENTITY, self._id(name), (), tuple(attributes)))

    def _activity(self, run: Run) -> None:
        start, end = run.start, run.end
        attributes = [is_a(kind) for kind in run.kinds]
        attributes += [text(PROV_LABEL, start["name"])]
        status = _STATUS[end["status"] if end else UNFINISHED]
        attributes.append((Identifier(SCHEMA + "actionStatus"), Identifier(SCHEMA + status)))
        if start["outer"] in self._history.runs:
            attributes.append((Identifier(DCTERMS + "isPartOf"), self._id(start["outer"])))
        elif self._about.get("within"):
            attributes.append((Identifier(DCTERMS + "isPartOf"), Identifier(self._about["within"])))
        if start.get("why"):
            attributes.append(text(RDFS + "comment", start["why"]))
        if end and end.get("error"):
            attributes.append(text(SCHEMA + "error", end["error"]))
        attributes += [text(SCHEMA + "identifier", identifier) for identifier in run.identifiers]
        attributes += [typed(PROVREPO + "attempt", str(run.attempt), "integer")] if run.attempt else []
        attributes += [text(SCHEMA + "additionalProperty", f"{name}={value}") for name, value in run.parameters]
        attributes += [typed(PROVREPO + "seed", str(seed), "integer") for seed in run.seeds]
        attributes += [text(PROVREPO + "unresolved", name) for name in dict.fromkeys(run.unresolved)]
        attributes += [
            text(PROVREPO + "unobserved", name if count == 1 else f"{name} ({count} times)")
            for name, count in run.unobserved.items()
        ]
        attributes += [text(PROVREPO + "unexplained", what) for what in run.unexplained]
        attributes += self._where(run)
        if end is None or (run.number == 0 and self._history.close is None):
            attributes.append(typed(PROVREPO + "incomplete", "true", "boolean"))
        activity, plan = self._id(run.number), self._history.plan(run)
        times = (instant(start["time"]), instant(end["time"]) if end else None)
        self._statements.append(Statement(ACTIVITY, activity, times, tuple(attributes)))
        followed = self._id(plan) if plan else None
        self._statements.append(Statement(ASSOCIATION, None, (activity, self._id("python"), followed)))
        for engine in dict.fromkeys(run.engines):
            self._statements.append(Statement(ASSOCIATION, None, (activity, self._engines[engine], None)))
        for informant in run.informants:
            self._statements.append(Statement(COMMUNICATION, None, (activity, self._id(informant.number))))
        for query, database in run.queries.items():
            self._query(activity, query, database)

    def _query(self, activity: Identifier, query: str, database: str) -> None:
        """A statement of SQL as a further plan of an activity."""
        plan = self._queries.get(query)
        if plan is None:
            plan = self._queries[query] = self._id(f"query-{len(self._queries) + 1}")
            attributes = [
                is_a(PROV + "Plan"),
                text(PROV_LABEL, " ".join(query.split())[:SHOWN]),
                text(PROV_VALUE, query),
            ]
            attributes += [text(PROV_LOCATION, database)] if database else []
            self._statements.append(Statement(ENTITY, plan, (), tuple(attributes)))
        self._statements.append(Statement(ASSOCIATION, None, (activity, self._id("python"), plan)))

    def _where(self, run: Run) -> list[Attribute]:
        about = self._about["surroundings"]
        platform = ", ".join(about[key] for key in ("platform", "container") if about.get(key))
        attributes = [text(SCHEMA + "runtimePlatform", platform or "unknown")]
        if run.number == 0:
            packages = self._history.close["packages"] if self._history.close else []
            attributes += [text(SCHEMA + "softwareRequirements", package) for package in packages]
            if about.get("slurm"):
                attributes.append(text(SCHEMA + "identifier", f"slurm:{about['slurm']}"))
            attributes += [
                text(SCHEMA + "additionalProperty", f"{name}={value}") for name, value in about.get("facts", {}).items()
            ]
        return attributes

    def _entity(self, entity: Entity) -> None:
        attributes = self._described(entity)
        for kind in entity.kinds:
            attributes.append(is_a(kind["type"]))
            if kind.get("name"):
                attributes.append(text(SCHEMA + "name", kind["name"]))
            if kind.get("version") or (kind["type"] == MLS + "Dataset" and not entity.file):
                attributes.append(text(DCTERMS + "hasVersion", kind.get("version") or self._about["id"]))
        if entity.maker is None:
            attributes.append(is_a(PROVREPO + ("Unrecorded" if self._made_here(entity) else "Source")))
        self._statements.append(Statement(ENTITY, self._id(entity.name), (), tuple(dict.fromkeys(attributes))))
        if "sha256" in entity.event and not entity.event.get("coding"):
            general = content(entity.event["sha256"])
            self._statements.append(Statement(SPECIALIZATION, None, (self._id(entity.name), general)))
        if entity.stats is not None:
            self._measurements(entity, entity.stats)

    def _made_here(self, entity: Entity) -> bool:
        """Whether something unknown made an entity during the session: code that is no step, or another program."""
        session = self._history.runs.get(0)
        written = entity.event.get("modified") if entity.file else None
        if written is not None and session is not None:
            return bool(written > session.start["time"])
        return bool(entity.event["event"] == "value")

    def _measurements(self, entity: Entity, stats: Event) -> None:
        """The statistics of a table, each as a measurement that the activity made which took or returned the table."""
        run = self._history.runs.get(stats.get("activity", 0))
        if run is None or run.failed:
            run = self._history.runs[0]  # what an activity generated that failed does not count
        roles = [use.role for use in run.uses if use.thing is entity and use.role]
        place = entity.role or "result" if entity.maker is run else next(iter(roles), "table")
        for number, found in enumerate(measured(stats), 1):
            measurement = self._id(f"{entity.name}-measurement-{number}")
            label = text(PROV_LABEL, f"{place} {found.name}")
            computed = Identifier(DQV + "computedOn"), self._id(entity.name)
            attributes = (is_a(DQV + "QualityMeasurement"), label, computed, *found.attributes)
            self._statements += [
                Statement(ENTITY, measurement, (), attributes),
                Statement(GENERATION, None, (measurement, self._id(run.number), None)),
                Statement(DERIVATION, None, (measurement, self._id(entity.name), None, None, None)),
            ]

    def _described(self, entity: Entity) -> list[Attribute]:
        event = entity.event
        if event["event"] == "value":
            label = [text(PROV_LABEL, event["type"].removeprefix("builtins."))]
            return label + ([text(PROV_VALUE, event["value"])] if "value" in event else [])
        if event["event"] == "fact":
            return [
                is_a(event["type"]),
                text(PROV_LABEL, event["name"]),
                text(PROV_VALUE, event["value"]),
                text(MLS + "hasValue", event["value"]),
            ]
        if event["event"] == "part":
            return self._part(entity)
        if event["event"] == "resource":
            return _resource(event)
        if event["event"] == "dataset":
            return _dataset(event)
        return file_attributes(event["path"], event["sha256"], event["size"], event["modified"])

    def _part(self, entity: Entity) -> list[Attribute]:
        event, whole = entity.event, entity.whole
        attributes = [is_a(PROVREPO + "Part")]
        if whole is not None:
            attributes.append((Identifier(DCTERMS + "isPartOf"), self._id(whole.name)))
        which = [event[key] for key in ("rows", "region") if key in event]
        which += [", ".join(event["columns"])] if "columns" in event else []
        attributes.append(text(PROV_LABEL, event.get("name") or f"part {'; '.join(which)}".strip()))
        if "fragment" in event:
            attributes.append(text(PROV_LOCATION, f"{event['path']}#{event['fragment']}"))
        for key in ("rows", "region"):
            if key in event:
                attributes.append(text(PROVREPO + key, event[key]))
        attributes += [text(PROVREPO + "column", column) for column in event.get("columns", [])]
        return attributes


def _named_dataset(entity: Entity) -> bool:
    return any(kind["type"] == DCAT + "Dataset" for kind in entity.kinds)


def _dataset(event: Event) -> list[Attribute]:
    """What a tool calls a dataset and is no file of this machine: in memory, on a server, or a table."""
    attributes = [is_a(DCAT + "Dataset"), text(PROV_LABEL, event["name"]), text(SCHEMA + "name", event["name"])]
    attributes += [text(PROV_LOCATION, event["location"])] if event.get("location") else []
    attributes += [text(SCHEMA + "additionalType", event["type"])] if event.get("type") else []
    return attributes + ([text(DCTERMS + "hasVersion", event["version"])] if event.get("version") else [])


def _resource(event: Event) -> list[Attribute]:
    """What a URL, or a database on a server, had as its content."""
    url = event["url"]
    attributes = [text(PROV_LABEL, url.rstrip("/").rpartition("/")[2] or url), text(PROV_LOCATION, url)]
    if event.get("requested"):
        attributes.append(text(PROV_LOCATION, event["requested"]))
    names = (
        *(("etag", PROVREPO + "etag"), ("version", SCHEMA + "version"), ("modified", PROVREPO + "lastModified")),
        *(("media", SCHEMA + "encodingFormat"), ("coding", PROVREPO + "contentCoding")),
    )
    attributes += [text(name, event[key]) for key, name in names if event.get(key)]
    if "sha256" in event:
        attributes += [text(SPDX + "checksumValue", event["sha256"]), text(SCHEMA + "sha256", event["sha256"])]
        attributes.append(typed(SCHEMA + "contentSize", str(event["size"]), "integer"))
    return attributes


def _tables(run: Run, thing: Entity, *, wrote: bool = False) -> list[str]:
    """The tables of a database that an activity read or wrote."""
    return sorted(set(run.tables.get((thing.event.get("path") or thing.event.get("url", ""), wrote), ())))
