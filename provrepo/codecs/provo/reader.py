"""PROV-O triples to statements, whatever their order.

How the two forms of a relation are reconciled: each qualified node is a statement. A shortcut is a statement of its
own only where no qualified node relates the same two things; which of several shortcuts a node belongs to is decided by
that pair and never guessed, so ``a prov:wasAssociatedWith g1, g2 ; prov:qualifiedAssociation [ prov:agent g1 ;
prov:hadPlan p ]`` makes two statements, the first with a plan. A shortcut of a narrower derivation
(``prov:wasRevisionOf``) belongs to a node only if the node says it is a revision.

``prov:generatedAtTime`` and ``prov:invalidatedAtTime`` say when, not by what. The instant is that of the only
generation of the entity if there is just one and it has no time yet; it adds nothing where some generation has the
same time; otherwise it is a generation of its own, by nothing that is named.

A node that is an entity and an agent makes two statements, and ``provo_terms.home`` says which of them has an
attribute. What is described without being typed is an element of the kind that its relations require
(PROV-CONSTRAINTS 50), with a warning; without relations the triples are kept as unmapped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from provrepo.codecs.names import Scope
from provrepo.codecs.provo.declared import DECLARATIONS, Declared
from provrepo.codecs.provo.dictionary import ENTRIES, pair_members
from provrepo.codecs.provo.terms import (
    AT_TIME,
    ATTRIBUTE_OF,
    CLASS,
    COMBINATIONS,
    INFLUENCE_OBJECTS,
    PLACES,
    PREDICATES,
    QUALIFIED_NAMES,
    RELATIONS,
    SUBCLASSES,
    SUBTYPES,
    VARIANTS,
    Meaning,
    Role,
    home,
    specific,
)
from provrepo.codecs.provo.variants import Variants, is_variant
from provrepo.model.document import Bundle, Document, Quad, Unmapped, Warned
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term, Value, is_blank
from provrepo.model.statements import (
    ACTIVITY,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    ELEMENTS,
    INFLUENCE,
    MENTION,
    REMOVAL,
    Attribute,
    Entry,
    Kind,
    Statement,
    Term,
)
from provrepo.model.unread import (
    AMBIGUOUS,
    NO_IDENTIFIER,
    NO_INSTANT,
    NO_MENTION,
    NO_PAIR,
    NO_PLACE,
    RDF12,
)
from provrepo.vocab import PROV_TYPE, XSD_DATETIME

__all__ = ["read_quads"]

_TYPE = Identifier(PROV_TYPE)
_WEIGHT = 100_000
"""The most that one node may come to, statements times what each of them holds: more is an attack or a mistake."""

_Pair: TypeAlias = tuple[Kind, Identifier, Identifier]


def read_quads(quads: Iterable[Quad], prefixes: Mapping[str, str] | None = None) -> Document:
    """The document that PROV-O quads describe.

    The default graph is the top level and every named graph a bundle. The same set of quads makes the same
    statements in whatever order it comes; the order decides only in which order they are listed.

    Args:
        quads: of the whole dataset. Blank nodes are labelled ``_:x``, one label for one node.
        prefixes: what the source declares.
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
    for name, held in graphs.items():
        bundle = Bundle(name, document.statements if name is None else [])
        _Instance(bundle, declared, referenced, document).read(held)
        if name is not None:
            document.bundles.append(bundle)
    return document


_OWN_ROLES = (Role.TYPE, Role.QUALIFIED_INVERSE)
"""What a qualified node says of itself; in any other role it is a thing that something is said about."""


class _Link(NamedTuple):
    """A triple that leads from a thing to the qualified node of one of its relations."""

    kind: Kind
    subject: Identifier
    variant: Identifier | None
    quad: Quad


class _Node:
    """A qualified node while its triples come in.

    Attributes:
        links: who has it.
        classes: the kinds that its classes say.
    """

    __slots__ = ("classes", "links")

    def __init__(self) -> None:
        self.links: list[_Link] = []
        self.classes: list[Kind] = []


