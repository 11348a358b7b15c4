"""Prefect 3: ``import provrepo.hooks.prefect`` records the flows and tasks that are defined after it.

The function of a flow or task is recorded, so that each attempt is an activity of its own. Prefect's context says which
run it belongs to, which task runs came before, and which assets it materializes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from provrepo.capture import context_propagation
from provrepo.capture.activities import Activity
from provrepo.capture.failures import contained, enabled
from provrepo.capture.recorder import current
from provrepo.capture.steps import Step
from provrepo.hooks.runs import Engine, PipelineRun, follow, identify, make, needed, use

with needed("prefect", "Prefect"):
    import prefect
    from prefect import Flow, Task
    from prefect.context import FlowRunContext, TaskRunContext

__all__: list[str] = []

_ENGINE = Engine("Prefect", str(prefect.__version__))
_ORIGINAL = "__provrepo_original__"


class _TaskStep(Step):
    """The function of a task as a step."""

    def _begin(self, called: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Activity | None:
        context = contained(TaskRunContext.get)()
        if context is None or not _inside():
            return None  # the function is called as one
        activity = super()._begin(called, args, kwargs)
        if activity is not None:
            contained(_about_task)(activity, context.task_run)
        return activity


def _inside() -> bool:
    """Whether the running code belongs to a recorded run; a task outside of all flows begins the process's session."""
    return current() is not None or contained(FlowRunContext.get)() is None


def _about_task(activity: Activity, run: Any) -> None:
    identify(activity, f"prefect:task-run/{run.id}")
    for sources in (run.task_inputs or {}).values():
        for source in sources:
            if getattr(source, "input_type", "") == "task_run":
                follow(activity, f"prefect:task-run/{source.id}")
    contained(_assets)(activity)


def _assets(activity: Activity) -> None:
    """Assets that the task materializes, and those that they depend on."""
    from prefect.context import AssetContext  # since Prefect 3.4

    context = AssetContext.get()
    if context is None:
        return
    for asset in sorted(context.direct_asset_dependencies, key=lambda asset: str(asset.key)):
        use(activity, _name(asset.key), asset.key, {"type": "Prefect asset"}, _name(asset.key))
    for asset in sorted(context.downstream_assets, key=lambda asset: str(asset.key)):
        activity.conclusions.append(
            functools.partial(make, activity, _name(asset.key), asset.key, {"type": "Prefect asset"})
        )


def _name(key: str) -> str:
    return key.rstrip("/").rpartition("/")[2] or key


def _flow_step(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function of a flow, which is the run of a pipeline."""

    @contextmanager
    def run(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[None]:
        found = contained(_begin_flow)(function, name, args, kwargs)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            if found is not None:
                contained(found.end)(error)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def recorded_coroutine(*args: Any, **kwargs: Any) -> Any:
            with run(args, kwargs):
                return await function(*args, **kwargs)

        return recorded_coroutine

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        with run(args, kwargs):
            return function(*args, **kwargs)

    return recorded


def _begin_flow(
    function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> PipelineRun | None:
    from provrepo.capture.facts import plans

    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None  # the function is called as one
    plan = contained(plans.of_function)(function) or {"name": name}
    found = PipelineRun(name, _ENGINE, plan, f"prefect:flow-run/{context.flow_run.id}")
    bound = inspect.signature(function).bind_partial(*args, **kwargs)
    found.parameters(bound.arguments.items())
    return found


def _replaced(kind: Any, recorded: Callable[[Callable[..., Any], str], Callable[..., Any]]) -> None:
    """Make the objects of a class that are made from now on call a recorded function."""
    initialize = kind.__init__

    @functools.wraps(initialize)
    def initialize_recorded(self: Any, fn: Any, *args: Any, **kwargs: Any) -> None:
        original = getattr(fn, _ORIGINAL, fn)  # of another task, of which this one is a variant
        initialize(self, original, *args, **kwargs)
        contained(replace)(self, original)

    def replace(self: Any, original: Any) -> None:
        if kind is Flow and (inspect.isgeneratorfunction(original) or inspect.isasyncgenfunction(original)):
            return  # its run would end in another context than it began
        function = recorded(original, str(self.name))
        setattr(function, _ORIGINAL, original)
        self.fn = function

    kind.__init__ = initialize_recorded


def _task_step(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    return _TaskStep(name)(function)


if enabled() and not hasattr(Task.__init__, "__wrapped__"):
    context_propagation.watch()
    _replaced(Task, _task_step)
    _replaced(Flow, _flow_step)
