"""The lineage view: every relation that any version ever said, as integers, found by either end.

One SQLite file for all datasets, since a walk goes through all that somebody may read. A version that was replaced or
withdrawn stays with the entry until which it held, so that questions can be asked as of an entry; what was erased is
gone, as of whenever.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from provrepo.codecs.provo.terms import BASE_CLASS
from provrepo.model.minting import Minter
from provrepo.model.statements import ENTITY
from provrepo.views.lineage import schema
from provrepo.views.lineage.adjacency import Rows, timed_out
from provrepo.views.lineage.extraction import read
from provrepo.views.lineage.impact import Impact, impact
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.scopes import Scopes
from provrepo.views.lineage.snapshot import Held, Source, Thing
from provrepo.views.lineage.states import Options
from provrepo.views.lineage.traversal import Trail, Walk, lowest, merged, told
from provrepo.views.lineage.write_buffer import Later
from provrepo.views.sqlite_view import Tabular, Triple
from provrepo.workers.callers import gone

__all__ = ["Answer", "Common", "Impact", "Lineage", "Source", "Thing"]

MAPPING = "2"
"""The version of what is written to the tables."""

_STEPS = 100_000
"""Steps of SQLite's machine between two looks at the clock."""


class Answer(NamedTuple):
    """A walk, with what is known of its nodes as far as they were asked for.

    Attributes:
        walk: what was found.
        things: the first nodes, by distance and name.
        sources: the versions of the walk's edges, by number.
        roots: the names of all roots, told or not, sorted.
    """

    walk: Walk
    things: dict[int, Thing]
    sources: dict[int, Source]
    roots: tuple[str, ...] = ()


class Common(NamedTuple):
    """What is upstream of several things, themselves included.

    Attributes:
        distances: for each common node how far it is from each start, in their order.
        nearest: the common nodes that are not upstream of another one.
        things: the first of them, the nearest before the others, then by distance and name.
        total: how many there are.
    """

    distances: dict[int, tuple[int, ...]]
    nearest: list[int]
    things: dict[int, Thing]
    total: int


