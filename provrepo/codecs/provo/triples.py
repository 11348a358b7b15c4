"""The triples of one graph, collected by the role that their properties have in PROV-O (``terms.Role``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from provrepo.codecs.provo.declared import Declared
from provrepo.codecs.provo.terms import CLASS, SUBCLASSES, SUBTYPES, Meaning, Role
from provrepo.codecs.provo.variants import Variants
from provrepo.model.document import Quad, Unmapped
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import Kind
from provrepo.model.unmapped import NO_IDENTIFIER, NO_INSTANT
from provrepo.vocab import XSD_DATETIME

__all__ = ["GraphTriples", "QualifiedLink", "QualifiedNode", "Shortcut", "instant"]

Shortcut: TypeAlias = tuple[Kind, Identifier, Identifier]
"""Kind, subject and object of a relation."""

_OWN_ROLES = (Role.TYPE, Role.QUALIFIED_INVERSE)
"""Roles in which a triple describes a qualified node itself. In the others its subject takes part in a relation."""


class QualifiedLink(NamedTuple):
    """A triple that leads from a thing to the qualified node of one of its relations.

    Attributes:
        kind: the kind of the relation.
        subject: the thing.
        variant: the narrower class of derivation that the property states, or None.
        quad: the triple.
    """

    kind: Kind
    subject: Identifier
    variant: Identifier | None
    quad: Quad


class QualifiedNode:
    """What leads to a qualified node, and its classes.

    Attributes:
        links: the triples that lead to it.
        classes: the kinds of relation that its classes stand for.
    """

    __slots__ = ("classes", "links")

    def __init__(self) -> None:
        self.links: list[QualifiedLink] = []
        self.classes: list[Kind] = []


class GraphTriples:
    """Collects the triples of one graph.

    Attributes:
        described: subject → its triples that are attributes, or arguments of a qualified node.
        typed: subject → the kinds of element that its PROV-O classes stand for.
        implied: subject → the kinds of element that its narrower classes imply.
        event_times: kind of event and entity → the triples with its time, such as those of ``prov:generatedAtTime``.
        activity_times: activity → its start times and its end times.
        mentions: subject → the objects of its ``prov:mentionOf``, and its triples of ``prov:asInBundle``.
        members: the triples of ``prov:hadDictionaryMember``.
        shortcuts: shortcut → for each of its triples the narrower class of derivation that the property states.
        nodes: the qualified nodes by identifier.
        order: shortcuts and qualified nodes in the order of their first triples.
        variants: triples to be written again beside those of the statements.
        referenced: names that something refers to; shared by all graphs of the document.
    """

    def __init__(self, declared: Declared, referenced: set[str], unmapped: Unmapped) -> None:
        """Collect nothing yet.

        Args:
            declared: the properties and classes that the document declares below those of PROV-O.
            referenced: names that something refers to, in any graph; added to.
            unmapped: gets the triples whose object is of the wrong type.
        """
        self.described: dict[Identifier, list[Quad]] = {}
        self.typed: dict[Identifier, list[Kind]] = {}
        self.implied: dict[Identifier, list[Kind]] = {}
        self.event_times: dict[tuple[Kind, Identifier], list[Quad]] = {}
        self.activity_times: dict[Identifier, tuple[list[str], list[str]]] = {}
        self.mentions: dict[Identifier, tuple[list[Identifier], list[Quad]]] = {}
        self.members: list[Quad] = []
        self.shortcuts: dict[Shortcut, list[Identifier | None]] = {}
        self.nodes: dict[Identifier, QualifiedNode] = {}
        self.order: dict[Shortcut | Identifier, None] = {}
        self.variants = Variants()
        self.referenced = referenced
        self._declared = declared
        self._unmapped = unmapped

    def add(self, quads: Iterable[Quad]) -> None:
        """Collect some triples."""
        described, own = self.described, self._declared.own
        handlers: dict[Role, Callable[[Quad, Meaning], None]] = {
            Role.TYPE: self._type,
            Role.SHORTCUT: self._shortcut,
            Role.INVERSE: self._inverse,
            Role.QUALIFIED: self._qualified,
            Role.QUALIFIED_INVERSE: self._qualified_inverse,
            Role.TIME: self._event_time,
            Role.ACTIVITY_TIME: self._activity_time,
            Role.MENTION: self._mention,
            Role.IN_BUNDLE: self._in_bundle,
            Role.DICTIONARY_MEMBER: self._member,
        }
        table = {
            name: (handlers[meaning.role], meaning, meaning.role in _OWN_ROLES, name in own)
            for name, meaning in self._declared.predicates.items()
        }
        for quad in quads:
            found = table.get(quad[1])
            if found is not None:
                handler, meaning, of_itself, is_declared = found
                if not of_itself and quad[0].startswith("_:"):
                    self.referenced.add(quad[0])
                handler(quad, meaning)
                if not is_declared:
                    continue
            try:
                described[quad[0]].append(quad)
            except KeyError:
                described[quad[0]] = [quad]

    def describe(self, quad: Quad) -> None:
        """Collect a triple as an attribute of its subject."""
        self.described.setdefault(quad.subject, []).append(quad)

    def keep(self, quad: Quad) -> None:
        """Keep a triple about a node. The node must then be written under its name in the triple."""
        self.variants.add(quad)
        self.referenced.add(quad.subject)

    def _type(self, quad: Quad, _meaning: Meaning) -> None:
        subject, _, value, _ = quad
        if type(value) is not Identifier:
            self.describe(quad)
            return
        kind = CLASS.get(value)
        if kind is not None and kind.element:
            self.typed.setdefault(subject, []).append(kind)
            return
        self.describe(quad)
        for cls in (value, *self._declared.classes.get(value, ())):
            found = CLASS.get(cls) or SUBTYPES.get(cls)
            if found is None:
                implied = SUBCLASSES.get(cls)
                if implied is not None:
                    self.implied.setdefault(subject, []).append(implied)
            elif found.element:
                self.implied.setdefault(subject, []).append(found)
            else:
                self._node(subject).classes.append(found)

    def _node(self, name: Identifier) -> QualifiedNode:
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = QualifiedNode()
            self.order[name] = None
        return node

    def _relate(self, kind: Kind, subject: Identifier, value: Identifier, variant: Identifier | None) -> None:
        key = (kind, subject, value)
        known = self.shortcuts.get(key)
        if known is None:
            self.shortcuts[key] = [variant]
            self.order[key] = None
        else:
            known.append(variant)

    def _shortcut(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._relate(meaning.kind, quad.subject, quad.object, meaning.variant)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _inverse(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._relate(meaning.kind, quad.object, quad.subject, meaning.variant)
            self.variants.add(quad)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _qualified(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            link = QualifiedLink(meaning.kind, quad.subject, meaning.variant, quad)
            self._node(quad.object).links.append(link)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _qualified_inverse(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            link = QualifiedLink(meaning.kind, quad.object, meaning.variant, quad)
            self._node(quad.subject).links.append(link)
            self.keep(quad)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _event_time(self, quad: Quad, meaning: Meaning) -> None:
        if instant(quad) is None:
            self._unmapped.add(quad, NO_INSTANT)
        else:
            self.event_times.setdefault((meaning.kind, quad.subject), []).append(quad)
            self.variants.add(quad)

    def _activity_time(self, quad: Quad, meaning: Meaning) -> None:
        lexical = instant(quad)
        if lexical is None:
            self._unmapped.add(quad, NO_INSTANT)
        else:
            self.activity_times.setdefault(quad.subject, ([], []))[meaning.position].append(lexical)

    def _mention(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.mentions.setdefault(quad.subject, ([], []))[0].append(quad.object)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _in_bundle(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.mentions.setdefault(quad.subject, ([], []))[1].append(quad)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)

    def _member(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.members.append(quad)
        else:
            self._unmapped.add(quad, NO_IDENTIFIER)


def instant(quad: Quad) -> str | None:
    """The lexical form of an object that is an ``xsd:dateTime``; None for any other object."""
    value = quad.object
    return value.lexical if isinstance(value, Literal) and value.datatype == XSD_DATETIME else None
