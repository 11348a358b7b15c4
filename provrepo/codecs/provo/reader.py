"""Documents from PROV-O triples, whatever the order of the triples.

How the two forms of a relation are reconciled: each qualified node is a statement. A shortcut is a statement of its
own only where no qualified node relates the same two things. Which of several shortcuts a node belongs to is decided
by that pair and never guessed, so ``a prov:wasAssociatedWith g1, g2 ; prov:qualifiedAssociation [ prov:agent g1 ;
prov:hadPlan p ]`` makes two statements, the first with a plan. A shortcut of a narrower derivation
(``prov:wasRevisionOf``) belongs to a node only if the node has the type ``prov:Revision``.

``prov:generatedAtTime`` and ``prov:invalidatedAtTime`` state when, and not by which activity. The time is that of the
only generation of the entity if there is just one and it has no time yet. It adds nothing where some generation has the
same time. Otherwise it is a generation of its own, without an activity.

A node that is an entity and an agent makes two statements, and ``terms.home`` decides which of them has an attribute.
A thing that is described without a type is an element of the kind that its relations require (PROV-CONSTRAINTS 50),
with a warning; without relations its triples are kept as unmapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from provrepo.codecs.names import PrefixScope
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.dictionary import ENTRIES
from provrepo.codecs.provo.relations import TYPE_ATTRIBUTE, RelationReader
from provrepo.codecs.provo.terms import COMBINATIONS, PLACES, PREDICATES, RELATIONS, Role, specific
from provrepo.codecs.provo.triples import GraphTriples, QualifiedNode, instant
from provrepo.model.document import Bundle, Document, Quad, ReaderWarning, Unmapped
from provrepo.model.identifiers import Identifier, Rdf12Term, Value, is_blank
from provrepo.model.statements import (
    ACTIVITY,
    DICTIONARY_MEMBERSHIP,
    ELEMENTS,
    MENTION,
    Attribute,
    DictionaryEntry,
    Kind,
    Statement,
    Term,
)
from provrepo.model.unmapped import NO_MENTION, NO_PLACE, RDF12
from provrepo.words import counted

__all__ = ["read_quads"]


def read_quads(quads: Iterable[Quad], prefixes: Mapping[str, str] | None = None) -> Document:
    """The document that PROV-O quads describe.

    The default graph is the top level and every named graph a bundle. The same set of quads makes the same
    statements in any order; only the order of the statements depends on it.

    Args:
        quads: of the whole dataset. Blank nodes are labelled ``_:x``, one label for one node.
        prefixes: those that the source declares.
    """
    document = Document(prefixes=dict(prefixes or {}))
    graphs: dict[Identifier | None, list[Quad]] = {None: []}
    referenced: set[str] = set()
    predicates = PREDICATES
    declarations: list[Quad] = []
    for quad in dict.fromkeys(quads):
        _, predicate, value, graph = quad
        try:
            graphs[graph].append(quad)
        except KeyError:
            graphs[graph] = [quad]
        if type(value) is Rdf12Term:
            graphs[graph].pop()
            document.unmapped.add(quad, RDF12)
            referenced.update(name for name in (quad.subject, *value.nodes()) if is_blank(name))
        elif type(value) is Identifier and value.startswith("_:"):
            meaning = predicates.get(predicate)
            if meaning is None or meaning.role is not Role.QUALIFIED:
                referenced.add(value)
        if predicate in DECLARATIONS:
            declarations.append(quad)
    declared = Declared(declarations)
    for name, triples in graphs.items():
        bundle = Bundle(name, document.statements if name is None else [])
        _GraphReader(bundle, declared, referenced, document).read(triples)
        if name is not None:
            document.bundles.append(bundle)
    return document


class _GraphReader:
    """Makes the statements of one instance from the triples of one graph."""

    def __init__(self, bundle: Bundle, declared: Declared, referenced: set[str], document: Document) -> None:
        self._statements = bundle.statements
        self._unmapped: Unmapped = document.unmapped
        self._warnings: list[ReaderWarning] = document.warnings
        self._kept = document.variants
        self._declared = declared
        self._triples = GraphTriples(declared, referenced, document.unmapped)
        self._relations = RelationReader(
            self._triples, bundle.statements, PrefixScope(document.prefixes), document.unmapped
        )

    def read(self, quads: Iterable[Quad]) -> None:
        triples, relations = self._triples, self._relations
        triples.add(quads)
        kinds = {node: _node_kinds(found) for node, found in triples.nodes.items()}
        claims = relations.claims = self._claims(kinds)
        self._described_pairs(claims)
        self._elements(claims)
        for key in triples.order:
            if not isinstance(key, tuple):
                for kind in kinds[key]:
                    relations.qualified(key, kind)
        relations.shortcuts()
        self._mentions()
        self._dictionaries()
        self._event_times()
        self._untyped(claims)
        self._kept += triples.variants.all(self._statements)

    def _claims(self, nodes: Mapping[Identifier, list[Kind]]) -> dict[Identifier, list[Kind]]:
        """For each thing the kinds of statement about it: elements first, then the relations that it identifies."""
        triples = self._triples
        result: dict[Identifier, list[Kind]] = {}
        for name in {**triples.typed, **triples.implied, **triples.activity_times}:
            kinds = triples.typed.get(name, [])
            # A narrower class determines the kind only where no other triple does.
            if not kinds and name not in nodes:
                kinds = triples.implied.get(name, [])
            if name in triples.activity_times:
                kinds = [*kinds, ACTIVITY]
            found = [kind for kind in ELEMENTS if kind in kinds]
            if found:
                result[name] = found
        for name, kinds in nodes.items():
            result[name] = result.get(name, []) + kinds
        return result

    def _elements(self, claims: Mapping[Identifier, list[Kind]]) -> None:
        for name, kinds in claims.items():
            for kind in kinds:
                if not kind.element:
                    continue
                if name in self._triples.nodes:
                    attributes = self._without_arguments(name, kinds, kind)
                else:
                    attributes = self._relations.attributes(name, kinds, kind)
                times: Iterable[tuple[Term, ...]] = ((),)
                if kind is ACTIVITY:
                    times = self._activity_times(name)
                for args in times:
                    self._statements.append(Statement(kind, name, args, attributes))
                    attributes = ()  # stated once; the statements describe one activity

    def _activity_times(self, name: Identifier) -> Iterable[tuple[Term, ...]]:
        """The start and end times of each statement about an activity."""
        starts, ends = self._triples.activity_times.get(name, ((), ()))
        if len(starts) * len(ends) <= COMBINATIONS:
            return product(starts or (None,), ends or (None,))
        return [(start, None) for start in starts] + [(None, end) for end in ends]

    def _without_arguments(self, name: Identifier, kinds: Sequence[Kind], kind: Kind) -> tuple[Attribute, ...]:
        """The attributes of an element that is also a qualified node, without the arguments of its relation."""
        taken = {name for k in kinds if not k.element for name in (*PLACES.get(k, ()), ENTRIES.get(k))}
        taken_classes = {RELATIONS[k].cls for k in kinds if not k.element}
        return tuple(
            (attribute, value)
            for attribute, value in self._relations.attributes(name, kinds, kind)
            if attribute not in taken and not (attribute == TYPE_ATTRIBUTE and value in taken_classes)
        )

    def _mentions(self) -> None:
        for subject, (generals, quads) in self._triples.mentions.items():
            general = list(dict.fromkeys(generals))
            bundles: list[Identifier | None] = [quad.object for quad in quads if isinstance(quad.object, Identifier)]
            if bundles and (not general or (len(general) > 1 and len(bundles) > 1)):
                bundles = []
                for quad in quads:
                    self._unmapped.add(quad, NO_MENTION)
            for thing, bundle in product(general, bundles or [None]):
                self._statements.append(Statement(MENTION, None, (subject, thing, bundle)))

    def _described_pairs(self, claims: Mapping[Identifier, list[Kind]]) -> None:
        """Make attributes of the members that are described as entities themselves, as cwltool writes dictionaries.

        Such a pair is a thing of its own with its key among its attributes. A membership has no argument for it, so it
        becomes an attribute of its dictionary.
        """

        def is_element(thing: Value) -> bool:
            return type(thing) is Identifier and any(kind.element for kind in claims.get(thing, ()))

        triples = self._triples
        if not any(is_element(quad.object) for quad in triples.members):
            return
        members, triples.members = triples.members, []
        for quad in members:
            if not (is_element(quad.object) and is_element(quad.subject)):
                triples.members.append(quad)
            elif quad.predicate not in self._declared.own:
                triples.describe(quad)

    def _dictionaries(self) -> None:
        for quad in self._triples.members:
            for key, entity in self._relations.pair(quad):
                entries = () if key is None else (DictionaryEntry(key),)
                args = (quad.subject, entity)
                self._statements.append(Statement(DICTIONARY_MEMBERSHIP, None, args, entries=entries))

    def _event_times(self) -> None:
        """Join ``prov:generatedAtTime`` and ``prov:invalidatedAtTime`` with the event that they are the time of."""
        times = self._triples.event_times
        if not times:
            return
        events: dict[tuple[Kind, str], list[int]] = {}
        for index, statement in enumerate(self._statements):
            if statement.args and (statement.kind, statement.args[0]) in times:
                events.setdefault((statement.kind, str(statement.args[0])), []).append(index)
        for (kind, entity), quads in times.items():
            indices = events.get((kind, entity), [])
            instants = dict.fromkeys(instant(quad) for quad in quads)
            known = {self._statements[index].args[2] for index in indices}
            if len(indices) == 1 and len(instants) == 1 and known == {None}:
                sole = self._statements[indices[0]]
                args = (*sole.args[:2], next(iter(instants)))
                self._statements[indices[0]] = Statement(kind, sole.id, args, sole.attributes)
                continue
            new = [time for time in instants if time not in known]
            self._statements.extend(Statement(kind, None, (entity, None, time)) for time in new)

    def _untyped(self, claims: Mapping[Identifier, list[Kind]]) -> None:
        """Things that are described without a type: elements if their relations require a kind, otherwise unmapped."""
        described, pairs = self._triples.described, self._relations.pairs
        left = [name for name in described if name not in claims and name not in pairs]
        if not left:
            return
        used: dict[str, list[Kind]] = {}
        for statement in self._statements:
            terms = RELATIONS.get(statement.kind)
            if terms is not None:
                for term, end in zip(statement.args, terms.ends, strict=True):
                    if end is not None and term is not None:
                        used.setdefault(term, []).append(end)
        guessed = 0
        for name in left:
            kinds = [kind for kind in ELEMENTS if kind in used.get(name, ())]
            if not kinds:
                for quad in described[name]:
                    self._unmapped.add(quad, NO_PLACE)
                continue
            guessed += 1
            self._statements.append(
                Statement(
                    kinds[0],
                    name,
                    (None,) * len(kinds[0].arguments),
                    self._relations.attributes(name, kinds[:1], kinds[0]),
                )
            )
        if guessed:
            what = counted(guessed, "thing is", "things are")
            self._warnings.append(ReaderWarning(f"{what} described but not typed; read as what the relations require"))


def _node_kinds(node: QualifiedNode) -> list[Kind]:
    kinds = {link.kind for link in node.links}.union(node.classes)
    return list(kinds) if len(kinds) == 1 else specific(kinds)
