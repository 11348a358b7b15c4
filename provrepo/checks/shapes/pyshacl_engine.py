"""The SHACL engine that we use today: pySHACL on an rdflib graph.

Only worker processes import this. pySHACL changes rdflib's global state, and neither is made for hostile input; here
they never read a file but the shapes, and never see a literal that is expensive to convert.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyshacl.shape
import rdflib
import rdflib.query
from pyshacl.constraints.constraint_component import ConstraintComponent
from pyshacl.errors import ConstraintLoadError, ShapeLoadError
from pyshacl.helper.path_helper import shacl_path_to_sparql_path
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shapes_graph import ShapesGraph
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import BNode, Literal, Node, URIRef

from provrepo.checks.lexical import valid
from provrepo.checks.shapes import expressions
from provrepo.checks.shapes.layer import RawResult, Results
from provrepo.checks.shapes.paths import follow
from provrepo.codecs.collector import paused
from provrepo.codecs.rdf.escapes import unescape
from provrepo.errors import Damaged
from provrepo.vocab import OWL, PROVREPO, RDF, SH, XSD

__all__ = ["PyShacl", "judge", "run", "warm"]

# A literal keeps its spelling: "007" is not "7", and 1E999999999 is not written out.
rdflib.NORMALIZE_LITERALS = False


# pySHACL composes a page of prose for each result, which nobody reads here. It took most of the time of a document
# with many violations, and fails where an IRI cannot be written in Turtle.
ConstraintComponent.make_v_result_description = lambda *_, **__: ""  # type: ignore[method-assign]

# Patterns are matched in time proportional to the text.
expressions.install()

# Paths are compiled once.
pyshacl.shape.value_nodes_from_path = follow  # type: ignore[assignment, attr-defined]


def warm() -> None:
    """Nothing to do: importing this module is what takes the time."""


def run(data: str, sizes: list[int], shapes: list[str], only: list[str] | None = None) -> Results:
    """What the pool calls: ``judge`` on a file.

    Args:
        data: path of the file of N-Triples.
        sizes: as ``judge``.
        shapes: as ``judge``.
        only: as ``judge``.
    """
    return judge(Path(data).read_bytes(), sizes, shapes, only)


def judge(content: bytes, sizes: list[int], shapes: list[str], only: list[str] | None = None) -> Results:
    """Validate each instance against each file of shapes.

    Args:
        content: the N-Triples of all instances, one after the other.
        sizes: how many bytes each instance has.
        shapes: paths of the files of shapes.
        only: the shapes with targets to be judged; None is all.

    Returns:
        For each file of shapes, for each instance, its results.
    """
    engine = PyShacl()
    graphs = [content[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)]
    with paused():
        # One instance after the other, so that no more than one is in memory as a graph.
        wanted = None if only is None else frozenset(only)
        by_instance = [engine.validate_all(graph, [Path(path) for path in shapes], wanted) for graph in graphs]
    return [list(results) for results in zip(*by_instance, strict=True)] or [[] for _ in shapes]


class PyShacl:
    """Implements ``provrepo.checks.shapes.layer.Engine``."""

    def validate(self, data: bytes, shapes: Path, only: Collection[str] | None = None) -> list[RawResult]:
        """See ``Engine.validate``."""
        return self.validate_all(data, [shapes], only)[0]

    def validate_all(
        self, data: bytes, files: list[Path], only: Collection[str] | None = None
    ) -> list[list[RawResult]]:
        """``validate`` with several files of shapes; the graph is loaded once."""
        compiled = [_compiled(file, file.stat().st_mtime_ns) for file in files]
        graph = load(data.decode("utf-8"))
        return [self._judged(graph, shapes, only) for shapes in compiled]

    def _judged(self, graph: rdflib.Graph, compiled: ShapesGraph, only: Collection[str] | None) -> list[RawResult]:
        # Severities are left to the report: a nested shape that only warns must still decide its sh:or.
        executor = SHACLExecutor()
        results: list[RawResult] = []
        for shape in sorted(compiled.shapes, key=lambda shape: str(shape.node)):
            if only is not None and str(shape.node) not in only:
                continue
            try:
                _, found = shape.validate(executor, graph)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 (pySHACL and rdflib raise whatever they like on odd shapes)
                results.append(_failure(compiled, shape, error))
                continue
            results += [_result(compiled, shape, triples) for _, _, triples in found]
        return results


class _Graph(rdflib.Graph):
    """A graph that does not count its triples to say whether there are any, which pySHACL asks for every result."""

    def __bool__(self) -> bool:
        return True

    def query(self, query_object: Any, *args: Any, **options: Any) -> rdflib.query.Result:
        """As ``rdflib.Graph.query``; pySHACL sends the same text once for each node, and reading it takes longest."""
        return super().query(
            _prepared(query_object) if isinstance(query_object, str) else query_object, *args, **options
        )


@lru_cache(maxsize=256)
def _prepared(query: str) -> Query:
    return prepareQuery(query)


class _Shapes(_Graph):
    """A graph of shapes, which remembers its answers once it is complete.

    pySHACL walks the same few lists and paths of the shapes for every node of the data.
    """

    known: dict[tuple[Node | None, Node | None], list[Node]] | None = None
    lists: dict[Node, list[Node]]

    def objects(self, subject: Any = None, predicate: Any = None, unique: bool = False) -> Generator[Node, None, None]:
        """As ``rdflib.Graph.objects``."""
        if self.known is None or unique:
            yield from super().objects(subject, predicate, unique)
            return
        answer = self.known.get((subject, predicate))
        if answer is None:
            answer = self.known[subject, predicate] = list(super().objects(subject, predicate))
        yield from answer

    def items(self, list: Node) -> Generator[Node, None, None]:  # noqa: A002 (rdflib's name)
        """As ``rdflib.Graph.items``."""
        if self.known is None:
            yield from super().items(list)
            return
        answer = self.lists.get(list)
        if answer is None:
            answer = self.lists[list] = [*super().items(list)]
        yield from answer


@lru_cache(maxsize=16)
def _compiled(shapes: Path, stamp: int) -> ShapesGraph:  # noqa: ARG001 (a changed file has another stamp)
    try:
        graph = _Shapes(store="SimpleMemory")
        graph.parse(data=shapes.read_bytes(), format="turtle")
        _settle(graph)
        compiled = ShapesGraph(graph)
        # Harvests the shapes, and with them most mistakes.
        compiled.shapes  # noqa: B018
    except (SyntaxError, ValueError, ShapeLoadError, ConstraintLoadError) as error:
        raise Damaged(f"cannot understand the shapes of {shapes}: {error}") from error
    graph.known, graph.lists = {}, {}
    return compiled


def _settle(graph: rdflib.Graph) -> None:
    """Say in the shapes what SHACL means and pySHACL reads otherwise."""
    # Prefixes are those of sh:prefixes/owl:imports*/sh:declare (SHACL section 5.2.1), as far as this graph holds them.
    for holder in set(graph.objects(None, _PREFIXES)):
        for imported in list(graph.transitive_objects(holder, _IMPORTS)):
            for declaration in list(graph.objects(imported, _DECLARE)):
                graph.add((holder, _DECLARE, declaration))
    # The constraint is there for the value true (section 4.4.5), and not for another spelling of it.
    for shape, value in list(graph.subject_objects(_UNIQUE_LANG)):
        if str(value) != "true":
            graph.remove((shape, _UNIQUE_LANG, value))


_PREFIXES, _DECLARE, _UNIQUE_LANG = (URIRef(SH + name) for name in ("prefixes", "declare", "uniqueLang"))
_IMPORTS = URIRef(OWL + "imports")

# Loading the data -------------------------------------------------------------------------------------------------

_LINE = re.compile(r'(<[^>]*>|_:\S+) (<[^>]*>) (<[^>]*>|_:\S+|".*"\S*) \.\n')


def load(ntriples: str) -> rdflib.Graph:
    """An rdflib graph from N-Triples as ``provrepo.checks.shapes.layer`` writes it: one space, no comments.

    About six times as fast as rdflib's parser, and no literal is converted unless its spelling is sound.
    """
    graph = _Graph(store="SimpleMemory")
    add = graph.store.add
    terms: dict[str, Node] = {}
    for match in _LINE.finditer(ntriples):
        triple = []
        for token in match.groups():
            term = terms.get(token)
            if term is None:
                term = terms[token] = _term(token)
            triple.append(term)
        add(tuple(triple), graph)  # type: ignore[arg-type]
    return graph


def _term(token: str) -> Node:
    if token[0] == "<":
        # Past the constructor, which logs a warning for every IRI that it finds odd.
        return str.__new__(URIRef, unescape(token[1:-1]))
    if token[0] == "_":
        return str.__new__(BNode, token[2:])
    end = token.rindex('"')
    lexical, tail = unescape(token[1:end]), token[end + 1 :]
    if tail.startswith("@"):
        return _literal(lexical, lexical, language=tail[1:])
    if not tail:
        return _literal(lexical, lexical)
    return _typed(lexical, unescape(tail[3:-1]))


def _literal(
    lexical: str, value: object, *, datatype: URIRef | None = None, language: str | None = None, ill: bool = False
) -> Literal:
    """A literal past rdflib's constructor, which converts whatever it is given: XML, HTML, gigantic decimals."""
    literal: Literal = str.__new__(Literal, lexical)
    literal._language = language
    literal._datatype = datatype
    literal._value = value
    literal._ill_typed = ill
    return literal


