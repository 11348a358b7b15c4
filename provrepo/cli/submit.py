"""The verb ``submit``, to a repository on this machine or to a server."""

from __future__ import annotations

import sys
from typing import Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.cli.repository import not_indexed, submitter
from provrepo.errors import Refused, UsageError

__all__ = ["submit"]


@click.command()
@click.argument("file")
@click.option("--project", default="default", show_default=True, metavar="P", help="The project to submit to.")
@click.option("--name", metavar="N", help="The document's name; otherwise the file's, without its ending.")
@click.option("--update", is_flag=True, help="Where the name is taken, add a version.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="Beyond the project's profiles; repeatable.")
@click.option("--from", "from_", metavar="FORMAT", help="The format, where name and content do not tell.")
@click.option("--allow-empty", is_flag=True, help="Store it even if it makes no statement of PROV.")
@click.option("--base", metavar="IRI", help="What relative IRIs in it are relative to.")
@click.option("--note", default="", metavar="TEXT", help="What the history will say about this version.")
@click.option("--again", is_flag=True, help="Take in bytes that were withdrawn before, as a new version.")
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
    base: str | None,
    note: str,
    again: bool,
    server: str | None,
    style: str,
) -> int:
    """Check a document and store it for good; prints the receipt.

    Once the receipt is printed the bytes are on disk, unchanged, and stay. What does not conform is not stored, and
    the report says why (exit 1); what makes no statement of PROV is stored only with --allow-empty. Submitting the
    same bytes under the same name again changes nothing and gives the same version. Other bytes under a taken name are
    refused unless --update is given. Bytes that were withdrawn are refused unless --again is given; then they are a
    new version. `-` is stdin.
    """
    submission = {"profiles": profiles, "update": update, "base": base, "note": note}
    submission |= {"again": again, "allow_empty": allow_empty}
    try:
        if server:
            receipt = _send(invocation, file, server, project, name, from_, submission)
        else:
            receipt = _store(invocation, file, project, name, from_, submission)
    except Refused as refusal:
        _show_report(refusal.report, style)
        raise
    if style == "json":
        output.records(receipt)
    else:
        _show(receipt)
    return 0


def _store(
    invocation: Invocation, file: str, project: str, name: str | None, from_: str | None, submission: dict[str, Any]
) -> dict[str, Any]:
    from provrepo.cli.documents import source

    with invocation.repository(follow=True) as repository:
        receipt = repository.submit(source(file), project=project, name=name, format=from_, **submission)
        waiting, indexing = repository.waiting(), repository.indexing_server()
    if waiting:
        output.note(f"stored; {not_indexed(waiting)}")
    elif not receipt.indexed and not receipt.version.set_aside:
        output.note(f"stored; {_indexed_by(indexing)}")
    return receipt.to_dict()


def _indexed_by(server: str) -> str:
    if server:
        return f"the running server ({server}) indexes it"
    return "another process is at work in this data directory, so whoever asks next will index it"


def _send(
    invocation: Invocation,
    file: str,
    server: str,
    project: str,
    name: str | None,
    from_: str | None,
    submission: dict[str, Any],
) -> dict[str, Any]:
    from provrepo.cli.documents import source
    from provrepo.cli.transfer import Destination, send
    from provrepo.codecs.formats import by_name, content, detect

    data, path = content(source(file))
    name = name or _name(path)
    if submission["update"] and name is None:
        raise UsageError("which document is to be updated? Name it with --name")
    chosen = by_name(from_) if from_ else detect(data, path)
    settings = invocation.settings()
    destination = Destination(server, project, name, settings.token, settings.check_timeout)
    return send(data, chosen.media_type, destination, **submission)


def _name(path: str | None) -> str | None:
    """What a repository of one's own would call the document; None leaves it to the server."""
    if path is None:
        return None
    from provrepo.repository.submission.submit import name_for

    return name_for(path, "") or None


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
    output.result(f"  possible    {possible}, by PROV-CONSTRAINTS; {warnings:,} warning{'' if warnings == 1 else 's'}")
    if receipt.get("set_aside"):
        output.result(f"  set aside   by {', '.join(receipt['set_aside'])}; `provrepo fsck` says why")
    if report.unmapped:
        output.result(f"  not read    {report.unmapped_text()}")


def _show_report(report: Any, style: str) -> None:
    if style == "json":
        output.records(report.to_dict())
        return
    from provrepo.checks.render import render

    output.result(render(report, "text", color=sys.stdout.isatty()))
