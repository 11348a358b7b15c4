"""The rights of callers in an exchange: who may send documents, who reviews them, and whose wait for a review."""

from __future__ import annotations

from provrepo.errors import Denied
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.exchange.peers import NOTHING, Peer
from provrepo.ledger.members import Members
from provrepo.repository.context import Context
from provrepo.repository.people.roles import ADMINISTRATOR, ROLES, Right

__all__ = [
    "EVERYBODY",
    "REVIEWS",
    "SUBMITTERS",
    "is_other",
    "is_reviewed",
    "may_review",
    "peer_of",
    "require_other",
    "require_reviewer",
    "require_send",
]

EVERYBODY = "*"
"""In the setting ``reviewed`` of a project: all actors but the local owner."""

SUBMITTERS = "submitters"
"""The value of the setting ``review`` with which the submissions of those wait who may submit and not curate."""

REVIEWS = ("nobody", SUBMITTERS)
"""The values of the setting ``review``."""


def peer_of(context: Context, project: str) -> Peer | None:
    """Return the peer that the actor is, if it may send documents to a project; otherwise None.

    The look-up does not depend on the project, so that a project that exists takes the same steps as one that does not.
    """
    actor = context.actor
    found = context.store.peers.find(actor.name) if actor.token else None
    return found if found is not None and found.accepts != NOTHING and project in found.projects else None


def require_send(context: Context, project: str) -> Peer | None:
    """Require that the actor may send documents to a project that wait for a review.

    Returns:
        The peer that the actor is; None for an actor who may change the project.

    Raises:
        NotFound, Denied: as ``Context.require`` does, unless the actor is a peer that may send.
    """
    peer = peer_of(context, project)
    if peer is None:
        context.require(project, Right.SUBMIT)
    return peer


def is_reviewed(context: Context, project: str) -> bool:
    """Return whether the submissions of the actor to a project wait for a review."""
    actor = context.actor
    if actor.owner:
        return False
    settings = context.store.ledger.settings(project)
    if settings.get("review") == SUBMITTERS and not context.curates(project):
        return True
    reviewed = settings.get("reviewed", ())
    return EVERYBODY in reviewed or actor.id in reviewed


def may_review(context: Context, project: str) -> bool:
    """Return whether the actor may decide on documents that wait: it may write, and needs no review itself."""
    return context.curates(project) and not is_reviewed(context, project)


def require_reviewer(context: Context, project: str) -> None:
    """Require that the actor may decide on documents that wait.

    Raises:
        NotFound: the project does not exist, or the actor may not read it.
        Denied: the actor may not change it, or its own submissions are reviewed.
    """
    context.require(project, Right.CURATE)
    if is_reviewed(context, project):
        raise Denied(f"what {context.actor.name} submits to {project} is reviewed by others")


def is_other(context: Context, project: str, sender: str) -> bool:
    """Return whether a document was sent by another actor than the one who decides, or nobody else could decide.

    The local owner may decide on everything, and does not count as somebody else: it may be a service account.

    Args:
        context: the data directory and the actor, who reviews in the project.
        project: the project.
        sender: the actor who sent the document.
    """
    actor = context.actor
    if actor.owner or actor.id != sender:
        return True
    reviewed = context.store.ledger.settings(project).get("reviewed", ())
    return not _curators(context, project) - {actor.id, *reviewed}


def require_other(context: Context, project: str, sender: str) -> None:
    """Raise Denied if the actor has sent a document itself on which somebody else can decide; see ``is_other``."""
    if not is_other(context, project, sender):
        raise Denied(
            f"{context.actor.name} has sent this document, and another curator of {project} decides on it; "
            "to take it back, give it up"
        )


def _curators(context: Context, project: str) -> set[str]:
    """The actors with a role by which they curate a project, or with a token that gives this by itself."""
    database = context.store.ledger.database
    members = [*Members(database).listed(project), *Members(database).listed(REPOSITORY)]
    found = {one.actor for one in members if one.role == ADMINISTRATOR or Right.CURATE in ROLES[one.role]}
    for token in context.store.accounts.list():
        if token.valid and token.scopes is None and token.write and project in (token.projects or (project,)):
            found.add(token.actor)
    return found
