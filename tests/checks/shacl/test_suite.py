"""The cases of the W3C SHACL test suite for SHACL Core, through the evaluator."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from provrepo.checks.shacl.engine import Shapes
from provrepo.checks.shacl.graph import Graph as DataGraph
from provrepo.vocab import SH
from tests.checks.test_shacl_suite import CASES, MF, SHT, Graph, _comparable, result

CORE = [case for case in CASES if str(case.id).startswith("core/")]


@pytest.mark.parametrize("file", CORE)
def test_case(file: Path) -> None:
    graph = Graph(file)
    (entry,) = {q.subject for q in graph.quads if q.predicate == MF + "action"}
    action, expected = graph.value(entry, MF + "action"), graph.value(entry, MF + "result")
    data = Path(graph.value(action, SHT + "dataGraph").removeprefix("file://"))
    shapes = Path(graph.value(action, SHT + "shapesGraph").removeprefix("file://"))
    compiled = Shapes(shapes.read_bytes(), shapes.as_uri())
    assert not compiled.others
    found = compiled.validate(DataGraph(Graph(data).quads))
    wanted = Counter(result(graph, node) for node in graph.values(expected, SH + "result"))
    assert Counter(map(_comparable, found)) == wanted


def test_all_of_them_are_there() -> None:
    assert len(CORE) in (0, 98)
