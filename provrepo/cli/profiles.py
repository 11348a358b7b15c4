"""Verbs about quality: profiles, which submissions are held against, and the gate before something is built on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import UsageError

if TYPE_CHECKING:
    from provrepo.repository.records import GateResult, ProfileInfo

__all__ = ["gate", "profile"]

_project = click.option("--project", metavar="P", help="With the profiles of this project's own.")


@click.group(short_help="List, show, add and try out profiles.")
def profile() -> None:
    """Profiles: what a community asks of a document beyond its being PROV, as SHACL shapes."""


@profile.command("list")
@_project
@json_option
@pass_invocation
def profile_list(invocation: Invocation, project: str | None, style: str) -> None:
    """The profiles that documents may be held against: those that ship, and those that were added."""
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
    """One profile: its purpose, what it extends, and its versions."""
    with invocation.repository() as repository:
        found = repository.profile(name, project)
    _show(found, style)


@profile.command("add", short_help="Add a profile, or a new version of one.")
@click.argument("source", metavar="FOLDER|FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="What it is called; otherwise the name of the folder or file.")
@click.option("--project", metavar="P", help="The project that it belongs to; otherwise every project may use it.")
@click.option("--extends", multiple=True, metavar="NAME", help="For a FILE: a profile that it extends; repeatable.")
@click.option(
    "--constraints",
    type=click.Choice(["gate", "report"]),
    default="report",
    show_default=True,
    help="For a FILE: whether PROV-CONSTRAINTS fail a document or are only told.",
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
    """Add a profile, or a new version of one, and keep it for good.

    FOLDER has `profile.toml`, `shapes.ttl` and `examples`; FILE is shapes alone. It is looked through first: SHACL Core
    and SHACL-SPARQL without SERVICE, of bounded size and depth, with patterns that cannot take forever; and held
    against its own examples. Documents that were accepted stay accepted: `provrepo profile backtest` says which would
    not be. Adding the same again changes nothing. Exit 1: the name or version is taken; 2: it may not be kept, and why.
    """
    with invocation.repository() as repository:
        added = repository.add_profile(source, name=name, project=project, extends=extends, constraints=constraints)
    _show(added, style)


@profile.command("backtest", short_help="Which stored documents a profile would newly refuse.")
@click.argument("source", metavar="NAME|FOLDER")
@click.option("--project", metavar="P", required=True, help="Whose documents.")
@json_option
@pass_invocation
def profile_backtest(invocation: Invocation, source: str, project: str, style: str) -> int:
    """Which documents of a project would newly fail a profile: one by NAME, or a FOLDER before it is added.

    Nothing is changed. What fails the version in force as well is counted and not listed. Exit 0: none would newly
    fail; 1: some would.
    """
    folder = Path(source)
    if "/" in source and not (folder / "profile.toml").is_file():
        raise UsageError(f"{source} is no folder with a profile.toml in it")
    with invocation.repository() as repository:
        tried = repository.backtest(folder if (folder / "profile.toml").is_file() else source, project=project)
    if style == "json":
        output.records(tried.to_dict())
    else:
        output.result(
            f"{tried.profile}: {len(tried.failing)} of {tried.documents} documents of {project} would newly fail"
            + (f"; {tried.known} fail {tried.before} already" if tried.before else "")
        )
        for version, report in tried.failing:
            output.result(f"  {version.name}@{version.version}: {report.count_text()}")
    return 1 if tried.failing else 0


@profile.command("metrics")
@click.option("--project", metavar="P", required=True, help="Whose documents.")
@pass_invocation
def profile_metrics(invocation: Invocation, project: str) -> None:
    """How good the documents of a project are, as JSON: conforming by profile, coverage of lineage, month by month."""
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
"""Of untrusted things and of gaps, how many the text form lists."""


@click.command(short_help="Whether everything upstream of IRI is trusted and known.")
@click.argument("iri")
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The IRIs that may be sources, one a line; * stands for any characters, # begins a comment.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    metavar="PERCENT",
    help="How much of the lineage has to be complete.",
)
@click.option("--project", metavar="P", help="Whose dataset is asked; otherwise that of the project default.")
@click.option("--public", is_flag=True, help="Ask the dataset that merges all public projects.")
@json_option
@pass_invocation
def gate(
    invocation: Invocation,
    iri: str,
    sources: Path,
    min_coverage: float,
    project: str | None,
    public: bool,
    style: str,
) -> int:
    """Whether everything upstream of IRI comes from declared sources, and enough of it is known.

    For pipelines, before a model is trained or released. The walk goes up to the sources in FILE; whatever leads to
    none of them is untrusted. Coverage is the share of entities and activities that are complete: generated by an
    activity, or a source; with somebody responsible, and something used. Exit 0: both hold; 1: one does not, or
    nothing is known of IRI; 2: wrong usage.
    """
    if project is not None and public:
        raise UsageError("--project and --public name two datasets")
    wanted = sources.read_text("utf-8").splitlines()
    with invocation.repository(follow=True) as repository:
        found = repository.gate(iri, sources=wanted, min_coverage=min_coverage, project=project, public=public)
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
    listed = [f"  {thing} comes from no declared source" for thing in found.untrusted]
    for lines in (listed, [f"  {thing} {reason}" for thing, reason in found.gaps]):
        for line in lines[:SHOWN]:
            output.result(line)
        if len(lines) > SHOWN:
            output.result(f"  … and {len(lines) - SHOWN} more")
