"""The verb ``publish``: one document of a private project into a public one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.governance.publication import Publication

__all__ = ["publish"]


@click.command()
@click.argument("reference", type=REFERENCE)
@click.option("--to", required=True, metavar="PROJECT", help="The public project to which it is submitted.")
@click.option("--name", metavar="NAME", help="The name that it gets there. Default: the same.")
@click.option("--note", metavar="TEXT", help="The note that is published with it. Default: that of the version.")
@click.option("--update", is_flag=True, help="Append a new version if a document of that name exists there.")
@click.option("--dry-run", is_flag=True, help="Only show what would become visible.")
@click.option("--yes", is_flag=True, help="Publish without asking.")
@json_option
@pass_invocation
def publish(
    invocation: Invocation,
    reference: Reference,
    to: str,
    name: str | None,
    note: str | None,
    update: bool,
    dry_run: bool,
    yes: bool,
    style: str,
) -> int:
    """Publish a document: submit its bytes to a public project, after showing what becomes visible to everybody.

    It shows the number of statements, the agents with their names, the things that no public project has yet, the note,
    and names of files, and then asks. The document stays where it is, and its project is not named in the public one.
    What was public cannot be taken back from those who have copied it. Exit 1: it was not published.
    """
    options = {"to": to, "version": reference.version, "name": name, "note": note}
    with invocation.repository(follow=True) as repository:
        found = repository.publication(reference.project, reference.name, **options)  # type: ignore[arg-type]
        if dry_run or not yes:
            _show(found, style if dry_run else "text")
        if dry_run:
            return 0
        if not yes and not click.confirm(f"Publish it as {found.to}/{found.name}?", err=True):
            output.note("not published")
            return 1
        receipt = repository.publish(
            reference.project,
            reference.name,
            **{**options, "version": found.version},  # type: ignore[arg-type]
            update=update,
        )
    if style == "json":
        output.records(receipt.to_dict())
        return 0
    published = f"{receipt.version.project}/{receipt.version.name}@{receipt.version.version}"
    output.result(f"{published} {'published' if receipt.created else 'was public already'}")
    return 0


def _show(found: Publication, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    print_ = output.result
    print_(
        f"{found.project}/{found.document}@{found.version} as {found.to}/{found.name}: everybody could read "
        f"{counted(found.statements, 'statement')}"
    )
    for what, text in (("title", found.title), ("note", found.note), ("base", found.base)):
        if text:
            print_(f"  {what:<9} {text}")
    print_(f"{_number(len(found.agents), 'agent', found.more_agents)}")
    for agent in found.agents:
        print_(f"  {' '.join([agent.iri, *agent.names, *agent.emails])}")
    print_(f"{_number(len(found.things), 'thing', found.more_things)} that no public project has yet")
    for thing in found.things:
        print_(f"  {thing}")
    print_(f"{_number(len(found.files), 'name', found.more_files)} of files and places")
    for file in found.files:
        print_(f"  {file}")


def _number(count: int, noun: str, more: bool) -> str:
    return counted(count, noun) + (" and more" if more else "")
