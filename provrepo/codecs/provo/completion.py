"""The completion: triples that follow from PROV-O triples by fixed rules, so that a query finds either form.

The rules:

* a qualified node relates what its shortcut relates: the shortcut is added, and the class of the node;
* a shortcut that no qualified node accounts for gets a qualified node, with class and object property;
* inverses that PROV-O defines (``prov:generated``, ``prov:invalidated``, ``prov:influenced``) are added in both
  directions; from those whose names it only reserves (appendix B) the property itself is added;
* a revision, quotation or primary source is a derivation, in both forms;
* an insertion into or removal from a dictionary is a derivation of the dictionary, and an entity under one of its keys
  is a member (PROV-Dictionary);
* the narrower classes of PROV-O imply the classes above: a ``prov:Plan`` is a ``prov:Entity``;
* a term of Bioschemas is added with its newest IRI (``bioschemas``);
* a qualified generation or invalidation with a time gives ``prov:generatedAtTime`` or ``prov:invalidatedAtTime``, a
  start or end ``prov:startedAtTime`` or ``prov:endedAtTime`` (PROV-CONSTRAINTS 28 and 29). The reverse is not added:
  no triple states to which of several generations a time belongs.

The completion of completed triples is empty.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from provrepo.codecs.provo.bioschemas import renamed
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.dictionary import PAIR_ENTITY
from provrepo.codecs.provo.terms import (
    AT_TIME,
    BASE_CLASS,
    CLASS,
    COMBINATIONS,
    END_TIME,
    PLACES,
    PREDICATES,
    RELATIONS,
    START_TIME,
    SUBCLASSES,
    SUBTYPES,
    TIMES,
    TYPE,
    VARIANTS,
    Meaning,
    RelationTerms,
    Role,
    specific,
)
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Value
from provrepo.model.statements import DERIVATION, END, INFLUENCE, INSERTION, MEMBERSHIP, REMOVAL, START, Kind
from provrepo.model.uuids import uuid5
from provrepo.vocab import PROV

__all__ = ["ARGUMENTS", "DERIVING", "RELATING", "SUPERCLASSES", "TIME_OF", "Mint", "complete", "minted"]

Mint = Callable[[Identifier, Identifier, Identifier], Identifier]
"""Makes the identifier of a shortcut's qualified node; a pure function of subject, property and object."""

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/provrepo/ns#qualified").bytes

_quad = tuple.__new__
"""Makes a ``Quad`` of a tuple at a third of the cost of calling the class."""

_COLLECTION = Identifier(PROV + "Collection")
SUPERCLASSES: dict[str, tuple[Identifier, ...]] = {
    **{name: (BASE_CLASS[kind],) for name, kind in SUBCLASSES.items()},
    PROV + "EmptyCollection": (_COLLECTION, BASE_CLASS[SUBCLASSES[_COLLECTION]]),
    PROV + "Dictionary": (_COLLECTION, BASE_CLASS[SUBCLASSES[_COLLECTION]]),
    PROV + "EmptyDictionary": (Identifier(PROV + "Dictionary"), _COLLECTION, BASE_CLASS[SUBCLASSES[_COLLECTION]]),
}
"""The classes above each narrower class of element."""

TIME_OF: dict[Kind, Identifier] = {
    **{kind: Identifier(name) for name, kind in TIMES.items()},
    START: START_TIME,
    END: END_TIME,
}
"""The property of an element that states the time of an event."""


def minted(subject: Identifier, predicate: Identifier, value: Identifier) -> Identifier:
    """A ``urn:uuid:`` (version 5) that depends on the triple alone, so that every graph has the same node for it."""
    return Identifier(f"urn:uuid:{uuid5(_SPACE, f'{subject} {predicate} {value}')}")


def complete(quads: Iterable[Quad], mint: Mint = minted, declared: Declared | None = None) -> list[Quad]:
    """The completion of one graph.

    Args:
        quads: all quads of one graph; the new ones belong to the same graph.
        mint: makes the identifiers of the qualified nodes that are added.
        declared: the properties and classes declared below PROV-O's; by default by the graph itself.

    Returns:
        Only new quads, in an order that depends on the order of ``quads`` alone.
    """
    present = dict.fromkeys(quads)
    if declared is None:
        declared = Declared([quad for quad in present if quad.predicate in DECLARATIONS])
    completion = _Completion(present, mint, declared)
    completion.run()
    return completion.added + [quad for quad in dict.fromkeys(renamed(present)) if quad not in present]


