"""How much a dataset holds, for VoID and service descriptions: counted once for each state of the dataset."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from provrepo.codecs.results import QueryResult
from provrepo.errors import AnswerTooLarge, Busy, TimedOut, WorkerFailed
from provrepo.model.identifiers import Literal

__all__ = ["DatasetStatistics", "StatisticsCache"]

SECONDS = 5.0
"""How long each of the two queries may take; a dataset that takes longer is described without figures."""

MOST_GRAPHS = 1_000
"""Named graphs that are listed; a dataset with more lists none, since a part would be taken for all."""

_POSITION = """SELECT ?project ?position {
  GRAPH ?catalogue { ?project provrepo:position ?position }
} ORDER BY ?project"""
_COUNTS = """SELECT * {
  { SELECT (COUNT(*) AS ?triples) (COUNT(DISTINCT ?s) AS ?distinctSubjects) (COUNT(DISTINCT ?p) AS ?properties)
    { ?s ?p ?o } }
  { SELECT (COUNT(DISTINCT ?s) AS ?entities) (COUNT(DISTINCT ?class) AS ?classes) { ?s a ?class } }
}"""
_GRAPHS = f"SELECT ?graph {{ GRAPH ?graph {{}} }} ORDER BY ?graph LIMIT {MOST_GRAPHS + 1}"


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """What is known of a dataset; nothing where counting took too long.

    Attributes:
        counts: of the default graph, by the local name of VoID's property: ``triples``, ``entities`` (subjects with a
            type), ``distinctSubjects``, ``properties``, ``classes``.
        graphs: the named graphs.
    """

    counts: tuple[tuple[str, int], ...] = ()
    graphs: tuple[str, ...] = ()


class StatisticsCache:
    """The figures of each dataset for as long as it does not change. Counting is done by one request at a time."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[bytes, DatasetStatistics]] = {}
        self._counting = threading.Lock()

    def of(self, dataset: Hashable, ask: Callable[..., QueryResult]) -> DatasetStatistics:
        """The figures of a dataset; none while another request is counting.

        Args:
            dataset: which one.
            ask: answers a query over it within ``timeout`` seconds.
        """
        # Asked first: what is counted may be newer than that, and is then counted again.
        position = ask(_POSITION, timeout=SECONDS).write("json")
        known = self._known.get(dataset)
        if known is not None and known[0] == position:
            return known[1]
        if not self._counting.acquire(blocking=False):
            return DatasetStatistics()
        try:
            figures = _counted(ask)
        except Busy:
            return DatasetStatistics()
        except (TimedOut, WorkerFailed, AnswerTooLarge):
            figures = DatasetStatistics()  # remembered as well: the next attempt would take as long
        finally:
            self._counting.release()
        self._known[dataset] = position, figures
        return figures


def _counted(ask: Callable[..., QueryResult]) -> DatasetStatistics:
    found = ask(_COUNTS, timeout=SECONDS).rows[0]
    counts = tuple((name, int(value.lexical)) for name, value in found.items() if isinstance(value, Literal))
    graphs = tuple(str(row["graph"]) for row in ask(_GRAPHS, timeout=SECONDS).rows)
    return DatasetStatistics(counts, graphs if len(graphs) <= MOST_GRAPHS else ())
