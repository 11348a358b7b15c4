"""Verbs about links: invitations that give a role, and review links that read a project without an account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provrepo.errors import Conflict, Denied, NotFound, UsageError
from provrepo.ledger.entries import now, timestamp
from provrepo.ledger.governance.invitations import MEMBER, REVIEW, Invitation, Invitations
from provrepo.ledger.members import Member, Members
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.people.review_links import reviewer
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.records import Actor

__all__ = [
    "accept_invitation",
    "follow_review_link",
    "invitation",
    "invitations",
    "invite",
    "revoke_invitation",
]

_DAYS, _MOST_DAYS, _MOST_USES = 14, 3_650, 100_000
_USES = {MEMBER: 1, REVIEW: 100}
"""How often a link can be followed, unless its maker says otherwise: reviewers come back, members stay."""


def invite(
    context: Context, project: str, role: str, *, days: int = _DAYS, uses: int | None = None, label: str = ""
) -> tuple[str, Invitation]:
    """Make a link that gives a role to whoever follows it signed in, or that reads the project without an account.

    Args:
        project: the project.
        role: ``reader``, ``submitter``, ``curator`` or ``owner``; ``review`` for a link that reads the project.
        days: the number of days until it expires, at most 3,650.
        uses: how often it can be followed; 0 for any number. None for once, or 100 times for a review.
        label: for whom it is; shown to owners of the project, and for a review to whoever follows it.

    Returns:
        Its secret, which is stored nowhere, and the link.

    Raises:
        NotFound: no such project.
        UsageError: there is no such role, or a number is out of range.
        Denied: the actor may not manage the project, or it is a mirror.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    context.store.ledger.require_own(project)
    if role != REVIEW and role not in ROLES:
        raise UsageError(f"{role[:100]!r} is not a role; there are: {', '.join(ROLES)}, and {REVIEW} to read only")
    access.text("label", label)
    purpose = REVIEW if role == REVIEW else MEMBER
    most = _USES[purpose] if uses is None else uses
    if not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"an invitation expires after 1 to {_MOST_DAYS:,} days, not {days}")
    if not 0 <= most <= _MOST_USES:
        raise UsageError(f"an invitation can be followed up to {_MOST_USES:,} times, or any number of times with 0")
    time = datetime.now(UTC)
    with context.store.ledger.appending(project) as appending:
        secret, made = Invitations.make(
            appending,
            purpose=purpose,
            role="" if purpose == REVIEW else role,
            label=label,
            actor=context.actor.id,
            token=context.actor.token,
            created=timestamp(time),
            expires=timestamp(time + timedelta(days=days)),
            most=most,
        )
    context.store.index()
    return secret, _links(context).get(made, timestamp(time))


def invitations(context: Context, project: str) -> list[Invitation]:
    """Return the links of a project in all states, the newest first; without their secrets.

    Raises:
        NotFound: no such project.
        Denied: the actor may not manage the project.
    """
    context.require(project, Right.MANAGE)
    return _links(context).listed(project)


def revoke_invitation(context: Context, project: str, id: str) -> Invitation:  # noqa: A002
    """Revoke a link. Sessions of a review link end; roles that an invitation gave stay.

    Raises:
        NotFound: no such project, or it has no such link.
        Conflict: it was revoked before.
        Denied: the actor may not manage the project.
        Archived: the project is archived.
    """
    context.require_change(project, Right.MANAGE)
    found = _links(context).find(id)
    if found is None or found.project != project:
        raise NotFound(f"project {project!r} has no invitation {id[:80]!r}")
    with context.store.ledger.appending(project) as appending:
        if not Invitations.revoke(appending, id, now(), actor=context.actor.id, token=context.actor.token):
            raise Conflict(f"the invitation {id} was revoked already")
    context.store.index()
    return next(link for link in _links(context).listed(project) if link.id == id)


def invitation(context: Context, id: str) -> Invitation:  # noqa: A002
    """Return a link that can be followed, for whoever has its identifier.

    Raises:
        NotFound: there is none: it never existed, has expired, is used up or was revoked.
    """
    return _links(context).get(id, now())


def accept_invitation(context: Context, id: str, secret: str) -> Member:  # noqa: A002
    """Take the role that an invitation gives.

    Args:
        id: the identifier of the invitation.
        secret: its secret.

    Raises:
        NotFound: there is none with this secret that can be followed.
        Denied: the actor is anonymous, the owner of the data directory, or a review link.
        Conflict: the actor has that role in the project, or one that gives more; the invitation is not used up.
        Archived: the project is archived.
    """
    found = _links(context).get(id, now())
    actor = context.actor
    if found.purpose != MEMBER:
        raise NotFound("this is a link to read a project, which its page begins")
    if not actor.id or actor.owner or context.store.accounts.names().get(actor.id) is None:
        raise Denied("sign in as the person who is to have the role")
    with context.store.ledger.appending(found.project) as appending:
        Invitations.follow(appending, id, secret, now(), actor=actor.id, token=actor.token)
        present = dict(Members(context.store.ledger.database).of_actor(actor.id)).get(found.project)
        if present is not None and ROLES[found.role] <= ROLES[present]:
            raise Conflict(f"{actor.name} is {present} of project {found.project} already")
        Members.change(appending, actor.id, found.role, by=actor.id, token=actor.token)
    context.store.index()
    members = Members(context.store.ledger.database).listed(found.project)
    return next(member for member in members if member.actor == actor.id)


def follow_review_link(context: Context, id: str, secret: str) -> Actor:  # noqa: A002
    """Return the actor of a review link, who may read its project and nothing else; each call counts as one use.

    Raises:
        NotFound: there is none with this secret that can be followed.
    """
    found = _links(context).get(id, now())
    if found.purpose != REVIEW:
        raise NotFound("this is an invitation to take part in a project, which its page accepts")
    actor = reviewer(found)
    with context.store.ledger.appending(found.project) as appending:
        Invitations.follow(appending, id, secret, now(), actor=actor.id, token="")
    context.store.index()
    return actor


def _links(context: Context) -> Invitations:
    return Invitations(context.store.ledger.database)
