"""The second SHACL engine: pySHACL on rdflib graphs, for SPARQL constraints and what else is not SHACL Core.

Only worker processes import this module. pySHACL changes rdflib's global state, and neither library is made for hostile
input. Here they read no files except the shapes, and get no literals that are expensive to convert.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyshacl.shape
import rdflib
import rdflib.query
from pyshacl.constraints.constraint_component import ConstraintComponent
from pyshacl.errors import ConstraintLoadError, ShapeLoadError
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shapes_graph import ShapesGraph
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node, URIRef

from provrepo.checks.shacl.compiler import CORE_PARAMETERS
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.paths import Path as PropertyPath
from provrepo.checks.shacl.results import RawResult, Reporter, ntriples, preferred_message
from provrepo.checks.shacl.shapes_graph import ShapesGraph as SourceGraph
from provrepo.checks.shapes import expressions
from provrepo.checks.shapes.rdflib_terms import node, term
from provrepo.errors import Damaged
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, is_blank
from provrepo.model.identifiers import Literal as ModelLiteral
from provrepo.vocab import OWL, SH

__all__ = ["PyShacl"]

# Literals keep their lexical form: "007" does not become "7", and 1E999999999 is not expanded.
rdflib.NORMALIZE_LITERALS = False

# pySHACL composes a long description of each result, which we do not use. That took most of the time for documents
# with many violations, and it fails where an IRI cannot be written in Turtle.
ConstraintComponent.make_v_result_description = lambda *_, **__: ""  # type: ignore[method-assign]

# Patterns are matched in time proportional to the text.
expressions.install()


def _value_nodes(shapes: Any, focus: Node, path: Node, graph: Any) -> set[Node]:
    """The value nodes of a focus node; stands in for pySHACL's ``value_nodes_from_path``.

    pySHACL reads a path out of the shapes again for each focus node, refuses paths of more than ten steps, and does not
    reverse a sequence inside an inverse path.

    Args:
        shapes: pySHACL's shapes graph.
        focus: the focus node.
        path: in the shapes graph.
        graph: the data graph.

    Raises:
        NotCovered: it is not a well-formed path.
    """
    data: _Data = graph
    found = shapes.graph.path(path).values(data.graph, data.graph.number(term(focus)))
    return {data.node(number) for number in found}


pyshacl.shape.value_nodes_from_path = _value_nodes  # type: ignore[assignment, attr-defined]


class PyShacl:
    """Validates graphs against the shapes that ``provrepo.checks.shacl`` does not cover."""

    def validate(
        self, data: Graph, shapes: Path, only: Collection[str] | None = None, *, sparql_alone: bool = False
    ) -> list[RawResult]:
        """Validate one graph.

        Args:
            data: the data graph, ``rdfs:subClassOf`` triples included.
            shapes: a file of shapes in Turtle.
            only: IRIs of the shapes with targets to validate against; None is all.
            sparql_alone: leave out the constraints of SHACL Core.

        Raises:
            Damaged: the shapes cannot be parsed or are not well-formed.
        """
        compiled = _compiled(shapes, shapes.stat().st_mtime_ns, sparql_alone)
        graph = data.memo("rdflib", lambda: _Data(data))
        # The report handles severities: a nested shape with a lower severity must still count in its sh:or.
        executor = SHACLExecutor()
        results: list[RawResult] = []
        for shape in sorted(compiled.shapes.shapes, key=lambda shape: str(shape.node)):
            if only is not None and str(shape.node) not in only:
                continue
            try:
                _, found = shape.validate(executor, graph)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 (pySHACL and rdflib raise arbitrary exceptions on odd shapes)
                results.append(compiled.failure(shape.node, error))
                continue
            results += [compiled.result(shape.node, triples) for _, _, triples in found]
        return results


class _Data(rdflib.Graph):
    """The data graph for rdflib. It is true without counting its triples, and it caches parsed queries.

    pySHACL tests the truth of the graph for every result.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(store="SimpleMemory")
        self.graph = graph
        self._nodes: dict[int, Node] = {}
        add = self.store.add
        for predicate, pairs in graph.predicates.items():
            made = node(Identifier(predicate))
            for subject, value in zip(pairs.subjects, pairs.objects, strict=True):
                add((self.node(subject), made, self.node(value)), self)

    def node(self, number: int) -> Node:
        """The term with a number in ``graph``."""
        found = self._nodes.get(number)
        if found is None:
            found = self._nodes[number] = node(self.graph.term(number))
        return found

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


