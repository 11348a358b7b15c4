"""Test that shapes are well-formed by SHACL's syntax rules (W3C Recommendation, appendix C) and can have results.

Engines silently ignore many such mistakes: a maximum that is a text, a shape without a target, a term that SHACL does
not define. A profile with such a mistake accepts everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from provrepo.checks.lexical import valid
from provrepo.errors import UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.model.prov_namespace import namespace_for, within_one_edit
from provrepo.vocab import OWL, PROV, RDF, RDF_TYPE, RDFS, SH, XSD, XSD_STRING

__all__ = ["TARGETS", "TERMS", "require_shapes"]

# The terms of SHACL Core and SHACL-SPARQL (W3C Recommendation of 20 July 2017) that shapes may use.
TERMS = frozenset(
    """
    NodeShape PropertyShape PropertyGroup ConstraintComponent Parameter Validator PrefixDeclaration
    SPARQLConstraint SPARQLConstraintComponent SPARQLAskValidator SPARQLSelectValidator
    Violation Warning Info BlankNode IRI Literal BlankNodeOrIRI BlankNodeOrLiteral IRIOrLiteral
    targetClass targetNode targetSubjectsOf targetObjectsOf
    path inversePath alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath
    property node not and or xone qualifiedValueShape qualifiedValueShapesDisjoint qualifiedMinCount qualifiedMaxCount
    class datatype nodeKind minCount maxCount minExclusive minInclusive maxExclusive maxInclusive
    minLength maxLength pattern flags languageIn uniqueLang equals disjoint lessThan lessThanOrEquals
    closed ignoredProperties hasValue in deactivated severity message name description order group defaultValue
    sparql select ask prefixes declare prefix namespace parameter optional labelTemplate
    validator nodeValidator propertyValidator
    """.split()  # noqa: SIM905 (a list would be a page long)
)

TARGETS = frozenset(SH + name for name in ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf"))

_SHAPES = frozenset(SH + name for name in ("NodeShape", "PropertyShape"))
_CLASSES = frozenset((RDFS + "Class", OWL + "Class"))
_NODE_KINDS = ("BlankNode", "IRI", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
_SEVERITIES = ("Violation", "Warning", "Info")
_INTEGERS = frozenset(
    XSD + name for name in ("integer", "nonNegativeInteger", "positiveInteger", "int", "long", "short")
)
_DATATYPES = frozenset(
    """
    string boolean decimal integer double float date time dateTime dateTimeStamp gYear gMonth gDay gYearMonth gMonthDay
    duration yearMonthDuration dayTimeDuration byte short int long unsignedByte unsignedShort unsignedInt unsignedLong
    positiveInteger nonNegativeInteger negativeInteger nonPositiveInteger hexBinary base64Binary anyURI language
    normalizedString token NMTOKEN Name NCName anyType anySimpleType anyAtomicType QName NOTATION ID IDREF IDREFS ENTITY
    ENTITIES NMTOKENS
    """.split()  # noqa: SIM905 (a list would be a page long)
)
"""XML Schema 1.1 part 2."""


def require_shapes(quads: Iterable[Quad]) -> list[Identifier]:
    """Refuse the triples of a file of shapes that are not well-formed.

    Returns:
        The shapes with targets, in order.

    Raises:
        UsageError: they are not well-formed, or some could never have a result; the message names the shape.
    """
    shapes = _ShapesFile(quads)
    shapes.namespaces()
    shapes.terms()
    shapes.namespaces_of_prov()
    targeted = shapes.targets()
    shapes.parameters()
    shapes.companions()
    shapes.paths()
    return targeted


# What values may be ---------------------------------------------------------------------------------------------

_ValueRule: TypeAlias = "tuple[str, Callable[[_ShapesFile, Value], bool]]"
"""A requirement on a value, as a clause for messages, and its test."""


def _is_iri(value: Value) -> bool:
    return isinstance(value, Identifier) and not is_blank(value)


def _is_text(value: Value) -> bool:
    return isinstance(value, Literal) and bool(value.language or value.datatype == XSD_STRING)


def _is_boolean(value: Value) -> bool:
    return isinstance(value, Literal) and value.datatype == XSD + "boolean" and value.lexical in ("true", "false")


def _is_count(value: Value) -> bool:
    if not isinstance(value, Literal) or value.datatype not in _INTEGERS:
        return False
    return bool(valid(value.lexical, value.datatype)) and not value.lexical.startswith("-")


def _is_number_or_time(value: Value) -> bool:
    if not isinstance(value, Literal) or value.language or value.datatype == XSD_STRING:
        return False
    return valid(value.lexical, value.datatype) is not False


_STRING: _ValueRule = (
    "has to be a text without a language",
    lambda _, v: isinstance(v, Literal) and v.datatype == XSD_STRING,
)
_TEXT: _ValueRule = (
    "has to be a text",
    lambda _, v: _is_text(v),
)
_COUNT: _ValueRule = ("has to be an xsd:integer from 0, such as 1", lambda _, v: _is_count(v))
_BOOLEAN: _ValueRule = ("has to be true or false", lambda _, v: _is_boolean(v))
_IRI: _ValueRule = ("has to be an IRI", lambda _, v: _is_iri(v))
_NAMED: _ValueRule = ("has to be an IRI or a literal", lambda _, v: isinstance(v, Literal) or _is_iri(v))
_LITERAL: _ValueRule = ("has to be a number, a date or a time", lambda _, v: _is_number_or_time(v))
_SHAPE: _ValueRule = ("has to be a shape that this file describes", lambda shapes, v: shapes.described(v))
_PROPERTY: _ValueRule = (
    "has to be a property shape, which has a sh:path, of this file",
    lambda shapes, v: isinstance(v, Identifier) and bool(shapes.objects(v, SH + "path")),
)
_LIST: _ValueRule = ("has to be a list: (…)", lambda shapes, v: shapes.items(v) is not None)
_TEXTS: _ValueRule = ("has to be a list of texts", lambda shapes, v: _all(shapes, v, _STRING))
_IRIS: _ValueRule = ("has to be a list of IRIs", lambda shapes, v: _all(shapes, v, _IRI))
_SHAPE_LIST: _ValueRule = (
    "has to be a list of shapes that this file describes",
    lambda shapes, v: bool(shapes.items(v)) and _all(shapes, v, _SHAPE),
)


def _all(shapes: _ShapesFile, head: Value, rule: _ValueRule) -> bool:
    items = shapes.items(head)
    return items is not None and all(rule[1](shapes, item) for item in items)


def _one_of(*names: str) -> _ValueRule:
    listed = [f"sh:{name}" for name in names]
    clause = f"is none of {', '.join(listed[:-1])} and {listed[-1]}"
    return clause, lambda _, v: v in {SH + name for name in names}


_DATATYPE: _ValueRule = (
    "has to be the IRI of a datatype; in the namespace of XML Schema, of one that it defines",
    lambda _, v: _is_iri(v) and not (str(v).startswith(XSD) and str(v).removeprefix(XSD) not in _DATATYPES),
)

_VALUES: dict[str, _ValueRule] = {
    **dict.fromkeys(("targetClass", "targetSubjectsOf", "targetObjectsOf", "class"), _IRI),
    **dict.fromkeys(("equals", "disjoint", "lessThan", "lessThanOrEquals"), _IRI),
    **dict.fromkeys(
        ("minCount", "maxCount", "minLength", "maxLength", "qualifiedMinCount", "qualifiedMaxCount"), _COUNT
    ),
    **dict.fromkeys(("minExclusive", "minInclusive", "maxExclusive", "maxInclusive"), _LITERAL),
    **dict.fromkeys(("closed", "uniqueLang", "deactivated", "optional"), _BOOLEAN),
    **dict.fromkeys(("pattern", "flags", "select", "ask", "prefix"), _STRING),
    **dict.fromkeys(("message", "name", "description", "labelTemplate"), _TEXT),
    **dict.fromkeys(("node", "not", "qualifiedValueShape"), _SHAPE),
    **dict.fromkeys(("and", "or", "xone"), _SHAPE_LIST),
    "targetNode": _NAMED,
    "property": _PROPERTY,
    "in": _LIST,
    "languageIn": _TEXTS,
    "ignoredProperties": _IRIS,
    "datatype": _DATATYPE,
    "nodeKind": _one_of(*_NODE_KINDS),
    "severity": _one_of(*_SEVERITIES),
}
"""The rule for the values of each property of SHACL, by local name."""

_ONCE = frozenset(
    """
    path datatype nodeKind minCount maxCount minExclusive minInclusive maxExclusive maxInclusive minLength maxLength
    languageIn uniqueLang closed ignoredProperties in deactivated severity flags
    qualifiedMinCount qualifiedMaxCount qualifiedValueShapesDisjoint
    """.split()  # noqa: SIM905 (a list would be a page long)
)
"""Properties that a shape has at most once (section 2.1.2 and those of the constraint components)."""

_OF_PROPERTIES = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualifiedValueShape")
"""Properties that a node shape may not have (section 4)."""

_COMPANIONS = (
    ("qualifiedMinCount", ("qualifiedValueShape",)),
    ("qualifiedMaxCount", ("qualifiedValueShape",)),
    ("qualifiedValueShape", ("qualifiedMinCount", "qualifiedMaxCount")),
    ("flags", ("pattern",)),
    ("ignoredProperties", ("closed",)),
)
"""Properties that have no meaning without one of some others."""

_FLAGS = frozenset("imsx")

_PATHS = ("inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath", "alternativePath")


class _Parameter(NamedTuple):
    """One value of a property of SHACL; ``name`` is the local name of the property."""

    subject: Identifier
    name: str
    value: Value


class _ShapesFile:
    """The triples of a file, by subject and property."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self._quads = list(quads)
        self._objects: dict[tuple[Identifier, str], list[Value]] = {}
        self._parents: dict[Value, Identifier] = {}
        self._predicates: dict[Identifier, set[str]] = {}
        for subject, predicate, value, _ in self._quads:
            self._objects.setdefault((subject, predicate), []).append(value)
            self._parents.setdefault(value, subject)
            self._predicates.setdefault(subject, set()).add(predicate)

    def objects(self, subject: Identifier, predicate: str) -> list[Value]:
        """The values of a property."""
        return self._objects.get((subject, predicate), [])

    def described(self, value: Value) -> bool:
        """Whether a node has triples, or is blank, so that it can be a shape: an empty ``[]`` accepts every node."""
        return isinstance(value, Identifier) and (value in self._predicates or is_blank(value))

    def items(self, head: Value) -> list[Value] | None:
        """The members of a list; None where it is not one."""
        found: list[Value] = []
        seen: set[Value] = set()
        while head != RDF + "nil":
            if not isinstance(head, Identifier) or head in seen:
                return None
            seen.add(head)
            first, rest = self.objects(head, RDF + "first"), self.objects(head, RDF + "rest")
            if len(first) != 1 or len(rest) != 1:
                return None
            found.append(first[0])
            head = rest[0]
        return found

    def where(self, node: Identifier) -> str:
        """The name of a shape in messages; for a blank node, of the nearest enclosing shape with an IRI."""
        seen: set[Identifier] = set()
        enclosing = node
        while is_blank(enclosing) and enclosing in self._parents and enclosing not in seen:
            seen.add(enclosing)
            enclosing = self._parents[enclosing]
        if is_blank(enclosing):
            return "a shape without an IRI"
        return f"a shape in {enclosing}" if seen else str(enclosing)

    def _parameters(self) -> Iterator[_Parameter]:
        for subject, predicate, value, _ in self._quads:
            if predicate.startswith(SH):
                yield _Parameter(subject, predicate.removeprefix(SH), value)

    # The rules --------------------------------------------------------------------------------------------------

    def namespaces(self) -> None:
        """Refuse a namespace that is similar to SHACL's, since its terms have no meaning."""
        for quad in self._quads:
            for term in quad[:3]:
                if isinstance(term, Identifier) and (wrong := _nearly_shacl(term)):
                    raise UsageError(f"<{wrong}> is not the namespace of SHACL, which is <{SH}> ({term})")

    def terms(self) -> None:
        """Refuse terms that neither SHACL Core nor SHACL-SPARQL defines."""
        for subject, predicate, value, _ in self._quads:
            for term in (predicate, value):
                if isinstance(term, Identifier) and term.startswith(SH) and term.removeprefix(SH) not in TERMS:
                    name = term.removeprefix(SH)
                    raise UsageError(
                        f"sh:{name} belongs neither to SHACL Core nor to SHACL-SPARQL ({self.where(subject)})"
                    )

    def namespaces_of_prov(self) -> None:
        """Refuse namespaces that are similar to PROV's, since no valid document uses them."""
        for subject, predicate, value, _ in self._quads:
            for term in (subject, predicate, value):
                near = namespace_for(term) if isinstance(term, Identifier) else None
                if near is not None:
                    raise UsageError(
                        f"<{near}> is not the namespace of PROV, which is <{PROV}> ({term} in {self.where(subject)})"
                    )

    def targets(self) -> list[Identifier]:
        """Refuse a file without targets, and shapes without a target that no other shape refers to."""
        targeted = {quad.subject: None for quad in self._quads if quad.predicate in TARGETS}
        for subject in self._predicates:
            types = set(self.objects(subject, RDF_TYPE))
            if types & _SHAPES and types & _CLASSES:
                targeted[subject] = None  # implicit class targets, section 2.1.3.3
        if not targeted:
            raise UsageError(
                "none of the shapes has a target, so they would never find anything; give one, such as sh:targetClass"
            )
        for subject in targeted:
            if is_blank(subject):
                raise UsageError("a shape with a target has no IRI, by which findings could name it")
        referred = {quad.object for quad in self._quads}
        for subject, predicates in self._predicates.items():
            shape = bool(_SHAPES & set(self.objects(subject, RDF_TYPE))) or f"{SH}path" in predicates
            if shape and subject not in targeted and subject not in referred:
                raise UsageError(
                    f"{self.where(subject)} has no target and no other shape refers to it: it would never find anything"
                )
        return list(targeted)

    def parameters(self) -> None:
        """Refuse values that a property of SHACL cannot have, and several where one is allowed."""
        counted = Counter((subject, name) for subject, name, _ in self._parameters() if name in _ONCE)
        for subject, name, value in self._parameters():
            if counted[subject, name] > 1:
                raise UsageError(f"{self.where(subject)} has sh:{name} more than once, and a shape has one at most")
            if name in _VALUES:
                clause, test = _VALUES[name]
                if not test(self, value):
                    raise UsageError(f"sh:{name} of {self.where(subject)} is {_shown(value)}, which {clause}")
            if name == "flags" and isinstance(value, Literal) and not set(value.lexical) <= _FLAGS:
                raise UsageError(f"sh:flags of {self.where(subject)} is {_shown(value)}, and there are i, m, s and x")

    def companions(self) -> None:
        """Refuse properties that have no meaning in their shape."""
        parameters = {parameter.value for parameter in self._parameters() if parameter.name == "parameter"}
        for subject, predicates in self._predicates.items():
            names = {predicate.removeprefix(SH) for predicate in predicates if predicate.startswith(SH)}
            for name, others in _COMPANIONS:
                if name in names and not names.intersection(others):
                    wanted = " or ".join(f"sh:{other}" for other in others)
                    raise UsageError(f"sh:{name} of {self.where(subject)} means nothing without {wanted}")
            if "path" in names or subject in parameters:
                continue
            for name in _OF_PROPERTIES:
                if name in names:
                    raise UsageError(f"sh:{name} of {self.where(subject)} means nothing without sh:path")
            if SH + "PropertyShape" in self.objects(subject, RDF_TYPE):
                raise UsageError(f"{self.where(subject)} is a property shape and has no sh:path")

    def paths(self) -> None:
        """Refuse malformed property paths (section 2.3.1); ``vetting`` has refused cyclic ones before."""
        for parameter in self._parameters():
            if parameter.name != "path":
                continue
            pending = [parameter.value]
            seen = set[Value]()
            while pending:
                path = pending.pop()
                if _is_iri(path) or path in seen:
                    continue
                if not isinstance(path, Identifier):
                    raise UsageError(
                        f"sh:path of {self.where(parameter.subject)} is {_shown(parameter.value)}, not a property path"
                    )
                seen.add(path)
                pending += self._steps(path, parameter.subject)

    def _steps(self, path: Identifier, shape: Identifier) -> list[Value]:
        steps = [(name, value) for name in _PATHS for value in self.objects(path, SH + name)]
        inner: list[Value] | None = None
        if self.objects(path, RDF + "first"):
            inner = self.items(path)
        elif len(steps) == 1:
            name, value = steps[0]
            if name != "alternativePath":
                return [value]
            inner = self.items(value)
        if inner is None or len(inner) < 2:
            raise UsageError(
                f"sh:path of {self.where(shape)} is not a property path: an IRI, a list of two or more paths, or "
                "a blank node with one of sh:inversePath, sh:alternativePath and the like"
            )
        return inner


def _shown(value: Value) -> str:
    if isinstance(value, Literal):
        return f'"{value.lexical[:60]}"' + (f"@{value.language}" if value.language else "")
    return "a blank node" if is_blank(value) else f"<{value}>"


_NAMESPACE = re.compile(r"(.*[#/])([^#/]*)", re.DOTALL)


def _nearly_shacl(iri: str) -> str | None:
    """The namespace of an IRI where it differs from SHACL's by scheme, host, ending, or one edit; otherwise None."""
    match = _NAMESPACE.fullmatch(iri)
    if match is None or iri.startswith(SH):
        return None
    found, local = match[1], match[2]
    if _bare(found + local[:5]) == _bare(SH) and local[5:] in TERMS:
        return found + local[:5]  # a namespace without "#" at its end: the local name follows "shacl" directly
    return found if within_one_edit(_bare(found), _bare(SH)) else None


def _bare(namespace: str) -> str:
    """A namespace without the parts that often vary: scheme, "www.", capitals, and "#" or "/" at its end."""
    return re.sub(r"^https?://(www\.)?", "", namespace.lower()).rstrip("#/")
