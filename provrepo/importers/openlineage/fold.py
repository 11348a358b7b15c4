"""Events folded to runs, jobs and datasets.

The result depends on the set of events alone: not on their order in the source, and not on repetitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from provrepo.importers.json_values import canonical
from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.events import Dataset, Event
from provrepo.importers.openlineage.names import Names

__all__ = ["Declared", "Facets", "Fold", "Run", "Side", "dataset_of", "document_of", "ends_run", "fold"]

Facets = dict[str, Mapping[str, Any]]
"""Key of a facet → the facet that was sent last."""

_TERMINAL = {"COMPLETE": 0, "ABORT": 1, "FAIL": 2}
"""Type of an event that ends a run → its precedence over another with the same time."""

_CONTINUOUS = ("STREAMING", "SERVICE")
"""Values of ``processingType`` of jobs whose runs write while they run, and start again."""


@dataclass(slots=True)
class Side:
    """A dataset as an input or an output of a run.

    Attributes:
        facets: of the dataset.
        own: of this input or output: ``inputFacets`` or ``outputFacets``.
        types: the types of the events that named it.
        windows: the statistics that its events had, with their times, in order.
    """

    facets: Facets = field(default_factory=dict)
    own: Facets = field(default_factory=dict)
    types: set[str] = field(default_factory=set)
    windows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """A run, from all of its events.

    Attributes:
        id: its ``runId``.
        job: the job of the last event.
        start: the time of its first START; None if there is none.
        end: the time of the event that ended it; None if none did.
        state: the type of that event; empty without one.
        active: whether an event says that it started or is running.
        facets: of the run.
        job_facets: of its job.
        inputs: by dataset.
        outputs: by dataset.
        producers: of its events, sorted.
        jobs: all jobs that its events name, in the order of the events.
    """

    id: str
    job: Dataset
    start: Moment | None = None
    end: Moment | None = None
    state: str = ""
    active: bool = False
    facets: Facets = field(default_factory=dict)
    job_facets: Facets = field(default_factory=dict)
    inputs: dict[Dataset, Side] = field(default_factory=dict)
    outputs: dict[Dataset, Side] = field(default_factory=dict)
    producers: list[str] = field(default_factory=list)
    jobs: list[Dataset] = field(default_factory=list)

    @property
    def continuous(self) -> bool:
        """Whether its job writes while it runs."""
        return str(self.job_facets.get("jobType", {}).get("processingType", "")).upper() in _CONTINUOUS

    def wrote(self, dataset: Dataset) -> bool:
        """Whether an output exists as a version: the run completed, or writes while it runs and said that it did."""
        if self.state == "COMPLETE":
            return True
        return self.continuous and self.state == "" and "RUNNING" in self.outputs[dataset].types


@dataclass(slots=True)
class Declared:
    """A job or a dataset that events without a run describe.

    Attributes:
        facets: of the job or dataset.
        inputs: of a job: by dataset.
        outputs: of a job: by dataset.
    """

    facets: Facets = field(default_factory=dict)
    inputs: dict[Dataset, Side] = field(default_factory=dict)
    outputs: dict[Dataset, Side] = field(default_factory=dict)


@dataclass(slots=True)
class Fold:
    """What the events state together.

    Attributes:
        runs: by ``runId``, sorted.
        jobs: those that job events describe, sorted.
        datasets: those that dataset events describe, sorted.
        producers: of all events, sorted.
        events: the number of different events.
    """

    runs: dict[str, Run]
    jobs: dict[Dataset, Declared]
    datasets: dict[Dataset, Declared]
    producers: list[str]
    events: int


def fold(events: Iterable[Event]) -> Fold:
    """Fold events, in any order, with any repetitions."""
    different = {event.digest: event for event in events}
    ordered = sorted(different.values(), key=lambda event: event.order)
    runs: dict[str, list[Event]] = {}
    jobs: dict[Dataset, Declared] = {}
    datasets: dict[Dataset, Declared] = {}
    for event in ordered:
        if event.kind == "run":
            runs.setdefault(str(event.member("run")["runId"]), []).append(event)
        elif event.kind == "job":
            job = jobs.setdefault(dataset_of(event.member("job")), Declared())
            _merge(job.facets, event.member("job").get("facets"), deletes=True)
            _merge_sides(event, job.inputs, job.outputs)
        else:
            dataset = datasets.setdefault(dataset_of(event.member("dataset")), Declared())
            _merge(dataset.facets, event.member("dataset").get("facets"), deletes=True)
    return Fold(
        {id_: _run(id_, runs[id_]) for id_ in sorted(runs)},
        dict(sorted(jobs.items())),
        dict(sorted(datasets.items())),
        sorted({str(event.data.get("producer") or "") for event in ordered} - {""}),
        len(ordered),
    )


def ends_run(event: Event) -> bool:
    """Whether nothing more is expected about what an event describes: its run has ended, or it has none."""
    return event.kind != "run" or event.type in _TERMINAL


def document_of(event: Event) -> str:
    """The name of the document that an event belongs to: that of its run, or of its job or dataset without a run."""
    if event.kind == "run":
        return f"run-{Names.run(str(event.member('run')['runId'])).removeprefix('urn:uuid:')}"
    name = canonical(dataset_of(event.member(event.kind)))
    return f"{event.kind}-{sha256(name).hexdigest()[:16]}"


def dataset_of(item: Mapping[str, Any]) -> Dataset:
    """The name of a dataset or job in JSON."""
    return Dataset(str(item["namespace"]), str(item["name"]))


def _run(id_: str, events: list[Event]) -> Run:
    """A run from its different events, in order."""
    run = Run(id_, dataset_of(events[-1].member("job")))
    run.jobs = list(dict.fromkeys(dataset_of(event.member("job")) for event in events))
    run.producers = sorted({str(event.data.get("producer") or "") for event in events} - {""})
    for event in events:
        _merge(run.facets, event.member("run").get("facets"), deletes=False)
        _merge(run.job_facets, event.member("job").get("facets"), deletes=True)
        _merge_sides(event, run.inputs, run.outputs)
    for event in events:
        if event.type == "START":
            run.start = run.start or event.time
            if run.continuous and run.end is not None and run.end < event.time:
                run.end, run.state = None, ""
        elif event.type in _TERMINAL:
            before = (run.end.instant, run.end.fraction) if run.end else None
            now = (event.time.instant, event.time.fraction)
            if before is None or now > before or _TERMINAL[event.type] > _TERMINAL[run.state]:
                run.end, run.state = event.time, event.type
        run.active = run.active or event.type in ("START", "RUNNING")
    return run


def _merge_sides(event: Event, inputs: dict[Dataset, Side], outputs: dict[Dataset, Side]) -> None:
    for name, sides, own in (("inputs", inputs, "inputFacets"), ("outputs", outputs, "outputFacets")):
        for _, item in event.datasets(name):
            side = sides.setdefault(dataset_of(item), Side())
            side.types.add(event.type)
            _merge(side.facets, item.get("facets"), deletes=True)
            _merge(side.own, item.get(own), deletes=False)
            found = item.get(own)
            for key in ("inputStatistics", "outputStatistics"):
                if isinstance(found, dict) and isinstance(found.get(key), dict):
                    members = {name: each for name, each in found[key].items() if not name.startswith("_")}
                    side.windows.append({"eventTime": event.time.lexical, **members})


def _merge(facets: Facets, found: Any, *, deletes: bool) -> None:
    """Let the facets of a later event replace those of the same key, each as a whole."""
    for key, facet in found.items() if isinstance(found, dict) else ():
        if not isinstance(facet, dict):
            continue
        if deletes and facet.get("_deleted") is True:
            facets.pop(key, None)
        else:
            facets[key] = facet
