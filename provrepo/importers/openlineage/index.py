"""What an index of jobs, runs and datasets needs of the events of one document, as JSON.

Facets are masked as in the statements. Times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from provrepo.importers.masking import masked, without_login
from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.columns import input_columns
from provrepo.importers.openlineage.events import FORMAT, Dataset, Event, events
from provrepo.importers.openlineage.explicit import targets
from provrepo.importers.openlineage.facets import items, text_of
from provrepo.importers.openlineage.fold import Facets, Run, Side, fold

__all__ = ["FORMAT", "indexed", "microseconds", "shown_name", "tag_name"]

_EPOCH = 719_163 * 86_400
"""Seconds from year 1 to 1970."""

_STATES = {"COMPLETE": "COMPLETED", "FAIL": "FAILED", "ABORT": "ABORTED"}


def microseconds(moment: Moment) -> int:
    """Microseconds from 1970 to a moment; what is finer is cut off."""
    return (moment.instant - _EPOCH) * 1_000_000 + int((moment.fraction[:6] or "0").ljust(6, "0"))


def indexed(data: bytes) -> list[dict[str, Any]]:
    """The runs, jobs, datasets and events of a document, in any order of the events and with any repetitions.

    Args:
        data: UTF-8: one event, an array of events, or JSON lines. What is not understood is left out.

    Returns:
        Objects with the member ``kind``. ``job``: a run of a job, or with ``run`` null a description of the job without
        a run. ``dataset``: a description without a run. ``event``: time, type, digest.

    Raises:
        ReadError: not JSON.
    """
    understood = [event for event, *_ in events(data) if event is not None]
    folded = fold(understood)
    times = _times(understood)
    found = [_run(run, *times["run", run.id]) for run in folded.runs.values()]
    for job, declared in folded.jobs.items():
        found.append(
            {
                "kind": "job",
                "job": shown_name(job),
                "first": times["job", job][0],
                "last": times["job", job][1],
                "run": None,
                "facets": _shown(declared.facets),
                "inputs": [_side(each, side) for each, side in sorted(declared.inputs.items())],
                "outputs": [_side(each, side, wrote=True) for each, side in sorted(declared.outputs.items())],
            }
        )
    for dataset, declared in folded.datasets.items():
        first, last = times["dataset", dataset]
        found.append({"kind": "dataset", "first": first, "last": last, **_side(dataset, Side(declared.facets))})
    different = {event.digest: event for event in understood}
    for digest, event in sorted(different.items()):
        time = microseconds(event.time)
        found.append({"kind": "event", "of": event.kind, "time": time, "type": event.type, "digest": digest})
    return found


def _times(understood: Iterable[Event]) -> dict[tuple[str, Any], tuple[int, int]]:
    """The times of the first and the last event of each run, job and dataset."""
    found: dict[tuple[str, Any], tuple[int, int]] = {}
    for event in understood:
        about = event.member(event.kind)
        name: Any = str(about["runId"]) if event.kind == "run" else Dataset(str(about["namespace"]), str(about["name"]))
        time = microseconds(event.time)
        first, last = found.get((event.kind, name), (time, time))
        found[event.kind, name] = (min(first, time), max(last, time))
    return found


def _run(run: Run, first: int, last: int) -> dict[str, Any]:
    nominal = run.facets.get("nominalTime", {})
    state = _STATES.get(run.state) or ("RUNNING" if run.active else "NEW")
    parent = run.facets.get("parent", {}).get("job")
    return {
        "kind": "job",
        "job": shown_name(run.job),
        "first": first,
        "last": last,
        "run": {
            "id": without_login(run.id),
            "state": state,
            "started": run.start and microseconds(run.start),
            "ended": run.end and microseconds(run.end),
            "nominal": [_time(nominal.get("nominalStartTime")), _time(nominal.get("nominalEndTime"))],
            "parent": without_login(text_of(parent.get("name"))) if isinstance(parent, dict) else "",
            "facets": masked(run.facets),
        },
        "facets": _shown(run.job_facets),
        "inputs": [_side(dataset, side) for dataset, side in sorted(_read(run).items())],
        "outputs": [
            _side(dataset, side, wrote=run.wrote(dataset), run=run.id) for dataset, side in sorted(run.outputs.items())
        ],
    }


def _read(run: Run) -> dict[Dataset, Side]:
    """What a run read: its inputs, and what is named in the lineage of its outputs alone."""
    found = dict(run.inputs)
    columns = chain.from_iterable(input_columns(side.facets.get("columnLineage", {})) for side in run.outputs.values())
    for _, (source, _, _), _ in columns:
        found.setdefault(source, Side())
    for target in targets(run).values():
        for origin in target.sources:
            if origin.dataset is not None:
                found.setdefault(origin.dataset, Side())
    return found


def _side(dataset: Dataset, side: Side, *, wrote: bool = False, run: str = "") -> dict[str, Any]:
    """A dataset as a job or run read or wrote it.

    ``version`` is the name of the version, empty where unknown; ``columns`` are the datasets of the source columns.
    """
    facets: Facets = {**side.own, **side.facets}
    shown = _shown(facets)
    version = text_of(facets.get("version", {}).get("datasetVersion")) or (run if wrote else "")
    columns = {source for _, (source, _, _), _ in input_columns(facets.get("columnLineage", {}))}
    return {
        "dataset": shown_name(dataset),
        "facets": shown,
        "wrote": wrote,
        "version": without_login(version),
        "columns": [shown_name(source) for source in sorted(columns - {dataset})],
        "tags": _tags(shown),
    }


def _tags(facets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = {tag_name(tag) for tag in items(facets.get("tags", {}).get("tags"))}
    return sorted(found - {""})


def tag_name(tag: Mapping[str, Any]) -> str:
    """A tag as one word: its key, with its value if that is more than true."""
    key, value = text_of(tag.get("key")), text_of(tag.get("value"))
    return key if value.lower() in ("", "true") else f"{key}={value}"


def shown_name(dataset: Dataset) -> list[str]:
    """Namespace and name of a job or dataset, without logins."""
    return [without_login(dataset.namespace), without_login(dataset.name)]


def _time(value: object) -> int | None:
    moment = Moment.parse(value) if isinstance(value, str) else None
    return moment and microseconds(moment)


def _shown(facets: Facets) -> dict[str, Any]:
    return masked(facets)
