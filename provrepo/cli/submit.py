"""The verb ``submit``: to the local data directory or to a server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from provrepo.cli import output
from provrepo.cli.context import WAITS, Invocation, json_option, pass_invocation
from provrepo.cli.repository import not_indexed, submitter
from provrepo.errors import Refused, Waits
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.exchange.records import PendingInfo

__all__ = ["submit"]


@click.command()
@click.argument("file")
@click.option("--project", default="default", show_default=True, metavar="P", help="The project to submit to.")
@click.option("--name", metavar="N", help="The name of the document. Default: the file name without suffix.")
@click.option("--update", is_flag=True, help="If the document exists, add a version.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="An additional profile to those of the project; repeatable.",
)
@click.option("--from", "from_", metavar="FORMAT", help="The format. Default: detected by suffix and content.")
@click.option("--allow-empty", is_flag=True, help="Store a document without PROV statements.")
@click.option("--keep", is_flag=True, help="If it does not conform, keep it to be mended; it is no version.")
@click.option("--base", metavar="IRI", help="The base for relative IRIs.")
@click.option("--note", default="", metavar="TEXT", help="A note for the history of the document.")
@click.option("--again", is_flag=True, help="Store bytes that were withdrawn before, as a new version.")
@click.option("--to", "server", metavar="URL", help="Send it to this server, with PROVREPO_TOKEN.")
@json_option
@pass_invocation
def submit(
    invocation: Invocation,
    file: str,
    project: str,
    name: str | None,
    update: bool,
    profiles: tuple[str, ...],
    from_: str | None,
    allow_empty: bool,
    keep: bool,
    base: str | None,
    note: str,
    again: bool,
    server: str | None,
    style: str,
) -> int:
    """Validate a document, store it and print the receipt.

    When the receipt is printed, the unchanged bytes are on disk. A document that does not conform is not stored; the
    report is printed (exit 1); with --keep it is kept for some days, for its submitter and the curators. Where
    submissions are reviewed, the document waits until a curator accepts it; the place is printed (exit 3). A document
    without PROV statements is stored with --allow-empty only. The same bytes under the same name give the same version.
    Other bytes under an existing name are refused without --update. Bytes that were withdrawn are refused without
    --again, which makes a new version. `-` is stdin.
    """
    submission = {"profiles": profiles, "update": update, "base": base, "note": note}
    submission |= {"again": again, "allow_empty": allow_empty, "keep": keep}
    try:
        receipt = _store(invocation, file, server, project, name, from_, submission)
    except Refused as refusal:
        _show_report(refusal.report, style)
        if refusal.kept is not None:
            kept = cast("PendingInfo", refusal.kept)
            end = kept.expires or "it is given up"
            output.note(f"kept until {end}: {_place(invocation, server, kept)}")
        raise
    except Waits as waiting:
        found = cast("PendingInfo", waiting.pending)
        if style == "json":
            output.records(found.to_dict())
        else:
            output.result(f"{found.project}/{found.name} waits for a review: {_place(invocation, server, found)}")
        return WAITS
    if style == "json":
        output.records(receipt)
    else:
        _show(receipt)
    return 0


def _store(
    invocation: Invocation,
    file: str,
    server: str | None,
    project: str,
    name: str | None,
    from_: str | None,
    submission: dict[str, Any],
) -> dict[str, Any]:
    from provrepo.cli.documents import source

    with invocation.repository(follow=True, server=server) as repository:
        receipt = repository.submit(source(file), project=project, name=name, format=from_, **submission)
        waiting, indexing = repository.waiting(), repository.indexing_server()
    if waiting:
        output.note(f"{'stored; ' if receipt.created else ''}{not_indexed(waiting)}")
    elif receipt.created and not receipt.indexed and not receipt.version.set_aside:
        output.note(f"stored; {_indexed_by(indexing)}")
    return receipt.to_dict()


def _place(invocation: Invocation, server: str | None, found: PendingInfo) -> str:
    """Return where a document that waits is seen: its address at a server, or the command that shows it."""
    at = server or invocation.settings().server
    return f"{at.rstrip('/')}/projects/{found.project}/pending/{found.id}" if at else f"provrepo review show {found.id}"


def _indexed_by(server: str) -> str:
    if server:
        return f"the running server ({server}) indexes it"
    return "another process is using the views of this data directory; the next command indexes it"


def _show(receipt: dict[str, Any]) -> None:
    from provrepo.checks.findings import Severity
    from provrepo.checks.report import Report

    reference = f"{receipt['project']}/{receipt['name']}@{receipt['version']}"
    output.result(f"{reference} {'stored' if receipt['created'] else 'is these bytes already'}")
    output.result(f"  iri         {receipt['iri']}")
    output.result(f"  sha256      {receipt['sha256']}")
    output.result(f"  statements  {receipt['statements']} ({receipt['format']}, {receipt['size']} bytes)")
    output.result(f"  accepted    {receipt['time']}, {submitter(receipt['submitter'], receipt.get('token', ''))}")
    profiles = f" with {', '.join(receipt['profiles'])}" if receipt["profiles"] else ""
    output.result(f"  verdict     {receipt['verdict']}{profiles} (checked: {', '.join(receipt['layers'])})")
    report = Report.from_dict(receipt["report"])
    possible = {True: "yes", False: "no", None: "not asked"}[report.possible]
    warnings = report.count(Severity.WARNING)
    output.result(f"  possible    {possible}, by PROV-CONSTRAINTS; {counted(warnings, 'warning')}")
    if receipt.get("set_aside"):
        output.result(f"  set aside   by {', '.join(receipt['set_aside'])}; `provrepo fsck` has the reason")
    if report.unmapped:
        output.result(f"  not read    {report.unmapped_text()}")


def _show_report(report: Any, style: str) -> None:
    if style == "json":
        output.records(report.to_dict())
        return
    from provrepo.checks.render import render

    output.written(render(report, "text", color=sys.stdout.isatty()))
