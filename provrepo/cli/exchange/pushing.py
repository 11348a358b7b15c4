"""The verbs ``push`` and ``pushes``: versions that are sent to peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation
from provrepo.text import quoted

if TYPE_CHECKING:
    from provrepo.ledger.exchange.pushes import Push

__all__ = ["push", "pushes"]

_TAKEN = ("pending", "accepted")


@click.command()
@click.argument("peer")
@click.argument("reference", type=REFERENCE, metavar="P/N[@VERSION]")
@click.option("--queue", is_flag=True, help="Only queue it: a server, or `provrepo pushes send`, sends it later.")
@json_option
@pass_invocation
def push(invocation: Invocation, peer: str, reference: Reference, queue: bool, style: str) -> int:
    """Send a version to a peer, where it waits for a review or is stored at once.

    Bytes and metadata are sent, and the position in the chain of the project. The version is queued durably before. If
    it cannot be delivered, a server tries again later. Pushing it again sends nothing twice. Exit 1: the peer has
    refused or rejected it, or it could not be delivered yet.
    """
    with invocation.repository() as repository:
        made = repository.push(peer, reference.project, reference.name, version=reference.version, deliver=not queue)
    if style == "json":
        output.records(made.to_dict())
    else:
        output.result(_sentence(made))
    return 0 if made.state in _TAKEN or queue else 1


@click.group(short_help="List, send and cancel what is pushed to peers.")
def pushes() -> None:
    """Versions that were pushed to peers; `provrepo outbox` is about captured sessions."""


@pushes.command("list")
@click.argument("project", required=False, metavar="[P]")
@json_option
@pass_invocation
def pushes_list(invocation: Invocation, project: str | None, style: str) -> None:
    """List what was pushed to peers, oldest first: its state there, and why an attempt failed."""
    with invocation.repository() as repository:
        found = repository.pushes(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "PEER", "DOCUMENT", "STATE", "THERE", "REASON"],
        [[one.id, one.peer, _version(one), one.state, _there(one) or "-", _reason(one) or "-"] for one in found],
    )


@pushes.command("send")
@pass_invocation
def pushes_send(invocation: Invocation) -> None:
    """Queue new versions of the projects with `--push`, and attempt all that is under way once, now."""
    with invocation.repository() as repository:
        count = repository.send_pushes()
    output.result(f"{count} attempted")


@pushes.command("cancel")
@click.argument("id", type=click.IntRange(min=1))
@json_option
@pass_invocation
def pushes_cancel(invocation: Invocation, id: int, style: str) -> None:  # noqa: A002
    """Stop attempts to deliver a push, or to learn what became of it. What the peer has received stays there."""
    with invocation.repository() as repository:
        found = repository.cancel_push(id)
    if style == "json":
        output.records(found.to_dict())
    else:
        output.result(_sentence(found))


def _sentence(found: Push) -> str:
    reason = _reason(found)
    text = {
        "queued": "is queued" if not found.attempts else f"could not be delivered to {found.peer}, and is tried again",
        "pending": f"waits for a review at {found.peer} as {found.pending}",
        "accepted": f"was accepted by {found.peer} as {_there(found)}",
        "rejected": f"was rejected by {found.peer}",
        "expired": f"was not reviewed by {found.peer} in time",
        "refused": f"was refused by {found.peer}",
        "given-up": f"could not be delivered to {found.peer}, and is not tried again",
        "cancelled": "is not sent any more",
    }[found.state]
    return f"{_version(found)} {text}{f': {reason}' if reason else ''}"


def _version(found: Push) -> str:
    return f"{found.project}/{found.document}@{found.version}"


def _there(found: Push) -> str:
    if found.there.get("version"):
        return f"{found.target}/{found.there['name']}@{found.there['version']}"
    return ""


def _reason(found: Push) -> str:
    return found.failure or quoted(str(found.there.get("reason", "")))