# Shapes -----------------------------------------------------------------------------------------------------------


class _ShapesTriples(rdflib.Graph):
    """The shapes graph for rdflib, with its paths compiled once."""

    def __init__(self, turtle: bytes) -> None:
        super().__init__(store="SimpleMemory")
        self.parse(data=turtle, format="turtle")
        self.source = SourceGraph(Quad(term(s), term(p), term(o)) for s, p, o in self)  # type: ignore[arg-type]
        self._paths: dict[Node, PropertyPath] = {}

    def path(self, path: Node) -> PropertyPath:
        """A property path; raises ``NotCovered`` where it is not well-formed."""
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = self.source.path(term(path))[0]  # type: ignore[arg-type]
        return found


class _Compiled(NamedTuple):
    """The shapes of one file.

    Attributes:
        shapes: as pySHACL has them.
        source: all triples of the file.
        reporter: reads from them what results need.
    """

    shapes: ShapesGraph
    source: SourceGraph
    reporter: Reporter

    def result(self, root: Node, triples: list[tuple[Any, Any, Any]]) -> RawResult:
        """One result as JSON, from pySHACL's triples of it, in which a term may come as a pair with its graph."""
        values: dict[str, list[Any]] = {}
        for _, predicate, value in triples:
            values.setdefault(str(predicate).removeprefix(SH), []).append(
                value[1] if isinstance(value, tuple) else value
            )

        def one(name: str) -> Any:
            return values.get(name, [None])[0]

        shape, component = term(one("sourceShape")), str(one("sourceConstraintComponent"))
        focus, path, value = term(one("focusNode")), one("resultPath"), one("value")
        source = self.reporter.source(shape)
        return RawResult(
            root=str(root),
            monotone=self.reporter.is_monotone(shape, component.removeprefix(SH)),
            shape=source.name,
            component=component,
            severity=source.severity,
            focus=ntriples(focus) if isinstance(focus, ModelLiteral) else str(focus),
            path=None if path is None else self._path(path),
            value=None if value is None else ntriples(term(value)),
            message=preferred_message(term(each) for each in values.get("resultMessage", [])),
            expected=source.expected,
            repair=source.repair,
            patch=source.patch,
        )

    def _path(self, path: Node) -> str:
        named = term(path)
        return self.source.path(named)[1] if isinstance(named, Identifier) and is_blank(named) else str(path)

    def failure(self, root: Node, error: Exception) -> RawResult:
        """The result for a shape that the engine could not evaluate."""
        reason = " ".join(str(getattr(error, "message", None) or error).split())
        return RawResult(
            root=str(root),
            monotone=False,
            shape=self.reporter.source(term(root)).name,
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


@lru_cache(maxsize=16)
def _compiled(shapes: Path, stamp: int, sparql_alone: bool) -> _Compiled:  # noqa: ARG001 (a changed file has another stamp)
    try:
        graph = _ShapesTriples(shapes.read_bytes())
        _normalize(graph)
        for predicate in CORE_PARAMETERS if sparql_alone else ():
            graph.remove((None, URIRef(predicate), None))
        compiled = ShapesGraph(graph)
        # Reads the shapes, which raises the errors for most mistakes.
        compiled.shapes  # noqa: B018
    except (SyntaxError, ValueError, ShapeLoadError, ConstraintLoadError) as error:
        raise Damaged(f"cannot understand the shapes of {shapes}: {error}") from error
    return _Compiled(compiled, graph.source, Reporter(graph.source))


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
