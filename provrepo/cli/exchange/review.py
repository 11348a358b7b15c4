"""The verb ``review``: documents that wait until somebody accepts or rejects them, or asks for changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import WAITS, Invocation, json_option, pass_invocation
from provrepo.text import quoted
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.exchange.records import PendingInfo

__all__ = ["review"]

_reason = click.option("--reason", default="", metavar="TEXT", help="The reason, which the sender gets.")
_seen = click.option(
    "--if-match", metavar="SHA256", help="Decide only if these are its bytes: its sender may replace them."
)


@click.group(short_help="Accept or reject documents that wait for a review.")
def review() -> None:
    """Documents that wait: sent by peers, submitted under review, or refused and kept. They are in no dataset."""


@review.command("list")
@click.argument("project", required=False, metavar="[P]")
@json_option
@pass_invocation
def review_list(invocation: Invocation, project: str | None, style: str) -> None:
    """List the documents that wait, oldest first: in projects that you curate all, elsewhere your own."""
    with invocation.repository() as repository:
        found = repository.pending(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "DOCUMENT", "FROM", "VERDICT", "WAITS FOR", "RECEIVED"],
        [[one.id, f"{one.project}/{one.name}", _sender(one), _verdict(one), _for(one), one.received] for one in found],
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
@_seen
@click.option("--name", metavar="N", help="The name of the document. Default: the one that the sender chose.")
@click.option("--update", is_flag=True, help="If a document of that name exists, add a version.")
@click.option("--again", is_flag=True, help="Accept bytes that were withdrawn before.")
@json_option
@pass_invocation
def review_accept(
    invocation: Invocation,
    id: str,  # noqa: A002
    reason: str,
    if_match: str | None,
    name: str | None,
    update: bool,
    again: bool,
    style: str,
) -> None:
    """Accept a document that waits: it is checked again and stored in the name of its sender, who learns of it.

    A later version of a document that came from the same peer becomes a new version. Exit 1: the name is taken, the
    document does not conform, a decision was made before, or changes were asked for; it still waits then.
    """
    with invocation.repository(follow=True) as repository:
        decided = repository.accept_pending(id, reason=reason, name=name, update=update, again=again, if_match=if_match)
    if style == "json":
        output.records(decided.to_dict())
    else:
        output.result(f"{id} accepted as {decided.project}/{decided.document}@{decided.version}")


@review.command("reject")
@click.argument("id")
@_reason
@_seen
@json_option
@pass_invocation
def review_reject(invocation: Invocation, id: str, reason: str, if_match: str | None, style: str) -> None:  # noqa: A002
    """Reject a document that waits, or give up your own. Its bytes are deleted, and its sender learns of the reason."""
    with invocation.repository() as repository:
        decided = repository.reject_pending(id, reason=reason, if_match=if_match)
    _decided(decided, "given up" if decided.own else "rejected", style)


@review.command("ask")
@click.argument("id")
@click.option("--reason", required=True, metavar="TEXT", help="What is to be changed, which its submitter sees.")
@_seen
@json_option
@pass_invocation
def review_ask(invocation: Invocation, id: str, reason: str, if_match: str | None, style: str) -> None:  # noqa: A002
    """Ask the submitter of a document for changes. It waits until they come, by `review replace`, at the same place."""
    with invocation.repository() as repository:
        decided = repository.ask_pending(id, reason=reason, if_match=if_match)
    _decided(decided, "waits for changes", style)


@review.command("replace")
@click.argument("id")
@click.argument("file")
@click.option("--from", "from_", metavar="FORMAT", help="The format. Default: detected by suffix and content.")
@click.option("--note", metavar="TEXT", help="A note for the history of the document. Default: the one of before.")
@json_option
@pass_invocation
def review_replace(
    invocation: Invocation,
    id: str,  # noqa: A002
    file: str,
    from_: str | None,
    note: str | None,
    style: str,
) -> int:
    """Replace a document of yours that waits, as after a request for changes. It keeps its identifier and name.

    The bytes of before are deleted. A document that does not conform changes nothing (exit 1), unless it is to mend one
    that was refused. When it is replaced, it waits again (exit 3). `-` is stdin.
    """
    from provrepo.cli.documents import source

    with invocation.repository() as repository:
        found = repository.replace_pending(id, source(file), format=from_, note=note)
    _decided(found, f"replaced; it {'is kept to be mended' if found.why == 'refused' else 'waits for a review'}", style)
    return WAITS


def _decided(found: PendingInfo, what: str, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
    else:
        output.result(f"{found.id} {what}")


def _for(found: PendingInfo) -> str:
    """For whom a document waits."""
    if found.needs_you:
        return "you"
    return "its sender" if found.state == "changes" or found.why == "refused" else "a review"


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
    for number, each in enumerate(found.rounds, 1):
        asked = f"; changes asked for at {each['decided']}: {quoted(each['reason'])}" if each["decided"] else ""
        output.result(f"  round {number}     {each['received']}, {each['sha256'][:16]}…{asked}")
    if found.decided:
        word = "changes" if found.state == "changes" else "decided"
        output.result(f"  {word}     {found.decided}{f': {quoted(found.reason)}' if found.reason else ''}")


def _sender(found: PendingInfo) -> str:
    return found.peer or found.sender


def _verdict(found: PendingInfo) -> str:
    return found.verdict + (f", {counted(found.warnings, 'warning')}" if found.warnings else "")
