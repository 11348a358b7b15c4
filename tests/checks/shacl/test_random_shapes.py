"""The evaluator beside pySHACL, on random shapes and data for them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.checks.shacl.engine import Shapes
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shapes.pyshacl_engine import PyShacl
from provrepo.codecs.rdf.codec import parse
from tests.support.random_shapes import CALM, NUMBERS, WILD, Terms, data, shapes
from tests.support.sampling import examples


def comparable(raw: Any) -> tuple[Any, ...]:
    """A result without its message: shapes without one get another from each engine."""
    fields = {**raw, "message": None}
    if (raw["component"] or "").endswith("#NodeConstraintComponent"):
        fields["path"] = None  # pySHACL gives the path of a nested shape
    return tuple(fields.values())


@pytest.mark.parametrize("terms", [CALM, NUMBERS], ids=["terms", "numbers"])
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=examples(150), deadline=None)
def test_both_engines_have_the_same_results(tmp_path_factory: Any, terms: Terms, random: Random) -> None:
    triples, turtle = data(random, terms), shapes(random, terms)
    quads = parse(triples.encode(), "turtle").quads
    compiled = Shapes(turtle.encode())
    assert not compiled.others
    file: Path = tmp_path_factory.mktemp("shapes") / "shapes.ttl"
    file.write_text(turtle, "utf-8")
    expected = PyShacl().validate(Graph(quads), file)
    found = compiled.validate(Graph(quads))
    assert Counter(map(comparable, found)) == Counter(map(comparable, expected))


@given(seed=st.integers())
@settings(max_examples=examples(150), deadline=None)
def test_no_value_hides_a_result(seed: int) -> None:
    """Values that cannot be compared are results, and never an end of the evaluation."""
    random = Random(seed)
    graph, turtle = Graph(parse(data(random, WILD).encode(), "turtle").quads), shapes(random, WILD)
    for raw in Shapes(turtle.encode()).validate(graph):
        assert raw["component"] is not None
