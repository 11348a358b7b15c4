"""The delivery of one message to a webhook, and what follows from its success or failure.

Project owners choose these addresses, not the operator of the server. So a name may lead to public addresses only,
unless the setting ``webhook_addresses`` allows all.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provrepo.errors import Error, NotFound, Unreachable
from provrepo.ledger.exchange.webhooks import ACTIVE, Webhooks
from provrepo.repository.exchange.webhooks.messages import headers

if TYPE_CHECKING:
    from provrepo.ledger.exchange.outgoing_notices import SentNotice
    from provrepo.repository.store import Store

__all__ = ["deliver", "failed"]

log = logging.getLogger(__name__)

_SECONDS = 15.0
"""The deadline of a delivery in seconds."""

_ANSWER = 64 << 10


def deliver(store: Store, notice: SentNotice) -> None:
    """Send a message; 2xx is a success.

    Raises:
        Error: the receiver refused it, or cannot be reached.
    """
    from provrepo.http_client import HttpClient  # loads httpx
    from provrepo.http_client.connections import NOT_PUBLIC

    webhooks = Webhooks(store.exchange)
    found = headers(notice, webhooks.secrets(notice.webhook), int(time.time()))
    parts = urlsplit(notice.url)
    folder, _, last = parts.path.rpartition("/")
    public = store.settings.webhook_addresses == "public"
    below = f"{parts.scheme}://{parts.netloc}{folder}/"
    try:
        with HttpClient(below, timeout=_SECONDS, deadline=_SECONDS, attempts=1, public=public) as client:
            client.post(last + (f"?{parts.query}" if parts.query else ""), notice.body, headers=found, limit=_ANSWER)
    except Unreachable as error:
        if NOT_PUBLIC in str(error):
            raise Unreachable(f'{error}; the operator of the server can allow it: webhook_addresses = "any"') from error
        raise
    webhooks.worked(notice.webhook)


def failed(store: Store, notice: SentNotice, error: Error) -> None:
    """Record a failure. A webhook that has failed for days, or whose address is gone (410), is disabled."""
    webhooks = Webhooks(store.exchange)
    try:
        found = webhooks.failed(notice.webhook, str(error))
    except NotFound:
        return  # it was removed meanwhile
    days = timedelta(days=store.settings.webhook_days)
    late = bool(found.failing_since) and datetime.now(UTC) - datetime.fromisoformat(found.failing_since) > days
    if found.state == ACTIVE and (late or error.status == 410):
        webhooks.disable(found.id)
        log.warning(
            "the webhook %s of %s is disabled, it has failed since %s", found.id, found.project, found.failing_since
        )
