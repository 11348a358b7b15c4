"""The verb ``audit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.audit import Audit

__all__ = ["audit"]


@click.command(short_help="List changes and reads of a document or project.")
@click.argument("place", metavar="[P[/N]]", required=False)
@click.option("--since", metavar="TIME", help="From this day, or this time with its zone.")
@click.option("--until", metavar="TIME", help="Up to the end of this day, or before this time with its zone.")
@click.option("--by", metavar="WHO", help="Only events of this actor: a name, or the identifier of an actor or token.")
@click.option("--action", type=click.Choice([action.value for action in Action]), help="Only events with this action.")
@click.option("--refused", is_flag=True, help="List refused requests instead of answered ones.")
@click.option("--after", metavar="EVENT", help="Continue after this event, as printed by the previous call.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=PAGE_SIZE,
    show_default=True,
    help="The maximum number of events.",
)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="The format of the result.",
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
    """List changes and reads of document N of project P, of the project, or of the whole repository, oldest first.

    Changes come from the ledger. Reads over HTTP come from the access log, which the server keeps for
    PROVREPO_AUDIT_DAYS days. Reads by the owner of the data directory on this machine are not recorded.
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
        lines = counted(found.unreadable, "line of the access log is", "lines of the access log are")
        output.note(f"{lines} damaged and omitted")
    if found.following and style != "json":
        output.note(f"there are more events: --after '{found.following}'")


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
