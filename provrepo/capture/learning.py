"""What the training of a model is to tell of itself, in terms of the ML Schema."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

from provrepo.capture.edge import contained
from provrepo.capture.files import absolute
from provrepo.capture.recorder import Activity, current
from provrepo.capture.values import things

__all__ = ["log_data", "log_metrics", "log_model", "log_params"]

MLS = "http://www.w3.org/ns/mls#"

_numbers = itertools.count(1)


@contained
def log_params(parameters: Mapping[str, object], *, seed: int | None = None) -> None:
    """Record hyperparameters of the step that runs, which thereby is a training run (``mls:Run``).

    Args:
        parameters: by name.
        seed: of the random numbers; a parameter ``seed`` or ``random_state`` counts as one.
    """
    from provrepo.capture.private import shown

    activity = _run()
    if activity is None:
        return
    for name, value in parameters.items():
        entity = f"parameter-{next(_numbers)}"
        _fact(activity, entity, "HyperParameterSetting", name, shown(name, value))
        activity.used(entity)
        if seed is None and name in ("seed", "random_state") and isinstance(value, int):
            seed = value
    if seed is not None:
        activity.recorder.note("seed", activity=activity.number, value=int(seed))


@contained
def log_metrics(metrics: Mapping[str, float]) -> None:
    """Record how good a model is, by the name of each measure.

    That alone does not make a training run of a step, since others measure too: an evaluation does.
    """
    activity = current()
    if activity is None:
        return
    for name, value in metrics.items():
        entity = f"metric-{next(_numbers)}"
        _fact(activity, entity, "ModelEvaluation", name, repr(float(value)))
        activity.produced(entity)


@contained
def log_data(thing: object, role: str, *, version: str | None = None) -> None:
    """Record a dataset and what the step that runs uses it for; what has training data is a training run.

    Args:
        thing: a path of a file, or a value such as a table.
        role: ``"training"``, ``"validation"`` or ``"test"``.
        version: of the dataset; the checksum of a file says it too, and a value belongs to its session.
    """
    activity = _run() if "train" in role.lower() else current()
    if activity is None:
        return
    if isinstance(thing, str | Path):
        read = activity.read(absolute(thing), role)
        found = [read] if read else []
    else:
        found = [activity.entity(value) for value in things(thing)]
    for entity in found:
        activity.used(entity, role)
        activity.recorder.note("kind", of=entity, type=MLS + "Dataset", version=version)


@contained
def log_model(model: object, *, name: str | None = None) -> None:
    """Record the model that the step that runs has trained, derived from its data in the role ``"training"``.

    Args:
        model: the object, or the path of the file that holds it.
        name: what it is called.
    """
    activity = _run()
    if activity is None:
        return
    activity.models.append((absolute(model) if isinstance(model, str | Path) else _entity(activity, model), name))


def _entity(activity: Activity, model: object) -> str:
    entity = activity.entity(model)
    activity.produced(entity)
    return entity


def _run() -> Activity | None:
    activity = current()
    if activity is not None and not activity.run:
        activity.run = True
        activity.recorder.note("kind", of=activity.number, type=MLS + "Run")
    return activity


def _fact(activity: Activity, entity: str, kind: str, name: str, value: str) -> None:
    activity.recorder.note("fact", entity=entity, type=MLS + kind, name=name, value=value)
