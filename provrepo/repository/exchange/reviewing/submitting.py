"""Verbs of submitters whose documents wait: to submit for a review, and to replace what waits.

A replacement changes the row and appends its entry ``pending`` inside one transaction of the ledger, in which a
decision would be seen. If the process is killed before that transaction ends, the row is in the state ``arriving`` with
the new bytes: the next attempt of the sender continues from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provrepo.codecs.formats import Source, by_name, check_base, content
from provrepo.errors import Conflict, Denied, NotFound
from provrepo.ledger.exchange.pending import ARRIVING, CHANGES, WAITING, Pending
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange import arrivals, decisions, rights
from provrepo.repository.exchange.arrivals import Arrival
from provrepo.repository.exchange.records import PendingInfo, pending_info
from provrepo.repository.people.roles import Right
from provrepo.repository.submission.submit import name_for

__all__ = ["replace_pending", "submit_for_review", "visible"]


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

    If a document of the actor waits under this name already, it is replaced: with ``update``, after a reviewer has
    asked for changes, or if it was refused and kept.

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
        Conflict: these bytes were rejected before, or other bytes of the actor wait under this name.
        Archived: the project is archived.
        TooLarge: it is larger than the settings allow.
    """
    data, file = content(source)
    context.require_change(project, Right.SUBMIT)
    blob = hashlib.sha256(data).hexdigest()
    document = access.name("document", name) if name is not None else name_for(file, blob)
    details: dict[str, Any] = {"update": update, "allow_empty": allow_empty, "profiles": list(profiles)}
    details |= {"refused": refused, **({"if_match": if_match} if if_match else {})}
    arrival = _arrival(context, project, document, data, details, format, base, note)
    decisions.expire(context.store)
    mine = context.store.parts.pending.of_sender(project, context.actor.id, document)
    mine = None if mine is None else decisions.settled(context.store, mine)
    if mine is not None and mine.open and mine.key != arrival.key:
        if not (update or if_match or mine.refused or mine.state in (CHANGES, ARRIVING)):
            raise Conflict(
                f"{document} waits already, with other bytes, as {mine.id}: submit an update, give it up, or choose "
                "another name"
            )
        return pending_info(context, _replaced(context, mine, data, arrival)), False
    row, new = arrivals.arrive(context, project, data, arrival)
    if row.state == ARRIVING:
        row = arrivals.waiting(context, row)
    return pending_info(context, row), new


def replace_pending(
    context: Context,
    id: str,  # noqa: A002
    source: Source,
    *,
    project: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    note: str | None = None,
    profiles: Sequence[str] | None = None,
) -> PendingInfo:
    """Replace the bytes of a submission that waits. It keeps its identifier and name, and begins its next round.

    Args:
        id: its identifier.
        source: a path, the bytes, or a binary file object.
        project: its project; None for any.
        format: the name of its format; detected by default.
        base: the IRI against which relative IRIs are resolved; by default the one of before.
        note: a note of the submitter; by default the one of before.
        profiles: names of profiles in addition to those of the project; by default those of before.

    Raises:
        NotFound: there is none that the actor may see.
        Denied: the actor has not submitted it, or may not submit to the project any more.
        Conflict: a decision was made, or the bytes were rejected before.
        ReadError: the document cannot be read; what waits is unchanged.
        Refused: it does not conform; what waits is unchanged. One that was refused before is replaced nevertheless.
        Archived: the project is archived.
        TooLarge: it is larger than the settings allow.
    """
    data, _ = content(source)
    row = visible(context, id, project)
    if row.why != "review" or row.actor != context.actor.id:
        raise Denied(
            f"{context.actor.name} has not submitted the document {row.id}, and only its submitter replaces it"
        )
    context.require_change(row.project, Right.SUBMIT)
    details = {name: value for name, value in row.details.items() if name != "rounds"}
    details["profiles"] = details.get("profiles", []) if profiles is None else list(profiles)
    note = str(row.private["note"]) if note is None else note
    base = str(row.private["base"]) if base is None else base
    arrival = _arrival(context, row.project, row.name, data, details, format, base or None, note)
    return pending_info(context, _replaced(context, row, data, arrival))


def visible(context: Context, id: str, project: str | None) -> Pending:  # noqa: A002
    """Return the row of a document that the actor reviews or has sent.

    Raises:
        NotFound: there is none.
    """
    if project is not None:
        rights.require_send(context, project)
    decisions.expire(context.store)
    row = context.store.parts.pending.get(id)
    sent = bool(context.actor.id) and row.actor == context.actor.id
    known = project in (None, row.project) and (sent or rights.may_review(context, row.project))
    if not known or (row.state == ARRIVING and not sent and not row.details.get("rounds")):
        raise NotFound(f"nothing with the identifier {id[:80]!r} waits for a review")
    if row.state == ARRIVING and not sent:
        raise Conflict(f"the document {row.id} is being replaced by its sender: look again in a moment")
    return decisions.settled(context.store, row)


def _arrival(
    context: Context,
    project: str,
    document: str,
    data: bytes,
    details: dict[str, Any],
    format: str | None,  # noqa: A002
    base: str | None,
    note: str,
) -> Arrival:
    """What is submitted, after a check of everything but the bytes."""
    if format is not None:
        by_name(format)
    check_base(base)
    access.text("note", note)
    arrivals.within(context.store, data)
    what = "refused" if details.get("refused") else "review"
    blob = hashlib.sha256(data).hexdigest()
    return Arrival(
        key=arrivals.key_of(what, project, context.actor.id, document, blob, note, *sorted(details["profiles"])),
        why="review",
        peer="",
        document=document,
        format=format,
        base=base or "",
        note=note,
        origin=None,
        details=details,
    )


def _ended(row: Pending) -> list[dict[str, str]]:
    """The round that ends when a row is replaced; none if its own replacement was interrupted."""
    if row.state == ARRIVING:
        return []
    asked = {name: getattr(row, name) if row.state == CHANGES else "" for name in ("decided", "by", "reason")}
    return [{"received": row.received, "sha256": str(row.private["blob"]), **asked}]


def _replaced(context: Context, row: Pending, data: bytes, arrival: Arrival) -> Pending:
    """Store the next round of a document, and return its row.

    Raises:
        Conflict: a decision was made, or the bytes were rejected before.
    """
    store = context.store
    store.ledger.require_own(row.project)
    if row.key == arrival.key and row.state == WAITING:
        return row
    other = arrivals.known_row(store, arrival)
    if other is not None and other.id != row.id:
        raise Conflict(f"these bytes wait already as {other.id}")
    made = arrivals.new_row(context, row.project, data, arrival, former=row)
    with store.ledger.appending(row.project) as appending:
        decisions.require_undecided(appending, row)
        current = store.parts.pending.get(row.id)
        details = {**made.details, "rounds": [*current.details.get("rounds", ()), *_ended(current)]}
        made = replace(made, id=row.id, after=row.after, details=details, state=ARRIVING)
        store.parts.pending.replace(made, data)
        entry = arrivals.appended(appending, made)
    store.parts.pending.change(row.id, only=(ARRIVING,), state=WAITING, entry=entry.sha256)
    store.parts.pending.forget()
    return store.parts.pending.get(row.id)
