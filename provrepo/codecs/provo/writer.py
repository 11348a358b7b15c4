"""PROV-O triples of statements, in the document's order.

The shortcut is always written if both ends are known. A qualified node is written only if the shortcut does not state
everything: for an identifier, attributes, a third argument or a time. It is also written if another statement about the
same two things has one, because a shortcut beside it would be read as belonging to it (see ``reader``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from provrepo.codecs.provo.dictionary import ENTRIES, pair_triples
from provrepo.codecs.provo.terms import (
    BASE_CLASS,
    END_TIME,
    INFLUENCE_OBJECTS,
    PREDICATE_OF,
    PREDICATES,
    RELATIONS,
    START_TIME,
    TYPE,
    VARIANTS,
    RelationTerms,
    Variant,
)
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term, Value, is_blank
from provrepo.model.statements import (
    ACTIVITY,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    INFLUENCE,
    REMOVAL,
    Attribute,
    Kind,
    Statement,
    Term,
)
from provrepo.vocab import PROV_TYPE, XSD_DATETIME

__all__ = ["Labels", "crowded", "document_quads", "each_quad", "instance_quads", "is_bare", "qualified_property"]

_LABEL = re.compile(r"[A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*")
"""Blank node labels that every RDF syntax can write (a part of N-Triples' BLANK_NODE_LABEL)."""


class Labels:
    """Blank node labels for one document: its own if RDF can write them, and fresh labels that differ from them.

    Attributes:
        used: the labels of the document.
    """

    __slots__ = ("_known", "_next", "used")

    def __init__(self, document: Document) -> None:
        self.used = {Identifier(name) for name in _names(document) if is_blank(name)}
        self._known: dict[str, Identifier] = {}
        self._next = 0

    def fresh(self) -> Identifier:
        """A label that the document does not use."""
        while True:
            self._next += 1
            label = f"_:r{self._next}"
            if label not in self.used:
                return Identifier(label)

    def node(self, name: Identifier) -> Identifier:
        """A label that RDF can write for a blank node, the same each time; an IRI is returned unchanged."""
        if not is_blank(name) or _LABEL.fullmatch(name, 2):
            return name
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self.fresh()
        return known


def _names(document: Document) -> Iterable[str]:
    for statement in document:
        if statement.id is not None:
            yield statement.id
        yield from statement.identifiers()
        for _, value in statement.attributes:
            if isinstance(value, Identifier):
                yield value
    for bundle in document.bundles:
        if bundle.id is not None:
            yield bundle.id
    for quad in chain(document.unmapped.quads, document.variants):
        yield from (term for term in (quad.subject, quad.object, quad.graph) if isinstance(term, Identifier))
        if isinstance(quad.object, Rdf12Term):
            yield from quad.object.nodes()


def document_quads(document: Document) -> list[Quad]:
    """All quads of a document, each once: of the top level, of each bundle, and those kept from an RDF source.

    The same document always has the same list.
    """
    return list(each_quad(document))


def each_quad(document: Document) -> Iterator[Quad]:
    """The quads of ``document_quads`` one by one, without all of them in memory.

    Only quads that might occur twice are kept: those of statements that share their identifier, or the two things that
    they relate, with another statement.
    """
    labels = Labels(document)
    node = labels.node
    seen: set[Quad] = set()
    names = [bundle.id for bundle in document.bundles]
    mixed = bool(document.unmapped.quads or document.variants) or len(set(names)) < len(names)
    for instance in document.instances():
        graph = None if instance.id is None else node(instance.id)
        writer = _TripleWriter(labels, graph, crowded(instance.statements))
        alone = _alone(instance.statements)
        for statement in instance.statements:
            writer.write(statement)
            quads: Iterable[Quad] = writer.quads
            if mixed or not alone(statement):
                quads = [quad for quad in dict.fromkeys(quads) if quad not in seen]
                seen.update(quads)
            elif len(statement.attributes) > 1:
                quads = dict.fromkeys(quads)
            yield from quads
            writer.quads.clear()
    for subject, predicate, value, graph in chain(document.variants, document.unmapped.quads):
        written = node(value) if isinstance(value, Identifier) else value
        quad = Quad(node(subject), predicate, written, None if graph is None else node(graph))
        if quad not in seen:
            seen.add(quad)
            yield quad


def _alone(statements: Iterable[Statement]) -> Callable[[Statement], bool]:
    """A function that returns whether a statement has no triple in common with another statement of the instance."""
    known: set[object] = set()
    shared: set[object] = set()
    for statement in statements:
        for key in _subjects(statement):
            (shared if key in known else known).add(key)
        if any(name in PREDICATES for name, _ in statement.attributes):
            # The triple of an attribute with the name of a shortcut may be one of any statement.
            return lambda _: False
    return lambda statement: shared.isdisjoint(_subjects(statement))


def _subjects(statement: Statement) -> Iterator[object]:
    if statement.id is not None:
        yield statement.id
    if not statement.kind.element and statement.args:
        # Without a qualified form the first argument is the subject of all triples.
        bare = statement.kind not in RELATIONS or RELATIONS[statement.kind].qualified is None
        yield (statement.kind, statement.args[0], *(() if bare else statement.args[1:2]))


def instance_quads(statements: Sequence[Statement], labels: Labels, graph: Identifier | None = None) -> list[Quad]:
    """The triples of one instance, as quads of one graph; some may occur twice.

    Args:
        statements: of the top level or of one bundle.
        labels: of the whole document: a blank node is the same in all its instances.
        graph: their graph, None for the default graph.
    """
    writer = _TripleWriter(labels, graph, crowded(statements))
    for statement in statements:
        writer.write(statement)
    return writer.quads


def crowded(statements: Iterable[Statement]) -> set[tuple[Kind, Term, Term]]:
    """The kinds with pairs of things that have more than one statement."""
    first: dict[tuple[Kind, Term, Term], Statement] = {}
    crowded = set()
    for statement in statements:
        if len(statement.args) > 1 and not statement.kind.element:
            key = (statement.kind, statement.args[0], statement.args[1])
            if first.setdefault(key, statement) != statement:
                crowded.add(key)
    return crowded


class _TripleWriter:
    """Collects the triples of one instance."""

    __slots__ = ("_add", "_crowded", "_graph", "_labels", "quads")

    def __init__(self, labels: Labels, graph: Identifier | None, crowded: set[tuple[Kind, Term, Term]]) -> None:
        self.quads: list[Quad] = []
        self._add: Callable[[Quad], None] = self.quads.append
        self._labels = labels
        self._graph = graph
        self._crowded = crowded

    def write(self, statement: Statement) -> None:
        kind = statement.kind
        if kind.element:
            self._element(statement)
            return
        terms = RELATIONS[kind]
        if kind is DICTIONARY_MEMBERSHIP:
            self._dictionary_member(statement)
        elif terms.qualified is None:
            self._unqualified(statement, terms)
        else:
            self._relation(statement, terms)

    def _triple(self, subject: Identifier, predicate: Identifier, value: Value) -> None:
        self._add(Quad(subject, predicate, value, self._graph))

    def _term(self, term: Term) -> Identifier | None:
        return self._labels.node(term) if isinstance(term, Identifier) else None

    def _attributes(self, node: Identifier, attributes: Iterable[Attribute]) -> None:
        for name, value in attributes:
            written = self._labels.node(value) if isinstance(value, Identifier) else value
            self._add(Quad(node, PREDICATE_OF.get(name, name), written, self._graph))

    def _element(self, statement: Statement) -> None:
        if statement.id is None:
            return
        node = self._labels.node(statement.id)
        self._triple(node, TYPE, BASE_CLASS[statement.kind])
        if statement.kind is ACTIVITY:
            for predicate, time in zip((START_TIME, END_TIME), statement.args, strict=True):
                if time is not None:
                    self._triple(node, predicate, Literal(time, XSD_DATETIME))
        self._attributes(node, statement.attributes)

    def _unqualified(self, statement: Statement, terms: RelationTerms) -> None:
        subject = self._term(statement.args[0])
        if subject is None or statement.args[1] is None:
            return
        for predicate, term in zip(terms.properties or (terms.shortcut,), statement.args[1:], strict=True):
            value = self._term(term)
            if value is not None:
                self._triple(subject, predicate, value)

    def _dictionary_member(self, statement: Statement) -> None:
        dictionary, entity = self._term(statement.args[0]), self._term(statement.args[1])
        if dictionary is None:
            return
        keys: list[Value | None] = [entry.key for entry in statement.entries]
        for key in keys or [None]:
            self._pair(dictionary, RELATIONS[statement.kind].shortcut, key, entity)

    def _pair(self, node: Identifier, predicate: Identifier, key: Value | None, entity: Identifier | None) -> None:
        pair = self._labels.fresh()
        self._triple(node, predicate, pair)
        written = self._labels.node(key) if isinstance(key, Identifier) else key
        for name, value in pair_triples(written, entity):
            self._triple(pair, name, value)

    def _entries(self, node: Identifier, statement: Statement) -> None:
        predicate = ENTRIES.get(statement.kind)
        if predicate is None:
            return
        for key, entity in statement.entries:
            if statement.kind is REMOVAL:
                self._triple(node, predicate, self._labels.node(key) if isinstance(key, Identifier) else key)
            else:
                self._pair(node, predicate, key, self._term(entity))

    def _relation(self, statement: Statement, terms: RelationTerms) -> None:
        subject, value = self._term(statement.args[0]), self._term(statement.args[1])
        variants = _variants(statement)
        if subject is not None and value is not None:
            self._triple(subject, terms.shortcut, value)
            for variant in variants:
                self._triple(subject, variant.shortcut, value)
            if is_bare(statement, variants) and (statement.kind, *statement.args[:2]) not in self._crowded:
                return
        node = self._labels.fresh() if statement.id is None else self._labels.node(statement.id)
        qualified = qualified_property(statement, variants)
        if subject is not None and qualified is not None:
            self._triple(subject, qualified, node)
        if terms.cls is not None:
            self._triple(node, TYPE, terms.cls)
        for predicate, argument, term in zip(
            _properties(statement, terms), statement.kind.arguments[1:], statement.args[1:], strict=True
        ):
            if term is not None:
                name = self._term(term)
                written = Literal(term, XSD_DATETIME) if argument.time or name is None else name
                self._triple(node, predicate, written)
        self._attributes(node, statement.attributes)
        self._entries(node, statement)


def is_bare(statement: Statement, variants: Sequence[Variant] | None = None) -> bool:
    """Whether the shortcut states everything, unless there is another statement about the same two things."""
    variants = _variants(statement) if variants is None else variants
    return (
        statement.id is None
        and not statement.entries
        and len(statement.attributes) == len(variants) <= 1
        and not any(statement.args[2:])
    )


def qualified_property(statement: Statement, variants: Sequence[Variant] | None = None) -> Identifier | None:
    """The property that leads to the qualified node; None if the kind has no such form."""
    variants = _variants(statement) if variants is None else variants
    return variants[0].qualified if len(variants) == 1 else RELATIONS[statement.kind].qualified


def _properties(statement: Statement, terms: RelationTerms) -> tuple[Identifier, ...]:
    """The properties of a qualified node; ``prov:agent`` for an influence of the class ``prov:AgentInfluence``."""
    if statement.kind is INFLUENCE:
        types = [value for name, value in statement.attributes if name == PROV_TYPE]
        found = [Identifier(name) for name, cls in INFLUENCE_OBJECTS.items() if cls in types]
        if len(found) == 1:
            return (found[0],)
    return terms.properties


def _variants(statement: Statement) -> list[Variant]:
    if statement.kind is not DERIVATION:
        return []
    types = dict.fromkeys(value for name, value in statement.attributes if name == PROV_TYPE)
    return [VARIANTS[value] for value in types if isinstance(value, Identifier) and value in VARIANTS]
