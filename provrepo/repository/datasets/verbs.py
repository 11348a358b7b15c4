"""The verbs about the datasets of a project: its catalog of logical datasets, and all about one of them."""

from __future__ import annotations

from provrepo.errors import NotFound, UsageError
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.context import Context
from provrepo.repository.datasets import reading, uses
from provrepo.repository.datasets.history import schema_changes
from provrepo.repository.datasets.records import DatasetDetails, DatasetInfo
from provrepo.repository.datasets.source import Source
from provrepo.repository.options import required_iri

__all__ = ["dataset", "datasets"]

_VERSIONS = 20
"""Versions of a dataset in one answer, where nothing else is asked for."""

_MEASUREMENTS = 100
"""Measurements of quality in one answer, the latest first."""


def datasets(
    context: Context,
    project: str,
    *,
    text: str = "",
    after: str = "",
    limit: int | None = None,
) -> list[DatasetInfo]:
    """The logical datasets of a project by IRI, each with its latest version.

    Args:
        project: the project.
        text: only datasets whose IRI or label contains it, whatever the case.
        after: only IRIs after this one, by code point.
        limit: the most datasets; None for all.

    Raises:
        NotFound: no such project.
        UsageError: the limit is not positive.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"at least one dataset can be listed, not {limit}")
    source = Source(context, project)
    found: list[DatasetInfo] = []
    while limit is None or len(found) < limit:
        wanted = min(PAGE_SIZE, PAGE_SIZE if limit is None else limit - len(found))
        iris = reading.dataset_iris(source, text=text, after=after, limit=wanted)
        found += reading.datasets(source, iris)
        if len(iris) < wanted:
            break
        after = iris[-1]
    return found


def dataset(
    context: Context,
    project: str,
    iri: str,
    *,
    offset: int = 0,
    limit: int = _VERSIONS,
) -> DatasetDetails:
    """One logical dataset: owners, versions, changes of its schema, quality, and the jobs that write and read it.

    Args:
        project: the project.
        iri: the dataset.
        offset: the number of versions to leave out, the latest first.
        limit: the most versions, up to 1,000.

    Raises:
        NotFound: no such project, or none of its documents describes this as a dataset.
        UsageError: not an IRI, or a number is out of range.
        TimedOut, Busy: as ``datasets``.
    """
    required_iri(iri)
    if offset < 0 or not 1 <= limit <= MAX_PAGE_SIZE:
        raise UsageError(f"offset={offset}, limit={limit}: offset is at least 0, and limit 1 to {MAX_PAGE_SIZE}")
    source = Source(context, project)
    found = reading.datasets(source, [iri])
    if not found:
        raise NotFound(f"no document of {project!r} describes {iri} as a dataset")
    # The version before the oldest that is shown tells what the oldest one changed.
    versions = reading.dataset_versions(source, iri, offset=offset, limit=limit + 1)
    return DatasetDetails(
        found[0],
        tuple(versions[:limit]),
        schema_changes(versions)[:limit],
        reading.quality_of(source, iri, limit=_MEASUREMENTS),
        tuple(uses.producers(source, iri)),
        tuple(uses.consumers(source, iri)),
        offset,
    )
