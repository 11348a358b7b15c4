"""An index in memory of what several repositories say around the things of one traversal.

It has the tables of the lineage index, so that the same traversal gives the answer for all of them together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Self

from provrepo.views.extraction import Extraction
from provrepo.views.lineage import schema
from provrepo.views.lineage.answering import Answer, Reader
from provrepo.views.lineage.scopes import RowCaches
from provrepo.views.lineage.snapshot import Snapshot
from provrepo.views.lineage.states import Options
from provrepo.views.lineage.surroundings import spread
from provrepo.views.lineage.write_buffer import WriteBuffer
from provrepo.views.sqlite_view import COMMON

__all__ = ["Gathered", "GatheredEdge", "GatheredThing"]

_DATASET = "gathered"

GatheredEdge = tuple[str, int, str, int, int]
"""Subject, the number of the rule, object, time, and the number of the source."""

GatheredThing = tuple[str, int, str, Sequence[str]]
"""IRI, kinds as bits, label, types."""


class Gathered:
    """The index. It is closed like a file, and used by one thread at a time."""

    def __init__(self, deadline: float | None) -> None:
        """Create it empty.

        Args:
            deadline: of all traversals, in seconds of ``time.monotonic``; None for none.
        """
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.executescript(COMMON + schema.TABLES)
        self._connection.execute("INSERT INTO dataset VALUES (1, ?, '')", (_DATASET,))
        self._caches = RowCaches()
        self._versions = 0
        self._deadline = deadline

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Discard it."""
        self._connection.close()

    def add(self, things: Iterable[GatheredThing], edges: Iterable[GatheredEdge]) -> None:
        """Add things and relations.

        Args:
            things: each with what one repository says about it.
            edges: their sources are numbers from 1 on, by which ``answer`` names them.
        """
        described = Extraction()
        for iri, kinds, label, types in things:
            described.kinds[iri] = described.kinds.get(iri, 0) | kinds
            if label:
                described.labels[iri] = label
            described.types.update(((iri, cls), None) for cls in types)
        by_source: dict[int, Extraction] = {}
        for subject, rule, upper, at, source in edges:
            content = by_source.setdefault(source, Extraction())
            content.kinds.update(dict.fromkeys((subject, upper), 0))
            pairs = content.edges.setdefault((rule, 0), {})
            pairs[subject, upper] = {*pairs.get((subject, upper), ()), at}
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")
            for source, content in [(0, described), *by_source.items()]:
                self._put(source, content)
            cursor.execute("COMMIT")

    def _put(self, source: int, content: Extraction) -> None:
        self._versions += 1
        version = self._versions
        self._connection.execute(
            "INSERT INTO version VALUES (?, 1, ?, '', ?, 0, NULL, 0)", (version, str(source), version)
        )
        buffer = WriteBuffer()
        schema.put(self._connection, version, content, buffer)
        buffer.flush(self._connection)
        generation = schema.count(self._connection)
        self._caches.changed(generation, schema.terms_of(self._connection, version))

    def reached(self, starts: Mapping[str, int], walk: Options) -> dict[str, tuple[int, int]]:
        """The things that a traversal reaches, the nearest first, with level of permission and distance.

        With a depth, those at the end have the level at which their relations would be followed.

        Args:
            starts: for each thing the level of permission.
            walk: the options.
        """
        with self._reader() as reader:
            numbers = reader.snapshot.numbers(starts)
            nodes = {numbers[iri]: level for iri, level in starts.items() if iri in numbers}
            found = spread(reader.adjacency(walk), nodes, depth=walk.depth)
            levels, names = found.levels(), reader.snapshot.names(list(found.distances))
            near = sorted(found.distances.items(), key=lambda pair: (pair[1], names[pair[0]]))
            return {names[node]: (levels[node], distance) for node, distance in near if node in levels}

    def answer(self, iri: str, walks: Sequence[Options], to: str | None, limit: int) -> Answer | None:
        """The answer for one thing; see ``provrepo.views.lineage.index.Lineage.traverse``.

        The project of each source in it is the number of the source, as text; 0 for descriptions of things.
        """
        with self._reader() as reader:
            return reader.answer(iri, walks, to, limit)

    @contextmanager
    def _reader(self) -> Iterator[Reader]:
        with ExitStack() as stack:
            snapshot = Snapshot(self._connection, [_DATASET])
            generation = schema.generation(self._connection)
            yield Reader(snapshot, self._caches, _DATASET, generation, self._deadline, stack)
