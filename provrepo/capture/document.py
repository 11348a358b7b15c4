"""From the journal of a session to its PROV document.

What a killed session noted is enough: activities without an end have none, and what no activity is known to have
generated is declared a source.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from provrepo.capture.journal import Event
from provrepo.capture.private import clean
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
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
    DCTERMS,
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    PROVREPO,
    RDFS,
    SCHEMA,
    SPDX,
    XSD,
)

__all__ = ["build", "content", "save"]

MLS = "http://www.w3.org/ns/mls#"
_PREFIXES = {"dcterms": DCTERMS, "mls": MLS, "provrepo": PROVREPO, "rdfs": RDFS, "schema": SCHEMA, "spdx": SPDX}
_STATUS = {
    "completed": "CompletedActionStatus",
    "failed": "FailedActionStatus",
    "unfinished": "ActiveActionStatus",
    None: "ActiveActionStatus",
}


def content(sha256: str) -> Identifier:
    """The name of some bytes (RFC 6920), the same for whoever holds them."""
    return Identifier("ni:///sha-256;" + urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("="))


def save(document: Document, path: Path) -> None:
    """Write a document in the format that the path's ending stands for, or TriG; whole or not at all."""
    from provrepo.codecs import formats

    format_ = formats.by_suffix(path) or formats.by_name("trig")
    data = formats.write(document, format_.name)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def build(events: Iterable[Event]) -> Document | None:
    """The document of a session; None where it did nothing.

    Args:
        events: of its journal, in order, as far as they go.
    """
    session = _Session(list(events))
    return session.document() if session.active() else None


