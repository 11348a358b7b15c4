"""The lineage view: every relation that any version asserts or asserted, as integers, indexed by both ends.

There is one SQLite file for all datasets, since a traversal covers every dataset that the caller may read. A version
that was replaced or withdrawn stays, with the entry that ended it, for queries as of an entry. An erased version is
deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from provrepo.model.minting import Minter
from provrepo.views.extraction import Extraction
from provrepo.views.lineage import schema
from provrepo.views.lineage.adjacency import timed_out
from provrepo.views.lineage.answering import Answer, Reader, first_nodes
from provrepo.views.lineage.impact import Impact, impact
from provrepo.views.lineage.kept import Kept, State
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.scopes import RowCaches
from provrepo.views.lineage.snapshot import Snapshot, Source, Thing, Version
from provrepo.views.lineage.states import Options
from provrepo.views.lineage.surroundings import Surroundings, around
from provrepo.views.lineage.traversal import Traversal, nearest_common
from provrepo.views.lineage.write_buffer import WriteBuffer
from provrepo.views.sqlite_view import SqliteView

__all__ = ["Answer", "Common", "Impact", "Lineage", "Source", "Thing"]

MAPPING = "3"
"""The version of the mapping from documents to the tables."""

_STEPS = 100_000
"""Instructions of SQLite's virtual machine between two checks of the deadline."""


class Common(NamedTuple):
    """The nodes upstream of each of several things, the things included.

    Attributes:
        distances: for each common node its distance from each start, in their order.
        nearest: the common nodes that are not upstream of another common node.
        things: the records of the first nodes: the nearest before the others, then by distance and name.
        total: the number of common nodes.
        described_by: the versions, of those that were asked for, that describe what one of the things came from.
    """

    distances: dict[int, tuple[int, ...]]
    nearest: list[int]
    things: dict[int, Thing]
    total: int
    described_by: list[Version]


