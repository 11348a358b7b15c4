"""The schemas of documents that wait for a review, and of the origin of a version."""

from __future__ import annotations

from provrepo.repository.exchange.records import PendingInfo
from provrepo.server.routing.schema_parts import INTEGER, NAME, STRING, Schema, array, members, or_null, record, ref

__all__ = ["PENDING"]

_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TIME: Schema = {"type": "string", "pattern": "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"}
_ORIGIN = members(
    {
        **dict.fromkeys(("peer", "identity", "setup", "iri"), STRING),
        **{"project": NAME, "document": NAME, "version": INTEGER, "sequence": INTEGER, "entry": _DIGEST},
        "head": members({"sequence": INTEGER, "sha256": _DIGEST}),
    }
)

PENDING: dict[str, Schema] = {
    "Pending": record(
        PendingInfo,
        project=NAME,
        name=NAME,
        state={"enum": ["waiting", "accepted", "rejected", "expired"]},
        why={"enum": ["review", "push"]},
        sha256=_DIGEST,
        verdict={"enum": ["conforms", "fails"]},
        received=_TIME,
        origin=ref("OriginOrNull"),
    ),
    "OriginOrNull": or_null(_ORIGIN),
    "PendingDocuments": members({"project": NAME, "pending": array(ref("Pending"))}),
}
"""These schemas by name."""
