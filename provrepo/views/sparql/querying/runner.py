"""The evaluation of queries on datasets: in worker processes on checkpoints, or in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pyoxigraph as ox

from provrepo.codecs.results import QueryResult
from provrepo.errors import AnswerTooLarge, QueryError, TimedOut, WorkerFailed
from provrepo.limits import WORKER_WAIT
from provrepo.views.sparql import guard
from provrepo.views.sparql import query as quads_query
from provrepo.views.sparql.checkpoints import Checkpoints
from provrepo.views.sparql.query import QueryLimits, SparqlQuery
from provrepo.views.sparql.querying import merging
from provrepo.workers.pool import Pool as Workers

__all__ = ["Runner"]

log = logging.getLogger("provrepo.views.sparql.querying.runner")


class Runner:
    """Evaluates queries for one view."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        checkpoint: Callable[[str, Path], bool],
        reading: Callable[[str], AbstractContextManager[ox.Store]],
        workers: Workers | None,
        limits: QueryLimits,
    ) -> None:
        """Evaluate queries.

        Args:
            checkpoints: the checkpoints of the view.
            checkpoint: makes a checkpoint of a dataset at a path; returns False where there is no dataset.
            reading: opens the store of a dataset.
            workers: the processes that evaluate queries; None for this process.
            limits: the limits of one query.
        """
        self._checkpoints = checkpoints
        self._checkpoint = checkpoint
        self._reading = reading
        self._workers = workers
        self._limits = limits

    def query(
        self,
        datasets: Sequence[str],
        query: SparqlQuery,
        timeout: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> QueryResult:
        """Query a dataset, or the merge of several; see ``provrepo.views.sparql.store.Quads.query``.

        Args:
            datasets: their names, sorted.
            query: the query.
            timeout: seconds, where that is less than the limit of the view.
            abandoned: returns True once the client has gone.
        """
        if len(datasets) > merging.MAX_DATASETS:
            raise QueryError(
                f"the query names {len(datasets)} projects; at most {merging.MAX_DATASETS} can be queried at once"
            )
        if self._workers is None:
            answer = self._here(datasets, query)
        else:
            seconds = self._seconds(timeout)
            try:
                answer = self._in_worker(self._workers, datasets, query, seconds, abandoned)
            except TimedOut:
                raise quads_query.too_slow(seconds) from None
        if isinstance(answer, QueryResult):
            return answer
        raise answer

    def incremented(
        self,
        checkpoint: Path,
        increments: Sequence[str],
        query: SparqlQuery,
        timeout: float | None = None,
        abandoned: Callable[[], bool] | None = None,
    ) -> QueryResult | None:
        """Query a checkpoint with increments of what has changed since; arguments and errors as for ``query``.

        Returns:
            None where there are no workers, or the increments cannot be executed, such as on a full disk.
        """
        if self._workers is None:
            return None
        seconds = self._seconds(timeout)
        try:
            answer = self._reply(self._workers, checkpoint, increments, query, time.monotonic() + seconds, abandoned)
        except TimedOut:
            raise quads_query.too_slow(seconds) from None
        if isinstance(answer, QueryResult):
            return answer
        log.warning("increments of %s cannot be executed: %s", checkpoint, answer)
        return None

    def _seconds(self, timeout: float | None) -> float:
        return self._limits.seconds if timeout is None else min(timeout, self._limits.seconds)

    # Errors are returned, not raised: ``translated_errors`` would take a raised one for an error of the store, and its
    # traceback would keep the store open for as long as the error exists.

    def _here(self, datasets: Sequence[str], query: SparqlQuery) -> QueryResult | QueryError | AnswerTooLarge:
        with ExitStack() as stack:
            stores = [stack.enter_context(self._reading(dataset)) for dataset in datasets]
            try:
                store = stores[0] if len(stores) == 1 else merging.merge_in_memory(stores, merging.MERGED_QUADS)
                return QueryResult.from_written(*quads_query.evaluate(store, query, self._limits))
            except (QueryError, AnswerTooLarge) as error:
                error.__context__ = None
                return error.with_traceback(None)

    def _in_worker(
        self,
        workers: Workers,
        datasets: Sequence[str],
        query: SparqlQuery,
        seconds: float,
        abandoned: Callable[[], bool] | None,
    ) -> QueryResult:
        deadline = time.monotonic() + seconds
        with ExitStack() as stack:
            found = {
                dataset: stack.enter_context(self._checkpoints.use(dataset, partial(self._checkpoint, dataset)))
                for dataset in datasets
            }
            members = {dataset: path for dataset, path in found.items() if path is not None}
            checkpoint = next(iter(members.values()), None)
            if len(members) > 1:
                guard.check(query.text)  # before the work of a merge
                merge = partial(self._merge, workers, list(members.values()), deadline, abandoned)
                merged = self._checkpoints.merged.use(
                    list(members), list(members.values()), merge, seconds=_left(deadline)
                )
                checkpoint = stack.enter_context(merged)
            answer = self._reply(workers, checkpoint, (), query, deadline, abandoned)
            if isinstance(answer, QueryResult):
                return answer
            raise WorkerFailed(f"the dataset cannot be opened for the query: {answer}")

    def _reply(
        self,
        workers: Workers,
        checkpoint: Path | None,
        increments: Sequence[str],
        query: SparqlQuery,
        deadline: float,
        abandoned: Callable[[], bool] | None,
    ) -> QueryResult | str:
        """The answer of a worker; the reason where it cannot open the checkpoint or execute the increments."""
        spool = quads_query.spool(self._checkpoints.root)
        try:
            reply = workers.call(
                f"{quads_query.__name__}:run",
                {
                    "checkpoint": None if checkpoint is None else str(checkpoint),
                    "increments": list(increments),
                    "query": query.to_dict(),
                    "rows": self._limits.rows,
                    "size": self._limits.size,
                    "spool": str(spool),
                },
                timeout=_left(deadline),
                queue_timeout=WORKER_WAIT,
                abandoned=abandoned,
            )
            return str(reply["failed"]) if "failed" in reply else quads_query.received(reply, spool)
        finally:
            spool.unlink(missing_ok=True)

    @staticmethod
    def _merge(
        workers: Workers,
        checkpoints: Sequence[Path],
        deadline: float,
        abandoned: Callable[[], bool] | None,
        target: Path,
    ) -> None:
        workers.call(
            f"{merging.__name__}:run",
            {"checkpoints": list(map(str, checkpoints)), "target": str(target), "most": merging.MERGED_QUADS},
            timeout=_left(deadline),
            queue_timeout=WORKER_WAIT,
            abandoned=abandoned,
        )


def _left(deadline: float) -> float:
    """The seconds until a deadline; raises TimedOut where it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("the deadline of the query has passed")
    return left
