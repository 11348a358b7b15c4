"""The second SHACL engine: pySHACL on rdflib graphs, for SPARQL constraints and what else is not SHACL Core.

Only worker processes import this module. pySHACL changes rdflib's global state, and neither library is made for hostile
input. Here they read no files except the shapes, and get no literals that are expensive to convert.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator
from datetime import datetime, timedelta
from functools import lru_cache
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
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.results import RawResult
from provrepo.checks.shapes import expressions
from provrepo.checks.shapes.paths import follow
from provrepo.errors import Damaged
from provrepo.model.identifiers import Identifier, Value, is_blank
from provrepo.vocab import OWL, PROVREPO, RDF, SH, XSD, XSD_STRING

__all__ = ["PyShacl"]

# Literals keep their lexical form: "007" does not become "7", and 1E999999999 is not expanded.
rdflib.NORMALIZE_LITERALS = False

# pySHACL composes a long description of each result, which we do not use. That took most of the time for documents
# with many violations, and it fails where an IRI cannot be written in Turtle.
ConstraintComponent.make_v_result_description = lambda *_, **__: ""  # type: ignore[method-assign]

# Patterns are matched in time proportional to the text.
expressions.install()

# Paths are compiled once.
pyshacl.shape.value_nodes_from_path = follow  # type: ignore[assignment, attr-defined]


class PyShacl:
    """Validates graphs against the shapes that ``provrepo.checks.shacl`` does not cover."""

    def validate(self, data: Graph, shapes: Path, only: Collection[str] | None = None) -> list[RawResult]:
        """Validate one graph.

        Args:
            data: the data graph, ``rdfs:subClassOf`` triples included.
            shapes: a file of shapes in Turtle.
            only: IRIs of the shapes with targets to validate against; None is all.

        Raises:
            Damaged: the shapes cannot be parsed or are not well-formed.
        """
        compiled = _compiled(shapes, shapes.stat().st_mtime_ns)
        graph = data.memo("rdflib", lambda: load(data))
        # The report handles severities: a nested shape with a lower severity must still count in its sh:or.
        executor = SHACLExecutor()
        results: list[RawResult] = []
        for shape in sorted(compiled.shapes, key=lambda shape: str(shape.node)):
            if only is not None and str(shape.node) not in only:
                continue
            try:
                _, found = shape.validate(executor, graph)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 (pySHACL and rdflib raise arbitrary exceptions on odd shapes)
                results.append(_failure(compiled, shape, error))
                continue
            results += [_result(compiled, shape, triples) for _, _, triples in found]
        return results


class _FastGraph(rdflib.Graph):
    """An rdflib graph that is true without counting its triples, and that caches parsed queries.

    pySHACL tests the truth of the graph for every result.
    """

    def __bool__(self) -> bool:
        return True

    def query(self, query_object: Any, *args: Any, **options: Any) -> rdflib.query.Result:
        """As ``rdflib.Graph.query``. pySHACL passes the same text for each node, and parsing it takes longest."""
        return super().query(
            _prepared(query_object) if isinstance(query_object, str) else query_object, *args, **options
        )


@lru_cache(maxsize=256)
def _prepared(query: str) -> Query:
    return prepareQuery(query)


class _CachingShapes(_FastGraph):
    """A shapes graph that caches look-ups once it is complete.

    pySHACL reads the same few lists and paths of the shapes for every node of the data.
    """

    cache: dict[tuple[Node | None, Node | None], list[Node]] | None = None
    lists: dict[Node, list[Node]]

    def objects(self, subject: Any = None, predicate: Any = None, unique: bool = False) -> Generator[Node, None, None]:
        """As ``rdflib.Graph.objects``."""
        if self.cache is None or unique:
            yield from super().objects(subject, predicate, unique)
            return
        found = self.cache.get((subject, predicate))
        if found is None:
            found = self.cache[subject, predicate] = list(super().objects(subject, predicate))
        yield from found

    def items(self, list: Node) -> Generator[Node, None, None]:  # noqa: A002 (rdflib's name)
        """As ``rdflib.Graph.items``."""
        if self.cache is None:
            yield from super().items(list)
            return
        found = self.lists.get(list)
        if found is None:
            found = self.lists[list] = [*super().items(list)]
        yield from found


@lru_cache(maxsize=16)
def _compiled(shapes: Path, stamp: int) -> ShapesGraph:  # noqa: ARG001 (a changed file has another stamp)
    try:
        graph = _CachingShapes(store="SimpleMemory")
        graph.parse(data=shapes.read_bytes(), format="turtle")
        _normalize(graph)
        compiled = ShapesGraph(graph)
        # Reads the shapes, which raises the errors for most mistakes.
        compiled.shapes  # noqa: B018
    except (SyntaxError, ValueError, ShapeLoadError, ConstraintLoadError) as error:
        raise Damaged(f"cannot understand the shapes of {shapes}: {error}") from error
    graph.cache, graph.lists = {}, {}
    return compiled


def _normalize(graph: rdflib.Graph) -> None:
    """Rewrite the shapes where pySHACL deviates from SHACL."""
    # Prefixes are the values of sh:prefixes/owl:imports*/sh:declare (SHACL section 5.2.1) within this graph.
    for subject in set(graph.objects(None, _PREFIXES)):
        for imported in list(graph.transitive_objects(subject, _IMPORTS)):
            for declaration in list(graph.objects(imported, _DECLARE)):
                graph.add((subject, _DECLARE, declaration))
    # The constraint applies for the term true (section 4.4.5), not for another lexical form of it.
    for shape, value in list(graph.subject_objects(_UNIQUE_LANG)):
        if str(value) != "true":
            graph.remove((shape, _UNIQUE_LANG, value))


_PREFIXES, _DECLARE, _UNIQUE_LANG = (URIRef(SH + name) for name in ("prefixes", "declare", "uniqueLang"))
_IMPORTS = URIRef(OWL + "imports")

# Loading the data -------------------------------------------------------------------------------------------------


def load(data: Graph) -> rdflib.Graph:
    """An rdflib graph with the same triples. Only literals with a valid lexical form are converted."""
    graph = _FastGraph(store="SimpleMemory")
    add = graph.store.add
    terms: dict[int, Node] = {}

    def term(number: int) -> Node:
        found = terms.get(number)
        if found is None:
            found = terms[number] = _term(data.term(number))
        return found

    for predicate, pairs in data.predicates.items():
        made = _term(Identifier(predicate))
        for subject, value in zip(pairs.subjects, pairs.objects, strict=True):
            add((term(subject), made, term(value)), graph)
    return graph


def _term(term: Value) -> Node:
    if isinstance(term, Identifier):
        # Without the constructors, of which that of IRIs logs a warning for every unusual one.
        return str.__new__(BNode, term[2:]) if is_blank(term) else str.__new__(URIRef, term)
    lexical, datatype, language = term
    if language:
        return _literal(lexical, lexical, language=language)
    return _literal(lexical, lexical) if datatype == XSD_STRING else _typed(lexical, datatype)


def _literal(
    lexical: str, value: object, *, datatype: URIRef | None = None, language: str | None = None, ill: bool = False
) -> Literal:
    """A literal made without rdflib's constructor, which would convert any value: XML, HTML, gigantic decimals."""
    literal: Literal = str.__new__(Literal, lexical)
    literal._language = language
    literal._datatype = datatype
    literal._value = value
    literal._ill_typed = ill
    return literal


