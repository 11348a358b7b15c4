"""Answers that are kept until their dataset changes: most look-ups are asked again and again.

An answer belongs to a dataset at a *mark*, which tells its states apart. Who may read the dataset is decided before
this is asked; all who may get the same answer.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from provrepo.codecs.results import Kind, QueryResult
from provrepo.views.sparql.query import SparqlQuery

__all__ = ["Answers"]

_LARGEST = 64 << 10
"""The most bytes of an answer that is kept: for larger ones the time of evaluation counts, and not that of asking."""

_MOST = 16 << 20
"""The most bytes of all answers, with their queries."""

_OVERHEAD = 1 << 10
"""Bytes that each answer counts beside its own, for keys and objects."""

_CHANGING = re.compile(r"\b(?:NOW|RAND|UUID|STRUUID|BNODE)\b|\\u", re.IGNORECASE | re.ASCII)
"""Functions that give something else each time. An escape (SPARQL 1.1 Query, section 19.2) may hide one."""

_Key = tuple[str, str, str | None, tuple[str, ...], tuple[str, ...]]


class Answers:
    """The answers that were used last. Any number of threads may use it."""

    def __init__(self, state: Callable[[str], int | None], most: int = _MOST) -> None:
        """Start with none.

        Args:
            state: returns the number of changes of a dataset; None while it is being changed. ``forget`` is called
                after each change.
            most: the most bytes of all together.
        """
        self._state = state
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[_Key, tuple[Hashable, Kind, bytes]] = OrderedDict()
        self._size = 0

    def of(
        self,
        dataset: str,
        waiting: Callable[[str], Hashable],
        query: SparqlQuery,
        evaluate: Callable[[], QueryResult],
    ) -> QueryResult:
        """The answer to a query, kept or evaluated.

        Args:
            dataset: the name of the dataset.
            waiting: returns what tells the changes of a dataset that wait from those at other times.
            query: the query.
            evaluate: returns the answer from the content of the dataset with the changes that wait.
        """

        def mark() -> Hashable | None:
            # In this order: what was loaded in between is in the state.
            changes, state = waiting(dataset), self._state(dataset)
            return None if state is None else (state, changes)

        before, key = mark(), _key(dataset, query)
        if before is not None and (kept := self._get(key, before)) is not None:
            return kept
        answer = evaluate()
        if before is not None:
            self._put(key, before, answer, mark)
        return answer

    def _get(self, key: _Key, mark: Hashable) -> QueryResult | None:
        with self._lock:
            found = self._found.get(key)
            if found is None or found[0] != mark:
                return None
            self._found.move_to_end(key)
        # Each caller gets a result of its own: it changes when its rows are read.
        return QueryResult.from_written(found[1], found[2])

    def _put(self, key: _Key, mark: Hashable, answer: QueryResult, now: Callable[[], Hashable | None]) -> None:
        """Keep an answer, unless it is large, would be another one the next time, or the dataset has changed."""
        if len(key[1]) > _LARGEST or _CHANGING.search(key[1]):
            return
        written = answer.write("ntriples" if answer.kind == "graph" else "json")
        if len(written) > _LARGEST:
            return
        with self._lock:
            # Inside: a change after this forgets it.
            if now() != mark:
                return
            self._remove(key)
            self._found[key] = mark, answer.kind, written
            self._size += _size(key, written)
            while self._size > self._most:
                self._remove(next(iter(self._found)))

    def forget(self, dataset: str) -> None:
        """Discard the answers of a dataset, which has changed; what was erased may be in them."""
        with self._lock:
            for key in [key for key in self._found if key[0] == dataset]:
                self._remove(key)

    def _remove(self, key: _Key) -> None:
        found = self._found.pop(key, None)
        if found is not None:
            self._size -= _size(key, found[2])


def _key(dataset: str, query: SparqlQuery) -> _Key:
    return dataset, query.text, query.base, tuple(query.default_graphs), tuple(query.named_graphs)


def _size(key: _Key, written: bytes) -> int:
    names = sum(map(len, (*key[3], *key[4])))
    return _OVERHEAD + len(written) + len(key[1]) + names
