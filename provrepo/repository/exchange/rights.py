"""The rights of callers in an exchange: who may send documents, who reviews them, and whose wait for a review."""

from __future__ import annotations

from provrepo.errors import Denied
from provrepo.ledger.exchange.peers import NOTHING, Peer
from provrepo.repository.context import Context
from provrepo.repository.people.roles import Right

__all__ = ["EVERYBODY", "is_reviewed", "may_review", "peer_of", "require_reviewer", "require_send"]

EVERYBODY = "*"
"""In the setting ``reviewed`` of a project: all actors but the local owner."""


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
    reviewed = context.store.ledger.settings(project).get("reviewed", ())
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
