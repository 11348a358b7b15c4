"""Decisions on documents that wait: accepted, rejected, given up, expired; or changes are asked for.

The ledger decides: the entry ``review`` (and for a document of a peer that is accepted at once, the entry
``exchange``) is appended in one transaction with the entry of the submission, and only if there is none yet. The row
beside the ledger is changed before and after that. If the process is killed in between, ``settled`` corrects the row.

A decision is on the bytes of the last entry ``pending``: if the sender has replaced them meanwhile, or a reviewer has
asked for changes, it is refused inside the transaction. So of two decisions, or a decision and a replacement, one is
first and the other is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provrepo.errors import Conflict, NotFound
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import Entry, now, timestamp
from provrepo.ledger.exchange.pending import (
    ACCEPTED,
    ARRIVING,
    CHANGES,
    DECIDING,
    EXPIRED,
    OPEN,
    REJECTED,
    WAITING,
    Pending,
)
from provrepo.ledger.streams import Stream
from provrepo.repository import access
from provrepo.repository.records import Actor
from provrepo.repository.store import Store
from provrepo.repository.submission.submit import submit

__all__ = ["accept", "ask", "expire", "find", "problems", "reject", "require_undecided", "settled"]


def find(stream: Stream, row: Pending, kind: str) -> Entry | None:
    """Return the last entry ``pending`` or ``review`` about a document that waits or waited; None if there is none."""
    found = stream.of_kind(kind, after=row.after)
    return next((entry for entry in reversed(found) if entry.body["pending"] == row.id), None)


def accept(
    store: Store,
    row: Pending,
    *,
    by: Actor | None,
    reason: str = "",
    name: str | None = None,
    update: bool = False,
    again: bool = False,
    replaces: str | None = None,
    if_match: str | None = None,
) -> Pending:
    """Submit a document that waits, in the name of its sender.

    It is checked again. The entries about the decision, the submission and the exchange are appended in one
    transaction.

    Args:
        store: the data directory.
        row: the document.
        by: the reviewer; None if it is accepted at once.
        reason: for the sender; may be empty.
        name: the name of the document; None for the one that the sender chose.
        update: append a new version if the document exists, whichever version is current. A version from the
            same document of the same peer is replaced in any case.
        again: accept bytes that were withdrawn before.
        replaces: the SHA-256 of the version to replace, instead of what the sender has said; None for that.
        if_match: the SHA-256 of the bytes that the reviewer has seen; None for no condition.

    Returns:
        The row after the decision.

    Raises:
        Conflict: a decision was made already, the bytes were replaced, changes were asked for, or the document exists
            with other bytes.
        Stale: the version that the sender wanted to replace is not the current one.
        TakenBack, Refused, Denied: as for ``Repository.submit``.
    """
    document = row.private["document"] if name is None else access.name("document", name)
    row = _begun(store, row, by=by, reason=reason, document=document, if_match=if_match)
    recording = _Acceptance(row, by)
    private, details = row.private, row.details
    names = store.accounts.names()
    sender = Actor(row.actor, names.get(row.actor, row.actor), projects=(row.project,), write=True, token=row.token)
    try:
        receipt = submit(
            store,
            sender,
            _bytes(store, row),
            None,
            project=row.project,
            name=document,
            profiles=tuple(details.get("profiles", ())),
            update=update or bool(details.get("update")) or _continues(store, row, document),
            if_match=replaces or (None if update else details.get("if_match")),
            format=private["format"] or None,
            base=private["base"] or None,
            note=private["note"],
            again=again,
            allow_empty=bool(details.get("allow_empty")),
            origin=private["origin"],
            license=str(details.get("license", "")),
            recording=recording,
        )
    except BaseException:
        settled(store, replace(row, state=DECIDING))
        store.parts.pending.change(row.id, only=(DECIDING,), state=WAITING, by="", reason="", document="")
        raise
    review = "" if recording.review is None else recording.review.sha256
    store.parts.pending.change(
        row.id,
        state=ACCEPTED,
        decided=now(),
        by="" if by is None else by.id,
        reason=reason,
        review=review,
        version=receipt.version.version,
        accepted=receipt.entry,
        document=document,
    )
    return store.parts.pending.get(row.id)


def _bytes(store: Store, row: Pending) -> bytes:
    """Return the bytes of a document on which a decision is being made.

    Raises:
        Conflict: another decision was made meanwhile, which has deleted them.
    """
    try:
        return store.parts.pending.bytes_of(row.id)
    except NotFound as error:
        raise Conflict(f"the document {row.id} does not wait any more: a decision was made meanwhile") from error


def reject(store: Store, row: Pending, *, by: Actor, reason: str, if_match: str | None = None) -> Pending:
    """Reject a document that waits, and delete its bytes; its own submitter gives it up.

    Raises:
        Conflict: a decision was made already, or it has other bytes than those of ``if_match``.
    """
    row = _begun(store, row, by=by, reason=reason, document="", if_match=if_match, states=(*_DECIDABLE, CHANGES))
    try:
        own = row.why == "review" and by.id == row.actor
        return _refused(store, row, "given-up" if own else "rejected", by=by, reason=reason)
    except Conflict:
        settled(store, replace(row, state=DECIDING))
        raise


def ask(store: Store, row: Pending, *, by: Actor, reason: str, if_match: str | None = None) -> Pending:
    """Ask the sender of a submission for changes: it waits for the next round, with the comment.

    Raises:
        Conflict: a decision was made already, changes were asked for, or it has other bytes than those of ``if_match``.
    """
    row = _begun(store, row, by=by, reason=reason, document="", if_match=if_match)
    try:
        with store.ledger.appending(row.project) as appending:
            _require_round(appending, row)
            entry = _review(appending, row, "changes", by=by, reason=reason)
    except Conflict:
        settled(store, replace(row, state=DECIDING))
        raise
    asked = {"state": CHANGES, "decided": entry.time, "by": by.id, "reason": reason, "review": entry.sha256}
    store.parts.pending.change(row.id, only=(DECIDING,), **asked)
    return store.parts.pending.get(row.id)


def expire(store: Store) -> int:
    """Delete the documents that have waited too long, and records of decisions that are too old.

    Returns:
        The number of documents that expired.
    """
    if store.read_only or not store.exchange.exists:
        return 0
    with store.exchange.together():
        return _expire(store)


def _expire(store: Store) -> int:
    count = 0
    for row in store.parts.pending.listed(before=now()):
        current = settled(store, row)
        if not current.open:
            continue
        with store.ledger.appending(row.project) as appending:
            recorded = find(appending, row, "pending") is not None
        if recorded:
            try:
                _refused(store, current, "expired", by=None, reason="")
            except Conflict:
                settled(store, replace(current, state=DECIDING))
        else:
            store.parts.pending.remove(row.id)
        count += 1
    if store.settings.pending_days:
        days = timedelta(days=store.settings.pending_days)
        store.parts.pending.purge(timestamp(datetime.now(UTC) - days))
    return count


def settled(store: Store, row: Pending) -> Pending:
    """Return a row, after it was corrected by the ledger if a process was killed while it decided."""
    if row.state not in (ARRIVING, DECIDING) or store.read_only:
        return row
    with store.ledger.stream(row.project) as stream:
        review = find(stream, row, "review")
        if review is not None and review.body["decision"] == "changes":
            return _asked(store, stream, row, review)
        taken = _taken(stream, row)
        submitted = _submitted(stream, row, review, taken)
    decided = review or taken
    if decided is None:
        return row
    values: dict[str, Any] = {"document": ""}
    if review is not None and review.body["decision"] in ("rejected", "expired", "given-up"):
        state = EXPIRED if review.body["decision"] == "expired" else REJECTED
    else:
        state = ACCEPTED
        if submitted is not None:
            values = {"document": submitted.body["document"], "version": submitted.body["version"]}
            values["accepted"] = submitted.sha256
    reason = "" if review is None else store.ledger.confidential(review.body["digest"])
    values |= {"decided": decided.time, "by": decided.actor, "reason": reason}
    store.parts.pending.change(row.id, only=OPEN, state=state, review="" if review is None else review.sha256, **values)
    return store.parts.pending.get(row.id)


def _asked(store: Store, stream: Stream, row: Pending, review: Entry) -> Pending:
    """Return a row, whose last review asks for changes: it waits for them, unless its sender has replaced it since."""
    round_ = find(stream, row, "pending")
    if row.state != DECIDING or round_ is None or round_.sequence > review.sequence:
        return row
    reason = store.ledger.confidential(review.body["digest"])
    asked = {"decided": review.time, "by": review.actor, "reason": reason, "review": review.sha256}
    store.parts.pending.change(row.id, only=(DECIDING,), state=CHANGES, **asked)
    return store.parts.pending.get(row.id)


def problems(store: Store) -> list[str]:
    """Return one sentence for each document that waits and differs from its entry in the ledger."""
    found = []
    for row in store.parts.pending.listed(states=(WAITING, CHANGES, DECIDING)):
        with store.ledger.stream(row.project) as stream:
            entry = find(stream, row, "pending")
        if entry is None or entry.body["digest"] != row.digest:
            found.append(f"the pending document {row.id} of project {row.project} is not the one that the ledger has")
    return found


class _Acceptance:
    """The entries ``review`` and ``exchange`` around that of the submission; see ``submission.submit.Recording``."""

    def __init__(self, row: Pending, by: Actor | None) -> None:
        self._row = row
        self._by = by
        self.review: Entry | None = None

    def before(self, appending: Appending) -> None:
        _require_round(appending, self._row)
        if self._by is not None:
            self.review = _review(appending, self._row, "accepted", by=self._by, reason=self._row.reason)

    def after(self, appending: Appending, entry: Entry) -> None:
        row = self._row
        if row.why != "push":
            return
        actor, token = (row.actor, row.token) if self._by is None else (self._by.id, self._by.token)
        body = {
            "document": entry.body["document"],
            "version": entry.body["version"],
            "blob": entry.body["blob"],
            "direction": "received",
            "peer": row.peer,
            "entry": row.private["origin"]["entry"],
            "state": ACCEPTED,
        }
        appending.append("exchange", body, actor=actor, token=token)


_DECIDABLE = (WAITING, DECIDING)
"""The states in which a document can be accepted, or changes be asked for."""


def _begun(
    store: Store,
    row: Pending,
    *,
    by: Actor | None,
    reason: str,
    document: str,
    if_match: str | None = None,
    states: Sequence[str] = _DECIDABLE,
) -> Pending:
    """Note that a decision is being made, and which one.

    Raises:
        Conflict: a decision was made already, or the bytes are others than those of ``if_match``.
    """
    row = settled(store, row)
    if row.open and if_match is not None and row.private["blob"] != if_match:
        raise Conflict(
            f"the document {row.id} has other bytes than {if_match}: its sender has replaced them; look again"
        )
    if row.open and by is not None:
        values: dict[str, Any] = {"state": DECIDING, "by": by.id, "reason": reason, "document": document}
        if store.parts.pending.change(row.id, only=states, **values):
            # Another reviewer may begin at the same time: what is decided here is what this one has said.
            return replace(row, **values)
        row = store.parts.pending.get(row.id)
    elif row.open:
        store.parts.pending.change(row.id, only=(ARRIVING,), document=document)
        row = store.parts.pending.get(row.id)
    if not row.open:
        raise Conflict(f"the document {row.id} does not wait any more: it was {row.state} at {row.decided}")
    if row.state == ARRIVING and by is not None and row.details.get("rounds"):
        raise Conflict(f"the document {row.id} is being replaced by its sender: look again in a moment")
    if row.state == ARRIVING and by is not None:
        raise NotFound(f"nothing with the identifier {row.id!r} waits for a review")
    if row.state == CHANGES:
        raise Conflict(_ASKED.format(row.id, row.decided))
    return row


def _refused(store: Store, row: Pending, decision: str, *, by: Actor | None, reason: str) -> Pending:
    """Append the entry about a decision without a submission, and change the row."""
    with store.ledger.appending(row.project) as appending:
        if decision == "given-up" or row.state == ARRIVING:  # a replacement may have been interrupted
            require_undecided(appending, row)
        else:
            _require_same(appending, row)
        entry = _review(appending, row, decision, by=by, reason=reason)
    store.parts.pending.change(
        row.id,
        state=EXPIRED if decision == "expired" else REJECTED,
        decided=entry.time,
        by="" if by is None else by.id,
        review=entry.sha256,
        reason=reason,
        document="",
    )
    return store.parts.pending.get(row.id)


def _review(appending: Appending, row: Pending, decision: str, *, by: Actor | None, reason: str) -> Entry:
    body = {"pending": row.id, "decision": decision, "digest": appending.conceal(reason) if reason else ""}
    return appending.append("review", body, actor="" if by is None else by.id, token="" if by is None else by.token)


_ASKED = "the document {0} waits for changes by its sender, asked for at {1}; it can be rejected only"


def _require_round(stream: Stream, row: Pending) -> None:
    """Raise Conflict if the ledger has a decision on a document, another round of it, or asks for changes."""
    round_, review = _require_same(stream, row), find(stream, row, "review")
    if round_ is not None and review is not None and review.sequence > round_.sequence:
        raise Conflict(_ASKED.format(row.id, review.time))


def _require_same(stream: Stream, row: Pending) -> Entry | None:
    """Return the entry of the present round; raise Conflict after a decision, or if a row is of another round."""
    require_undecided(stream, row)
    round_ = find(stream, row, "pending")
    if round_ is not None and round_.body["digest"] != row.digest:
        raise Conflict(f"the document {row.id} was replaced by its sender at {round_.time}: look at it again")
    return round_


def require_undecided(stream: Stream, row: Pending) -> None:
    """Raise Conflict if the ledger has a decision on a document. To ask for changes is none."""
    review = find(stream, row, "review")
    decided = _taken(stream, row) if review is None or review.body["decision"] == "changes" else review
    if decided is not None:
        raise Conflict(f"the document {row.id} does not wait any more: a decision was made at {decided.time}")


def _taken(stream: Stream, row: Pending) -> Entry | None:
    """Return the entry about the acceptance of a pushed version since it arrived; None if there is none."""
    if row.why != "push":
        return None
    wanted = row.private["origin"]["entry"]
    for entry in stream.of_kind("exchange", after=row.after):
        body: Mapping[str, Any] = entry.body
        if body["direction"] == "received" and body["peer"] == row.peer and body["entry"] == wanted:
            return entry
    return None


def _submitted(stream: Stream, row: Pending, review: Entry | None, taken: Entry | None) -> Entry | None:
    """Return the submission of a document that was accepted; None if there is none."""
    if taken is not None:
        return stream.version(taken.body["document"], taken.body["version"])
    if review is None:
        return None
    blob = row.private["blob"]
    following = stream.page(review.sequence, 1)[0]
    if following and following[0].kind == "submit" and following[0].body["blob"] == blob:
        return following[0]
    # The bytes were those of the current version already.
    versions = stream.versions(row.document or row.private["document"])
    before = [entry for entry in versions if entry.sequence < review.sequence and entry.body["blob"] == blob]
    return before[-1] if before else None


def _continues(store: Store, row: Pending, document: str) -> bool:
    """Return whether the current version of a document comes from the same document of the same repository."""
    current = store.ledger.last(row.project, document)
    origin = row.private["origin"]
    if current is None or current.kind != "submit" or origin is None or not current.body["origin"]:
        return False
    former = current.body["origin"]
    return all(former.get(name) == origin[name] for name in ("identity", "project", "document"))
