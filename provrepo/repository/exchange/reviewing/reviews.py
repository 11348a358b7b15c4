"""Verbs about documents that wait for a review: curators of the project decide, and nobody on own documents."""

from __future__ import annotations

from provrepo.checks.report import Report
from provrepo.errors import UsageError
from provrepo.ledger.exchange.pending import ARRIVING, Pending
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange import decisions, rights
from provrepo.repository.exchange.records import PendingInfo, pending_info
from provrepo.repository.exchange.reviewing.submitting import visible
from provrepo.repository.people.roles import Right

__all__ = [
    "PendingInfo",
    "accept_pending",
    "ask_pending",
    "pending",
    "pending_document",
    "pending_original",
    "pending_report",
    "reject_pending",
]


def pending(context: Context, project: str | None = None) -> list[PendingInfo]:
    """Return the documents that wait for a review, the oldest first: where the actor reviews all, elsewhere its own.

    Args:
        project: only of this project; None for all projects in which the actor reviews or has submitted.

    Raises:
        NotFound: no such project.
        Denied: the actor may not write to the project.
    """
    if project is not None:
        context.require(project, Right.SUBMIT)
    decisions.expire(context.store)
    rows = [decisions.settled(context.store, row) for row in context.store.parts.pending.listed(project)]
    return [
        pending_info(context, row)
        for row in rows
        for reviewer in (rights.may_review(context, row.project),)
        if row.open and row.state != ARRIVING and (reviewer or _sent(context, row))
    ]


def pending_document(context: Context, id: str, *, project: str | None = None) -> PendingInfo:  # noqa: A002
    """Return a document that waits or waited, for reviewers and for its sender.

    Args:
        id: its identifier.
        project: its project; None for any.

    Raises:
        NotFound: there is none that the actor may see.
    """
    row = visible(context, id, project)
    return pending_info(context, row)


def pending_original(context: Context, id: str, *, project: str | None = None) -> tuple[bytes, PendingInfo]:  # noqa: A002
    """Return the bytes of a document that waits, and its record.

    Args:
        id: its identifier.
        project: its project; None for any.

    Raises:
        NotFound: there is none that the actor may see, or it does not wait any more.
    """
    found = pending_document(context, id, project=project)
    return context.store.parts.pending.bytes_of(id), found


def pending_report(context: Context, id: str, *, project: str | None = None) -> Report:  # noqa: A002
    """Return the report of the checks on the arrival of a document.

    Args:
        id: its identifier.
        project: its project; None for any.

    Raises:
        NotFound: there is none that the actor may see.
    """
    return Report.from_dict(dict(visible(context, id, project).report))


def accept_pending(
    context: Context,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str = "",
    name: str | None = None,
    update: bool = False,
    again: bool = False,
    replaces: str | None = None,
    if_match: str | None = None,
) -> PendingInfo:
    """Accept a document that waits: it is checked again, and submitted in the name of its sender.

    Args:
        id: its identifier.
        project: its project; None for any.
        reason: for the sender; may be empty.
        name: the name of the document; by default the one that the sender chose.
        update: append a new version if a document of that name exists, whichever version is current. A later version of
            what the same peer has sent before is a new version in any case.
        again: accept bytes that were withdrawn before.
        replaces: append it as a new version after the one with this SHA-256, whatever its sender has said.
        if_match: the SHA-256 of the bytes that the actor has seen: if its sender has replaced them, it is not accepted.

    Raises:
        NotFound: there is none, or the actor may not review in its project.
        Denied: the actor may not review in the project, or has sent the document itself while others could review it.
        Conflict: a decision was made before, changes were asked for, the bytes were replaced, or the document exists
            with other bytes.
        Stale: the version that its sender wanted to replace is not the current one any more.
        TakenBack: the bytes were withdrawn or erased before.
        Refused: it does not conform to the profiles in force now; it still waits.
    """
    row = _reviewed(context, id, project)
    rights.require_other(context, row.project, row.actor)
    access.text("reason", reason)
    decided = decisions.accept(
        context.store,
        row,
        by=context.actor,
        reason=reason,
        name=name,
        update=update,
        again=again,
        replaces=replaces,
        if_match=if_match,
    )
    return pending_info(context, decided)


def reject_pending(
    context: Context,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str = "",
    if_match: str | None = None,
) -> PendingInfo:
    """Reject a document that waits. Its bytes are deleted, and its sender gets the reason.

    The submitter of a submission may do so too, who gives it up.

    Args:
        id: its identifier.
        project: its project; None for any.
        reason: for the sender; may be empty.
        if_match: the SHA-256 of the bytes that the actor has seen; None for no condition.

    Raises:
        NotFound: there is none, or the actor may not review in its project.
        Denied: the actor may not review in the project.
        Conflict: a decision was made before, or the bytes were replaced.
    """
    row = visible(context, id, project)
    if row.why != "review" or not _sent(context, row):
        row = _reviewed(context, id, project)
    access.text("reason", reason)
    return pending_info(
        context, decisions.reject(context.store, row, by=context.actor, reason=reason, if_match=if_match)
    )


def ask_pending(
    context: Context,
    id: str,  # noqa: A002
    *,
    project: str | None = None,
    reason: str,
    if_match: str | None = None,
) -> PendingInfo:
    """Ask the submitter of a document that waits for changes. It waits until they come: ``replace_pending``.

    Args:
        id: its identifier.
        project: its project; None for any.
        reason: what is to be changed.
        if_match: the SHA-256 of the bytes that the actor has seen; None for no condition.

    Raises:
        NotFound: there is none, or the actor may not review in its project.
        Denied: the actor may not review in the project, or has sent the document itself while others could review it.
        UsageError: there is no reason, or a peer has pushed the document: it is accepted or rejected as it is.
        Conflict: a decision was made before, changes were asked for, or the bytes were replaced.
    """
    row = _reviewed(context, id, project)
    rights.require_other(context, row.project, row.actor)
    access.text("reason", reason)
    if not reason.strip():
        raise UsageError("say what is to be changed: its submitter sees the reason")
    if row.why == "push":
        raise UsageError(
            f"{row.peer} has pushed this version, which it cannot replace here: accept or reject it, and it can push a "
            "later version"
        )
    return pending_info(context, decisions.ask(context.store, row, by=context.actor, reason=reason, if_match=if_match))


def _sent(context: Context, row: Pending) -> bool:
    return bool(context.actor.id) and row.actor == context.actor.id


def _reviewed(context: Context, id: str, project: str | None) -> Pending:  # noqa: A002
    """Return the row of a document on which the actor may decide.

    Raises:
        NotFound: there is none, or the actor may not read its project.
        Denied: the actor may not review in the project.
    """
    if project is not None:
        rights.require_reviewer(context, project)
    row = visible(context, id, project)
    rights.require_reviewer(context, row.project)
    context.require_active(row.project)
    return row
