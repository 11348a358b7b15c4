"""Verbs about the webhooks of a project, for its owners and administrators."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Conflict, Error, NotFound, UsageError
from provrepo.ledger.entries import now
from provrepo.ledger.exchange.webhooks import ACTIVE, Webhook, Webhooks
from provrepo.model.identifiers import web_address
from provrepo.repository.context import Context
from provrepo.repository.exchange.webhooks import delivering
from provrepo.repository.exchange.webhooks.messages import EVENTS, PERIODIC, message, new_secret
from provrepo.repository.people.roles import Right

__all__ = [
    "WebhookInfo",
    "WebhookTest",
    "add_webhook",
    "enable_webhook",
    "remove_webhook",
    "rotate_webhook",
    "test_webhook",
    "webhooks",
]

_MOST = 20
"""Webhooks of a project."""

_LONGEST = 2_000
_DEFAULT = tuple(event for event in EVENTS if event not in PERIODIC)


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """A webhook, without its secret.

    Attributes:
        id: its identifier.
        project: the project.
        url: the address that gets the messages.
        events: the events that it is told of.
        coverage: the limit in percent for the event ``coverage``; None without it.
        hours: the hours for the event ``silent``; None without it.
        added: the time at which it was added, xsd:dateTime in UTC.
        by: the name of the actor who added it.
        state: ``active``, or ``disabled`` after it has failed for days.
        waiting: the number of messages that wait.
        delivered: the time of the last delivery; empty before the first.
        failing_since: the time of the first failure since then; empty if the last attempt succeeded.
        failure: its reason; may be empty.
        secret: the secret that signs its messages, right after it was made; otherwise empty.
    """

    id: str
    project: str
    url: str
    events: tuple[str, ...]
    coverage: float | None
    hours: int | None
    added: str
    by: str
    state: str
    waiting: int = 0
    delivered: str = ""
    failing_since: str = ""
    failure: str = ""
    secret: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "events": list(self.events)}


@dataclass(frozen=True, slots=True)
class WebhookTest:
    """The result of a test message.

    Attributes:
        delivered: whether the receiver answered with success.
        failure: the reason, if it did not; otherwise empty.
    """

    delivered: bool
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def webhooks(context: Context, project: str) -> list[WebhookInfo]:
    """Return the webhooks of a project, the oldest first.

    Args:
        project: the project.

    Raises:
        NotFound: no such project.
        Denied: the actor may not manage the project.
    """
    context.require(project, Right.MANAGE)
    return [_info(context, one) for one in Webhooks(context.store.exchange).listed(project)]


def add_webhook(
    context: Context,
    project: str,
    url: str,
    *,
    events: Sequence[str] = (),
    coverage: float | None = None,
    hours: int | None = None,
) -> WebhookInfo:
    """Let an address be told of events of a project from now on.

    Args:
        project: the project.
        url: an http or https URL.
        events: names of events; empty for all that are entries of the ledger.
        coverage: the limit in percent below which ``coverage`` is an event.
        hours: the hours without a submission after which ``silent`` is an event.

    Returns:
        Its record, with the secret, which is not shown again.

    Raises:
        NotFound: no such project.
        Denied: the actor may not manage the project, or it is a mirror.
        UsageError: the address, an event or a limit is not valid.
        Conflict: the project has a webhook with this address, or has too many.
    """
    context.require_change(project, Right.MANAGE)
    store = context.store
    store.ledger.require_own(project)
    chosen = _events(events, coverage, hours)
    _address(url)
    known = Webhooks(store.exchange).listed(project)
    if len(known) >= _MOST:
        raise Conflict(f"{project} has {_MOST} webhooks, which is the most: remove one first")
    made = Webhook(
        id=str(uuid.uuid4()),
        project=project,
        url=url,
        events=chosen,
        coverage=coverage,
        hours=hours,
        added=now(),
        by=context.actor.id,
        state=ACTIVE,
        position=store.ledger.length(project),
    )
    secret = new_secret()
    Webhooks(store.exchange).add(made, secret)
    return replace(_info(context, made), secret=secret)


def remove_webhook(context: Context, project: str, id: str) -> None:  # noqa: A002
    """Remove a webhook. Messages that wait for it are deleted.

    Args:
        project: the project.
        id: its identifier.

    Raises:
        NotFound: no such project or webhook.
        Denied: the actor may not manage the project.
    """
    found = _found(context, project, id)
    Webhooks(context.store.exchange).remove(found.id)


def rotate_webhook(context: Context, project: str, id: str) -> WebhookInfo:  # noqa: A002
    """Replace the secret of a webhook. For a day, messages are signed with the former one, too.

    Args:
        project: the project.
        id: its identifier.

    Returns:
        Its record, with the new secret, which is not shown again.

    Raises:
        NotFound: no such project or webhook.
        Denied: the actor may not manage the project.
    """
    found, secret = _found(context, project, id), new_secret()
    Webhooks(context.store.exchange).rotate(found.id, secret)
    return replace(_info(context, found), secret=secret)


def enable_webhook(context: Context, project: str, id: str) -> WebhookInfo:  # noqa: A002
    """Let a webhook that was disabled be told of events again, from now on.

    Args:
        project: the project.
        id: its identifier.

    Raises:
        NotFound: no such project or webhook.
        Denied: the actor may not manage the project.
    """
    found, table = _found(context, project, id), Webhooks(context.store.exchange)
    if found.state != ACTIVE:
        table.enable(found.id, context.store.ledger.length(project))
    return _info(context, table.get(found.id))


def test_webhook(context: Context, project: str, id: str) -> WebhookTest:  # noqa: A002
    """Send a message of the type ``test`` to a webhook now, and return whether it was delivered.

    Args:
        project: the project.
        id: its identifier.

    Raises:
        NotFound: no such project or webhook.
        Denied: the actor may not manage the project.
    """
    found, store = _found(context, project, id), context.store
    notice = replace(message(store, found, "test", {}), due=time.time())
    try:
        delivering.deliver(store, notice)
    except Error as error:
        return WebhookTest(False, str(error))
    return WebhookTest(True)


def _found(context: Context, project: str, id: str) -> Webhook:  # noqa: A002
    context.require(project, Right.MANAGE)
    found = Webhooks(context.store.exchange).get(id)
    if found.project != project:
        raise NotFound(f"there is no webhook {id[:80]!r}")
    return found


def _info(context: Context, found: Webhook) -> WebhookInfo:
    values = {name: getattr(found, name) for name in WebhookInfo.__slots__ if name != "secret"}
    return WebhookInfo(**{**values, "by": context.store.accounts.names().get(found.by, found.by)})


def _events(events: Sequence[str], coverage: float | None, hours: int | None) -> tuple[str, ...]:
    """Return the chosen events, in the order of the table, after checking them and the limits."""
    if unknown := [event for event in events if event not in EVENTS]:
        raise UsageError(f"{unknown[0][:40]!r} is not an event; there are: {', '.join(EVENTS)}")
    chosen = tuple(event for event in EVENTS if event in (events or _DEFAULT))
    for event, limit, words in (
        ("coverage", coverage, "a coverage in percent"),
        ("silent", hours, "a number of hours"),
    ):
        if (event in chosen) != (limit is not None):
            raise UsageError(f"the event {event!r} and {words} belong together: give both, or neither")
    if coverage is not None and not 0 < coverage <= 100:
        raise UsageError("the limit of the coverage is more than 0 and at most 100 percent")
    if hours is not None and not 1 <= hours <= 8_760:
        raise UsageError("silence is an event after 1 to 8,760 hours")
    return chosen


def _address(url: str) -> None:
    parts = web_address(url) if len(url) <= _LONGEST and is_iri(url) and url.isascii() else None
    if parts is None or parts.fragment or "@" in urlsplit(url).netloc:
        raise UsageError(
            f"{url[:120]!r} is not the address of a receiver: write an http or https URL of at most {_LONGEST:,} "
            "characters, without a user name and without a fragment"
        )
