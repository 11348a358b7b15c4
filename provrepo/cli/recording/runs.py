"""The verbs ``runs`` and ``compare-runs``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provrepo.repository.queries.runs import RunComparison, RunDifference

__all__ = ["compare_runs", "runs"]

_projects = click.option(
    "--project",
    "projects",
    metavar="P",
    multiple=True,
    help="The project; repeatable, to query several as one. Default: the project `default`.",
)


@click.command(short_help="List recordings of programs, commands and work by hand.")
@_projects
@click.option("--label", metavar="TEXT", help="Only recordings with this label.")
@click.option("--status", type=click.Choice(["completed", "failed", "active"]), help="Only those with this status.")
@click.option("--since", metavar="TIME", help="Only those that started at this time or later: 2026-01-31T12:00:00Z.")
@click.option("--before", metavar="TIME", help="Only those that started before this time.")
@json_option
@pass_invocation
def runs(
    invocation: Invocation,
    projects: tuple[str, ...],
    label: str | None,
    status: str | None,
    since: str | None,
    before: str | None,
    style: str,
) -> None:
    """List the recordings that are stored, the newest first.

    A recording is a session, a command of `provrepo run`, or a step of `provrepo record`. A recording that was killed,
    or has not ended, is active.
    """
    with invocation.repository(follow=True) as repository:
        found = repository.runs(project=projects or None, label=label, status=status, since=since, before=before)
    if style == "json":
        output.records([run.to_dict() for run in found])
        return
    rows = [(run.started, run.label, run.status, run.steps, run.who or "", run.kind, run.iri) for run in found]
    output.table(["STARTED", "LABEL", "STATUS", "STEPS", "WHO", "KIND", "IRI"], rows)
    output.note(counted(len(found), "recording"))


@click.command("compare-runs", short_help="Show what differs between two recordings.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_projects
@click.option(
    "--drift",
    "limits",
    multiple=True,
    metavar="[NAME=]LIMIT",
    help="The largest drift of a measurement, as a share (0.1 is a tenth), of all or of those named NAME; repeatable.",
)
@json_option
@pass_invocation
def compare_runs(
    invocation: Invocation, first: str, second: str, projects: tuple[str, ...], limits: tuple[str, ...], style: str
) -> int:
    """Show what differs between the recordings A and B: parameters, inputs, code, software, and what was measured.

    A and B are labels or IRIs, as `provrepo runs` lists them. What follows from another difference, such as
    intermediate files, is not listed. Measurements are numbers that steps return or log, and statistics of tables; the
    drift of one is |B - A| / |A|. One that only one of the recordings has exceeds every limit, and so does a change of
    what was 0 in A, or of one of several numbers that have the same name.
    Exit 0: nothing differs; with --drift: no drift exceeds its limit. Exit 1: otherwise, or a recording is not known.
    """
    default, named = _limits(limits)
    with invocation.repository(follow=True) as repository:
        found = repository.compare_runs(first, second, project=projects or None, drift=default, limits=named)
    if style == "json":
        output.records(found.to_dict())
    else:
        _show(found, limited=bool(limits))
    return int(bool(found.exceeded if limits else found.differences))


def _limits(given: Sequence[str]) -> tuple[float | None, dict[str, float]]:
    default: float | None = None
    named: dict[str, float] = {}
    for each in given:
        name, _, number = each.rpartition("=")
        try:
            limit = float(number)
        except ValueError:
            raise UsageError(f"--drift {each}: write a number, such as 0.1, or NAME=NUMBER") from None
        if name:
            named[name] = limit
        else:
            default = limit
    return default, named


def _show(found: RunComparison, *, limited: bool) -> None:
    rows = [
        [each.aspect, each.step, each.name, each.first, each.second, _drift(each), "exceeded" if each.exceeded else ""]
        for each in found.differences
    ]
    output.table(["ASPECT", "STEP", "NAME", "FIRST", "SECOND", "DRIFT", ""], rows)
    told = counted(len(rows), "difference")
    output.note(f"{told}, {len(found.exceeded)} beyond a limit of drift" if limited else told)


def _drift(each: RunDifference) -> str:
    if each.drift is None:
        return ""
    return "-" if math.isinf(each.drift) else f"{each.drift:.3g}"
