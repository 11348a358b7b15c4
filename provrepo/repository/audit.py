"""The verb ``audit``: changes from the ledger, and accesses from the access log."""

from __future__ import annotations

import csv
import heapq
import io
import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from provrepo.codecs.results import FORMULA
from provrepo.errors import NotFound, TimedOut, UsageError
from provrepo.ledger.entries import REPOSITORY, Entry, timestamp
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.repository.context import Context
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.people.roles import Right

__all__ = ["Audit", "AuditEvent", "audit"]

_BETWEEN = 1000
"""Events between two checks of the deadline."""

HINT = "a day such as 2026-01-31, or a time with its zone such as 2026-01-31T12:00:00Z"
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


_IN_LEDGER = frozenset(
    {Action.SUBMIT, Action.WITHDRAW, Action.ERASE, Action.SETTINGS, Action.PENDING, Action.REVIEW, Action.EXCHANGE}
)
_OVER_PROJECT = frozenset({Action.QUERY, Action.LINEAGE, Action.SEARCH, Action.READ})
"""Actions that, without a document, read a whole project, so that each of its documents may have been read.

``read`` without a document is a package of the project."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A change, or an answered request.

    Attributes:
        id: identifies an entry or a line of the access log; unique together with the time.
        time: xsd:dateTime in UTC.
        action: a kind of ledger entries, or ``read``, ``list``, ``query``, ``lineage``, ``search``, ``check``,
            ``pingback``, ``discard``, ``audit``, ``sign-in``,
            ``token``.
        project: the project; empty if the event concerns none in particular.
        document: the document; empty if the event concerns none in particular.
        version: the version; None if the event concerns none in particular.
        actor: opaque identifier of the actor; empty for an anonymous client.
        name: the current name of the actor.
        token: identifier of the token; empty for the local owner and anonymous clients.
        method: the HTTP method; empty for a change.
        route: the pattern of the request's path.
        status: the status code of the response.
        bytes: the size of the response's body.
        request: the identifier of the request.
        network: the network of an anonymous client, if the settings enable its recording.
    """

    id: str
    time: str
    action: str
    project: str = ""
    document: str = ""
    version: int | None = None
    actor: str = ""
    name: str = ""
    token: str = ""
    method: str = ""
    route: str = ""
    status: int | None = None
    bytes: int | None = None
    request: str = ""
    network: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    @property
    def key(self) -> str:
        """The sort key of the event, which is a value for ``after``."""
        return f"{self.time}~{self.id}"


@dataclass(frozen=True, slots=True)
class Audit:
    """Changes and accesses in a period.

    Attributes:
        project: the project; None for the whole repository.
        document: the document; None for the whole project.
        events: a page of events, in the requested order.
        counts: the number of events of each action in the period, listed or not. For one document ``query``,
            ``lineage`` and ``search`` count those of its whole project, and ``read`` also packages of the project.
        unreadable: the number of damaged lines of the access log.
        following: the value of ``after`` for the next page; None at the end.
    """

    project: str | None
    document: str | None
    events: tuple[AuditEvent, ...]
    counts: Mapping[str, int]
    unreadable: int = 0
    following: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "project": self.project,
            "document": self.document,
            "counts": dict(self.counts),
            "unreadable": self.unreadable,
            "following": self.following,
            "events": [event.to_dict() for event in self.events],
        }

    def to_csv(self) -> str:
        """Return the events as CSV (RFC 4180) with a header line."""
        text = io.StringIO(newline="")
        fields = tuple(AuditEvent.__dataclass_fields__)
        writer = csv.writer(text)
        writer.writerow(fields)
        for event in self.events:
            writer.writerow([_cell(getattr(event, field)) for field in fields])
        return text.getvalue()


