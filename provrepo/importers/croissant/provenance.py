"""The statements of PROV-O in a description, at whatever level: of the dataset, its resources, record sets and fields.

Croissant 1.1, section Provenance Representation; https://www.w3.org/TR/prov-o/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.croissant.graph import Graph, Node, full, json_of
from provrepo.importers.json_values import Problem
from provrepo.importers.masking import masked, without_login
from provrepo.importers.names import segment
from provrepo.importers.statements import Statements, json_value, link, value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    END,
    GENERATION,
    INFLUENCE,
    INVALIDATION,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Attribute,
    Kind,
)
from provrepo.vocab import PROV, PROV_LOCATION, PROV_TYPE, PROV_VALUE, RDFS_LABEL

__all__ = ["RELATIONS", "Provenance", "plain"]

ENTITY, ACTIVITY, AGENT = "entity", "activity", "agent"


class Relation(NamedTuple):
    """A property of PROV-O: its statement, of what and with what, its type, and whether the two change places."""

    kind: Kind
    of: str
    to: str
    type: str = ""
    inverse: bool = False


RELATIONS = {
    "wasDerivedFrom": Relation(DERIVATION, ENTITY, ENTITY),
    "wasRevisionOf": Relation(DERIVATION, ENTITY, ENTITY, "Revision"),
    "wasQuotedFrom": Relation(DERIVATION, ENTITY, ENTITY, "Quotation"),
    "hadPrimarySource": Relation(DERIVATION, ENTITY, ENTITY, "PrimarySource"),
    "wasGeneratedBy": Relation(GENERATION, ENTITY, ACTIVITY),
    "generated": Relation(GENERATION, ACTIVITY, ENTITY, inverse=True),
    "wasInvalidatedBy": Relation(INVALIDATION, ENTITY, ACTIVITY),
    "wasAttributedTo": Relation(ATTRIBUTION, ENTITY, AGENT),
    "specializationOf": Relation(SPECIALIZATION, ENTITY, ENTITY),
    "alternateOf": Relation(ALTERNATE, ENTITY, ENTITY),
    "hadMember": Relation(MEMBERSHIP, ENTITY, ENTITY),
    "used": Relation(USAGE, ACTIVITY, ENTITY),
    "wasAssociatedWith": Relation(ASSOCIATION, ACTIVITY, AGENT),
    "wasInformedBy": Relation(COMMUNICATION, ACTIVITY, ACTIVITY),
    "wasStartedBy": Relation(START, ACTIVITY, ENTITY),
    "wasEndedBy": Relation(END, ACTIVITY, ENTITY),
    "actedOnBehalfOf": Relation(DELEGATION, AGENT, AGENT),
    "wasInfluencedBy": Relation(INFLUENCE, ENTITY, ENTITY),
}
"""Properties of PROV-O, by name."""

MISTAKEN = {
    "isAssociatedWith": "wasAssociatedWith",
    "isAttributedTo": "wasAttributedTo",
    "isDerivedFrom": "wasDerivedFrom",
    "isGeneratedBy": "wasGeneratedBy",
    "locatedAt": "atLocation",
}
"""Names that descriptions have and PROV does not, and the terms that are meant."""

_LITERALS = {"atLocation": PROV_LOCATION, "value": PROV_VALUE}
_TIMES = ("startedAtTime", "endedAtTime")
_LABELS = ("rdfs:label", "prov:label", "sc:name", "foaf:name")
_MOMENTS = {"generatedAtTime": GENERATION, "invalidatedAtTime": INVALIDATION}
_KINDS = {
    "Entity": ENTITY, "Collection": ENTITY, "Plan": ENTITY, "Bundle": ENTITY, "Activity": ACTIVITY, "Agent": AGENT,
    "Person": AGENT, "Organization": AGENT, "SoftwareAgent": AGENT,
}  # fmt: skip


class Provenance:
    """States what a description says in terms of PROV-O.

    Args:
        graph: the description.
        statements: the document.
    """

    def __init__(self, graph: Graph, statements: Statements) -> None:
        self._graph, self._statements = graph, statements
        self._described: set[tuple[str, str]] = set()

    def state(self, node: Node, subject: str, category: str) -> None:
        """State the relations of a node that has been described.

        Args:
            node: it.
            subject: its IRI.
            category: ``entity``, ``activity`` or ``agent``.
        """
        for term, found in node.values.items():
            if not term.startswith("prov:"):
                continue
            for place, item in found:
                self._property(term.removeprefix("prov:"), item, place, subject, category)

    def _property(self, name: str, item: Any, place: str, subject: str, category: str) -> None:
        right = MISTAKEN.get(name)
        if right is not None:
            relation = RELATIONS.get(right)
            if relation is not None and relation.of != category:
                advice = "write prov:wasAttributedTo, or the association at the activity"
                self._say(place, f"prov:{name} is no term of PROV, and {right} is of an activity; {advice}")
                self._other(item, relation.to, subject, name)
                return
            self._say(place, f"prov:{name} is no term of PROV; it is read as prov:{right}, which is to be written")
            name = right
        relation = RELATIONS.get(name)
        if relation is not None:
            if relation.of != category and name != "wasInfluencedBy":
                self._say(place, f"prov:{name} is of an {relation.of}, and this is an {category}; it is not read")
                self._other(item, relation.to, subject, name)
                return
            other = self._other(item, relation.to, subject, name, place)
            if other is not None:
                args = (other, subject) if relation.inverse else (subject, other)
                kinds = [link(PROV_TYPE, PROV + relation.type)] if relation.type else []
                self._statements.relate(relation.kind, *args, attributes=kinds)
        elif name in _MOMENTS and category == ENTITY:
            moment = self._graph.time(item, place)
            if moment:
                self._statements.relate(_MOMENTS[name], subject, None, moment)
        elif name not in (*_LITERALS, *_TIMES, "label", "type"):
            advice = "its shortcut, such as prov:used, is" if name.startswith("qualified") else "a term of PROV-O is"
            self._say(place, f"prov:{name} is not read; {advice}")

    def _other(self, item: Any, category: str, subject: str, name: str, place: str = "") -> Identifier | None:
        """What a property refers to; a described one is stated, once."""
        if isinstance(item, Node):
            iri = self._graph.iri(item.id) if item.id else self._made(subject, name, item.pointer)
            if item.reference:
                return Identifier(iri) if item.id in self._graph.ids else self._element(iri, category, [])
            return self.element(item, iri, category)
        if not isinstance(item, str) or not item.strip():
            self._say(place, f"prov:{name} needs an identifier; it is not read")
            return None
        if item in self._graph.ids or is_iri(without_login(item)):
            if place:
                self._say(place, 'an identifier as a text, which JSON-LD takes for a text; write {"@id": …}')
            iri = self._graph.iri(item)
            return Identifier(iri) if item in self._graph.ids else self._element(iri, category, [])
        if place:
            self._say(place, f"a text where an identifier is needed; it is taken for the name of an {category}")
        return self._element(f"{self._graph.base}{category}/{segment(item)}", category, words(RDFS_LABEL, item))

    def included(self, nodes: Iterable[Node]) -> None:
        """State nodes that are beside the others (``@included``)."""
        for node in nodes:
            kinds = [_KINDS[kind.removeprefix("prov:")] for kind in node.types if kind.removeprefix("prov:") in _KINDS]
            if kinds and node.id:
                self.element(node, self._graph.iri(node.id), kinds[0])
            elif not any(kind.startswith("prov:") for kind in node.types):
                self._say(node.pointer, "a node without a type and an identifier of PROV; it is not read")

    def _made(self, subject: str, name: str, pointer: str) -> str:
        """The IRI of a node without an identifier: by its place."""
        last = pointer.rpartition("/")[2]
        return f"{subject}{'' if '#' in subject else '#'}-{name}" + (f"-{last}" if last.isdigit() else "")

    def element(self, node: Node, iri: str, category: str) -> Identifier:
        """Describe a node of PROV.

        Args:
            node: it.
            iri: its name.
            category: what it is by the property that leads to it.
        """
        said = {_KINDS[kind.removeprefix("prov:")] for kind in node.types if kind.removeprefix("prov:") in _KINDS}
        if said and category not in said and not (category == ENTITY and AGENT in said):
            self._say(f"{node.pointer}/@type", f"of another kind than the property needs, an {category}")
        label = node.text(*_LABELS)
        attributes = [*words(RDFS_LABEL, label), *self._attributes(node)]
        times = [self._time(node, f"prov:{name}") for name in _TIMES] if category == ACTIVITY else []
        types = [full(kind) for kind in node.types if kind not in ("prov:Entity", "prov:Activity", "prov:Agent")]
        found = self._element(iri, category, attributes, types, times)
        if (iri, node.pointer) not in self._described:
            self._described.add((iri, node.pointer))
            self.state(node, iri, category)
        return found

    def _time(self, node: Node, term: str) -> str | None:
        return next((self._graph.time(item, place) for place, item in node.all(term)), None)

    def _attributes(self, node: Node) -> Iterator[Attribute]:
        for term, found in node.values.items():
            name = MISTAKEN.get(term.removeprefix("prov:"), term.removeprefix("prov:"))
            for _, item in found:
                if term.startswith("prov:"):
                    if name in _LITERALS and isinstance(item, str | int | float):
                        yield from value(_LITERALS[name], item)
                    elif name in _LITERALS and isinstance(item, Node):
                        yield from words(_LITERALS[name], without_login(item.id or item.text(*_LABELS)))
                elif term not in _LABELS:
                    yield from plain(term, item)

    def _element(
        self, iri: str, category: str, attributes: list[Attribute], types: list[str] | None = None,
        times: list[str | None] | None = None,
    ) -> Identifier:  # fmt: skip
        if category == ACTIVITY:
            return self._statements.activity(iri, *(times or (None, None)), attributes, types=types or [])
        state = self._statements.agent if category == AGENT else self._statements.entity
        return state(iri, attributes, types=types or [])

    def _say(self, pointer: str, message: str) -> None:
        self._graph.problems.append(Problem(pointer, message))


def plain(term: str, item: Any) -> list[Attribute]:
    """A value of another vocabulary as an attribute: an object that only refers is a link, another one JSON."""
    iri = full(term)
    if not is_iri(iri):
        return []
    if isinstance(item, Node):
        if item.reference and is_iri(item.id):
            return [link(iri, without_login(item.id))]
        return [json_value(iri, json_of(item))]
    return value(iri, masked({term: item})[term])