class _Completion:
    """Completes one graph.

    Attributes:
        added: the new quads.
    """

    def __init__(self, present: dict[Quad, None], mint: Mint, declared: Declared) -> None:
        self.added: list[Quad] = []
        self._present = present
        self._mint = mint
        self._declared = declared
        self._graph = next((quad.graph for quad in present), None)
        # Shortcuts, asserted or added, in order; the property determines the kind and the variant.
        self._shortcuts: dict[tuple[Identifier, Identifier, Identifier], None] = {}
        # Qualified node → subjects and properties that lead to it, its classes, and its properties with their objects.
        self._links: dict[Identifier, list[tuple[Identifier, Identifier]]] = {}
        self._classes: dict[Identifier, list[Identifier]] = {}
        self._objects: dict[Identifier, list[tuple[Identifier, Value]]] = {}
        self._members: list[tuple[Identifier, Identifier]] = []
        # Kind, subject and object of qualified nodes → the variants that the nodes state.
        self._covered: dict[tuple[Kind, Identifier, Identifier], list[Identifier]] = {}

    def run(self) -> None:
        self._index()
        for node in {**self._links, **self._classes}:
            self._node(node)
        for subject, predicate, value in list(self._shortcuts):
            if PREDICATES[predicate].variant is not None:
                self._shortcuts[subject, RELATIONS[DERIVATION].shortcut, value] = None
            elif predicate in DERIVING:
                # The qualified node of the insertion or removal is the qualified form of this derivation too.
                self._covered.setdefault((DERIVATION, subject, value), [])
                self._shortcuts[subject, RELATIONS[DERIVATION].shortcut, value] = None
        for subject, predicate, value in self._shortcuts:
            self._shortcut(subject, predicate, value)
        member = RELATIONS[MEMBERSHIP].shortcut
        for dictionary, pair in self._members:
            for name, entity in self._objects.get(pair, ()):
                if name == PAIR_ENTITY and type(entity) is Identifier:
                    self._add(dictionary, member, entity)

    def _add(self, subject: Identifier, predicate: Identifier, value: Value) -> None:
        quad = _quad(Quad, (subject, predicate, value, self._graph))
        if quad not in self._present:
            self._present[quad] = None
            self.added.append(quad)

    def _index(self) -> None:
        predicates = self._declared.predicates
        for quad in list(self._present):
            subject, predicate, value, _ = quad
            meaning = predicates.get(predicate)
            if meaning is None:
                if predicate in ARGUMENTS:
                    self._objects.setdefault(subject, []).append((predicate, value))
            elif type(value) is Identifier:
                if meaning.role is Role.TYPE:
                    self._type(subject, value)
                elif meaning.role in RELATING:
                    self._relating(subject, value, meaning)
                elif meaning.role is Role.DICTIONARY_MEMBER:
                    self._members.append((subject, value))

    def _relating(self, subject: Identifier, value: Identifier, meaning: Meaning) -> None:
        # For a declared property the property of PROV-O above it is used.
        terms = RELATIONS[meaning.kind] if meaning.variant is None else VARIANTS[meaning.variant]
        if meaning.role in (Role.SHORTCUT, Role.MENTION):
            self._shortcuts[subject, terms.shortcut, value] = None
        elif meaning.role is Role.INVERSE:
            self._shortcuts[value, terms.shortcut, subject] = None
        elif terms.qualified is not None:
            owner, node = (subject, value) if meaning.role is Role.QUALIFIED else (value, subject)
            self._links.setdefault(node, []).append((owner, terms.qualified))

    def _type(self, subject: Identifier, cls: Identifier) -> None:
        for known in (cls, *self._declared.classes.get(cls, ())):
            if known is not cls:
                self._add(subject, TYPE, Identifier(known))
            for above in SUPERCLASSES.get(known, ()):
                self._add(subject, TYPE, above)
            if known in SUBTYPES or (known in CLASS and not CLASS[known].element):
                self._classes.setdefault(subject, []).append(Identifier(known))

    def _node(self, node: Identifier) -> None:
        links, classes = self._links.get(node, []), self._classes.get(node, [])
        kinds = specific(
            [PREDICATES[predicate].kind for _, predicate in links]
            + [CLASS.get(cls) or SUBTYPES[cls] for cls in classes]
        )
        for kind in kinds:
            terms = RELATIONS[kind]
            mine = [link for link in links if PREDICATES[link[1]].kind in (kind, INFLUENCE)]
            stated = [cls for cls in classes if cls in VARIANTS] + [
                variant for _, predicate in mine if (variant := PREDICATES[predicate].variant) is not None
            ]
            variants = list(dict.fromkeys(stated)) if kind is DERIVATION else []
            for cls in [terms.cls, *variants]:
                if cls is not None:
                    self._add(node, TYPE, cls)
            objects = self._values(node, kind)
            for value in objects:
                self._add(node, terms.properties[0], value)
            for subject, predicate in mine:
                self._add(subject, predicate, node)
            subjects = dict.fromkeys(subject for subject, _ in mine)
            times = self._times(node, kind)
            if min(len(subjects), max(len(objects), len(times))) > COMBINATIONS:
                # As in ``relations``: many on both sides are not one relation; their combinations would be too many.
                objects, times = [], []
            for subject in subjects:
                self._linked(subject, node, terms, variants)
                for time in times:
                    self._add(subject, TIME_OF[kind], time)
                for value in objects:
                    self._covered.setdefault((kind, subject, value), []).extend(variants)
                    self._shortcuts[subject, terms.shortcut, value] = None
                    for variant in variants:
                        self._shortcuts[subject, VARIANTS[variant].shortcut, value] = None

    def _linked(
        self, subject: Identifier, node: Identifier, terms: RelationTerms, variants: Iterable[Identifier]
    ) -> None:
        if terms.qualified is not None:
            self._add(subject, terms.qualified, node)
        for variant in variants:
            self._add(subject, VARIANTS[variant].qualified, node)

    def _values(self, node: Identifier, kind: Kind) -> list[Identifier]:
        """The things that a node relates its subject to."""
        places = PLACES[kind]
        return list(
            dict.fromkeys(
                value
                for predicate, value in self._objects.get(node, ())
                if type(value) is Identifier and places.get(predicate) == 1
            )
        )

    def _times(self, node: Identifier, kind: Kind) -> list[Value]:
        """The times of a node that are added to its subject too."""
        if kind not in TIME_OF:
            return []
        objects = self._objects.get(node, ())
        times = (value for name, value in objects if name == AT_TIME and type(value) is not Identifier)
        return list(dict.fromkeys(times))

    def _shortcut(self, subject: Identifier, predicate: Identifier, value: Identifier) -> None:
        self._add(subject, predicate, value)
        meaning = PREDICATES[predicate]
        terms = RELATIONS[meaning.kind]
        if terms.inverse is not None:
            self._add(value, terms.inverse, subject)
        if terms.qualified is None or terms.cls is None:
            return
        key = (meaning.kind, subject, value)
        known = self._covered.get(key)
        variant = meaning.variant
        if known is not None and (variant is None or variant in known):
            return
        if variant is None and meaning.kind is DERIVATION and self._has_variant(subject, value):
            return
        node = self._mint(subject, predicate, value)
        variants = [] if variant is None else [variant]
        self._covered.setdefault(key, []).extend(variants)
        self._linked(subject, node, terms, variants)
        for cls in [terms.cls, *variants]:
            self._add(node, TYPE, cls)
        self._add(node, terms.properties[0], value)

    def _has_variant(self, subject: Identifier, value: Identifier) -> bool:
        """Whether there is a narrower derivation of the same two things, whose node is also that of the wider one."""
        return any((subject, variant.shortcut, value) in self._shortcuts for variant in VARIANTS.values())


RELATING = (Role.SHORTCUT, Role.INVERSE, Role.MENTION, Role.QUALIFIED, Role.QUALIFIED_INVERSE)
"""The roles of properties that relate things, in short or by a qualified node."""

ARGUMENTS = frozenset([PAIR_ENTITY, *(name for places in PLACES.values() for name in places)])
"""The properties of qualified nodes, and of the pairs of dictionaries, that completion reads."""

DERIVING = (RELATIONS[INSERTION].shortcut, RELATIONS[REMOVAL].shortcut)
"""The properties that relate a dictionary to the one that it was made of."""
