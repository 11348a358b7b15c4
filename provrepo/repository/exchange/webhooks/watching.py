"""Events that are no entries of the ledger: a server looks for them regularly, from the views that it holds.

A webhook remembers what it was told last: an event comes once, and again after things were well in between.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from provrepo.errors import Error
from provrepo.ledger.entries import timestamp
from provrepo.ledger.exchange.webhooks import ACTIVE, Webhook, Webhooks
from provrepo.repository.context import Context
from provrepo.repository.datasets.verbs import datasets
from provrepo.repository.exchange.webhooks.messages import PERIODIC, message
from provrepo.repository.profiles.metrics import metrics
from provrepo.repository.upkeep.periodic import Periodic

if TYPE_CHECKING:
    from provrepo.ledger.exchange.outgoing_notices import SentNotice
    from provrepo.repository.store import Store

__all__ = ["start", "watch"]

log = logging.getLogger(__name__)

_SECONDS = 60.0
_DATASETS = 1_000
"""Datasets of a project whose columns are compared."""

_KEPT_DAYS = 30
"""Days for which messages that were delivered or given up are kept."""

_Event = tuple[str, "SentNotice"]


def start(store: Store) -> None:
    """Begin to look, until the store is closed, unless the settings have no rounds of exchange."""
    seconds = _SECONDS if store.settings.exchange_seconds else 0.0
    Periodic(store, "looking for events of webhooks", lambda: watch(store), seconds=seconds).start()


def watch(store: Store, *, at: datetime | None = None) -> None:
    """Write the messages about coverage, columns and silence.

    Args:
        store: the data directory.
        at: the present time; None for the clock.
    """
    if not store.exchange.exists or not store.may_follow():
        return
    webhooks = Webhooks(store.exchange)
    webhooks.purge(timestamp(datetime.now(UTC) - timedelta(days=_KEPT_DAYS)))
    for webhook in webhooks.listed():
        if webhook.state != ACTIVE or not set(PERIODIC) & set(webhook.events):
            continue
        try:
            found, memory = _looked(store, webhook, at or datetime.now(UTC))
        except Error as error:
            store.parts.troubles.failed(log, f"events of {webhook.project} could not be looked for", str(error))
            continue
        if found or memory != webhook.memory:
            webhooks.announce(webhook, found, memory=memory)


def _looked(store: Store, webhook: Webhook, at: datetime) -> tuple[list[_Event], dict[str, Any]]:
    """Return the messages of a webhook, with their causes, and its memory after them."""
    memory, found = dict(webhook.memory), []
    length = store.ledger.length(webhook.project)
    if "silent" in webhook.events:
        found += _silence(store, webhook, memory, at)
    if length != memory.get("length"):
        if "coverage" in webhook.events:
            found += _coverage(store, webhook, memory, length)
        if "schema" in webhook.events:
            found += _columns(store, webhook, memory, length)
        memory["length"] = length
    return found, memory


def _silence(store: Store, webhook: Webhook, memory: dict[str, Any], at: datetime) -> list[_Event]:
    with store.ledger.stream(webhook.project) as stream:
        last = stream.newest_of(("submit",), None, 1)
    sequence, since = (last[0].sequence, last[0].time) if last else (0, webhook.added)
    quiet = at - datetime.fromisoformat(since)
    if quiet < timedelta(hours=webhook.hours or 0) or memory.get("silent") == sequence:
        return []
    memory["silent"] = sequence
    data = {"since": since, "hours": round(quiet.total_seconds() / 3600, 1), "limit": webhook.hours}
    return [(f"{webhook.id}:silent:{sequence}", message(store, webhook, "silent", data))]


def _coverage(store: Store, webhook: Webhook, memory: dict[str, Any], length: int) -> list[_Event]:
    coverage = metrics(store, [webhook.project], webhook.project)["coverage"]
    below = coverage is not None and webhook.coverage is not None and coverage < webhook.coverage
    before, memory["below"] = memory.get("below", False), below
    if not below or before:
        return []
    data = {"coverage": coverage, "limit": webhook.coverage}
    return [(f"{webhook.id}:coverage:{length}", message(store, webhook, "coverage", data))]


def _columns(store: Store, webhook: Webhook, memory: dict[str, Any], length: int) -> list[_Event]:
    """Compare the columns of each dataset with those of before. What is new has none of before, and is no change."""
    before: dict[str, str] = memory.get("columns", {})
    context, now, found = Context(store, store.owner()), {}, []
    for info in datasets(context, webhook.project, limit=_DATASETS):
        columns = [] if info.latest is None else [[field.name, field.type] for field in info.latest.fields]
        key = hashlib.sha256(info.iri.encode()).hexdigest()[:16]
        now[key] = hashlib.sha256(repr(sorted(columns)).encode()).hexdigest()[:16]
        if before.get(key, now[key]) != now[key]:
            data = {"dataset": info.iri, "name": info.name, "columns": [{"name": n, "type": t} for n, t in columns]}
            found.append((f"{webhook.id}:schema:{length}:{key}", message(store, webhook, "schema", data)))
    memory["columns"] = now
    return found
