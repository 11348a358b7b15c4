"""The actor of a review link: it reads one project, and is nobody else."""

from __future__ import annotations

from provrepo.ledger.entries import now
from provrepo.ledger.governance.invitations import REVIEW, Invitation, Invitations
from provrepo.ledger.storage.database import Database
from provrepo.repository.records import Actor

__all__ = ["is_reviewer", "link_of", "reviewer", "reviewer_of"]

_PREFIX = "review-link:"
"""The beginning of identifiers of these actors, which no identifier of another actor or token has."""


def reviewer(link: Invitation) -> Actor:
    """Return the actor of a review link. It has no token, so that its identifier stands for one in logs."""
    name = f"review link {link.label}".strip()
    return Actor(_PREFIX + link.id, name, projects=(link.project,), token=_PREFIX + link.id)


def is_reviewer(actor: Actor) -> bool:
    """Return whether an actor is that of a review link."""
    return actor.id.startswith(_PREFIX)


def reviewer_of(database: Database, token: str) -> Actor | None:
    """Return the actor with an identifier; None where it is none of a review link, or the link is not in force.

    How often the link was followed does not matter: who follows it reads until it expires or is revoked.
    """
    link = link_of(database, token)
    return None if link is None else reviewer(link)


def link_of(database: Database, token: str) -> Invitation | None:
    """Return the review link of an actor's identifier, while it is in force; None for others."""
    if not token.startswith(_PREFIX):
        return None
    link = Invitations(database).find(token.removeprefix(_PREFIX))
    in_force = link is not None and link.purpose == REVIEW and link.is_open(now(), to_follow=False)
    return link if in_force else None
