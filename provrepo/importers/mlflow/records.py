"""What the three stores of MLflow have in common: runs, models and versions, and a snapshot of each run.

A snapshot is the bytes of a document: canonical JSON with the run, its models and their versions, the same from each
store. Stores contain experiments of any number of runs, and a run changes until it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

from provrepo.importers.json_values import canonical
from provrepo.importers.mlflow.names import FORMAT
from provrepo.importers.parts import Part

__all__ = ["POINTS", "SNAPSHOT", "Tracked", "history", "kept", "model_of", "snapshots"]

SNAPSHOT = "mlflow_snapshot"
"""The key by which snapshots are recognized; its value is the version of their layout."""

POINTS = 1_000
"""The most points of the history of a metric that are kept: some of a longer one, evenly, with the first and last."""

_LARGEST = 1.7976931348623157e308
"""What stores in SQL have for infinity."""

EXPERIMENT = ("experiment_id", "name", "creation_time", "lifecycle_stage")
RUN = (
    *("run_id", "run_name", "experiment_id", "user_id", "status", "start_time", "end_time"),
    *("artifact_uri", "lifecycle_stage"),
)
DATASET = ("name", "digest", "source_type", "source", "schema", "profile")
MODEL = (
    *("model_id", "name", "experiment_id", "source_run_id", "model_type", "status", "artifact_uri"),
    *("creation_timestamp_ms", "lifecycle_stage"),
)
VERSION = ("name", "version", "creation_timestamp", "current_stage", "source", "run_id", "status", "description")
LINK = ("key", "run_id", "model_id", "dataset_name", "dataset_digest")
"""The members of each record; what a store has beyond these is not kept."""

STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
MODEL_STATUSES = {0: "UNSPECIFIED", 1: "PENDING", 2: "READY", 3: "FAILED"}
"""Numbers of statuses in stores, as MLflow's protocol has them (``service.proto``, ``LoggedModelStatus``)."""


@dataclass
class Tracked:
    """What a store has of some runs.

    Attributes:
        experiments: by number.
        runs: each with ``params``, ``tags``, ``metrics``, ``datasets``, ``inputs``, ``outputs``, ``files``.
        models: by identifier, each with ``params``, ``tags`` and ``files``.
        links: which metric of which run is about which model and dataset.
        versions: of registered models, each with ``aliases`` and ``tags``.
    """

    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)


def kept(found: Mapping[str, Any], members: Iterable[str]) -> dict[str, Any]:
    """The members of a record that are kept; empty ones are absent, as some stores have them and others do not."""
    return {name: found[name] for name in members if found.get(name) not in (None, "", [], {})}


def history(points: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The history of a metric: step, time in milliseconds and value of each point; what was written twice counts once.

    Args:
        points: in any order.

    Returns:
        ``count`` of all points, ``last`` (of the largest step, as MLflow has it), and ``points``, at most ``POINTS``.
    """
    different = {(_whole(step), _whole(time), _number(value)) for step, time, value in points}
    ordered = sorted(different, key=lambda point: (point[0], point[1], str(point[2])))
    some = ordered
    if len(ordered) > POINTS:
        some = [ordered[number * (len(ordered) - 1) // (POINTS - 1)] for number in range(POINTS)]
    return {
        "count": len(ordered),
        "last": list(ordered[-1]) if ordered else [],
        "points": [list(each) for each in some],
    }


def _whole(found: Any) -> int:
    try:
        return int(found)
    except (TypeError, ValueError, OverflowError):
        return 0


def _number(found: Any) -> float | str:
    """A value as JSON can have it."""
    try:
        number = float(found)
    except (TypeError, ValueError, OverflowError):
        return "NaN"
    if isnan(number):
        return "NaN"
    if not isfinite(number) or abs(number) >= _LARGEST:
        return "Infinity" if number > 0 else "-Infinity"
    return number


def model_of(source: str) -> str:
    """The logged model that a version was registered from, ``models:/m-…``; empty for another source."""
    name = source.removeprefix("models:/").partition("/")[0] if source.startswith("models:/") else ""
    return name if name.startswith("m-") else ""


def snapshots(tracked: Tracked, place: str) -> Iterator[Part]:
    """The documents of a store: one for each run, and one for each model that no run made.

    Args:
        tracked: what the store has.
        place: the name of the store, for messages.
    """
    made: dict[str, list[dict[str, Any]]] = {}
    for _, model in sorted(tracked.models.items()):
        made.setdefault(str(model.get("source_run_id", "")), []).append(model)
    of_model: dict[str, list[dict[str, Any]]] = {}
    of_run: dict[str, list[dict[str, Any]]] = {}
    for version in sorted(tracked.versions, key=canonical):
        model_id = model_of(str(version.get("source", "")))
        if model_id in tracked.models:
            of_model.setdefault(model_id, []).append(version)
        else:
            of_run.setdefault(str(version.get("run_id", "")), []).append(version)
    links: dict[str, dict[bytes, dict[str, Any]]] = {}
    for link in tracked.links:
        links.setdefault(str(link.get("run_id", "")), {})[canonical(link)] = link
    known = {str(run["run_id"]) for run in tracked.runs}
    for run in sorted(tracked.runs, key=lambda each: str(each["run_id"])):
        id_ = str(run["run_id"])
        models = made.get(id_, [])
        about = [link for _, link in sorted(links.get(id_, {}).items())]
        own = {*run.get("outputs", ()), *(model["model_id"] for model in models)}
        # Some stores say that a run used a model, others only that it measured one.
        used = {*run.get("inputs", ()), *(link["model_id"] for link in about if "model_id" in link)} - own
        yield _part(
            f"run-{id_}",
            {
                "experiment": tracked.experiments.get(str(run.get("experiment_id")), {}),
                "run": {**run, **kept({"inputs": sorted(used)}, ["inputs"])},
                "models": models,
                "links": about,
                "versions": [*of_run.get(id_, []), *_versions(models, of_model)],
            },
            place,
        )
    for run_id, models in sorted(made.items()):
        for model in () if run_id in known else models:
            experiment = tracked.experiments.get(str(model.get("experiment_id")), {})
            found = {"experiment": experiment, "models": [model], "versions": _versions([model], of_model)}
            yield _part(f"model-{model['model_id']}", found, place)


def _versions(
    models: Iterable[Mapping[str, Any]], of_model: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    return [version for model in models for version in of_model.get(str(model["model_id"]), [])]


def _part(name: str, found: dict[str, Any], place: str) -> Part:
    data = canonical({SNAPSHOT: 1, **{key: each for key, each in found.items() if each not in ([], {})}})
    return Part(name, data, FORMAT, place)
