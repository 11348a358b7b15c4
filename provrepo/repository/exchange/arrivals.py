"""The arrival of documents that wait for a review: pushed by peers, or submitted under review.

A document arrives in these steps. A process that is killed between two of them leaves a state from which the next
delivery of the same document continues:

1. The document is read and checked. Nothing is stored of one that does not conform.
2. Bytes and metadata are stored beside the ledger, in the state ``arriving``.
3. The entry ``pending`` is appended, unless it was appended before.
4. The state becomes ``waiting``, and the sender gets an answer.

A document that is accepted at once skips steps 3 and 4, and is decided on in the state ``arriving``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provrepo.checks.report import Report
from provrepo.errors import Conflict, Denied, OverQuota, Refused, TakenBack, TooLarge, UsageError
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import Entry, canonical, now, timestamp
from provrepo.ledger.exchange.peers import AT_ONCE, Peer
from provrepo.ledger.exchange.pending import ARRIVING, EXPIRED, REJECTED, WAITING, Pending, new_id, new_salt
from provrepo.repository.context import Context
from provrepo.repository.exchange import decisions, messages, rights
from provrepo.repository.exchange.messages import Message
from provrepo.repository.exchange.records import PendingInfo, pending_info
from provrepo.repository.profiles import user_defined
from provrepo.repository.store import Store
from provrepo.repository.submission.checking import run_worker
from provrepo.words import counted

__all__ = ["Arrival", "appended", "arrive", "key_of", "known_row", "new_row", "receive", "waiting", "within"]

_RETRY = 3600.0
"""Seconds after which a peer should try again whose quota is used up."""


def receive(context: Context, project: str, data: bytes, message: bytes) -> tuple[PendingInfo, bool]:
    """Take a version that a peer sends. It waits for a review, or is accepted at once if the peer or project says so.

    Receiving the same version again changes nothing and returns its present state.

    Args:
        project: the project here.
        data: the bytes of the document.
        message: the message about the version (``repository.exchange.messages``).

    Returns:
        Its record, and whether it is new.

    Raises:
        NotFound: no such project, or the peer may not send to it.
        Denied: the actor is not a peer, or the repository is not the one that the peer was before.
        UsageError: the message is malformed, contradicts the bytes, or comes from this repository itself.
        ReadError: the document cannot be read.
        Refused: the document does not conform to the profiles of project and peer; nothing is stored.
        TooLarge: it is larger than the settings or the quota of the peer allow.
        OverQuota: the quota of the peer is used up at present.
    """
    peer = rights.require_send(context, project)
    if peer is None:
        raise Denied(f"{context.actor.name} is not a peer that may send versions to {project!r}")
    store = context.store
    within(store, data)
    said = messages.parse(message, data)
    _same_repository(store, peer, said)
    # The digest of the entry covers everything that the message says about the version.
    key = key_of("push", project, peer.name, said.identity, said.entry)
    arrival = Arrival(
        key=key,
        why="push",
        peer=peer.name,
        document=said.document,
        format=str(said.fields["format"]),
        base=str(said.fields["base"]),
        note=str(said.fields["note"]),
        origin=said.origin(peer.name),
        details={
            "license": said.license,
            "submitter": said.submitter,
            "submitted": str(said.fields["time"]),
            "profiles": list(peer.profiles),
        },
    )
    row, new = arrive(context, project, data, arrival, quota=peer)
    if row.state == ARRIVING and _at_once(store, project, peer):
        row = _accepted(context, row)
    if row.state == ARRIVING:
        row = waiting(context, row)
    store.peers.contacted(peer.name, identity=said.identity, setup=said.setup)
    return pending_info(context, row), new


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document that arrives, besides its bytes; the fields are those of ``Pending``."""

    key: str
    why: str
    peer: str
    document: str
    format: str | None
    base: str
    note: str
    origin: Mapping[str, Any] | None
    details: Mapping[str, Any]


