"""The quads of current documents in Oxigraph: one store per dataset, and SPARQL over it.

The graphs of a dataset are described in ``docs/reference/graphs.md``; why the default graph is a real one, kept up to
date here, in ``docs/adr/0002-default-graph.md``.

What Oxigraph guarantees and this module builds on (pyoxigraph 0.5): one ``Store.update`` is one transaction, however
many operations stand in it; one ``Store.bulk_load`` becomes visible at once or not at all; a reader keeps the snapshot
it started with. Two writers at once would overwrite each other unnoticed, hence a lock per dataset. Commits are not
synced to disk, so a power cut may take the last ones back: position and content go together, and the ledger is
applied again from there.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from provrepo.codecs.rdf.terms import Terms
from provrepo.codecs.results import QueryResult, value_of
from provrepo.errors import AnswerTooLarge, Damaged, NoSpace, QueryError, TimedOut
from provrepo.model.identifiers import Identifier, Value
from provrepo.model.minting import Minter
from provrepo.views.sparql import query as quads_query
from provrepo.views.sparql.catalog import (
    AGENT,
    CURRENT,
    GRAPH,
    OWN_PROJECT,
    POSITION,
    STAMP,
    TYPE,
    WITH,
    Catalogue,
    Edit,
)
from provrepo.views.sparql.checkpoints import Checkpoints
from provrepo.views.sparql.content import Doubled, check_graph
from provrepo.views.sparql.pool import Pool
from provrepo.views.sparql.query import Limits, Question
from provrepo.views.view import Change
from provrepo.workers import heap
from provrepo.workers.pool import Pool as Workers

__all__ = ["MAPPING", "PATIENCE", "Quads"]

log = logging.getLogger("provrepo.views.sparql.store")

MAPPING = "quads/2"
"""Version of what this view makes of ledger entries. Another one means that every dataset is built again."""

_OPEN = 32
"""Stores kept open: each costs about 4 MB and 18 file descriptors, of which a process often may have 1,024."""

_SMALL = 4 << 20
"""Bytes of content up to which everything goes into one transaction, which is held in memory: some 20,000 quads."""

_BATCH = 20_000
"""Quads taken out in one transaction. A larger version is taken out in several, its successor loaded first."""

_RENEWED = 16 << 20
"""Bytes of updates after which a store is closed and opened anew.

