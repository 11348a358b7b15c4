"""The verb ``notices``: telling the holders of copies, and what others have told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.text import on_one_line, quoted

if TYPE_CHECKING:
    from provrepo.ledger.exchange.holders import Holder

__all__ = ["notices"]


class _Group(click.Group):
    """A group whose command ``holders`` may also be written ``holder``."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        return super().get_command(ctx, "holders" if cmd_name == "holder" else cmd_name)


@click.group(cls=_Group, short_help="Tell the holders of copies what was withdrawn; list notices.")
def notices() -> None:
    """Notices: who holds copies is told of withdrawals, corrections and erasures, and acknowledges it.

    A server sends them by itself. Only peers and the addresses that were named with `notices holders add` are
    contacted.
    """


@notices.command("list")
@click.argument("place", metavar="[P[/N]]", required=False)
@click.option("--direction", type=click.Choice(["sent", "received"]), help="Only sent or only received notices.")
@json_option
@pass_invocation
def notices_list(invocation: Invocation, place: str | None, direction: str | None, style: str) -> None:
    """List the notices about project P or its document N, or all: their receivers or senders, and acknowledgments.

    A received notice has an effect only if its sender is a proven peer.
    """
    project, _, name = (place or "").partition("/")
    with invocation.repository() as repository:
        found = repository.notices(project or None, name or None, direction=direction)
    rows = [one.to_dict() for one in found]
    if style == "json":
        output.records(rows)
        return
    output.table(
        ["", "WHAT", "DOCUMENT", "WITH", "STATE", "ID", "TIME"],
        [
            [
                "to" if row["direction"] == "sent" else "from",
                row["about"] or "other",
                _place(row),
                row["peer"] or row.get("url") or "unknown",
                _state(row),
                row["id"],
                row.get("received") or row.get("acknowledged") or row.get("delivered") or row["made"],
            ]
            for row in rows
        ],
    )


@notices.command("show")
@click.argument("id")
@json_option
@pass_invocation
def notices_show(invocation: Invocation, id: str, style: str) -> None:  # noqa: A002
    """Show the notice with this ID: its state, and its text as it is sent or was received."""
    with invocation.repository() as repository:
        found = repository.notice(id)
    row = found.to_dict()
    text = found.body.decode("utf-8", "replace")
    if style == "json":
        output.records({**row, "text": text})
        return
    for name, value in row.items():
        if value not in ("", 0):
            output.result(f"{name:<13}{quoted(str(value))}")
    output.result("")
    for line in text.split("\n"):
        output.result(f"{line[: len(line) - len(line.lstrip())]}{on_one_line(line)}")


@notices.command("send")
@click.option("--again", is_flag=True, help="Send also those that were refused, given up, or not acknowledged.")
@json_option
@pass_invocation
def notices_send(invocation: Invocation, again: bool, style: str) -> int:
    """Send the notices that wait, without waiting for the end of a pause. A server does it by itself.

    A notice is never lost: it is tried again for some weeks, with growing pauses, until its receiver accepts it. A
    receiver that gets it twice recognizes it. Exit 1 if an attempt failed.
    """
    with invocation.repository() as repository:
        done = repository.send_notices(again=again)
        failures = [one for one in repository.notices(direction="sent") if one.to_dict().get("failure")]
    for one in failures:
        row = one.to_dict()
        output.note(f"{row['peer'] or row['url']}: {row['failure']}")
    if style == "json":
        output.records(done.to_dict())
    else:
        output.result(
            f"{done.delivered} delivered, {done.failed} failed, {done.waiting} waiting, "
            f"{done.unacknowledged} not acknowledged, {done.refused} refused"
        )
    return 1 if done.failed else 0


@notices.command("announce")
@click.argument("reference", type=REFERENCE, metavar="P/N[@VERSION]")
@click.option("--to", "peers", multiple=True, metavar="PEER", help="Only this peer; repeatable. Default: all.")
@json_option
@pass_invocation
def notices_announce(invocation: Invocation, reference: Reference, peers: tuple[str, ...], style: str) -> None:
    """Tell the peers from whose documents a version was derived, so that they can tell you of withdrawals.

    These are the peers whose documents describe something that the version uses or derives from. Nobody is told twice.
    A server sends the notices by itself; `notices send` does it at once. `provrepo project set P --announce` announces
    each new version.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.announce(*reference, peers=list(peers))
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    for one in found:
        output.result(f"{one.peer}: {one.state} ({one.id})")


@notices.group("holders")
def holders() -> None:
    """The holders of copies. Peers that got a document, or mirror a project, are listed without being added."""


@holders.command("list")
@click.argument("project", required=False, metavar="[P]")
@json_option
@pass_invocation
def holders_list(invocation: Invocation, project: str | None, style: str) -> None:
    """List who holds copies of the documents of project P, or of all projects."""
    with invocation.repository() as repository:
        found = repository.holders(project)
    _show(found, style)


@holders.command("add")
@click.argument("reference", metavar="P[/N[@VERSION]]")
@click.argument("url", required=False, metavar="[URL]")
@click.option("--peer", metavar="NAME", help="The peer that has the copy, instead of URL.")
@click.option("--pingback", is_flag=True, help="URL takes pingbacks of PROV-AQ, and no notices.")
@click.option("--since", type=click.IntRange(min=0), metavar="N", help="The last ledger entry that the copy contains.")
@json_option
@pass_invocation
def holders_add(
    invocation: Invocation,
    reference: str,
    url: str | None,
    peer: str | None,
    pingback: bool,
    since: int | None,
    style: str,
) -> None:
    """State that a peer, or the operator of the inbox at URL, has a copy of a project, document or version.

    From now on it is told when something of it is withdrawn, corrected or erased. With --since, also of what happened
    after that entry of the project.
    """
    place = _reference(reference)
    chosen: dict[str, Any] = {} if not pingback else {"protocol": "pingback"}
    with invocation.repository() as repository:
        made = repository.add_holder(*place, peer=peer or "", url=url or "", since=since, **chosen)
    _show([made], style)


@holders.command("remove")
@click.argument("id", type=click.IntRange(min=1))
@pass_invocation
def holders_remove(invocation: Invocation, id: int) -> None:  # noqa: A002
    """Remove the holder with this ID, which is told nothing any more."""
    with invocation.repository() as repository:
        gone = repository.remove_holder(id)
    output.result(f"{gone.peer or gone.url} removed")


def _reference(text: str) -> tuple[str, str | None, int | None]:
    """Return project, document and version of ``P``, ``P/N`` or ``P/N@VERSION``."""
    if "/" not in text:
        return text, None, None
    found = REFERENCE.convert(text, None, None)
    if not isinstance(found, Reference):
        raise UsageError(f"{text!r} names no document")
    return found.project, found.name, found.version


def _show(found: list[Holder], style: str) -> None:
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "HOLDER", "HOLDS", "KNOWN BY", "TOLD OF ENTRIES AFTER", "ADDED"],
        [[one.id, one.peer or one.url, _held(one), one.how, one.since, one.added] for one in found],
    )


def _held(one: Holder) -> str:
    return one.project + (f"/{one.document}" if one.document else "") + (f"@{one.version}" if one.version else "")


def _place(row: dict[str, Any]) -> str:
    return f"{row['project']}/{row['document']}@{row['version']}" if row["project"] else "-"


def _state(row: dict[str, Any]) -> str:
    if row["direction"] == "received":
        return "proven" if row["proof"] else "not proven"
    failed = row["attempts"] if row["state"] in ("waiting", "refused", "given-up") else 0
    return f"{row['state']}, {failed} failed" if failed else str(row["state"])
