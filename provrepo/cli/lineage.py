"""The commands ``lineage``, ``thing`` and ``search``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation
from provrepo.cli.files import noting_changes, warn_of_other_bytes
from provrepo.cli.options import given, named_thing, query_options
from provrepo.errors import UsageError
from provrepo.repository.lineage.query import LineageQuery, SearchQuery, ThingQuery
from provrepo.repository.lineage.records import BUNDLED, DIAGRAMS, FOR_DATABASES
from provrepo.text import on_one_line
from provrepo.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provrepo.repository.exchange.notices.records import OriginWarning
    from provrepo.repository.lineage.assertions import Assertion
    from provrepo.repository.lineage.records import LineageCommon, LineageGraph, LineageImpact, LineageNode
    from provrepo.repository.lineage.things import KnownThing

__all__ = ["lineage", "search", "thing"]

_MOST_NAMED = 20
"""Undeclared roots that are named on stderr."""

_OUTPUT = f"How the answer is written; {', '.join(BUNDLED)} have one bundle for each graph that asserts something."


@click.command()
@click.argument("iri", metavar="THING", callback=named_thing)
@query_options(LineageQuery)
@click.option(
    "--common",
    metavar="THING",
    multiple=True,
    callback=named_thing,
    help="What this one and THING both came from; repeatable.",
)
@click.option("--impact", is_flag=True, help="Count everything that depends on it, by kind, type, agent and project.")
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "svg", *DIAGRAMS, *FOR_DATABASES, "turtle", *BUNDLED]),
    default="table",
    show_default=True,
    help=_OUTPUT,
)
@pass_invocation
def lineage(
    invocation: Invocation, /, iri: str, common: tuple[str, ...], impact: bool, style: str, **values: Any
) -> None:
    """Show where a thing came from, or what depends on it.

    THING is an IRI, or a file, which stands for its present content, wherever that was recorded; of a file that was
    changed since, it is said which bytes were recorded. Without --direction
    the answer is upstream, and with --impact downstream. It covers the current versions of all projects and follows the
    relations that docs/reference/lineage.md lists. What is left out is counted on stderr.
    --federated goes on in the repositories of the peers, and says on stderr which of them did not answer.
    """
    options = given(values)
    if common or impact:
        if options.pop("federated") or "ask" in options:
            raise UsageError("--common and --impact are not federated")
        if common and (impact or options.pop("direction", "upstream") != "upstream"):
            raise UsageError("--common goes upstream, and by itself")
        if "to" in options or "sources" in options or style not in ("table", "json"):
            raise UsageError("--common and --impact are written as table or json, and take neither --to nor --sources")
    with invocation.repository(follow=True) as repository, noting_changes(repository, iri, *common, options.get("to")):
        if common:
            _show_common(repository.common([iri, *common], **options), style)
        elif impact:
            _show_impact(repository.impact(iri, **options), style)
        else:
            graph = repository.lineage(iri, **options)
            _show_graph(graph, style)
            warn_of_other_bytes(repository, iri, graph)


@click.command()
@click.argument("iri", metavar="THING", callback=named_thing)
@query_options(ThingQuery)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", *BUNDLED]),
    default="table",
    show_default=True,
    help=_OUTPUT,
)
@pass_invocation
def thing(invocation: Invocation, /, iri: str, style: str, **values: Any) -> None:
    """Show all assertions about one thing, with document, version and submitter.

    THING is an IRI, or a file, which stands for its present content. Statements are shown as they were submitted: those
    that describe the thing, and every relation of it. What is left out is counted on stderr.
    """
    with invocation.repository(follow=True) as repository, noting_changes(repository, iri):
        found = repository.thing(iri, **given(values))
    if style == "json":
        output.records(found.to_dict())
    elif style == "table":
        _table_of_thing(found)
    else:
        output.data(found.document().write(style))
    output.note(
        f"{found.returned_statements:,} of {counted(found.total_statements, 'statement')} of "
        f"{len(found.versions):,} of {counted(found.total_versions, 'version')}"
    )


@click.command()
@click.argument("text")
@query_options(SearchQuery)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for programs.",
)
@pass_invocation
def search(invocation: Invocation, /, text: str, style: str, **values: Any) -> None:
    """Find things, documents and projects by words.

    Things are found by names, labels, types, identifiers, checksums and values; documents by name, title, note,
    submitter, day and SHA-256. All words have to occur; the last may be the beginning of one.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.search(text, **given(values))
    if style == "json":
        output.records(found.to_dict())
        return
    output.table(["KIND", "LABEL", "IRI", "PROJECTS"], [_cells(thing) for thing in found.things])
    output.note(f"{len(found.things)} of {found.total}")
    if found.documents:
        rows = [[d.project, d.name, d.version, d.title, d.note, d.time] for d in found.documents]
        output.table(["PROJECT", "DOCUMENT", "VERSION", "TITLE", "NOTE", "SUBMITTED"], rows)
        output.note(f"{len(found.documents)} of {counted(found.total_documents, 'document')}")


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
    output.note(graph.left_out() or f"{counted(graph.total_nodes, 'thing')}, {counted(graph.total_edges, 'relation')}")
    _note_warnings(graph.warnings)
    for line in graph.reports():
        output.note(line)
    if graph.declared is not None:
        share = "" if graph.coverage is None else f", {graph.coverage:g} %"
        of = counted(graph.total_roots, "root is a declared source", "roots are declared sources")
        output.note(f"{graph.total_declared:,} of {of}{share}")
        undeclared = graph.undeclared or ()
        for root in undeclared[:_MOST_NAMED]:
            output.note(f"not declared: {root}")
        if more := graph.total_roots - graph.total_declared - min(len(undeclared), _MOST_NAMED):
            output.note(f"not declared: {more} more")


