"""The verb that sets, moves and lifts embargoes, and the end of those that are due."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from provrepo.errors import Conflict, Mirrored, UsageError
from provrepo.ledger.entries import now, timestamp
from provrepo.ledger.governance import embargoes
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.people.roles import Right
from provrepo.repository.records import ProjectInfo
from provrepo.repository.store import Store
from provrepo.repository.upkeep.periodic import Periodic

__all__ = ["publish_due", "set_embargo", "start"]

_SECONDS = 5.0
"""The pause between two looks at the clock."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def set_embargo(context: Context, project: str, until: str | None, *, reason: str = "") -> ProjectInfo:
    """Keep a project private until a time, at which it becomes public by itself.

    Until then nothing else can make it public. Setting another time moves the end. A lifted embargo leaves the project
    private.

    Args:
        project: the project, which is private.
        until: a date, whose beginning in UTC is meant, or an xsd:dateTime with a time zone; None lifts the embargo.
        reason: shown to every reader of the project; may be empty.

    Raises:
        NotFound: no such project.
        UsageError: it is no time in the future.
        Conflict: the project is public, or there is no embargo to lift.
        Denied: the actor may not manage the project, or it is a mirror.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    context.store.ledger.require_own(project)
    access.text("reason", reason)
    wanted = None if until is None else _time(until)
    with context.store.ledger.appending(project) as appending:
        if appending.settings().get("public"):
            raise Conflict(
                f"project {project} is public, so that others may have copies of it already; to close it until then, "
                f"first call `provrepo project set {project} --private`"
            )
        if wanted is None and not embargoes.find(appending.connection, project):
            raise Conflict(f"project {project} has no embargo")
        embargoes.change(appending, wanted, reason=reason, actor=context.actor.id, token=context.actor.token)
    context.store.index()
    return catalog.project_info(context.store, project, curator=True)


def _time(text: str) -> str:
    """Return a date or time as xsd:dateTime in UTC.

    Raises:
        UsageError: it is neither, has no time zone, or is not in the future.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if _DATE.fullmatch(text):
            parsed = parsed.replace(tzinfo=UTC)
        found = timestamp(parsed)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text[:60]!r} is not the end of an embargo: write a date such as 2027-03-01, whose beginning in UTC is "
            "meant, or a time with a time zone such as 2027-03-01T12:00:00+01:00"
        ) from None
    if found <= now():
        raise UsageError(f"the embargo would end at {found}, which is not in the future")
    return found


def publish_due(store: Store) -> list[str]:
    """Make the projects public whose embargo has ended by the clock of this machine; return their names.

    If the clock is set back before the end of an embargo, the project stays private for that much longer. What was made
    public stays so.
    """
    if store.read_only:
        return []
    with store.ledger.database.reading() as connection:
        ended = embargoes.due(connection, now())
    published = []
    for project in ended:
        try:
            with store.ledger.appending(project) as appending:
                if embargoes.publish(appending, now()):
                    published.append(project)
        except Mirrored:
            continue
    if published:
        store.index()
    return published


def start(store: Store, *, seconds: float = _SECONDS) -> None:
    """Let a server end the embargoes that are due, until the store is closed; those of the past at once."""
    Periodic(store, "ending embargoes", lambda: publish_due(store), seconds=seconds, now=True).start()