class _Session:
    def __init__(self, events: list[Event]) -> None:
        self._of: dict[str, list[Event]] = {}
        for event in events:
            self._of.setdefault(event["event"], []).append(event)
        self._about = next(iter(self._of.get("session", [])), {})
        self._namespace = f"urn:uuid:{self._about.get('id', '')}#"
        self._ends = {event["activity"]: event for event in self._events("end")}
        self._parameters = self._by("parameter", "activity")
        self._seeds = self._by("seed", "activity")
        self._kinds = self._by("kind", "of")
        self._statements: list[Statement] = []

    def active(self) -> bool:
        """Whether there is more than the session's own start and end."""
        return bool(self._about) and (len(self._events("start")) > 1 or bool(self._events("used", "generated")))

    def _events(self, *names: str) -> list[Event]:
        return [event for name in names for event in self._of.get(name, [])]

    def _by(self, name: str, key: str) -> defaultdict[str | int, list[Event]]:
        """The events of a name by what they are about."""
        found = defaultdict(list)
        for event in self._events(name):
            found[event[key]].append(event)
        return found

    def _id(self, name: str | int) -> Identifier:
        if isinstance(name, int):
            name = f"step-{name}" if name else "session"
        return Identifier(self._namespace + name)

    def document(self) -> Document:
        self._agents()
        followed = {event["plan"] for event in self._events("start")}
        for event in self._events("plan"):
            if event["plan"] in followed:
                self._plan(event)
        for event in self._events("start"):
            self._activity(event)
        self._entities()
        for event in self._events("used"):
            self._add(USAGE, event, event["activity"], event["entity"])
        for event in self._events("generated"):
            self._add(GENERATION, event, event["entity"], event["activity"])
        for pair in dict.fromkeys((e["entity"], e["source"], e["activity"]) for e in self._events("derived")):
            entity, source, activity = map(self._id, pair)
            self._statements.append(Statement(DERIVATION, None, (entity, source, activity, None, None)))
        return Document(self._statements, prefixes={**_PREFIXES, "run": self._namespace})

    def _add(self, kind: Kind, event: Event, *ends: str | int) -> None:
        attributes = [_text(PROV_ROLE, event["role"])] if event.get("role") else []
        args: tuple[Term, ...] = (*map(self._id, ends), event["time"])
        self._statements.append(Statement(kind, None, args, tuple(attributes)))

    def _agents(self) -> None:
        about = self._about["surroundings"]
        python = about.get("python", "unknown")
        self._person = Identifier(self._about["agent"]) if self._about.get("agent") else self._id("person")
        person = [_type(PROV + "Person"), _text(PROV_LABEL, self._about["person"])]
        software = [
            _type(PROV + "SoftwareAgent"),
            _text(PROV_LABEL, f"{about.get('implementation', 'Python')} {python}"),
            _text(SCHEMA + "softwareVersion", python),
        ]
        self._statements += [
            Statement(AGENT, self._person, (), tuple(person)),
            Statement(AGENT, self._id("python"), (), tuple(software)),
            Statement(DELEGATION, None, (self._id("python"), self._person, None)),
        ]

    def _plan(self, event: Event) -> None:
        attributes = [_type(PROV + "Plan"), _text(PROV_LABEL, event["name"])]
        if event.get("sha256"):
            attributes.append(_text(SPDX + "checksumValue", event["sha256"]))
        if event.get("commit"):
            attributes.append(_text(PROVREPO + "commit", event["commit"]))
        if "dirty" in event:
            attributes.append(_typed(PROVREPO + "dirty", str(event["dirty"]).lower(), "boolean"))
        self._statements.append(Statement(ENTITY, self._id(event["plan"]), (), tuple(attributes)))

    def _activity(self, event: Event) -> None:
        number = event["activity"]
        end = self._ends.get(number, {})
        attributes = [_type(kind["type"]) for kind in self._kinds[number]]
        attributes += [_text(PROV_LABEL, event["name"])]
        attributes.append(
            (Identifier(SCHEMA + "actionStatus"), Identifier(SCHEMA + _STATUS[end.get("status")])),
        )
        if event["outer"] is not None:
            attributes.append((Identifier(DCTERMS + "isPartOf"), self._id(event["outer"])))
        elif self._about.get("within"):
            attributes.append((Identifier(DCTERMS + "isPartOf"), Identifier(self._about["within"])))
        if event.get("why"):
            attributes.append(_text(RDFS + "comment", event["why"]))
        if end.get("error"):
            attributes.append(_text(SCHEMA + "error", end["error"]))
        for parameter in self._parameters[number]:
            attributes.append(_text(SCHEMA + "additionalProperty", f"{parameter['name']}={parameter['value']}"))
        attributes += [_typed(PROVREPO + "seed", str(seed["value"]), "integer") for seed in self._seeds[number]]
        attributes += self._where(number)
        activity = self._id(number)
        self._statements.append(Statement(ACTIVITY, activity, (event["time"], end.get("time")), tuple(attributes)))
        plan = self._id(event["plan"]) if event.get("plan") else None
        self._statements.append(Statement(ASSOCIATION, None, (activity, self._id("python"), plan)))

    def _where(self, number: int) -> list[Attribute]:
        about, attributes = self._about["surroundings"], []
        platform = ", ".join(about[key] for key in ("platform", "container") if about.get(key))
        attributes.append(_text(SCHEMA + "runtimePlatform", platform or "unknown"))
        if number == 0:
            attributes += [
                _text(SCHEMA + "softwareRequirements", package)
                for close in self._events("close")
                for package in close["packages"]
            ]
            if about.get("slurm"):
                attributes.append(_text(SCHEMA + "identifier", f"slurm:{about['slurm']}"))
            attributes += [
                _text(SCHEMA + "additionalProperty", f"{name}={value}") for name, value in about.get("facts", {}).items()
            ]
            if not self._events("close"):
                attributes.append(_typed(PROVREPO + "incomplete", "true", "boolean"))
        return attributes

    def _entities(self) -> None:
        """Entities that something was done with; the others were made by steps that failed."""
        generated = {event["entity"] for event in self._events("generated")}
        met = generated | {event["entity"] for event in self._events("used")}
        for event in self._events("file", "value", "fact"):
            entity = event["entity"]
            if entity not in met:
                continue
            attributes = self._described(event)
            for kind in self._kinds[entity]:
                attributes.append(_type(kind["type"]))
                if kind.get("name"):
                    attributes.append(_text(SCHEMA + "name", kind["name"]))
                if kind["type"] == MLS + "Dataset" and (kind.get("version") or event["event"] != "file"):
                    attributes.append(_text(DCTERMS + "hasVersion", kind.get("version") or self._about["id"]))
            if entity not in generated:
                attributes.append(_type(PROVREPO + "Source"))
            self._statements.append(Statement(ENTITY, self._id(entity), (), tuple(dict.fromkeys(attributes))))
            if event["event"] == "file":
                general = content(event["sha256"])
                self._statements.append(Statement(SPECIALIZATION, None, (self._id(entity), general)))

    @staticmethod
    def _described(event: Event) -> list[Attribute]:
        if event["event"] == "value":
            return [_text(PROV_LABEL, event["type"].removeprefix("builtins."))]
        if event["event"] == "fact":
            return [
                _type(event["type"]),
                _text(PROV_LABEL, event["name"]),
                _text(PROV_VALUE, event["value"]),
                _text(MLS + "hasValue", event["value"]),
            ]
        return [
            _type(SCHEMA + "MediaObject"),
            _text(PROV_LABEL, Path(event["path"]).name),
            _text(PROV_LOCATION, event["path"]),
            _text(SPDX + "checksumValue", event["sha256"]),
            _text(SCHEMA + "sha256", event["sha256"]),
            _typed(SCHEMA + "contentSize", str(event["size"]), "integer"),
            _text(SCHEMA + "encodingFormat", event["media"]),
            _typed(SCHEMA + "dateModified", event["modified"], "dateTime"),
        ]


def _type(iri: str) -> Attribute:
    return Identifier(PROV_TYPE), Identifier(iri)


def _text(name: str, value: str) -> Attribute:
    return Identifier(name), Literal(clean(value))


def _typed(name: str, value: str, datatype: str) -> Attribute:
    return Identifier(name), Literal(value, XSD + datatype)
