"""The verbs ``invite`` and ``invitation``: links that give a role, or that read a project without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.ledger.entries import now

if TYPE_CHECKING:
    from provrepo.ledger.governance.invitations import Invitation

__all__ = ["invitation", "invite"]


@click.command()
@click.argument("project")
@click.argument("role")
@click.option("--days", type=int, default=14, show_default=True, metavar="N", help="The days until it expires.")
@click.option(
    "--uses",
    type=int,
    metavar="N",
    help="How often it can be followed; 0 for any number. Default: once, or 100 times for a review.",
)
@click.option("--label", default="", metavar="TEXT", help="For whom it is, for the list of invitations.")
@json_option
@pass_invocation
def invite(
    invocation: Invocation, project: str, role: str, days: int, uses: int | None, label: str, style: str
) -> None:
    """Make a link to PROJECT that gives ROLE to whoever follows it signed in: reader, submitter, curator or owner.

    With the role `review` it lets whoever has it read the project in a browser, without an account. The link is printed
    once, on stdout; the repository keeps only the digest of its secret. It needs a server that people can reach.
    """
    with invocation.repository() as repository:
        secret, made = repository.invite(project, role, days=days, uses=uses, label=label)
        settings = invocation.settings()
        server = settings.server or repository.base() or f"http://{settings.host}:{settings.port}"
        link = f"{server.rstrip('/')}/invitations/{made.id}#{secret}"
    if style == "json":
        output.records({**made.to_dict(), "link": link})
        return
    output.result(link)
    what = f"gives the role {made.role}" if made.role else "lets people read"
    output.note(
        f"It {what} in {project} until {made.expires}, and is not shown again. `provrepo invitation revoke {project} "
        f"{made.id}` ends it."
    )


@click.group(short_help="List and revoke links that give access to a project.")
def invitation() -> None:
    """Links that `provrepo invite` has made: how often they were followed, until when they count, and their end."""


@invitation.command("list")
@click.argument("project")
@json_option
@pass_invocation
def invitation_list(invocation: Invocation, project: str, style: str) -> None:
    """List the invitations and review links of PROJECT, the newest first, without their secrets."""
    with invocation.repository() as repository:
        found = repository.invitations(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    rows = [[i.id, i.role or "review", i.label or "-", _uses(i), i.expires, _state(i), i.by] for i in found]
    output.table(["ID", "GIVES", "FOR", "USED", "EXPIRES", "STATE", "BY"], rows)


@invitation.command("revoke")
@click.argument("project")
@click.argument("id")
@pass_invocation
def invitation_revoke(invocation: Invocation, project: str, id: str) -> None:  # noqa: A002
    """Revoke an invitation or review link of PROJECT. Sessions of a review link end; roles that were given stay."""
    with invocation.repository() as repository:
        ended = repository.revoke_invitation(project, id)
    output.result(f"{ended.id} revoked {ended.ended}")


def _uses(found: Invitation) -> str:
    return f"{found.uses} of {found.most}" if found.most else str(found.uses)


def _state(found: Invitation) -> str:
    if found.ended:
        return "revoked"
    if found.is_open(now()):
        return "open"
    return "used up" if found.is_open(now(), to_follow=False) else "expired"
