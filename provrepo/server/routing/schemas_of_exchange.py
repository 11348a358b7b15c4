"""The schemas of documents that wait for a review, of the origin of a version, and of notices."""

from __future__ import annotations

from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.ledger.exchange.outgoing_notices import STATES, SentNotice
from provrepo.repository.exchange.notices.records import OriginWarning
from provrepo.repository.exchange.records import PendingInfo
from provrepo.server.routing.schema_parts import (
    INTEGER,
    NAME,
    STRING,
    Schema,
    array,
    extended,
    members,
    or_null,
    record,
    ref,
)

__all__ = ["NOTICES", "PENDING"]

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
        why={"enum": ["review", "push", "refused"]},
        sha256=_DIGEST,
        verdict={"enum": ["conforms", "fails"]},
        received=_TIME,
        origin=ref("OriginOrNull"),
    ),
    "OriginOrNull": or_null(_ORIGIN),
    "PendingDocuments": members({"project": NAME, "pending": array(ref("Pending"))}),
}
"""These schemas by name."""

_ABOUT: Schema = {"enum": ["withdrawn", "corrected", "erased", "derived", ""]}
_SENT = extended(
    record(SentNotice, body=STRING),
    {"direction": {"const": "sent"}, "about": _ABOUT, "state": {"enum": list(STATES)}},
    *("due", "body"),
)
_RECEIVED = extended(
    record(ReceivedNotice, body=STRING),
    {"direction": {"const": "received"}, "about": _ABOUT, "proof": {"enum": ["token", "ledger", ""]}},
    *("key", "body", "attempts"),
)

NOTICES: dict[str, Schema] = {
    "Notices": members({"project": NAME, "notices": array({"anyOf": [_SENT, _RECEIVED]})}),
    "OriginWarning": record(
        OriginWarning, project=NAME, document=NAME, what={"enum": ["withdrawn", "corrected", "erased"]}
    ),
}
"""These schemas by name."""