class Lineage(SqliteView):
    """The lineage index; see ``provrepo.views.view.View``.

    Attributes:
        kept: results that callers derived from answers.
    """

    MAPPING = MAPPING
    TABLES = schema.TABLES
    HISTORY = True

    def __init__(self, path: Path, *, base: str, minter: Minter | None = None) -> None:
        """Open or create the index in a folder; see ``SqliteView``."""
        super().__init__(path, base=base, minter=minter)
        self._caches = RowCaches()
        self.kept = Kept()
        self._touched: dict[int, tuple[list[int], list[tuple[int, int]]]] = {}
        self._buffer = WriteBuffer()

    def traverse(
        self,
        iri: str,
        datasets: Sequence[str],
        walks: Sequence[Options],
        *,
        to: str | None = None,
        limit: int,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> Answer | None:
        """Traverse from a thing, through some datasets.

        Args:
            iri: the start.
            datasets: the names of the datasets that the caller may read.
            walks: the options of each traversal, without ``to``; their results are merged.
            to: the end of the paths to find; None for all nodes.
            limit: the most nodes that are returned with their records.
            as_of: for each dataset the sequence number of the last entry to consider; a missing dataset is empty.
                None for the current state.
            curated: the datasets whose withdrawn versions are included in a former state; None for all.
            deadline: in seconds of ``time.monotonic``; None for none.

        Returns:
            None where none of the datasets contains the thing, or ``to``.

        Raises:
            TimedOut: the deadline passed.
        """
        with self._snapshot_of(datasets, as_of, curated, deadline) as reader:
            return reader.answer(iri, walks, to, limit)

    def impact(
        self,
        iri: str,
        datasets: Sequence[str],
        walks: Sequence[Options],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        labeled: int = 0,
        among: Collection[Version] = (),
        deadline: float | None = None,
    ) -> Impact | None:
        """Count the nodes that traversals from a thing find; arguments and errors as for ``traverse``.

        Args:
            iri: the start.
            datasets: the datasets to read.
            walks: the options of each traversal.
            as_of: the last entries to consider.
            curated: the datasets whose withdrawn versions are included in a former state; None for all.
            labeled: the number of agents, the most frequent first, to return with their labels.
            among: versions; those that describe the start or one of the nodes are returned.
            deadline: of the query.
        """
        with self._snapshot_of(datasets, as_of, curated, deadline) as reader:
            start = reader.snapshot.known(iri)
            if start is None:
                return None
            found = set[int]().union(*(reader.traverse(start, options).found() for options in walks))
            return impact(reader.snapshot, start, found - {start}, labeled, among)

    def common(
        self,
        iris: Sequence[str],
        datasets: Sequence[str],
        walk: Options,
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        limit: int,
        among: Collection[Version] = (),
        deadline: float | None = None,
    ) -> Common | None:
        """The nodes that a traversal finds from each of several things; arguments and errors as for ``traverse``.

        ``among`` is as for ``impact``, for all nodes that a traversal finds from any of the things.

        Returns:
            None where the datasets do not contain one of them.
        """
        with self._snapshot_of(datasets, as_of, curated, deadline) as reader:
            snapshot, traversals = reader.snapshot, list[Traversal]()
            for iri in iris:
                start = snapshot.known(iri)
                if start is None:
                    return None
                traversals.append(reader.traverse(start, walk))
            away = [traversal.nearest() for traversal in traversals]
            shared = set(away[0]).intersection(*away[1:])
            distances = {node: tuple(each[node] for each in away) for node in sorted(shared)}
            nearest = nearest_common(traversals, distances)
            ranks = {node: (True, sum(each)) for node, each in distances.items()}
            ranks.update((node, (False, sum(distances[node]))) for node in nearest)
            first, known = first_nodes(snapshot, dict(sorted(ranks.items(), key=itemgetter(1))), limit)
            described_by = snapshot.describing(set[int]().union(*away), among)
            return Common(distances, nearest, snapshot.things(first, known), len(distances), described_by)

    def thing(
        self,
        iri: str,
        datasets: Sequence[str],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
    ) -> Thing | None:
        """The record of one thing in some datasets; None where they do not contain it."""
        with self._snapshot_of(datasets, as_of, curated, None) as reader:
            known = reader.snapshot.known(iri)
            return None if known is None else reader.snapshot.things([known])[known]

    def surroundings(
        self,
        levels: Mapping[str, int],
        datasets: Sequence[str],
        walk: Options,
        *,
        limit: int,
        deadline: float | None = None,
    ) -> Surroundings:
        """What some datasets say around some things; see ``provrepo.views.lineage.surroundings``.

        Args:
            levels: for each thing the level of permission, an index in ``states.LEVELS``.
            datasets: the names of the datasets that the caller may read.
            walk: the options of the traversal. Its depth counts the relations from the things.
            limit: the number of things from which no further relations are followed.
            deadline: in seconds of ``time.monotonic``; None for none.

        Raises:
            TimedOut: the deadline passed.
        """
        with self._snapshot_of(datasets, None, None, deadline) as reader:
            return around(reader, levels, walk, limit)

    def state(
        self,
        datasets: Sequence[str],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
    ) -> State:
        """What determines the answers to a caller now; arguments as for ``traverse``."""
        # Read first: a result is then kept for a state that nobody has any more, if the index is emptied meanwhile.
        epoch = self.kept.epoch
        with self._reading() as connection:
            return State(epoch, schema.generation(connection), *_audience(datasets, as_of, curated))

    def labels(
        self,
        iris: Sequence[str],
        datasets: Sequence[str],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, str]:
        """One label of each thing that has any, in some datasets."""
        with self._snapshot_of(datasets, as_of, curated, deadline) as reader:
            return reader.snapshot.labels(iris)

    def dump(self, dataset: str) -> Iterator[str]:
        """Every current edge of a dataset as a line, sorted."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT s.iri, e.rule, o.iri, e.time, v.project, v.document, v.number, e.graph FROM edge e "
                "JOIN term s ON s.id = e.subject JOIN term o ON o.id = e.object JOIN version v ON v.id = e.version "
                "JOIN dataset d ON d.id = v.dataset WHERE d.name = ? AND v.until IS NULL",
                (dataset,),
            ).fetchall()
        return iter(sorted(" ".join([row[0], RULES[row[1]].name, *map(str, row[2:])]) for row in found))

    def reset(self) -> None:
        """Discard the whole file, and the caches."""
        with self._lock:
            super().reset()
            self._buffer.clear()
            self._touched.clear()
            self._caches.clear()
            self.kept.clear()

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The edges of a version, and kinds, types and labels of each thing."""
        return schema.content_of(connection, version)

    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        schema.put(connection, version, extraction, self._buffer)
        self._touch(connection, version)

    def _end(self, connection: sqlite3.Connection, version: int, sequence: int) -> None:
        super()._end(connection, version, sequence)
        self._touch(connection, version)

    def _withdraw(self, connection: sqlite3.Connection, version: int) -> None:
        super()._withdraw(connection, version)
        self._touch(connection, version)

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        self._touch(connection, version)
        self._buffer.flush(connection)
        schema.take(connection, version)

    def _touch(self, connection: sqlite3.Connection, version: int) -> None:
        """Count a change to the content of a version, in the transaction of the change."""
        terms = schema.terms_of(connection, version)
        self._touched[schema.count(connection)] = terms, schema.moments_of(connection, version, terms)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            mark = self._buffer.mark()
            try:
                with super()._writing() as connection:
                    yield connection
                    if not self._together:
                        self._buffer.flush(connection)
            except BaseException:
                if self._together and self._connection.in_transaction:
                    self._buffer.undo(mark)
                else:
                    self._buffer.clear()
                # The generations that were rolled back will be used again, for other changes.
                self._touched.clear()
                self._caches.clear()
                self.kept.clear()
                raise
            self._buffer.done()
            # Rows are dropped after the commit. Until then a reader of the new generation starts with an empty cache.
            for generation in list(self._touched):
                self._caches.changed(generation, *self._touched.pop(generation))

    def _settle(self) -> None:
        self._buffer.flush(self._connection)
        self._buffer.done()
        super()._settle()

    @contextmanager
    def _snapshot_of(
        self,
        datasets: Sequence[str],
        as_of: Mapping[str, int] | None,
        curated: Collection[str] | None,
        deadline: float | None,
    ) -> Iterator[Reader]:
        with self._reading() as connection, ExitStack() as stack:
            audience = _audience(datasets, as_of, curated)
            snapshot = Snapshot(connection, datasets, as_of, audience[2])
            reader = Reader(snapshot, self._caches, audience, schema.generation(connection), deadline, stack)
            connection.set_progress_handler(reader.late, _STEPS)
            try:
                yield reader
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise timed_out() from error
                raise


def _audience(
    datasets: Sequence[str], as_of: Mapping[str, int] | None, curated: Collection[str] | None
) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...] | None, tuple[str, ...] | None]:
    """What a caller may read, as a key."""
    if as_of is None:
        # The current state has no withdrawn versions, so curators and others see the same.
        return tuple(sorted(datasets)), None, None
    return tuple(sorted(datasets)), tuple(sorted(as_of.items())), None if curated is None else tuple(sorted(curated))
