"""Statements from the qualified nodes of one graph, and from its shortcuts that no qualified node accounts for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod

from provrepo.codecs.names import PrefixScope
from provrepo.codecs.provo.dictionary import ENTRIES, pair_members
from provrepo.codecs.provo.terms import (
    AT_TIME,
    ATTRIBUTE_OF,
    CLASS,
    COMBINATIONS,
    INFLUENCE_OBJECTS,
    PLACES,
    QUALIFIED_NAMES,
    VARIANTS,
    home,
)
from provrepo.codecs.provo.triples import GraphTriples, Shortcut, instant
from provrepo.codecs.provo.variants import is_variant
from provrepo.model.document import Quad, Unmapped
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.model.statements import DERIVATION, INFLUENCE, REMOVAL, Attribute, DictionaryEntry, Kind, Statement, Term
from provrepo.model.unmapped import AMBIGUOUS, NO_IDENTIFIER, NO_INSTANT, NO_PAIR
from provrepo.vocab import PROV_TYPE

__all__ = ["TYPE_ATTRIBUTE", "RelationReader"]

TYPE_ATTRIBUTE = Identifier(PROV_TYPE)

_MAX_SIZE = 100_000
"""The largest product of the number of statements of one node and the size of each; more is an attack or a mistake."""


class RelationReader:
    """Makes the statements of relations.

    Attributes:
        claims: thing → the kinds of statement about it, elements first; set before anything is read.
        pairs: key-entity pair → the keys and entities that it joins, and its triples that no statement stands for.
    """

    def __init__(
        self, triples: GraphTriples, statements: list[Statement], scope: PrefixScope, unmapped: Unmapped
    ) -> None:
        """Read from ``triples`` into ``statements``.

        Args:
            triples: of the graph.
            statements: of the instance; added to.
            scope: the prefixes of the document, which qualified names in literals use.
            unmapped: gets the triples that no statement stands for.
        """
        self.claims: Mapping[Identifier, list[Kind]] = {}
        self.pairs: dict[Identifier, tuple[list[tuple[Value | None, Identifier | None]], list[Quad]]] = {}
        self._triples = triples
        self._statements = statements
        self._scope = scope
        self._unmapped = unmapped
        self._described = triples.described
        self._variants = triples.variants
        self._referenced = triples.referenced
        # Relations of qualified nodes, with the narrower classes of derivation of each.
        self._covered: dict[Shortcut, list[list[Identifier]]] = {}

    def attributes(self, name: Identifier, kinds: Sequence[Kind], kind: Kind) -> tuple[Attribute, ...]:
        """The attributes of one of the statements about a thing.

        Args:
            name: the thing.
            kinds: the kinds of all statements about it.
            kind: the kind of this one.
        """
        found = []
        for quad in self._described.get(name, ()):
            attribute = self._attribute(quad)
            if len(kinds) == 1 or home(kinds, attribute) is kind:
                found.append(attribute)
        return tuple(found)

    def qualified(self, name: Identifier, kind: Kind) -> None:
        """Add the statements that a qualified node stands for: one, unless an argument has several values."""
        node, claims = self._triples.nodes[name], self.claims[name]
        links = [link for link in node.links if link.kind is kind or link.kind is INFLUENCE]
        values, attributes, entries = self._arguments(name, kind, claims)
        subjects: dict[Term, list[Quad]] = {}
        for link in links:
            subjects.setdefault(link.subject, []).append(link.quad)
        for variant in dict.fromkeys(link.variant for link in links if link.variant is not None):
            if (TYPE_ATTRIBUTE, variant) not in attributes:
                attributes.append((TYPE_ATTRIBUTE, variant))
        combinations = self._combinations(name, [subjects, *values], 1 + len(attributes) + len(entries))
        own: Identifier | None = name
        if is_blank(name) and name not in self._referenced and len(claims) == 1:
            own = None
        frozen = tuple(attributes)
        if self._variants.links(Statement(kind, own, (), frozen), (link.quad for link in links)):
            own = name
        if own is None:
            quads = [link.quad for link in links] + self._described.get(name, [])
            self._variants.node(len(self._statements), quads)
        variants = [
            value for key, value in frozen if key == TYPE_ATTRIBUTE and value in VARIANTS and type(value) is Identifier
        ]
        for args in combinations:
            self._statements.append(Statement(kind, own, args, frozen, entries=entries))
            subject, value = args[:2]
            if isinstance(subject, Identifier) and isinstance(value, Identifier):
                self._covered.setdefault((kind, subject, value), []).append(variants)

    def shortcuts(self) -> None:
        """Add statements for the shortcuts that no qualified node accounts for."""
        for key in self._triples.order:
            if not isinstance(key, tuple):
                continue
            kind, subject, value = key
            covered = self._covered.get(key)
            rest: tuple[Term, ...] = (None,) * (len(kind.arguments) - 2)
            stated = self._triples.shortcuts[key] if kind is DERIVATION else ()
            variants = dict.fromkeys(variant for variant in stated if variant is not None)
            for variant in variants:
                if not any(variant in types for types in covered or ()):
                    attributes: tuple[Attribute, ...] = ((TYPE_ATTRIBUTE, variant),)
                    self._statements.append(Statement(kind, None, (subject, value, *rest), attributes))
            if covered is None and not variants:
                self._statements.append(Statement(kind, None, (subject, value, *rest)))

    def pair(self, quad: Quad, *, keyed: bool = False) -> list[tuple[Value | None, Identifier | None]]:
        """The keys and entities of the key-entity pair that a triple leads to.

        Args:
            quad: the triple.
            keyed: whether the pair must have a key.
        """
        if not isinstance(quad.object, Identifier):
            self._unmapped.add(quad, NO_IDENTIFIER)
            return []
        pair = quad.object
        quads = self._described.get(pair, [])
        first = pair not in self.pairs
        if first:
            self.pairs[pair] = pair_members(quads, self._value)
        found, rest = self.pairs[pair]
        if not found or rest or not is_blank(pair) or (keyed and found[0][0] is None):
            # No statement stands for all of it, so its triples are kept beside the statement, if there is one.
            self._unmapped.add(quad, NO_PAIR)
            self._referenced.add(quad.subject)
            if first and pair not in self.claims:
                for each in quads:
                    self._unmapped.add(each, NO_PAIR)
        return found

    def _value(self, value: Value) -> Value:
        """The identifier that a qualified name in a literal stands for; any other value as it is."""
        if isinstance(value, Literal) and value.datatype in QUALIFIED_NAMES:
            return self._scope.expand(value.lexical) or value
        return value

    def _attribute(self, quad: Quad) -> Attribute:
        _, predicate, value, _ = quad
        known = self._value(value)
        if known is not value or is_variant(predicate):
            self._triples.keep(quad)
        return ATTRIBUTE_OF.get(predicate, predicate), known

    def _arguments(
        self, name: Identifier, kind: Kind, claims: Sequence[Kind]
    ) -> tuple[list[dict[Term, list[Quad]]], list[Attribute], tuple[DictionaryEntry, ...]]:
        """The values of each argument of a qualified node after the first, its attributes, and its entries."""
        places = PLACES[kind]
        values: list[dict[Term, list[Quad]]] = [{} for _ in kind.arguments[1:]]
        attributes: list[Attribute] = []
        implied: dict[Attribute, None] = {}
        entries: dict[DictionaryEntry, None] = {}
        for quad in self._described.get(name, ()):
            _, predicate, value, _ = quad
            place = places.get(predicate)
            if place is not None:
                term = instant(quad) if predicate == AT_TIME else value if type(value) is Identifier else None
                if term is None:
                    self._unmapped.add(quad, NO_INSTANT if predicate == AT_TIME else NO_IDENTIFIER)
                    self._referenced.add(name)
                else:
                    values[place - 1].setdefault(term, []).append(quad)
                    if is_variant(predicate, kind, place):
                        self._triples.keep(quad)
                    if kind is INFLUENCE and predicate in INFLUENCE_OBJECTS:
                        implied[TYPE_ATTRIBUTE, INFLUENCE_OBJECTS[predicate]] = None
                continue
            if predicate == ENTRIES.get(kind):
                entries.update(dict.fromkeys(self._entries(quad, kind)))
                continue
            attribute = self._attribute(quad)
            if attribute[0] == TYPE_ATTRIBUTE and CLASS.get(value if type(value) is Identifier else "") in claims:
                continue
            if len(claims) == 1 or home(claims, attribute) is kind:
                attributes.append(attribute)
        attributes += [attribute for attribute in implied if attribute not in attributes]
        return values, attributes, tuple(entries)

    def _entries(self, quad: Quad, kind: Kind) -> list[DictionaryEntry]:
        """The entries that one triple of an insertion or removal states."""
        if kind is REMOVAL:
            return [DictionaryEntry(self._value(quad.object))]
        return [DictionaryEntry(key, entity) for key, entity in self.pair(quad, keyed=True) if key is not None]

    def _combinations(
        self, name: Identifier, arguments: list[dict[Term, list[Quad]]], size: int
    ) -> Iterable[tuple[Term, ...]]:
        """The arguments of each statement that a node stands for.

        Several values of one argument are several statements. With several values of two or more arguments a named
        node states all combinations (its identifier is a key, PROV-CONSTRAINTS 23), a blank one only which things it
        relates.

        Args:
            name: the node.
            arguments: for each argument its values, with the quads that state each.
            size: the size of each statement, its attributes included.
        """
        several = [values for values in arguments if len(values) > 1]
        if not several:
            return (tuple([next(iter(values), None) for values in arguments]),)
        kept = several
        if len(several) > 1 and (is_blank(name) or _product(several) > COMBINATIONS):
            kept = [values for values in arguments[:2] if len(values) > 1]
            if _product(kept) > COMBINATIONS:
                kept = kept[:1]
        if _product(kept) * size > _MAX_SIZE:
            kept = []
        for values in several:
            if not any(values is other for other in kept):
                for quad in (quad for quads in values.values() for quad in quads):
                    self._unmapped.add(quad, AMBIGUOUS)
                    self._referenced.add(name)
                values.clear()
        return product(*(values or (None,) for values in arguments))


def _product(arguments: Iterable[Mapping[Term, object]]) -> int:
    return prod(len(values) for values in arguments)
