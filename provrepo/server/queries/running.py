"""Execution of queries for the current request: targets, and a limit on concurrent queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, cast

from flask import Flask, current_app

from provrepo.codecs.results import QueryResult
from provrepo.repository.repository import Repository
from provrepo.server.monitoring import metrics
from provrepo.server.protocol import addresses, auth
from provrepo.server.queries.canceling import cancelable
from provrepo.workers.callers import Caller
from provrepo.workers.shares import Slots

__all__ = ["Target", "query_slot", "register", "run", "slots"]

_EXTENSION = "provrepo.queries"


class Target(NamedTuple):
    """The target of a query: a dataset, or the original graphs of one version.

    Attributes:
        project: the project of the dataset; None for the dataset of all public projects.
        document: the document whose version is queried instead; empty for the dataset.
        version: the number of the version.
        merged: projects whose datasets are queried as one; empty for one dataset.
    """

    project: str | None = None
    document: str = ""
    version: int = 0
    merged: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path of its endpoint, relative to the address of the repository."""
        if self.project is None:
            return "sparql"
        below = f"documents/{self.document}/versions/{self.version}/" if self.document else ""
        return f"projects/{self.project}/{below}sparql"

    @property
    def title(self) -> str:
        """A readable name."""
        if self.merged:
            return f"the projects {', '.join(self.merged[:-1])} and {self.merged[-1]}"
        if self.project is None:
            return "all public projects"
        return f"{self.document}, version {self.version}" if self.document else f"project {self.project}"


_WAITS = {Caller.STRANGER: 0.5, Caller.READER: 0.5, Caller.WRITER: 3.0}
"""Seconds that a query of each class waits for a slot.

Look-ups take milliseconds, so that waiting mostly succeeds. Many writers who ask for what they have just submitted wait
for each other, and for what is being loaded. Each of them occupies a request thread meanwhile.
"""

_MIN_SLOTS = 4
"""The least number of slots: with four, strangers have two, and each class has one that no lower class can take."""


def register(app: Flask, *, threads: int, workers: int) -> None:
    """Set the limit on concurrent queries.

    It is the number of query workers, or less, so that two request threads are left for other requests. The classes of
    callers share the slots.

    Args:
        app: the application.
        threads: the number of request threads.
        workers: the number of query workers.
    """
    app.extensions[_EXTENSION] = found = Slots(max(_MIN_SLOTS, min(workers, threads - 2)), "queries")
    metrics.add_load(app, "queries", found.figures)


def slots() -> Slots:
    """The slots of concurrent queries."""
    return cast("Slots", current_app.extensions[_EXTENSION])


@contextmanager
def query_slot() -> Iterator[None]:
    """Hold a slot of the limit on concurrent queries, for work whose size the client determines.

    Raises:
        Busy: on entering, no slot became free in time.
    """
    client = auth.client()
    slot = slots().enter(client, _WAITS[client.caller])
    try:
        yield
    finally:
        slots().leave(slot)


def run(
    repo: Repository,
    target: Target,
    query: str,
    *,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> QueryResult:
    """Run a query in a slot. It is canceled when the client of the current request disconnects, or by its ``run``.

    Args:
        repo: the repository of the caller.
        target: the target of the query.
        query: a SPARQL query.
        timeout: the deadline in seconds; None for that of the settings.
        default_graphs: names of the graphs that make up the default graph; none for that of the dataset.
        named_graphs: names of the named graphs; none for those of the dataset.

    Raises:
        Busy: no slot became free in time.
    """
    project, document, version, merged = target
    if project is not None and document:
        execute = partial(repo.query_version, project, document, version)
    else:
        execute = partial(repo.query, project=merged or project, public=not merged and project is None)
    with cancelable() as canceled, query_slot():
        return execute(
            query,
            # Relative IRIs are resolved against the endpoint (SPARQL 1.1 Query, section 4.1.1.2), with the base IRI of
            # the repository instead of the Host header.
            base=addresses.address() + target.path,
            timeout=timeout,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
            abandoned=canceled,
        )
