"""The verb ``review``: documents that wait until somebody accepts or rejects them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.text import quoted
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.exchange.records import PendingInfo

__all__ = ["review"]

_reason = click.option("--reason", default="", metavar="TEXT", help="The reason, which the sender gets.")


@click.group(short_help="Accept or reject documents that wait for a review.")
def review() -> None:
    """Documents that wait for a review: sent by peers, or submitted under review. They are in no dataset."""


@review.command("list")
@click.argument("project", required=False, metavar="[P]")
@json_option
@pass_invocation
def review_list(invocation: Invocation, project: str | None, style: str) -> None:
    """List the documents that wait for a review, oldest first."""
    with invocation.repository() as repository:
        found = repository.pending(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "DOCUMENT", "FROM", "VERDICT", "RECEIVED"],
        [[one.id, f"{one.project}/{one.name}", _sender(one), _verdict(one), one.received] for one in found],
    )


@review.command("show")
@click.argument("id")
@click.option("--original", is_flag=True, help="Write the bytes of the document to stdout, unchanged.")
@json_option
@pass_invocation
def review_show(invocation: Invocation, id: str, original: bool, style: str) -> None:  # noqa: A002
    """Show a document that waits: its origin, its metadata, and the report of the checks on its arrival."""
    with invocation.repository() as repository:
        if original:
            output.data(repository.pending_original(id)[0])
            return
        found = repository.pending_document(id)
        report = repository.pending_report(id)
    if style == "json":
        output.records({**found.to_dict(), "report": report.to_dict()})
        return
    from provrepo.checks.render import render

    _show(found)
    output.written(render(report, "text", color=sys.stdout.isatty()))


@review.command("accept")
@click.argument("id")
@_reason
@click.option("--name", metavar="N", help="The name of the document. Default: the one that the sender chose.")
@click.option("--update", is_flag=True, help="If a document of that name exists, add a version.")
@click.option("--again", is_flag=True, help="Accept bytes that were withdrawn before.")
@json_option
@pass_invocation
def review_accept(
    invocation: Invocation,
    id: str,  # noqa: A002
    reason: str,
    name: str | None,
    update: bool,
    again: bool,
    style: str,
) -> None:
    """Accept a document that waits: it is checked again and stored in the name of its sender, who learns of it.

    A later version of a document that came from the same peer becomes a new version. Exit 1: the name is taken, the
    document does not conform, or a decision was made before; it still waits then.
    """
    with invocation.repository(follow=True) as repository:
        decided = repository.accept_pending(id, reason=reason, name=name, update=update, again=again)
    if style == "json":
        output.records(decided.to_dict())
    else:
        output.result(f"{id} accepted as {decided.project}/{decided.document}@{decided.version}")


@review.command("reject")
@click.argument("id")
@_reason
@json_option
@pass_invocation
def review_reject(invocation: Invocation, id: str, reason: str, style: str) -> None:  # noqa: A002
    """Reject a document that waits. Its bytes are deleted, and its sender learns of the reason."""
    with invocation.repository() as repository:
        decided = repository.reject_pending(id, reason=reason)
    if style == "json":
        output.records(decided.to_dict())
    else:
        output.result(f"{id} rejected")


def _show(found: PendingInfo) -> None:
    output.result(f"{found.id}: {found.project}/{found.name}, {found.state}")
    output.result(f"  from        {_sender(found)}, {found.received}")
    if found.origin:
        there = f"{found.origin['project']}/{found.origin['document']}@{found.origin['version']}"
        output.result(f"  origin      {there}, {found.origin['iri']}")
        output.result(f"  entry       {found.origin['sequence']} there, {found.origin['entry']}")
        output.result(f"  submitter   {quoted(found.submitter) or 'not named'}, as {found.peer} says")
    if found.title:
        output.result(f"  title       {quoted(found.title)}")
    output.result(f"  sha256      {found.sha256}")
    output.result(f"  format      {found.format}, {counted(found.size, 'byte')}")
    for label, value in (("license", found.license), ("note", found.note), ("expires", found.expires)):
        if value:
            output.result(f"  {label:<10}  {quoted(value)}")
    if found.decided:
        output.result(f"  decided     {found.decided}{f': {quoted(found.reason)}' if found.reason else ''}")


def _sender(found: PendingInfo) -> str:
    return found.peer or found.sender


def _verdict(found: PendingInfo) -> str:
    return found.verdict + (f", {counted(found.warnings, 'warning')}" if found.warnings else "")