def _note_warnings(warnings: Iterable[OriginWarning]) -> None:
    for warning in warnings:
        output.note(f"warning: {warning}")


def _show_impact(impact: LineageImpact, style: str) -> None:
    if style == "json":
        output.records(impact.to_dict())
        return
    rows = [
        [what.removesuffix("s"), name, count, impact.labels.get(name, "") if what == "agents" else ""]
        for what, counts in impact.groups().items()
        for name, count in counts.items()
    ]
    output.table(["BY", "NAME", "THINGS", "LABEL"], rows)
    left = (
        f"; {counted(impact.total_types, 'type')}, {counted(impact.total_agents, 'agent')}, "
        f"{counted(impact.total_projects, 'project')} in all"
    )
    output.note(f"{counted(impact.total, 'thing')}{left if impact.truncated else ''}")
    _note_warnings(impact.warnings)


def _show_common(common: LineageCommon, style: str) -> None:
    if style == "json":
        output.records(common.to_dict())
        return
    rows = [
        ["+".join(map(str, each.distances)), *_cells(each.node), "nearest" if each.nearest else ""]
        for each in common.nodes
    ]
    output.table(["DISTANCES", "KIND", "LABEL", "IRI", "PROJECTS", ""], rows)
    output.note(f"{len(common.nodes):,} of {counted(common.total, 'thing')} in common")
    _note_warnings(common.warnings)


def _table_of_thing(found: KnownThing) -> None:
    kind, label, iri, projects = _cells(found.node)
    output.result(on_one_line(f"{kind} {iri}" + (f" ({label})" if label else "") + f", in {projects}"))
    for cls in found.node.types:
        output.result(f"  type {cls}")
    for each in found.versions:
        info = each.version
        count = f"{len(each.assertions):,} of {counted(each.total, 'statement')}"
        output.result(f"\n{info.project}/{info.name}@{info.version}, {info.time} by {info.submitter}: {count}")
        for assertion in each.assertions:
            output.result(f"  {on_one_line(_statement(assertion))}")
        for triple in each.triples:
            output.result(f"  {on_one_line(f'{triple.predicate} {triple.object}')}")


def _statement(assertion: Assertion) -> str:
    """A statement on one line, near to PROV-N, with whole IRIs."""
    from provrepo.cli.query import shown
    from provrepo.model.identifiers import Identifier

    statement = assertion.statement
    element = statement.kind.element
    parts = [statement.id or ""] if element else []
    parts += ["-" if term is None else shown(Identifier(term)) for term in statement.args]
    parts += [shown(key) + (f" {entity}" if entity else "") for key, entity in statement.entries]
    if statement.attributes:
        parts.append(f"[{', '.join(f'{shown(name)}={shown(value)}' for name, value in statement.attributes)}]")
    name = "" if element or statement.id is None else f"{statement.id}; "
    bundle = f" in bundle {assertion.bundle}" if assertion.bundle else ""
    return f"{statement.kind.name}({name}{', '.join(parts)}){bundle}"


def _cells(node: LineageNode) -> list[str]:
    return ["+".join(node.kinds), node.label, node.iri, ",".join(node.projects)]
