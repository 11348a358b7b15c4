"""The W3C SHACL test suite (core and sparql) through the engines behind the layer ``shapes``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provrepo.checks.shacl import graph as data_graph
from provrepo.checks.shacl.ntriples import lines
from provrepo.checks.shapes.validator import validate_graph
from provrepo.codecs.rdf.codec import parse
from provrepo.errors import Damaged
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.vocab import RDF, SH
from tests.support.corpus import corpus, present

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SHT = "http://www.w3.org/ns/shacl-test#"

KNOWN = {
    "sparql/pre-binding/shapesGraph-001": "pySHACL has no $shapesGraph, which SHACL makes optional (5.3.1)",
}
"""Cases that fail, and why."""

Result = tuple[str | None, ...]


class Graph:
    """The triples of one Turtle file, with look-ups."""

    def __init__(self, file: Path) -> None:
        self.quads = parse(file.read_bytes(), "turtle", base=file.as_uri()).quads

    def values(self, subject: Value, predicate: str) -> list[Value]:
        return [q.object for q in self.quads if q.subject == subject and q.predicate == predicate]

    def value(self, subject: Value, predicate: str) -> Any:
        return next(iter(self.values(subject, predicate)), None)

    def items(self, head: Value) -> list[Value]:
        found = []
        while head != RDF + "nil":
            found.append(self.value(head, RDF + "first"))
            head = self.value(head, RDF + "rest")
        return found


def cases() -> list[Any]:
    """All files that a manifest includes and that contain an entry."""
    found: list[Any] = []
    root = present("shacl")
    waiting = [root / "manifest.ttl"] if root else []
    while waiting:
        manifest = waiting.pop(0)
        graph = Graph(manifest)
        for quad in graph.quads:
            if quad.predicate == MF + "include":
                included = Path(quad.object.removeprefix("file://"))
                waiting.append(included)
        if any(quad.predicate == MF + "action" for quad in graph.quads):
            name = manifest.relative_to(root).with_suffix("").as_posix()
            marks = [pytest.mark.xfail(strict=True, reason=KNOWN[name])] if name in KNOWN else []
            found.append(pytest.param(manifest, id=name, marks=marks))
    return found


CASES = cases()


def test_the_suite_is_there_and_whole():
    corpus("shacl")
    assert len(CASES) == 120


@pytest.mark.parametrize("file", CASES)
def test_case(file: Path):
    graph = Graph(file)
    (entry,) = {q.subject for q in graph.quads if q.predicate == MF + "action"}
    action, expected = graph.value(entry, MF + "action"), graph.value(entry, MF + "result")
    data = Path(graph.value(action, SHT + "dataGraph").removeprefix("file://"))
    shapes = Path(graph.value(action, SHT + "shapesGraph").removeprefix("file://"))
    if expected == SHT + "Failure":
        try:
            found = validate(data, shapes)
        except Damaged:
            return
        assert any(raw["component"] is None for raw in found)
        return
    found = validate(data, shapes)
    wanted = Counter(result(graph, node) for node in graph.values(expected, SH + "result"))
    assert Counter(_comparable(raw) for raw in found) == wanted
    conforms = graph.value(expected, SH + "conforms")
    assert (not found) == (conforms.lexical in ("true", "1"))


def validate(data: Path, shapes: Path) -> list[Any]:
    """The results of the engine; literals keep their lexical forms."""
    quads = [Quad(q.subject, q.predicate, q.object) for q in Graph(data).quads]
    (results,) = validate_graph(data_graph.Graph(quads), [shapes])
    return results


def result(graph: Graph, node: Value) -> Result:
    """An expected result as the engine writes it. Blank nodes have other labels there."""
    path = graph.value(node, SH + "resultPath")
    return (
        _name(graph.value(node, SH + "focusNode")),
        None if path is None else _path(graph, path),
        _name(graph.value(node, SH + "value")),
        str(graph.value(node, SH + "sourceConstraintComponent")),
        str(graph.value(node, SH + "resultSeverity")),
    )


def _comparable(raw: Any) -> Result:
    severity = raw["severity"]
    return (
        _anonymous(raw["focus"]),
        raw["path"] and raw["path"].replace(" ", ""),
        _anonymous(_bare(raw["value"])),
        raw["component"],
        severity if ":" in severity else SH + severity.capitalize(),
    )


def _bare(term: str | None) -> str | None:
    return term[1:-1] if term is not None and term.startswith("<") else term


def _name(value: Value | None) -> str | None:
    if isinstance(value, Literal):
        (line,) = lines([Quad(Identifier("s:s"), Identifier("p:p"), value)])
        return line.decode().removeprefix("<s:s> <p:p> ").removesuffix(" .\n")
    return _anonymous(value)


def _anonymous(name: str | None) -> str | None:
    return "_:" if name is not None and name.startswith("_:") else name


def _path(graph: Graph, path: Value) -> str:
    if isinstance(path, Identifier) and not path.startswith("_:"):
        return str(path)
    return _steps(graph, path)


def _steps(graph: Graph, path: Value) -> str:
    """A SHACL path in SPARQL syntax, without spaces."""
    if not str(path).startswith("_:"):
        return f"<{path}>"
    if graph.value(path, RDF + "first") is not None:
        return "/".join(_steps(graph, step) for step in graph.items(path))
    for name, form in (
        ("inversePath", "^{}"),
        ("zeroOrMorePath", "{}*"),
        ("oneOrMorePath", "{}+"),
        ("zeroOrOnePath", "{}?"),
    ):
        inner = graph.value(path, SH + name)
        if inner is not None:
            return form.format(_steps(graph, inner))
    return "|".join(_steps(graph, step) for step in graph.items(graph.value(path, SH + "alternativePath")))
