"""The statements of PROV-DM, and one table of their kinds: the keyword and the arguments of each.

Codecs, checks and views use this table. Names are those of PROV-N (keywords) and of PROV-JSON and PROV-XML (arguments),
which agree with each other; sections are those of the PROV-DM Recommendation. The statements of PROV-Dictionary
(https://www.w3.org/TR/prov-dictionary/) are in the same table. Their keys are in ``Statement.entries``, since there may
be many of them, as of attributes and unlike arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from provrepo.model.identifiers import Identifier, Value

__all__ = [
    "ELEMENTS",
    "KINDS",
    "Argument",
    "Attribute",
    "EntryForm",
    "DictionaryEntry",
    "Kind",
    "Span",
    "Statement",
    "Term",
]

Span: TypeAlias = tuple[int, int]
"""Line and column (both 1-based, columns in characters) of a statement's first character in the source."""

Attribute: TypeAlias = tuple[Identifier, Value]

Term: TypeAlias = str | None
"""An argument: an ``Identifier``, the lexical form of an ``xsd:dateTime``, or None where it is absent or ``-``."""


class DictionaryEntry(NamedTuple):
    """A key of a dictionary, with the entity under it if the statement names one.

    Attributes:
        key: any value; PROV-N's literals include qualified names.
        entity: the entity under the key; None if the statement has only the key.
    """

    key: Value
    entity: Identifier | None = None