def _typed(lexical: str, name: str) -> Literal:
    datatype = str.__new__(URIRef, name)
    sound = valid(lexical, name)
    if not sound:
        return _literal(lexical, None, datatype=datatype, ill=sound is False)
    if name == XSD + "dateTime":
        return _literal(lexical, _instant(lexical), datatype=datatype)
    if name == XSD + "date":
        return _literal(lexical, _instant(_ZONE.sub("", lexical)).date(), datatype=datatype)
    return Literal(lexical, datatype=datatype)


class _Instant(datetime):
    """An ``xsd:dateTime`` that is greater than another only where that is certain.

    With a zone on one side only, the other may be up to 14 hours off either way (XML Schema part 2, section D.2.1.1).
    SHACL has a finding where two values cannot be compared; nothing wrong can be shown there, so we have none.
    """

    def __gt__(self, other: datetime) -> bool:  # type: ignore[override]
        if (self.tzinfo is None) == (other.tzinfo is None):
            return super().__gt__(other)
        return self.replace(tzinfo=None) - (self.utcoffset() or _NOTHING) - _FARTHEST > other.replace(tzinfo=None) - (
            other.utcoffset() or _NOTHING
        )


_NOTHING = timedelta()
_FARTHEST = timedelta(hours=14)
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def _instant(lexical: str) -> datetime:
    """A sound ``xsd:dateTime`` or ``xsd:date`` as Python's; what lies beyond Python's years is its first or last."""
    try:
        return _Instant.fromisoformat(lexical.replace("T24:00:00", "T23:59:59", 1))
    except ValueError:
        zone = _Instant.fromisoformat("2000-01-01T00:00:00" + (_ZONE.findall(lexical) or [""])[0]).tzinfo
        return _Instant(2 if lexical.startswith(("-", "0000")) else 9998, 1, 1, tzinfo=zone)