def _typed(lexical: str, name: str) -> Literal:
    datatype = str.__new__(URIRef, name)
    is_valid = valid(lexical, name)
    if not is_valid:
        return _literal(lexical, None, datatype=datatype, ill=is_valid is False)
    if name == XSD + "dateTime":
        return _literal(lexical, _instant(lexical), datatype=datatype)
    if name == XSD + "date":
        return _literal(lexical, _instant(_ZONE.sub("", lexical)).date(), datatype=datatype)
    return Literal(lexical, datatype=datatype)


class _Instant(datetime):
    """An ``xsd:dateTime`` that is greater than another only where that is certain.

    With a time zone on one side only, the other may be up to 14 hours off either way (XML Schema part 2, section
    D.2.1.1). SHACL reports values that cannot be compared; we do not, since they are not known to be wrong.
    """

    def __gt__(self, other: datetime) -> bool:  # type: ignore[override]
        if (self.tzinfo is None) == (other.tzinfo is None):
            return super().__gt__(other)
        return self.replace(tzinfo=None) - (self.utcoffset() or _ZERO) - _FARTHEST > other.replace(tzinfo=None) - (
            other.utcoffset() or _ZERO
        )


_ZERO = timedelta()
_FARTHEST = timedelta(hours=14)
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def _instant(lexical: str) -> datetime:
    """A valid ``xsd:dateTime`` or ``xsd:date`` as a datetime; years that Python lacks become one of its extremes."""
    try:
        return _Instant.fromisoformat(lexical.replace("T24:00:00", "T23:59:59", 1))
    except ValueError:
        zone = _Instant.fromisoformat("2000-01-01T00:00:00" + (_ZONE.findall(lexical) or [""])[0]).tzinfo
        return _Instant(2 if lexical.startswith(("-", "0000")) else 9998, 1, 1, tzinfo=zone)


# Reading the results ----------------------------------------------------------------------------------------------


