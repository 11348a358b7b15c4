"""Validation of graphs against the shapes of profiles: which engine, and in which process.

SHACL Core is evaluated by ``provrepo.checks.shacl``. Constraints based on SPARQL, and shapes that it does not cover,
are left to pySHACL.

Shapes are programs. Those that ship with provrepo are known to be harmless, and are evaluated in the process of the
caller, with a deadline. User-defined shapes are evaluated in a worker process with limits of time and memory, and so is
everything that pySHACL does. What is called in a worker process stays there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import cast

from provrepo import resources
from provrepo.checks.profiles import Profile
from provrepo.checks.shacl import ntriples
from provrepo.checks.shacl.engine import Shapes, shapes_of
from provrepo.checks.shacl.errors import DeadlinePassed, NotCovered, TooManyResults
from provrepo.checks.shacl.graph import MOST_RESULTS, Graph
from provrepo.checks.shacl.results import RawResult, Results
from provrepo.codecs.collector import collection_paused
from provrepo.errors import TimedOut, WorkerFailed
from provrepo.settings import load
from provrepo.words import lasting
from provrepo.workers.child import in_worker
from provrepo.workers.pool import Pool, default_pool

__all__ = ["Validator", "validate_file"]

_WORKER = "provrepo.checks.shapes.validator:validate_file"


class Validator:
    """Validates graphs against the shapes of some profiles, within one deadline."""

    def __init__(self, profiles: Iterable[Profile], timeout: float | None = None, pool: Pool | None = None) -> None:
        """Prepare a validation.

        Args:
            profiles: whose shapes.
            timeout: in seconds; by default the setting ``check_timeout``. Ignored inside a worker process, which has
                its own deadline.
            pool: the workers to use; by default the shared pool.
        """
        self._files = [profile.shapes for profile in profiles]
        self._pool = pool
        self._inside = in_worker()
        self._remaining = load().check_timeout if timeout is None and not self._inside else timeout or 0.0
        self._given = self._remaining
        self._here = [self._inside or _ships(file) for file in self._files]

    def __call__(self, graphs: Iterable[Graph], only: Collection[str] | None = None) -> Results:
        """The results of each graph.

        Args:
            graphs: the data graphs.
            only: IRIs of the shapes with targets to validate against; None is all.

        Raises:
            Damaged: the shapes cannot be read or are not well-formed.
            WorkerFailed: it took too long or too much memory.
        """
        here = [file for file, is_here in zip(self._files, self._here, strict=True) if is_here]
        elsewhere = [file for file in self._files if file not in here]
        found: Results = [[] for _ in here]
        sizes: list[int] = []
        content = bytearray()
        with collection_paused():
            for graph in graphs:
                for results, more in zip(found, self._validate_here(graph, here, only), strict=True):
                    results.append(more)
                if elsewhere:
                    written = ntriples.write(graph)
                    content += written
                    sizes.append(len(written))
        others = self._validate_elsewhere(content, sizes, elsewhere, only) if elsewhere else []
        by_file = dict(zip([*here, *elsewhere], [*found, *others], strict=True))
        return [by_file[file] for file in self._files]

    def _validate_here(self, graph: Graph, files: list[Path], only: Collection[str] | None) -> list[list[RawResult]]:
        started = time.monotonic()
        graph.deadline = None if self._inside else started + self._remaining
        try:
            return validate_graph(graph, files, only)
        except DeadlinePassed:
            raise TimedOut(f"this took longer than {lasting(self._given)} and was stopped") from None
        finally:
            self._spend(started)

    def _validate_elsewhere(
        self, content: bytes | bytearray, sizes: list[int], files: list[Path], only: Collection[str] | None
    ) -> Results:
        with tempfile.NamedTemporaryFile(prefix="provrepo-", suffix=".nt") as file:
            file.write(content)
            file.flush()
            arguments = {
                "data": file.name,
                "sizes": sizes,
                "shapes": [str(each) for each in files],
                "only": None if only is None else sorted(only),
            }
            started = time.monotonic()
            found = (self._pool or default_pool()).call(_WORKER, arguments, timeout=max(round(self._remaining, 1), 0.1))
            self._spend(started)
            return cast("Results", found)

    def _spend(self, started: float) -> None:
        self._remaining -= time.monotonic() - started


def _ships(file: Path) -> bool:
    return file.parent.parent == resources.root() / "shapes"


def validate_file(data: str, sizes: list[int], shapes: list[str], only: list[str] | None = None) -> Results:
    """Worker entry point: validate graphs.

    Args:
        data: path of a file with the graphs, as ``ntriples.write`` writes them, one after the other.
        sizes: of each graph, in bytes.
        shapes: paths of the files of shapes.
        only: IRIs of the shapes with targets to validate against; None is all.

    Returns:
        For each file of shapes, for each graph, its results.
    """
    content = Path(data).read_bytes()
    found: Results = [[] for _ in shapes]
    start = 0
    with collection_paused():
        for size in sizes:
            graph = ntriples.read(content[start : start + size])
            start += size
            files = [Path(file) for file in shapes]
            for results, more in zip(found, validate_graph(graph, files, only), strict=True):
                results.append(more)
    return found


def validate_graph(graph: Graph, files: Iterable[Path], only: Collection[str] | None = None) -> list[list[RawResult]]:
    """Validate one graph in this process.

    Args:
        graph: the data graph, ``rdfs:subClassOf`` triples included.
        files: files of shapes.
        only: IRIs of the shapes with targets to validate against; None is all.

    Returns:
        For each file its results.

    Raises:
        Damaged: shapes cannot be read or are not well-formed.
        DeadlinePassed: the deadline of the graph passed.
        WorkerFailed: there are too many results.
    """
    try:
        return [_validated(graph, file, only) for file in files]
    except TooManyResults:
        raise WorkerFailed(f"there are more than {MOST_RESULTS:,} results for the shapes") from None


def _validated(graph: Graph, file: Path, only: Collection[str] | None) -> list[RawResult]:
    try:
        shapes: Shapes | None = shapes_of(file)
    except NotCovered:
        shapes = None
    if shapes is None:
        return _pyshacl(graph, file, only)
    found = shapes.validate(graph, only)
    others, sparql = _both(shapes.others, only), _both(shapes.sparql, only)
    if others:
        found += _pyshacl(graph, file, others)
    if sparql:
        found += _pyshacl(graph, file, sparql, sparql_alone=True)
    return found


def _pyshacl(graph: Graph, file: Path, only: Collection[str] | None, *, sparql_alone: bool = False) -> list[RawResult]:
    # Importing it takes longer than most validations.
    from provrepo.checks.shapes.pyshacl_engine import PyShacl

    return PyShacl().validate(graph, file, only, sparql_alone=sparql_alone)


def _both(wanted: Collection[str], only: Collection[str] | None) -> set[str]:
    return set(wanted) if only is None else set(wanted) & set(only)
