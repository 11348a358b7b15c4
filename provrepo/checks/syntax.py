"""The layer ``syntax``: checks of single statements by the rules of PROV-DM.

Each check is a generator of findings over the document; ``CHECKS`` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from provrepo.checks.findings import Finding, Severity
from provrepo.checks.lexical import is_date_time, valid
from provrepo.checks.vocabulary import namespaces, unknown_terms, unread_triples
from provrepo.codecs.formats import by_name
from provrepo.codecs.rdf.terms import literal_problem
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.model.prov_namespace import PROPERTIES, TERMS, closest
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ASSOCIATION,
    END,
    ENTITY,
    GENERATION,
    INVALIDATION,
    START,
    USAGE,
    EntryForm,
    Kind,
    Statement,
)
from provrepo.vocab import (
    PROV,
    PROV_INTERNATIONALIZED_STRING,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    RDF_LANG_STRING,
    XSD,
)

__all__ = ["CHECKS", "LAYER", "check"]

LAYER = "syntax"

_COMPARED = 100
"""The most unknown attributes that are compared with PROV's terms for a suggestion."""

_ATTRIBUTES = frozenset({"label", "location", "role", "type", "value"})
"""Local names of the attributes of PROV-DM (section 5.7.4)."""

_KEY = PROV + "pairKey"

_DICTIONARY = (
    *("derivedByInsertionFrom", "derivedByRemovalFrom", "dictionary", "hadDictionaryMember", "insertedKeyEntityPair"),
    *("pairEntity", "pairKey", "qualifiedInsertion", "qualifiedRemoval", "removedKey"),
)
_ACCESS = ("has_anchor", "has_provenance", "has_query_service", "pingback", "provenanceUriTemplate")

_RESERVED = frozenset(
    {PROV_LABEL, PROV_LOCATION, PROV_ROLE, PROV_TYPE, PROV_VALUE, *(PROV + name for name in _DICTIONARY + _ACCESS)}
)
"""Attributes that are defined in the PROV namespace: by PROV-DM section 5.7.4, PROV-Dictionary and PROV-AQ."""

_STRINGS = frozenset(
    {
        *(XSD + name for name in ("string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN")),
        RDF_LANG_STRING,
        PROV_INTERNATIONALIZED_STRING,
    }
)
"""Datatypes of text: ``xsd:string``, the types that XML Schema derives from it, and text with a language."""

_EVENTS = frozenset({USAGE, GENERATION, INVALIDATION, START, END})
_ALLOWED: dict[str, tuple[frozenset[Kind], str]] = {
    PROV_LOCATION: (_EVENTS | {ENTITY, ACTIVITY, AGENT}, "5.7.2.2"),
    PROV_ROLE: (_EVENTS | {ASSOCIATION}, "5.7.2.3"),
    PROV_VALUE: (frozenset({ENTITY}), "5.7.2.5"),
}
"""For an attribute, the kinds of statements that may have it, and the section of PROV-DM."""


def check(document: Document) -> list[Finding]:
    """All findings of this layer, in the order of ``CHECKS``."""
    return [finding for run in CHECKS for finding in run(document)]


def remarks(document: Document) -> Iterator[Finding]:
    """The warnings of the reader."""
    for remark in document.warnings:
        yield Finding(
            LAYER,
            remark.rule,
            Severity.VIOLATION if remark.violation else Severity.WARNING,
            remark.message,
            focus=remark.focus,
            line=remark.line,
            column=remark.column,
            repair=remark.repair,
        )


def unread(document: Document) -> Iterator[Finding]:
    """Parts of a source that are not read as statements, such as JSON keys that the format does not define."""
    for part in document.unmapped.unread:
        message = f"{part.part} is not read: {part.reason}."
        yield Finding(LAYER, "reading:unread", Severity.WARNING, message, line=part.line, column=part.column)


