"""From a token, or from a person who has signed in, to the actor with the roles that count."""

from __future__ import annotations

from typing import Any

from provrepo.ledger.accounts import Token
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.members import Members
from provrepo.ledger.people import People
from provrepo.ledger.storage.database import Database
from provrepo.repository.people.roles import ADMINISTRATOR, Right
from provrepo.repository.records import Actor

__all__ = ["actor_of", "person_actor"]


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
    return Actor(
        token.actor,
        token.name,
        projects=token.projects,
        token=token.id,
        scopes=frozenset(right for right in Right if right in token.scopes),
        **_roles(database, token.actor),
    )


def person_actor(database: Database, id: str) -> Actor | None:  # noqa: A002
    """Return the actor of a person who has signed in; None if there is no such person, as after its removal.

    Args:
        database: the ledger's database, with people and roles.
        id: opaque identifier of the actor.
    """
    name = People(database).name(id)
    if name is None:
        return None
    return Actor(id, name, projects=None, scopes=frozenset(Right), signed_in=True, **_roles(database, id))


def _roles(database: Database, actor: str) -> dict[str, Any]:
    """The fields of an actor that its roles decide."""
    roles = Members(database).of_actor(actor)
    return {
        "roles": tuple((project, role) for project, role in roles if project != REPOSITORY),
        "administrator": (REPOSITORY, ADMINISTRATOR) in roles,
    }
