"""The rules of ``provrepo.codecs.provo.completion`` on a graph of integers.

The result is the same. The rules are applied to whole columns where the triples of a predicate are treated alike, and
the qualified nodes that are added have no IRI until it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from provrepo.checks.shacl.graph import Graph, Pairs
from provrepo.codecs.provo.bioschemas import moved
from provrepo.codecs.provo.completion import ARGUMENTS, DERIVING, RELATING, SUPERCLASSES, TIME_OF
from provrepo.codecs.provo.declared import Declared
from provrepo.codecs.provo.dictionary import PAIR_ENTITY
from provrepo.codecs.provo.terms import (
    AT_TIME,
    CLASS,
    COMBINATIONS,
    PLACES,
    PREDICATES,
    RELATIONS,
    SUBTYPES,
    TYPE,
    VARIANTS,
    Meaning,
    RelationTerms,
    Role,
    specific,
)
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import DERIVATION, INFLUENCE, MEMBERSHIP, Kind

__all__ = ["complete"]

Pair: TypeAlias = "tuple[int, int]"

_DERIVED_FROM = RELATIONS[DERIVATION].shortcut


def complete(graph: Graph, declared: Declared) -> None:
    """Add to a graph the triples that follow from it.

    Args:
        graph: asserted triples; those that are added stand behind them in the columns.
        declared: what the document declares below the terms of PROV-O.
    """
    completion = _Completion(graph, declared)
    completion.run()
    _rename(graph)
    graph.changed()


def _rename(graph: Graph) -> None:
    """Add to what has a former IRI of Bioschemas the newest one (``provrepo.codecs.provo.bioschemas``)."""
    newest = moved()
    for predicate in [name for name in graph.predicates if name in newest]:
        former = graph.predicates[predicate]
        columns = graph.columns(newest[predicate])
        known = set(zip(columns.subjects, columns.objects, strict=True))
        for pair in zip(former.subjects, former.objects, strict=True):
            if pair not in known:
                _append(columns, [pair])
    types = graph.columns(TYPE)
    former_classes = {number: newest[name] for name in newest if (number := graph.find(Identifier(name))) is not None}
    for number, name in former_classes.items():
        renamed = [subject for subject, cls in zip(types.subjects, types.objects, strict=True) if cls == number]
        if renamed:
            cls = graph.number(name)
            known = set(zip(types.subjects, types.objects, strict=True))
            _append(types, [(subject, cls) for subject in dict.fromkeys(renamed) if (subject, cls) not in known])


def _append(columns: Pairs, pairs: Iterable[Pair]) -> None:
    for subject, value in pairs:
        columns.subjects.append(subject)
        columns.objects.append(value)


class _Columns:
    """The triples of one predicate while some are added to them, each once."""

    __slots__ = ("_known", "pairs")

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._known = set(zip(pairs.subjects, pairs.objects, strict=True))

    def add(self, subject: int, value: int) -> None:
        """Add a triple that may be there already."""
        pair = subject, value
        if pair not in self._known:
            self._known.add(pair)
            self.pairs.subjects.append(subject)
            self.pairs.objects.append(value)

    def add_all(self, pairs: Iterable[Pair]) -> None:
        """Add triples that may be there already."""
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        self._known.update(new)
        self.pairs.subjects += [subject for subject, _ in new]
        self.pairs.objects += [value for _, value in new]

    def add_columns(self, subjects: Sequence[int], values: Sequence[int], *, are_new: bool) -> None:
        """Add triples.

        Args:
            subjects: of the triples.
            values: their objects.
            are_new: whether none of them is there already, and none is added again.
        """
        if are_new:
            self.pairs.subjects += subjects
            self.pairs.objects += values
        else:
            self.add_all(zip(subjects, values, strict=True))


class _Completion:
    """One graph while it is completed."""

    def __init__(self, graph: Graph, declared: Declared) -> None:
        self._graph = graph
        self._declared = declared
        self._literals = graph.literals()
        self._columns: dict[str, _Columns] = {}
        # The pairs of each property that relates things directly, asserted or not.
        self._shortcuts: dict[Identifier, dict[Pair, None]] = {}
        # Qualified nodes: their subjects and the properties that lead there, their classes, their values.
        self._links: dict[int, list[tuple[int, Identifier]]] = {}
        self._classes: dict[int, list[Identifier]] = {}
        self._values: dict[int, list[tuple[str, int]]] = {}
        self._members: list[Pair] = []
        # Kind, subject and object of qualified nodes, with the variants that the nodes are.
        self._covered: dict[tuple[Kind, int, int], list[Identifier]] = {}

    def run(self) -> None:
        """Apply all rules but that of Bioschemas."""
        for predicate in list(self._graph.predicates):
            self._index(predicate)
        for node in {**self._links, **self._classes}:
            self._node(node)
        self._derive()
        for predicate, pairs in self._shortcuts.items():
            self._shortcut(predicate, list(pairs))
        for dictionary, pair in self._members:
            for name, value in self._values.get(pair, ()):
                if name == PAIR_ENTITY and value not in self._literals:
                    self._of(RELATIONS[MEMBERSHIP].shortcut).add(dictionary, value)

    def _of(self, predicate: str) -> _Columns:
        columns = self._columns.get(predicate)
        if columns is None:
            columns = self._columns[predicate] = _Columns(self._graph.columns(predicate))
        return columns

    # What is there ----------------------------------------------------------------------------------------------

    def _index(self, predicate: str) -> None:
        pairs = self._graph.predicates[predicate]
        meaning = self._declared.predicates.get(predicate)
        triples = list(zip(pairs.subjects, pairs.objects, strict=True))
        if meaning is None:
            if predicate in ARGUMENTS:
                for subject, value in triples:
                    self._values.setdefault(subject, []).append((predicate, value))
            return
        if not self._literals.isdisjoint(pairs.objects):
            triples = [pair for pair in triples if pair[1] not in self._literals]
        if meaning.role is Role.TYPE:
            self._types(triples)
        elif meaning.role in RELATING:
            self._relating(triples, meaning)
        elif meaning.role is Role.DICTIONARY_MEMBER:
            self._members += triples

    def _types(self, triples: Sequence[Pair]) -> None:
        instances: dict[int, list[int]] = {}
        for subject, cls in triples:
            instances.setdefault(cls, []).append(subject)
        for number, subjects in instances.items():
            asserted = self._graph.identifier(number)
            above: dict[str, None] = {}
            for cls in (asserted, *self._declared.classes.get(asserted, ())):
                if cls is not asserted:
                    above[cls] = None
                above.update(dict.fromkeys(SUPERCLASSES.get(cls, ())))
                if cls in SUBTYPES or (cls in CLASS and not CLASS[cls].element):
                    for subject in subjects:
                        self._classes.setdefault(subject, []).append(Identifier(cls))
            for wider_class in above:
                wider = self._graph.number(Identifier(wider_class))
                self._of(TYPE).add_all([(subject, wider) for subject in subjects])

    def _relating(self, triples: Sequence[Pair], meaning: Meaning) -> None:
        # Declared properties come in as the property of PROV-O that they are below.
        terms = RELATIONS[meaning.kind] if meaning.variant is None else VARIANTS[meaning.variant]
        if meaning.role in (Role.SHORTCUT, Role.MENTION):
            self._shortcuts.setdefault(terms.shortcut, {}).update(dict.fromkeys(triples))
        elif meaning.role is Role.INVERSE:
            reversed_ = ((value, subject) for subject, value in triples)
            self._shortcuts.setdefault(terms.shortcut, {}).update(dict.fromkeys(reversed_))
        elif terms.qualified is not None:
            for subject, value in triples:
                owner, node = (subject, value) if meaning.role is Role.QUALIFIED else (value, subject)
                self._links.setdefault(node, []).append((owner, terms.qualified))

    # Qualified nodes --------------------------------------------------------------------------------------------

    def _node(self, node: int) -> None:
        links, classes = self._links.get(node, []), self._classes.get(node, [])
        kinds = specific(
            [PREDICATES[predicate].kind for _, predicate in links]
            + [CLASS.get(cls) or SUBTYPES[cls] for cls in classes]
        )
        for kind in kinds:
            terms = RELATIONS[kind]
            mine = [link for link in links if PREDICATES[link[1]].kind in (kind, INFLUENCE)]
            variants = _variants(kind, classes, (predicate for _, predicate in mine))
            for cls in [terms.cls, *variants]:
                if cls is not None:
                    self._of(TYPE).add(node, self._graph.number(cls))
            objects = self._arguments(node, kind)
            for value in objects:
                self._of(terms.properties[0]).add(node, value)
            for subject, predicate in mine:
                self._of(predicate).add(subject, node)
            subjects = list(dict.fromkeys(subject for subject, _ in mine))
            times = self._times(node, kind)
            if min(len(subjects), max(len(objects), len(times))) > COMBINATIONS:
                # As the reader has it: so many on both sides are not one relation.
                objects, times = [], []
            for time in times:
                self._of(TIME_OF[kind]).add_all([(subject, time) for subject in subjects])
            self._qualify(node, terms, variants, subjects, objects)

    def _qualify(
        self,
        node: int,
        terms: RelationTerms,
        variants: Sequence[Identifier],
        subjects: Sequence[int],
        objects: Sequence[int],
    ) -> None:
        for subject in subjects:
            if terms.qualified is not None:
                self._of(terms.qualified).add(subject, node)
            for variant in variants:
                self._of(VARIANTS[variant].qualified).add(subject, node)
            for value in objects:
                self._covered.setdefault((terms.kind, subject, value), []).extend(variants)
                self._shortcuts.setdefault(terms.shortcut, {})[subject, value] = None
                for variant in variants:
                    self._shortcuts.setdefault(VARIANTS[variant].shortcut, {})[subject, value] = None

    def _arguments(self, node: int, kind: Kind) -> list[int]:
        """What a node relates its subject to."""
        places, literals = PLACES[kind], self._literals
        values = self._values.get(node, ())
        return list(dict.fromkeys(value for name, value in values if value not in literals and places.get(name) == 1))

    def _times(self, node: int, kind: Kind) -> list[int]:
        """The instants of a node that its subject has too."""
        if kind not in TIME_OF:
            return []
        values = self._values.get(node, ())
        return list(dict.fromkeys(value for name, value in values if name == AT_TIME and value in self._literals))

    # Shortcuts --------------------------------------------------------------------------------------------------

    def _derive(self) -> None:
        """Revisions, quotations, primary sources, insertions and removals are derivations."""
        for predicate, pairs in list(self._shortcuts.items()):
            if predicate in DERIVING:
                # The insertion's own node is the qualified form of this derivation.
                for subject, value in pairs:
                    self._covered.setdefault((DERIVATION, subject, value), [])
            if predicate in DERIVING or PREDICATES[predicate].variant is not None:
                self._shortcuts.setdefault(_DERIVED_FROM, {}).update(pairs)

    def _shortcut(self, predicate: Identifier, pairs: list[Pair]) -> None:
        self._of(predicate).add_all(pairs)
        meaning = PREDICATES[predicate]
        terms = RELATIONS[meaning.kind]
        if terms.inverse is not None:
            self._of(terms.inverse).add_all((value, subject) for subject, value in pairs)
        if terms.qualified is not None and terms.cls is not None:
            self._mint(predicate, meaning, terms, self._uncovered(meaning, pairs))

    def _uncovered(self, meaning: Meaning, pairs: list[Pair]) -> list[Pair]:
        """The pairs that no qualified node relates."""
        kind, variant = meaning.kind, meaning.variant
        if self._covered:
            nodes = self._covered
            pairs = [
                pair
                for pair in pairs
                if (found := nodes.get((kind, *pair))) is None or (variant is not None and variant not in found)
            ]
        if variant is None and kind is DERIVATION:
            # The node of a narrower derivation of the same two things serves for the wider one.
            narrower = [self._shortcuts.get(each.shortcut, {}) for each in VARIANTS.values()]
            pairs = [pair for pair in pairs if not any(pair in each for each in narrower)]
        return pairs

    def _mint(self, predicate: Identifier, meaning: Meaning, terms: RelationTerms, pairs: list[Pair]) -> None:
        """Add a qualified node for each pair."""
        if not pairs or terms.cls is None or terms.qualified is None:
            return
        subjects, objects = [subject for subject, _ in pairs], [value for _, value in pairs]
        nodes = self._graph.mint(subjects, predicate, objects)
        qualified, classes = [terms.qualified], [terms.cls]
        if meaning.variant is not None:
            qualified.append(VARIANTS[meaning.variant].qualified)
            classes.append(meaning.variant)
            for subject, value in pairs:
                self._covered.setdefault((meaning.kind, subject, value), []).append(meaning.variant)
        are_new = isinstance(nodes, range)
        nodes = list(nodes)  # the columns share these integers
        for name in qualified:
            self._of(name).add_columns(subjects, nodes, are_new=are_new)
        for cls in classes:
            self._of(TYPE).add_columns(nodes, [self._graph.number(cls)] * len(nodes), are_new=are_new)
        self._of(terms.properties[0]).add_columns(nodes, objects, are_new=are_new)


def _variants(kind: Kind, classes: Iterable[Identifier], predicates: Iterable[Identifier]) -> list[Identifier]:
    """The narrower derivations that a node is, by its classes and by the properties that lead to it."""
    if kind is not DERIVATION:
        return []
    by_class = [cls for cls in classes if cls in VARIANTS]
    by_property = [variant for predicate in predicates if (variant := PREDICATES[predicate].variant) is not None]
    return list(dict.fromkeys(by_class + by_property))
