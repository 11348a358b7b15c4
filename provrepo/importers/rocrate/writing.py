"""Writes a document as a crate: a Process Run Crate, or a Provenance Run Crate if it has a run with parts.

The crate has the document itself as PROV-JSON, which is read again as long as the metadata are those that it gives. So
the metadata need only say what other tools read.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections import defaultdict
from typing import Any

from provrepo.codecs.provjson import codec as provjson
from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.archives import packed
from provrepo.importers.names import segment
from provrepo.importers.rocrate.collecting import DOCUMENT
from provrepo.importers.rocrate.graph import FORMAT, METADATA, WFRUN
from provrepo.importers.runs import ACTIVE, COMPLETED, FAILED
from provrepo.model.document import Document
from provrepo.model.identifiers import Literal
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
    ENTITY,
    GENERATION,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Attribute,
    Statement,
)
from provrepo.vocab import (
    DCAT,
    DCTERMS,
    PROV,
    PROV_LABEL,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    RDFS_LABEL,
    SCHEMA,
    SPDX,
)

__all__ = ["members", "metadata", "write"]

_CRATE = "https://w3id.org/ro/crate/1.1"
_CONTEXT = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_PROFILES = {
    "process": ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    "workflow": ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    "provenance": ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"),
    "wroc": ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
}
_WORKFLOW = "workflow.json"
"""The file with what the document says about the plan of the main run: the profile wants a file."""

_UNKNOWN = "#software"
_PEOPLE = {f"{PROV}Person": "Person", f"{PROV}Organization": "Organization"}
_STATUS = {COMPLETED, FAILED, ACTIVE}
_IMAGES = {f"{WFRUN}{name}Image" for name in ("Container", "Docker", "SIF")}
_FILE_TYPES = {f"{SCHEMA}MediaObject", f"{DCAT}Distribution", f"{SPDX}File", "http://purl.org/wf4ever/wf4ever#File"}

_VERSION = {"additionalType": {"@id": f"{PROV}Entity"}}
"""Says that the identifier of a file is one version of it, even if it is a URL."""

Node = dict[str, Any]


def write(document: Document) -> bytes:
    """The crate of a document, as an archive that ``provrepo import`` and ``formats.read`` read."""
    return packed(FORMAT, members(document))


def members(document: Document) -> dict[str, bytes]:
    """The files of the crate of a document: path → content."""
    data = provjson.write(document, format="provjson")
    return {DOCUMENT: data, **metadata(data)}


def metadata(data: bytes) -> dict[str, bytes]:
    """The files of a crate beside its document, which follow from it.

    Args:
        data: the document, as PROV-JSON.
    """
    writing = _Writing(provjson.read(data, format="provjson", base=None))
    found = {METADATA: _json(writing.crate())}
    if writing.main:
        found[_WORKFLOW] = _json(writing.description())
    return found


class _Writing:
    """The nodes of one crate."""

    def __init__(self, document: Document) -> None:
        self._elements: dict[str, dict[str, list[Attribute]]] = {kind.name: {} for kind in (ENTITY, ACTIVITY, AGENT)}
        self._times: dict[str, list[str | None]] = {}
        self._relations: dict[str, dict[str, list[Statement]]] = defaultdict(lambda: defaultdict(list))
        for statement in document:
            kind = statement.kind
            if kind in (ENTITY, ACTIVITY, AGENT) and statement.id is not None:
                self._elements[kind.name].setdefault(statement.id, []).extend(statement.attributes)
                if kind is ACTIVITY:
                    known = self._times.setdefault(statement.id, [None, None])
                    self._times[statement.id] = [a or b for a, b in zip(known, map(_text, statement.args), strict=True)]
            elif statement.args and statement.args[0] is not None:
                self._relations[kind.name][statement.args[0]].append(statement)
        self._made: dict[str, list[Statement]] = defaultdict(list)
        for statements in self._relations[GENERATION.name].values():
            for statement in statements:
                if statement.args[1] is not None:
                    self._made[statement.args[1]].append(statement)
        self._parts = self._contained()
        self.main = next((run for run in sorted(self._parts) if run not in self._within), "")
        self._nodes: dict[str, Node] = {}
        self._files: set[str] = set()

    # --- runs --------------------------------------------------------------------------------------------------------

    def _contained(self) -> dict[str, list[str]]:
        """Run → its parts. What an engine did is left out: the run that came of it is the outermost."""
        self._within: dict[str, str] = {}
        for run, attributes in sorted(self._elements[ACTIVITY.name].items()):
            starters = [statement.args[2] for statement in self._relations[START.name][run]]
            wholes = [str(value) for name, value in attributes if name == f"{DCTERMS}isPartOf"]
            for whole in [*filter(None, starters), *wholes]:
                if whole in self._elements[ACTIVITY.name] and whole != run and not self._leads(whole, run):
                    self._within.setdefault(run, str(whole))
        found: dict[str, list[str]] = defaultdict(list)
        for run, whole in sorted(self._within.items()):
            found[whole].append(run)
        return found

    def _leads(self, run: str, whole: str) -> bool:
        while run in self._within:
            run = self._within[run]
            if run == whole:
                return True
        return False

    def crate(self) -> Node:
        """The metadata."""
        for run in sorted(self._elements[ACTIVITY.name]):
            self._run(run)
        for entity in sorted(self._elements[ENTITY.name]):
            if not _is_content(entity) and self._named(entity) not in self._nodes:
                self._entity(entity)
        for agent in sorted(self._elements[AGENT.name]):
            if self._named(agent) not in self._nodes:
                self._agent(agent)
        profiles = ["process", "workflow", "provenance", "wroc"] if self.main else ["process"]
        for profile in profiles:
            iri, name, version = _PROFILES[profile]
            self._nodes[iri] = {"@id": iri, "@type": "CreativeWork", "name": name, "version": version}
        self._nodes[DOCUMENT] = {
            "@id": DOCUMENT,
            "@type": "File",
            "name": "Provenance",
            "description": "The W3C PROV document that this crate was made from, as PROV-JSON.",
            "encodingFormat": "application/json",
            "conformsTo": _ref("http://www.w3.org/Submission/2013/SUBM-prov-json-20130424/"),
        }
        self._files.add(DOCUMENT)
        actions = [self._named(run) for run in sorted(self._elements[ACTIVITY.name])]
        root: Node = {
            "@id": "./",
            "@type": "Dataset",
            "name": "Provenance of runs",
            "description": f"{len(actions)} runs, described by a W3C PROV document. Their files are not in it.",
            "datePublished": self._published(),
            "license": _ref("#no-license"),
            "conformsTo": [_ref(_PROFILES[profile][0]) for profile in profiles],
            "hasPart": [_ref(name) for name in sorted(self._files)],
            "mentions": [_ref(name) for name in actions],
        }
        if self.main:
            root["mainEntity"] = _ref(_WORKFLOW)
        descriptor = {"@id": METADATA, "@type": "CreativeWork", "about": _ref("./"), "conformsTo": _ref(_CRATE)}
        license_ = {
            "@id": "#no-license",
            "@type": "CreativeWork",
            "name": "No license was stated",
            "description": "The document states no license: ask whoever made the crate.",
        }
        nodes = [node for _, node in sorted(self._nodes.items())]
        return {"@context": _CONTEXT, "@graph": [descriptor, root, license_, *map(_without_empty, nodes)]}

    def description(self) -> Node:
        """What the document says about the plan of the main run."""
        plan = next(iter(self._plans(self.main)), None)
        attributes = self._elements[ENTITY.name].get(plan or "", [])
        stated = sorted([str(name), _text(value) or ""] for name, value in attributes)
        return {"plan": plan, "run": self.main, "attributes": stated}

    def _run(self, run: str) -> None:
        attributes = self._elements[ACTIVITY.name][run]
        start, end = self._times[run]
        node: Node = {
            "@id": self._named(run),
            "@type": "CreateAction",
            "name": _label(attributes) or run,
            "description": _first(attributes, f"{SCHEMA}description"),
            "startTime": start,
            "endTime": end,
            "error": _first(attributes, f"{SCHEMA}error"),
            "instrument": [],
            "agent": [],
            "object": [],
            "result": [],
            "containerImage": [],
        }
        status = _first(attributes, f"{SCHEMA}actionStatus")
        node["actionStatus"] = _ref(status) if status in _STATUS else None
        self._nodes[node["@id"]] = node
        instruments = self._instruments(run)
        node["instrument"] = [_ref(name) for name in sorted(instruments)]
        for statement in self._relations[ASSOCIATION.name][run]:
            agent = statement.args[1]
            if agent is not None and self._kind_of(agent) in _PEOPLE.values():
                _add(node["agent"], self._agent(agent))
        for statement in sorted(self._relations[USAGE.name][run], key=str):
            if statement.args[1] is not None:
                self._thing(node, "object", statement.args[1], statement.attributes, instruments)
        for statement in sorted(self._made[run], key=str):
            if statement.args[0] is not None:
                self._thing(node, "result", statement.args[0], statement.attributes, instruments)

    def _thing(self, run: Node, side: str, thing: str, attributes: Any, instruments: list[str]) -> None:
        roles = [text for name, value in attributes if name == PROV_ROLE and (text := _text(value))]
        types = {str(value) for name, value in self._elements[ENTITY.name].get(thing, []) if name == PROV_TYPE}
        if side == "object" and types & _IMAGES:
            _add(run["containerImage"], self._entity(thing))
            return
        name = self._entity(thing)
        _add(run[side], name)
        for role in sorted(set(roles)):
            self._parameter(name, "input" if side == "object" else "output", role, instruments)

    def _parameter(self, thing: str, side: str, role: str, instruments: list[str]) -> None:
        """A formal parameter of each instrument that is a plan, of which a thing is an example."""
        kind = "PropertyValue" if self._nodes[thing]["@type"] == "PropertyValue" else "File"
        for instrument in instruments:
            node = self._nodes[instrument]
            if instrument == _UNKNOWN or node["@type"] == "SoftwareApplication":
                continue
            name = f"#{segment(instrument)}/{side}/{segment(role)}"
            made = {"@id": name, "@type": "FormalParameter", "name": role, "additionalType": kind}
            self._nodes.setdefault(name, made)
            _add(node.setdefault(side, []), name)
            _add(self._nodes[thing].setdefault("exampleOfWork", []), name)

    def _plans(self, run: str) -> list[str]:
        return sorted({str(s.args[2]) for s in self._relations[ASSOCIATION.name][run] if s.args[2] is not None})

    def _instruments(self, run: str) -> list[str]:
        """The plans and the software of a run; software that is not known, if the document says nothing."""
        if run == self.main:
            return [self._workflow(_WORKFLOW, run)]
        plans = self._plans(run)
        if run in self._parts:
            return [self._workflow(plans[0] if plans else f"{run}#workflow", run)]
        found = [self._entity(plan, plan=True) for plan in plans]
        agents = [str(s.args[1]) for s in self._relations[ASSOCIATION.name][run] if s.args[1] is not None]
        for agent in sorted(set(agents)):
            if self._kind_of(agent) == "SoftwareApplication" and agent not in plans:
                found.append(self._agent(agent))
        if not found:
            unknown = {"@id": _UNKNOWN, "@type": "SoftwareApplication", "name": "Software that no statement names"}
            self._nodes.setdefault(_UNKNOWN, unknown)
            found = [_UNKNOWN]
        return found

    def _workflow(self, plan: str, run: str) -> str:
        """The plan of a run with parts, with the instruments of its parts."""
        name = plan if plan == _WORKFLOW else self._named(plan)
        known = self._nodes.get(name)
        if known is not None and "ComputationalWorkflow" in known["@type"]:
            return name
        own = self._plans(run)
        stated = self._elements[ENTITY.name].get(own[0], []) if own else []
        types = ["SoftwareSourceCode", "ComputationalWorkflow"]
        node: Node = {"@id": name, "@type": types, "name": _label(stated) or f"Plan of {run}"}
        self._nodes[name] = node
        if plan == _WORKFLOW:
            node["@type"] = ["File", *types]
            node["encodingFormat"] = "application/json"
            node["identifier"] = own[0] if own else None
            node["description"] = "What the document says about the plan of this run."
            self._files.add(_WORKFLOW)
        language = _first(stated, f"{SCHEMA}programmingLanguage") or "not stated"
        spoken = f"#language-{segment(language)}"
        node["programmingLanguage"] = _ref(spoken)
        self._nodes[spoken] = {"@id": spoken, "@type": "ComputerLanguage", "name": language}
        inner = {each for part in self._parts[run] for each in self._instruments(part)} - {name}
        node["hasPart"] = [_ref(each) for each in sorted(inner)]
        return name

    # --- things ------------------------------------------------------------------------------------------------------

    def _entity(self, entity: str, *, plan: bool = False) -> str:
        """The node of an entity: a value, a plan, a collection, a file, or another work."""
        name = self._named(entity)
        attributes = self._elements[ENTITY.name].get(entity, [])
        types = {str(value) for key, value in attributes if key == PROV_TYPE}
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = self._described(name, entity, attributes, types)
        if (
            (plan or f"{PROV}Plan" in types)
            and isinstance(node["@type"], str)
            and node["@type"] not in _PEOPLE.values()
        ):
            node["@type"] = ["File", "SoftwareSourceCode"] if node["@type"] == "File" else ["SoftwareSourceCode"]
            node["version"] = node.get("version") or _first(attributes, f"{SCHEMA}softwareVersion", f"{SCHEMA}version")
        return name

    def _described(self, name: str, entity: str, attributes: list[Attribute], types: set[str]) -> Node:
        node: Node = {
            "@id": name,
            "@type": "CreativeWork",
            "name": _label(attributes) or entity,
            "description": _first(attributes, f"{SCHEMA}description", f"{DCTERMS}description"),
        }
        value = next((found for key, found in attributes if key == PROV_VALUE), None)
        parts = [s.args[1] for s in self._relations[MEMBERSHIP.name][entity] if s.args[1] is not None]
        if types & _IMAGES:
            node["@type"] = "ContainerImage"
            for key in ("registry", "tag"):
                node[key] = _first(attributes, f"{WFRUN}{key}")
            return node
        if value is not None:
            return {**node, "@type": "PropertyValue", "value": _text(value)}
        if parts:
            self._nodes[name] = node  # a collection may contain itself, which is invalid and not endless
            found = sorted({self._entity(str(part)) for part in parts} - {name})
            return {**node, "@type": "Collection", "hasPart": [_ref(part) for part in found]}
        digests = self._digests(entity, attributes)
        if digests or types & _FILE_TYPES:
            self._files.add(name)
            size = _first(attributes, f"{DCAT}byteSize", f"{SCHEMA}contentSize")
            kind = _first(attributes, f"{SCHEMA}encodingFormat", f"{DCTERMS}format", f"{DCAT}mediaType")
            return {**node, "@type": "File", "contentSize": size, "encodingFormat": kind, **digests, **_VERSION}
        return node

    def _digests(self, entity: str, attributes: list[Attribute]) -> dict[str, str]:
        """The digests of a file, from its contents and its attributes."""
        found: dict[str, str] = {}
        for statement in self._relations[SPECIALIZATION.name][entity]:
            content = str(statement.args[1] or "")
            if content.startswith("ni:///sha-256;"):
                found["sha256"] = urlsafe_b64decode(content.removeprefix("ni:///sha-256;") + "==").hex()
            elif content.startswith(("urn:hash::sha1:", "urn:hash::md5:")):
                algorithm, _, digest = content.removeprefix("urn:hash::").partition(":")
                found[algorithm] = digest
        for key, value in attributes:
            if key == f"{SCHEMA}sha256" and (text := _text(value)):
                found.setdefault("sha256", text)
        return found

    def _agent(self, agent: str) -> str:
        name = self._named(agent)
        if name not in self._nodes:
            attributes = self._elements[AGENT.name].get(agent, [])
            version = _first(attributes, f"{SCHEMA}softwareVersion", f"{SCHEMA}version", f"{DCTERMS}hasVersion")
            kind = self._kind_of(agent)
            node = {"@id": name, "@type": kind, "name": _label(attributes) or agent}
            self._nodes[name] = {**node, "softwareVersion": version} if kind == "SoftwareApplication" else node
        return name

    def _kind_of(self, agent: str) -> str:
        """The type of an agent: what is no person and no organization is software."""
        types = [str(value) for key, value in self._elements[AGENT.name].get(agent, []) if key == PROV_TYPE]
        return next((_PEOPLE[kind] for kind in sorted(types) if kind in _PEOPLE), "SoftwareApplication")

    # --- names -------------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> str:
        return name if is_iri(name) else f"#{segment(name)}"

    def _published(self) -> str:
        """The last time of the document, so that the same document gives the same crate."""
        times = [time for pair in self._times.values() for time in pair if time]
        return max(times, default="1970-01-01")[:10]


def _is_content(entity: str) -> bool:
    return entity.startswith(("ni:///", "urn:hash::"))


def _text(value: object) -> str | None:
    if isinstance(value, Literal):
        return value.lexical
    return str(value) if isinstance(value, str) else None


def _label(attributes: list[Attribute]) -> str | None:
    return _first(attributes, RDFS_LABEL, PROV_LABEL, f"{DCTERMS}title", f"{SCHEMA}name")


def _first(attributes: list[Attribute], *names: str) -> str | None:
    """The smallest text of the first of these attributes that there is."""
    for name in names:
        texts = [text for key, value in attributes if key == name and (text := _text(value))]
        if texts:
            return min(texts)
    return None


def _ref(name: str | None) -> Node | None:
    return None if name is None else {"@id": name}


def _add(references: list[Any], name: str) -> None:
    if {"@id": name} not in references:
        references.append({"@id": name})


def _without_empty(node: Node) -> Node:
    return {key: value for key, value in node.items() if value not in (None, "", [])}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n"
