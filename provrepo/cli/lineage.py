"""The verbs ``lineage``, ``thing`` and ``search``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation
from provrepo.errors import UsageError
from provrepo.limits import PRINTED_NODES, SEARCH_HITS, THING_STATEMENTS, THING_VERSIONS
from provrepo.repository.lineage.records import BUNDLED

if TYPE_CHECKING:
    from provrepo.repository.lineage.assertions import Saying
    from provrepo.repository.lineage.records import LineageCommon, LineageGraph, LineageImpact, LineageNode
    from provrepo.repository.lineage.things import KnownThing

__all__ = ["lineage", "search", "thing"]

_MOST_NAMED = 20
"""Undeclared roots that are named on stderr."""


def _iri(thing: str) -> str:
    """The IRI of a thing; a file is named by its content, which is the same wherever it was recorded."""
    if not os.path.isfile(thing):  # noqa: PTH113 (an IRI may be too long for a path)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", thing) is None:
            raise UsageError(f"{thing}: no such file, and not an absolute IRI")
        return thing
    import hashlib

    from provrepo.capture.journal.document import content

    with Path(thing).open("rb") as file:
        return content(hashlib.file_digest(file, "sha256").hexdigest())


def _named(_context: click.Context, _parameter: click.Parameter, thing: str | None) -> str | None:
    return None if thing is None else _iri(thing)


def _all_named(_context: click.Context, _parameter: click.Parameter, things: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_iri, things))


_project = click.option("--project", metavar="P", help="Only through this project; otherwise through all.")
_as_of = click.option(
    "--as-of",
    metavar="WHEN",
    help="What was current then: once the entry PROJECT/SEQUENCE had been appended, or at a time with its zone such as "
    "2026-01-31T12:00:00Z.",
)
_timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give up after so long; otherwise it takes as long as it takes.",
)


@click.command()
@click.argument("iri", metavar="THING", callback=_named)
@click.option(
    "--direction",
    type=click.Choice(["upstream", "downstream", "both"]),
    help="What it came from (upstream), or what depends on it; upstream, and with --impact downstream, where it is not "
    "given.",
)
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Go at most so many relations.")
@click.option("--to", metavar="THING", callback=_named, help="Only what is on a path to this thing.")
@click.option(
    "--common",
    metavar="THING",
    multiple=True,
    callback=_all_named,
    help="What this one and THING both came from; may be repeated.",
)
@click.option("--impact", is_flag=True, help="Count everything that depends on it, by kind, type, agent and project.")
@click.option("--relation", "relations", metavar="NAME", multiple=True, help="Only along this relation; repeatable.")
@click.option(
    "--stop",
    metavar="TYPE",
    multiple=True,
    help="Go no further from what is of this type, such as prov:Plan or a whole IRI; repeatable.",
)
@click.option("--strict", is_flag=True, help="Only along derivations, not through activities.")
@click.option("--alternates", is_flag=True, help="Also along alternates.")
@_project
@_as_of
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Say which roots are among these IRIs, one a line; * stands for any characters, # begins a comment.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=PRINTED_NODES,
    show_default=True,
    help="The most things that are told.",
)
@_timeout
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "svg", "turtle", *BUNDLED]),
    default="table",
    show_default=True,
    help=f"How the answer is written; {', '.join(BUNDLED)} have one bundle for each graph that says something.",
)
@pass_invocation
def lineage(
    invocation: Invocation,
    /,
    iri: str,
    direction: str | None,
    to: str | None,
    common: tuple[str, ...],
    impact: bool,
    sources: Path | None,
    limit: int,
    style: str,
    **way: Any,
) -> None:
    """Say where a thing came from, or what depends on it.

    THING is an IRI; or a file, and then it is what the file holds now, wherever that was recorded. The current
    versions of all projects are gone through, along the relations that docs/reference/lineage.md lists. What is left
    out is said on stderr, with its number.
    """
    if common or impact:
        if common and (impact or direction not in (None, "upstream")):
            raise UsageError("--common goes upstream, and by itself")
        if to or sources or style not in ("table", "json"):
            raise UsageError("--common and --impact are written as table or json, and take neither --to nor --sources")
    with invocation.repository(follow=True) as repository:
        if common:
            _show_common(repository.common([iri, *common], limit=limit, **way), style)
        elif impact:
            _show_impact(repository.impact(iri, direction=direction or "downstream", limit=limit, **way), style)
        else:
            declared = None if sources is None else sources.read_text("utf-8").splitlines()
            graph = repository.lineage(
                iri, direction=direction or "upstream", to=to, sources=declared, limit=limit, **way
            )
            _show_graph(graph, style)


@click.command()
@click.argument("iri", metavar="THING", callback=_named)
@_project
@_as_of
@click.option(
    "--versions",
    type=click.IntRange(min=1),
    default=THING_VERSIONS,
    show_default=True,
    help="The most versions to read.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=THING_STATEMENTS,
    show_default=True,
    help="The most statements that are told.",
)
@_timeout
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", *BUNDLED]),
    default="table",
    show_default=True,
    help=f"How the answer is written; {', '.join(BUNDLED)} have one bundle for each graph that says something.",
)
@pass_invocation
def thing(invocation: Invocation, /, iri: str, style: str, **limits: Any) -> None:
    """Tell all that is said about one thing, by which document, version and submitter.

    THING is an IRI; or a file, and then it is what the file holds now. Statements are told as they were submitted:
    what describes the thing, and every relation in which it stands. What is left out is said on stderr, with its
    number.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.thing(iri, **limits)
    if style == "json":
        output.records(found.to_dict())
    elif style == "table":
        _table_of_thing(found)
    else:
        output.data(found.document().write(style))
    output.note(
        f"{found.told_statements:,} of {found.total_statements:,} statements of "
        f"{len(found.accounts):,} of {found.total_versions:,} versions"
    )


