"""Verbs about datasets: those of a project, all about one of them, and what has to be run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.repository.datasets.records import REASONS
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.datasets.records import DatasetDetails, DatasetInfo, JobUse

__all__ = ["datasets", "to_run_again"]

_SHOWN = 1_000
"""Datasets that are listed where no limit is given."""


@click.command()
@click.argument("iri", required=False)
@click.option("--project", default="default", show_default=True, metavar="P", help="The project.")
@click.option("--text", default="", metavar="T", help="List only datasets whose IRI or label contains it.")
@click.option("--limit", type=click.IntRange(1, 1_000), metavar="N", help="The most datasets, or versions of one.")
@json_option
@pass_invocation
def datasets(invocation: Invocation, iri: str | None, project: str, text: str, limit: int | None, style: str) -> None:
    """List the logical datasets of a project, or show the one with the name IRI.

    A dataset has owners, versions, changes of its columns, results of checks of its quality, and the jobs whose runs
    write and read it. They come from the documents of the project, such as events of OpenLineage. Nothing is changed.
    """
    with invocation.repository(follow=True) as repository:
        if iri is not None:
            details = repository.dataset(project, iri, limit=limit or 20)
        else:
            found = repository.datasets(project, text=text, limit=(limit or _SHOWN) + 1)
    if iri is not None:
        output.records(details.to_dict()) if style == "json" else _show(details)
        return
    most = limit or _SHOWN
    if style == "json":
        output.records([info.to_dict() for info in found[:most]])
    else:
        output.table(
            ["DATASET", "NAMESPACE", "VERSIONS", "LAST WRITTEN", "OWNERS", "IRI"],
            [
                [info.name, info.namespace or "-", info.versions, _written(info), _owners(info), info.iri]
                for info in found[:most]
            ],
        )
    if len(found) > most:
        output.note(f"note: there are more than {most:,} datasets; --text selects, --limit lists up to 1,000")


@click.command("to-run-again")
@click.option("--project", default="default", show_default=True, metavar="P", help="The project.")
@click.option("--input", "input_", default="", metavar="IRI", help="Only results that rest on this dataset.")
@click.option("--reason", type=click.Choice(REASONS), help="Only this reason.")
@json_option
@pass_invocation
def to_run_again(invocation: Invocation, project: str, input_: str, reason: str | None, style: str) -> None:
    """List the latest results that rest on an input that is no longer good, with the jobs to run again.

    An input was superseded or dropped after the run started, it failed a check of its quality, or the document of the
    run that wrote it was withdrawn. The list looks one step back: results of what is run again are new versions.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.to_run_again(project, input=input_, reason=reason or "")
    if style == "json":
        output.records(found.to_dict())
    else:
        output.table(
            ["REASON", "SINCE", "JOB", "RESULT", "INPUT"],
            [[each.reason, each.since, each.job or "-", each.result, each.input] for each in found.results],
        )
    if not found.complete:
        output.note("note: withdrawn inputs are left out; who may change the project sees what rests on them")


def _written(info: DatasetInfo) -> str:
    return info.latest.written if info.latest is not None and info.latest.written else "-"


def _owners(info: DatasetInfo) -> str:
    return ", ".join(owner.label or owner.iri for owner in info.owners) or "-"


def _show(found: DatasetDetails) -> None:
    info = found.info
    output.result(f"{info.name}" + (f" in {info.namespace}" if info.namespace else ""))
    for label, value in (
        ("iri", info.iri),
        ("description", info.description),
        ("owners", _owners(info)),
        ("source", info.source),
        ("tags", ", ".join(info.tags)),
        ("also known as", ", ".join(info.alternates)),
    ):
        if value and value != "-":
            output.result(f"  {label}: {value}")
    output.result(counted(info.versions, "version"))
    if found.versions:
        output.table(
            ["VERSION", "WRITTEN", "ROWS", "COLUMNS", "RUN"],
            [
                [v.name, v.written or "-", "-" if v.rows is None else v.rows, len(v.fields) or "-", v.run or "-"]
                for v in found.versions
            ],
        )
    for change in found.schema_changes:
        parts = [f"added {name}" for name in change.added] + [f"removed {name}" for name in change.removed]
        parts += [f"{name} from {before or '-'} to {after or '-'}" for name, before, after in change.retyped]
        output.result(f"columns changed {change.written or change.version}: {', '.join(parts)}")
    for measured in found.quality:
        result = {True: "passed", False: "failed", None: measured.value}[measured.passed]
        column = f" of {measured.column}" if measured.column else ""
        output.result(f"quality {measured.measured or '-'}: {measured.metric}{column} {result}")
    for title, uses in (("written by", found.producers), ("read by", found.consumers)):
        for use in uses:
            output.result(
                f"{title} {_named(use)}: {use.runs} run{'s' if use.runs != 1 else ''}, last {use.last or '-'}"
            )


def _named(use: JobUse) -> str:
    return f"{use.name} in {use.namespace}" if use.namespace else use.name or use.job or "runs without a job"
