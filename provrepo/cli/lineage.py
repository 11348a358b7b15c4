"""The verbs ``lineage`` and ``search``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation

if TYPE_CHECKING:
    from provrepo.repository.lineage import LineageGraph, LineageNode

__all__ = ["lineage", "search"]

_BUNDLED = ("trig", "provjson")


def _named(_context: click.Context, _parameter: click.Parameter, thing: str | None) -> str | None:
    """The IRI of a thing; a file is named by its content, which is the same wherever it was recorded."""
    if thing is None or not os.path.isfile(thing):  # noqa: PTH113 (an IRI may be too long for a path)
        return thing
    import hashlib

    from provrepo.capture.document import content

    with Path(thing).open("rb") as file:
        return content(hashlib.file_digest(file, "sha256").hexdigest())


@click.command()
@click.argument("iri", metavar="THING", callback=_named)
@click.option(
    "--direction",
    type=click.Choice(["upstream", "downstream", "both"]),
    default="upstream",
    show_default=True,
    help="What it came from, or what depends on it.",
)
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Go at most so many relations.")
@click.option("--to", metavar="THING", callback=_named, help="Only what is on a path to this thing.")
@click.option("--strict", is_flag=True, help="Only along derivations, not through activities.")
@click.option("--alternates", is_flag=True, help="Also along alternates.")
@click.option("--project", metavar="P", help="Only through this project; otherwise through all.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The most things that are told."
)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "svg", "turtle", "provn", *_BUNDLED]),
    default="table",
    show_default=True,
    help="How the answer is written; trig and provjson have one bundle for each graph that says something.",
)
@pass_invocation
def lineage(
    invocation: Invocation,
    iri: str,
    direction: str,
    depth: int | None,
    to: str | None,
    strict: bool,
    alternates: bool,
    project: str | None,
    limit: int,
    style: str,
) -> None:
    """Say where a thing came from, or what depends on it.

    THING is an IRI; or a file, and then it is what the file holds now, wherever that was recorded. The current
    versions of all projects are gone through, along the relations that docs/reference/lineage.md lists.
    """
    with invocation.repository(follow=True) as repository:
        graph = repository.lineage(
            iri,
            direction=direction,
            depth=depth,
            to=to,
            strict=strict,
            alternates=alternates,
            project=project,
            limit=limit,
        )
    if style == "json":
        output.records(graph.to_dict())
    elif style == "table":
        _table(graph)
    else:
        output.data(graph.document(bundles=style in _BUNDLED).write(style))
    _left_out(graph)


@click.command()
@click.argument("text")
@click.option("--project", metavar="P", help="Only in this project; otherwise in all.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The most things to list.")
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for programs.",
)
@pass_invocation
def search(invocation: Invocation, text: str, project: str | None, limit: int, style: str) -> None:
    """Find things by the words of their names, labels, types, identifiers and checksums.

    All words have to be there; the last may be the beginning of one.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.search(text, project=project, limit=limit)
    if style == "json":
        output.records(found.to_dict())
        return
    output.table(["KIND", "LABEL", "IRI", "PROJECTS"], [_cells(thing) for thing in found.things])
    output.note(f"{len(found.things)} of {found.total}")


def _table(graph: LineageGraph) -> None:
    roots = set(graph.roots)
    rows = [[node.distance, *_cells(node), "root" if node.iri in roots else ""] for node in graph.nodes]
    output.table(["DISTANCE", "KIND", "LABEL", "IRI", "PROJECTS", ""], rows)


def _cells(node: LineageNode) -> list[str]:
    return ["+".join(node.kinds), " ".join(node.label.split()), node.iri, ",".join(node.projects)]


def _left_out(graph: LineageGraph) -> None:
    if not graph.truncated:
        output.note(f"{graph.total_nodes} things, {graph.total_edges} relations")
        return
    told = f"{len(graph.nodes)} of {graph.total_nodes} things, {len(graph.edges)} of {graph.total_edges} relations"
    output.note(told + (f"; {graph.beyond} more things one relation beyond the depth" if graph.beyond else ""))
