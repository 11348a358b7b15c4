"""The verbs ``profile`` and ``gate``: profiles of documents, and a test of the lineage of a thing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.cli.files import noting_changes
from provrepo.cli.options import named_thing, sources_of
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.records import GateResult, ProfileInfo

__all__ = ["gate", "profile"]

_project = click.option("--project", metavar="P", help="Include the profiles of this project.")


@click.group(short_help="List, show, add and test profiles.")
def profile() -> None:
    """Profiles: requirements for documents beyond PROV, as SHACL shapes with an effect of PROV-CONSTRAINTS."""


@profile.command("list")
@_project
@json_option
@pass_invocation
def profile_list(invocation: Invocation, project: str | None, style: str) -> None:
    """List the profiles: those of provrepo and those that were added."""
    with invocation.repository() as repository:
        found = repository.profiles(project)
    if style == "json":
        output.records([info.to_dict() for info in found])
        return
    output.table(
        ["PROFILE", "VERSION", "FROM", "EXTENDS", "TITLE"],
        [[p.name, p.version, p.origin, ", ".join(p.extends) or "-", p.title] for p in found],
    )


@profile.command("show")
@click.argument("name")
@_project
@json_option
@pass_invocation
def profile_show(invocation: Invocation, name: str, project: str | None, style: str) -> None:
    """Show a profile: its purpose, the profiles that it extends, and its versions."""
    with invocation.repository() as repository:
        found = repository.profile(name, project)
    _show(found, style)


@profile.command("add", short_help="Add a profile, or a new version of one.")
@click.argument("source", metavar="FOLDER|FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="The name of the profile. Default: the name of the folder or file.")
@click.option("--project", metavar="P", help="The project of the profile. Default: all projects.")
@click.option("--extends", multiple=True, metavar="NAME", help="For a FILE: a profile that it extends; repeatable.")
@click.option(
    "--constraints",
    type=click.Choice(["gate", "report"]),
    default="report",
    show_default=True,
    help="For a FILE: violations of PROV-CONSTRAINTS fail a document or are reported only.",
)
@json_option
@pass_invocation
def profile_add(
    invocation: Invocation,
    source: Path,
    name: str | None,
    project: str | None,
    extends: tuple[str, ...],
    constraints: str,
    style: str,
) -> None:
    """Add a profile, or a new version of a profile.

    FOLDER has `profile.toml`, `shapes.ttl` and `examples`; FILE has shapes only. Accepted are SHACL Core and
    SHACL-SPARQL without SERVICE, of limited size and depth, with patterns of linear matching time. The examples of the
    profile are tested. Accepted documents stay accepted: `provrepo profile backtest` lists those that would fail.
    Adding the same profile again changes nothing. Exit 1: the name or version is taken; 2: the profile is refused,
    with reasons.
    """
    with invocation.repository() as repository:
        added = repository.add_profile(source, name=name, project=project, extends=extends, constraints=constraints)
    _show(added, style)


@profile.command("backtest", short_help="List the stored documents that would newly fail a profile.")
@click.argument("source", metavar="NAME|FOLDER")
@click.option("--project", metavar="P", required=True, help="The project of the documents.")
@json_option
@pass_invocation
def profile_backtest(invocation: Invocation, source: str, project: str, style: str) -> int:
    """List the documents of a project that would newly fail the profile NAME, or the profile in FOLDER.

    Nothing is changed. Documents that fail the present version too are counted and not listed. Exit 0: no document
    would newly fail; 1: at least one would.
    """
    folder = Path(source)
    if "/" in source and not (folder / "profile.toml").is_file():
        raise UsageError(f"{source} is not a folder with a profile.toml")
    with invocation.repository() as repository:
        tried = repository.backtest(folder if (folder / "profile.toml").is_file() else source, project=project)
    if style == "json":
        output.records(tried.to_dict())
    else:
        output.result(
            f"{tried.profile}: {len(tried.failing):,} of {counted(tried.documents, 'document')} of {project} "
            "would newly fail" + (f"; {tried.known} fail {tried.before} already" if tried.before else "")
        )
        for version, report in tried.failing:
            output.result(f"  {version.name}@{version.version}: {report.count_text()}")
    return 1 if tried.failing else 0


@profile.command("metrics")
@click.option("--project", metavar="P", help="The project of the documents. Default: all projects together.")
@pass_invocation
def profile_metrics(invocation: Invocation, project: str | None) -> None:
    """Print quality measures of documents as JSON: conformance by profile and coverage of lineage, by month."""
    with invocation.repository() as repository:
        output.records(repository.metrics(project))


def _show(found: ProfileInfo, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    output.result(f"{found.name} {found.version}")
    output.result(f"  title        {found.title}")
    output.result(f"  purpose      {found.purpose}")
    output.result(f"  extends      {', '.join(found.extends) or 'nothing'}")
    output.result(f"  constraints  {found.constraints}")
    output.result(f"  from         {found.origin}{f', added {found.time}' if found.time else ''}")
    output.result(f"  versions     {', '.join(found.versions)}")


SHOWN = 10
"""The number of untrusted things, and of gaps, that are listed as text."""


@click.command(short_help="Test whether the lineage of a thing is trusted and complete.")
@click.argument("iri", metavar="THING", callback=named_thing)
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    callback=sources_of,
    metavar="FILE",
    help="The trusted sources, one on each line: IRIs, in which * stands for any characters, or files, which stand "
    "for their present content. # begins a comment.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    metavar="PERCENT",
    help="The minimum share of complete things in the lineage.",
)
@click.option("--project", metavar="P", help="The project to query. Default: the project `default`.")
@click.option("--public", is_flag=True, help="Query all public projects together.")
@json_option
@pass_invocation
def gate(
    invocation: Invocation,
    iri: str,
    sources: list[str],
    min_coverage: float,
    project: str | None,
    public: bool,
    style: str,
) -> int:
    """Test whether everything upstream of THING comes from declared sources, and enough of it is complete.

    For pipelines, before a model is trained or released. THING is an IRI, or a file, which stands for its present
    content. The traversal ends at the sources in FILE; a thing that leads to none of them is untrusted. The same bytes
    in several recordings are one thing in this sense, and one of their names is enough in FILE. Coverage is the share
    of complete things: entities that are sources or have a generating activity, and activities with a responsible
    agent and at least one usage. A copy in the lineage that its origin has withdrawn or erased fails the test, too.
    Exit 0: all tests pass; 1: a test fails, or no document describes THING; 2: wrong usage.
    """
    if project is not None and public:
        raise UsageError("--project and --public exclude each other")
    with invocation.repository(follow=True) as repository, noting_changes(repository, iri):
        found = repository.gate(iri, sources=sources, min_coverage=min_coverage, project=project, public=public)
    if style == "json":
        output.records(found.to_dict())
    else:
        _show_gate(found)
    return 0 if found.passed else 1


def _show_gate(found: GateResult) -> None:
    output.result(
        f"{'passed' if found.passed else 'refused'}: {found.iri}, coverage {found.coverage:g} % of {found.things} "
        f"(at least {found.minimum:g} %), {len(found.untrusted)} untrusted"
    )
    names = {iri: f"{iri} ({label})" for iri, label in found.labels.items()}
    listed = [f"  {names.get(thing, thing)} comes from no declared source" for thing in found.untrusted]
    gaps = [f"  {names.get(thing, thing)} {reason}" for thing, reason in found.gaps]
    warned = [f"  {warning}" for warning in found.warnings]
    for lines in (listed, gaps, warned):
        for line in lines[:SHOWN]:
            output.result(line)
        if len(lines) > SHOWN:
            output.result(f"  … and {len(lines) - SHOWN} more")
