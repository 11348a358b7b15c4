"""Context propagation: threads and calls in other processes run in the context of the activity that started them.

A call in another process carries a ``SessionContext``. Values keep their entities in both directions: the names of the
entities are pickled beside the values.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from provrepo.capture.child.provrepo_libraries.after_import import AfterImport
from provrepo.capture.child.provrepo_paths import Replaced
from provrepo.capture.failures import contained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from provrepo.capture.activities import Activity
    from provrepo.capture.recorder import Recording, SessionContext

__all__ = ["watch"]


@functools.cache
def watch() -> None:
    """Propagate the context to threads, pools and processes, once the program imports the modules that start them."""
    AfterImport({name: contained(adapt) for name, adapt in _ADAPTED.items()}).install()
    if os.name == "posix":
        os.system = _System(os.system)
        os._exit = _Exit(os._exit)
        execute = os.execve
        os.execve = _Exec(execute, execute)
        os.execv = _Exec(os.execv, execute)
        for name in ("posix_spawn", "posix_spawnp"):
            if hasattr(os, name):
                setattr(os, name, _Spawn(getattr(os, name)))


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
        context = _context()
        if context is not None:
            contained(setattr)(self, "run", RemoteCall(self.run, context, {}))
        try:
            start(self)
        finally:
            self.__dict__.pop("run", None)

    process.BaseProcess.start = start_in_context


def _process_pool(module: Any) -> None:
    submit = module.ProcessPoolExecutor.submit

    @functools.wraps(submit)
    def submit_in_context(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, _remote_call(function, args, kwargs), *args, **kwargs)

    module.ProcessPoolExecutor.submit = submit_in_context


def _pool(module: Any) -> None:
    kind, threads = module.Pool, module.ThreadPool

    def in_context(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, threads):
                return method(self, _InContext(function) if _entered() else function, *args, **kwargs)
            if method.__name__ == "apply_async":
                given = args[0] if args else kwargs.get("args", ())
                named = args[1] if len(args) > 1 else kwargs.get("kwds", {})
                return method(self, _remote_call(function, given, named), *args, **kwargs)
            if args:
                args = (_remote_values(args[0]), *args[1:])
            elif "iterable" in kwargs:
                kwargs["iterable"] = _remote_values(kwargs["iterable"])
            return method(self, _remote_call(function, (), {}), *args, **kwargs)

        return call

    for name in ("apply_async", "map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"):
        setattr(kind, name, in_context(getattr(kind, name)))


def _subprocesses(module: Any) -> None:
    start = module.Popen.__init__

    @functools.wraps(start)
    def start_in_context(self: Any, *args: Any, **kwargs: Any) -> None:
        at = 10  # the position of ``env``
        changed = contained(_environment)(args[at] if len(args) > at else kwargs.get("env"))
        if changed is not None and len(args) > at:
            args = (*args[:at], changed, *args[at + 1 :])
        elif changed is not None:
            kwargs["env"] = changed
        _opening.popen = True  # Popen may call os.posix_spawn, as it does from Python 3.13 on
        try:
            start(self, *args, **kwargs)
        finally:
            _opening.popen = False
        if changed is not None:
            shell = args[8] if len(args) > 8 else kwargs.get("shell", False)
            contained(_started)(args[0] if args else kwargs["args"], self.pid, shell=bool(shell))

    module.Popen.__init__ = start_in_context


_opening = threading.local()
"""``popen``: whether this thread is in ``Popen.__init__``, which records the process itself."""


class _Spawn(Replaced):
    """``os.posix_spawn``, whose processes report to the current step."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        known = getattr(_opening, "popen", False)
        if len(args) > 2 and isinstance(args[2], Mapping) and not known:  # the environment, which has no name
            changed = contained(_environment)(args[2])
            process = self.__wrapped__(*args[:2], changed or args[2], *args[3:], **kwargs)
            if changed is not None:
                contained(_started)(args[0], process)
            return process
        return self.__wrapped__(*args, **kwargs)


class _Exec(Replaced):
    """``os.execv`` and ``os.execve``, whose program reports to the current step, in a forked child or here.

    The other functions of their kind, and ``os.spawn*``, call these two.

    Args:
        original: the function.
        execute: ``os.execve``.
    """

    def __init__(self, original: Any, execute: Any) -> None:
        super().__init__(original)
        self.provrepo_execute = execute

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        changed = None
        if len(args) > 1 and not kwargs:
            changed = contained(_environment)(args[2] if len(args) > 2 else None)
        if changed is None:
            return self.__wrapped__(*args, **kwargs)
        _settle()
        contained(_started)(args[1] if isinstance(args[0], int) else args[0], os.getpid())
        return self.provrepo_execute(*args[:2], changed)


