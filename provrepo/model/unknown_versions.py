"""Names of what a run read of a dataset, where its source does not say which version that was.

Each run has an entity of its own for such a read: two runs that read a dataset may have read two versions of it. Which
version it was depends on other documents (``provrepo.views.lineage.resolution``).
"""

from __future__ import annotations

__all__ = ["UNKNOWN", "whole"]

UNKNOWN = "@unknown"
"""The segment of the IRI; the run follows it. No version that a source names is spelled so."""

_WITHIN = f"/{UNKNOWN}/"


def whole(iri: str) -> str:
    """The read of the whole dataset, for the IRI of a read, or of a column or part of one; empty for other IRIs."""
    return iri.partition("#")[0] if _WITHIN in iri else ""
