"""The verb ``token``: tokens for access over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.ledger.accounts import Token

__all__ = ["token"]


@click.group(short_help="Create, list and revoke tokens for HTTP.")
def token() -> None:
    """Tokens: a client that sends a token may read private projects and write."""


@token.command("create")
@click.argument("name")
@click.option("--project", "projects", multiple=True, metavar="P", help="Only for this project; repeatable.")
@click.option("--read-only", is_flag=True, help="Allow reading only.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "submit", "curate", "manage"]),
    help="Give what NAME's roles in projects give, of this kind; repeatable. See `provrepo member`.",
)
@click.option("--push-only", is_flag=True, help="For the peer NAME: allow what `provrepo peers` says and nothing else.")
@click.option(
    "--days",
    type=click.IntRange(min=1),
    help="The number of days that it is valid. Default: until it is revoked; with --scope, 90.",
)
@click.option("--label", default="", help="Distinguishes it from the other tokens of NAME, such as laptop.")
@json_option
@pass_invocation
def token_create(
    invocation: Invocation,
    name: str,
    projects: tuple[str, ...],
    read_only: bool,
    scopes: tuple[str, ...],
    push_only: bool,
    days: int | None,
    label: str,
    style: str,
) -> None:
    """Create a token for NAME, the submitter of what is sent with it.

    The token is printed once, on stdout; the repository keeps only its digest.
    """
    if push_only and (projects or read_only):
        raise UsageError("--push-only gives access to no project: omit --project and --read-only")
    if scopes and (push_only or read_only):
        raise UsageError("--scope already says what the token gives: omit --read-only and --push-only")
    write = not (read_only or push_only)
    chosen = () if push_only else projects or None
    with invocation.repository() as repository:
        secret, made = repository.create_token(
            name, projects=chosen, write=write, scopes=scopes or None, days=days, label=label
        )
    _shown(secret, made, style)


@token.command("rotate")
@click.argument("id")
@click.option("--hours", type=click.IntRange(min=0), default=24, show_default=True, help="How long ID stays valid.")
@click.option(
    "--days", type=click.IntRange(min=1), help="The number of days that the new one is valid. Default: as ID."
)
@json_option
@pass_invocation
def token_rotate(invocation: Invocation, id: str, hours: int, days: int | None, style: str) -> None:  # noqa: A002
    """Replace the token ID by a new one with the same access and label. Both are valid for some hours.

    The new token is printed once, on stdout; the repository keeps only its digest.
    """
    with invocation.repository() as repository:
        secret, made = repository.rotate_token(id, hours=hours, days=days)
    _shown(secret, made, style)


@token.command("list")
@json_option
@pass_invocation
def token_list(invocation: Invocation, style: str) -> None:
    """List all tokens, without their secrets."""
    with invocation.repository() as repository:
        tokens = repository.tokens()
    if style == "json":
        output.records([found.to_dict() for found in tokens])
        return
    output.table(
        ["TOKEN", "NAME", "LABEL", "SCOPE", "CREATED", "EXPIRES", "USED", "STATE"],
        [
            [t.id, t.name, t.label or "-", _scope(t), t.created, t.expires or "-", t.used or "-", _state(t)]
            for t in tokens
        ],
    )


@token.command("revoke")
@click.argument("id", required=False)
@click.option("--of", metavar="WHO", help="Revoke all tokens of this person or service.")
@click.option("--all", "everything", is_flag=True, help="Revoke all tokens of the repository.")
@json_option
@pass_invocation
def token_revoke(invocation: Invocation, id: str | None, of: str | None, everything: bool, style: str) -> None:  # noqa: A002
    """Revoke a token, those of one person or service, or all: a server refuses them from the next request on."""
    if (id is not None) + (of is not None) + everything != 1:
        raise UsageError("give the identifier of a token, or --of WHO, or --all")
    with invocation.repository() as repository:
        if id is None:
            count = repository.revoke_tokens(of)
            if style == "json":
                output.records({"revoked": count})
            else:
                output.result(f"{counted(count, 'token')} revoked")
            return
        ended = repository.revoke_token(id)
    if style == "json":
        output.records(ended.to_dict())
    else:
        output.result(f"{ended.id} ({ended.name}) revoked {ended.revoked}")


def _shown(secret: str, made: Token, style: str) -> None:
    if style == "json":
        output.records({"token": secret, **made.to_dict()})
        return
    output.result(secret)
    output.note(
        f"For {made.name}; {_scope(made)}. Keep it: it is not shown again. `provrepo token revoke {made.id}` ends it."
    )


def _state(found: Token) -> str:
    if found.revoked is not None:
        return f"revoked {found.revoked}"
    return f"replaced by {found.successor}" if found.successor else "-"


def _scope(found: Token) -> str:
    if found.projects == ():
        return "what the peer of its name may send"
    where = "all projects" if found.projects is None else ", ".join(found.projects)
    if found.scopes is not None:
        return f"by role, {' '.join(found.scopes)}: {where}"
    return f"{'read and write' if found.write else 'read'}: {where}"
