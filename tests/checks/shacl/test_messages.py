"""What a result says whose shape has no message."""

from __future__ import annotations

import pytest

from provrepo.checks.shacl.engine import Shapes
from provrepo.checks.shacl.graph import Graph
from provrepo.codecs.rdf.codec import parse
from tests.support.random_shapes import PREFIXES

PROV = "@prefix prov: <http://www.w3.org/ns/prov#> .\n"
DATA = 'e:1 prov:used e:2, "a"@en, "b"@en, 7 ; prov:wasAssociatedWith e:3 ; e:p 1 .'

MESSAGES = {
    "sh:path prov:used ; sh:class prov:Entity": "A value of prov:used is not an instance of prov:Entity.",
    "sh:path prov:used ; sh:datatype xsd:date": (
        "A value of prov:used is not a well-formed literal of the datatype xsd:date."
    ),
    "sh:nodeKind sh:BlankNodeOrLiteral": "This is not a blank node or a literal.",
    "sh:path prov:used ; sh:minInclusive 8": "A value of prov:used is not 8 or greater.",
    "sh:path prov:used ; sh:maxExclusive 7": "A value of prov:used is not less than 7.",
    "sh:minLength 99": "This does not have 99 or more characters.",
    "sh:maxLength 2": "This does not have 2 or fewer characters.",
    "sh:pattern '^urn:'": "This does not match the pattern '^urn:'.",
    "sh:path e:p ; sh:languageIn ( 'en' 'de' )": (
        "A value of http://e.example/p is not a text in one of these languages: en, de."
    ),
    "sh:in ( e:2 'x' )": 'This is none of http://e.example/2, "x".',
    "sh:not [ sh:nodeKind sh:IRI ]": "This conforms to the shape that is given for it, to which it must not conform.",
    "sh:not e:Iri": "This conforms to the shape http://e.example/Iri, to which it must not conform.",
    "sh:or ( [ sh:class e:A ] [ sh:class e:B ] )": (
        "This conforms to none of 2 shapes, to one of which it must conform."
    ),
    "sh:node [ sh:class e:A ]": "This does not conform to the shape that is given for it.",
    "sh:path prov:used ; sh:minCount 9": "This has fewer than 9 values of prov:used.",
    "sh:path prov:used ; sh:maxCount 3": "This has more than 3 values of prov:used.",
    "sh:path prov:used ; sh:uniqueLang true": "Two values of prov:used have the same language.",
    "sh:path prov:wasAssociatedWith ; sh:equals e:q": (
        "The values of prov:wasAssociatedWith are not those of http://e.example/q."
    ),
    "sh:path e:p ; sh:lessThan e:p": (
        "A value of http://e.example/p is not less than each value of http://e.example/p."
    ),
    "sh:path prov:used ; sh:hasValue 8": 'None of the values of prov:used is "8".',
    "sh:closed true ; sh:ignoredProperties ( prov:used e:p )": (
        "This has a property that its shape, which is closed, does not allow."
    ),
    "sh:path prov:used ; sh:qualifiedValueShape [ sh:class e:A ] ; sh:qualifiedMinCount 1": (
        "Fewer than 1 values of prov:used conform to the qualified value shape."
    ),
}


@pytest.mark.parametrize("constraint", MESSAGES)
def test_message(constraint: str) -> None:
    shapes = f"{PREFIXES}{PROV}e:S sh:targetNode e:1 ; {constraint} . e:Iri sh:nodeKind sh:IRI ."
    graph = Graph(parse((PREFIXES + PROV + DATA).encode(), "turtle").quads)
    found = {raw["message"] for raw in Shapes(shapes.encode()).validate(graph)}
    assert found == {MESSAGES[constraint]}
