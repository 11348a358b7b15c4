"""Luigi: ``import provrepo.hooks.luigi`` records each run of a worker, task by task.

The module adds handlers of Luigi's events, and a session around ``Worker.run``. With several workers the events of a
task come in a process of its own, which continues the session.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provrepo.capture.activities import Activity
from provrepo.capture.facts import plans
from provrepo.capture.failures import contained, enabled
from provrepo.capture.journal.events import UNFINISHED, Event
from provrepo.capture.recorder import entered
from provrepo.hooks.runs import Engine, PipelineRun, follow, make, needed, task, use

with needed("luigi", "Luigi"):
    import luigi
    from luigi.task import flatten
    from luigi.worker import Worker

__all__: list[str] = []

_ENGINE = Engine("Luigi", str(getattr(luigi, "__version__", "unknown")))

_open: dict[str, Activity] = {}
"""The tasks that run in this process: identifier → activity."""


def _identifier(of: Any) -> str:
    """The identifier of a task, without the values of parameters in it, which may be secrets: family and digest."""
    return f"luigi:{of.task_family}_{str(of.task_id).rpartition('_')[2]}"


@contained
def _started(of: Any) -> None:
    """A task begins. One that waits for dependencies which it has named while it ran begins again."""
    for identifier in list(_open):
        _end(identifier, None, UNFINISHED)
    activity = task(str(of.task_family), of.run, _identifier(of))
    if activity is None:
        return
    for name, value in of.to_str_params(only_public=True).items():
        activity.parameter(name, value)
    for before in of.deps():
        follow(activity, _identifier(before))
        for target in flatten(before.output()):
            location, more = _described(target)
            use(activity, _name(location, before), location, more, str(before.task_family))
    _open[_identifier(of)] = activity
    entered.set(activity)


@contained
def _succeeded(of: Any) -> None:
    activity = _open.get(_identifier(of))
    if activity is not None:
        for target in flatten(of.output()):
            location, more = _described(target)
            make(activity, _name(location, of), location, more)
        _end(_identifier(of), None)


@contained
def _failed(of: Any, error: BaseException) -> None:
    _end(_identifier(of), error)


def _end(identifier: str, error: BaseException | None, status: str | None = None) -> None:
    activity = _open.pop(identifier, None)
    if activity is not None:
        if entered.get() is activity:
            entered.set(activity.outer)
        activity.end(error, status)


def _described(target: Any) -> tuple[object, Event]:
    """Where a target is, and its class. Targets of databases and the like have no path."""
    more: Event = {"type": f"{type(target).__module__}.{type(target).__qualname__}"}
    path = getattr(target, "path", None)
    if path is None:
        table = getattr(target, "table", None) or getattr(target, "update_id", None)
        return (None if table is None else f"table://{table}"), more
    elsewhere = not isinstance(target, luigi.LocalTarget) and "://" not in str(path)
    return f"{type(target).__name__}://{path}" if elsewhere else path, more


def _name(location: object, of: Any) -> str:
    """The name of a target: that of its file, or else of its task."""
    return str(location).replace("\\", "/").rstrip("/").rpartition("/")[2] if location else str(of.task_family)


def _recorded(run: Callable[..., Any]) -> Callable[..., Any]:
    """``Worker.run`` as the run of a pipeline."""

    @functools.wraps(run)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = contained(_begin)(self) if enabled() else None
        error: BaseException | str | None = "a task failed"
        try:
            succeeded = run(self, *args, **kwargs)
            error = None if succeeded else error
            return succeeded
        except BaseException as raised:
            error = raised
            raise
        finally:
            if found is not None:
                contained(_conclude)(found, error)

    return recorded


def _begin(worker: Any) -> PipelineRun:
    first = getattr(worker, "_scheduled_tasks", {}).get(getattr(worker, "_first_task", None))
    name = "luigi" if first is None else f"luigi {first.task_family}"
    plan = (None if first is None else contained(_module)(first)) or contained(plans.of_script)()
    return PipelineRun(name, _ENGINE, plan or {"name": name})


def _module(of: Any) -> Event:
    """The file with the code of a task as a plan."""
    file = inspect.getsourcefile(type(of))
    return {"name": Path(file).name, **plans.of_file(file)} if file else {}


def _conclude(run: PipelineRun, error: BaseException | str | None) -> None:
    for identifier in list(_open):
        _end(identifier, None, UNFINISHED)
    run.end(error)


if enabled() and not hasattr(Worker.run, "__wrapped__"):
    Worker.run = _recorded(Worker.run)
    for event, handler in (
        (luigi.Event.START, _started),
        (luigi.Event.SUCCESS, _succeeded),
        (luigi.Event.FAILURE, _failed),
    ):
        luigi.Task.event_handler(event)(handler)