Oxigraph gives no bound to what the engine below it keeps: 128 MB and more of writes for each of twelve indexes, and
blocks that were read. That is some three bytes for each byte of an update. Closing frees it all, and takes with writing
it to disk a fifth of a second.
"""

_QUAD = 400
"""Bytes that a quad would take in an update, with its triple in the default graph."""

PATIENCE = 10.0
"""Seconds that a query waits for a worker. A server lets in no more queries than there are workers."""

_CLOSING = 5.0
"""Seconds to wait for a store that is being closed before it can be opened again."""


@dataclass(slots=True)
class _Held:
    """A store that is open.

    Attributes:
        store: the store.
        written: bytes of updates since it was opened, by estimate.
    """

    store: ox.Store
    written: int = 0

    def update(self, text: str, *, quads: int = 0) -> None:
        """One transaction.

        Args:
            text: SPARQL 1.1 Update.
            quads: how many it deletes that do not stand in it.
        """
        self.store.update(text)
        self.written += len(text) + quads * _QUAD


class Quads:
    """The view that answers SPARQL.

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
        capacity: int = _OPEN,
        workers: Workers | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Open the view; datasets are opened when first used.

        Args:
            path: the directory that holds a directory for each dataset; made where there is none.
            base: the repository's base IRI, empty without one.
            minter: mints the IRIs; None for one that knows the base IRI alone.
            capacity: how many stores stay open.
            workers: the processes that answer queries. None answers them in this one, where nothing can stop them:
                only for queries that are trusted.
            limits: how much a query may take.
        """
        self.STAMP = f"{MAPPING} {base}".rstrip()
        self._catalogue = Catalogue(base, minter)
        self._graph = ox.NamedNode(self._catalogue.graph)
        self._pool: Pool[_Held] = Pool(path, _open, capacity=capacity)
        self._writers: dict[str, threading.RLock] = {}
        self._workers = workers
        self._limits = limits or Limits()
        self._checkpoints = Checkpoints(path.with_name(f"{path.name}-checkpoints"))

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""
        return self._pool.names()

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""
        with self._reading(dataset) as store:
            found = self._values(store, self._catalogue.repository, STAMP)
        return str(found[0]) if found else None

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""
        with self._reading(dataset) as store:
            return self._position(store, project)

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry.

        Small changes are one transaction. Large content is loaded first, atomically, and only then is what it
        replaces taken out and the position moved: a crash in between is healed by applying the entry again.

        Raises:
            ValueError: not the entry after the last one applied, or of an unknown kind.
            Damaged: the content is not what a content file is, or the store cannot be written.
            NoSpace: the disk is full.
        """
        with self._writing(dataset) as held:
            store = held.store
            position = self._position(store, change.project)
            if change.sequence <= position:
                return
            if change.sequence != position + 1:
                raise ValueError(f"entry {change.sequence} of {change.project} cannot follow entry {position}")
            edit = self._catalogue.edit(change, lambda subject, predicate: self._values(store, subject, predicate))
            leaving = self._leaving(store, change)
            if change.kind == "submit" and change.content is not None:
                content = change.content()
                try:
                    self._replace(held, change, content, leaving, edit)
                finally:
                    content.unlink(missing_ok=True)
            else:
                self._remove(held, leaving, self._edited(edit, leaving))

    def forget(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""
        if not self.position(dataset, project):
            return
        with self._writer(dataset):
            if self._empty_of(dataset, self._catalogue.minter.project(project)):
                self.clear(dataset)

    def _empty_of(self, dataset: str, project: Identifier) -> bool:
        """Take a project out; whether that leaves no other."""
        with self._writing(dataset) as held:
            store = held.store
            versions = self._subjects(store, OWN_PROJECT, project)
            leaving = {version: graphs for version in versions if (graphs := self._graphs_of(store, version))}
            self._remove(held, leaving, self._forgetting(project))
            return next(store.quads_for_pattern(None, ox.NamedNode(POSITION), None, self._graph), None) is None

    def clear(self, dataset: str) -> None:
        """Remove the dataset, once the queries that run on it have ended."""
        with self._writer(dataset):
            self._pool.remove(dataset)
            self._checkpoints.outdate(dataset)

    def reset(self) -> None:
        """Remove every dataset; none is opened for it."""
        for dataset in self.datasets():
            self.clear(dataset)

    @contextmanager
    def reading(self, dataset: str) -> Iterator[ox.Store]:
        """The store of a dataset, for ``provrepo.views.sparql.check``; an empty one where there is none.

        Raises:
            Damaged: it cannot be read.
        """
        with self._reading(dataset) as store:
            yield store

    def close(self) -> None:
        """Close every store, once the queries that run have ended. The workers are whose they were."""
        self._checkpoints.close()
        self._pool.close()

    def count(self, dataset: str) -> int:
        """How many quads a dataset holds: those of its named graphs, the catalogue's, and the default graph's."""
        with self._reading(dataset) as store:
            return len(store)

    def dump(self, dataset: str) -> Iterator[str]:
        """Every quad of a dataset as a line of N-Quads, sorted. The lines are held in memory."""
        with self._reading(dataset) as store:
            data = store.dump(format=ox.RdfFormat.N_QUADS) or b""
        return iter(sorted(data.decode().splitlines()))

    def query(
        self,
        dataset: str,
        question: str | Question,
        *,
        timeout: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> QueryResult:
        """Ask one dataset; a dataset that does not exist is an empty one.

        Args:
            dataset: its name.
            question: a SPARQL 1.1 query, perhaps with the graphs to ask it of. The prefixes of
                ``provrepo.vocab.PREDECLARED`` need no declaration.
            timeout: seconds it may take, if that is less than the limits say.
            abandoned: says that nobody waits for the answer any more; asked several times a second.

        Returns:
            The whole answer. What was applied before the call is part of it.

        Raises:
            QueryError: it cannot be parsed, with line and column; it is not allowed (``views.sparql.guard``); or it
                cannot be evaluated.
            AnswerTooLarge: the answer has more rows or bytes than the limits allow.
            TimedOut: it took too long.
            WorkerFailed: it needed too much memory, or the worker died of it.
            Busy: all workers were taken for too long.
        """
        if isinstance(question, str):
            question = Question(question)
        if self._workers is None:
            answer = self._ask_here(dataset, question)
        else:
            seconds = self._limits.seconds if timeout is None else min(timeout, self._limits.seconds)
            answer = self._ask_worker(self._workers, dataset, question, seconds, abandoned)
        if isinstance(answer, QueryResult):
            return answer
        raise answer

    # Errors are returned, not raised: what passes a raised one on would take it for one of the store's own, and its
    # traceback would keep the store open for as long as it lives.

    def _ask_here(self, dataset: str, question: Question) -> QueryResult | QueryError | AnswerTooLarge:
        with self._reading(dataset) as store:
            try:
                return QueryResult.from_written(*quads_query.evaluate(store, question, self._limits))
            except (QueryError, AnswerTooLarge) as error:
                error.__context__ = None
                return error.with_traceback(None)

    def _ask_worker(
        self,
        workers: Workers,
        dataset: str,
        question: Question,
        seconds: float,
        abandoned: Callable[[], bool] | None,
    ) -> QueryResult:
        with self._checkpoints.use(dataset, lambda path: self._checkpoint(dataset, path)) as checkpoint:
            spool = quads_query.spool(self._checkpoints.root)
            try:
                reply = workers.call(
                    f"{quads_query.__name__}:run",
                    {
                        "checkpoint": None if checkpoint is None else str(checkpoint),
                        "question": question.to_dict(),
                        "rows": self._limits.rows,
                        "size": self._limits.size,
                        "spool": str(spool),
                    },
                    timeout=seconds,
                    patience=PATIENCE,
                    abandoned=abandoned,
                )
                return quads_query.received(reply, spool)
            except TimedOut:
                raise quads_query.too_slow(seconds) from None
            finally:
                spool.unlink(missing_ok=True)

    def _checkpoint(self, dataset: str, path: Path) -> bool:
        with _translated(dataset), self._pool.use(dataset) as held:
            if held is not None:
                held.store.backup(str(path))
            return held is not None

    def _writer(self, dataset: str) -> threading.RLock:
        return self._writers.setdefault(dataset, threading.RLock())

    @contextmanager
    def _reading(self, dataset: str) -> Iterator[ox.Store]:
        with _translated(dataset), self._pool.use(dataset) as held:
            yield ox.Store() if held is None else held.store

    @contextmanager
    def _writing(self, dataset: str) -> Iterator[_Held]:
        with self._writer(dataset), _translated(dataset):
            try:
                with self._pool.use(dataset, create=True) as held:
                    if held is None:
                        raise AssertionError("a store that is created exists")
                    yield held
                    full = held.written > _RENEWED
                    if full:
                        # Otherwise opening it would do this, and take longer.
                        held.store.flush()
            finally:
                self._checkpoints.outdate(dataset)
            if full:
                self._pool.retire(dataset)

    def _position(self, store: ox.Store, project: str) -> int:
        found = self._values(store, self._catalogue.minter.project(project), POSITION)
        return int(str(found[0])) if found else 0

    def _values(self, store: ox.Store, subject: Identifier, predicate: Identifier) -> list[Value]:
        """What the catalogue says."""
        pattern = store.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, self._graph)
        return [value_of(quad.object) for quad in pattern]

    def _subjects(self, store: ox.Store, predicate: Identifier, value: Identifier) -> list[Identifier]:
        pattern = store.quads_for_pattern(None, ox.NamedNode(predicate), ox.NamedNode(value), self._graph)
        return sorted(Identifier(quad.subject.value) for quad in pattern if isinstance(quad.subject, ox.NamedNode))

    def _graphs_of(self, store: ox.Store, version: Identifier) -> list[Identifier]:
        return sorted(value for value in self._values(store, version, GRAPH) if isinstance(value, Identifier))

    def _leaving(self, store: ox.Store, change: Change) -> dict[Identifier, list[Identifier]]:
        """The graphs that an entry takes out of the dataset, by version.

        Those of the current version, and those of the entry's own: its content may have been loaded by an attempt
        that a crash interrupted, and be gone by now.
        """
        if change.kind not in ("submit", "withdraw", "erase"):
            return {}
        own = self._catalogue.version(change)
        versions = {own}
        if change.kind != "erase":
            current = self._values(store, self._catalogue.document(change), CURRENT)
            versions |= {version for version in current if isinstance(version, Identifier)}
        if change.kind == "submit" and change.content is not None:
            versions.discard(own)
        return {version: graphs for version in sorted(versions) if (graphs := self._graphs_of(store, version))}

    def _replace(
        self, held: _Held, change: Change, content: Path, leaving: dict[Identifier, list[Identifier]], edit: Edit
    ) -> None:
        """Put the content in and take out what it replaces."""
        version = self._catalogue.version(change)
        edited = self._edited(edit, leaving)
        if content.stat().st_size > _SMALL:
            self._bulk_load(held.store, change, content)
            self._remove(held, leaving, edited)
            return
        quads = list(_read(content))
        graphs = sorted({"" if isinstance(q.graph_name, ox.DefaultGraph) else q.graph_name.value for q in quads})
        for graph in graphs:
            check_graph(graph, version)
        insert = "INSERT DATA {\n" + "".join(map(_twice, quads)) + self._records(change, graphs) + "}"
        self._remove(held, leaving, f"{insert};\n{edited}", first=insert)

    def _bulk_load(self, store: ox.Store, change: Change, content: Path) -> None:
        def trailer(graphs: Iterable[str]) -> bytes:
            records = self._catalogue.graphs(change, graphs)
            return "".join(f"{quad} .\n" for quad in Terms().quads(records)).encode()

        with Doubled(content, self._catalogue.version(change), trailer) as stream:
            store.bulk_load(cast("IO[bytes]", stream), ox.RdfFormat.N_QUADS)

    def _records(self, change: Change, graphs: Iterable[str]) -> str:
        return "".join(map(_in_graph, Terms().quads(self._catalogue.graphs(change, graphs))))

    def _remove(self, held: _Held, leaving: dict[Identifier, list[Identifier]], then: str, *, first: str = "") -> None:
        """Take graphs out of the dataset, and their triples out of the default graph where no other graph holds them.

        Args:
            held: the dataset's store.
            leaving: the graphs, by version.
            then: further operations of the same transaction.
            first: what to insert beforehand where the graphs are too large for one transaction; ``then`` holds it too.
        """
        nodes = [ox.NamedNode(graph) for graphs in leaving.values() for graph in graphs]
        quads = sum(1 for _ in islice(_all_of(held.store, nodes), _BATCH + 1))
        if quads > _BATCH:
            if first:
                held.update(first)
            for node in nodes:
                while next(_all_of(held.store, [node]), None) is not None:
                    held.update(self._emptying(node, limit=_BATCH), quads=_BATCH)
            quads = 0
        operations = [self._emptying(node) for node in nodes] + [f"DROP SILENT GRAPH {node}" for node in nodes]
        held.update(";\n".join([*operations, then]), quads=quads)

    def _emptying(self, graph: ox.NamedNode, *, limit: int | None = None) -> str:
        """An operation that takes quads out of a graph that leaves, and their triples out of the default graph.

        The latter unless another graph than the catalogue holds the triple: then the variable that stands for its
        subject in the default graph has no value, and nothing is deleted there (SPARQL 1.1 Update, section 3.1.3).
        Of graphs that leave one after the other, the last holder takes the triple along. So the default graph is
        always what the others hold.

        The engine finds out by itself in half the time that it takes to ask it about each triple and to send it, as
        text, what is to go.

        Args:
            graph: the graph.
            limit: the most quads; all of them without one.
        """
        some = "" if limit is None else f"LIMIT {limit}"
        return (
            f"DELETE {{ ?doomed ?p ?o . GRAPH {graph} {{ ?s ?p ?o }} }} WHERE {{\n"
            f"{{ SELECT ?s ?p ?o {{ GRAPH {graph} {{ ?s ?p ?o }} }} {some} }}\n"
            f"BIND(IF(EXISTS {{ GRAPH ?holder {{ ?s ?p ?o }} FILTER(?holder NOT IN ({graph}, {self._graph})) }}, "
            "?none, ?s) AS ?doomed) }"
        )

    def _edited(self, edit: Edit, leaving: dict[Identifier, list[Identifier]]) -> str:
        """An edit of the catalogue as SPARQL, the stamp included."""
        replaced = list(edit.replaced)
        for version, graphs in leaving.items():
            replaced += self._catalogue.emptied(version, graphs)
        stamp = f"{_iri(self._catalogue.repository)} {_iri(STAMP)} {ox.Literal(self.STAMP)}"
        operations = [
            self._delete(f"{_iri(subject)} {'?p' if predicate is None else _iri(predicate)} ?o")
            for subject, predicate in replaced
        ]
        inserted = "".join(map(_in_graph, Terms().quads(edit.added)))
        return ";\n".join([*operations, f"INSERT DATA {{\n{inserted}GRAPH {self._graph} {{ {stamp} }} }}"])

    def _forgetting(self, project: Identifier) -> str:
        agents = f"?a {_iri(TYPE)} {_iri(AGENT)}"
        return ";\n".join(
            [
                self._delete(f"?s {_iri(OWN_PROJECT)} {_iri(project)} . ?s ?p ?o"),
                self._delete(f"{_iri(project)} ?p ?o"),
                f"DELETE {{ GRAPH {self._graph} {{ {agents} }} }} WHERE {{ GRAPH {self._graph} {{ {agents} "
                f"FILTER NOT EXISTS {{ ?activity {_iri(WITH)} ?a }} }} }}",
            ]
        )

    def _delete(self, pattern: str) -> str:
        return f"DELETE WHERE {{ GRAPH {self._graph} {{ {pattern} }} }}"


def _iri(identifier: Identifier) -> str:
    return str(ox.NamedNode(identifier))


def _open(path: Path) -> _Held:
    # A bulk load that was killed leaves its files; nobody else writes here.
    for left in path.glob("bulk-*"):
        left.unlink(missing_ok=True)
    deadline = time.monotonic() + _CLOSING
    while True:
        try:
            store = ox.Store(str(path))
        except OSError as error:
            # A store is closed by the last reference to it, which another thread may be about to drop.
            if "lock hold by current process" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            # If it was closed to be renewed, what it kept is free by now, in pieces that would stay with this process.
            heap.give_back()
            return _Held(store)


def _all_of(store: ox.Store, graphs: Iterable[ox.NamedNode]) -> Iterator[ox.Quad]:
    return (quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph))


def _read(content: Path) -> Iterator[ox.Quad]:
    # Parsed and written again, not copied: the text of a query must be made of whole terms only.
    try:
        yield from ox.parse(path=str(content), format=ox.RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise Damaged(f"the content is not N-Quads: {error.msg}") from error


def _in_graph(quad: ox.Quad) -> str:
    return f"GRAPH {quad.graph_name} {{ {quad.subject} {quad.predicate} {quad.object} }}\n"


def _twice(quad: ox.Quad) -> str:
    """In the quad's own graph and in the default graph."""
    return f"{quad.subject} {quad.predicate} {quad.object} .\n{_in_graph(quad)}"


@contextmanager
def _translated(dataset: str) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        raise Damaged(f"the content for dataset {dataset} is not N-Quads: {error.msg}") from error
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise NoSpace(f"cannot write dataset {dataset}: the disk is full") from error
        raise Damaged(
            f"dataset {dataset} cannot be read or written ({error}); provrepo rebuild makes it anew"
        ) from error
