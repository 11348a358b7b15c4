"""The quads of current documents in Oxigraph: one store per dataset, and SPARQL queries on it.

The graphs of a dataset are described in ``docs/reference/graphs.md``. ``docs/adr/0002-default-graph.md`` says why the
default graph is stored and kept up to date here.

This module relies on these properties of Oxigraph (pyoxigraph 0.5): one ``Store.update`` is one transaction, however
many operations it has; one ``Store.bulk_load`` becomes visible as a whole or not at all; a reader keeps the snapshot
with which it began. Two concurrent writers would overwrite each other without an error, so there is a lock per dataset.
Commits are not synced to disk, so a power cut may undo the last ones. Position and content are written together, and
the ledger is applied again from the position.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

import pyoxigraph as ox

from provrepo.codecs.results import QueryResult
from provrepo.errors import Busy, Damaged, NoSpace
from provrepo.model.identifiers import Identifier
from provrepo.model.minting import Minter
from provrepo.views.sparql.catalog import OWN_PROJECT, POSITION, STAMP, Catalogue, Edit, Recorded
from provrepo.views.sparql.checkpoints import Checkpoints
from provrepo.views.sparql.dataset_store import DatasetStore, copy_store, open_store, translated_errors
from provrepo.views.sparql.loading import Loader
from provrepo.views.sparql.pool import StorePool
from provrepo.views.sparql.query import QueryLimits, SparqlQuery
from provrepo.views.sparql.querying.runner import Runner
from provrepo.views.sparql.updates import Updates
from provrepo.views.sparql.waiting.deferred import Deferred, Waiting, not_loaded, portions
from provrepo.views.sparql.waiting.increments import Increments, Turns, few
from provrepo.views.view import Change
from provrepo.workers.pool import Pool as Workers

__all__ = ["MAPPING", "Quads"]

log = logging.getLogger("provrepo.views.sparql.store")

MAPPING = "quads/2"
"""The version of the mapping from ledger entries to quads. Where it changes, every dataset is rebuilt."""

_OPEN_STORES = 32
"""Stores that stay open: each takes about 4 MB and 18 file descriptors, of which a process often may have 1,024."""

_SMALL_CONTENT = 4 << 20
"""Bytes of content up to which an entry is one transaction, which is in memory: some 20,000 quads."""

_DEFERRED_CONTENT = 1 << 20
"""Bytes of content up to which a submission may wait."""

_FEW = 10
"""Submissions up to which an update takes less time than a bulk load, which costs about 30 ms for any number."""

_TRIES = 3
"""Times that a query asks for an exact checkpoint. Where others write all the time, it loads what waits."""

_REOPEN_AFTER = 16 << 20
"""Bytes of updates after which a store is closed, to be opened again when it is needed.

