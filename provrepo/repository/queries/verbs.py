"""Verbs that query with SPARQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from provrepo.repository import documents
from provrepo.repository.context import Context
from provrepo.repository.records import DEFAULT, PUBLIC

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.views.sparql.store import Quads

__all__ = ["query", "query_version"]


def query(
    context: Context,
    query: str,
    *,
    project: str | None = None,
    public: bool = False,
    base: str | None = None,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    abandoned: Callable[[], bool] | None = None,
) -> QueryResult:
    """Ask one dataset in SPARQL 1.1.

    Args:
        query: SELECT, ASK, CONSTRUCT or DESCRIBE; common prefixes need not be declared.
        project: the project whose dataset is asked; ``default`` where neither this nor ``public`` is given.
        public: ask the dataset that merges all public projects.
        base: the IRI against which the query's relative IRIs are resolved.
        timeout: seconds after which it is stopped; the settings say how many there are at most.
        default_graphs: the graphs of the dataset that are merged into the query's default graph.
        named_graphs: the graphs of the dataset that the query finds with ``GRAPH``.
        abandoned: says that nobody waits for the answer any more; it is asked several times a second.

    Raises:
        QueryError: it cannot be parsed, or asks for what is not allowed.
        TimedOut: it took too long.
        AnswerTooLarge: the answer has more rows or bytes than the settings allow.
        WorkerFailed: it needed too much memory.
        UsageError: the timeout is not a positive number.
        NotFound: no such project.
        Busy: another process holds the views; the message names its URL.
    """
    if public:
        dataset = PUBLIC
    else:
        dataset = project or DEFAULT
        context.require_read(dataset)
    from provrepo.views.sparql.query import SparqlQuery

    selected = SparqlQuery(query, base, default_graphs, named_graphs)
    seconds = context.seconds(timeout)
    return _quads(context).query(dataset, selected, timeout=seconds, abandoned=abandoned)


def query_version(
    context: Context,
    project: str,
    name: str,
    version: int,
    query: str,
    *,
    base: str | None = None,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    abandoned: Callable[[], bool] | None = None,
) -> QueryResult:
    """Ask one version in its original graphs, read from the bytes that were submitted.

    The default graph is what it asserts at its top level, a named graph each of its bundles under its own name.
    Nothing is completed. The views are not needed, so that this works beside a server that holds them.

    Args:
        project: which project.
        name: which document.
        version: which version of it.
        query: as in ``query``, and so is everything that follows.
        base: the IRI against which the query's relative IRIs are resolved.
        timeout: seconds after which it is stopped, reading the version included.
        default_graphs: the graphs of the version that are merged into the query's default graph.
        named_graphs: the graphs of the version that the query finds with ``GRAPH``.
        abandoned: says that nobody waits for the answer any more.

    Raises:
        NotFound: no such document or version.
        Withdrawn: the document was withdrawn, or the version erased.
        QueryError, TimedOut, AnswerTooLarge, WorkerFailed, UsageError, Busy: as ``query``.
    """
    info = documents.version(context, project, name, version)
    from provrepo.views.sparql.query import SparqlQuery

    selected = SparqlQuery(query, base, default_graphs, named_graphs)
    return context.store.query_version(info, selected, context.seconds(timeout), abandoned)


def _quads(context: Context) -> Quads:
    from provrepo.views.sparql.store import Quads

    return context.store.view(Quads)
