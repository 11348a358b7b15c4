"""PROV-O, the RDF form of PROV-DM, as one table for the reader, the writer and the completion.

A relation has up to two forms in RDF: a *shortcut*, ``e prov:wasGeneratedBy a``, and a *qualified node* with further
properties, ``e prov:qualifiedGeneration [ a prov:Generation ; prov:activity a ; prov:atTime t ]`` (PROV-O section 3.3).
The table has a row for each kind of relation in ``provrepo.model.statements``; the look-up tables of the reader are
derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    END,
    ENTITY,
    GENERATION,
    INFLUENCE,
    INSERTION,
    INVALIDATION,
    KINDS,
    MEMBERSHIP,
    MENTION,
    REMOVAL,
    SPECIALIZATION,
    START,
    USAGE,
    Attribute,
    Kind,
)
from provrepo.vocab import (
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_QUALIFIED_NAME,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    RDF_TYPE,
    RDFS,
    RDFS_LABEL,
    XSD_QNAME,
)

__all__ = [
    "ATTRIBUTE_OF",
    "AT_TIME",
    "BASE_CLASS",
    "CLASS",
    "COMBINATIONS",
    "END_TIME",
    "INFLUENCER",
    "INFLUENCE_OBJECTS",
    "ORDER",
    "PLACES",
    "PREDICATES",
    "PREDICATE_OF",
    "QUALIFIED_NAMES",
    "RELATIONS",
    "START_TIME",
    "SUBCLASSES",
    "SUBCLASS_OF",
    "SUBPROPERTY_OF",
    "SUBTYPES",
    "TIMES",
    "TYPE",
    "VARIANTS",
    "Meaning",
    "RelationTerms",
    "Role",
    "Variant",
    "home",
    "specific",
]


def _prov(local: str) -> Identifier:
    return Identifier(PROV + local)


TYPE = Identifier(RDF_TYPE)
AT_TIME = _prov("atTime")
START_TIME = _prov("startedAtTime")
END_TIME = _prov("endedAtTime")
INFLUENCER = _prov("influencer")
SUBCLASS_OF = Identifier(RDFS + "subClassOf")
SUBPROPERTY_OF = Identifier(RDFS + "subPropertyOf")


@dataclass(frozen=True, slots=True)
class RelationTerms:
    """How one kind of relation is written in PROV-O.

    Attributes:
        kind: the kind of statement.
        shortcut: the property from the first argument directly to the second.
        inverses: properties from the second argument to the first; the first one only if PROV-O defines it as a term
            (section 3), the others are the names reserved in PROV-O appendix B.
        qualified: the property from the first argument to the qualified node; None if there is no such form.
        qualified_inverse: its reserved inverse name.
        cls: the class of the qualified node.
        properties: for each argument after the first, the property of the qualified node with it as the object. A
            kind without a qualified form has the shortcut and, for a mention, ``prov:asInBundle`` here; both are
            properties of the first argument.
        ends: for each argument, the kind of element that it must be (PROV-CONSTRAINTS 50); None for any.
        normative_inverse: whether ``inverses[0]`` is a term of PROV-O and not only a reserved name.
    """

    kind: Kind
    shortcut: Identifier
    inverses: tuple[Identifier, ...] = ()
    qualified: Identifier | None = None
    qualified_inverse: Identifier | None = None
    cls: Identifier | None = None
    properties: tuple[Identifier, ...] = ()
    ends: tuple[Kind | None, ...] = ()
    normative_inverse: bool = False

    @property
    def inverse(self) -> Identifier | None:
        """The inverse property that PROV-O defines, if any."""
        return self.inverses[0] if self.normative_inverse else None


_ENDS = {"e": ENTITY, "a": ACTIVITY, "g": AGENT, "-": None}


def _row(
    kind: Kind, ends: str, name: str, properties: str, inverses: str = "", *, normative_inverse: bool = False
) -> tuple[Kind, RelationTerms]:
    qualified = f"qualified{name}" if name else ""
    return kind, RelationTerms(
        kind,
        _prov(kind.name),
        tuple(map(_prov, inverses.split())),
        _prov(qualified) if name else None,
        _prov(qualified + "Of") if name else None,
        _prov(name) if name else None,
        tuple(map(_prov, properties.split())),
        tuple(_ENDS[end] for end in ends),
        normative_inverse,
    )


RELATIONS: dict[Kind, RelationTerms] = dict(
    (
        _row(GENERATION, "ea-", "Generation", "activity atTime", "generated", normative_inverse=True),
        _row(USAGE, "ae-", "Usage", "entity atTime", "wasUsedBy"),
        _row(COMMUNICATION, "aa", "Communication", "activity", "informed"),
        _row(START, "aea-", "Start", "entity hadActivity atTime", "started"),
        _row(END, "aea-", "End", "entity hadActivity atTime", "ended"),
        _row(INVALIDATION, "ea-", "Invalidation", "activity atTime", "invalidated", normative_inverse=True),
        _row(DERIVATION, "eea--", "Derivation", "entity hadActivity hadGeneration hadUsage", "hadDerivation"),
        _row(ATTRIBUTION, "eg", "Attribution", "agent", "contributed"),
        _row(ASSOCIATION, "age", "Association", "agent hadPlan", "wasAssociateFor"),
        _row(DELEGATION, "gga", "Delegation", "agent hadActivity", "hadDelegate"),
        _row(INFLUENCE, "--", "Influence", "influencer", "influenced", normative_inverse=True),
        _row(SPECIALIZATION, "ee", "", "specializationOf", "generalizationOf"),
        _row(ALTERNATE, "ee", "", "alternateOf"),
        _row(MEMBERSHIP, "ee", "", "hadMember", "wasMemberOf"),
        _row(MENTION, "eee", "", "mentionOf asInBundle"),
        _row(INSERTION, "ee", "Insertion", "dictionary"),
        _row(REMOVAL, "ee", "Removal", "dictionary"),
        _row(DICTIONARY_MEMBERSHIP, "ee", "", "hadDictionaryMember"),
    )
)
"""Every kind of relation, in the order of ``KINDS``."""


def _places() -> dict[Kind, dict[str, int]]:
    result: dict[Kind, dict[str, int]] = {}
    for kind, terms in RELATIONS.items():
        if terms.qualified is not None:
            result[kind] = {name: place for place, name in enumerate(terms.properties, start=1)}
    objects = [terms.properties[0] for terms in RELATIONS.values() if terms.qualified is not None]
    for kind, found in result.items():
        for name in objects if kind is INFLUENCE else (INFLUENCER,):
            found.setdefault(name, 1)
    return result


PLACES: dict[Kind, dict[str, int]] = _places()
"""Kind → property of a qualified node → index of the argument that it states. ``prov:influencer`` is above the
properties of the second argument, so it is read like any of them, and any of them for a plain influence."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A narrower class of derivation, which PROV-DM distinguishes by ``prov:type`` (sections 5.2.2 to 5.2.4).

    Attributes:
        shortcut: a sub-property of ``prov:wasDerivedFrom``.
        inverse: its name reserved in PROV-O appendix B.
        qualified: the property that leads to its qualified node.
        qualified_inverse: the reserved inverse of that.
        cls: the class of the node, and the value of ``prov:type``.
    """

    shortcut: Identifier
    inverse: Identifier
    qualified: Identifier
    qualified_inverse: Identifier
    cls: Identifier


def _variant(name: str, shortcut: str, inverse: str) -> tuple[Identifier, Variant]:
    qualified = f"qualified{name}"
    return _prov(name), Variant(_prov(shortcut), _prov(inverse), _prov(qualified), _prov(qualified + "Of"), _prov(name))


VARIANTS: dict[Identifier, Variant] = dict(
    (
        _variant("Revision", "wasRevisionOf", "hadRevision"),
        _variant("Quotation", "wasQuotedFrom", "quotedAs"),
        _variant("PrimarySource", "hadPrimarySource", "wasPrimarySourceOf"),
    )
)
"""The narrower derivations by class."""

BASE_CLASS: dict[Kind, Identifier] = {ENTITY: _prov("Entity"), ACTIVITY: _prov("Activity"), AGENT: _prov("Agent")}

CLASS: dict[str, Kind] = {
    **{cls: kind for kind, cls in BASE_CLASS.items()},
    **{terms.cls: kind for kind, terms in RELATIONS.items() if terms.cls is not None},
}
"""Class of PROV-O → the kind of statement that it stands for."""

SUBCLASSES: dict[str, Kind] = {
    **{_prov(name): AGENT for name in ("Person", "Organization", "SoftwareAgent")},
    **{_prov(name): ENTITY for name in ("Plan", "Collection", "EmptyCollection", "Bundle")},
    **{_prov(name): ENTITY for name in ("Dictionary", "EmptyDictionary")},
}
"""Narrower class of PROV-O → the kind of element that it implies; the class itself is a ``prov:type``."""

INFLUENCE_OBJECTS: dict[str, Identifier] = {
    _prov("entity"): _prov("EntityInfluence"),
    _prov("activity"): _prov("ActivityInfluence"),
    _prov("agent"): _prov("AgentInfluence"),
}
"""Property that leads to the influencer → its domain, the class of an influence without a narrower class."""

SUBTYPES: dict[str, Kind] = {
    **dict.fromkeys(VARIANTS, DERIVATION),
    **dict.fromkeys(INFLUENCE_OBJECTS.values(), INFLUENCE),
}
"""Class that is also a ``prov:type`` of the relation → the kind of relation that it implies."""

TIMES: dict[str, Kind] = {_prov("generatedAtTime"): GENERATION, _prov("invalidatedAtTime"): INVALIDATION}
"""Property of an entity that states the time of its generation or invalidation → the kind of that event."""

ATTRIBUTE_OF: dict[str, Identifier] = {
    RDF_TYPE: Identifier(PROV_TYPE),
    RDFS_LABEL: Identifier(PROV_LABEL),
    PROV + "hadRole": Identifier(PROV_ROLE),
    PROV + "atLocation": Identifier(PROV_LOCATION),
}
"""Property → the attribute of PROV-DM that it stands for, where their names differ."""

PREDICATE_OF: dict[str, Identifier] = {attribute: Identifier(name) for name, attribute in ATTRIBUTE_OF.items()}
"""The reverse of ``ATTRIBUTE_OF``."""


QUALIFIED_NAMES = (XSD_QNAME, PROV_QUALIFIED_NAME)
"""Datatypes of literals that stand for an identifier."""


COMBINATIONS = 64
"""The most statements that one node may stand for by combining several values in several places."""


class Role(Enum):
    """The role of a property in the statement that its triple belongs to."""

    TYPE = auto()
    SHORTCUT = auto()
    INVERSE = auto()
    QUALIFIED = auto()
    QUALIFIED_INVERSE = auto()
    TIME = auto()
    ACTIVITY_TIME = auto()
    MENTION = auto()
    IN_BUNDLE = auto()
    DICTIONARY_MEMBER = auto()


class Meaning(NamedTuple):
    """The meaning of a property.

    Attributes:
        role: how its triples are read.
        kind: the kind of statement that they make.
        variant: the narrower class of derivation that the property states, or None.
        position: for the times of an activity, the index of the argument.
    """

    role: Role
    kind: Kind
    variant: Identifier | None = None
    position: int = 0


def _predicates() -> dict[str, Meaning]:
    result: dict[str, Meaning] = {
        RDF_TYPE: Meaning(Role.TYPE, ENTITY),
        START_TIME: Meaning(Role.ACTIVITY_TIME, ACTIVITY),
        END_TIME: Meaning(Role.ACTIVITY_TIME, ACTIVITY, position=1),
        **{name: Meaning(Role.TIME, kind) for name, kind in TIMES.items()},
    }
    for kind, terms in RELATIONS.items():
        result[terms.shortcut] = Meaning(Role.SHORTCUT, kind)
        result.update({name: Meaning(Role.INVERSE, kind) for name in terms.inverses})
        if terms.qualified is not None and terms.qualified_inverse is not None:
            result[terms.qualified] = Meaning(Role.QUALIFIED, kind)
            result[terms.qualified_inverse] = Meaning(Role.QUALIFIED_INVERSE, kind)
    for variant in VARIANTS.values():
        result[variant.shortcut] = Meaning(Role.SHORTCUT, DERIVATION, variant.cls)
        result[variant.inverse] = Meaning(Role.INVERSE, DERIVATION, variant.cls)
        result[variant.qualified] = Meaning(Role.QUALIFIED, DERIVATION, variant.cls)
        result[variant.qualified_inverse] = Meaning(Role.QUALIFIED_INVERSE, DERIVATION, variant.cls)
    # The one reserved inverse whose name is not derived from its property (PROV-O appendix B).
    result[_prov("qualifiedSourceOf")] = Meaning(Role.QUALIFIED_INVERSE, DERIVATION, _prov("PrimarySource"))
    result[RELATIONS[MENTION].shortcut] = Meaning(Role.MENTION, MENTION)
    result[RELATIONS[MENTION].properties[1]] = Meaning(Role.IN_BUNDLE, MENTION)
    result[RELATIONS[DICTIONARY_MEMBERSHIP].shortcut] = Meaning(Role.DICTIONARY_MEMBER, DICTIONARY_MEMBERSHIP)
    return result


PREDICATES: dict[str, Meaning] = _predicates()
"""Property → meaning, for each that is not an attribute or an argument of a qualified node."""

ORDER = {kind: place for place, kind in enumerate(KINDS.values())}
"""Kind → its index in ``KINDS``: elements first."""


def specific(kinds: Iterable[Kind]) -> list[Kind]:
    """The kinds of relation of a node without those that are above another of them, in the table's order.

    ``prov:Influence`` and ``prov:qualifiedInfluence`` are above all others (PROV-O section 3.3), a derivation is above
    the insertions and removals of PROV-Dictionary.
    """
    found = sorted(set(kinds), key=ORDER.__getitem__)
    above = (INFLUENCE, DERIVATION) if INSERTION in found or REMOVAL in found else (INFLUENCE,)
    return [kind for kind in found if kind not in above] or found


def home(kinds: Sequence[Kind], attribute: Attribute) -> Kind:
    """The kind of the statement that an attribute belongs to, if RDF describes several statements by one node.

    An entity that is also an agent has two statements but one node. A class below ``prov:Agent`` belongs to the agent
    and a role to the relation; any other attribute belongs to the first, so that it is stated once.

    Args:
        kinds: the kinds of statement about the node, elements first, in the order of ``KINDS``.
        attribute: with the name that PROV-DM has for it.
    """
    name, value = attribute
    if len(kinds) > 1:
        if name == PROV_TYPE:
            implied = (SUBCLASSES.get(value) or SUBTYPES.get(value)) if isinstance(value, Identifier) else None
            if implied is not None and implied in kinds:
                return implied
        elif name == PROV_ROLE:
            return next((kind for kind in kinds if not kind.element), kinds[0])
        elif name == PROV_VALUE and ENTITY in kinds:
            return ENTITY
    return kinds[0]
