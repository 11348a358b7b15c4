"""The statements of a document by what they are about, as runs, jobs and datasets need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DERIVATION,
    ENTITY,
    GENERATION,
    INFLUENCE,
    KINDS,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
    Statement,
)
from provrepo.vocab import DCTERMS, PROV, PROV_LABEL, PROV_TYPE, RDFS_LABEL

__all__ = ["Graph"]

_ACTIVITY_ARGUMENTS = ("activity", "informed", "informant", "starter", "ender")
_ENTITY_ARGUMENTS = (
    *("entity", "generatedEntity", "usedEntity", "trigger", "plan", "specificEntity", "generalEntity"),
    *("alternate1", "alternate2", "collection", "after", "before", "dictionary"),
)
_PART = f"{DCTERMS}isPartOf"
_ROLES: dict[Kind, tuple[str, ...]] = {
    kind: tuple(
        "activity" if each.name in _ACTIVITY_ARGUMENTS else "entity" if each.name in _ENTITY_ARGUMENTS else ""
        for each in kind.arguments
    )
    for kind in KINDS.values()
}
"""Kind → for each of its arguments whether it names an activity or an entity; empty for others."""


class Graph:
    """An index of a document and its bundles.

    Attributes:
        activities: described or mentioned, in the order of their first statements.
        entities: likewise.
        plans: entities that are the plan of an association or have that type, likewise.
        generators: entity → the activities that generated it.
        placed: what a facet has a place for: the ``id`` of a relation, or a thing with an attribute and its value.
    """

    def __init__(self, document: Document) -> None:
        self.activities: dict[Identifier, None] = {}
        self.entities: dict[Identifier, None] = {}
        self.plans: dict[Identifier, None] = {}
        self.generators: dict[Identifier, list[Identifier]] = defaultdict(list)
        self.placed: set[object] = set()
        self._elements: dict[Identifier, list[Statement]] = defaultdict(list)
        self._relations: dict[tuple[Kind, Identifier], list[Statement]] = defaultdict(list)
        for statement in document:
            self._add(statement)

    def of(self, kind: Kind, subject: str) -> list[Statement]:
        """The relations of a kind whose first argument is a thing."""
        return self._relations.get((kind, Identifier(subject)), [])

    def values(self, subject: str, *attributes: str) -> Iterator[Value]:
        """The values of attributes of a thing, those of the first attribute first."""
        for attribute in attributes:
            for statement in self._elements.get(Identifier(subject), ()):
                for name, value in statement.attributes:
                    if name == attribute:
                        yield value

    def texts(self, subject: str, *attributes: str) -> list[str]:
        """The literals among these values, as text."""
        return [value.lexical for value in self.values(subject, *attributes) if isinstance(value, Literal)]

    def take(self, subject: str, *attributes: str) -> str:
        """The first of these literals, which gets a place; empty without any."""
        for attribute in attributes:
            for value in self.values(subject, attribute):
                if isinstance(value, Literal):
                    self.place(subject, attribute, value)
                    return value.lexical
        return ""

    def place(self, subject: str, attribute: str, value: Value) -> None:
        """Note that an attribute of a thing, or of the relation with that ``id``, has a place."""
        self.placed.add((subject, attribute, value))

    def labels(self, subject: str) -> list[str]:
        """The labels of a thing."""
        return self.texts(subject, PROV_LABEL, RDFS_LABEL)

    def times(self, activity: str) -> tuple[str | None, str | None]:
        """The start and the end of an activity, as they are stated."""
        start = end = None
        for statement in self._elements.get(Identifier(activity), ()):
            if statement.kind is ACTIVITY:
                start, end = start or statement.args[0], end or statement.args[1]
        return start, end

    def general(self, entity: str) -> Identifier | None:
        """The dataset that an entity is a version of: the first that it specializes and that is no content digest."""
        for statement in self.of(SPECIALIZATION, entity):
            found = statement.args[1]
            if isinstance(found, Identifier) and not found.startswith("ni:"):
                self.placed.add(id(statement))
                return found
        return None

    def parent(self, activity: str) -> Identifier | None:
        """The activity that an activity is part of, or that started it."""
        parts = [value for value in self.values(activity, _PART) if isinstance(value, Identifier)]
        started = [statement.args[2] for statement in self.of(START, activity)]
        for found in (*parts, *started):
            if isinstance(found, Identifier) and found in self.activities and found != activity:
                self.place(activity, _PART, found)
                # The facet says both of the parent: that the run is a part of it, and that it was started by it.
                self.placed.update(id(each) for each in self.of(START, activity) if each.args[1:3] == (None, found))
                return found
        return None

    def _add(self, statement: Statement) -> None:
        kind = statement.kind
        if kind.element:
            if statement.id is not None:
                self._elements[statement.id].append(statement)
                if kind is ENTITY:
                    self.entities[statement.id] = None
                    if (Identifier(PROV_TYPE), Identifier(f"{PROV}Plan")) in statement.attributes:
                        self.plans[statement.id] = None
                elif kind is ACTIVITY:
                    self.activities[statement.id] = None
            return
        for role, argument in zip(_ROLES[kind], statement.args, strict=True):
            if role and isinstance(argument, Identifier):
                (self.activities if role == "activity" else self.entities)[argument] = None
        first = statement.args[0]
        if kind in _INDEXED and isinstance(first, Identifier):
            self._relations[kind, first].append(statement)
        if kind is ASSOCIATION and isinstance(statement.args[2], Identifier):
            self.plans[statement.args[2]] = None
        if kind is GENERATION and isinstance(first, Identifier) and isinstance(statement.args[1], Identifier):
            self.generators[first].append(statement.args[1])
            self._relations[kind, statement.args[1]].append(statement)


_INDEXED = {*(USAGE, COMMUNICATION, START, DERIVATION, ATTRIBUTION, ASSOCIATION, INFLUENCE, SPECIALIZATION, MEMBERSHIP)}
