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
    """Make a token. Its text is returned this once; only its digest is kept.

    Args:
        name: whom it stands for; the same name is the same actor.
        projects: the projects it is for; None for all.
        write: whether it may change anything.
        days: until it expires; None for never.

    Raises:
        UsageError: no name, or days that no calendar has.
        NotFound: one of the projects does not exist.
        Denied: only the owner makes tokens.
    """
    if not name.strip():
        raise UsageError("a token needs the name of whom it stands for")
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
    """Every token, without its secret; only for the owner."""
    context.require_owner("lists tokens")
    return context.store.accounts.list()


def revoke_token(context: Context, id: str) -> Token:  # noqa: A002
    """Make a token worthless.

    Raises:
        NotFound: no such token.
        Denied: only the owner may.
    """
    context.require_owner("revokes tokens")
    return context.store.accounts.revoke(id, by=context.actor.id)
