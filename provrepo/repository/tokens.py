"""Verbs about tokens; only the local owner may call them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.repository import access
from provrepo.repository.context import Context

if TYPE_CHECKING:
    from provrepo.ledger.accounts import Token

__all__ = ["create_token", "revoke_token", "tokens"]


def create_token(
    context: Context, name: str, *, projects: Sequence[str] | None = None, write: bool = True, days: int | None = None
) -> tuple[str, Token]:
    """Create a token. Its text is returned once; only the digest of its secret is stored.

    Args:
        name: the name of the actor; tokens with the same name authenticate the same actor.
        projects: the projects that it gives access to; None for all. Without any, it only lets the peer of that name
            send documents.
        write: whether it gives write access.
        days: the number of days until it expires; None for never.

    Raises:
        UsageError: the name is empty, or the number of days is out of range.
        NotFound: one of the projects does not exist.
        Denied: the actor is not the owner.
    """
    if not name.strip():
        raise UsageError("a token needs the name of its actor")
    access.text("name", name)
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
        write=write,
        expires=expires,
        by=context.actor.id,
    )
    return text, token


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
