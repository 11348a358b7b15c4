"""The verbs ``pingbacks list`` and ``pingbacks discard``."""

from __future__ import annotations

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation

__all__ = ["pingbacks"]


@click.group(short_help="List and discard pingbacks (PROV-AQ).")
def pingbacks() -> None:
    """Pingbacks (PROV-AQ): addresses of further provenance, sent by others. They are neither verified nor fetched."""


@pingbacks.command("list")
@click.argument("place", metavar="P[/N]")
@json_option
@pass_invocation
def pingbacks_list(invocation: Invocation, place: str, style: str) -> None:
    """List the pingbacks of project P, or of its document N, oldest first, and mark them as seen.

    A project has at most PROVREPO_PINGBACKS pingbacks. Beyond that, the oldest unseen pingback is removed, or the
    oldest of all if all have been seen.
    """
    project, _, name = place.partition("/")
    with invocation.repository() as repository:
        found = repository.pingbacks(project, name or None)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(
        ["ID", "DOCUMENT", "VERSION", "RECEIVED", "SEEN", "RELATION", "ADDRESS", "ABOUT"],
        [
            [
                one.id,
                f"{one.project}/{one.document}",
                one.version or "-",
                one.received,
                "yes" if one.seen else "no",
                one.relation,
                one.uri,
                one.anchor or "-",
            ]
            for one in found
        ],
    )


@pingbacks.command("discard")
@click.argument("reference", type=REFERENCE, metavar="P/N")
@click.argument("ids", type=click.IntRange(min=1), nargs=-1, metavar="[ID]...")
@pass_invocation
def pingbacks_discard(invocation: Invocation, reference: Reference, ids: tuple[int, ...]) -> None:
    """Delete pingbacks of a document: those with these IDs, or all of them."""
    with invocation.repository() as repository:
        gone = repository.discard_pingbacks(reference.project, reference.name, ids or None)
    output.result(f"{reference.project}/{reference.name}: {gone} discarded")
