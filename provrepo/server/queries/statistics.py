"""Statistics of datasets for VoID and service descriptions, computed once for each state of a dataset."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from provrepo.codecs.results import QueryResult
from provrepo.errors import AnswerTooLarge, Busy, TimedOut, WorkerFailed
from provrepo.model.identifiers import Literal

__all__ = ["DatasetStatistics", "StatisticsCache"]

TIMEOUT = 5.0
"""The deadline of each query in seconds; a dataset that needs more is described without statistics."""

MAX_GRAPHS = 1_000
"""The most named graphs to list; for a dataset with more none are listed, since a part could be mistaken for all."""

_POSITION = """SELECT ?project ?position {
  GRAPH ?catalogue { ?project provrepo:position ?position }
} ORDER BY ?project"""
_COUNTS = """SELECT * {
  { SELECT (COUNT(*) AS ?triples) (COUNT(DISTINCT ?s) AS ?distinctSubjects) (COUNT(DISTINCT ?p) AS ?properties)
    { ?s ?p ?o } }
  { SELECT (COUNT(DISTINCT ?s) AS ?entities) (COUNT(DISTINCT ?class) AS ?classes) { ?s a ?class } }
}"""
_GRAPHS = f"SELECT ?graph {{ GRAPH ?graph {{}} }} ORDER BY ?graph LIMIT {MAX_GRAPHS + 1}"


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """The statistics of a dataset; empty if they could not be computed in time.

    Attributes:
        counts: pairs of the local name of a VoID property and a number, for the default graph: ``triples``,
            ``entities`` (subjects with a type), ``distinctSubjects``, ``properties``, ``classes``.
        graphs: the names of the named graphs.
    """

    counts: tuple[tuple[str, int], ...] = ()
    graphs: tuple[str, ...] = ()


class StatisticsCache:
    """The statistics of each dataset, cached until it changes. One request at a time computes statistics."""

    def __init__(self) -> None:
        self._cache: dict[Hashable, tuple[bytes, DatasetStatistics]] = {}
        self._computing = threading.Lock()

    def of(self, dataset: Hashable, query: Callable[..., QueryResult]) -> DatasetStatistics:
        """The statistics of a dataset; empty while another request computes statistics.

        Args:
            dataset: the key of the dataset.
            query: runs a query over it, with a deadline of ``timeout`` seconds.
        """
        # The position is read first: if the dataset changes meanwhile, the next call computes the statistics again.
        position = query(_POSITION, timeout=TIMEOUT).write("json")
        cached = self._cache.get(dataset)
        if cached is not None and cached[0] == position:
            return cached[1]
        if not self._computing.acquire(blocking=False):
            return DatasetStatistics()
        try:
            statistics = _computed(query)
        except Busy:
            return DatasetStatistics()
        except (TimedOut, WorkerFailed, AnswerTooLarge):
            statistics = DatasetStatistics()  # cached too: another attempt would take as long
        finally:
            self._computing.release()
        self._cache[dataset] = position, statistics
        return statistics


def _computed(query: Callable[..., QueryResult]) -> DatasetStatistics:
    found = query(_COUNTS, timeout=TIMEOUT).rows[0]
    counts = tuple((name, int(value.lexical)) for name, value in found.items() if isinstance(value, Literal))
    graphs = tuple(str(row["graph"]) for row in query(_GRAPHS, timeout=TIMEOUT).rows)
    return DatasetStatistics(counts, graphs if len(graphs) <= MAX_GRAPHS else ())
