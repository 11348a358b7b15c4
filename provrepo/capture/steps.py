"""Steps: functions and blocks that become activities."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from provrepo.capture import plans
from provrepo.capture.edge import contained, enabled
from provrepo.capture.journal import Event
from provrepo.capture.recorder import Activity, entered
from provrepo.capture.sessions import ensure

__all__ = ["Step", "step"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


@overload
def step(target: Callable[_P, _T], /) -> Callable[_P, _T]: ...
@overload
def step(
    target: str | None = None,
    /,
    *,
    why: str | None = None,
    derives: bool | str | tuple[str, ...] | None = None,
    roles: Mapping[str, str] | None = None,
    kind: str | None = None,
) -> Step: ...
def step(
    target: Any = None,
    /,
    *,
    why: str | None = None,
    derives: bool | str | tuple[str, ...] | None = None,
    roles: Mapping[str, str] | None = None,
    kind: str | None = None,
) -> Any:
    """Make an activity of a function or of a block.

    As a decorator, ``@step`` or ``@step("clean", why="...")``, on functions, methods, generators and async functions;
    as a context manager, ``with step("clean") as run:``.

    Args:
        target: the function, or the activity's name; otherwise the function's name.
        why: the rationale.
        derives: whether what it generates is derived from all that it uses, or the roles of what it is derived from:
            names of arguments, or what ``roles`` makes of them. Undeclared, the one output derives from the one input.
        roles: for names of arguments, the role that they are used in; otherwise their name is their role.
        kind: the IRI of a class of activities, such as ``mls:Run``'s.
    """
    if isinstance(target, str) or target is None:
        return Step(target, why=why, derives=derives, roles=roles, kind=kind)
    return Step(None)(target)


_blocks: ContextVar[tuple[tuple[Activity | None, Activity | None], ...]] = ContextVar("provrepo_blocks", default=())
"""Of each block that is open, the outermost first: its activity, and the one that it stands in."""


class Step:
    """What ``step(...)`` returns: a decorator and a context manager."""

    def __init__(
        self,
        name: str | None,
        *,
        why: str | None = None,
        derives: bool | str | tuple[str, ...] | None = None,
        roles: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> None:
        self._name, self._why, self._kind = name, why, kind
        self._derives = (derives,) if isinstance(derives, str) else derives
        self._roles = dict(roles or {})

    # As a context manager -------------------------------------------------------------------------------------------

    def __enter__(self) -> Activity:
        activity = self._begin(None) if enabled() else None
        _blocks.set((*_blocks.get(), (activity, entered.get())))
        if activity is None:
            return _NOTHING
        entered.set(activity)
        return activity

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        *others, (activity, before) = _blocks.get()
        _blocks.set(tuple(others))
        if activity is not None:
            entered.set(before)
            activity.end(error)

    # As a decorator -------------------------------------------------------------------------------------------------

    def __call__(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """The function as a step. Where capture is off it is the function itself."""
        if not enabled():
            return function
        if isinstance(function, classmethod | staticmethod):
            return type(function)(self(function.__func__))
        wrapped = contained(self._wrapped)(function)
        return function if wrapped is None else wrapped

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        begin = functools.partial(self._begin, _Called(function))
        if inspect.isasyncgenfunction(function):
            return functools.wraps(function)(_async_generator(function, begin))
        if inspect.iscoroutinefunction(function):
            return functools.wraps(function)(_coroutine(function, begin))
        if inspect.isgeneratorfunction(function):
            return functools.wraps(function)(_generator(function, begin))
        return functools.wraps(function)(_plain(function, begin))

    @contained
    def _begin(
        self, called: _Called | None, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Activity | None:
        recorder = ensure()
        if recorder is None:
            return None
        outer = entered.get()
        if outer is None or outer.recorder is not recorder or outer.ended:
            outer = recorder.root
        name = self._name or (called.name if called else "step")
        key = called.function if called else name
        plan = recorder.planned(key) or recorder.plan(key, _plan(called, name))
        activity = Activity(recorder, name, outer, plan, self._why)
        activity.derives = self._derives
        if self._kind:
            recorder.note("kind", of=activity.number, type=self._kind)
        if called is not None:
            for argument, value in called.bound(args, kwargs or {}):
                activity.argument(argument, value, self._roles.get(argument))
        return activity


def _plan(called: _Called | None, name: str) -> Event:
    if called is not None:
        return contained(plans.of_function)(called.function) or {"name": name}
    script = contained(plans.of_script)() or {"name": "script"}
    return {**script, "name": f"{script['name']}, block {name}"}


class _Called:
    """A function, and what its arguments are called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "step")
        self._signature = inspect.signature(function)
        names = list(self._signature.parameters)
        self._receiver = names[0] if names and names[0] in ("self", "cls") else None

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Names and values of the arguments, defaults included and the receiver of a method left out."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            return []  # the call is about to say so
        bound.apply_defaults()
        found: list[tuple[str, Any]] = []
        for name, value in bound.arguments.items():
            kind = self._signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                found += value.items()
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                found += [(name, member) for member in value]
            elif name != self._receiver:
                found.append((name, value))
        return found


