"""Documents for other tools: all of PROV-DM, the same ones on every machine and every version of Python.

They are generated with `random.Random`, whose sequences do not change between versions, and not with Hypothesis, since
the table of known failures refers to them. Each has few statements, so that the cause of a failure is easy to find.
"""

from __future__ import annotations

from random import Random

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import KINDS, MENTION, Attribute, DictionaryEntry, EntryForm, Kind, Statement, Term
from provrepo.vocab import PROV_LABEL, PROV_LOCATION, PROV_ROLE, PROV_TYPE, PROV_VALUE, XSD
from tests.support.strategies import AWKWARD_LOCAL, EX, LANGUAGES, NAMESPACES, PLAIN_LOCAL, STRINGS, TIMES, TYPED

__all__ = ["NUMBER", "document", "documents"]

NUMBER = 600
PREFIXES = dict(zip(("ex", "n", "q.r-s", "u"), NAMESPACES, strict=True))
PLAIN_TYPED = (("7", "int"), ("1.10", "decimal"), ("true", "boolean"), ("2011-11-16T16:05:00Z", "dateTime"))
_ROLES = {"wasGeneratedBy", "used", "wasStartedBy", "wasEndedBy", "wasInvalidatedBy", "wasAssociatedWith"}
_LOCATIONS = (_ROLES - {"wasAssociatedWith"}) | {"entity", "activity", "agent"}
_NOTES = [kind for kind in KINDS.values() if kind.entries is not None or kind is MENTION]
"""The statements that W3C Notes add: PROV-Dictionary and PROV-Links."""
_RECOMMENDED = [kind for kind in KINDS.values() if kind not in _NOTES]


class _Drawn:
    """The parts of one document.

    Args:
        number: the number of the document, which determines all parts.
    """

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.awkward = number % 4 == 1
        """Whether local names need escapes, or are difficult to split from their namespace."""
        self.odd = number % 4 == 2
        """Whether literals have forms that not every tool writes itself."""
        self.relations = 0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def name(self) -> Identifier:
        local = self.random.choice(AWKWARD_LOCAL if self.awkward and self.chance(0.3) else PLAIN_LOCAL)
        return Identifier(self.random.choice(NAMESPACES) + local)

    def literal(self) -> Literal:
        lexical = self.random.choice(STRINGS if self.odd else ("plain", "it is", "日本語"))
        form = self.random.randrange(4)
        if form == 0:
            return text(lexical)
        if form == 1:
            return text(lexical, self.random.choice(LANGUAGES))
        if form == 2 and self.odd:
            return Literal(lexical, EX + "datatype")
        typed, datatype = self.random.choice(TYPED if self.odd else PLAIN_TYPED)
        return Literal(typed, XSD + datatype)

    def value(self) -> Value:
        return self.name() if self.chance(0.3) else self.literal()

    def attributes(self, kind: Kind) -> tuple[Attribute, ...]:
        pairs: list[Attribute] = []
        for _ in range(self.random.choice((0, 0, 1, 2, 3))):
            form = self.random.randrange(7)
            if form == 0:
                pairs.append((Identifier(PROV_LABEL), text("label", self.random.choice((None, *LANGUAGES)))))
            elif form == 1:
                pairs.append((Identifier(PROV_TYPE), self.name() if self.chance(0.7) else self.literal()))
            elif form == 2 and kind.name in _ROLES:
                pairs.append((Identifier(PROV_ROLE), self.value()))
            elif form == 3 and kind.name in _LOCATIONS:
                pairs.append((Identifier(PROV_LOCATION), self.value()))
            elif form == 4 and kind.name == "entity" and all(name != PROV_VALUE for name, _ in pairs):
                pairs.append((Identifier(PROV_VALUE), self.literal()))
            else:
                # Sometimes an attribute has several values.
                again = self.chance(0.4) and pairs and pairs[-1][0].startswith(NAMESPACES)
                pairs.append((pairs[-1][0] if again else self.name(), self.value()))
        return tuple(dict.fromkeys(pairs))

    def entries(self, shape: EntryForm) -> tuple[DictionaryEntry, ...]:
        number = 1 if shape is EntryForm.KEY else self.random.randrange(1, 4)
        pairs = shape is EntryForm.PAIRS
        drawn = {self.value(): self.name() if pairs else None for _ in range(number)}
        return tuple(DictionaryEntry(key, entity) for key, entity in drawn.items())

    def statement(self, kind: Kind) -> Statement:
        args: list[Term] = []
        for argument in kind.arguments:
            if not argument.required and self.chance(0.4):
                args.append(None)
            else:
                args.append(self.random.choice(TIMES) if argument.time else self.name())
        own: Identifier | None = None
        if kind.element:
            own = self.name()
        elif kind.identified and self.chance(0.4):
            own = Identifier(f"{EX}relation-{self.relations}")
            self.relations += 1
        attributes = self.attributes(kind) if kind.attributed else ()
        entries = self.entries(kind.entries) if kind.entries is not None else ()
        return Statement(kind, own, tuple(args), attributes, entries=entries)

    def statements(self, first: Kind, kinds: list[Kind]) -> list[Statement]:
        drawn = [self.statement(first)]
        drawn += [self.statement(self.random.choice(kinds)) for _ in range(self.random.randrange(4))]
        # An element twice, with other attributes, for which formats with maps need a list.
        if drawn[0].kind.element and self.chance(0.3):
            again = self.statement(drawn[0].kind)
            drawn.append(Statement(again.kind, drawn[0].id, again.args, again.attributes))
        return drawn

    def prefixes(self) -> dict[str, str]:
        declared = {prefix: name for prefix, name in PREFIXES.items() if self.chance(0.7)}
        if self.chance(0.3):
            declared[""] = self.random.choice(NAMESPACES)
        return declared


def document(number: int) -> Document:
    """One of the documents.

    Args:
        number: from 0. Every tenth document has statements of PROV-Dictionary and PROV-Links, every third bundles.
    """
    drawn = _Drawn(number)
    notes = number % 10 == 9
    first = drawn.random.choice(_NOTES if notes else _RECOMMENDED)
    kinds = [*_NOTES, *_RECOMMENDED] if notes else _RECOMMENDED
    made = Document(statements=drawn.statements(first, kinds), prefixes=drawn.prefixes())
    if number % 3 == 0:
        for place in range(drawn.random.choice((1, 1, 2))):
            own = drawn.prefixes() if drawn.chance(0.4) else {}
            added = {prefix: name for prefix, name in own.items() if made.prefixes.get(prefix) != name}
            inner = drawn.statements(drawn.random.choice(kinds), kinds)
            made.bundles.append(Bundle(Identifier(f"{drawn.random.choice(NAMESPACES)}bundle{place}"), inner, added))
    return made


def documents(number: int = NUMBER) -> list[Document]:
    """The first ``number`` documents."""
    return [document(place) for place in range(number)]