def _cell(value: object) -> object:
    """Return a value that a spreadsheet does not evaluate as a formula, since names may begin with any character."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def audit(
    context: Context,
    project: str | None = None,
    name: str | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    by: str | None = None,
    action: str | None = None,
    refused: bool = False,
    after: str | None = None,
    limit: int = PAGE_SIZE,
    newest: bool = False,
) -> Audit:
    """List changes and accesses of a document, a project, or the whole repository.

    Changes come from the ledger and are permanent. Accesses come from the access log of the server, which is kept for
    ``audit_days``. Reading by the local owner without a server is not recorded.

    Args:
        project: the project; None for the whole repository.
        name: the document; None for the whole project.
        since: the first day or time.
        until: the last day, or a time that is later than all listed events.
        by: only events of this actor: a name, or the identifier of an actor or token.
        action: only events of this action.
        refused: list refused requests (401, 403, 404, 429 and so on) instead of successful ones.
        after: ``following`` of the last page.
        limit: the most events; at most 1,000.
        newest: the newest events first.

    Raises:
        NotFound: no such project or document.
        Denied: the actor may not change the project; or is not the owner, for the whole repository.
        UsageError: unknown action, or malformed time.
        TimedOut: reading the log takes longer than the deadline of a query; the owner has no deadline.
    """
    if project is None:
        context.require_owner("may see who did what in the whole repository")
    else:
        context.require(project, Right.CURATE)
    if not 1 <= limit <= MAX_PAGE_SIZE:
        raise UsageError(f"an audit lists from 1 to {MAX_PAGE_SIZE:,} events, not {limit}")
    if action is not None and action not in list(Action):
        raise UsageError(f"unknown action {action[:100]!r}; there are: {', '.join(Action)}")
    if name is not None and (project is None or context.store.ledger.last(project, name) is None):
        raise NotFound(f"there is no document {name[:100]!r} in project {project!r}")
    first, last = _period(since, until)
    names = context.store.accounts.names()
    deadline = math.inf if context.actor.owner else time.monotonic() + context.seconds(None)
    unreadable = read = 0

    def check_deadline() -> None:
        nonlocal read
        read += 1
        if read % _BETWEEN == 0 and time.monotonic() > deadline:
            raise TimedOut(
                "the access log is too long to be read in time; choose a shorter period with since= and until="
            )

    def damaged() -> None:
        nonlocal unreadable
        unreadable += 1

    counts: Counter[str] = Counter()

    def matching() -> Iterator[AuditEvent]:
        for event in _events(context, project, (first, last), names, damaged):
            check_deadline()
            if not first <= event.time < last or (event.status is not None and event.status >= 400) != refused:
                continue
            if (refused and event.status is None) or (by is not None and not _is_by(event, by)):
                continue
            if name is not None and event.document != name:
                # A query of the whole project may have read the document.
                if not event.document and event.action in _OVER_PROJECT and action in (None, event.action):
                    counts[event.action] += 1
                continue
            if action is None or event.action == action:
                counts[event.action] += 1
                if after is None or (event.key < after if newest else event.key > after):
                    yield event

    first_of = heapq.nlargest if newest else heapq.nsmallest
    found = first_of(limit + 1, matching(), key=lambda event: event.key)
    shown = tuple(found[:limit])
    following = shown[-1].key if len(found) > limit else None
    return Audit(project, name, shown, dict(sorted(counts.items())), unreadable, following)


def _events(
    context: Context,
    project: str | None,
    period: tuple[str, str],
    names: Mapping[str, str],
    damaged: Callable[[], None],
) -> Iterator[AuditEvent]:
    store = context.store
    for stream in [project] if project is not None else [REPOSITORY, *store.ledger.projects()]:
        own = actor_names(store, stream)
        for entry in store.ledger.entries(stream, every=True):
            yield _change(entry, own)
    having = b"" if project is None else json.dumps(project).encode()
    for position, line in store.access_log.lines(first=period[0][:10], last=period[1][:10], having=having):
        found = None if line is None else _access(position, line, project, names)
        if found is None:
            damaged()
        # Changes are listed from the ledger; only refused attempts are listed from the access log.
        elif project in (None, found.project) and (found.action not in _IN_LEDGER or (found.status or 0) >= 400):
            yield found


def _change(entry: Entry, names: Mapping[str, str]) -> AuditEvent:
    fields = entry.fields
    version = fields.get("version")
    return AuditEvent(
        f"{entry.project}/{entry.sequence:012}",
        entry.time,
        entry.kind,
        entry.project,
        str(fields.get("document", "")),
        version if isinstance(version, int) else None,
        entry.actor,
        names.get(entry.actor, entry.actor),
        str(fields.get("token", "")),
    )


_TEXT = ("time", "action", "document", "actor", "token", "method", "route", "request", "network")
_NUMBERS = ("version", "status", "bytes")


def _access(position: str, line: Mapping[str, Any], project: str | None, names: Mapping[str, str]) -> AuditEvent | None:
    """Return a line of the access log as an event; None if the line is damaged.

    Args:
        position: of the line.
        line: its JSON object.
        project: the project that is audited; None for the whole repository.
        names: the names of actors by identifier.
    """
    texts: dict[str, Any] = {field: line.get(field, "") for field in _TEXT}
    numbers: dict[str, Any] = {field: line.get(field) for field in _NUMBERS}
    projects = line.get("projects", [])
    if not (
        all(isinstance(value, str) for value in texts.values())
        and all(value is None or (isinstance(value, int) and not isinstance(value, bool)) for value in numbers.values())
        and isinstance(projects, list)
        and all(isinstance(found, str) for found in projects)
        and _TIME.fullmatch(texts["time"])
        and texts["action"]
        and all(_is_unicode(value) for value in (*texts.values(), *projects))
    ):
        return None
    # Writers of one project must not see the names of other projects in an answer.
    shown = (project if project in projects else "") if project is not None else ", ".join(projects)
    name = names.get(texts["actor"], texts["actor"]) or "anonymous"
    return AuditEvent(id=position, project=shown or "", name=name, **texts, **numbers)


def _is_unicode(value: str) -> bool:
    """Return whether a text has no lone surrogate, which JSON can escape (RFC 8259, section 8.2)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_by(event: AuditEvent, who: str) -> bool:
    return who in {event.name, event.actor, event.token} - {""}


def _period(since: str | None, until: str | None) -> tuple[str, str]:
    """Return the first time and the time after the last, as strings that compare with the times of events."""
    first = _time(since, "since", end=False) if since is not None else ""
    return first, _time(until, "until", end=True) if until is not None else "9999"


def _time(value: str, which: str, *, end: bool) -> str:
    if _TIME.fullmatch(value):
        try:
            found = datetime.fromisoformat(value)
            if found.tzinfo is not None:
                return timestamp(found)
            # A time of this day begins with the day and "T"; "U" sorts after it.
            return f"{value}U" if end else value
        except (ValueError, OverflowError):
            pass  # well-formed, but no such day or hour
    raise UsageError(f"{which} {value[:100]!r}: write {HINT}")
