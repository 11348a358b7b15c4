"""The verbs ``pingbacks list`` and ``pingbacks discard``."""

from __future__ import annotations

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation

__all__ = ["pingbacks"]


@click.group(short_help="What others say they know of documents.")
def pingbacks() -> None:
    """Pingbacks: where, as others say, more is known of what documents tell of. Nobody has checked or fetched it."""


@pingbacks.command("list")
@click.argument("place", metavar="P[/N]")
@json_option
@pass_invocation
def pingbacks_list(invocation: Invocation, place: str, style: str) -> None:
    """Those of project P, or of its document N, the oldest first. They count as seen from then on.

    A project has at most PROVREPO_PINGBACKS of them. Where more come, the oldest go that nobody has seen; where there
    are none, the oldest.
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
    """Forget pingbacks of a document: those with these IDs, or all of them."""
    with invocation.repository() as repository:
        gone = repository.discard_pingbacks(reference.project, reference.name, ids or None)
    output.result(f"{reference.project}/{reference.name}: {gone} discarded")
