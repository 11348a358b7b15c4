"""From a shapes graph to shapes that can validate (SHACL, sections 2 and 4).

Constraints based on SPARQL (sections 5 and 6) are left to another processor, and so are root shapes that are
ill-formed, recursive, or that have such constraints inside ``sh:not``, ``sh:or`` and the like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provrepo.checks.shacl.constraints import Constraint
from provrepo.checks.shacl.errors import NotCovered
from provrepo.checks.shacl.focus_constraints import (
    Closed,
    Disjoint,
    Equals,
    HasValue,
    LessThan,
    MaxCount,
    MinCount,
    UniqueLang,
)
from provrepo.checks.shacl.literals import comparable
from provrepo.checks.shacl.messages import Messages
from provrepo.checks.shacl.shape import Shape, Target
from provrepo.checks.shacl.shape_constraints import And, Node, Not, Or, QualifiedCount, QualifiedValues, Xone
from provrepo.checks.shacl.shapes_graph import ShapesGraph, sh
from provrepo.checks.shacl.value_constraints import (
    NODE_KINDS,
    Class,
    Datatype,
    In,
    LanguageIn,
    Length,
    NodeKind,
    Pattern,
    Range,
)
from provrepo.checks.shapes.matching import Unmatchable, matcher, python_flags
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, is_blank
from provrepo.vocab import RDF_TYPE, RDFS, SH

__all__ = ["CORE_PARAMETERS", "Compiled"]

_RANGES = {
    "minExclusive": (1,),
    "minInclusive": (0, 1),
    "maxExclusive": (-1,),
    "maxInclusive": (-1, 0),
}
"""What ``compare`` has to return for a value and the limit, by parameter."""

_TARGETS = frozenset(SH + name for name in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf"))
_SPARQL = sh("sparql")
"""The parameter of constraints in SPARQL (section 5.1)."""
_NOT_CORE = frozenset(SH + name for name in ("js", "expression", "rule", "target"))
_OF_PROPERTY_SHAPES = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualifiedValueShape")
"""Parameters that node shapes must not have (SHACL, sections 4.2, 4.4.5, 4.5.3, 4.5.4 and 4.7.3)."""

CORE_PARAMETERS = frozenset(
    SH + name
    for name in (
        *("class", "datatype", "nodeKind", "minExclusive", "minInclusive", "maxExclusive", "maxInclusive"),
        *("minLength", "maxLength", "pattern", "flags", "languageIn", "uniqueLang", "equals", "disjoint", "lessThan"),
        *("lessThanOrEquals", "not", "and", "or", "xone", "node", "closed", "ignoredProperties", "hasValue", "in"),
        *("minCount", "maxCount", "qualifiedValueShape", "qualifiedMinCount", "qualifiedMaxCount"),
        "qualifiedValueShapesDisjoint",
    )
)
"""The parameters of the constraint components of SHACL Core (section 4), but for ``sh:property``."""

_OF_SHAPES = CORE_PARAMETERS | {sh("property"), sh("path")}
"""A node that has one of these is a shape (SHACL, section 2.1)."""


class Compiled:
    """The shapes of one file.

    Attributes:
        graph: the shapes graph.
        roots: the shapes with targets that were compiled, but for constraints based on SPARQL.
        sparql: those of them that have such constraints, by IRI.
        others: shapes with targets, or of a type of SHACL, that were not compiled, by IRI, with the reason.
    """

    def __init__(self, quads: Iterable[Quad]) -> None:
        self.graph = ShapesGraph(quads)
        self.roots: list[Shape] = []
        self.others: dict[str, str] = {}
        self._shapes: dict[Value, Shape] = {}
        self._open: set[Value] = set()
        self.sparql: set[str] = set()
        # The shapes that have constraints based on SPARQL, or whose property shapes have.
        self._with_sparql: set[Value] = set()
        self._sparql_parameters = {_SPARQL, *self._own_parameters()}
        targeted = self._targeted()
        for node in dict.fromkeys([*targeted, *self._typed()]):
            try:
                if not self._sparql_parameters.isdisjoint(CORE_PARAMETERS):
                    raise NotCovered("the shapes define constraint components with parameters of SHACL Core")
                shape = self._shape(node)
                if node in targeted:
                    shape.targets = list(self._targets(node))
                    self.roots.append(shape)
                    if node in self._with_sparql:
                        self.sparql.add(node)
            except (NotCovered, RecursionError) as error:
                self.others[node] = str(error)

    def _own_parameters(self) -> Iterator[str]:
        """The parameters of the constraint components that the file declares (section 6.2.1)."""
        for triple in self.graph.triples:
            if triple.predicate == sh("parameter"):
                yield from (str(path) for path in self.graph.objects(triple.object, sh("path")))

    # Targets (section 2.1.3) ------------------------------------------------------------------------------------

    def _targeted(self) -> list[Identifier]:
        """The shapes that have targets of their own, by IRI."""
        classes = self._classes()
        found = set()
        for subject, predicate, value, _ in self.graph.triples:
            if predicate in _TARGETS or (predicate == RDF_TYPE and value in classes and self._is_shape(subject)):
                found.add(subject)
        return sorted(found)

    def _typed(self) -> list[Identifier]:
        """The nodes that have a type of shapes."""
        types = (sh("NodeShape"), sh("PropertyShape"))
        return sorted({subject for type_ in types for subject in self.graph.subjects(Identifier(type_))})

    def _classes(self) -> set[Value]:
        """``rdfs:Class`` and the classes that the shapes graph declares below it."""
        classes: set[Value] = set()
        pending: list[Value] = [Identifier(RDFS + "Class")]
        while pending:
            cls = pending.pop()
            if cls not in classes:
                classes.add(cls)
                pending += [
                    subject
                    for subject in self.graph.subjects(cls)
                    if cls in self.graph.objects(subject, RDFS + "subClassOf")
                ]
        return classes

    def _is_shape(self, node: Value) -> bool:
        return any(
            predicate in _OF_SHAPES or (predicate == RDF_TYPE and value in (sh("NodeShape"), sh("PropertyShape")))
            for predicate, value in self.graph.triples_of(node)
        )

    def _targets(self, node: Identifier) -> Iterator[Target]:
        graph = self.graph
        yield from (_node_target(term) for term in graph.objects(node, sh("targetNode")))
        classes = [graph.iri(cls) for cls in graph.objects(node, sh("targetClass"))]
        if not self._classes().isdisjoint(graph.objects(node, RDF_TYPE)):
            classes.append(node)
        yield from map(_class_target, classes)
        yield from (_subjects_target(graph.iri(each)) for each in graph.objects(node, sh("targetSubjectsOf")))
        yield from (_objects_target(graph.iri(each)) for each in graph.objects(node, sh("targetObjectsOf")))

    # Shapes -----------------------------------------------------------------------------------------------------

    def _shape(self, node: Value) -> Shape:
        known = self._shapes.get(node)
        if known is not None:
            return known
        if node in self._open:
            # SHACL, section 3.4.3: validation with recursive shapes is not defined.
            raise NotCovered(f"{node} refers to itself")
        if isinstance(node, Literal):
            raise NotCovered(f"{node.lexical!r} is not a shape")
        self._open.add(node)
        try:
            shape = self._compiled(node)
        finally:
            self._open.discard(node)
        self._shapes[node] = shape
        return shape

    def _compiled(self, node: Identifier) -> Shape:
        graph = self.graph
        for predicate, _ in graph.triples_of(node):
            if predicate in _NOT_CORE:
                raise NotCovered(f"{node} has {predicate}, which is not of SHACL Core")
            if predicate in self._sparql_parameters:
                self._with_sparql.add(node)
        shape = Shape(node, deactivated=graph.is_true(node, sh("deactivated")))
        path = graph.at_most_one(node, sh("path"))
        if path is not None:
            if isinstance(path, Literal):
                raise NotCovered(f"{path.lexical!r} is not a property path")
            shape.path, shape.path_text = graph.path(path)
        elif sh("PropertyShape") in graph.objects(node, RDF_TYPE):
            raise NotCovered(f"{node} is a property shape without a path")
        if graph.at_most_one(node, sh("severity")) is not None:
            graph.iri(graph.objects(node, sh("severity"))[0])
        if path is None and any(graph.objects(node, sh(name)) for name in _OF_PROPERTY_SHAPES):
            raise NotCovered(f"{node} is a node shape and has a parameter of property shapes")
        if shape.deactivated:
            self._with_sparql.discard(node)
            return shape
        shape.constraints = list(_Constraints(self, node, shape))
        for nested in graph.objects(node, sh("property")):
            shape.properties.append(self._shape(nested))
            if shape.properties[-1].path is None:
                raise NotCovered(f"{nested} is a value of sh:property and not a property shape")
            if nested in self._with_sparql:
                self._with_sparql.add(node)
        return shape

    def shape(self, node: Value) -> Shape:
        """The shape of a node that a parameter refers to.

        Raises:
            NotCovered: it cannot be compiled.
        """
        shape = self._shape(node)
        if node in self._with_sparql:
            raise NotCovered(f"{node} has a constraint based on SPARQL and decides about another one")
        return shape

    def shapes(self, head: Value) -> list[Shape]:
        """The shapes of a list.

        Raises:
            NotCovered: one cannot be compiled, or there is no list.
        """
        return [self.shape(node) for node in self.graph.members(head)]


def _node_target(term: Value) -> Target:
    # The node need not be in the data (section 2.1.3.1).
    return lambda graph: {graph.number(term)}


def _class_target(cls: Identifier) -> Target:
    return lambda graph: graph.instances(cls)


def _subjects_target(predicate: Identifier) -> Target:
    return lambda graph: graph.pairs(predicate).domain()


def _objects_target(predicate: Identifier) -> Target:
    return lambda graph: graph.pairs(predicate).range()


class _Constraints:
    """Compiles the constraints of one shape, but for ``sh:property``."""

    def __init__(self, compiled: Compiled, node: Identifier, shape: Shape) -> None:
        self._compiled = compiled
        self._graph = compiled.graph
        self._node = node
        self._is_property = shape.path is not None
        self._say = Messages(shape.path_text)

    def __iter__(self) -> Iterator[Constraint]:
        yield from self._types()
        yield from self._ranges()
        yield from self._texts()
        yield from self._logic()
        yield from self._pairs()
        yield from self._others()
        if self._is_property:
            yield from self._counts()
            yield from self._qualified()

    def _all(self, name: str) -> list[Value]:
        return self._graph.objects(self._node, sh(name))

    def _one(self, name: str) -> Value | None:
        return self._graph.at_most_one(self._node, sh(name))

    def _types(self) -> Iterator[Constraint]:
        """Section 4.1."""
        for cls in self._all("class"):
            yield Class(self._say.class_(self._graph.iri(cls)), self._graph.iri(cls))
        datatype = self._one("datatype")
        if datatype is not None:
            iri = self._graph.iri(datatype)
            yield Datatype(self._say.datatype(iri), iri)
        kind = self._one("nodeKind")
        if kind is not None:
            name = self._graph.iri(kind).removeprefix(SH)
            if name not in NODE_KINDS:
                raise NotCovered(f"{kind} is not a node kind")
            yield NodeKind(self._say.node_kind(name), name)

    def _ranges(self) -> Iterator[Constraint]:
        """Section 4.3."""
        for name, allowed in _RANGES.items():
            limit = self._one(name)
            if limit is not None:
                component = name[0].upper() + name[1:]
                message = self._say.range(component, self._graph.text(limit))
                yield Range(component, message, comparable(limit), allowed)

    def _texts(self) -> Iterator[Constraint]:
        """Section 4.4."""
        least, most = self._one("minLength"), self._one("maxLength")
        if least is not None:
            count = self._graph.count(least)
            yield Length(self._say.min_length(count), least=count)
        if most is not None:
            count = self._graph.count(most)
            yield Length(self._say.max_length(count), most=count)
        flags = self._one("flags")
        for pattern in self._all("pattern"):
            text = self._graph.text(pattern)
            try:
                search = matcher(text, python_flags("" if flags is None else self._graph.text(flags))).search
            except Unmatchable as error:
                raise NotCovered(f"the pattern {text!r}: {error}") from error
            yield Pattern(self._say.pattern(text), search)
        ranges = self._one("languageIn")
        if ranges is not None:
            tags = [self._graph.text(tag) for tag in self._graph.members(ranges)]
            yield LanguageIn(self._say.language_in(tags), tags)

    def _logic(self) -> Iterator[Constraint]:
        """Sections 4.6 and 4.7.1."""
        for node in self._all("not"):
            yield Not(self._say.not_(node), self._compiled.shape(node))
        for head in self._all("and"):
            shapes = self._compiled.shapes(head)
            yield And(self._say.and_(len(shapes)), shapes)
        for head in self._all("or"):
            shapes = self._compiled.shapes(head)
            yield Or(self._say.or_(len(shapes)), shapes)
        for head in self._all("xone"):
            shapes = self._compiled.shapes(head)
            yield Xone(self._say.xone(len(shapes)), shapes)
        for node in self._all("node"):
            yield Node(self._say.node(node), self._compiled.shape(node))

    def _pairs(self) -> Iterator[Constraint]:
        """Section 4.5."""
        iri = self._graph.iri
        for predicate in self._all("equals"):
            yield Equals(self._say.equals(iri(predicate)), iri(predicate))
        for predicate in self._all("disjoint"):
            yield Disjoint(self._say.disjoint(iri(predicate)), iri(predicate))
        for predicate in self._all("lessThan"):
            yield LessThan(self._say.less_than(iri(predicate)), iri(predicate), equal=False)
        for predicate in self._all("lessThanOrEquals"):
            yield LessThan(self._say.less_than_or_equals(iri(predicate)), iri(predicate), equal=True)

    def _others(self) -> Iterator[Constraint]:
        """Section 4.8."""
        if any(isinstance(value, Literal) and value.lexical in ("true", "1") for value in self._all("closed")):
            ignored = self._one("ignoredProperties")
            allowed = [] if ignored is None else [str(each) for each in self._graph.members(ignored)]
            for nested in self._all("property"):
                allowed += [str(path) for path in self._graph.objects(nested, sh("path")) if not is_blank(str(path))]
            yield Closed(self._say.closed(), allowed)
        for term in self._all("hasValue"):
            yield HasValue(self._say.has_value(term), term)
        head = self._one("in")
        if head is not None:
            members = self._graph.members(head)
            yield In(self._say.in_(members), members)

    def _counts(self) -> Iterator[Constraint]:
        """Sections 4.2 and 4.4.5."""
        least, most = self._one("minCount"), self._one("maxCount")
        if least is not None:
            count = self._graph.count(least)
            yield MinCount(self._say.min_count(count), count)
        if most is not None:
            count = self._graph.count(most)
            yield MaxCount(self._say.max_count(count), count)
        if self._graph.is_true(self._node, sh("uniqueLang")):
            yield UniqueLang(self._say.unique_lang())

    def _qualified(self) -> Iterator[Constraint]:
        """Section 4.7.3."""
        least, most = self._one("qualifiedMinCount"), self._one("qualifiedMaxCount")
        for node in self._all("qualifiedValueShape"):
            siblings = [self._compiled.shape(sibling) for sibling in self._siblings()]
            values = QualifiedValues(self._compiled.shape(node), siblings)
            if least is not None:
                count = self._graph.count(least)
                yield QualifiedCount(self._say.qualified_min_count(count, node), values, least=count)
            if most is not None:
                count = self._graph.count(most)
                yield QualifiedCount(self._say.qualified_max_count(count, node), values, most=count)

    def _siblings(self) -> list[Value]:
        """The sibling shapes: those that the same shapes have in other qualified constraints, but for the own ones."""
        if not self._graph.is_true(self._node, sh("qualifiedValueShapesDisjoint")):
            return []
        objects = self._graph.objects
        found: dict[Value, None] = {}
        for parent in self._graph.subjects(self._node):
            beside = objects(parent, sh("property"))
            if self._node in beside:
                found.update((value, None) for shape in beside for value in objects(shape, sh("qualifiedValueShape")))
        return [shape for shape in found if shape not in self._all("qualifiedValueShape")]
