"""From events to messages of webhooks: entries of the ledger in their order, and refusals, which are no entries.

Whoever submits waits for no receiver: messages of entries are written by the thread that sends them, up to a position
of the project. Of a refusal there is only the moment, so its message is stored at once; if that fails, it is logged.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from provrepo.errors import Error, NotFound
from provrepo.ledger.exchange.webhooks import ACTIVE, Webhook, Webhooks
from provrepo.repository.exchange.webhooks.messages import message

if TYPE_CHECKING:
    from provrepo.checks.report import Report
    from provrepo.ledger.entries import Entry
    from provrepo.ledger.exchange.outgoing_notices import SentNotice
    from provrepo.repository.store import Store

__all__ = ["announce_all", "announce_refusal"]

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""Messages of a webhook that may wait. Entries beyond that are announced when there is room; refusals are not."""

_AT_ONCE = 100


def announce_all(store: Store) -> None:
    """Write the messages about the entries that were appended since the last call."""
    for webhook in Webhooks(store.exchange).listed():
        while webhook.state == ACTIVE and webhook.waiting < MOST_WAITING:
            length = store.ledger.length(webhook.project)
            if webhook.position >= length:
                break
            entries = list(store.ledger.entries(webhook.project, after=webhook.position, limit=_AT_ONCE, every=True))
            # Damaged entries are not returned.
            after = entries[-1].sequence if entries else length
            notices = [each for entry in entries for each in _about(store, webhook, entry)]
            if not Webhooks(store.exchange).announce(webhook, notices, position=after):
                break
            webhook = Webhooks(store.exchange).get(webhook.id)  # noqa: PLW2901


def announce_refusal(store: Store, project: str, document: str, report: Report | None) -> None:
    """Store the messages about a submission that was refused and is not kept. No error is raised."""
    try:
        for webhook in Webhooks(store.exchange).listed(project):
            if "refused" in webhook.events and webhook.state == ACTIVE and webhook.waiting < MOST_WAITING:
                data = {"kept": False, **({} if report is None else {"counts": report.to_dict()["counts"]})}
                notice = message(store, webhook, "refused", data, document=document)
                Webhooks(store.exchange).announce(webhook, [(f"{webhook.id}:{uuid.uuid4()}", notice)])
    except Error as error:
        log.warning("webhooks of %s were not told of a refused submission: %s", project, error)


def _about(store: Store, webhook: Webhook, entry: Entry) -> Iterator[tuple[str, SentNotice]]:
    for event in _events(entry):
        if event in webhook.events:
            yield f"{webhook.id}:{entry.sha256}:{event}", _message(store, webhook, event, entry)


def _events(entry: Entry) -> Iterator[str]:
    if entry.kind == "submit":
        yield "submitted"
        if entry.body["verdict"] == "fails":
            yield "failing"
    elif entry.kind == "withdraw":
        yield "withdrawn"
    elif entry.kind == "pending":
        yield "refused" if entry.body["why"] == "refused" else "pending"


def _message(store: Store, webhook: Webhook, event: str, entry: Entry) -> SentNotice:
    body, names = entry.body, store.accounts.names()
    data: dict[str, Any] = {"sequence": entry.sequence, "by": names.get(entry.actor, entry.actor)}
    document, version = str(body.get("document", "")), int(body.get("version") or 0)
    if entry.kind == "submit":
        data |= {name: body.get(name) for name in ("title", "note", "verdict", "possible", "warnings")}
        data["sha256"] = body["blob"]
    elif entry.kind == "withdraw":
        data["reason"] = body["reason"]
    else:
        data |= {"pending": body["pending"], "why": body["why"], "kept": event == "refused"}
        try:
            document = store.parts.pending.get(body["pending"]).name
        except NotFound:
            document = ""  # it was decided on long ago
    return message(store, webhook, event, data, time=entry.time, document=document, version=version)
