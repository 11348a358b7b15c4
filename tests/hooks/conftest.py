"""Stand-ins for the tools: what the hooks need of them. The tools themselves are in ``make integration``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support.captured import Captured


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.csv").write_text("1\n7\n", "utf-8")
    return tmp_path


@pytest.fixture
def recorded(folder: Path) -> Callable[[], Captured]:
    """Returns the one document that was written."""

    def found() -> Captured:
        (path,) = (folder / "prov").glob("*.trig")
        return Captured(path)

    return found


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Imports the hooks of a tool, of which the modules are given by name."""

    def load(tool: str, **modules: dict[str, Any]) -> Any:
        for name, content in modules.items():
            module = ModuleType(name.replace("__", "."))
            module.__dict__.update(content)
            monkeypatch.setitem(sys.modules, name.replace("__", "."), module)
        monkeypatch.delitem(sys.modules, f"provrepo.hooks.{tool}", raising=False)
        found = import_module(f"provrepo.hooks.{tool}")
        monkeypatch.setitem(sys.modules, f"provrepo.hooks.{tool}", found)
        return found

    return load


class Target:
    """A file, as Luigi knows it."""

    def __init__(self, path: str) -> None:
        self.path = path


class Worker:
    """Runs tasks one after the other, as Luigi does in one process."""

    def __init__(self, handlers: dict[str, list[Any]], *tasks: Any, attempts: int = 1) -> None:
        self._handlers, self._tasks, self._attempts = handlers, tasks, attempts
        self._scheduled_tasks = {task.task_id: task for task in tasks}
        self._first_task = tasks[0].task_id

    def run(self) -> bool:
        good = True
        for task in self._tasks:
            for attempt in range(self._attempts):
                self._say("START", task)
                try:
                    waits = task.run()
                except (ArithmeticError, OSError) as error:
                    self._say("FAILURE", task, error)
                    good = attempt + 1 < self._attempts and good
                else:
                    if not waits:
                        self._say("SUCCESS", task)
                    break
        return good

    def _say(self, event: str, *about: Any) -> None:
        for handler in self._handlers.get(event, []):
            handler(*about)


class Task:
    """A task of Luigi."""

    handlers: dict[str, list[Any]] = {}  # noqa: RUF012
    parameters: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, requires: list[Any] | None = None) -> None:
        self._requires = requires or []
        self.task_family = type(self).__name__
        self.task_id = f"{self.task_family}_hunter2_0a1b2c"

    @classmethod
    def event_handler(cls, event: str) -> Any:
        return lambda handler: cls.handlers.setdefault(event, []).append(handler)

    def deps(self) -> list[Any]:
        return self._requires

    def output(self) -> list[Any]:
        return []

    def to_str_params(self, *, only_public: bool) -> dict[str, str]:
        return self.parameters

    def run(self) -> Any: ...


@pytest.fixture
def luigi(loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(Task, "handlers", {})
    monkeypatch.setattr(Worker, "run", Worker.run)
    events = SimpleNamespace(START="START", SUCCESS="SUCCESS", FAILURE="FAILURE")
    loaded(
        "luigi",
        luigi={"__version__": "3.8.1", "Event": events, "Task": Task, "LocalTarget": Target},
        luigi__task={"flatten": lambda found: found if isinstance(found, list) else [found]},
        luigi__worker={"Worker": Worker},
    )
    return SimpleNamespace(
        Task=Task, Target=Target, Worker=lambda *tasks, **more: Worker(Task.handlers, *tasks, **more)
    )


@pytest.fixture
def kedro(loaded: Callable[..., Any]) -> Any:
    hooks = {"hook_impl": lambda function: function}
    found = loaded(
        "kedro",
        kedro={"__version__": "1.7.0"},
        kedro__framework={"hooks": SimpleNamespace(**hooks)},
        kedro__framework__hooks=hooks,
    )
    return found.ProvHooks


class Runs:
    """A context of Prefect: the run that the running code belongs to."""

    def __init__(self) -> None:
        self.now: ContextVar[Any] = ContextVar("now", default=None)

    def get(self) -> Any:
        return self.now.get()


@pytest.fixture
def prefect(loaded: Callable[..., Any]) -> SimpleNamespace:
    """Flows and tasks that call their function in a context, with attempts."""
    flows, tasks, assets = Runs(), Runs(), Runs()

    class Flow:
        def __init__(self, fn: Any, name: str) -> None:
            self.fn, self.name = fn, name

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            before = flows.now.set(SimpleNamespace(flow_run=SimpleNamespace(id=f"of-{self.name}")))
            try:
                return self.fn(*args, **kwargs)
            finally:
                flows.now.reset(before)

    class Task:
        def __init__(self, fn: Any, name: str, retries: int = 0, after: tuple[str, ...] = ()) -> None:
            self.fn, self.name, self._retries, self._after = fn, name, retries, after
            self.assets: Any = None

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            sources = [SimpleNamespace(input_type="task_run", id=f"of-{name}") for name in self._after]
            run = SimpleNamespace(id=f"of-{self.name}", task_inputs={"rows": sources})
            tokens = tasks.now.set(SimpleNamespace(task_run=run)), assets.now.set(self.assets)
            try:
                for left in range(self._retries, -1, -1):
                    try:
                        return self.fn(*args, **kwargs)
                    except Exception:
                        if not left:
                            raise
            finally:
                tasks.now.reset(tokens[0])
                assets.now.reset(tokens[1])

    loaded(
        "prefect",
        prefect={"__version__": "3.8.8", "Flow": Flow, "Task": Task},
        prefect__context={"FlowRunContext": flows, "TaskRunContext": tasks, "AssetContext": assets},
    )
    return SimpleNamespace(Flow=Flow, Task=Task)