def arrive(
    context: Context, project: str, data: bytes, arrival: Arrival, *, quota: Peer | None = None
) -> tuple[Pending, bool]:
    """Return the row of an arrival, checked and stored if there is none, and whether it is new."""
    store = context.store
    store.ledger.require_own(project)
    context.require_active(project)
    decisions.expire(store)
    known = known_row(store, arrival)
    if known is not None:
        return known, False
    if quota is not None:
        _within_quota(store, quota, len(data))
    row = new_row(context, project, data, arrival)
    limits = None if quota is None else (quota.quota_documents, quota.quota_bytes)
    stored = store.parts.pending.add(row, data, limits=limits)
    if stored is None:
        raise _used_up(quota)
    return stored, stored.id == row.id


def known_row(store: Store, arrival: Arrival) -> Pending | None:
    """Return the row of a document that arrived before, unless it can arrive again, which deletes that row.

    Raises:
        Conflict: these bytes were submitted before, and a reviewer has rejected them.
    """
    known = store.parts.pending.by_key(arrival.key)
    if known is None:
        return None
    known = decisions.settled(store, known)
    if known.open or (known.state != EXPIRED and arrival.why == "push"):
        return known
    if known.state == REJECTED and known.by != known.actor:
        why = f": {known.reason}" if known.reason else ""
        raise Conflict(f"these bytes were rejected as {known.name} at {known.decided}{why}; submit changed ones")
    store.parts.pending.remove(known.id)
    return None


def new_row(context: Context, project: str, data: bytes, arrival: Arrival, *, former: Pending | None = None) -> Pending:
    """Check a document that arrives and return its row, which is not stored yet.

    Args:
        context: the data directory and the actor.
        project: the project.
        data: the bytes.
        arrival: what arrives.
        former: the row that it is to replace, which does not count any more; None for none.

    Raises:
        ReadError, Refused, NoSpace, ProjectFull: as ``receive`` does.
    """
    store = context.store
    store.require_space(len(data))
    with store.ledger.stream(project) as stream:
        documents, stored = store.parts.pending.load_of(project)
        load = (documents, stored) if former is None else (documents - 1, stored - former.size)
        stream.require_room(arrival.document, len(data), waiting=load)
    report, title, accepted = _checked(store, project, data, arrival)
    outcome = report.to_dict()
    refused = bool(arrival.details.get("refused")) and not accepted
    days = store.settings.kept_days if refused else store.settings.pending_days
    return Pending(
        id=new_id(),
        key=arrival.key,
        project=project,
        why=arrival.why,
        peer=arrival.peer,
        actor=context.actor.id,
        token=context.actor.token,
        private={
            "document": arrival.document,
            "blob": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "format": arrival.format or report.format or "",
            "base": arrival.base,
            "report": hashlib.sha256(_report_bytes(outcome)).hexdigest(),
            "note": arrival.note,
            "origin": None if arrival.origin is None else dict(arrival.origin),
        },
        salt=new_salt(),
        details={**arrival.details, "title": title, "refused": refused},
        size=len(data),
        report=outcome,
        received=now(),
        expires=timestamp(datetime.now(UTC) + timedelta(days=days)) if days else None,
        after=store.ledger.length(project),
    )


def _checked(store: Store, project: str, data: bytes, arrival: Arrival) -> tuple[Report, str, bool]:
    """Return the report of the checks on arrival, which are those of a submission, the title, and whether it conforms.

    Raises:
        ReadError: the document cannot be read.
        Refused: it does not conform, and is not kept in that case.
    """
    names = [*store.ledger.settings(project).get("profiles", []), *arrival.details.get("profiles", [])]
    allow_empty = bool(arrival.details.get("allow_empty"))
    arguments = {
        "format": arrival.format,
        "base": arrival.base or None,
        "profiles": user_defined.folders(store, project, list(dict.fromkeys(names))),
        "without_profiles": "report",
        "allow_empty": allow_empty,
    }
    result = run_worker(store, data, None, arguments)
    report = Report.from_dict(result["report"])
    accepted = bool(result["accepted"])
    if not accepted and not arrival.details.get("refused"):
        raise Refused(f"{arrival.document} does not conform: {report.count_text()}", report)
    return report, str(result["title"]), accepted


