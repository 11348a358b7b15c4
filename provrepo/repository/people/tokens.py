"""Verbs about tokens; only the local owner may call them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.people.roles import Right

if TYPE_CHECKING:
    from provrepo.ledger.accounts import Token

DAYS = 90
"""The days after which a token with scopes expires, if no other number is given."""

__all__ = ["create_token", "revoke_token", "tokens"]


def create_token(
    context: Context,
    name: str,
    *,
    projects: Sequence[str] | None = None,
    write: bool = True,
    scopes: Sequence[str] | None = None,
    days: int | None = None,
) -> tuple[str, Token]:
    """Create a token. Its text is returned once; only the digest of its secret is stored.

    Args:
        name: the name of the actor; tokens with the same name authenticate the same actor.
        projects: the projects that it gives access to; None for all. Without any, it only lets the peer of that name
            send documents.
        write: whether it gives write access; for tokens without scopes.
        scopes: ``read``, ``submit``, ``curate`` and ``manage``: the token gives those of them that the roles of its
            actor give, and nothing by itself. None for a token that gives access by itself, whatever roles its actor
            has.
        days: the number of days until it expires. None for never, or 90 for a token with scopes.

    Raises:
        UsageError: the name is empty, a scope is unknown, or the number of days is out of range.
        NotFound: one of the projects does not exist.
        Denied: the actor is not the owner.
    """
    if not name.strip():
        raise UsageError("a token needs the name of its actor")
    access.text("name", name)
    for scope in scopes or ():
        if scope not in list(Right):
            raise UsageError(f"{scope[:100]!r} is not a scope; there are: {', '.join(Right)}")
    if scopes is not None and not write:
        raise UsageError("a token with scopes is limited by them: a token for reading has the scope read")
    days = DAYS if days is None and scopes is not None else days
    try:
        expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    except OverflowError:
        raise UsageError(f"a token cannot expire after {days} days; without a number of days it never does") from None
    context.store.make()
    context.require_owner("makes tokens")
    for project in projects or ():
        context.require_read(project)
    text, token = context.store.accounts.create(
        name.strip(),
        projects=None if projects is None else list(projects),
        write=write and scopes is None,
        scopes=None if scopes is None else _with_read(scopes),
        expires=expires,
        by=context.actor.id,
    )
    return text, token


def _with_read(scopes: Sequence[str]) -> list[str]:
    """Return scopes in their order; every other right needs the one to read."""
    return [right for right in Right if right in scopes or right is Right.READ]


def tokens(context: Context) -> list[Token]:
    """Return all tokens, without their secrets.

    Raises:
        Denied: the actor is not the owner.
    """
    context.require_owner("lists tokens")
    return context.store.accounts.list()


def revoke_token(context: Context, id: str) -> Token:  # noqa: A002
    """Revoke a token.

    Args:
        id: the identifier of the token.

    Raises:
        NotFound: no such token.
        Denied: the actor is not the owner.
    """
    context.require_owner("revokes tokens")
    return context.store.accounts.revoke(id, by=context.actor.id)