class EntryForm(Enum):
    """The form of the entries of a statement of PROV-Dictionary."""

    PAIRS = auto()
    """Any number of keys, each with its entity: those inserted."""
    KEYS = auto()
    """Any number of keys alone: those removed."""
    KEY = auto()
    """One key: that of the member, which is an argument of the statement."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One position of a statement.

    Attributes:
        name: local name in the PROV namespace, as PROV-JSON and PROV-XML spell it.
        time: whether it is a time (``xsd:dateTime``) and not an identifier.
        required: whether PROV-DM makes it mandatory.
    """

    name: str
    time: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of PROV-DM statement. There is one object for each, so kinds are compared with ``is``.

    Attributes:
        name: the PROV-N keyword, which is also the PROV-JSON key and the PROV-XML element.
        arguments: positions after the statement's own identifier, in PROV-N's order.
        element: whether it describes an entity, activity or agent and not a relation between them.
        identified: whether the statement itself may have an identifier.
        attributed: whether it may have attributes.
        entries: the form of its entries; None for all but PROV-Dictionary's statements.
        section: of the PROV-DM Recommendation.
    """

    name: str
    arguments: tuple[Argument, ...]
    element: bool = False
    identified: bool = True
    attributed: bool = True
    entries: EntryForm | None = None
    section: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        return _kind, (self.name,)


def _kind(name: str) -> Kind:
    return KINDS[name]


def _id(name: str) -> Argument:
    return Argument(name)


def _must(name: str) -> Argument:
    return Argument(name, required=True)


def _time(name: str = "time") -> Argument:
    return Argument(name, time=True)


ENTITY = Kind("entity", (), element=True, section="5.1.1")
ACTIVITY = Kind("activity", (_time("startTime"), _time("endTime")), element=True, section="5.1.2")
GENERATION = Kind("wasGeneratedBy", (_must("entity"), _id("activity"), _time()), section="5.1.3")
USAGE = Kind("used", (_must("activity"), _id("entity"), _time()), section="5.1.4")
COMMUNICATION = Kind("wasInformedBy", (_must("informed"), _must("informant")), section="5.1.5")
START = Kind("wasStartedBy", (_must("activity"), _id("trigger"), _id("starter"), _time()), section="5.1.6")
END = Kind("wasEndedBy", (_must("activity"), _id("trigger"), _id("ender"), _time()), section="5.1.7")
INVALIDATION = Kind("wasInvalidatedBy", (_must("entity"), _id("activity"), _time()), section="5.1.8")
DERIVATION = Kind(
    "wasDerivedFrom",
    (_must("generatedEntity"), _must("usedEntity"), _id("activity"), _id("generation"), _id("usage")),
    section="5.2.1",
)
AGENT = Kind("agent", (), element=True, section="5.3.1")
ATTRIBUTION = Kind("wasAttributedTo", (_must("entity"), _must("agent")), section="5.3.2")
ASSOCIATION = Kind("wasAssociatedWith", (_must("activity"), _id("agent"), _id("plan")), section="5.3.3")
DELEGATION = Kind("actedOnBehalfOf", (_must("delegate"), _must("responsible"), _id("activity")), section="5.3.4")
INFLUENCE = Kind("wasInfluencedBy", (_must("influencee"), _must("influencer")), section="5.3.5")
SPECIALIZATION = Kind(
    "specializationOf",
    (_must("specificEntity"), _must("generalEntity")),
    identified=False,
    attributed=False,
    section="5.5.1",
)
ALTERNATE = Kind(
    "alternateOf", (_must("alternate1"), _must("alternate2")), identified=False, attributed=False, section="5.5.2"
)
MEMBERSHIP = Kind(
    "hadMember", (_must("collection"), _must("entity")), identified=False, attributed=False, section="5.6.2"
)
MENTION = Kind(
    "mentionOf",
    (_must("specificEntity"), _must("generalEntity"), _must("bundle")),
    identified=False,
    attributed=False,
    section="PROV-Links 3",
)
INSERTION = Kind(
    "derivedByInsertionFrom",
    (_must("after"), _must("before")),
    entries=EntryForm.PAIRS,
    section="PROV-Dictionary #term-dictionary-insertion",
)
REMOVAL = Kind(
    "derivedByRemovalFrom",
    (_must("after"), _must("before")),
    entries=EntryForm.KEYS,
    section="PROV-Dictionary #term-dictionary-removal",
)
DICTIONARY_MEMBERSHIP = Kind(
    "hadDictionaryMember",
    (_must("dictionary"), _must("entity")),
    identified=False,
    attributed=False,
    entries=EntryForm.KEY,
    section="PROV-Dictionary #term-dictionary-membership",
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        ENTITY,
        ACTIVITY,
        AGENT,
        GENERATION,
        USAGE,
        COMMUNICATION,
        START,
        END,
        INVALIDATION,
        DERIVATION,
        ATTRIBUTION,
        ASSOCIATION,
        DELEGATION,
        INFLUENCE,
        SPECIALIZATION,
        ALTERNATE,
        MEMBERSHIP,
        MENTION,
        INSERTION,
        REMOVAL,
        DICTIONARY_MEMBERSHIP,
    )
}
"""Every kind by its PROV-N keyword, elements first."""

ELEMENTS = (ENTITY, ACTIVITY, AGENT)


class Statement:
    """One PROV-DM statement. Treat it as immutable; equality ignores its location in the source.

    Attributes:
        kind: which kind of statement.
        id: the identifier of the element that it describes, or of the relation; None if it has none.
        args: one term for each of ``kind.arguments``.
        attributes: attribute–value pairs in source order, without the arguments.
        span: line and column of its first character in the source, or None.
        entries: the entries of a dictionary in source order, each once; empty if ``kind.entries`` is None.
    """

    __slots__ = ("args", "attributes", "entries", "id", "kind", "span")

    def __init__(
        self,
        kind: Kind,
        id: Identifier | None,  # noqa: A002 (PROV-DM's own word)
        args: tuple[Term, ...] = (),
        attributes: tuple[Attribute, ...] = (),
        span: Span | None = None,
        entries: tuple[DictionaryEntry, ...] = (),
    ) -> None:
        self.kind = kind
        self.id = id
        self.args = args
        self.attributes = attributes
        self.span = span
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statement):
            return NotImplemented
        return (
            self.kind is other.kind
            and self.id == other.id
            and self.args == other.args
            and (self.attributes == other.attributes or frozenset(self.attributes) == frozenset(other.attributes))
            and (self.entries == other.entries or frozenset(self.entries) == frozenset(other.entries))
        )

    def __hash__(self) -> int:
        return hash((self.kind.name, self.id, self.args, frozenset(self.attributes), frozenset(self.entries)))

    def __repr__(self) -> str:
        head = f"{self.id}; " if self.id is not None and not self.kind.element else self.id or ""
        args = ", ".join("-" if a is None else a for a in self.args)
        if self.kind.entries is not None:
            args += f", {{{len(self.entries)} keys}}"
        tail = f", [{len(self.attributes)} attributes]" if self.attributes else ""
        joined = head + (", " if self.kind.element and args else "") + args
        return f"{self.kind.name}({joined}{tail})"

    def identifiers(self) -> list[Identifier]:
        """The identifiers in the arguments and entries, without times, literal keys and absent arguments."""
        found = [a for a in self.args if isinstance(a, Identifier)]
        for entry in self.entries:
            found += [part for part in entry if isinstance(part, Identifier)]
        return found

    def unnamed(self) -> Statement:
        """The same statement without an identifier."""
        return Statement(self.kind, None, self.args, self.attributes, self.span, self.entries)
