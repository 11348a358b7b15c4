"""What a step starts belongs to the step: the context goes with threads, and with work for other processes.

Other processes get a ticket along with what they are to run. Values that have an entity keep it on both ways: names go
along with the pickled values, and the copies take them on.
"""

from __future__ import annotations

import functools
import os
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from provrepo.capture.failures import contained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from provrepo.capture.activities import Activity
    from provrepo.capture.recorder import Recording, Ticket

__all__ = ["watch"]


@functools.cache
def watch() -> None:
    """From now on, threads, pools and processes carry the context, as soon as the program imports what starts them."""
    sys.meta_path.insert(0, _Finder())
    for name, adapt in _ADAPTED.items():
        if name in sys.modules:
            adapt(sys.modules[name])


class _Finder:
    """Finds the modules that are adapted where they are, and has them adapted when they are imported."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        adapt = _ADAPTED.get(name)
        if adapt is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader.exec_module = functools.partial(  # type: ignore[method-assign]
                    _executed, spec.loader.exec_module, adapt
                )
                return spec
        return None


def _executed(execute: Callable[[ModuleType], None], adapt: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    contained(adapt)(module)


# Threads --------------------------------------------------------------------------------------------------------------


def _threads(threading: Any) -> None:
    start = threading.Thread.start

    @functools.wraps(start)
    def start_in_context(self: Any) -> None:
        if _entered():
            self.run = functools.partial(copy_context().run, self.run)
        start(self)

    threading.Thread.start = start_in_context


def _thread_pool(module: Any) -> None:
    submit = module.ThreadPoolExecutor.submit

    @functools.wraps(submit)
    def submit_in_context(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not _entered():
            return submit(self, function, *args, **kwargs)
        return submit(self, copy_context().run, function, *args, **kwargs)

    module.ThreadPoolExecutor.submit = submit_in_context


def _entered() -> bool:
    recorder = sys.modules.get("provrepo.capture.recorder")
    return recorder is not None and recorder.entered.get() is not None


# Processes ------------------------------------------------------------------------------------------------------------


def _processes(process: Any) -> None:
    start = process.BaseProcess.start

    @functools.wraps(start)
    def start_in_context(self: Any) -> None:
        ticket = _ticket()
        if ticket is not None:
            contained(setattr)(self, "run", Carried(self.run, ticket, {}))
        try:
            start(self)
        finally:
            self.__dict__.pop("run", None)

    process.BaseProcess.start = start_in_context


def _process_pool(module: Any) -> None:
    submit = module.ProcessPoolExecutor.submit

    @functools.wraps(submit)
    def submit_in_context(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, _carried(function, args, kwargs), *args, **kwargs)

    module.ProcessPoolExecutor.submit = submit_in_context


def _pool(module: Any) -> None:
    kind, threads = module.Pool, module.ThreadPool

    def in_context(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, threads):
                return method(self, _Apart(function) if _entered() else function, *args, **kwargs)
            if method.__name__ == "apply_async":
                given = args[0] if args else kwargs.get("args", ())
                named = args[1] if len(args) > 1 else kwargs.get("kwds", {})
                return method(self, _carried(function, given, named), *args, **kwargs)
            if args:
                args = (_handed_each(args[0]), *args[1:])
            elif "iterable" in kwargs:
                kwargs["iterable"] = _handed_each(kwargs["iterable"])
            return method(self, _carried(function, (), {}), *args, **kwargs)

        return call

    for name in ("apply_async", "map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"):
        setattr(kind, name, in_context(getattr(kind, name)))


class _Apart:
    """A function that threads of a pool run, each time in a copy of the context that it was given in."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._context = function, copy_context()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._context.copy().run(self._function, *args, **kwargs)


_ADAPTED: dict[str, Callable[[Any], None]] = {
    "threading": _threads,
    "concurrent.futures.thread": _thread_pool,
    "concurrent.futures.process": _process_pool,
    "joblib.externals.loky.process_executor": _process_pool,
    "loky.process_executor": _process_pool,
    "multiprocessing.process": _processes,
    "multiprocessing.pool": _pool,
}


# What goes to another process, and comes back -------------------------------------------------------------------------


@contained
def _ticket() -> Ticket | None:
    """For the activity that is at work; where there are steps, a session begins before another process has any."""
    from provrepo.capture.recorder import current
    from provrepo.capture.sessions import ensure

    if ensure() is None:
        return None
    activity = current()
    return activity.recorder.ticket(activity) if activity is not None else None


def _carried(function: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    ticket, recording = _ticket(), _recording()
    if ticket is None or recording is None:
        return function
    return Carried(function, ticket, contained(_names)(recording, (tuple(args), dict(kwargs))) or {})


class Carried:
    """A function that runs, in another process, as part of the activity that gave it away.

    Args:
        function: what runs.
        ticket: for the activity.
        names: the entities of its arguments, by where they stand.
    """

    def __init__(self, function: Callable[..., Any], ticket: Ticket, names: dict[int, str]) -> None:
        self._function, self._ticket, self._names = function, ticket, names

    def __reduce__(self) -> Any:
        return Carried, (self._function, self._ticket, self._names)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        activity = None if self._ticket.process == os.getpid() else contained(_joined)(self._ticket)
        if activity is None:
            return self._function(*args, **kwargs)
        from provrepo.capture.recorder import entered

        contained(_adopted)(activity, (args, kwargs), self._names)
        before = entered.set(activity)
        try:
            result = self._function(*args, **kwargs)
        finally:
            entered.reset(before)
            activity.settle()
            activity.recorder.give_back(activity)
        names = contained(_names)(activity.recorder, result)
        return Handed(result, self._ticket, names) if names else result


class Handed:
    """A value on its way to another process, where it is itself again and has the entities that it had here."""

    def __init__(self, value: Any, ticket: Ticket, names: dict[int, str]) -> None:
        self._value, self._ticket, self._names = value, ticket, names

    def __reduce__(self) -> Any:
        return _arrived, (self._value, self._ticket, self._names)

    def __repr__(self) -> str:
        return repr(self._value)


def _arrived(value: Any, ticket: Ticket, names: dict[int, str]) -> Any:
    activity = contained(_joined)(ticket)
    if activity is not None:
        contained(_adopted)(activity, value, names)
    return value


def _handed_each(values: Iterable[Any]) -> Any:
    """The same values, of which those travel with their names that have any; with a length where there was one."""
    ticket, recording = _ticket(), _recording()
    if ticket is None or recording is None:
        return values

    def each() -> Iterator[Any]:
        for value in values:
            names = contained(_names)(recording, value)
            yield Handed(value, ticket, names) if names else value

    return list(each()) if hasattr(values, "__len__") else each()


def _recording() -> Recording | None:
    from provrepo.capture.recorder import session_now

    return session_now()


def _joined(ticket: Ticket) -> Activity | None:
    from provrepo.capture.failures import enabled
    from provrepo.capture.files.hook import watch as watch_files
    from provrepo.capture.recorder import join

    if not enabled():
        return None
    activity = join(ticket)
    watch_files()
    watch()
    return activity


def _names(recording: Recording, value: Any) -> dict[int, str]:
    """The entities in a value, by where they stand in it."""
    from provrepo.capture.facts.values import nodes

    known = recording.values.known
    if recording.values.empty:
        return {}
    return {place: name for place, node in enumerate(nodes(value)) if (name := known(node)) is not None}


def _adopted(activity: Activity, value: Any, names: dict[int, str]) -> None:
    from provrepo.capture.facts.values import nodes

    if names:
        for place, node in enumerate(nodes(value)):
            if place in names:
                activity.recorder.values.adopt(node, names[place])
