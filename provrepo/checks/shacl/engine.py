"""Validation of graphs against files of shapes: what ``checks.shapes`` calls."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from provrepo.checks.shacl.compiler import Compiled
from provrepo.checks.shacl.errors import NotCovered
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.results import RawResult, Reporter
from provrepo.errors import ReadError

__all__ = ["Shapes", "shapes_of"]


class Shapes:
    """The compiled shapes of one file.

    Attributes:
        others: the shapes that another processor has to evaluate, by IRI, with the reason.
        sparql: the shapes of which it has to evaluate the constraints based on SPARQL alone, by IRI.
    """

    def __init__(self, turtle: bytes, base: str | None = None) -> None:
        """Compile shapes.

        Args:
            turtle: the shapes graph.
            base: relative IRIs are resolved against it.

        Raises:
            NotCovered: they cannot be read.
        """
        from provrepo.codecs.rdf.codec import parse

        try:
            self._compiled = Compiled(parse(turtle, "turtle", base).quads)
        except ReadError as error:
            raise NotCovered(f"the shapes cannot be read: {error}") from error
        self._reporter = Reporter(self._compiled.graph)
        self.others = self._compiled.others
        self.sparql = self._compiled.sparql

    def validate(self, data: Graph, only: Collection[str] | None = None) -> list[RawResult]:
        """The validation results of one graph.

        Args:
            data: the triples, the subclass triples that hold included.
            only: IRIs of the shapes with targets to validate against; None is all. Those of ``others`` are left out.

        Raises:
            DeadlinePassed: the deadline of the graph passed.
        """
        found: list[RawResult] = []
        for root in self._compiled.roots:
            if only is None or root.node in only:
                results = root.results(data, root.focus_nodes(data))
                found += [self._reporter.raw(data, root, result) for result in results]
        return found


def shapes_of(file: Path) -> Shapes:
    """The shapes of a file, compiled once for each state of the file.

    Raises:
        NotCovered: they cannot be read.
    """
    return _shapes_of(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _shapes_of(file: Path, stamp: int) -> Shapes:  # noqa: ARG001 (a changed file has another stamp)
    return Shapes(file.read_bytes())
