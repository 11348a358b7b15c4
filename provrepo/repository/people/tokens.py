"""Verbs about tokens: the local owner makes them for anybody, and people who have signed in for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from provrepo.errors import Denied, NotFound, UsageError
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.people.members import actor_named
from provrepo.repository.people.roles import Right

if TYPE_CHECKING:
    from provrepo.ledger.accounts import Token

DAYS = 90
"""The days after which a token with scopes expires, if no other number is given."""

MOST_DAYS = 366
"""The most days for which a person may make a token."""

HOURS, MOST_HOURS = 24, 24 * 31
"""The hours for which a token that was replaced stays valid, if no other number is given, and the most."""

__all__ = ["DAYS", "HOURS", "MOST_DAYS", "create_token", "revoke_token", "revoke_tokens", "rotate_token", "tokens"]


def create_token(
    context: Context,
    name: str,
    *,
    projects: Sequence[str] | None = None,
    write: bool = True,
    scopes: Sequence[str] | None = None,
    days: int | None = None,
    label: str = "",
) -> tuple[str, Token]:
    """Create a token. Its text is returned once; only the digest of its secret is stored.

    The owner of the data directory makes tokens for anybody. A person who has signed in makes own ones, with scopes,
    for at most 366 days.

    Args:
        name: the name of the actor; tokens with the same name authenticate the same actor. A person gives the own name.
        projects: the projects that it gives access to; None for all. Without any, it only lets the peer of that name
            send documents.
        write: whether it gives write access; for tokens without scopes.
        scopes: ``read``, ``submit``, ``curate`` and ``manage``: the token gives those of them that the roles of its
            actor give, and nothing by itself. None for a token that gives access by itself, whatever roles its actor
            has.
        days: the number of days until it expires. None for never, or 90 for a token with scopes.
        label: distinguishes it from the other tokens of the actor, such as ``laptop``; may be empty.

    Raises:
        UsageError: the name is empty, a scope is unknown, or the number of days is out of range.
        NotFound: one of the projects does not exist.
        Conflict: another token of the actor has the label.
        Denied: the actor is neither the owner nor a person who has signed in, or the name is another one.
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
    _require_own(context, name, scopes, days)
    access.text("label", label)
    if len(label) > _LONGEST_LABEL:
        raise UsageError(f"the label has {len(label)} characters; it can have at most {_LONGEST_LABEL}")
    for project in projects or ():
        context.require_read(project)
    text, token = context.store.accounts.create(
        name.strip(),
        projects=None if projects is None else list(projects),
        write=write and scopes is None,
        scopes=None if scopes is None else _with_read(scopes),
        expires=expires,
        label=" ".join(label.split()),
        by=context.actor.id,
    )
    return text, token


def _with_read(scopes: Sequence[str]) -> list[str]:
    """Return scopes in their order; every other right needs the one to read."""
    return [right for right in Right if right in scopes or right is Right.READ]


_LONGEST_LABEL = 100


def _require_own(context: Context, name: str, scopes: Sequence[str] | None, days: int | None) -> None:
    actor = context.actor
    access.require_tokens(actor)
    if actor.owner:
        return
    if name.strip() != actor.name:
        raise Denied("people make tokens for themselves; the owner of the data directory makes them for others")
    if not scopes:
        raise UsageError(f"a token of a person needs scopes: {', '.join(Right)}")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise UsageError(f"a token of a person expires after 1 to {MOST_DAYS} days, not {days}")


def tokens(context: Context) -> list[Token]:
    """Return all tokens, without their secrets; for a person who has signed in, the own ones.

    Raises:
        Denied: the actor is neither the owner nor a person who has signed in.
    """
    access.require_tokens(context.actor)
    found = context.store.accounts.list()
    return found if context.actor.owner else [token for token in found if token.actor == context.actor.id]


def rotate_token(
    context: Context,
    id: str,  # noqa: A002
    *,
    hours: int = HOURS,
    days: int | None = None,
) -> tuple[str, Token]:
    """Replace a token by a new one with the same access and label. Both are valid for some hours.

    Args:
        id: the identifier of the token.
        hours: how long the former token stays valid; 0 ends it at once.
        days: the number of days until the new one expires. None for as long as the former one was made for.

    Returns:
        The new token, whose text is returned once, and its record.

    Raises:
        NotFound: no such token.
        Conflict: it was replaced, revoked or has expired.
        UsageError: a number is out of range.
        Denied: the actor is neither the owner nor a person who has signed in, or the token has no scopes and the actor
            is not the owner.
    """
    access.require_tokens(context.actor)
    former = _found(context, id)
    if not context.actor.owner and former.scopes is None:
        raise Denied("this token gives access by itself: the owner of the data directory replaces it")
    if not 0 <= hours <= MOST_HOURS:
        raise UsageError(f"a token that is replaced stays valid for 0 to {MOST_HOURS} hours, not {hours}")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise UsageError(f"the new token expires after 1 to {MOST_DAYS} days, not {days}")
    at = datetime.now(UTC)
    expires = at + timedelta(days=days) if days else None
    if days is None and former.expires is not None:
        expires = at + (datetime.fromisoformat(former.expires) - datetime.fromisoformat(former.created))
    return context.store.accounts.rotate(id, until=at + timedelta(hours=hours), expires=expires, by=context.actor.id)


def revoke_token(context: Context, id: str) -> Token:  # noqa: A002
    """Revoke a token; a person who has signed in an own one.

    Args:
        id: the identifier of the token.

    Raises:
        NotFound: no such token, or it is of another person.
        Denied: the actor is neither the owner nor a person who has signed in.
    """
    access.require_tokens(context.actor)
    return context.store.accounts.revoke(_found(context, id).id, by=context.actor.id)


def revoke_tokens(context: Context, of: str | None = None) -> int:
    """Revoke all tokens, or those of one actor. A person who has signed in revokes the own ones.

    Args:
        of: the name of a person or service, or its identifier, or the e-mail address or ORCID of a person. None for
            all tokens of the repository, or of the person.

    Returns:
        How many tokens were revoked.

    Raises:
        UsageError: nobody has that name.
        Denied: the actor is neither the owner nor a person who has signed in; or tokens of others are named, and the
            actor does not administer the repository.
    """
    actor = context.actor
    access.require_tokens(actor)
    if of is None:
        return context.store.accounts.revoke_all(None if actor.owner else actor.id, by=actor.id)
    if not actor.owner and of not in (actor.name, actor.id):
        access.require_administer(actor)
    return context.store.accounts.revoke_all(actor_named(context, of), by=actor.id)


def _found(context: Context, id: str) -> Token:  # noqa: A002
    """A token; for people an own one, since there is no telling which others there are."""
    for token in tokens(context):
        if token.id == id:
            return token
    raise NotFound(f"no token has the identifier {id[:100]!r}")