def waiting(context: Context, row: Pending) -> Pending:
    """Append the entry about a document that arrived, unless there is one, and let it wait."""
    store = context.store
    with store.ledger.appending(row.project) as appending:
        entry = appended(appending, row)
    store.parts.pending.change(row.id, only=(ARRIVING,), state=WAITING, entry=entry.sha256)
    return store.parts.pending.get(row.id)


def appended(appending: Appending, row: Pending) -> Entry:
    """Return the entry about the present round of a document, which is appended unless there is one."""
    known = decisions.find(appending, row, "pending")
    if known is not None and known.body["digest"] == row.digest:
        return known
    body = {
        "pending": row.id,
        "why": "refused" if row.refused else row.why,
        "digest": row.digest,
        "expires": row.expires,
    }
    return appending.append("pending", body, actor=row.actor, token=row.token)


def _accepted(context: Context, row: Pending) -> Pending:
    """Accept a document at once. If a reviewer has to decide about its name, it is returned as it is."""
    try:
        return decisions.accept(context.store, row, by=None)
    except (Conflict, TakenBack, Denied):
        return context.store.parts.pending.get(row.id)


def _at_once(store: Store, project: str, peer: Peer) -> bool:
    """Return whether documents of a peer are accepted at once: the project decides, if its setting says so."""
    wanted = store.ledger.settings(project).get("pushes", "as-peer")
    return bool(wanted == AT_ONCE or (wanted == "as-peer" and peer.accepts == AT_ONCE))


def _same_repository(store: Store, peer: Peer, said: Message) -> None:
    if said.identity == store.ledger.identity().id:
        raise UsageError(f"the version comes from this repository itself ({said.identity}), or from a copy of it")
    if peer.identity and peer.identity != said.identity:
        raise Denied(
            f"the repository of {peer.name} was {peer.identity} until now and says that it is {said.identity}; its "
            f"operator here allows the change with `provrepo peers set {peer.name} --identity UUID`"
        )


def within(store: Store, data: bytes) -> None:
    """Raise TooLarge if a document has more bytes than the settings allow."""
    limit = store.settings.max_body
    if len(data) > limit:
        raise TooLarge(f"{len(data):,} bytes are more than the limit of {limit:,} for one document")


def _within_quota(store: Store, peer: Peer, size: int) -> None:
    """Refuse a document beyond the quota of a peer.

    Raises:
        TooLarge: it is larger than the whole quota.
        OverQuota: the quota is used up by documents that wait.
    """
    if size > peer.quota_bytes or not peer.quota_documents:
        raise TooLarge(
            f"the quota of {peer.name} here is {counted(peer.quota_documents, 'document')} and "
            f"{counted(peer.quota_bytes, 'byte')}; this document has {size:,}"
        )
    documents, stored = store.parts.pending.load(peer.name)
    if documents + 1 > peer.quota_documents or stored + size > peer.quota_bytes:
        raise _used_up(peer)


def _used_up(peer: Peer | None) -> OverQuota:
    return OverQuota(
        f"the quota of {peer.name if peer else ''} here is used up by documents that wait for a review",
        retry_after=_RETRY,
    )


def key_of(*parts: str) -> str:
    """Return the key of a document: a digest of what makes two deliveries of it the same one."""
    return hashlib.sha256(canonical({"parts": list(parts)})).hexdigest()


def _report_bytes(outcome: Mapping[str, Any]) -> bytes:
    return json.dumps(outcome, ensure_ascii=False, sort_keys=True).encode()
