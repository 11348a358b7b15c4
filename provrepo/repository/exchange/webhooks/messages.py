"""The messages of webhooks: JSON objects, signed as in Standard Webhooks (https://www.standardwebhooks.com).

``Webhook-Signature`` is ``v1,`` and the base64 text of HMAC-SHA256 over ``ID.TIMESTAMP.BODY``, with the bytes that the
secret has after ``whsec_`` in base64. While a secret is being replaced there are two signatures, separated by a space.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from provrepo.ledger.entries import now
from provrepo.ledger.exchange.outgoing_notices import SentNotice

if TYPE_CHECKING:
    from provrepo.ledger.exchange.webhooks import Webhook
    from provrepo.repository.store import Store

__all__ = ["EVENTS", "PERIODIC", "headers", "message", "new_secret", "signature"]

EVENTS = {
    "submitted": "a version was accepted",
    "refused": "a submission does not conform",
    "pending": "a document waits for a review",
    "withdrawn": "a document was withdrawn",
    "failing": "a version was accepted that does not conform",
    "coverage": "the coverage of lineage fell below a limit",
    "schema": "the columns of a dataset changed",
    "silent": "nothing was submitted for some hours",
}
"""What a webhook can be told of."""

PERIODIC = ("coverage", "schema", "silent")
"""Events that are no entries of the ledger, for which a server looks regularly."""

_PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new secret with 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def message(
    store: Store,
    webhook: Webhook,
    event: str,
    data: dict[str, Any],
    *,
    time: str = "",
    document: str = "",
    version: int = 0,
) -> SentNotice:
    """Return a message for the outbox.

    Args:
        store: the data directory.
        webhook: the webhook.
        event: one of ``EVENTS``, or ``test``.
        data: what is said about it, besides the project, the document and the version.
        time: the time of the event, xsd:dateTime in UTC; empty for now.
        document: the document; empty for none.
        version: its version; 0 for none.
    """
    id_ = f"msg_{uuid.uuid4().hex}"
    about: dict[str, Any] = {"project": webhook.project}
    if document:
        about["document"] = document
    if version:
        about |= {"version": version, "iri": str(store.minter().version(webhook.project, document, version))}
    body = {"id": id_, "type": event, "timestamp": time or now(), "data": {**about, **data}}
    return SentNotice(
        id=id_,
        about=event,
        project=webhook.project,
        document=document,
        version=version,
        peer="",
        url=webhook.url,
        protocol="webhook",
        answers="",
        body=json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        webhook=webhook.id,
    )


def headers(notice: SentNotice, secrets_: Sequence[str], timestamp: int) -> dict[str, str]:
    """Return the header fields of a message that is sent now.

    Args:
        notice: the message.
        secrets_: the secrets that sign it.
        timestamp: seconds since the epoch.
    """
    signed = " ".join(signature(secret, notice.id, timestamp, notice.body) for secret in secrets_)
    return {
        "Content-Type": "application/json",
        "Webhook-Id": notice.id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signed,
    }


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002
    """Return the signature of a message with one secret."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
