"""What the hooks have in common: the run of a pipeline is a session or, inside of one, an activity of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from provrepo.capture.activities import Activity
from provrepo.capture.context_propagation import watch
from provrepo.capture.facts import plans
from provrepo.capture.failures import contained
from provrepo.capture.files.digests import absolute, signature
from provrepo.capture.journal.events import Event, masked
from provrepo.capture.recorder import Recorder, Recording, current, entered
from provrepo.capture.sessions import default_name, end_session, open_session
from provrepo.vocab import DCAT

__all__ = ["Engine", "PipelineRun", "describe", "follow", "identify", "local_path", "make", "needed", "task", "use"]


class Engine(NamedTuple):
    """The tool that runs a pipeline: its name and version."""

    name: str
    version: str


@contextmanager
def needed(package: str, name: str) -> Iterator[None]:
    """Say how a tool is installed, if importing it shows that it is not.

    Args:
        package: the name of its package on PyPI, and of its module.
        name: the name of the tool.

    Raises:
        ImportError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        message = (
            f"{name} is not installed in this environment, and provrepo.hooks.{package} is for its runs: "
            f"pip install {package}"
        )
        raise ImportError(message, name=package) from None


class PipelineRun:
    """The run of a pipeline, from its start to its end.

    Args:
        name: of the run; the document is called after it.
        engine: the tool.
        plan: what it follows.
        identifier: what the tool calls this run.

    Attributes:
        activity: it.
    """

    def __init__(self, name: str, engine: Engine, plan: Event, identifier: str = "") -> None:
        self._recorder: Recorder | None = None
        self._before = outer = entered.get()
        if outer is None or outer.ended or outer.recorder.closed:
            self._recorder = open_session(default_name(name), plan=plan)
            self.activity = self._recorder.root
        else:
            recorder = outer.recorder
            watch()
            self.activity = Activity(recorder, name, outer, recorder.plan((engine.name, name), plan))
        recording = self.activity.recorder
        recording.note("engine", activity=self.activity.number, name=engine.name, version=engine.version)
        if identifier:
            identify(self.activity, identifier)
        entered.set(self.activity)

    def parameters(self, values: Iterable[tuple[str, Any]]) -> None:
        """Record parameters; those without a value are left out."""
        for name, value in values:
            if value not in (None, "", [], (), {}):
                self.activity.parameter(name, value)

    def end(self, error: BaseException | str | None = None) -> None:
        """Record the end; the document of a session is then written.

        Args:
            error: why it failed.
        """
        entered.set(self._before)
        if self._recorder is None:
            self.activity.end(error)
        else:
            end_session(self._recorder, error)


def task(name: str, function: Callable[..., Any], identifier: str = "") -> Activity | None:
    """Begin a task of the run that the running code belongs to; None outside of all runs.

    Args:
        name: its label.
        function: the code that it runs.
        identifier: what the tool calls it.
    """
    outer = current()
    if outer is None:
        return None
    recorder = outer.recorder
    plan = recorder.planned(function) or recorder.plan(
        function, contained(plans.of_function)(function) or {"name": name}
    )
    activity = Activity(recorder, name, outer, plan)
    if identifier:
        identify(activity, identifier)
    return activity


def identify(activity: Activity, identifier: str) -> None:
    """Record what the tool calls an activity. Activities of one identifier are attempts at the same."""
    activity.recorder.note("identifier", activity=activity.number, value=identifier)


def follow(activity: Activity, identifier: str) -> None:
    """Record that an activity had to wait for another one.

    Args:
        activity: the later one.
        identifier: of the other one. If no entity that it generated is used, this is a communication.
    """
    activity.recorder.note("follows", activity=activity.number, identifier=identifier)


# Datasets: what a tool reads and writes under a name ------------------------------------------------------------------


def local_path(location: object) -> str | None:
    """The path of a file of this machine: of an existing path or ``file:`` URL; None for anything else."""
    try:
        text = os.fsdecode(os.fspath(location))  # type: ignore[call-overload]
    except TypeError:
        return None
    if text.startswith("file:"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        text = url2pathname(urlsplit(text).path)
    elif "://" in text:
        return None
    return absolute(text)


def use(activity: Activity, name: str, location: object, more: Event, role: str | None = None) -> None:
    """Record that a dataset was used: a file with its content, or what the tool calls so.

    Args:
        activity: it.
        name: of the dataset.
        location: its path or URL; None where it has none.
        more: ``type`` and ``version`` of the dataset, where they are known.
        role: the role of the usage; by default its name.
    """
    path = local_path(location)
    if path is not None and signature(path) is not None:
        activity.read(path, role or name)
        describe(activity.recorder, path, name, more.get("version"))
    elif path is None or not os.path.isdir(path):  # noqa: PTH112 (the files of a folder are seen when they are opened)
        activity.uses(_dataset(activity.recorder, name, location, more), role or name)


def make(activity: Activity, name: str, location: object, more: Event) -> None:
    """Record that a dataset was generated, which counts if the activity does not fail; arguments as ``use``.

    Only at the end of the activity, or after it has written the dataset.
    """
    path = local_path(location)
    if path is None:
        activity.produced(_dataset(activity.recorder, name, location, more), name)
    elif signature(path) is not None:
        if path not in activity.pending:
            activity.wrote(path)
        activity.conclusions.append(lambda: _conclude(activity, path, name, more.get("version")))


def _conclude(activity: Activity, path: str, name: str, version: str | None) -> None:
    activity.settle()
    describe(activity.recorder, path, name, version)


def describe(recorder: Recording, path: str, name: str, version: str | None = None) -> None:
    """Record which dataset the present content of a file is."""
    recorder.note("kind", path=path, type=DCAT + "Dataset", name=name, version=version)


def _dataset(recorder: Recording, name: str, location: object, more: Event) -> str:
    """The entity of a dataset that is no file: the same in all processes of the session."""
    about = masked({"name": name, "location": "" if location is None else str(location)} | more)
    entity = f"dataset-{quote(' '.join(filter(None, (about['name'], about['location']))), safe='')}"
    if entity not in recorder.described:
        recorder.described.add(entity)
        recorder.note("dataset", entity=entity, **about)
    return entity
