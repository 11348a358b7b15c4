"""Queries for whoever sent the running request: what can be asked, and how many queries may run at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, cast

from flask import Flask, current_app

from provrepo.codecs.results import QueryResult
from provrepo.repository.repository import Repository
from provrepo.server.monitoring import metrics
from provrepo.server.pages import pages
from provrepo.server.protocol import auth
from provrepo.workers.shares import Places

__all__ = ["Target", "query_slot", "slots", "register", "run"]

_EXTENSION = "provrepo.queries"


class Target(NamedTuple):
    """What is asked.

    Attributes:
        project: whose dataset; None for that of all public projects.
        document: asked instead in its own graphs, where it is given.
        version: of the document.
    """

    project: str | None = None
    document: str = ""
    version: int = 0

    @property
    def path(self) -> str:
        """The endpoint's address below the repository's."""
        if self.project is None:
            return "sparql"
        below = f"documents/{self.document}/versions/{self.version}/" if self.document else ""
        return f"projects/{self.project}/{below}sparql"

    @property
    def title(self) -> str:
        """For people."""
        if self.project is None:
            return "all public projects"
        return f"{self.document}, version {self.version}" if self.document else f"project {self.project}"


_WAIT = 0.5
"""Seconds that a query waits for its turn. A look-up takes a few milliseconds, so waiting is mostly worth it."""

_LEAST = 4
"""Places at least: with four, strangers have two, and each class of callers has one that no lower class can take."""


def register(app: Flask, *, threads: int, workers: int) -> None:
    """Say how many queries may run.

    At most as many queries run as there are workers for them, and so many that two of the server's threads are left
    for other requests. The classes of callers share these places.
    """
    app.extensions[_EXTENSION] = found = Places(max(_LEAST, min(workers, threads - 2)), "queries")
    metrics.add_load(app, "queries", found.figures)


def slots() -> Places:
    """The places among the queries that may run."""
    return cast("Places", current_app.extensions[_EXTENSION])


@contextmanager
def query_slot() -> Iterator[None]:
    """A place among the queries that may run: for everything whose work the client decides.

    Raises:
        Busy: on entering, none came free in time.
    """
    taken = slots().enter(auth.client(), _WAIT)
    try:
        yield
    finally:
        slots().leave(taken)


def run(
    repo: Repository,
    target: Target,
    query: str,
    *,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> QueryResult:
    """The result of a query, once there is a place for it; it ends when the client of the running request goes away.

    Raises:
        Busy: as many queries run as the server allows.
    """
    project, document, version = target
    if project is not None and document:
        ask_it = partial(repo.query_version, project, document, version)
    else:
        ask_it = partial(repo.query, project=project, public=project is None)
    with query_slot():
        return ask_it(
            query,
            # What a query leaves relative is relative to the endpoint (SPARQL 1.1 Query, section 4.1.1.2), by the name
            # that the repository gives itself.
            base=pages.address() + target.path,
            timeout=timeout,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
        )