_Begin = Callable[[tuple[Any, ...], Mapping[str, Any]], Activity | None]


class _Inside:
    """Enters an activity for a while, and ends it where an error comes out, but for those that end a generator."""

    __slots__ = ("_activity", "_before", "_passing")

    def __init__(self, activity: Activity, *passing: type[BaseException]) -> None:
        self._activity = activity
        self._passing = passing

    def __enter__(self) -> None:
        self._before = entered.get()
        entered.set(self._activity)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered.set(self._before)
        if error is not None and not isinstance(error, self._passing):
            self._activity.end(error)


def _plain(function: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        activity = begin(args, kwargs)
        if activity is None:
            return function(*args, **kwargs)
        with _Inside(activity):
            result = function(*args, **kwargs)
        activity.give(result)
        activity.end(None)
        return result

    return run


def _coroutine(function: Callable[..., Awaitable[Any]], begin: _Begin) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        activity = begin(args, kwargs)
        if activity is None:
            return await function(*args, **kwargs)
        with _Inside(activity):
            result = await function(*args, **kwargs)
        activity.give(result)
        activity.end(None)
        return result

    return run


class _Resumed(Generator[Any, Any, Any]):
    """A generator whose body runs inside its activity, while its consumer does not."""

    def __init__(self, generator: Generator[Any, Any, Any], activity: Activity) -> None:
        self._generator, self._activity = generator, activity

    def send(self, value: Any) -> Any:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            result = self._generator.send(value)
        self._activity.give(result)
        return result

    def throw(self, *error: Any) -> Any:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            result = self._generator.throw(*error)
        self._activity.give(result)
        return result

    def close(self) -> None:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            self._generator.close()


def _generator(function: Callable[..., Generator[Any, Any, Any]], begin: _Begin) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        activity = begin(args, kwargs)
        if activity is None:
            return (yield from function(*args, **kwargs))
        try:
            result = yield from _Resumed(function(*args, **kwargs), activity)
            activity.give(result)
            return result
        finally:
            activity.end(None)  # where it failed, that was the end

    return run


def _async_generator(function: Callable[..., AsyncGenerator[Any, Any]], begin: _Begin) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        activity = begin(args, kwargs)
        generator = function(*args, **kwargs)
        resume, given = generator.asend, None
        try:
            while True:
                try:
                    if activity is None:
                        result = await resume(given)
                    else:
                        with _Inside(activity, StopAsyncIteration, GeneratorExit):
                            result = await resume(given)
                        activity.give(result)
                except StopAsyncIteration:
                    return
                try:
                    given = yield result
                    resume = generator.asend
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 (handed to the generator, as Python does)
                    given, resume = error, generator.athrow
        finally:
            await generator.aclose()
            if activity is not None:
                activity.end(None)

    return run


class _Nothing(Activity):
    """The activity of a step that is not captured."""

    def __init__(self) -> None:
        pass

    def parameter(self, name: str, value: object) -> None:
        """Do nothing."""

    def use(self, thing: object, role: str | None = None) -> None:
        """Do nothing."""

    def make(self, thing: object, role: str | None = None) -> None:
        """Do nothing."""


_NOTHING = _Nothing()
