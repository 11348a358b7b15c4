"""The verbs for SPARQL queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.repository import documents
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import require_blob
from provrepo.repository.records import DEFAULT, PUBLIC

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.views.sparql.store import Quads

__all__ = ["query", "query_version"]


def query(
    context: Context,
    query: str,
    *,
    project: str | Sequence[str] | None = None,
    public: bool = False,
    base: str | None = None,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    abandoned: Callable[[], bool] | None = None,
) -> QueryResult:
    """Query one dataset, or the merge of several projects, with SPARQL 1.1.

    In a merge, a triple that several projects have in their default graphs is there once; named graphs stay apart.

    Args:
        query: SELECT, ASK, CONSTRUCT or DESCRIBE; common prefixes need no declaration.
        project: the project whose dataset is queried, or a sequence of projects; ``default`` where neither this nor
            ``public`` is given.
        public: query the dataset that merges all public projects.
        base: the IRI against which the query's relative IRIs are resolved.
        timeout: seconds after which the query is stopped, where that is less than the settings allow.
        default_graphs: the graphs of the dataset that are merged into the query's default graph.
        named_graphs: the graphs of the dataset that ``GRAPH`` matches.
        abandoned: returns True once the client has gone and no answer is needed; called several times a second.

    Raises:
        QueryError: it cannot be parsed, or is not allowed; or the projects are too many or too large to be merged.
        TimedOut: it took too long.
        AnswerTooLarge: the answer has more rows or bytes than the settings allow.
        WorkerFailed: it needed too much memory.
        UsageError: the timeout is not a positive number, or the sequence of projects is empty.
        NotFound: one of the projects does not exist, or the actor may not read it.
        Busy: another process holds the views; the message names its URL.
    """
    datasets = [PUBLIC] if public else _projects(context, project)
    from provrepo.views.sparql.query import SparqlQuery

    selected = SparqlQuery(query, base, default_graphs, named_graphs)
    seconds = context.seconds(timeout)
    return _quads(context).query(datasets, selected, timeout=seconds, abandoned=abandoned)


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
    """Query one version in its original graphs, read from the bytes that were submitted.

    The default graph has the assertions of its top level, and each bundle is a named graph under its own name. There is
    no completion. The views are not used, so this works while a server holds their lock.

    Args:
        project: the name of the project.
        name: the name of the document.
        version: the number of the version.
        query: SELECT, ASK, CONSTRUCT or DESCRIBE; common prefixes need no declaration.
        base: the IRI against which the query's relative IRIs are resolved.
        timeout: seconds after which the query is stopped; they include reading the version.
        default_graphs: the graphs of the version that are merged into the query's default graph.
        named_graphs: the graphs of the version that ``GRAPH`` matches.
        abandoned: returns True once the client has gone and no answer is needed; called several times a second.

    Raises:
        NotFound: the document or the version does not exist, or the actor may not read the project.
        Withdrawn: the document was withdrawn, or the version erased.
        QueryError, TimedOut, AnswerTooLarge, WorkerFailed, UsageError, Busy: as ``query``.
    """
    info = documents.version(context, project, name, version)
    require_blob(context.store, project, info.sha256)
    from provrepo.views.sparql.query import SparqlQuery

    selected = SparqlQuery(query, base, default_graphs, named_graphs)
    return context.store.query_version(info, selected, context.seconds(timeout), abandoned)


def _projects(context: Context, project: str | Sequence[str] | None) -> list[str]:
    """The projects of a query, each once, which the actor may read."""
    projects = [project or DEFAULT] if project is None or isinstance(project, str) else list(dict.fromkeys(project))
    if not projects:
        raise UsageError("the query names no project")
    for name in projects:
        context.require_read(name)
    return projects


def _quads(context: Context) -> Quads:
    from provrepo.views.sparql.store import Quads

    return context.store.view(Quads)
