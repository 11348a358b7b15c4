"""Random shapes and data for them, as Turtle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

__all__ = ["CALM", "NUMBERS", "PREFIXES", "WILD", "Terms", "data", "shapes"]

PREFIXES = """\
@prefix e: <http://e.example/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
"""


@dataclass(frozen=True)
class Terms:
    """What cases are made of.

    Attributes:
        literals: that the data have.
        limits: of ranges.
        members: of lists, and values that have to be there.
        ordered: whether properties are compared by ``sh:lessThan``, and sh:node refers to property shapes too.
        nodes: IRIs and blank nodes.
        shortest: the least ``sh:minLength``.
        nested_closed: whether closed shapes stand inside others.
    """

    literals: tuple[str, ...]
    limits: tuple[str, ...]
    members: tuple[str, ...]
    ordered: bool
    nodes: tuple[str, ...]
    shortest: int
    nested_closed: bool


_IRIS = tuple(f"e:{n}" for n in range(6))
_BLANKS = tuple(f"_:b{n}" for n in range(3))

CALM = Terms(
    literals=(
        *('"a"', '"b"', '"abc"', '""', '"a"@en', '"b"@en', '"a"@de', '"a"@en-US', '"x"^^xsd:integer', '"1"^^e:type'),
        *("1", "3", "10", "1.5", "2.0", '"5"^^xsd:byte', '"300"^^xsd:byte', '"2020-13-01"^^xsd:date'),
    ),
    limits=(),
    members=('"a"', '"a"@en', "3", "e:1", "e:2"),
    ordered=False,
    nodes=(*_IRIS, *_BLANKS),
    shortest=1,
    nested_closed=False,
)
"""What pySHACL judges as the recommendation says."""

NUMBERS = replace(
    CALM,
    literals=("1", "3", "10", "1.5", "2.0", "1e0", '"5"^^xsd:byte'),
    limits=("1", "2", "3.0", "10"),
    members=("3", "e:1", "e:2"),
)
"""The same with ranges: of a text and a number, or of a datatype that it does not know, pySHACL finds one greater."""

WILD = Terms(
    literals=(
        *CALM.literals,
        *("01", "1.0", '"1"', '"A"@EN', '"a\\n"', "true", '"1"^^xsd:boolean', '"maybe"^^xsd:boolean', "1e0"),
        *('"NaN"^^xsd:double', '"INF"^^xsd:double', '"2020-01-02"^^xsd:date', '"10:00:00"^^xsd:time'),
        '"2020-01-01T00:00:00Z"^^xsd:dateTime',
        '"2020-01-01T00:00:00"^^xsd:dateTime',
        '"2020-01-01T01:00:00+01:00"^^xsd:dateTime',
        '"12020-01-01T00:00:00Z"^^xsd:dateTime',
    ),
    limits=(
        *("1", "1.0", "3", "10", "1e0", '"a"', '"2020-01-02"^^xsd:date', '"2020-01-01T00:00:00Z"^^xsd:dateTime'),
        '"2020-01-01T00:00:00"^^xsd:dateTime',
    ),
    members=('"a"', '"a"@en', "1", "01", "3", "e:1", "e:2", "true"),
    ordered=True,
    nodes=(*_IRIS, *_BLANKS),
    shortest=0,
    nested_closed=True,
)
"""What pySHACL does not always judge as the recommendation says."""

_PREDICATES = ("e:p", "e:q", "e:r")
_CLASSES = ("e:A", "e:B", "e:C")
_DATATYPES = (
    *("xsd:integer", "xsd:string", "xsd:dateTime", "rdf:langString", "xsd:boolean", "xsd:byte", "e:type"),
    *("xsd:date", "xsd:double"),
)
_KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
_LANGUAGES = ('"en"', '"en" "de"', '"de"')
_DEEPEST = 3


def data(random: Random, terms: Terms) -> str:
    """A data graph of up to 26 triples."""
    lines = ["e:B rdfs:subClassOf e:A ."]
    if random.random() < 0.3:
        lines.append("e:A rdfs:subClassOf e:B .")
    for _ in range(random.randrange(3, 25)):
        subject = random.choice(terms.nodes)
        if random.random() < 0.3:
            lines.append(f"{subject} a {random.choice(_CLASSES)} .")
        else:
            value = random.choice(terms.nodes if random.random() < 0.6 else terms.literals)
            lines.append(f"{subject} {random.choice(_PREDICATES)} {value} .")
    return PREFIXES + "\n".join(lines)


def shapes(random: Random, terms: Terms) -> str:
    """A shapes graph with one root shape."""
    target = random.choice(
        (
            f"sh:targetClass {random.choice(_CLASSES)}",
            f"sh:targetSubjectsOf {random.choice(_PREDICATES)}",
            f"sh:targetObjectsOf {random.choice(_PREDICATES)}",
            f"sh:targetNode {random.choice(('e:1', 'e:2', '1'))}",
        )
    )
    return f"{PREFIXES}e:Root {target} ; {_Shapes(random, terms).shape(0)[1:-1].strip()} ."


class _Shapes:
    def __init__(self, random: Random, terms: Terms) -> None:
        self._random = random
        self._terms = terms

    def _choice(self, *choices: str) -> str:
        return self._random.choice(choices)

    def shape(self, depth: int, *, of_property: bool | None = None) -> str:
        """A blank node that is a shape."""
        random = self._random
        if of_property is None:
            of_property = random.random() < 0.5
        constraints: dict[str, str] = {}
        for _ in range(random.choice((1, 1, 2))):
            constraint = self._constraint(depth, of_property=of_property)
            constraints.setdefault(constraint.partition(" ")[0], constraint)
        path = f"sh:path {self._path(0)} ; " if of_property else ""
        off = " ; sh:deactivated true" if random.random() < 0.03 else ""
        return f"[ {path}{' ; '.join(constraints.values())}{off} ]"

    def _path(self, depth: int) -> str:
        chosen = self._random.random()
        if depth >= _DEEPEST or chosen < 0.6:
            return self._choice(*_PREDICATES)
        inner = self._path(depth + 1)
        if chosen < 0.7:
            return f"[ sh:inversePath {inner} ]"
        if chosen < 0.8:
            return f"[ sh:alternativePath ( {inner} {self._path(depth + 1)} ) ]"
        if chosen < 0.9:
            return f"( {inner} {self._path(depth + 1)} )"
        return f"[ sh:{self._choice('zeroOrMorePath', 'oneOrMorePath', 'zeroOrOnePath')} {inner} ]"

    def _constraint(self, depth: int, *, of_property: bool) -> str:
        kinds = ["class", "datatype", "nodeKind", "length", "pattern", "language", "in", "hasValue", "pair"]
        kinds += ["range"] if self._terms.limits else []
        if depth < _DEEPEST:
            kinds += ["shape", "shapes", "property", *([] if depth and not self._terms.nested_closed else ["closed"])]
        if of_property:
            kinds += ["count", "count", "count", "uniqueLang"]
            kinds += ["less"] if self._terms.ordered else []
            kinds += ["qualified"] if depth < _DEEPEST else []
        return str(getattr(self, f"_{self._choice(*kinds)}")(depth))

    def _class(self, _: int) -> str:
        return f"sh:class {self._choice(*_CLASSES)}"

    def _datatype(self, _: int) -> str:
        return f"sh:datatype {self._choice(*_DATATYPES)}"

    def _nodeKind(self, _: int) -> str:
        return f"sh:nodeKind sh:{self._choice(*_KINDS)}"

    def _range(self, _: int) -> str:
        name = self._choice("minInclusive", "maxInclusive", "minExclusive", "maxExclusive")
        return f"sh:{name} {self._choice(*self._terms.limits)}"

    def _length(self, _: int) -> str:
        return f"sh:{self._choice('minLength', 'maxLength')} {self._random.randrange(self._terms.shortest, 20)}"

    def _pattern(self, _: int) -> str:
        flags = ' ; sh:flags "i"' if self._random.random() < 0.3 else ""
        return f'sh:pattern "{self._choice("^a", "a$", "^http", "1", "[A-Z]", "^a.$", ".")}"{flags}'

    def _language(self, _: int) -> str:
        return f"sh:languageIn ( {self._choice(*_LANGUAGES)} )"

    def _in(self, _: int) -> str:
        return f"sh:in ( {self._choice(*self._terms.members)} e:1 e:3 )"

    def _hasValue(self, _: int) -> str:
        return f"sh:hasValue {self._choice(*self._terms.members)}"

    def _pair(self, _: int) -> str:
        return f"sh:{self._choice('equals', 'disjoint')} {self._choice(*_PREDICATES)}"

    def _shape(self, depth: int) -> str:
        name = self._choice("not", "node")
        of_property = False if name == "node" and not self._terms.ordered else None
        return f"sh:{name} {self.shape(depth + 1, of_property=of_property)}"

    def _shapes(self, depth: int) -> str:
        return f"sh:{self._choice('and', 'or', 'xone')} ( {self.shape(depth + 1)} {self.shape(depth + 1)} )"

    def _property(self, depth: int) -> str:
        return f"sh:property {self.shape(depth + 1, of_property=True)}"

    def _closed(self, _: int) -> str:
        return "sh:closed true ; sh:ignoredProperties ( rdf:type )"

    def _count(self, _: int) -> str:
        return f"sh:{self._choice('minCount', 'maxCount')} {self._random.randrange(3)}"

    def _uniqueLang(self, _: int) -> str:
        return "sh:uniqueLang true"

    def _less(self, _: int) -> str:
        return f"sh:{self._choice('lessThan', 'lessThanOrEquals')} {self._choice(*_PREDICATES)}"

    def _qualified(self, depth: int) -> str:
        disjoint = " ; sh:qualifiedValueShapesDisjoint true" if self._random.random() < 0.3 else ""
        count = f"sh:{self._choice('qualifiedMinCount', 'qualifiedMaxCount')} {self._random.randrange(3)}"
        return f"sh:qualifiedValueShape {self.shape(depth + 1)} ; {count}{disjoint}"