Oxigraph does not limit the memory of RocksDB below it: 128 MB and more of writes for each of twelve indexes, and blocks
that were read. That is some three bytes for each byte of an update. Closing frees all of it and, with writing it to
disk, takes a fifth of a second.
"""


class Quads:
    """The view that answers SPARQL queries; see ``provrepo.views.view.View``.

    Attributes:
        STAMP: the version of the mapping and the base IRI, which is part of every name that the view mints.
    """

    MERGES = True
    HISTORY = False

    def __init__(
        self,
        path: Path,
        *,
        base: str,
        minter: Minter | None = None,
        capacity: int = _OPEN_STORES,
        workers: Workers | None = None,
        limits: QueryLimits | None = None,
        has_space: Callable[[], bool] = lambda: True,
    ) -> None:
        """Open the view; datasets are opened when first used.

        Args:
            path: the directory that contains a directory for each dataset; created where it does not exist.
            base: the repository's base IRI, empty without one.
            minter: mints the IRIs; None for one that knows the base IRI alone.
            capacity: the number of stores that stay open.
            workers: the processes that evaluate queries. None evaluates them in this process, where nothing can stop
                them: for trusted queries only.
            limits: the limits of one query.
            has_space: whether the disk has so much space that submissions may wait (``defer``).
        """
        self.STAMP = f"{MAPPING} {base}".rstrip()
        self._catalogue = Catalogue(base, minter)
        self._graph = ox.NamedNode(self._catalogue.graph)
        self._recorded = Recorded(self._catalogue)
        self._updates = Updates(self._catalogue, self.STAMP)
        self._pool: StorePool[DatasetStore] = StorePool(path, open_store, capacity=capacity)
        self._writers: dict[str, threading.RLock] = {}
        self._checkpoints = Checkpoints(path.with_name(f"{path.name}-checkpoints"))
        self._runner = Runner(self._checkpoints, self._checkpoint, self._reading, workers, limits or QueryLimits())
        self._loader = Loader(self._catalogue, self._updates)
        self._deferred = Deferred(has_space)
        self._increments = Increments(self._increment)
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)
        self._on_drop: Callable[[set[str], Exception], None] | None = None
        self._loading: set[str] = set()
        self._without: set[tuple[str, Identifier]] = set()  # versions that were applied without content

    def defer(self, on_drop: Callable[[set[str], Exception], None]) -> None:
        """Let small submissions of new documents wait from now on, until ``flush`` or a reader of the dataset.

        Args:
            on_drop: called with projects and the reason where changes that waited cannot be loaded. They count as not
                applied then, and have to be applied again, one by one.
        """
        self._on_drop = on_drop

    def flush(self, dataset: str | None = None, *, due: bool = False) -> None:
        """Load what waits for one dataset, or for all of them.

        Args:
            dataset: its name; None for all.
            due: of all, only those for which enough waits, or for long enough.

        Raises:
            Busy: it cannot be loaded; ``on_drop`` has been called.
        """
        every = self._deferred.due() if due else self._deferred.datasets()
        for name in [dataset] if dataset is not None else every:
            if not self._deferred.waiting(name):
                continue
            with self._writer(name):
                changes = self._deferred.waiting(name)
                if not changes:
                    continue  # another thread has loaded them
                try:
                    for portion in portions(changes):
                        self._load(name, portion)
                        self._deferred.loaded(name, portion)
                except Exception as error:
                    projects = self._deferred.drop(name, str(error) or type(error).__name__)
                    if self._on_drop is not None:
                        self._on_drop(projects, error)
                    raise not_loaded(name, str(error)) from error

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""
        self.flush()
        return self._pool.names()

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""
        with self.reading(dataset) as store:
            found = self._recorded.values(store, self._catalogue.repository, STAMP)
        return str(found[0]) if found else None

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""
        # What waits follows what is stored.
        return self._deferred.position(dataset, project) or self._stored(dataset, project)

    def _stored(self, dataset: str, project: str) -> int:
        with self._reading(dataset) as store:
            return self._recorded.position(store, project)

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry, or let it wait where that is allowed (``defer``).

        A small change is one transaction. Large content is loaded first, in parts; queries see all of them or none.
        Only then are the graphs that it replaces deleted and the position moved. After a crash in between, applying the
        entry again completes it.

        Raises:
            ValueError: not the entry after the last one applied, or of an unknown kind.
            Damaged: the content file is invalid, or the store cannot be read or written.
            NoSpace: the disk is full.
            Busy: what waited before it cannot be loaded.
        """
        if self._wait(dataset, change):
            return
        self.flush(dataset)
        with self._writing(dataset) as dataset_store:
            store = dataset_store.store
            position = self._recorded.position(store, change.project)
            if change.sequence <= position:
                return
            if change.sequence != position + 1:
                self._deferred.require_loaded(dataset, partial(self._stored, dataset), change.project)
                raise ValueError(f"entry {change.sequence} of {change.project} cannot follow entry {position}")
            edit = self._catalogue.edit(change, partial(self._recorded.values, store))
            removed = self._recorded.graphs_to_remove(store, change)
            if change.kind == "erase" and (dataset, self._catalogue.version(change)) not in self._without:
                self._pool.mark(dataset)
            if change.kind == "submit" and change.content is None and not removed:
                self._without.add((dataset, self._catalogue.version(change)))
            if change.kind == "submit" and change.content is not None:
                content = change.content()
                try:
                    self._replace(dataset, dataset_store, change, content, removed, edit)
                finally:
                    content.unlink(missing_ok=True)
            else:
                self._updates.remove(dataset_store, removed, self._updates.edit(edit, removed))

    def _wait(self, dataset: str, change: Change) -> bool:
        """Let a change wait, if it may."""
        if self._on_drop is None or change.kind != "submit" or change.content is None or change.entry["version"] != 1:
            return False
        position = self.position(dataset, change.project)
        self._deferred.applied(dataset, change.project, position)
        if position != change.sequence - 1:
            return False
        content = change.content()
        size = content.stat().st_size
        if size > _DEFERRED_CONTENT:
            content.unlink(missing_ok=True)
            return False
        waits = self._deferred.add(dataset, Waiting(change, content, size))
        if self._deferred.full(dataset):
            self.flush(dataset)
        return waits

    def give_up(self, dataset: str, project: str) -> None:
        """Answer queries without the changes of a project that were dropped: they will not be applied again."""
        self._deferred.give_up(dataset, project)

    def rewrite(self) -> None:
        """Write the datasets anew from which a version was erased or a project removed: their files keep the strings.

        Raises:
            Damaged: a store cannot be read or written.
            NoSpace: the disk is full; the next call tries again.
        """
        for dataset in self._pool.marked():
            self.flush(dataset)
            with self._writer(dataset), self._reopened(dataset), self._checkpoints.written(dataset):
                self._pool.rewrite(dataset, copy_store)

    def _load(self, dataset: str, changes: Sequence[Waiting]) -> None:
        """Load submissions of new documents: few as one update, many in bulk, after which the positions are moved.

        Their records replace none; those of a load that a crash interrupted in between are the same.
        """
        with self._writing(dataset) as dataset_store:
            store = dataset_store.store
            edits = [self._catalogue.edit(each.change, partial(self._recorded.values, store)) for each in changes]
            edit, insertions = Edit.merged(edits), []
            if len(changes) < _FEW:
                insertions = [self._loader.insertion(each.change, each.content) for each in changes]
            else:
                self._loader.bulk_load(store, changes, edits)
                edit = edit.positions()
            removed = {
                version: graphs
                for each in changes
                for version, graphs in self._recorded.graphs_to_remove(store, each.change).items()
            }
            self._updates.remove(dataset_store, removed, ";\n".join([*insertions, self._updates.edit(edit, removed)]))

    def remove_project(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""
        name = self._catalogue.minter.project(project)
        with self._writer(dataset):
            self._deferred.forget(dataset, project)
            self._checkpoints.outdate(dataset)  # copies of it may have the project already
            with self._reading(dataset) as store:
                # Content without a position is that of a load that was interrupted.
                if not self._recorded.has(store, name):
                    return
            self._pool.mark(dataset)
            if self._delete_project(dataset, name) and not self._deferred.waiting(dataset):
                self.clear(dataset)

    def _delete_project(self, dataset: str, project: Identifier) -> bool:
        """Remove a project from a dataset; returns whether the dataset has no project any more."""
        with self._writing(dataset) as dataset_store:
            store = dataset_store.store
            versions = self._recorded.subjects(store, OWN_PROJECT, project)
            removed = {version: graphs for version in versions if (graphs := self._recorded.graphs_of(store, version))}
            self._updates.remove(dataset_store, removed, self._updates.project_removal(project))
            return next(store.quads_for_pattern(None, ox.NamedNode(POSITION), None, self._graph), None) is None

    def clear(self, dataset: str) -> None:
        """Remove the dataset, once the queries on it have ended."""
        with self._writer(dataset):
            self._deferred.forget(dataset)
            self._pool.remove(dataset)
            self._checkpoints.outdate(dataset)

    def reset(self) -> None:
        """Remove every dataset, without opening any."""
        for dataset in {*self._pool.names(), *self._deferred.datasets()}:
            self.clear(dataset)

    @contextmanager
    def reading(self, dataset: str) -> Iterator[ox.Store]:
        """The store of a dataset, for ``provrepo.views.sparql.check``; an empty one where there is none.

        Raises:
            Damaged: it cannot be read.
        """
        self.flush(dataset)
        with self._reading(dataset) as store:
            yield store

    def close(self, *, forever: bool = False) -> None:
        """Close every store, once the queries on it have ended. The workers stay open: they belong to the caller.

        Args:
            forever: whether later calls raise Busy, since another instance may have the stores then.
        """
        with suppress(Busy):
            self.flush()
        self._checkpoints.close(forever=forever)
        self._pool.close(forever=forever)

    def count(self, dataset: str) -> int:
        """The number of quads of a dataset: in its named graphs, the catalogue, and the default graph."""
        with self.reading(dataset) as store:
            return len(store)

    def dump(self, dataset: str) -> Iterator[str]:
        """Every quad of a dataset as a line of N-Quads, sorted. All lines are in memory at once."""
        with self.reading(dataset) as store:
            data = store.dump(format=ox.RdfFormat.N_QUADS) or b""
        return iter(sorted(data.decode().splitlines()))

    def query(
        self,
        dataset: str | Sequence[str],
        query: str | SparqlQuery,
        *,
        timeout: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> QueryResult:
        """Query one dataset, or the merge of several; a dataset that does not exist is an empty one.

        Args:
            dataset: its name, or the names of one or more.
            query: the text of a SPARQL 1.1 query, or an object that also selects graphs. The prefixes of
                ``provrepo.vocab.PREDECLARED`` need no declaration.
            timeout: seconds, where that is less than the limit of the view.
            abandoned: returns True once the client has gone and no answer is needed; called several times a second.

        Returns:
            The whole answer. It includes everything that was applied before the call, or waited.

        Raises:
            QueryError: it cannot be parsed, with line and column; it is not allowed (``views.sparql.guard``); it cannot
                be evaluated; or there are too many datasets or quads to merge.
            AnswerTooLarge: the answer has more rows or bytes than the limits allow.
            TimedOut: it took too long.
            WorkerFailed: it needed too much memory, or the worker process ended.
            Busy: no worker became free in time, another merge took too long, or what waited cannot be loaded yet.
        """
        datasets = [dataset] if isinstance(dataset, str) else sorted(set(dataset))
        sparql = SparqlQuery(query) if isinstance(query, str) else query
        with_increments = partial(self._runner.incremented, query=sparql, timeout=timeout, abandoned=abandoned)

        def evaluate() -> QueryResult:
            if len(datasets) == 1 and (answer := self._incremented(datasets[0], with_increments)) is not None:
                return answer
            for name in datasets:
                self.flush(name)
                self._deferred.require_loaded(name, partial(self._stored, name))
            return self._runner.query(datasets, sparql, timeout, abandoned)

        if len(datasets) != 1:
            return evaluate()
        self._deferred.require_loaded(datasets[0], partial(self._stored, datasets[0]))
        return self._checkpoints.answers.of(datasets[0], self._deferred.mark, sparql, evaluate)

    def _incremented(self, dataset: str, run: Callable[[Path, list[str]], QueryResult | None]) -> QueryResult | None:
        """Query a checkpoint with increments of what waits; None where nothing waits, or that is not possible."""
        for _ in range(_TRIES):
            if not self._deferred.waiting(dataset):
                return None
            with self._turns[dataset].turn() as turn, self._use_checkpoint(dataset) as checkpoint:
                # In this order: what was loaded before the checkpoint does not wait, and what was loaded since makes it
                # inexact.
                waiting = self._deferred.waiting(dataset)
                if not turn or checkpoint is None or not waiting or not few(waiting):
                    return None
                if self._checkpoints.exact(dataset, checkpoint):
                    try:
                        increments = self._increments.of(checkpoint, waiting)
                    except (OSError, Damaged) as error:
                        log.info("what waits for %s is loaded for a query: %s", dataset, error)
                        return None
                    return None if increments is None else run(checkpoint, increments)
            with self._writer(dataset):
                pass  # until what is being written is there
        return None

    def _increment(self, waiting: Waiting, target: Path) -> str:
        """Write what a change that waits adds; returns the update that has to follow. Only the position is replaced."""
        edit = self._catalogue.edit(waiting.change, lambda *_: ())
        self._loader.write([waiting], [edit], target)
        return self._updates.edit(edit.positions(), {})

    def _use_checkpoint(self, dataset: str) -> AbstractContextManager[Path | None]:
        return self._checkpoints.use(dataset, partial(self._checkpoint, dataset))

    @contextmanager
    def _frozen(self, dataset: str) -> Iterator[None]:
        """Keep the checkpoint of a dataset as it is during several loads; the caller is its writer."""
        with self._use_checkpoint(dataset):
            self._loading.add(dataset)
            try:
                yield
            finally:
                self._loading.discard(dataset)

    def _checkpoint(self, dataset: str, path: Path) -> bool:
        if dataset in self._loading:
            return False  # the dataset did not exist before
        with translated_errors(dataset), self._pool.use(dataset) as dataset_store:
            if dataset_store is not None:
                dataset_store.store.backup(str(path))
            return dataset_store is not None

    def _writer(self, dataset: str) -> threading.RLock:
        return self._writers.setdefault(dataset, threading.RLock())

    @contextmanager
    def _reading(self, dataset: str) -> Iterator[ox.Store]:
        with translated_errors(dataset), self._pool.use(dataset) as dataset_store:
            yield ox.Store() if dataset_store is None else dataset_store.store

    @contextmanager
    def _writing(self, dataset: str) -> Iterator[DatasetStore]:
        with self._writer(dataset), self._reopened(dataset):
            with self._checkpoints.written(dataset), self._pool.use(dataset, create=True) as dataset_store:
                if dataset_store is None:
                    raise AssertionError("a store that is created exists")
                yield dataset_store
                full = dataset_store.written > _REOPEN_AFTER
                if full:
                    # Otherwise opening it would do this, and take longer.
                    dataset_store.store.flush()
            if full:
                self._pool.retire(dataset)

    @contextmanager
    def _reopened(self, dataset: str) -> Iterator[None]:
        """Close the store where the disk was full: RocksDB refuses writes for some seconds after it has space again."""
        failure = ""
        try:
            with translated_errors(dataset):
                yield
        except NoSpace as error:
            failure = str(error)
        if failure:
            self._pool.retire(dataset)
            raise NoSpace(failure)  # anew: the frames of the error refer to the store

    def _replace(
        self,
        dataset: str,
        dataset_store: DatasetStore,
        change: Change,
        content: Path,
        removed: Mapping[Identifier, list[Identifier]],
        edit: Edit,
    ) -> None:
        """Insert the content of a version and remove the graphs that it replaces."""
        edited = self._updates.edit(edit, removed)
        if content.stat().st_size > _SMALL_CONTENT:
            with self._frozen(dataset), self._whole(dataset_store, change):
                self._loader.load_in_parts(dataset_store.store, change, content)
            self._updates.remove(dataset_store, removed, edited)
            return
        insertion = self._loader.insertion(change, content)
        self._updates.remove(dataset_store, removed, f"{insertion};\n{edited}", first=insertion)

    @contextmanager
    def _whole(self, dataset_store: DatasetStore, change: Change) -> Iterator[None]:
        """Where a load in parts fails, remove the parts, if that is possible: readers must not see them."""
        try:
            yield
        except Exception:
            with suppress(Exception):
                version = self._catalogue.version(change)
                removed = {version: self._recorded.graphs_of(dataset_store.store, version)}
                self._updates.remove(dataset_store, removed, self._updates.edit(Edit([(version, None)]), removed))
            raise
