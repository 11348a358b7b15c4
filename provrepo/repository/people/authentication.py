"""From a token to its actor, with the roles that count for it."""

from __future__ import annotations

from provrepo.ledger.accounts import Token
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.members import Members
from provrepo.ledger.storage.database import Database
from provrepo.repository.people.roles import ADMINISTRATOR, Right
from provrepo.repository.records import Actor

__all__ = ["actor_of"]


def actor_of(database: Database, token: Token | None) -> Actor | None:
    """Return the actor of a valid token; None for None.

    Args:
        database: the ledger's database, with the roles.
        token: the record of the token.
    """
    if token is None:
        return None
    if token.scopes is None:
        return Actor(token.actor, token.name, projects=token.projects, write=token.write, token=token.id)
    roles = Members(database).of_actor(token.actor)
    return Actor(
        token.actor,
        token.name,
        projects=token.projects,
        token=token.id,
        scopes=frozenset(right for right in Right if right in token.scopes),
        roles=tuple((project, role) for project, role in roles if project != REPOSITORY),
        administrator=(REPOSITORY, ADMINISTRATOR) in roles,
    )
