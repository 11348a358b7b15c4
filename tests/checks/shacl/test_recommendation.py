"""What the SHACL recommendation says where engines differ, and pySHACL leaves it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from provrepo.checks.shacl.engine import Shapes
from provrepo.checks.shacl.errors import DeadlinePassed, NotCovered
from provrepo.checks.shacl.graph import Graph
from provrepo.codecs.rdf.codec import parse
from provrepo.vocab import XSD
from tests.support.random_shapes import PREFIXES
from tests.support.work import steps

SHACL = "http://www.w3.org/ns/shacl#"


def validate(shapes: str, triples: str) -> list[Any]:
    compiled = Shapes((PREFIXES + shapes).encode())
    assert not compiled.others
    return compiled.validate(Graph(parse((PREFIXES + triples).encode(), "turtle").quads))


def found(shapes: str, triples: str) -> list[str]:
    """The results as ``component value``, in order."""
    lines = []
    for raw in validate(shapes, triples):
        component = raw["component"].removeprefix(SHACL).removesuffix("ConstraintComponent")
        lines.append(f"{component} {raw['value'] or '-'}".replace(XSD, "xsd:").replace("http://e.example/", "e:"))
    return sorted(lines)


TIMES = '"2020-01-01T00:00:00Z"^^xsd:dateTime'
UNZONED = '"2020-01-01T05:00:00"^^xsd:dateTime'

CASES = {
    # One value that cannot be compared is one result, and hides no other.
    "a blank node in lessThan": (
        "e:S sh:targetSubjectsOf e:q ; sh:path e:p ; sh:lessThan e:q ; sh:class e:A .",
        "e:1 e:p _:b, 3 ; e:q 2 .",
        ["Class \"3\"^^<xsd:integer>", "Class _:", "LessThan \"3\"^^<xsd:integer>", "LessThan _:"],
    ),
    "NaN against a decimal": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:maxInclusive 1.5 ; sh:maxCount 1 .",
        'e:1 e:p "NaN"^^xsd:double, 1.0 . e:2 e:p 7.0 .',
        ["MaxCount -", 'MaxInclusive "7.0"^^<xsd:decimal>', 'MaxInclusive "NaN"^^<xsd:double>'],
    ),
    "sh:node on a property shape": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:node e:N ; sh:nodeKind sh:IRI . e:N sh:class e:A .",
        "e:1 e:p 1, e:2 .",
        ['Node "1"^^<xsd:integer>', "Node <e:2>", 'NodeKind "1"^^<xsd:integer>'],
    ),
    "sh:node of a property shape": (
        "e:S sh:targetSubjectsOf e:p ; sh:node [ sh:path e:p ; sh:minCount 2 ] .",
        "e:1 e:p 1 . e:2 e:p 1, 2 .",
        ["Node <e:1>"],
    ),
    # Values of other types are not comparable (sections 4.3 and 4.5).
    "booleans, dates and texts in a range": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:maxInclusive 3 .",
        'e:1 e:p true, "2020-01-01"^^xsd:date, "a", "1"^^e:type, "x"^^xsd:integer, e:2, 3 .',
        [
            'MaxInclusive "1"^^<e:type>',
            'MaxInclusive "2020-01-01"^^<xsd:date>',
            'MaxInclusive "a"',
            'MaxInclusive "true"^^<xsd:boolean>',
            'MaxInclusive "x"^^<xsd:integer>',
            "MaxInclusive <e:2>",
        ],
    ),
    "a literal less than an IRI": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThan e:q .",
        "e:1 e:p 1 ; e:q e:2 .",
        ['LessThan "1"^^<xsd:integer>'],
    ),
    "equal IRIs are not comparable": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThanOrEquals e:q .",
        "e:1 e:p e:2 ; e:q e:2 .",
        ["LessThanOrEquals <e:2>"],
    ),
    "numbers of different datatypes": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThan e:q .",
        'e:1 e:p "9"^^xsd:byte, 1.5, 1e0, "INF"^^xsd:double ; e:q 10 .',
        ['LessThan "INF"^^<xsd:double>'],
    ),
    "times of which one has no zone": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThan e:q .",
        f'e:1 e:p {TIMES} ; e:q {UNZONED} . e:2 e:p {UNZONED} ; e:q {TIMES} . '
        f'e:3 e:p {TIMES} ; e:q "2019-12-31T09:00:00"^^xsd:dateTime .',
        ['LessThan "2020-01-01T00:00:00Z"^^<xsd:dateTime>'],
    ),
    "in a range, such a time is not comparable": (
        f"e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:minInclusive {TIMES} .",
        f'e:1 e:p {UNZONED}, "2020-01-03T00:00:00"^^xsd:dateTime .',
        ['MinInclusive "2020-01-01T05:00:00"^^<xsd:dateTime>'],
    ),
    "times at the ends of the calendar": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThan e:q .",
        'e:1 e:p "0001-01-01T00:00:00+14:00"^^xsd:dateTime ; e:q "0001-01-01T00:00:00"^^xsd:dateTime . '
        'e:2 e:p "12020-01-01T00:00:00Z"^^xsd:dateTime ; e:q "-0044-03-15T00:00:00Z"^^xsd:dateTime .',
        ['LessThan "12020-01-01T00:00:00Z"^^<xsd:dateTime>'],
    ),
    "times of the day": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:lessThan e:q .",
        'e:1 e:p "10:00:00Z"^^xsd:time ; e:q "09:30:00-02:00"^^xsd:time . '
        'e:2 e:p "10:00:00"^^xsd:time ; e:q "09:30:00-02:00"^^xsd:time .',
        ['LessThan "10:00:00"^^<xsd:time>'],
    ),
    # Terms are compared as terms (sections 4.5.1, 4.5.2, 4.8.2 and 4.8.3).
    "another spelling is another term": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:hasValue 1 ; sh:in ( 1 e:2 ) ; sh:disjoint e:q .",
        "e:1 e:p 01 ; e:q 1 .",
        ["HasValue -", 'In "01"^^<xsd:integer>'],
    ),
    "language tags have no case": (
        'e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:in ( "a"@en ) ; sh:hasValue "a"@en ; sh:equals e:q .',
        'e:1 e:p "a"@EN ; e:q "a"@eN .',
        [],
    ),
    # Texts (section 4.4).
    "blank nodes have no length": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:minLength 0 ; sh:maxLength 9 ; sh:pattern '' .",
        "e:1 e:p _:b .",
        ["MaxLength _:", "MinLength _:", "Pattern _:"],
    ),
    "the end of a text is no line feed": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:pattern 'a$' .",
        'e:1 e:p "a", "a\\n" .',
        ['Pattern "a\\n"'],
    ),
    "language ranges match by prefix": (
        'e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:languageIn ( "en-US" "de" ) .',
        'e:1 e:p "a"@en-us-x-y, "b"@en, "c"@DE-at, "d"@den, "e" .',
        ['LanguageIn "b"@en', 'LanguageIn "d"@den', 'LanguageIn "e"'],
    ),
    "one result for each language": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:uniqueLang true .",
        'e:1 e:p "a"@en, "b"@EN, "c"@en, "d"@de, "e"@de, "f"@fr .',
        ["UniqueLang -", "UniqueLang -"],
    ),
    "uniqueLang and deactivated are true in this spelling": (
        'e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:uniqueLang "1"^^xsd:boolean ; sh:maxCount 1 ; '
        'sh:deactivated "1"^^xsd:boolean .',
        'e:1 e:p "a"@en, "b"@en .',
        ["MaxCount -"],
    ),
    # Types (section 4.1).
    "an ill-formed literal is not of its datatype": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:datatype xsd:byte .",
        'e:1 e:p "300"^^xsd:byte, "30"^^xsd:byte, "30"^^xsd:int .',
        ['Datatype "30"^^<xsd:int>', 'Datatype "300"^^<xsd:byte>'],
    ),
    "classes in a circle": (
        "e:S sh:targetClass e:A ; sh:class e:C .",
        "e:A rdfs:subClassOf e:B . e:B rdfs:subClassOf e:A, e:C . e:1 a e:B . e:2 a e:C .",
        [],
    ),
    # Shapes (sections 2, 4.6, 4.7 and 4.8.1).
    "only predicate paths of direct properties are allowed": (
        "e:S sh:targetSubjectsOf e:p ; sh:closed true ; "
        "sh:property [ sh:path [ sh:inversePath e:q ] ], [ sh:path e:p ] ; "
        "sh:node [ sh:property [ sh:path e:r ] ] .",
        "e:1 e:p 1 ; e:q 2 ; e:r 3 .",
        ['Closed "2"^^<xsd:integer>', 'Closed "3"^^<xsd:integer>'],
    ),
    "deactivated shapes are conformed to": (
        "e:S sh:targetSubjectsOf e:p ; sh:not [ sh:deactivated true ; sh:class e:A ] .",
        "e:1 e:p 1 .",
        ["Not <e:1>"],
    ),
    "severity does not decide about conformance": (
        "e:S sh:targetSubjectsOf e:p ; sh:or ( [ sh:class e:A ; sh:severity sh:Info ] [ sh:class e:B ] ) .",
        "e:1 e:p 1 .",
        ["Or <e:1>"],
    ),
    "a value of two focus nodes repeats the results of nested shapes": (
        "e:S sh:targetSubjectsOf e:p ; sh:path e:p ; sh:property [ sh:path e:q ; sh:minCount 1 ] .",
        "e:1 e:p e:3 . e:2 e:p e:3 .",
        ["MinCount -", "MinCount -"],
    ),
    "siblings of every parent, but for the own shape": (
        "e:S sh:targetSubjectsOf e:p ; sh:property e:One, e:Two . e:T sh:property e:One, e:Three . "
        "e:One sh:path e:p ; sh:qualifiedValueShape [ sh:class e:A ] ; sh:qualifiedMinCount 1 ; "
        "sh:qualifiedValueShapesDisjoint true . "
        "e:Two sh:path e:p ; sh:qualifiedValueShape [ sh:class e:B ] ; sh:qualifiedMinCount 0 . "
        "e:Three sh:path e:p ; sh:qualifiedValueShape [ sh:class e:C ] ; sh:qualifiedMinCount 0 .",
        "e:1 e:p e:x, e:y . e:x a e:A, e:B . e:y a e:A, e:C . e:2 e:p e:z . e:z a e:A .",
        ["QualifiedMinCount -"],
    ),
    "a target that is not in the data": ("e:S sh:targetNode e:9, 9 ; sh:nodeKind sh:Literal .", "", ["NodeKind <e:9>"]),
    "a sequence inside an inverse is reversed": (
        "e:S sh:targetNode e:3 ; sh:path [ sh:inversePath ( e:p e:q ) ] ; sh:in ( e:0 ) .",
        "e:1 e:p e:2 . e:2 e:q e:3 .",
        ["In <e:1>"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_results(case: str) -> None:
    shapes, triples, expected = CASES[case]
    assert [result.replace("_:b1", "_:") for result in found(shapes, triples)] == expected


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ("e:S sh:targetClass e:A ; sh:node e:S .", "refers to itself"),
        ("e:S sh:targetClass e:A ; sh:not e:T . e:T sh:and ( e:S ) .", "refers to itself"),
        ("e:S sh:targetClass e:A ; sh:js [] .", "not of SHACL Core"),
        ("e:S sh:targetClass e:A ; sh:not [ sh:sparql [] ] .", "based on SPARQL"),
        ("e:S sh:targetClass e:A ; sh:or ( [ sh:property [ sh:path e:p ; sh:sparql [] ] ] e:T ) .", "based on SPARQL"),
        ("e:C sh:parameter [ sh:path e:own ] . e:S sh:targetClass e:A ; sh:node [ e:own 1 ] .", "based on SPARQL"),
        ("e:C sh:parameter [ sh:path sh:class ] . e:S sh:targetClass e:A .", "parameters of SHACL Core"),
        ("e:S sh:targetClass e:A ; sh:path ( e:p ) .", "fewer than two"),
        ("e:S sh:targetClass e:A ; sh:path _:p . _:p sh:inversePath _:p .", "not a property path"),
        ("e:S sh:targetClass e:A ; sh:path [] .", "not a property path"),
        ("e:S sh:targetClass e:A ; sh:path 'p' .", "not a property path"),
        ("e:S sh:targetClass e:A ; sh:or e:list .", "not a well-formed list"),
        ("e:S sh:targetClass e:A ; sh:or _:l . _:l rdf:first e:T ; rdf:rest _:l .", "not a well-formed list"),
        ("e:S sh:targetClass e:A ; sh:minCount 1 .", "parameter of property shapes"),
        ("e:S sh:targetClass e:A ; sh:path e:p ; sh:minCount -1 .", "not an integer from 0"),
        ("e:S sh:targetClass e:A ; sh:path e:p ; sh:minCount 'one' .", "not an integer"),
        ("e:S sh:targetClass e:A ; sh:path e:p ; sh:minCount 1, 2 .", "2 values"),
        ("e:S sh:targetClass e:A ; sh:pattern '(' .", "cannot be understood"),
        ("e:S sh:targetClass e:A ; sh:pattern '(a)\\\\1' .", "backreference"),
        ("e:S sh:targetClass e:A ; sh:nodeKind sh:Thing .", "not a node kind"),
        ("e:S sh:targetClass e:A ; sh:class 'A' .", "not an IRI"),
        ("e:S sh:targetClass e:A ; sh:property [ sh:class e:B ] .", "not a property shape"),
        ("e:S a sh:PropertyShape .", "without a path"),
    ],
)
def test_what_is_not_covered_is_left_to_another_processor(shapes: str, reason: str) -> None:
    (given,) = Shapes((PREFIXES + shapes).encode()).others.values()
    assert reason in given


def test_shapes_that_can_be_judged_are_judged_beside_others() -> None:
    compiled = Shapes((PREFIXES + "e:S sh:targetNode e:1 ; sh:class e:A . e:T sh:targetNode e:1 ; sh:js [] .").encode())
    assert set(compiled.others) == {"http://e.example/T"}
    assert [raw["root"] for raw in compiled.validate(Graph())] == ["http://e.example/S"]
    assert compiled.validate(Graph(), only=["http://e.example/T"]) == []


def test_shapes_that_cannot_be_read_are_not_covered() -> None:
    with pytest.raises(NotCovered, match="cannot be read"):
        Shapes(b"@prefix sh: <broken")


def test_evaluation_ends_at_the_deadline() -> None:
    graph = Graph(parse((PREFIXES + "e:1 a e:A .").encode(), "turtle").quads, deadline=time.monotonic() - 1)
    with pytest.raises(DeadlinePassed):
        Shapes((PREFIXES + "e:S sh:targetClass e:A ; sh:class e:B .").encode()).validate(graph)


def test_closures_of_closures_are_one_closure() -> None:
    path = "e:p"
    for name in ("zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath") * 16:
        path = f"[ sh:{name} {path} ]"
    shapes = f"e:S sh:targetNode e:1 ; sh:path {path} ; sh:in ( e:1 e:2 e:3 ) ."
    assert found(shapes, "e:1 e:p e:2 . e:2 e:p e:3 . e:3 e:p e:1, e:4 .") == ["In <e:4>"]


def test_a_closure_along_a_chain_takes_linear_time() -> None:
    shapes = "e:S sh:targetNode e:n0 ; sh:path [ sh:zeroOrMorePath e:p ] ; sh:nodeKind sh:IRI ; sh:maxCount 5 ."
    counted = []
    for length in (100, 400):
        chain = "".join(f"e:n{i} e:p e:n{i + 1} ." for i in range(length))
        graph = Graph(parse((PREFIXES + chain).encode(), "turtle").quads)
        found: list[dict[str, object]] = []
        made = Shapes((PREFIXES + shapes).encode())
        counted.append(steps(lambda made=made, graph=graph, found=found: found.extend(made.validate(graph))))
        assert [raw["component"] for raw in found] == [SHACL + "MaxCountConstraintComponent"]
    assert counted[1] < 5 * counted[0], counted