def mandatory_arguments(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5: mandatory arguments may not be absent or ``-``.

    Statements with the same kind and identifier describe one relation (PROV-CONSTRAINTS 23), so another of them may
    have the argument.
    """
    given = _GivenArguments()
    for bundle, statement in _statements(document):
        for index, (argument, term) in enumerate(zip(statement.kind.arguments, statement.args, strict=True)):
            if argument.required and term is None and not given.elsewhere(bundle, statement, index):
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:mandatory",
                    Severity.VIOLATION,
                    f"{statement.kind.name} has no {_words(argument.name)}, and PROV-DM demands one "
                    f"({_section(statement)}).",
                    repair=f"Give the {_words(argument.name)} of {statement.kind.name}.",
                )
        if statement.kind.entries is EntryForm.KEY and not statement.entries:
            yield _at(
                bundle,
                statement,
                "prov-dm:mandatory",
                Severity.VIOLATION,
                f"{statement.kind.name} has no key, and PROV-Dictionary demands one ({_section(statement)}).",
                repair=f"Give the key of {statement.kind.name}.",
            )


class _GivenArguments:
    """The arguments that the relations of a bundle have; collected when the first mandatory one is missing."""

    def __init__(self) -> None:
        self._bundle: Bundle | None = None
        self._known: set[tuple[str, Identifier, int]] = set()

    def elsewhere(self, bundle: Bundle, statement: Statement, index: int) -> bool:
        """Whether a statement with the same kind and identifier has the argument at an index."""
        if statement.id is None:
            return False
        if bundle is not self._bundle:
            self._bundle = bundle
            self._known = {
                (other.kind.name, other.id, number)
                for other in bundle
                if other.id is not None
                for number, term in enumerate(other.args)
                if term is not None
            }
        return (statement.kind.name, statement.id, index) in self._known


def times(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5.7.3: time instants are of type ``xsd:dateTime``."""
    for bundle, statement in _statements(document):
        for argument, term in zip(statement.kind.arguments, statement.args, strict=True):
            if argument.time and term is not None and not is_date_time(term):
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:lexical",
                    Severity.VIOLATION,
                    f"The {_words(argument.name)} of {statement.kind.name} is {_quoted(term)}, which is not a date "
                    "and time.",
                    value=_literal(Literal(term, XSD + "dateTime")),
                    repair=_EXAMPLE,
                )


def literals(document: Document) -> Iterator[Finding]:
    """Attribute values and keys need a lexical form that their datatype allows (XML Schema part 2)."""
    for bundle, statement in _statements(document):
        keys = [(_KEY, entry.key) for entry in statement.entries]
        for attribute, value in (*statement.attributes, *keys):
            if isinstance(value, Literal) and literal_problem(value) is not None:
                # It cannot be stored as RDF.
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:lexical",
                    Severity.VIOLATION,
                    f"The text {_quoted(value.lexical)} cannot be stored: {literal_problem(value)}.",
                    path=attribute,
                    value=_literal(value),
                    repair='Write its language as BCP 47 has it, with hyphens, such as "run 7"@en-US.'
                    if value.language is not None or value.datatype == RDF_LANG_STRING
                    else "Write its datatype as an IRI or with a declared prefix, such as xsd:string.",
                )
            elif isinstance(value, Literal) and valid(value.lexical, value.datatype) is False:
                name = value.datatype.removeprefix(XSD)
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:lexical",
                    Severity.WARNING,
                    f"The value {_quoted(value.lexical)} is not an xsd:{name}.",
                    path=attribute,
                    value=_literal(value),
                    repair=_EXAMPLE if name == "dateTime" else f"Write it as an xsd:{name}, or as a plain string.",
                )