class Lineage(Tabular):
    """The index; see ``provrepo.views.view.View``."""

    MAPPING = MAPPING
    TABLES = schema.TABLES
    HISTORY = True

    def __init__(self, path: Path, *, base: str, minter: Minter | None = None) -> None:
        """Open the index in a folder, or make it; see ``Tabular``."""
        super().__init__(path, base=base, minter=minter)
        self._scopes = Scopes()
        self._touched: dict[int, list[int]] = {}
        self._later = Later()

    def ask(
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
        """Walk from a thing over what some datasets hold, and over nothing else.

        Args:
            iri: where it starts.
            datasets: the names of those that may be read.
            walks: what each walk does, ``to`` aside; what they find is put together.
            to: the end of the paths to find.
            limit: the most nodes of which everything is told.
            as_of: for each dataset the sequence number of the last entry that counts; one that is missing is empty.
                None for what holds now.
            curated: the datasets in which versions count that were withdrawn since then; None for all.
            deadline: when to give up, by ``time.monotonic``.

        Returns:
            None where none of the datasets knows the thing, or what ``to`` names.

        Raises:
            TimedOut: it was not found by the deadline.
        """
        with self._asking(datasets, as_of, curated, deadline) as asking:
            held, start = asking.held, asking.held.known(iri)
            end = None if to is None else held.known(to)
            if start is None or (to is not None and end is None):
                return None
            trails = [asking.walk(start, replace(options, to=end)) for options in walks]
            walk = merged(trails, limit)
            entities = held.of_type(walk.roots, [BASE_CLASS[ENTITY]])
            walk.roots = [root for root in walk.roots if root in entities]
            first = _first(held, walk.nodes, limit)
            walk.edges = told(trails, held, first)
            versions = sorted({version for sources in walk.edges.values() for version, _ in sources})
            roots = tuple(sorted(held.names(walk.roots).values()))
            return Answer(walk, held.things(first), held.sources(versions), roots)

    def impact(
        self,
        iri: str,
        datasets: Sequence[str],
        walks: Sequence[Options],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        labeled: int = 0,
        deadline: float | None = None,
    ) -> Impact | None:
        """Count everything that walks from a thing find; other arguments and errors are those of ``ask``.

        Args:
            iri: where they start.
            datasets: what may be read.
            walks: what each walk does.
            as_of: the last entries that count.
            curated: where withdrawn versions count.
            labeled: how many agents, the most frequent ones, are told with their labels.
            deadline: when to give up.
        """
        with self._asking(datasets, as_of, curated, deadline) as asking:
            start = asking.held.known(iri)
            if start is None:
                return None
            found = set[int]().union(*(asking.walk(start, options).found() for options in walks))
            return impact(asking.held, found - {start}, labeled)

    def common(
        self,
        iris: Sequence[str],
        datasets: Sequence[str],
        walk: Options,
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        limit: int,
        deadline: float | None = None,
    ) -> Common | None:
        """What a walk finds from each of several things; arguments and errors are those of ``ask``.

        Returns:
            None where one of them is not known.
        """
        with self._asking(datasets, as_of, curated, deadline) as asking:
            held, trails = asking.held, list[Trail]()
            for iri in iris:
                start = held.known(iri)
                if start is None:
                    return None
                trails.append(asking.walk(start, walk))
            away = [trail.nearest() for trail in trails]
            shared = set(away[0]).intersection(*away[1:])
            distances = {node: tuple(each[node] for each in away) for node in sorted(shared)}
            nearest = lowest(trails, distances)
            ranks = {node: (True, sum(each)) for node, each in distances.items()}
            ranks.update((node, (False, sum(distances[node]))) for node in nearest)
            first = _first(held, dict(sorted(ranks.items(), key=itemgetter(1))), limit)
            return Common(distances, nearest, held.things(first), len(distances))

    def thing(
        self,
        iri: str,
        datasets: Sequence[str],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
    ) -> Thing | None:
        """What some datasets know of one thing, or knew as of some entries; None where they know nothing."""
        with self._asking(datasets, as_of, curated, None) as asking:
            known = asking.held.known(iri)
            return None if known is None else asking.held.things([known])[known]

    def labels(
        self,
        iris: Sequence[str],
        datasets: Sequence[str],
        *,
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, str]:
        """What some datasets call things, or called them as of some entries: one label of each that has any."""
        with self._asking(datasets, as_of, curated, deadline) as asking:
            return asking.held.labels(iris)

    def dump(self, dataset: str) -> Iterator[str]:
        """Every edge of a dataset that holds now as a line, sorted."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT s.iri, e.rule, o.iri, e.time, v.project, v.document, v.number, e.graph FROM edge e "
                "JOIN term s ON s.id = e.subject JOIN term o ON o.id = e.object JOIN version v ON v.id = e.version "
                "JOIN dataset d ON d.id = v.dataset WHERE d.name = ? AND v.until IS NULL",
                (dataset,),
            ).fetchall()
        return iter(sorted(" ".join([row[0], RULES[row[1]].name, *map(str, row[2:])]) for row in found))

    def reset(self) -> None:
        """Throw the whole file away, and what is kept in memory of it."""
        with self._lock:
            super().reset()
            self._later.clear()
            self._touched.clear()
            self._scopes.clear()

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The relations of a version, and what it says of each thing."""
        return schema.content_of(connection, version)

    def _put(self, connection: sqlite3.Connection, version: int, lines: Iterator[Triple]) -> None:
        schema.put(connection, version, read(lines), self._later)
        self._touch(connection, version)

    def _end(self, connection: sqlite3.Connection, version: int, sequence: int) -> None:
        super()._end(connection, version, sequence)
        self._touch(connection, version)

    def _withdraw(self, connection: sqlite3.Connection, version: int) -> None:
        super()._withdraw(connection, version)
        self._touch(connection, version)

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        self._touch(connection, version)
        self._later.flush(connection)
        schema.take(connection, version)

    def _touch(self, connection: sqlite3.Connection, version: int) -> None:
        """Count a change to what a version says, in the transaction that makes it."""
        self._touched[schema.count(connection)] = schema.terms_of(connection, version)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            mark = self._later.mark()
            try:
                with super()._writing() as connection:
                    yield connection
                    if not self._together:
                        self._later.flush(connection)
            except BaseException:
                if self._together and self._connection.in_transaction:
                    self._later.undo(mark)
                else:
                    self._later.clear()
                # The numbers of what was undone are given again, to other changes.
                self._touched.clear()
                self._scopes.clear()
                raise
            self._later.done()
            # Rows are forgotten after the change can be seen; until this is told, whoever sees it starts anew.
            for generation in list(self._touched):
                self._scopes.changed(generation, self._touched.pop(generation))

    def _settle(self) -> None:
        self._later.flush(self._connection)
        self._later.done()
        super()._settle()

    @contextmanager
    def _asking(
        self,
        datasets: Sequence[str],
        as_of: Mapping[str, int] | None,
        curated: Collection[str] | None,
        deadline: float | None,
    ) -> Iterator[_Asking]:
        with self._reading() as connection, ExitStack() as stack:
            # What holds now was not withdrawn: then it makes no difference who curates.
            curated = None if as_of is None else curated
            held = Held(connection, datasets, as_of, curated)
            then = None if as_of is None else tuple(sorted(as_of.items()))
            who = (tuple(sorted(datasets)), then, None if curated is None else tuple(sorted(curated)))
            asking = _Asking(held, self._scopes, who, schema.generation(connection), deadline, stack)
            connection.set_progress_handler(asking.late, _STEPS)
            try:
                yield asking
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise timed_out() from error
                raise


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question: on one state of the view, and on the rows that belong to it."""

    held: Held
    scopes: Scopes
    who: Hashable
    generation: int
    deadline: float | None
    stack: ExitStack

    def walk(self, start: int, options: Options) -> Trail:
        """Walk from a node."""
        alike = (self.who, replace(options, depth=None, to=None))
        scope = self.stack.enter_context(self.scopes.using(alike, self.generation, self.held))
        return Trail(start, Rows(scope, self.held, options, self.deadline), self.held, options)

    def late(self) -> bool:
        """Whether the deadline has passed, or the client is gone."""
        return gone() or (self.deadline is not None and time.monotonic() > self.deadline)


def _first(held: Held, ranks: Mapping[int, object], limit: int) -> list[int]:
    """The first nodes, by rank and name, of some that come in the order of their ranks."""
    found: list[int] = []
    last: list[int] = []
    for _, group in groupby(ranks.items(), key=itemgetter(1)):
        found += last
        last = [node for node, _ in group]
        names = held.names(last)
        last.sort(key=names.__getitem__)
        if len(found) + len(last) >= limit:
            break
    return [*found, *last][:limit]