# Reading the results ----------------------------------------------------------------------------------------------


def _result(shapes: ShapesGraph, root: Any, triples: list[tuple[Any, Any, Any]]) -> RawResult:
    """One result as plain JSON. pySHACL gives its triples, where a term may come with the graph it is from."""
    said: dict[str, list[Any]] = {}
    for _, predicate, term in triples:
        said.setdefault(str(predicate).removeprefix(SH), []).append(term[1] if isinstance(term, tuple) else term)

    def one(name: str) -> Any:
        return said.get(name, [None])[0]

    path, value = one("resultPath"), one("value")
    expected, repair, patch = _advice(shapes, one("sourceShape"))
    return RawResult(
        root=str(root.node),
        asks=_asks(shapes, one("sourceShape"), str(one("sourceConstraintComponent"))),
        shape=_owner(shapes, one("sourceShape")),
        component=str(one("sourceConstraintComponent")),
        severity=_severity(str(one("resultSeverity"))),
        focus=_name(one("focusNode")),
        path=None if path is None else _path(shapes, path),
        value=None if value is None else ntriples(value),
        message=_message(said.get("resultMessage", [])),
        expected=expected,
        repair=repair,
        patch=patch,
    )


@lru_cache(maxsize=4096)
def _advice(shapes: ShapesGraph, shape: Node) -> tuple[str | None, ...]:
    """What the shape asks for, and what it says about mending: ``expected``, ``repair`` and ``patch``."""
    graph, owner = shapes.graph, URIRef(_owner(shapes, shape))
    asked = graph.value(shape, _CLASS) or graph.value(shape, _DATATYPE)
    repair, patch = graph.value(owner, _REPAIR), graph.value(owner, _PATCH)
    return tuple(None if said is None else str(said) for said in (asked, repair, patch))


