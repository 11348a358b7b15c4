"""SPARQL queries at a distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provrepo.errors import NotFound, QueryError, ReadError, RemoteError, UsageError
from provrepo.problems import HIDDEN
from provrepo.remote.connection import Connection
from provrepo.repository.records import DEFAULT

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["query", "query_version", "seconds"]

_ACCEPT = "application/sparql-results+json, application/n-triples"
_LONGEST = 999_999.0


def query(
    connection: Connection,
    query: str,
    *,
    project: str | Sequence[str] | None = None,
    public: bool = False,
    base: str | None = None,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    abandoned: Callable[[], bool] | None = None,  # noqa: ARG001 (the end of the connection tells the server)
) -> QueryResult:
    """Query one dataset, or the merge of several projects."""
    projects = [] if public else _projects(project)
    path: tuple[str, ...] = ("sparql",)
    given: dict[str, Any] = {"default-graph-uri": list(default_graphs), "named-graph-uri": list(named_graphs)}
    if len(projects) == 1:
        path = connection.project(projects[0], "sparql")
    elif projects:
        for name in projects:
            connection.project(name)
        given["project"] = projects
    with connection.checked(*projects):
        given["timeout"] = seconds(timeout)
    try:
        return _asked(connection, path, query, base, given)
    except NotFound as error:
        if str(error) == HIDDEN:
            for name in projects:
                connection.require(name)
        raise


def query_version(
    connection: Connection,
    project: str,
    name: str,
    version: int,
    query: str,
    *,
    base: str | None = None,
    timeout: float | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    abandoned: Callable[[], bool] | None = None,  # noqa: ARG001 (the end of the connection tells the server)
) -> QueryResult:
    """Query one version in its original graphs."""
    path = connection.version(project, name, version, "sparql")
    with connection.checked(project):
        given = {
            "default-graph-uri": list(default_graphs),
            "named-graph-uri": list(named_graphs),
            "timeout": seconds(timeout),
        }
    return _asked(connection, path, query, base, given, project=project)


def seconds(timeout: float | None) -> str | None:
    """The parameter for a deadline in seconds.

    Raises:
        UsageError: it is not a positive number.
    """
    if timeout is None:
        return None
    if not timeout > 0:
        raise UsageError("a query's timeout is a positive number of seconds")
    return f"{min(max(timeout, 1e-6), _LONGEST):.6f}"


def _projects(project: str | Sequence[str] | None) -> list[str]:
    names = [project or DEFAULT] if project is None or isinstance(project, str) else list(dict.fromkeys(project))
    if not names:
        raise UsageError("the query names no project")
    return names


def _asked(
    connection: Connection,
    path: tuple[str, ...],
    query: str,
    base: str | None,
    given: Mapping[str, Any],
    *,
    project: str | None = None,
) -> QueryResult:
    from provrepo.codecs.results import parse

    if not query.strip():
        # A server takes it for the empty form of its query page; a parser complains at its end.
        last = query.rpartition("\n")[2]
        raise QueryError(
            "the query cannot be understood from here on", line=query.count("\n") + 1, column=len(last) + 1
        )
    declared = "" if base is None else f"BASE <{base}> "
    try:
        content = (declared + query).encode()
    except UnicodeEncodeError:
        raise QueryError("the query is not Unicode text") from None
    answer = connection.send(
        "POST",
        path,
        project=project,
        query=given,
        headers={"Accept": _ACCEPT, "Content-Type": "application/sparql-query"},
        content=content,
    )
    try:
        return parse(answer.content, answer.headers.get("content-type", ""))
    except ReadError as error:
        raise RemoteError(f"{connection.url} sent an answer that cannot be read: {error}") from error
