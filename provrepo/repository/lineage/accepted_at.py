"""The verb ``arrivals``: when versions were accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provrepo.repository.context import Context

if TYPE_CHECKING:
    from provrepo.repository.lineage.records import SourceReference

__all__ = ["arrivals"]


def arrivals(context: Context, sources: Iterable[SourceReference]) -> dict[tuple[str, str, int], str]:
    """The times at which versions were accepted, xsd:dateTime in UTC, by project, document and number.

    Args:
        sources: the versions; those that do not exist (any more) are left out.

    Raises:
        NotFound: no such project.
    """
    wanted: dict[str, dict[str, None]] = {}
    for source in sources:
        wanted.setdefault(source.project, {})[source.document] = None
    found: dict[tuple[str, str, int], str] = {}
    for project, documents in wanted.items():
        context.require_read(project)
        for document in documents:
            for entry in context.store.ledger.versions(project, document):
                found[project, document, entry.fields["version"]] = entry.time
    return found