class _Instance:
    """One graph on its way to the statements of one instance."""

    def __init__(self, bundle: Bundle, declared: Declared, referenced: set[str], document: Document) -> None:
        self.statements = bundle.statements
        self.unmapped: Unmapped = document.unmapped
        self.warnings: list[Warned] = document.warnings
        self.kept = document.variants
        self.variants = Variants()
        self.declared = declared
        self.scope = Scope(document.prefixes)
        self.referenced = referenced
        # What the triples say, by what they are about.
        self.described: dict[Identifier, list[Quad]] = {}
        self.typed: dict[Identifier, list[Kind]] = {}
        self.implied: dict[Identifier, list[Kind]] = {}
        self.times: dict[tuple[Kind, Identifier], list[Quad]] = {}
        self.spans: dict[Identifier, tuple[list[str], list[str]]] = {}
        self.mentions: dict[Identifier, tuple[list[Identifier], list[Quad]]] = {}
        self.claims: dict[Identifier, list[Kind]] = {}
        self.members: list[Quad] = []
        self.joined: dict[Identifier, tuple[list[tuple[Value | None, Identifier | None]], list[Quad]]] = {}
        self.pairs: dict[_Pair, list[Identifier | None]] = {}
        self.nodes: dict[Identifier, _Node] = {}
        # Relations in the order in which they are first seen: shortcuts as pairs, nodes as identifiers.
        self.order: dict[_Pair | Identifier, None] = {}
        self.covered: dict[_Pair, list[list[Identifier]]] = {}

    def read(self, quads: Iterable[Quad]) -> None:
        predicates, described, own = self.declared.predicates, self.described, self.declared.own
        handlers: dict[Role, Callable[[Quad, Meaning], None]] = {
            Role.TYPE: self._type,
            Role.SHORTCUT: self._shortcut,
            Role.INVERSE: self._inverse,
            Role.QUALIFIED: self._qualified,
            Role.QUALIFIED_INVERSE: self._qualified_inverse,
            Role.TIME: self._time,
            Role.ACTIVITY_TIME: self._activity_time,
            Role.MENTION: self._mention,
            Role.IN_BUNDLE: self._in_bundle,
            Role.DICTIONARY_MEMBER: self._member,
        }
        table = {name: (handlers[m.role], m, m.role in _OWN_ROLES, name in own) for name, m in predicates.items()}
        for quad in quads:
            found = table.get(quad[1])
            if found is not None:
                handler, meaning, of_itself, says_more = found
                if not of_itself and quad[0].startswith("_:"):
                    self.referenced.add(quad[0])
                handler(quad, meaning)
                if not says_more:
                    continue
            try:
                described[quad[0]].append(quad)
            except KeyError:
                described[quad[0]] = [quad]
        kinds = {node: self._node_kinds(found) for node, found in self.nodes.items()}
        claims = self.claims = self._claims(kinds)
        self._described_pairs()
        self._elements(claims)
        for key in self.order:
            if isinstance(key, tuple):
                continue
            for kind in kinds[key]:
                self._relation(key, kind, claims[key])
        self._shortcuts_alone()
        self._mentioned()
        self._dictionaries()
        self._instants()
        self._leftovers(claims)
        self.kept += self.variants.all(self.statements)

    # --- what one triple says -------------------------------------------------------------------------------------

    def _describe(self, quad: Quad) -> None:
        self.described.setdefault(quad.subject, []).append(quad)

    def _keep(self, quad: Quad) -> None:
        """Keep a triple about a node, which must then be written under the name that the triple has for it."""
        self.variants.add(quad)
        self.referenced.add(quad.subject)

    def _type(self, quad: Quad, _meaning: Meaning) -> None:
        subject, _, value, _ = quad
        if type(value) is not Identifier:
            self._describe(quad)
            return
        kind = CLASS.get(value)
        if kind is not None and kind.element:
            self.typed.setdefault(subject, []).append(kind)
            return
        self._describe(quad)
        for cls in (value, *self.declared.classes.get(value, ())):
            found = CLASS.get(cls) or SUBTYPES.get(cls)
            if found is None:
                implied = SUBCLASSES.get(cls)
                if implied is not None:
                    self.implied.setdefault(subject, []).append(implied)
            elif found.element:
                self.implied.setdefault(subject, []).append(found)
            else:
                self._node(subject).classes.append(found)

    def _node(self, name: Identifier) -> _Node:
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = _Node()
            self.order[name] = None
        return node

    def _pair(self, kind: Kind, subject: Identifier, value: Identifier, variant: Identifier | None) -> None:
        key = (kind, subject, value)
        known = self.pairs.get(key)
        if known is None:
            self.pairs[key] = [variant]
            self.order[key] = None
        else:
            known.append(variant)

    def _shortcut(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._pair(meaning.kind, quad.subject, quad.object, meaning.variant)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _inverse(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._pair(meaning.kind, quad.object, quad.subject, meaning.variant)
            self.variants.add(quad)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _qualified(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._node(quad.object).links.append(_Link(meaning.kind, quad.subject, meaning.variant, quad))
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _qualified_inverse(self, quad: Quad, meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self._node(quad.subject).links.append(_Link(meaning.kind, quad.object, meaning.variant, quad))
            self._keep(quad)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _time(self, quad: Quad, meaning: Meaning) -> None:
        if _instant(quad) is None:
            self.unmapped.add(quad, NO_INSTANT)
        else:
            self.times.setdefault((meaning.kind, quad.subject), []).append(quad)
            self.variants.add(quad)

    def _activity_time(self, quad: Quad, meaning: Meaning) -> None:
        lexical = _instant(quad)
        if lexical is None:
            self.unmapped.add(quad, NO_INSTANT)
            return
        self.spans.setdefault(quad.subject, ([], []))[meaning.position].append(lexical)

    def _mention(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.mentions.setdefault(quad.subject, ([], []))[0].append(quad.object)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _in_bundle(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.mentions.setdefault(quad.subject, ([], []))[1].append(quad)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    def _member(self, quad: Quad, _meaning: Meaning) -> None:
        if type(quad.object) is Identifier:
            self.members.append(quad)
        else:
            self.unmapped.add(quad, NO_IDENTIFIER)

    # --- statements -----------------------------------------------------------------------------------------------

    def _node_kinds(self, node: _Node) -> list[Kind]:
        kinds = {link.kind for link in node.links}.union(node.classes)
        return list(kinds) if len(kinds) == 1 else specific(kinds)

    def _claims(self, nodes: Mapping[Identifier, list[Kind]]) -> dict[Identifier, list[Kind]]:
        """For each thing the kinds of statement about it: elements first, then the relations that it names."""
        result: dict[Identifier, list[Kind]] = {}
        for name in {**self.typed, **self.implied, **self.spans}:
            kinds = self.typed.get(name, [])
            # A narrower class speaks for itself only where nothing says what the thing is.
            if not kinds and name not in nodes:
                kinds = self.implied.get(name, [])
            if name in self.spans:
                kinds = [*kinds, ACTIVITY]
            found = [kind for kind in ELEMENTS if kind in kinds]
            if found:
                result[name] = found
        for name, kinds in nodes.items():
            result[name] = result.get(name, []) + kinds
        return result

    def _value(self, value: Value) -> Value:
        """A qualified name spelled as a literal is the identifier that it stands for, if its prefix is declared."""
        if isinstance(value, Literal) and value.datatype in QUALIFIED_NAMES:
            return self.scope.expand(value.lexical) or value
        return value

    def _attribute(self, quad: Quad) -> Attribute:
        """What a triple says as an attribute."""
        _, predicate, value, _ = quad
        known = self._value(value)
        if known is not value or is_variant(predicate):
            self._keep(quad)
        return ATTRIBUTE_OF.get(predicate, predicate), known

    def _attributes(self, name: Identifier, kinds: Sequence[Kind], kind: Kind) -> tuple[Attribute, ...]:
        """The attributes of one of the statements about a thing."""
        found = []
        for quad in self.described.get(name, ()):
            attribute = self._attribute(quad)
            if len(kinds) == 1 or home(kinds, attribute) is kind:
                found.append(attribute)
        return tuple(found)

    def _elements(self, claims: Mapping[Identifier, list[Kind]]) -> None:
        for name, kinds in claims.items():
            for kind in kinds:
                if not kind.element:
                    continue
                if name in self.nodes:
                    attributes = self._arguments_apart(name, kinds, kind)
                else:
                    attributes = self._attributes(name, kinds, kind)
                spans: Iterable[tuple[Term, ...]] = ((),)
                if kind is ACTIVITY:
                    spans = self._span(name)
                for args in spans:
                    self.statements.append(Statement(kind, name, args, attributes))
                    attributes = ()  # said once; the statements speak of one activity

    def _span(self, name: Identifier) -> Iterable[tuple[Term, ...]]:
        starts, ends = self.spans.get(name, ((), ()))
        if len(starts) * len(ends) <= COMBINATIONS:
            return product(starts or (None,), ends or (None,))
        return [(start, None) for start in starts] + [(None, end) for end in ends]

    def _arguments_apart(self, name: Identifier, kinds: Sequence[Kind], kind: Kind) -> tuple[Attribute, ...]:
        """The attributes of an element whose identifier also names a relation, whose arguments are not attributes."""
        taken = {name for k in kinds if not k.element for name in (*PLACES.get(k, ()), ENTRIES.get(k))}
        taken_classes = {RELATIONS[k].cls for k in kinds if not k.element}
        return tuple(
            (attribute, value)
            for attribute, value in self._attributes(name, kinds, kind)
            if attribute not in taken and not (attribute == _TYPE and value in taken_classes)
        )

    def _relation(self, name: Identifier, kind: Kind, claims: Sequence[Kind]) -> None:
        """The statements that a qualified node makes: one, unless it has several values in one place."""
        node = self.nodes[name]
        links = [link for link in node.links if link.kind is kind or link.kind is INFLUENCE]
        values, attributes, entries = self._arguments(name, kind, claims)
        subjects: dict[Term, list[Quad]] = {}
        for link in links:
            subjects.setdefault(link.subject, []).append(link.quad)
        for variant in dict.fromkeys(link.variant for link in links if link.variant is not None):
            if (_TYPE, variant) not in attributes:
                attributes.append((_TYPE, variant))
        combinations = self._combine(name, [subjects, *values], 1 + len(attributes) + len(entries))
        own: Identifier | None = name
        if is_blank(name) and name not in self.referenced and len(claims) == 1:
            own = None
        frozen = tuple(attributes)
        if self.variants.links(Statement(kind, own, (), frozen), (link.quad for link in links)):
            own = name
        if own is None:
            self.variants.node(len(self.statements), [link.quad for link in links] + self.described.get(name, []))
        variants = [value for key, value in frozen if key == _TYPE and value in VARIANTS and type(value) is Identifier]
        for args in combinations:
            self.statements.append(Statement(kind, own, args, frozen, entries=entries))
            subject, value = args[:2]
            if isinstance(subject, Identifier) and isinstance(value, Identifier):
                self.covered.setdefault((kind, subject, value), []).append(variants)

    def _arguments(
        self, name: Identifier, kind: Kind, claims: Sequence[Kind]
    ) -> tuple[list[dict[Term, list[Quad]]], list[Attribute], tuple[Entry, ...]]:
        """What a qualified node holds: the values of each argument after the first, its attributes, its entries."""
        places = PLACES[kind]
        values: list[dict[Term, list[Quad]]] = [{} for _ in kind.arguments[1:]]
        attributes: list[Attribute] = []
        implied: dict[Attribute, None] = {}
        entries: dict[Entry, None] = {}
        for quad in self.described.get(name, ()):
            _, predicate, value, _ = quad
            place = places.get(predicate)
            if place is not None:
                term = _instant(quad) if predicate == AT_TIME else value if type(value) is Identifier else None
                if term is None:
                    self.unmapped.add(quad, NO_INSTANT if predicate == AT_TIME else NO_IDENTIFIER)
                    self.referenced.add(name)
                else:
                    values[place - 1].setdefault(term, []).append(quad)
                    if is_variant(predicate, kind, place):
                        self._keep(quad)
                    if kind is INFLUENCE and predicate in INFLUENCE_OBJECTS:
                        implied[_TYPE, INFLUENCE_OBJECTS[predicate]] = None
                continue
            if predicate == ENTRIES.get(kind):
                entries.update(dict.fromkeys(self._entries(quad, kind)))
                continue
            attribute = self._attribute(quad)
            if attribute[0] == _TYPE and CLASS.get(value if type(value) is Identifier else "") in claims:
                continue
            if len(claims) == 1 or home(claims, attribute) is kind:
                attributes.append(attribute)
        attributes += [attribute for attribute in implied if attribute not in attributes]
        return values, attributes, tuple(entries)

    def _entries(self, quad: Quad, kind: Kind) -> list[Entry]:
        """What one triple says of the keys that a derivation inserts or removes."""
        if kind is REMOVAL:
            return [Entry(self._value(quad.object))]
        return [Entry(key, entity) for key, entity in self._joined(quad, keyed=True) if key is not None]

    def _joined(self, quad: Quad, *, keyed: bool = False) -> list[tuple[Value | None, Identifier | None]]:
        """What the pair that a triple leads to joins; ``keyed`` where it must have a key."""
        if not isinstance(quad.object, Identifier):
            self.unmapped.add(quad, NO_IDENTIFIER)
            return []
        pair = quad.object
        held = self.described.get(pair, [])
        first = pair not in self.joined
        if first:
            self.joined[pair] = pair_members(held, self._value)
        found, rest = self.joined[pair]
        if not found or rest or not is_blank(pair) or (keyed and found[0][0] is None):
            # No statement says all of it, so that its triples are kept beside the statement there may be.
            self.unmapped.add(quad, NO_PAIR)
            self.referenced.add(quad.subject)
            if first and pair not in self.claims:
                for each in held:
                    self.unmapped.add(each, NO_PAIR)
        return found

    def _combine(
        self, name: Identifier, places: list[dict[Term, list[Quad]]], weight: int
    ) -> Iterable[tuple[Term, ...]]:
        """The arguments of each statement that a node stands for.

        Several values in one place are several statements. With several in two or more places a named node says that
        all of them hold (its identifier is a key, PROV-CONSTRAINTS 23), a blank one only which things it relates.

        Args:
            name: the node.
            places: the quads that give each value of each argument.
            weight: how much each statement takes, its attributes included.
        """
        several = [place for place in places if len(place) > 1]
        if not several:
            return (tuple([next(iter(place), None) for place in places]),)
        kept = several
        if len(several) > 1 and (is_blank(name) or _product(several) > COMBINATIONS):
            kept = [place for place in places[:2] if len(place) > 1]
            if _product(kept) > COMBINATIONS:
                kept = kept[:1]
        if _product(kept) * weight > _WEIGHT:
            kept = []
        for place in several:
            if not any(place is other for other in kept):
                for quad in (quad for quads in place.values() for quad in quads):
                    self.unmapped.add(quad, AMBIGUOUS)
                    self.referenced.add(name)
                place.clear()
        return product(*(place or (None,) for place in places))

    def _shortcuts_alone(self) -> None:
        """Statements for the shortcuts that no qualified node accounts for."""
        for key in self.order:
            if not isinstance(key, tuple):
                continue
            kind, subject, value = key
            covered = self.covered.get(key)
            rest: tuple[Term, ...] = (None,) * (len(kind.arguments) - 2)
            variants = dict.fromkeys(v for v in self.pairs[key] if v is not None) if kind is DERIVATION else {}
            for variant in variants:
                if not any(variant in types for types in covered or ()):
                    attributes: tuple[Attribute, ...] = ((_TYPE, variant),)
                    self.statements.append(Statement(kind, None, (subject, value, *rest), attributes))
            if covered is None and not variants:
                self.statements.append(Statement(kind, None, (subject, value, *rest)))

    def _mentioned(self) -> None:
        for subject, (generals, held) in self.mentions.items():
            general = list(dict.fromkeys(generals))
            bundles: list[Identifier | None] = [quad.object for quad in held if isinstance(quad.object, Identifier)]
            if bundles and (not general or (len(general) > 1 and len(bundles) > 1)):
                bundles = []
                for quad in held:
                    self.unmapped.add(quad, NO_MENTION)
            for thing, bundle in product(general, bundles or [None]):
                self.statements.append(Statement(MENTION, None, (subject, thing, bundle)))

    def _described_pairs(self) -> None:
        """Members that are described as entities themselves, which is how cwltool writes dictionaries.

        Such a pair is a thing of its own, with its key among its attributes, so that it is an attribute of its
        dictionary: a membership would have no place for it.
        """
        if not any(self._is_element(quad.object) for quad in self.members):
            return
        members, self.members = self.members, []
        for quad in members:
            if not (self._is_element(quad.object) and self._is_element(quad.subject)):
                self.members.append(quad)
            elif quad.predicate not in self.declared.own:
                self._describe(quad)

    def _is_element(self, thing: Value) -> bool:
        return type(thing) is Identifier and any(kind.element for kind in self.claims.get(thing, ()))

    def _dictionaries(self) -> None:
        for quad in self.members:
            for key, entity in self._joined(quad):
                entries = () if key is None else (Entry(key),)
                args = (quad.subject, entity)
                self.statements.append(Statement(DICTIONARY_MEMBERSHIP, None, args, entries=entries))

    def _instants(self) -> None:
        """Join ``prov:generatedAtTime`` and its like with the generation that they are the time of."""
        if not self.times:
            return
        events: dict[tuple[Kind, str], list[int]] = {}
        for index, statement in enumerate(self.statements):
            if statement.args and (statement.kind, statement.args[0]) in self.times:
                events.setdefault((statement.kind, str(statement.args[0])), []).append(index)
        for (kind, entity), quads in self.times.items():
            held = events.get((kind, entity), [])
            instants = dict.fromkeys(_instant(quad) for quad in quads)
            known = {self.statements[index].args[2] for index in held}
            if len(held) == 1 and len(instants) == 1 and known == {None}:
                sole = self.statements[held[0]]
                args = (*sole.args[:2], next(iter(instants)))
                self.statements[held[0]] = Statement(kind, sole.id, args, sole.attributes)
                continue
            new = [instant for instant in instants if instant not in known]
            self.statements.extend(Statement(kind, None, (entity, None, instant)) for instant in new)

    def _leftovers(self, claims: Mapping[Identifier, list[Kind]]) -> None:
        """What is described without being typed: an element if its relations say which, otherwise unmapped."""
        left = [name for name in self.described if name not in claims and name not in self.joined]
        if not left:
            return
        used: dict[str, list[Kind]] = {}
        for statement in self.statements:
            terms = RELATIONS.get(statement.kind)
            if terms is not None:
                for term, end in zip(statement.args, terms.ends, strict=True):
                    if end is not None and term is not None:
                        used.setdefault(term, []).append(end)
        guessed = 0
        for name in left:
            kinds = [kind for kind in ELEMENTS if kind in used.get(name, ())]
            if not kinds:
                for quad in self.described[name]:
                    self.unmapped.add(quad, NO_PLACE)
                continue
            guessed += 1
            self.statements.append(
                Statement(
                    kinds[0],
                    name,
                    (None,) * len(kinds[0].arguments),
                    self._attributes(name, kinds[:1], kinds[0]),
                )
            )
        if guessed:
            what = "1 thing is" if guessed == 1 else f"{guessed} things are"
            self.warnings.append(Warned(f"{what} described but not typed; read as what the relations require"))


def _product(places: Iterable[Mapping[Term, object]]) -> int:
    return prod(len(place) for place in places)


def _instant(quad: Quad) -> str | None:
    value = quad.object
    return value.lexical if isinstance(value, Literal) and value.datatype == XSD_DATETIME else None
