"""Queries for whoever sent the running request: what can be asked, and how many queries may run at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import NamedTuple, cast

from flask import Flask, current_app, request

from provrepo import errors
from provrepo.codecs.results import QueryResult
from provrepo.repository.repository import Repository
from provrepo.server import pages

__all__ = ["Target", "place", "register", "run"]

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


class _Gate:
    """Lets so many queries in at a time, so that there is always a thread left for everything else."""

    WAIT = 0.5
    """Seconds that a query waits for its turn. A look-up takes a few milliseconds, so waiting is mostly worth it."""

    def __init__(self, slots: int) -> None:
        self._slots = threading.BoundedSemaphore(slots)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Hold a slot. Raises Busy where none comes free in time."""
        if not self._slots.acquire(timeout=self.WAIT):
            raise errors.Busy("as many queries are running as this server allows; try again in a moment")
        try:
            yield
        finally:
            self._slots.release()


def register(app: Flask, *, threads: int, workers: int) -> None:
    """Say how many queries may run.

    At most as many queries run as there are workers for them, and so many that two of the server's threads are left
    for other requests.
    """
    app.extensions[_EXTENSION] = _Gate(max(1, min(workers, threads - 2)))


def place() -> AbstractContextManager[None]:
    """A place among the queries that may run: for everything whose work the client decides.

    Raises:
        Busy: on entering, none came free in time.
    """
    return cast("_Gate", current_app.extensions[_EXTENSION]).entered()


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
    with place():
        return ask_it(
            query,
            # What a query leaves relative is relative to the endpoint (SPARQL 1.1 Query, section 4.1.1.2), by the name
            # that the repository gives itself.
            base=pages.address() + target.path,
            timeout=timeout,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
            abandoned=request.environ.get("waitress.client_disconnected"),
        )