def _result(shapes: ShapesGraph, root: Any, triples: list[tuple[Any, Any, Any]]) -> RawResult:
    """One result as JSON, from pySHACL's triples of it, in which a term may come as a pair with its graph."""
    values: dict[str, list[Any]] = {}
    for _, predicate, term in triples:
        values.setdefault(str(predicate).removeprefix(SH), []).append(term[1] if isinstance(term, tuple) else term)

    def one(name: str) -> Any:
        return values.get(name, [None])[0]

    path, value = one("resultPath"), one("value")
    expected, repair, patch = _advice(shapes, one("sourceShape"))
    return RawResult(
        root=str(root.node),
        monotone=_is_monotone(shapes, one("sourceShape"), str(one("sourceConstraintComponent"))),
        shape=_owner(shapes, one("sourceShape")),
        component=str(one("sourceConstraintComponent")),
        severity=_severity(str(one("resultSeverity"))),
        focus=_focus(one("focusNode")),
        path=None if path is None else _path(shapes, path),
        value=None if value is None else ntriples(value),
        message=_message(values.get("resultMessage", [])),
        expected=expected,
        repair=repair,
        patch=patch,
    )


@lru_cache(maxsize=4096)
def _advice(shapes: ShapesGraph, shape: Node) -> tuple[str | None, ...]:
    """The fields ``expected``, ``repair`` and ``patch`` of a result."""
    graph, owner = shapes.graph, URIRef(_owner(shapes, shape))
    expected = graph.value(shape, _CLASS) or graph.value(shape, _DATATYPE)
    repair, patch = graph.value(owner, _REPAIR), graph.value(owner, _PATCH)
    return tuple(None if value is None else str(value) for value in (expected, repair, patch))


@lru_cache(maxsize=4096)
def _is_monotone(shapes: ShapesGraph, shape: Node, component: str) -> bool:
    """The field ``monotone`` of a result."""
    name = component.removeprefix(SH).removesuffix("ConstraintComponent")
    if name in ("MinCount", "HasValue", "Class", "Datatype"):
        return True
    if name not in _NESTING:
        return False
    graph = shapes.graph
    pending = list(graph.objects(shape, URIRef(SH + _NESTING[name])))
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        for predicate, value in graph.predicate_objects(node):
            term = str(predicate).removeprefix(SH)
            if str(predicate) in _LISTS or (term in _DEEPER and str(predicate) != term):
                pending.append(value)
            elif str(predicate) != term and term not in _MONOTONE:
                return False
    return True


_NESTING = {"Or": "or", "And": "and", "Node": "node", "QualifiedMinCount": "qualifiedValueShape"}
_LISTS = (RDF + "first", RDF + "rest")
_DEEPER = frozenset(("property", "node", "or", "and"))
_MONOTONE = frozenset(
    """
    minCount hasValue class datatype path inversePath alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath
    severity message name description order group defaultValue
    """.split()  # noqa: SIM905 (a list would be a page long)
)

_CLASS, _DATATYPE = URIRef(SH + "class"), URIRef(SH + "datatype")
_REPAIR, _PATCH = URIRef(PROVREPO + "repair"), URIRef(PROVREPO + "patch")


def _severity(iri: str) -> str:
    """The name of a SHACL severity; the IRI of another one."""
    return iri.removeprefix(SH).lower() if iri.startswith(SH) else iri


def _failure(shapes: ShapesGraph, shape: Any, error: Exception) -> RawResult:
    """The result for a shape that the engine could not evaluate."""
    reason = " ".join(str(getattr(error, "message", None) or error).split())
    return RawResult(
        root=str(shape.node),
        monotone=False,
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
    """The preferred message: without a language or in English before other languages; empty where there is none."""
    ordered = sorted(messages, key=lambda m: ((m.language or "en").lower()[:2] != "en", m.language or "", str(m)))
    return str(ordered[0]) if ordered else ""


@lru_cache(maxsize=1024)
def _path(shapes: ShapesGraph, path: Node) -> str:
    if isinstance(path, URIRef):
        return str(path)
    return str(shacl_path_to_sparql_path(shapes, path, prefixes={}))


@lru_cache(maxsize=1024)
def _owner(shapes: ShapesGraph, node: Node) -> str:
    """The IRI of a shape; for a blank node, that of the nearest shape that refers to it."""
    seen = {node}
    level = [node]
    while level:
        named = sorted(str(n) for n in level if isinstance(n, URIRef))
        if named:
            return named[0]
        level = [s for n in level for s in shapes.graph.subjects(None, n) if s not in seen]
        seen.update(level)
    return f"_:{node}"


def _focus(node: Node) -> str:
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
