"""Kedro: ``HOOKS = (ProvHooks(),)`` in ``settings.py`` records each run of a pipeline, node by node.

The order of Kedro's calls (``kedro/runner/task.py``): datasets are loaded before ``before_node_run``, and saved after
``after_node_run``. With ``ParallelRunner`` the calls of a node come in a process of its own, from hooks of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from provrepo.capture.activities import Activity
from provrepo.capture.facts import plans
from provrepo.capture.failures import contained, enabled
from provrepo.capture.journal.events import Event
from provrepo.capture.recorder import entered
from provrepo.hooks.runs import Engine, PipelineRun, make, needed, task, use

with needed("kedro", "Kedro"):
    import kedro
    from kedro.framework import hooks as _hooks

if TYPE_CHECKING:
    _F = TypeVar("_F", bound=Callable[..., None])

    def _hook(function: _F) -> _F: ...

else:
    _hook = _hooks.hook_impl

__all__ = ["ProvHooks"]

_ENGINE = Engine("Kedro", str(kedro.__version__))
_OPTIONS = (
    *("env", "pipeline_names", "pipeline_name", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs"),
    *("to_outputs", "load_versions", "namespaces"),
)
"""Options of a run that are parameters, if they have a value; ``runtime_params`` are parameters by their names."""

PARAMETERS, PARAMETER = "parameters", "params:"
"""Names of the datasets that are parameters: all of them, and the beginning of the name of one."""


class _Node:
    """A node that runs: its activity, and the outputs that it has still to save."""

    def __init__(self, node: Any, activity: Activity) -> None:
        import inspect

        self.activity, self.left = activity, set(node.outputs)
        self.streams = inspect.isgeneratorfunction(node.func)  # its outputs are saved chunk by chunk
        self.catalog: Any = None


class ProvHooks:
    """Hooks of Kedro that record provenance.

    A run of a pipeline is an activity, or a session and its document if it is not inside of one. Its nodes are parts
    of it, which use and generate their datasets and have their parameters. The role of a dataset is its name.
    """

    def __init__(self) -> None:
        self._run: PipelineRun | None = None
        self._nodes: dict[str, _Node] = {}
        self._lock = threading.Lock()

    # The calls of Kedro: each returns None whatever happens, since results of hooks have a meaning ------------------

    @_hook
    def before_pipeline_run(self, run_params: Mapping[str, Any], pipeline: Any) -> None:
        """A run of a pipeline begins."""
        if enabled():
            contained(self._began)(run_params, pipeline)

    @_hook
    def after_pipeline_run(self) -> None:
        """The run has ended."""
        contained(self._ended)(None)

    @_hook
    def on_pipeline_error(self, error: Exception) -> None:
        """The run has failed."""
        contained(self._ended)(error)

    @_hook
    def before_dataset_loaded(self, node: Any) -> None:
        """An input of a node is about to be loaded: the first of the calls for a node that has inputs."""
        if enabled():
            contained(self._enter)(node)

    @_hook
    def after_dataset_loaded(self, node: Any) -> None:
        """An input of a node has been loaded."""
        contained(self._leave)(node)

    @_hook
    def before_node_run(self, node: Any, catalog: Any, inputs: dict[str, Any]) -> None:
        """The function of a node is about to be called."""
        if enabled():
            contained(self._started)(node, catalog, inputs)

    @_hook
    def on_node_error(self, error: Exception, node: Any) -> None:
        """The function of a node has raised an error."""
        contained(self._failed)(node, error)

    @_hook
    def after_node_run(self, node: Any) -> None:
        """The function of a node has returned."""
        contained(self._returned)(node)

    @_hook
    def before_dataset_saved(self, node: Any) -> None:
        """An output of a node is about to be saved."""
        contained(self._enter_again)(node)

    @_hook
    def after_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """An output of a node has been saved."""
        contained(self._saved)(node, dataset_name)

    # What they record -----------------------------------------------------------------------------------------------

    def _began(self, run_params: Mapping[str, Any], pipeline: Any) -> None:
        from pathlib import Path

        chosen = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
        name = f"kedro {' '.join(map(str, chosen))}"
        project = Path(str(run_params.get("project_path") or "."))
        nodes = sorted(node.name for node in pipeline.nodes)
        plan = {"name": f"{name} of {project.name}", "nodes": nodes, **plans.of_folder(project)}
        identifier = run_params.get("run_id") or run_params.get("session_id")
        self._run = PipelineRun(name, _ENGINE, plan, f"kedro:{identifier}" if identifier else "")
        options = ((option, run_params.get(option)) for option in _OPTIONS)
        self._run.parameters((name, value) for name, value in options if isinstance(value, str | list | tuple | dict))
        runner = str(run_params.get("runner") or "")  # `<kedro.runner.….ThreadRunner object at 0x…>`
        self._run.parameters([("runner", runner.strip("<").partition(" ")[0].rpartition(".")[2])])
        self._run.parameters((run_params.get("runtime_params") or run_params.get("extra_params") or {}).items())

    def _ended(self, error: Exception | None) -> None:
        run, self._run = self._run, None
        nodes, self._nodes = self._nodes, {}
        for found in nodes.values():  # a dataset that could not be loaded or saved, or the last chunks
            found.activity.end(error)
        if run is not None:
            run.end(error)

    def _node(self, node: Any) -> _Node | None:
        with self._lock:  # inputs may be loaded in threads
            found = self._nodes.get(node.name)
            if found is None:
                activity = task(node.name, node.func)
                if activity is None:
                    return None
                found = self._nodes[node.name] = _Node(node, activity)
            return found

    def _enter(self, node: Any) -> None:
        found = self._node(node)
        if found is not None:
            entered.set(found.activity)

    def _enter_again(self, node: Any) -> None:
        if node.name in self._nodes:
            self._enter(node)

    def _leave(self, node: Any) -> None:
        found = self._nodes.get(node.name)
        if found is not None and entered.get() is found.activity:
            entered.set(found.activity.outer)

    def _started(self, node: Any, catalog: Any, inputs: Mapping[str, Any]) -> None:
        found = self._node(node)
        if found is None:
            return
        found.catalog = catalog
        activity = found.activity
        for name in node.inputs:
            if name == PARAMETERS and isinstance(inputs.get(name), Mapping):
                for key, value in inputs[name].items():
                    activity.parameter(str(key), value)
            elif name.startswith(PARAMETER) or name == PARAMETERS:
                activity.parameter(name.removeprefix(PARAMETER), inputs.get(name))
            else:
                location, more = _described(catalog, name, saved=False)
                use(activity, name, location, more)
        entered.set(activity)

    def _returned(self, node: Any) -> None:
        self._leave(node)
        found = self._nodes.get(node.name)
        if found is not None and not found.left:
            self._finish(node, None)

    def _saved(self, node: Any, name: str) -> None:
        self._leave(node)
        found = self._nodes.get(node.name)
        if found is None or (name not in found.left and not found.streams):
            return
        if name in found.left:
            found.left.discard(name)
            location, more = _described(found.catalog, name, saved=True)
            make(found.activity, name, location, more)
        if not found.left and not found.streams:
            self._finish(node, None)

    def _failed(self, node: Any, error: Exception) -> None:
        self._leave(node)
        self._finish(node, error)

    def _finish(self, node: Any, error: Exception | None) -> None:
        found = self._nodes.pop(node.name, None)
        if found is not None:
            found.activity.end(error)


def _described(catalog: Any, name: str, *, saved: bool) -> tuple[object, Event]:
    """Where a dataset is, and its class and version.

    Args:
        catalog: of the run.
        name: of the dataset.
        saved: whether it has just been saved; otherwise it has been loaded.
    """
    dataset = catalog.get(name) if catalog is not None else None
    dataset = getattr(dataset, "_dataset", dataset)  # of a CachedDataset
    if dataset is None:
        return None, {}
    more: Event = {"type": f"{type(dataset).__module__}.{type(dataset).__qualname__}"}
    path = next((getattr(dataset, key) for key in ("_filepath", "_path") if getattr(dataset, key, None)), None)
    if path is not None and getattr(dataset, "_version", None) is not None:
        version = dataset.resolve_save_version() if saved else dataset.resolve_load_version()
        if version:
            path, more["version"] = dataset._get_versioned_path(version), str(version)
    protocol = getattr(dataset, "_protocol", "file") or "file"
    if path is None or protocol == "file" or "://" in str(path):
        return None if path is None else str(path), more
    return f"{protocol}://{path}", more
