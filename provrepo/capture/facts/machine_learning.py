"""Parameters, metrics, data sets and models of a training run, in terms of the ML Schema."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from provrepo.capture.failures import contained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provrepo.capture.activities import Activity
from provrepo.vocab import MLS

__all__ = ["log_data", "log_metrics", "log_model", "log_params"]


@contained
def log_params(parameters: Mapping[str, object], *, seed: int | None = None) -> None:
    """Record hyperparameters of the current step, which makes it a training run (``mls:Run``).

    Args:
        parameters: by name.
        seed: the seed of random numbers; by default a parameter ``seed`` or ``random_state``.
    """
    from provrepo.capture.passing import parameter_text

    activity = _run()
    if activity is None:
        return
    for name, value in parameters.items():
        activity.uses(_fact(activity, "HyperParameterSetting", name, parameter_text(name, value)))
        if seed is None and name in ("seed", "random_state") and isinstance(value, int):
            seed = value
    if seed is not None:
        activity.recorder.note("seed", activity=activity.number, value=int(seed))


@contained
def log_metrics(metrics: Mapping[str, float]) -> None:
    """Record the quality of a model, by the name of each measure.

    This does not make the step a training run: an evaluation records metrics too.
    """
    activity = _current()
    if activity is None:
        return
    for name, value in metrics.items():
        activity.produced(_fact(activity, "ModelEvaluation", name, repr(float(value))))


@contained
def log_data(thing: object, role: str, *, version: str | None = None) -> None:
    """Record a dataset and its role in the current step. A step with training data is a training run.

    Args:
        thing: a path of a file, or a value such as a table.
        role: ``"training"``, ``"validation"`` or ``"test"``.
        version: of the dataset. A file is identified by its checksum, a value by its session.
    """
    from provrepo.capture.facts.values import things
    from provrepo.capture.files.digests import absolute

    activity = _run() if "train" in role.lower() else _current()
    if activity is None:
        return
    kind = {"type": MLS + "Dataset", "version": version}
    if isinstance(thing, str | os.PathLike):
        seen = activity.read(absolute(thing), role)
        if seen is not None:
            activity.recorder.note("kind", path=seen.path, **kind)
        return
    for value in things(thing):
        entity = activity.entity(value)
        activity.uses(entity, role)
        activity.recorder.note("kind", entity=entity, **kind)


@contained
def log_model(model: object, *, name: str | None = None) -> None:
    """Record the model that the current step trained, derived from its data in the role ``"training"``.

    Args:
        model: the object, or the path of the file that contains it.
        name: its name.
    """
    activity = _run()
    if activity is None:
        return
    activity.model(model, name)


def _current() -> Activity | None:
    from provrepo.capture.recorder import current

    return current()


def _run() -> Activity | None:
    """The current step, marked as a training run."""
    activity = _current()
    if activity is not None and not activity.run:
        activity.run = True
        activity.recorder.note("kind", activity=activity.number, type=MLS + "Run")
    return activity


def _fact(activity: Activity, kind: str, name: str, value: str) -> str:
    entity = activity.recorder.fresh("fact")
    activity.recorder.note("fact", entity=entity, type=MLS + kind, name=name, value=value)
    return entity