class _Exit(Replaced):
    """``os._exit``, by which a forked child ends: what it wrote is recorded before."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        _settle()
        return self.__wrapped__(*args, **kwargs)


def _settle() -> None:
    recorder = sys.modules.get("provrepo.capture.recorder")
    if recorder is not None:
        recorder.settle_here()


class _System(Replaced):
    """``os.system``, whose processes report to the current step."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        changed = contained(_line)(args[0] if args else kwargs.get("command"))
        if changed is None:
            return self.__wrapped__(*args, **kwargs)
        contained(_started)("sh", None)
        return self.__wrapped__(changed)


def _environment(given: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
    """The environment for a process that the current step starts; None where there is none, or for capture itself."""
    activity = _starting()
    if activity is None:
        return None
    from provrepo.capture.files.children import environment

    return environment(activity, given)


def _line(line: Any) -> Any:
    activity = _starting() if isinstance(line, str | bytes) else None
    if activity is None:
        return None
    from provrepo.capture.files.children import command

    return command(activity, line)


def _started(program: object, process: int | None, *, shell: bool = False) -> None:
    from provrepo.capture.files.children import started

    started(program, process, shell=shell)


def _starting() -> Activity | None:
    from provrepo.capture.failures import nested
    from provrepo.capture.files.hook import recording_here

    return None if nested() else recording_here()


class _InContext:
    """A function for threads of a pool: each call runs in a copy of the context in which it was submitted."""

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
    "subprocess": _subprocesses,
}


# Calls and values between processes -------------------------------------------------------------------------


@contained
def _context() -> SessionContext | None:
    """The context of the current activity. A session begins here, so that processes do not each begin one."""
    from provrepo.capture.recorder import current
    from provrepo.capture.sessions import ensure

    if ensure() is None:
        return None
    activity = current()
    return activity.recorder.context_for(activity) if activity is not None else None


def _remote_call(function: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    context, recording = _context(), _recording()
    if context is None or recording is None:
        return function
    return RemoteCall(function, context, contained(_names)(recording, (tuple(args), dict(kwargs))) or {})


class RemoteCall:
    """A function that runs in another process as part of the activity that submitted it.

    Args:
        function: the function.
        context: of the activity.
        names: the entities of its arguments, by position.
    """

    def __init__(self, function: Callable[..., Any], context: SessionContext, names: dict[int, str]) -> None:
        self._function, self._ticket, self._names = function, context, names

    def __reduce__(self) -> Any:
        return RemoteCall, (self._function, self._ticket, self._names)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        activity = None if self._ticket.process == os.getpid() else contained(_join)(self._ticket)
        if activity is None:
            return self._function(*args, **kwargs)
        from provrepo.capture.recorder import entered

        contained(_adopt)(activity, (args, kwargs), self._names)
        before = entered.set(activity)
        try:
            result = self._function(*args, **kwargs)
        finally:
            entered.reset(before)
            activity.settle()
            activity.recorder.forget(activity)
        names = contained(_names)(activity.recorder, result)
        return RemoteValue(result, self._ticket, names) if names else result


class RemoteValue:
    """A value for another process. Unpickling returns the value and registers its entities there."""

    def __init__(self, value: Any, context: SessionContext, names: dict[int, str]) -> None:
        self._value, self._ticket, self._names = value, context, names

    def __reduce__(self) -> Any:
        return _unpickled, (self._value, self._ticket, self._names)

    def __repr__(self) -> str:
        return repr(self._value)


def _unpickled(value: Any, context: SessionContext, names: dict[int, str]) -> Any:
    activity = contained(_join)(context)
    if activity is not None:
        contained(_adopt)(activity, value, names)
    return value


def _remote_values(values: Iterable[Any]) -> Any:
    """The values, wrapped with their entities where they have any; a list where the argument has a length."""
    context, recording = _context(), _recording()
    if context is None or recording is None:
        return values

    def each() -> Iterator[Any]:
        for value in values:
            names = contained(_names)(recording, value)
            yield RemoteValue(value, context, names) if names else value

    return list(each()) if hasattr(values, "__len__") else each()


def _recording() -> Recording | None:
    from provrepo.capture.recorder import session_now

    return session_now()


def _join(context: SessionContext) -> Activity | None:
    from provrepo.capture.failures import enabled
    from provrepo.capture.files.hook import watch as watch_files
    from provrepo.capture.recorder import join

    if not enabled():
        return None
    activity = join(context)
    watch_files()
    watch()
    return activity


def _names(recording: Recording, value: Any) -> dict[int, str]:
    """The entities in a value, by position."""
    from provrepo.capture.facts.values import nodes

    known = recording.values.known
    if recording.values.empty:
        return {}
    return {place: name for place, node in enumerate(nodes(value)) if (name := known(node)) is not None}


def _adopt(activity: Activity, value: Any, names: dict[int, str]) -> None:
    from provrepo.capture.facts.values import nodes

    if names:
        for place, node in enumerate(nodes(value)):
            if place in names:
                activity.recorder.values.adopt(node, names[place])