@click.command()
@click.argument("text")
@click.option("--project", metavar="P", help="Only in this project; otherwise in all.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=SEARCH_HITS, show_default=True, help="The most things to list."
)
@_timeout
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for programs.",
)
@pass_invocation
def search(
    invocation: Invocation, text: str, project: str | None, limit: int, timeout: float | None, style: str
) -> None:
    """Find things by the words of their names, labels, types, identifiers and checksums.

    All words have to be there; the last may be the beginning of one.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.search(text, project=project, limit=limit, timeout=timeout)
    if style == "json":
        output.records(found.to_dict())
        return
    output.table(["KIND", "LABEL", "IRI", "PROJECTS"], [_cells(thing) for thing in found.things])
    output.note(f"{len(found.things)} of {found.total}")


def _show_graph(graph: LineageGraph, style: str) -> None:
    if style == "json":
        output.records(graph.to_dict())
    elif style == "table":
        declared = set(graph.declared or ())
        roots = {root: "source" if root in declared else "root" for root in graph.roots}
        rows = [[node.distance, *_cells(node), roots.get(node.iri, "")] for node in graph.nodes]
        output.table(["DISTANCE", "KIND", "LABEL", "IRI", "PROJECTS", ""], rows)
    else:
        output.data(graph.write(style))
    output.note(graph.left_out() or f"{graph.total_nodes} things, {graph.total_edges} relations")
    if graph.declared is not None:
        share = "" if graph.coverage is None else f", {graph.coverage:g} %"
        output.note(f"{graph.total_declared} of {graph.total_roots} roots are declared sources{share}")
        undeclared = graph.undeclared or ()
        for root in undeclared[:_MOST_NAMED]:
            output.note(f"not declared: {root}")
        if more := graph.total_roots - graph.total_declared - min(len(undeclared), _MOST_NAMED):
            output.note(f"not declared: {more} more")


def _show_impact(impact: LineageImpact, style: str) -> None:
    if style == "json":
        output.records(impact.to_dict())
        return
    rows = [
        [what.removesuffix("s"), name, count, _one_line(impact.labels.get(name, "")) if what == "agents" else ""]
        for what, counts in impact.groups().items()
        for name, count in counts.items()
    ]
    output.table(["BY", "NAME", "THINGS", "LABEL"], rows)
    left = f"; {impact.total_types} types, {impact.total_agents} agents, {impact.total_projects} projects in all"
    output.note(f"{impact.total} things{left if impact.truncated else ''}")


def _show_common(common: LineageCommon, style: str) -> None:
    if style == "json":
        output.records(common.to_dict())
        return
    rows = [
        ["+".join(map(str, each.distances)), *_cells(each.node), "nearest" if each.nearest else ""]
        for each in common.nodes
    ]
    output.table(["DISTANCES", "KIND", "LABEL", "IRI", "PROJECTS", ""], rows)
    output.note(f"{len(common.nodes)} of {common.total} things in common")


def _table_of_thing(found: KnownThing) -> None:
    kind, label, iri, projects = _cells(found.node)
    output.result(f"{kind} {iri}" + (f" ({label})" if label else "") + f", in {projects}")
    for cls in found.node.types:
        output.result(f"  type {cls}")
    for account in found.accounts:
        info = account.version
        told = f"{len(account.sayings)} of {account.total}"
        output.result(
            f"\n{info.project}/{info.name}@{info.version}, {info.time} by {info.submitter}: {told} statements"
        )
        for saying in account.sayings:
            output.result(f"  {_statement(saying)}")
        for triple in account.triples:
            output.result(f"  {triple.predicate} {triple.object}")


def _statement(saying: Saying) -> str:
    """A statement on one line, near to PROV-N, with whole IRIs."""
    from provrepo.cli.query import shown
    from provrepo.model.identifiers import Identifier

    statement = saying.statement
    element = statement.kind.element
    parts = [statement.id or ""] if element else []
    parts += ["-" if term is None else shown(Identifier(term)) for term in statement.args]
    parts += [shown(key) + (f" {entity}" if entity else "") for key, entity in statement.entries]
    if statement.attributes:
        parts.append(f"[{', '.join(f'{shown(name)}={shown(value)}' for name, value in statement.attributes)}]")
    name = "" if element or statement.id is None else f"{statement.id}; "
    bundle = f" in bundle {saying.bundle}" if saying.bundle else ""
    return f"{statement.kind.name}({name}{', '.join(parts)}){bundle}"


def _cells(node: LineageNode) -> list[str]:
    return ["+".join(node.kinds), _one_line(node.label), node.iri, ",".join(node.projects)]


def _one_line(label: str) -> str:
    return " ".join(label.split())
