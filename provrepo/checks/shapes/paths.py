"""Property paths (SHACL section 2.3.1), compiled once and followed without asking for their structure at every node.

Most of what a profile does is to follow paths. pySHACL reads a path out of the shapes again for each focus node, which
took two thirds of the time; and it does not reverse a sequence inside an inverse path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import rdflib
from rdflib.term import Literal, Node, URIRef

from provrepo.errors import Damaged
from provrepo.vocab import RDF, SH

__all__ = ["follow"]

Links = dict[Node, dict[Node, dict[Node, int]]]
"""An index of triples, in one of its three orders."""

Path = Callable[[Links, Links, Node], Iterable[Node]]
"""Follows a path from a node, given what stands in the graph by subject and by predicate."""

_FIRST, _REST, _NIL = (URIRef(RDF + name) for name in ("first", "rest", "nil"))
_INVERSE, _ALTERNATIVE, _ANY, _SOME, _MAYBE = (
    URIRef(SH + name) for name in ("inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
)
_NOTHING: Any = {}

DEEPEST = 64
"""Levels of a path; a path that comes back to itself has more."""


def follow(shapes: Any, focus: Node, path: Node, graph: rdflib.Graph) -> set[Node]:
    """The nodes that a path leads to; stands in for pySHACL's ``value_nodes_from_path``.

    Args:
        shapes: pySHACL's graph of shapes.
        focus: where the path begins.
        path: in the graph of shapes.
        graph: of rdflib's ``SimpleMemory``, whose indexes are read directly.

    Raises:
        Damaged: no well-formed path.
    """
    store: Any = graph.store
    return set(_compiled(shapes.graph, path)(store._SimpleMemory__spo, store._SimpleMemory__pos, focus))


@lru_cache(maxsize=4096)
def _compiled(shapes: rdflib.Graph, path: Node) -> Path:
    return _path(shapes, path, False, 0)


def _path(shapes: rdflib.Graph, path: Node, inverse: bool, depth: int) -> Path:
    if isinstance(path, URIRef):
        return _against(path) if inverse else _along(path)
    if isinstance(path, Literal) or depth > DEEPEST:
        raise Damaged(f"no property path: {path}")

    def inner(node: Node, turned: bool = inverse) -> Path:
        return _path(shapes, node, turned, depth + 1)

    if shapes.value(path, _FIRST) is not None:
        steps = [inner(step) for step in _items(shapes, path)]
        return _sequence(steps[::-1] if inverse else steps)
    for predicate, make in _FORMS.items():
        value = shapes.value(path, predicate)
        if value is not None:
            return make(inner(value))
    value = shapes.value(path, _INVERSE)
    if value is not None:
        return inner(value, not inverse)
    value = shapes.value(path, _ALTERNATIVE)
    if value is not None:
        return _alternative([inner(choice) for choice in _items(shapes, value)])
    raise Damaged(f"no property path: {path}")


def _items(shapes: rdflib.Graph, head: Node) -> list[Node]:
    """The members of a list; at least two, as paths have them."""
    found: list[Node] = []
    node: Node | None = head
    while node is not None and node != _NIL:
        item = shapes.value(node, _FIRST)
        if item is None or len(found) > 1000:
            raise Damaged(f"the list of a property path is broken at {node}")
        found.append(item)
        node = shapes.value(node, _REST)
    if len(found) < 2:
        raise Damaged("the list of a property path has two members at least")
    return found


def _along(predicate: URIRef) -> Path:
    def path(forward: Links, _: Links, node: Node) -> Iterable[Node]:
        found: Iterable[Node] = forward.get(node, _NOTHING).get(predicate, _NOTHING)
        return found

    return path


def _against(predicate: URIRef) -> Path:
    def path(_: Links, backward: Links, node: Node) -> Iterable[Node]:
        found: Iterable[Node] = backward.get(predicate, _NOTHING).get(node, _NOTHING)
        return found

    return path


def _sequence(steps: list[Path]) -> Path:
    def path(forward: Links, backward: Links, node: Node) -> Iterable[Node]:
        level: Iterable[Node] = (node,)
        for step in steps:
            level = {found for start in level for found in step(forward, backward, start)}
            if not level:
                break
        return level

    return path


def _alternative(choices: list[Path]) -> Path:
    def path(forward: Links, backward: Links, node: Node) -> Iterable[Node]:
        found: set[Node] = set()
        for choice in choices:
            found.update(choice(forward, backward, node))
        return found

    return path


def _closure(step: Path, reached: dict[Node, None], forward: Links, backward: Links) -> Iterable[Node]:
    waiting = list(reached)
    while waiting:
        for found in step(forward, backward, waiting.pop()):
            if found not in reached:
                reached[found] = None
                waiting.append(found)
    return reached


def _any(step: Path) -> Path:
    return lambda forward, backward, node: _closure(step, {node: None}, forward, backward)


def _some(step: Path) -> Path:
    def path(forward: Links, backward: Links, node: Node) -> Iterable[Node]:
        return _closure(step, dict.fromkeys(step(forward, backward, node)), forward, backward)

    return path


def _maybe(step: Path) -> Path:
    return lambda forward, backward, node: {node, *step(forward, backward, node)}


_FORMS = {_ANY: _any, _SOME: _some, _MAYBE: _maybe}