@lru_cache(maxsize=4096)
def _asks(shapes: ShapesGraph, shape: Node, component: str) -> bool:
    """See ``RawResult.asks``."""
    name = component.removeprefix(SH).removesuffix("ConstraintComponent")
    if name in ("MinCount", "HasValue", "Class", "Datatype"):
        return True
    if name not in _NESTING:
        return False
    graph = shapes.graph
    waiting = list(graph.objects(shape, URIRef(SH + _NESTING[name])))
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for predicate, value in graph.predicate_objects(node):
            term = str(predicate).removeprefix(SH)
            if str(predicate) in _LISTS or (term in _DEEPER and str(predicate) != term):
                waiting.append(value)
            elif str(predicate) != term and term not in _HARMLESS:
                return False
    return True


_NESTING = {"Or": "or", "And": "and", "Node": "node", "QualifiedMinCount": "qualifiedValueShape"}
_LISTS = (RDF + "first", RDF + "rest")
_DEEPER = frozenset(("property", "node", "or", "and"))
_HARMLESS = frozenset(
    """
    minCount hasValue class datatype path inversePath alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath
    severity message name description order group defaultValue
    """.split()  # noqa: SIM905 (a list would be a page long)
)

_CLASS, _DATATYPE = URIRef(SH + "class"), URIRef(SH + "datatype")
_REPAIR, _PATCH = URIRef(PROVREPO + "repair"), URIRef(PROVREPO + "patch")


def _severity(iri: str) -> str:
    """SHACL's own severities as we call them; whoever made up another one gets its IRI."""
    return iri.removeprefix(SH).lower() if iri.startswith(SH) else iri


def _failure(shapes: ShapesGraph, shape: Any, error: Exception) -> RawResult:
    reason = " ".join(str(getattr(error, "message", None) or error).split())
    return RawResult(
        root=str(shape.node),
        asks=False,
        shape=_owner(shapes, shape.node),
        component=None,
        severity="violation",
        focus=None,
        path=None,
        value=None,
        message=f"This could not be checked: {reason}",
        expected=None,
        repair=None,
        patch=None,
    )


def _message(messages: list[Literal]) -> str:
    """The message without a language or in English before those in others."""
    ordered = sorted(messages, key=lambda m: ((m.language or "en").lower()[:2] != "en", m.language or "", str(m)))
    return str(ordered[0]) if ordered else ""


@lru_cache(maxsize=1024)
def _path(shapes: ShapesGraph, path: Node) -> str:
    if isinstance(path, URIRef):
        return str(path)
    return str(shacl_path_to_sparql_path(shapes, path, prefixes={}))


@lru_cache(maxsize=1024)
def _owner(shapes: ShapesGraph, node: Node) -> str:
    """The IRI of a shape; of an anonymous one, that of the nearest shape that leads to it."""
    seen = {node}
    level = [node]
    while level:
        named = sorted(str(n) for n in level if isinstance(n, URIRef))
        if named:
            return named[0]
        level = [s for n in level for s in shapes.graph.subjects(None, n) if s not in seen]
        seen.update(level)
    return f"_:{node}"


def _name(node: Node) -> str:
    return f"_:{node}" if isinstance(node, BNode) else ntriples(node) if isinstance(node, Literal) else str(node)


def ntriples(node: Node) -> str:
    """A term in N-Triples syntax."""
    if isinstance(node, BNode):
        return f"_:{node}"
    if not isinstance(node, Literal):
        return f"<{node}>"
    text = str(node).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    if node.language:
        return f'"{text}"@{node.language}'
    return f'"{text}"' if node.datatype is None else f'"{text}"^^<{node.datatype}>'
