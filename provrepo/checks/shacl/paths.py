"""Property paths (SHACL, section 2.3.1) that are followed from one node, or from a whole set of nodes at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence

from provrepo.checks.shacl.graph import Graph, Index, Nodes

__all__ = ["Alternative", "Closure", "Path", "Predicate", "Sequence_", "within"]

_SMALL = 8
"""A set with fewer than one node for so many triples is looked up in an index; otherwise the columns are scanned."""


class Path(ABC):
    """A property path."""

    @abstractmethod
    def values(self, graph: Graph, focus: int) -> Collection[int]:
        """The value nodes of one focus node."""

    @abstractmethod
    def image(self, graph: Graph, foci: Nodes) -> Nodes:
        """The value nodes of all of some focus nodes. The set may be shared: do not change it."""

    @abstractmethod
    def origin(self, graph: Graph, values: Nodes | None, foci: Nodes | None = None) -> Nodes | None:
        """The nodes from which the path leads to one of some values. The set may be shared: do not change it.

        Args:
            graph: the data.
            values: where the path ends; None for any node.
            foci: the nodes that matter: others may be missing from the answer.

        Returns:
            None where these are all nodes, in the graph or not.
        """


def within(foci: Nodes, found: Nodes | None) -> Nodes:
    """Those of some focus nodes that ``Path.origin`` has found."""
    return foci if found is None else foci & found


class Predicate(Path):
    """A predicate path, or the inverse of one (SHACL, sections 2.3.1.1 and 2.3.1.4)."""

    def __init__(self, predicate: str, *, inverse: bool) -> None:
        self.predicate = predicate
        self.inverse = inverse

    def index(self, graph: Graph) -> Index:
        """The value nodes of each focus node."""
        pairs = graph.pairs(self.predicate)
        return pairs.by_object() if self.inverse else pairs.by_subject()

    def has_one_value_each(self, graph: Graph) -> bool:
        """Whether it is certain at a glance that no node has more than one value."""
        pairs = graph.pairs(self.predicate)
        return len(pairs.subjects) == len(pairs.range() if self.inverse else pairs.domain())

    def values(self, graph: Graph, focus: int) -> Collection[int]:
        """See ``Path.values``."""
        return self.index(graph).get(focus, ())

    def image(self, graph: Graph, foci: Nodes) -> Nodes:
        """See ``Path.image``."""
        return _image(graph, self.predicate, foci, backward=self.inverse)

    def origin(self, graph: Graph, values: Nodes | None, foci: Nodes | None = None) -> Nodes | None:  # noqa: ARG002
        """See ``Path.origin``."""
        if values is None:
            pairs = graph.pairs(self.predicate)
            return pairs.range() if self.inverse else pairs.domain()
        return _image(graph, self.predicate, values, backward=not self.inverse)


def _image(graph: Graph, predicate: str, starts: Nodes, *, backward: bool) -> Nodes:
    pairs = graph.pairs(predicate)
    column, other = (pairs.objects, pairs.subjects) if backward else (pairs.subjects, pairs.objects)
    if not starts or not column:
        return set()
    known = pairs.range() if backward else pairs.domain()
    if len(starts) >= len(known) and starts >= known:
        return pairs.domain() if backward else pairs.range()
    if len(starts) * _SMALL < len(column):
        index = pairs.by_object() if backward else pairs.by_subject()
        return set().union(*[index[start] for start in starts if start in index])
    return {end for start, end in zip(column, other, strict=True) if start in starts}


class Sequence_(Path):  # noqa: N801 (the name without a line below it is one of the standard library)
    """A sequence path (SHACL, section 2.3.1.2)."""

    def __init__(self, steps: Sequence[Path]) -> None:
        self._steps = steps

    def values(self, graph: Graph, focus: int) -> Collection[int]:
        """See ``Path.values``."""
        level: Collection[int] = (focus,)
        for step in self._steps:
            level = _union(step, graph, level)
            if not level:
                break
        return level

    def image(self, graph: Graph, foci: Nodes) -> Nodes:
        """See ``Path.image``."""
        for step in self._steps:
            foci = step.image(graph, foci)
            if not foci:
                break
        return foci

    def origin(self, graph: Graph, values: Nodes | None, foci: Nodes | None = None) -> Nodes | None:  # noqa: ARG002
        """See ``Path.origin``."""
        for step in reversed(self._steps):
            values = step.origin(graph, values)
            if values is not None and not values:
                break
        return values


def _union(path: Path, graph: Graph, starts: Collection[int]) -> Collection[int]:
    if len(starts) == 1:
        (start,) = starts
        return path.values(graph, start)
    return {value for start in starts for value in path.values(graph, start)}


class Alternative(Path):
    """An alternative path (SHACL, section 2.3.1.3)."""

    def __init__(self, choices: Sequence[Path]) -> None:
        self._choices = choices

    def values(self, graph: Graph, focus: int) -> Collection[int]:
        """See ``Path.values``."""
        return set[int]().union(*(choice.values(graph, focus) for choice in self._choices))

    def image(self, graph: Graph, foci: Nodes) -> Nodes:
        """See ``Path.image``."""
        return set[int]().union(*(choice.image(graph, foci) for choice in self._choices))

    def origin(self, graph: Graph, values: Nodes | None, foci: Nodes | None = None) -> Nodes | None:
        """See ``Path.origin``."""
        found: Nodes = set()
        missing = foci
        for choice in self._choices:
            part = choice.origin(graph, values, missing)
            if part is None:
                return None
            found = found | part
            if missing is not None:
                missing = missing - part
                if not missing:
                    break
        return found


class Closure(Path):
    """A zero-or-more, one-or-more or zero-or-one path (SHACL, sections 2.3.1.5 to 2.3.1.7)."""

    def __init__(self, step: Path, *, zero: bool, many: bool) -> None:
        inner = step if isinstance(step, Closure) else None
        # One closure leads where a closure of it leads; following both takes time exponential in their depth.
        self._step: Path = step if inner is None else inner._step
        self._zero: bool = zero or (inner is not None and inner._zero)
        self._many: bool = many or (inner is not None and inner._many)

    def values(self, graph: Graph, focus: int) -> Collection[int]:
        """See ``Path.values``."""
        return self._reached(graph, lambda level: set(_union(self._step, graph, level)), {focus})

    def image(self, graph: Graph, foci: Nodes) -> Nodes:
        """See ``Path.image``."""
        return self._reached(graph, lambda level: self._step.image(graph, level), foci)

    def origin(self, graph: Graph, values: Nodes | None, foci: Nodes | None = None) -> Nodes | None:  # noqa: ARG002
        """See ``Path.origin``."""
        if values is None:
            return None if self._zero else self._step.origin(graph, None)
        # A path that is no closure answers with a set where it is given one.
        return self._reached(graph, lambda level: self._step.origin(graph, level) or set(), values)

    def _reached(self, graph: Graph, follow: Callable[[Nodes], Nodes], starts: Nodes) -> Nodes:
        reached = set(starts) if self._zero else set[int]()
        level = starts
        while level:
            graph.check_deadline()
            level = follow(level) - reached
            reached |= level
            if not self._many:
                break
        return reached
