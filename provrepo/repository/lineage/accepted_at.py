"""When versions were accepted: the one time that the repository knows of everything in it.

It is part of ``Repository``, in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provrepo.repository.bound import Bound

if TYPE_CHECKING:
    from provrepo.repository.lineage.verbs import Said

__all__ = ["Arrivals"]


class Arrivals(Bound):
    """What ``Repository`` inherits."""

    def arrivals(self, sources: Iterable[Said]) -> dict[tuple[str, str, int], str]:
        """When versions were accepted, xsd:dateTime in UTC, by project, document and number.

        Args:
            sources: the versions; what there is not (any more) is left out.

        Raises:
            NotFound: no such project.
        """
        wanted: dict[str, dict[str, None]] = {}
        for said in sources:
            wanted.setdefault(said.project, {})[said.document] = None
        found: dict[tuple[str, str, int], str] = {}
        for project, documents in wanted.items():
            self._readable(project)
            for document in documents:
                for entry in self._store.ledger.versions(project, document):
                    found[project, document, entry.fields["version"]] = entry.time
        return found
