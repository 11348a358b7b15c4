"""Wrappers that run a function inside its activity: plain, generator, coroutine or asynchronous generator."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from provrepo.capture.activities import Activity
from provrepo.capture.recorder import entered

__all__ = ["Begin", "wrapped"]

Begin = Callable[[tuple[Any, ...], Mapping[str, Any]], Activity | None]
"""Begins the activity of a call, given its arguments; returns None where capture is off."""


def wrapped(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """Wrap a function so that each call is an activity."""
    import inspect

    if inspect.isasyncgenfunction(function):
        return functools.wraps(function)(_async_generator(function, begin))
    if inspect.iscoroutinefunction(function):
        return functools.wraps(function)(_coroutine(function, begin))
    if inspect.isgeneratorfunction(function):
        return functools.wraps(function)(_generator(function, begin))
    return functools.wraps(function)(_plain(function, begin))


class _Inside:
    """Makes an activity the current one, and ends it on an error other than ``passing``, which end a generator."""

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


_references: Callable[[object], int] = getattr(sys, "getrefcount", lambda _: sys.maxsize)


def _sole() -> int:
    """The references to a result that its function has just made, as the wrappers count them."""

    def make(*_: object) -> object:
        return object()

    result = make(*(), **{})
    return _references(result)


_SOLE = _sole()
"""A literal, a global, an attribute and what is cached have more: they were not made by the call."""


def _plain(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        activity = begin(args, kwargs)
        if activity is None:
            return function(*args, **kwargs)
        with _Inside(activity):
            result = function(*args, **kwargs)
        sole = _references(result) <= _SOLE
        activity.complete(result, sole=sole)
        return result

    return run


def _coroutine(function: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        activity = begin(args, kwargs)
        if activity is None:
            return await function(*args, **kwargs)
        with _Inside(activity):
            result = await function(*args, **kwargs)
        sole = _references(result) <= _SOLE
        activity.complete(result, sole=sole)
        return result

    return run


class _Resumed(Generator[Any, Any, Any]):
    """A generator whose body runs inside its activity and whose consumer does not."""

    def __init__(self, generator: Generator[Any, Any, Any], activity: Activity) -> None:
        self._generator, self._activity = generator, activity

    def send(self, value: Any) -> Any:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            result = self._generator.send(value)
        self._activity.returned(result)
        return result

    def throw(self, *error: Any) -> Any:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            result = self._generator.throw(*error)
        self._activity.returned(result)
        return result

    def close(self) -> None:
        with _Inside(self._activity, StopIteration, GeneratorExit):
            self._generator.close()


def _generator(function: Callable[..., Generator[Any, Any, Any]], begin: Begin) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        activity = begin(args, kwargs)
        if activity is None:
            return (yield from function(*args, **kwargs))
        try:
            result = yield from _Resumed(function(*args, **kwargs), activity)
            activity.returned(result)
            return result
        finally:
            activity.end(None)  # without effect after a failure

    return run


def _async_generator(function: Callable[..., AsyncGenerator[Any, Any]], begin: Begin) -> Callable[..., Any]:
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
                        activity.returned(result)
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
