"""The verb ``audit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action

if TYPE_CHECKING:
    from provrepo.repository.audit import Audit

__all__ = ["audit"]


@click.command(short_help="Who changed and who read a document or project.")
@click.argument("place", metavar="[P[/N]]", required=False)
@click.option("--since", metavar="TIME", help="From this day, or time with its zone, on.")
@click.option("--until", metavar="TIME", help="Up to the end of this day, or before this time with its zone.")
@click.option("--by", metavar="WHO", help="Only what this actor did: a name, or the identifier of an actor or token.")
@click.option("--action", type=click.Choice(list(Action)), help="Only this action.")
@click.option("--refused", is_flag=True, help="What was refused, instead of what was answered.")
@click.option("--after", metavar="EVENT", help="Go on behind this event, as the last answer says.")
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=PAGE_SIZE, show_default=True, help="The most events."
)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For people, programs or spreadsheets.",
)
@pass_invocation
def audit(
    invocation: Invocation,
    place: str | None,
    since: str | None,
    until: str | None,
    by: str | None,
    action: str | None,
    refused: bool,
    after: str | None,
    limit: int,
    style: str,
) -> None:
    """Who changed and who read document N of project P, the project, or the whole repository; the oldest first.

    Changes come from the ledger. What was read over HTTP comes from the access log, which the server keeps for
    PROVREPO_AUDIT_DAYS. What the owner of the data directory reads on this machine is not recorded.
    """
    project, _, name = (place or "").partition("/")
    with invocation.repository() as repository:
        found = repository.audit(
            project or None,
            name or None,
            since=since,
            until=until,
            by=by,
            action=action,
            refused=refused,
            after=after,
            limit=limit,
        )
    if style == "json":
        output.records(found.to_dict())
    elif style == "csv":
        output.data(found.to_csv().encode())
    else:
        _show(found)
    if found.unreadable:
        output.note(f"{found.unreadable:,} lines of the access log are damaged and left out")
    if found.following and style != "json":
        output.note(f"there is more: --after '{found.following}'")


def _show(found: Audit) -> None:
    output.table(
        ["TIME", "ACTION", "WHO", "TOKEN", "DOCUMENT", "STATUS", "REQUEST"],
        [
            [
                event.time,
                event.action,
                event.name or "-",
                event.token or "-",
                _place(event.project, event.document, event.version),
                event.status or "-",
                f"{event.method} {event.route}".strip() or "-",
            ]
            for event in found.events
        ],
    )
    counted = ", ".join(f"{action} {count:,}" for action, count in found.counts.items())
    output.note(f"in all: {counted or 'nothing'}")


def _place(project: str, document: str, version: int | None) -> str:
    if not document:
        return project or "-"
    return f"{project}/{document}" + (f"@{version}" if version else "")
