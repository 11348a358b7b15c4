"""Verbs about datasets at a distance."""

from __future__ import annotations

from provrepo.errors import UsageError
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.datasets.records import DatasetDetails, DatasetInfo, RunsAgain
from provrepo.repository.options import required_iri

__all__ = ["dataset", "datasets", "to_run_again"]


def datasets(
    connection: Connection, project: str, *, text: str = "", after: str = "", limit: int | None = None
) -> list[DatasetInfo]:
    """Return the logical datasets of a project by IRI."""
    if limit is not None and limit < 1:
        raise UsageError(f"at least one dataset can be listed, not {limit}")
    found: list[DatasetInfo] = []
    most = MAX_PAGE_SIZE if limit is None else min(limit, MAX_PAGE_SIZE)
    with connection.understanding():
        for item in connection.pages(
            connection.project(project, "datasets"),
            "datasets",
            project=project,
            after=after or None,
            q=text or None,
            limit=most,
        ):
            if limit is not None and len(found) >= limit:
                break
            found.append(decoded(DatasetInfo, item))
    return found


def dataset(connection: Connection, project: str, iri: str, *, offset: int = 0, limit: int = 20) -> DatasetDetails:
    """Return one logical dataset with its versions, quality and jobs."""
    required_iri(iri)
    if offset < 0 or not 1 <= limit <= MAX_PAGE_SIZE:
        raise UsageError(f"offset={offset}, limit={limit}: offset is at least 0, and limit 1 to {MAX_PAGE_SIZE}")
    return connection.record(
        DatasetDetails,
        "GET",
        connection.project(project, "dataset"),
        project=project,
        query={"iri": iri, "offset": offset, "limit": limit},
    )


def to_run_again(connection: Connection, project: str, *, input: str = "", reason: str = "") -> RunsAgain:  # noqa: A002
    """Return the latest results that rest on inputs that are no longer good."""
    return connection.record(
        RunsAgain,
        "GET",
        connection.project(project, "to-run-again"),
        project=project,
        query={"input": input or None, "reason": reason or None},
    )
