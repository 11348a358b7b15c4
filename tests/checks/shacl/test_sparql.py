"""Shapes with constraints of SHACL Core and constraints based on SPARQL: each engine judges its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provrepo.checks.shacl.engine import Shapes
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shapes.pyshacl_engine import PyShacl
from provrepo.checks.shapes.validator import validate_graph
from provrepo.codecs.rdf.codec import parse
from tests.support.random_shapes import PREFIXES

SPARQL = "sh:sparql [ sh:message 'odd'; sh:select 'SELECT $this ?value { $this <http://e.example/odd> ?value }' ]"
DATA = "e:1 e:odd 7 ; e:p _:b, 3 ; e:q 2 . e:2 e:odd 8 ; e:p 1 ; e:q 2 ."


def validate(folder: Path, shapes: str, triples: str = DATA) -> list[tuple[str, str | None, str | None]]:
    file = folder / "shapes.ttl"
    file.write_text(PREFIXES + shapes, "utf-8")
    (found,) = validate_graph(Graph(parse((PREFIXES + triples).encode(), "turtle").quads), [file])
    return sorted((_name(raw), raw["focus"], raw["path"]) for raw in found)


def _name(raw: Any) -> str:
    return str(raw["component"]).replace("#", "/").rpartition("/")[2].removesuffix("ConstraintComponent")


def test_a_value_that_cannot_be_compared_does_not_hide_a_query(tmp_path: Path) -> None:
    shapes = f"e:S sh:targetSubjectsOf e:odd ; sh:property [ sh:path e:p ; sh:lessThan e:q ] ; {SPARQL} ."
    assert Shapes((PREFIXES + shapes).encode()).sparql == {"http://e.example/S"}
    assert validate(tmp_path, shapes) == [
        ("LessThan", "http://e.example/1", "http://e.example/p"),
        ("LessThan", "http://e.example/1", "http://e.example/p"),
        ("SPARQL", "http://e.example/1", None),
        ("SPARQL", "http://e.example/2", None),
    ]


def test_a_query_of_a_property_shape(tmp_path: Path) -> None:
    query = "SELECT $this ?value { $this $PATH ?value FILTER(?value > 7) }"
    shapes = (
        "e:S sh:targetSubjectsOf e:odd ; sh:property [ sh:path ( [ sh:inversePath e:odd ] e:odd ) ; sh:minCount 1 ], "
        f"[ sh:path e:odd ; sh:class e:A ; sh:sparql [ sh:select '{query}' ] ] ."
    )
    assert validate(tmp_path, shapes) == [
        ("Class", "http://e.example/1", "http://e.example/odd"),
        ("Class", "http://e.example/2", "http://e.example/odd"),
        ("MinCount", "http://e.example/1", "<http://e.example/odd> / <http://e.example/odd>".replace("<", "^<", 1)),
        ("MinCount", "http://e.example/2", "<http://e.example/odd> / <http://e.example/odd>".replace("<", "^<", 1)),
        ("SPARQL", "http://e.example/2", "http://e.example/odd"),
    ]


def test_a_constraint_component_of_ones_own(tmp_path: Path) -> None:
    shapes = (
        "e:Least a sh:ConstraintComponent ; sh:parameter [ sh:path e:least ] ; "
        "sh:validator [ a sh:SPARQLAskValidator ; sh:ask 'ASK { FILTER($value >= $least) }' ] . "
        "e:S sh:targetSubjectsOf e:odd ; sh:property [ sh:path e:odd ; e:least 8 ; sh:maxInclusive 7 ] . "
        "e:T sh:targetSubjectsOf e:odd ; sh:class e:A ."
    )
    assert validate(tmp_path, shapes) == [
        ("Class", "http://e.example/1", None),
        ("Class", "http://e.example/2", None),
        ("Least", "http://e.example/1", "http://e.example/odd"),
        ("MaxInclusive", "http://e.example/2", "http://e.example/odd"),
    ]


def test_a_query_inside_another_constraint_is_judged_with_it(tmp_path: Path) -> None:
    shapes = f"e:S sh:targetSubjectsOf e:q ; sh:class e:A ; sh:not [ {SPARQL} ] ."
    assert validate(tmp_path, shapes, DATA + " e:3 e:q 1 .") == [
        ("Class", "http://e.example/1", None),
        ("Class", "http://e.example/2", None),
        ("Class", "http://e.example/3", None),
        ("Not", "http://e.example/3", None),
    ]


@pytest.mark.parametrize("sparql_alone", [False, True])
def test_a_sequence_inside_an_inverse_is_reversed_and_may_be_long(tmp_path: Path, sparql_alone: bool) -> None:
    steps = " ".join(f"e:p{n}" for n in range(14))
    chain = "".join(f"e:{n} e:p{n} e:{n + 1} . " for n in range(14))
    file = tmp_path / "shapes.ttl"
    file.write_text(
        PREFIXES + "e:C a sh:ConstraintComponent ; sh:parameter [ sh:path e:own ] ; "
        "sh:validator [ a sh:SPARQLAskValidator ; sh:ask 'ASK { FILTER($value != $own) }' ] . "
        f"e:S sh:targetNode e:14 ; sh:path [ sh:inversePath ( {steps} ) ] ; e:own e:0 ."
    )
    graph = Graph(parse((PREFIXES + chain).encode(), "turtle").quads)
    (raw,) = PyShacl().validate(graph, file, sparql_alone=sparql_alone)
    assert (raw["component"], raw["focus"]) == ("http://e.example/C", "http://e.example/14")
    assert str(raw["path"]).startswith("^(<http://e.example/p0> / <http://e.example/p1> / ")
