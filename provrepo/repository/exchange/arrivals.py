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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provrepo.checks.report import Report
from provrepo.codecs.formats import Source, by_name, check_base, content
from provrepo.errors import Conflict, Denied, OverQuota, Refused, TakenBack, TooLarge, UsageError
from provrepo.ledger.entries import canonical, now, timestamp
from provrepo.ledger.exchange.peers import AT_ONCE, Peer
from provrepo.ledger.exchange.pending import ARRIVING, EXPIRED, REJECTED, WAITING, Pending, new_id, new_salt
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange import decisions, messages, rights
from provrepo.repository.exchange.messages import Message
from provrepo.repository.exchange.records import PendingInfo, pending_info
from provrepo.repository.people.roles import Right
from provrepo.repository.profiles import user_defined
from provrepo.repository.store import Store
from provrepo.repository.submission.checking import run_worker
from provrepo.repository.submission.submit import name_for
from provrepo.words import counted

__all__ = ["receive", "submit_for_review"]

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
    _within(store, data)
    said = messages.parse(message, data)
    _same_repository(store, peer, said)
    # The digest of the entry covers everything that the message says about the version.
    key = _key("push", project, peer.name, said.identity, said.entry)
    arrival = _Arrival(
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
    row, new = _arrive(context, project, data, arrival, quota=peer)
    if row.state == ARRIVING and _at_once(store, project, peer):
        row = _accepted(context, row)
    if row.state == ARRIVING:
        row = _waiting(context, row)
    store.peers.contacted(peer.name, identity=said.identity, setup=said.setup)
    return pending_info(context, row), new


def submit_for_review(
    context: Context,
    source: Source,
    *,
    project: str,
    name: str | None = None,
    profiles: Sequence[str] = (),
    update: bool = False,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    note: str = "",
    allow_empty: bool = False,
    if_match: str | None = None,
    refused: bool = False,
) -> tuple[PendingInfo, bool]:
    """Submit a document that waits until a reviewer accepts it.

    Args:
        source: a path, the bytes, or a binary file object.
        project: the project.
        name: the name of the document; by default the name of the file, or part of the digest.
        profiles: names of profiles in addition to those of the project.
        update: append a new version if the document exists when it is accepted.
        format: the name of its format; detected by default.
        base: the IRI against which relative IRIs are resolved.
        note: a note of the submitter.
        allow_empty: accept a document without statements.
        if_match: accept it only while the current version has this SHA-256, or there is any for ``"*"``.
        refused: store it also if it does not conform, so that it has an address at which its submitter and reviewers
            see what to mend. It cannot be accepted before it conforms.

    Returns:
        Its record, and whether it is new: the same bytes under the same name from the same actor wait once.

    Raises:
        NotFound: no such project.
        Denied: the actor may not change the project.
        ReadError: the document cannot be read.
        Refused: the document does not conform, and ``refused`` is not set; nothing is stored.
        Conflict: these bytes were rejected before.
        TooLarge: it is larger than the settings allow.
    """
    data, file = content(source)
    context.require_change(project, Right.SUBMIT)
    if format is not None:
        by_name(format)
    check_base(base)
    access.text("note", note)
    _within(context.store, data)
    blob = hashlib.sha256(data).hexdigest()
    document = access.name("document", name) if name is not None else name_for(file, blob)
    details = {"update": update, "allow_empty": allow_empty, "profiles": list(profiles), "refused": refused}
    details |= {"if_match": if_match} if if_match else {}
    arrival = _Arrival(
        key=_key(
            "refused" if refused else "review", project, context.actor.id, document, blob, note, *sorted(profiles)
        ),
        why="review",
        peer="",
        document=document,
        format=format,
        base=base or "",
        note=note,
        origin=None,
        details=details,
    )
    row, new = _arrive(context, project, data, arrival)
    if row.state == ARRIVING:
        row = _waiting(context, row)
    return pending_info(context, row), new


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What arrives, besides its bytes; the fields are those of ``Pending``."""

    key: str
    why: str
    peer: str
    document: str
    format: str | None
    base: str
    note: str
    origin: Mapping[str, Any] | None
    details: Mapping[str, Any]


def _arrive(
    context: Context, project: str, data: bytes, arrival: _Arrival, *, quota: Peer | None = None
) -> tuple[Pending, bool]:
    """Return the row of an arrival, checked and stored if there is none, and whether it is new."""
    store = context.store
    store.ledger.require_own(project)
    context.require_active(project)
    decisions.expire(store)
    known = store.parts.pending.by_key(arrival.key)
    if known is not None:
        known = decisions.settled(store, known)
        if known.open or (known.state != EXPIRED and arrival.why == "push"):
            return known, False
        if known.state == REJECTED and known.by != known.actor:
            why = f": {known.reason}" if known.reason else ""
            raise Conflict(f"these bytes were rejected as {known.name} at {known.decided}{why}; submit changed ones")
        store.parts.pending.remove(known.id)
    if quota is not None:
        _within_quota(store, quota, len(data))
    store.require_space(len(data))
    with store.ledger.stream(project) as stream:
        stream.require_room(arrival.document, len(data), waiting=store.parts.pending.load_of(project))
    report, title = _checked(store, project, data, arrival)
    outcome = report.to_dict()
    kept = bool(arrival.details.get("refused"))
    days = store.settings.kept_days if kept else store.settings.pending_days
    row = Pending(
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
        details={"title": title, **arrival.details},
        size=len(data),
        report=outcome,
        received=now(),
        expires=timestamp(datetime.now(UTC) + timedelta(days=days)) if days else None,
        after=store.ledger.length(project),
    )
    limits = None if quota is None else (quota.quota_documents, quota.quota_bytes)
    stored = store.parts.pending.add(row, data, limits=limits)
    if stored is None:
        raise _used_up(quota)
    return stored, stored.id == row.id


def _checked(store: Store, project: str, data: bytes, arrival: _Arrival) -> tuple[Report, str]:
    """Return the report of the checks on arrival, which are those of a submission, and the title of the document.

    Raises:
        ReadError: the document cannot be read.
        Refused: it does not conform.
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
    if arrival.details.get("refused"):
        return report, str(result["title"])
    if not result["accepted"]:
        raise Refused(f"{arrival.document} does not conform: {report.count_text()}", report)
    return report, str(result["title"])


def _waiting(context: Context, row: Pending) -> Pending:
    """Append the entry about a document that arrived, unless there is one, and let it wait."""
    store = context.store
    with store.ledger.appending(row.project) as appending:
        entry = decisions.find(appending, row, "pending") or appending.append(
            "pending",
            {
                "pending": row.id,
                "why": "refused" if row.refused else row.why,
                "digest": row.digest,
                "expires": row.expires,
            },
            actor=row.actor,
            token=row.token,
        )
    store.parts.pending.change(row.id, only=(ARRIVING,), state=WAITING, entry=entry.sha256)
    return store.parts.pending.get(row.id)


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


def _within(store: Store, data: bytes) -> None:
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


def _key(*parts: str) -> str:
    return hashlib.sha256(canonical({"parts": list(parts)})).hexdigest()


def _report_bytes(outcome: Mapping[str, Any]) -> bytes:
    return json.dumps(outcome, ensure_ascii=False, sort_keys=True).encode()
