"""The schemas of documents that wait for a review, of the origin of a version, of notices, and of exchanges."""

from __future__ import annotations

from provrepo.ledger.exchange.holders import HOW, PROTOCOLS, Holder
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.ledger.exchange.outgoing_notices import STATES, SentNotice
from provrepo.ledger.exchange.peers import ACCEPTS, Peer
from provrepo.ledger.exchange.pushes import ENDED, UNDER_WAY, Push
from provrepo.repository.exchange.notices.records import OriginWarning
from provrepo.repository.exchange.records import PendingInfo
from provrepo.repository.exchange.webhooks.messages import EVENTS
from provrepo.repository.exchange.webhooks.verbs import WebhookInfo, WebhookTest
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

__all__ = ["EXCHANGE", "NOTICES", "PENDING"]

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
        state={"enum": ["waiting", "changes", "accepted", "rejected", "expired"]},
        why={"enum": ["review", "push", "refused"]},
        sha256=_DIGEST,
        verdict={"enum": ["conforms", "fails"]},
        received=_TIME,
        origin=ref("OriginOrNull"),
        rounds=array(members(dict.fromkeys(("received", "sha256", "decided", "by", "reason"), STRING))),
    ),
    "OriginOrNull": or_null(_ORIGIN),
    "PendingDocuments": members({"project": NAME, "total": INTEGER, "pending": array(ref("Pending"))}),
}
"""These schemas by name."""

_ABOUT: Schema = {"enum": ["withdrawn", "corrected", "erased", "derived", ""]}
_SENT = extended(
    record(SentNotice, body=STRING),
    {"direction": {"const": "sent"}, "about": _ABOUT, "state": {"enum": list(STATES)}},
    *("due", "body", "webhook"),
)
_RECEIVED = extended(
    record(ReceivedNotice, body=STRING),
    {"direction": {"const": "received"}, "about": _ABOUT, "proof": {"enum": ["token", "ledger", ""]}},
    *("key", "body", "attempts"),
)

NOTICES: dict[str, Schema] = {
    "Notices": members({"total": INTEGER, "notices": array({"anyOf": [_SENT, _RECEIVED]})}, optional={"project": NAME}),
    "Notice": {"anyOf": [extended(one, {"text": STRING}) for one in (_SENT, _RECEIVED)]},
    "OriginWarning": record(
        OriginWarning, project=NAME, document=NAME, what={"enum": ["withdrawn", "corrected", "erased"]}
    ),
}
"""These schemas by name."""

EXCHANGE: dict[str, Schema] = {
    "Webhook": record(WebhookInfo, project=NAME, state={"enum": ["active", "disabled"]}),
    "Webhooks": members({"project": NAME, "webhooks": array(ref("Webhook"))}),
    "WebhookTest": record(WebhookTest),
    "NewWebhook": {
        "type": "object",
        "description": "An address that is told of events of the project.",
        "required": ["url"],
        "properties": {
            "url": {**STRING, "description": "An http or https URL."},
            "events": {
                **array({"enum": list(EVENTS)}),
                "description": "By default all that are entries of the ledger.",
            },
            "coverage": {"type": "number", "description": "The limit in percent of the event `coverage`."},
            "hours": {**INTEGER, "description": "The hours of the event `silent`."},
        },
        "additionalProperties": False,
    },
    "Peer": record(Peer, name=NAME, accepts={"enum": list(ACCEPTS)}, projects=array(NAME), profiles=array(STRING)),
    "Peers": members({"total": INTEGER, "peers": array(ref("Peer"))}),
    "Holder": record(Holder, project=NAME, protocol={"enum": list(PROTOCOLS)}, how={"enum": list(HOW)}),
    "Holders": members({"total": INTEGER, "holders": array(ref("Holder"))}, optional={"project": NAME}),
    "Push": record(Push, project=NAME, document=NAME, state={"enum": [*UNDER_WAY, *ENDED]}, there={"type": "object"}),
    "Pushes": members({"total": INTEGER, "pushes": array(ref("Push"))}, optional={"project": NAME}),
    "Mirrors": members({"total": INTEGER, "mirrors": array(ref("Mirror"))}),
}
"""These schemas by name."""
