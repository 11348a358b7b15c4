"""PROV as a property graph: things as nodes, relations as edges, both with properties, as in graph databases.

An edge leads from the first argument of a relation to another one. Times, roles and other arguments are its properties.
A thing that several statements, bundles or documents describe is one node.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, Kind, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_LOCATION, PROV_ROLE, PROV_TYPE, PROV_VALUE, RDFS_LABEL

__all__ = ["KINDS", "GraphParts", "Origin", "PropertyEdge", "PropertyNode", "joined", "of_document"]

KINDS = ("entity", "activity", "agent")
"""The kinds of nodes, in their order."""

_ELEMENTS: dict[Kind, str] = {ENTITY: "entity", ACTIVITY: "activity", AGENT: "agent"}
_ARGUMENTS: dict[str, str] = {
    **dict.fromkeys(("activity", "informed", "informant", "starter", "ender"), "activity"),
    **dict.fromkeys(("agent", "delegate", "responsible"), "agent"),
    # Anything may influence anything (PROV-DM 5.3.5).
    **dict.fromkeys(("influencee", "influencer"), ""),
}
"""Argument → the kind of the thing that it names, if it is not an entity."""

_FURTHER = ("plan", "starter", "ender")
"""Arguments beyond the second that are an edge of their own, as in lineage."""

_SUBTYPES = {
    f"{PROV}Revision": "wasRevisionOf",
    f"{PROV}Quotation": "wasQuotedFrom",
    f"{PROV}PrimarySource": "hadPrimarySource",
}
_LABELS = (PROV_LABEL, RDFS_LABEL)
_PROPERTIES = {PROV_VALUE: "value", PROV_LOCATION: "location"}


class Origin(NamedTuple):
    """The version that asserts an edge.

    Attributes:
        project: the project.
        document: the name of the document.
        version: the number of the version.
        sequence: the number of its entry in the project.
    """

    project: str
    document: str
    version: int
    sequence: int = 0


@dataclass(slots=True)
class PropertyNode:
    """A thing.

    Attributes:
        iri: its identifier.
        kinds: of ``KINDS`` those that are asserted or follow from a relation.
        label: the first of its labels, or empty.
        types: the IRIs or texts of its types.
        start: the start of an activity, as written, or empty.
        end: its end.
        value: its ``prov:value``.
        location: its ``prov:location``.
        attributes: what the properties do not have: name of an attribute → values as JSON, a text or an object with
            ``iri``, or with ``value`` and ``datatype`` or ``language``.
    """

    iri: str
    kinds: set[str] = field(default_factory=set)
    label: str = ""
    types: dict[str, None] = field(default_factory=dict)
    start: str = ""
    end: str = ""
    value: str = ""
    location: str = ""
    attributes: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The one kind of a database in which a node has one label; an agent that is an entity too is an agent."""
        return next((kind for kind in ("activity", "agent", "entity") if kind in self.kinds), "thing")

    def to_row(self) -> str:
        """The node as JSON, from which ``from_row`` makes it again."""
        values = (sorted(self.kinds), self.label, list(self.types), self.start, self.end, self.value, self.location)
        return json.dumps([self.iri, *values, self.attributes], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_row(cls, row: str) -> PropertyNode:
        """The node of a row."""
        iri, kinds, label, types, start, end, value, location, attributes = json.loads(row)
        return cls(iri, set(kinds), label, dict.fromkeys(types), start, end, value, location, attributes)

    def json(self) -> str:
        """The further attributes as JSON; empty if there are none."""
        return _json(self.attributes)


class PropertyEdge(NamedTuple):
    """A relation.

    Attributes:
        source: the first argument.
        relation: its keyword in PROV-N, followed by the name of the argument if that is not the second one.
        target: the other argument; empty where it is not given.
        id: the identifier of the relation, or empty.
        activity: the activity of the relation, or empty.
        time: its time, as written, or empty.
        roles: its roles, separated by blanks.
        subtype: a narrower derivation: ``wasRevisionOf`` and the like.
        bundle: the bundle that asserts it; empty for the top level.
        attributes: further arguments and attributes as JSON, as of a node.
        origin: the version that asserts it, if it is one of a repository.
    """

    source: str
    relation: str
    target: str
    id: str = ""
    activity: str = ""
    time: str = ""
    roles: str = ""
    subtype: str = ""
    bundle: str = ""
    attributes: str = ""
    origin: Origin | None = None


@dataclass(slots=True)
class GraphParts:
    """The nodes and edges of a document.

    Attributes:
        nodes: by identifier, in the order in which they occur.
        edges: the relations in their order; one without its second argument has an empty ``target``.
    """

    nodes: dict[str, PropertyNode] = field(default_factory=dict)
    edges: list[PropertyEdge] = field(default_factory=list)


def of_document(
    document: Document, *, name: Callable[[Identifier], str] = str, origin: Origin | None = None
) -> GraphParts:
    """The property graph of a document.

    Args:
        document: the document.
        name: gives the name of an identifier, which may be that of a blank node.
        origin: the version that the document is.
    """
    found = GraphParts()
    for instance in document.instances():
        _instance(found, instance, name, origin)
    return found


def _instance(found: GraphParts, instance: Bundle, name: Callable[[Identifier], str], origin: Origin | None) -> None:
    bundle = "" if instance.id is None else name(instance.id)

    def node(identifier: str, kind: str = "") -> PropertyNode:
        iri = name(Identifier(identifier))
        known = found.nodes.get(iri)
        if known is None:
            known = found.nodes[iri] = PropertyNode(iri)
        if kind:
            known.kinds.add(kind)
        return known

    for statement in instance:
        if statement.kind.element:
            if statement.id is not None:
                _describe(node(statement.id, _ELEMENTS[statement.kind]), statement, name)
            continue
        source = statement.args[0]
        if source is None:
            continue
        arguments = statement.kind.arguments
        node(source, _ARGUMENTS.get(arguments[0].name, "entity"))
        target = statement.args[1] if len(statement.args) > 1 else None
        if target is not None:
            node(target, _ARGUMENTS.get(arguments[1].name, "entity"))
        edge = _edge(statement, name, bundle, origin)
        further = [
            (argument.name, value)
            for argument, value in zip(arguments[2:], statement.args[2:], strict=False)
            if argument.name in _FURTHER and isinstance(value, Identifier)
        ]
        if target is not None or not further:
            found.edges.append(edge)
        for argument, value in further:
            node(value, _ARGUMENTS.get(argument, "entity"))
            found.edges.append(edge._replace(relation=f"{edge.relation}:{argument}", target=name(value)))


def _describe(node: PropertyNode, statement: Statement, name: Callable[[Identifier], str]) -> None:
    for argument, term in zip(statement.kind.arguments, statement.args, strict=False):
        if term is not None:
            _set(node, "start" if argument.name == "startTime" else "end", PROV + argument.name, str(term))
    for attribute, value in statement.attributes:
        text, whole = _text(value, name), isinstance(value, Literal) and _is_plain(value)
        if attribute == PROV_TYPE:
            node.types[text] = None
            continue
        if attribute in _LABELS and not node.label:
            node.label = text
        elif attribute in _PROPERTIES:
            _set(node, _PROPERTIES[attribute], attribute, text)
        else:
            whole = False
        if not whole:
            _add(node.attributes, str(attribute), _value(value, name))


def _set(node: PropertyNode, property_: str, attribute: str, text: str) -> None:
    """Set a property that has one value; others are further attributes."""
    present = getattr(node, property_)
    if not present:
        setattr(node, property_, text)
    elif present != text:
        _add(node.attributes, attribute, text)


def _add(attributes: dict[str, list[Any]], attribute: str, value: Any) -> None:
    values = attributes.setdefault(attribute, [])
    if value not in values:
        values.append(value)


def joined(node: PropertyNode, more: PropertyNode) -> PropertyNode:
    """Add what another document says about a thing. Of properties with one value the first one stays."""
    node.kinds |= more.kinds
    node.types |= more.types
    if not node.label:
        node.label = more.label
    elif more.label and more.label != node.label:
        _add(node.attributes, PROV_LABEL, more.label)
    for property_, attribute in (
        ("start", f"{PROV}startTime"),
        ("end", f"{PROV}endTime"),
        ("value", PROV_VALUE),
        ("location", PROV_LOCATION),
    ):
        if text := getattr(more, property_):
            _set(node, property_, attribute, text)
    for attribute, values in more.attributes.items():
        for value in values:
            _add(node.attributes, attribute, value)
    return node


def _edge(statement: Statement, name: Callable[[Identifier], str], bundle: str, origin: Origin | None) -> PropertyEdge:
    activity = time = ""
    attributes: dict[str, list[Any]] = {}
    for place, (argument, term) in enumerate(zip(statement.kind.arguments, statement.args, strict=False)):
        if term is None:
            continue
        if argument.time:
            time = str(term)
        elif argument.name == "activity":
            activity = name(Identifier(term))
        elif place > 1 and argument.name not in _FURTHER:
            _add(attributes, PROV + argument.name, {"iri": name(Identifier(term))})
    for entry in statement.entries:
        _add(attributes, f"{PROV}pairKey", _value(entry.key, name))
        if entry.entity is not None:
            _add(attributes, f"{PROV}pairEntity", {"iri": name(entry.entity)})
    roles: dict[str, None] = {}
    subtype = ""
    for attribute, value in statement.attributes:
        if attribute == PROV_ROLE:
            roles[_text(value, name)] = None
        elif attribute == PROV_TYPE and value in _SUBTYPES and not subtype:
            subtype = _SUBTYPES[str(value)]
        else:
            _add(attributes, str(attribute), _value(value, name))
    return PropertyEdge(
        name(Identifier(statement.args[0] or "")),
        statement.kind.name,
        name(Identifier(statement.args[1])) if len(statement.args) > 1 and statement.args[1] else "",
        name(statement.id) if statement.id is not None else "",
        activity,
        time,
        " ".join(roles),
        subtype,
        bundle,
        _json(attributes),
        origin,
    )


def _is_plain(value: Literal) -> bool:
    return value.language is None and value == Literal(value.lexical)


def _text(value: Value, name: Callable[[Identifier], str]) -> str:
    return value.lexical if isinstance(value, Literal) else name(value)


def _value(value: Value, name: Callable[[Identifier], str]) -> Any:
    """A value as JSON: an IRI or a plain text as a text, another literal with its datatype or language."""
    if not isinstance(value, Literal):
        return {"iri": name(value)}
    if _is_plain(value):
        return value.lexical
    if value.language is not None:
        return {"value": value.lexical, "language": value.language}
    return {"value": value.lexical, "datatype": value.datatype}


def _json(attributes: dict[str, list[Any]]) -> str:
    """Attributes as JSON; empty if there are none.

    Quotes and backslashes are written as codes: some readers of CSV take a backslash before a quote for an escape.
    """
    if not attributes:
        return ""
    ordered = {key: values[0] if len(values) == 1 else values for key, values in sorted(attributes.items())}
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("\\\\", "\\u005c").replace('\\"', "\\u0022")