def names_of_attributes(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5.7.4: attributes are qualified names. With a blank node as attribute it cannot be stored."""
    for bundle, statement in _statements(document):
        for attribute, _ in statement.attributes:
            if is_blank(attribute):
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:attribute",
                    Severity.VIOLATION,
                    f"The attribute {attribute} cannot be stored: a blank node is not the name of an attribute.",
                    path=attribute,
                    repair="Name the attribute with a declared prefix.",
                )


def reserved_attributes(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5.7.4: only W3C specifications define attributes in the PROV namespace."""
    meanings: dict[tuple[str, Kind], str] = {}
    rdf = document.format is not None and by_name(document.format).rdf
    named = document.format not in (None, "provn")
    for bundle, statement in _statements(document):
        for attribute, _ in statement.attributes:
            if attribute.startswith(PROV) and attribute not in _RESERVED:
                name = attribute.removeprefix(PROV)
                key = name, statement.kind
                if key not in meanings and len(meanings) < _COMPARED:
                    # The suggestion must be readable in the document's format. Outside RDF and PROV-N, arguments have
                    # names too.
                    kinds = PROPERTIES if rdf else _arguments(statement.kind) if named else _ATTRIBUTES
                    meant = None if rdf and name in TERMS else closest(name, kinds)
                    meanings[key] = "" if meant is None else f" Did you mean prov:{meant}?"
                yield _at(
                    bundle,
                    statement,
                    "prov-dm:attribute",
                    Severity.WARNING,
                    f"PROV-DM has no attribute prov:{name}, so that its meaning is not defined.",
                    path=attribute,
                    repair="Use an attribute of a namespace of your own, or one of prov:label, prov:location, "
                    "prov:role, prov:type and prov:value." + meanings.get(key, ""),
                )


@cache
def _arguments(kind: Kind) -> frozenset[str]:
    """Local names in the PROV namespace for a kind of statement in PROV-JSON, PROV-JSONLD and PROV-XML."""
    return _ATTRIBUTES.union(argument.name for argument in kind.arguments)


def labels(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5.7.2.1: the value of ``prov:label`` must be a string."""
    for bundle, statement in _statements(document):
        for attribute, value in statement.attributes:
            if attribute != PROV_LABEL or (isinstance(value, Literal) and value.datatype in _STRINGS):
                continue
            if isinstance(value, Literal):
                what, shown = f"{_quoted(value.lexical)} of type <{value.datatype}>", _literal(value)
            else:
                what, shown = f"the identifier <{value}>", f"<{value}>"
            yield _at(
                bundle,
                statement,
                "prov-dm:label",
                Severity.VIOLATION,
                f"The label of {statement.kind.name} is {what}, and PROV-DM demands a string (section 5.7.2.1).",
                path=attribute,
                value=shown,
                repair='Write the label as text, such as "run 7", with a language tag where it has a language.',
            )


def values(document: Document) -> Iterator[Finding]:
    """PROV-DM section 5.7.2.5: an entity has at most one ``prov:value``.

    Statements about one entity share one set of attributes (PROV-CONSTRAINTS 22).
    """
    for bundle in document.instances():
        known: dict[Identifier, Value] = {}
        for statement in bundle:
            for attribute, value in statement.attributes:
                if attribute != PROV_VALUE or statement.id is None or statement.kind is not ENTITY:
                    continue
                if known.setdefault(statement.id, value) != value:
                    yield _at(
                        bundle,
                        statement,
                        "prov-dm:value",
                        Severity.VIOLATION,
                        "The entity has more than one prov:value, and PROV-DM allows one at most (section 5.7.2.5).",
                        path=attribute,
                        value=_literal(value) if isinstance(value, Literal) else f"<{value}>",
                        repair="Keep one prov:value, or describe an entity of its own for each value.",
                    )


def attributes_of_kinds(document: Document) -> Iterator[Finding]:
    """PROV-DM sections 5.7.2.2, 5.7.2.3 and 5.7.2.5: only some kinds of statements have location, role and value."""
    for bundle, statement in _statements(document):
        for attribute, _ in statement.attributes:
            allowed, section = _ALLOWED.get(attribute, (None, ""))
            if allowed is None or statement.kind in allowed:
                continue
            name = attribute.removeprefix(PROV)
            yield _at(
                bundle,
                statement,
                "prov-dm:attribute",
                Severity.WARNING,
                f"PROV-DM has no prov:{name} for {statement.kind.name} (section {section}).",
                path=attribute,
                repair=f"Give prov:{name} to one of: {', '.join(sorted(kind.name for kind in allowed))}; or use an "
                "attribute of a namespace of your own.",
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    remarks,
    unread,
    namespaces,
    unread_triples,
    unknown_terms,
    mandatory_arguments,
    times,
    literals,
    names_of_attributes,
    reserved_attributes,
    labels,
    values,
    attributes_of_kinds,
)

_EXAMPLE = "Write it as an xsd:dateTime, such as 2024-05-31T14:05:00Z."


def _statements(document: Document) -> Iterator[tuple[Bundle, Statement]]:
    for bundle in document.instances():
        for statement in bundle:
            yield bundle, statement


def _at(
    bundle: Bundle,
    statement: Statement,
    rule: str,
    severity: Severity,
    message: str,
    *,
    path: str | None = None,
    value: str | None = None,
    repair: str | None = None,
) -> Finding:
    line, column = statement.span or (None, None)
    focus = statement.id if statement.id is not None else next(iter(statement.identifiers()), None)
    return Finding(
        LAYER,
        rule,
        severity,
        message,
        focus=focus,
        line=line,
        column=column,
        path=path,
        value=value,
        bundle=bundle.id,
        repair=repair,
    )


def _words(name: str) -> str:
    """``startTime`` as words: ``start time``; ``alternate1`` as ``alternate 1``."""
    return "".join(f" {c.lower()}" if c.isupper() or c.isdigit() else c for c in name)


def _section(statement: Statement) -> str:
    section = statement.kind.section
    return f"section {section}" if section[0].isdigit() else section


def _quoted(lexical: str) -> str:
    return f'"{lexical}"' if len(lexical) <= 60 else f'"{lexical[:60]}…"'


def _literal(value: Literal) -> str:
    lexical = value.lexical if len(value.lexical) <= 200 else value.lexical[:200] + "…"
    escaped = lexical.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"^^<{value.datatype}>'
