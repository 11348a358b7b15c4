"""``PendingInfo``: a document that waits or waited for a review."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from provrepo.ledger.exchange.pending import CHANGES, OPEN, WAITING, Pending
from provrepo.repository.context import Context
from provrepo.repository.exchange import rights

__all__ = ["PendingInfo", "pending_info"]


@dataclass(frozen=True, slots=True)
class PendingInfo:
    """A document that waits or waited for a review.

    Attributes:
        id: its identifier.
        project: the project that it was sent to.
        state: ``waiting``, ``changes`` (a reviewer has asked its sender for changes), ``accepted``, ``rejected`` or
            ``expired``.
        why: ``review`` (a submission), ``push`` (sent by a peer) or ``refused`` (a submission that is to be mended).
        peer: the name of the peer that sent it; empty for a submission.
        sender: the name of the actor who sent it.
        name: the name of the document that the sender chose.
        title: its title; may be empty.
        format: the name of its format.
        base: the IRI against which relative IRIs are resolved; may be empty.
        size: the number of its bytes.
        sha256: SHA-256 of its bytes, in hexadecimal.
        note: the note of its submitter; may be empty.
        license: the IRI of its license; may be empty.
        submitter: the name of its submitter at the peer, as the peer says; may be empty.
        origin: the entry of the peer from which it comes: ``peer``, ``identity``, ``setup``, ``project``, ``document``,
            ``version``, ``sequence``, ``entry``, ``head`` and ``iri``; None for a submission.
        verdict: ``conforms`` or ``fails``, by the checks on arrival.
        warnings: the number of warnings of these checks.
        received: the time at which it arrived, xsd:dateTime in UTC.
        expires: the time at which it is deleted without a decision; None for never.
        entry: SHA-256 of the ledger entry ``pending``; empty if it was accepted at once.
        decided: the time of the decision, or at which changes were asked for; empty before it.
        by: the name of the actor who decided, for reviewers; otherwise empty.
        review: SHA-256 of the ledger entry ``review``; may be empty.
        reason: the reason of the decision, or what is to be changed; may be empty.
        document: the name as which it was accepted; empty otherwise.
        version: the version as which it was accepted.
        iri: the IRI of that version; empty otherwise.
        accepted: SHA-256 of the ledger entry ``submit`` of that version; empty otherwise.
        own: whether the actor who asks has sent it, and may give it up.
        decide: whether that actor may accept it.
        needs_you: whether that actor is the one for whom it waits: a reviewer, or for changes its sender.
        rounds: the former rounds of a document whose sender has replaced it: ``received``, ``sha256``, and if changes
            were asked for, ``decided``, ``reason`` and, for reviewers, ``by``; the oldest first.
        identity: the UUID of this repository.
        setup: its set-up identifier.
    """

    id: str
    project: str
    state: str
    why: str
    peer: str
    sender: str
    name: str
    title: str
    format: str
    base: str
    size: int
    sha256: str
    note: str
    license: str
    submitter: str
    origin: dict[str, Any] | None
    verdict: str
    warnings: int
    received: str
    expires: str | None
    entry: str = ""
    decided: str = ""
    by: str = ""
    review: str = ""
    reason: str = ""
    document: str = ""
    version: int | None = None
    iri: str = ""
    accepted: str = ""
    own: bool = False
    decide: bool = False
    needs_you: bool = False
    rounds: tuple[dict[str, str], ...] = ()
    identity: str = ""
    setup: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "rounds": [dict(each) for each in self.rounds]}


def pending_info(context: Context, row: Pending) -> PendingInfo:
    """Return the record of a row for an actor who may see it."""
    store, actor = context.store, context.actor
    reviewer = rights.may_review(context, row.project)
    asked = row.state == CHANGES
    own = row.why == "review" and bool(actor.id) and row.actor == actor.id
    decide = reviewer and row.open and rights.is_other(context, row.project, row.actor)
    names = store.accounts.names()
    private, details = row.private, row.details
    iri = "" if row.version is None else str(store.minter().version(row.project, row.document, row.version))
    return PendingInfo(
        id=row.id,
        project=row.project,
        state=WAITING if row.state in OPEN and not asked else row.state,
        why="refused" if row.refused else row.why,
        peer=row.peer,
        sender=names.get(row.actor, row.actor),
        name=str(private["document"]),
        title=str(details.get("title", "")),
        format=str(private["format"]),
        base=str(private["base"]),
        size=row.size,
        sha256=str(private["blob"]),
        note=str(private["note"]),
        license=str(details.get("license", "")),
        submitter=str(details.get("submitter", "")),
        origin=private["origin"],
        verdict=str(row.report.get("verdict", "")),
        warnings=int(row.report.get("counts", {}).get("warning", 0)),
        received=row.received,
        expires=row.expires if row.open else None,
        entry=row.entry,
        decided=row.decided,
        by=names.get(row.by, row.by) if reviewer and (asked or not row.open) else "",
        review=row.review,
        reason=row.reason if asked or not row.open else "",
        document=row.document if iri else "",
        version=row.version,
        iri=iri,
        accepted=row.accepted,
        own=own,
        decide=decide,
        needs_you=row.open and (own if asked else decide or (own and row.refused)),
        rounds=tuple(
            {**each, "by": names.get(each["by"], each["by"]) if reviewer else ""} for each in details.get("rounds", ())
        ),
        identity=store.ledger.identity().id,
        setup=store.ledger.setup(),
    )
