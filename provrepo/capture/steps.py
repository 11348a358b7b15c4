"""Steps: functions and blocks that become activities."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from provrepo.capture.failures import contained, enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from provrepo.capture.activities import Activity
    from provrepo.capture.journal.events import Event

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
    stats: bool = False,
    infer: bool = False,
) -> Step: ...
def step(
    target: Any = None,
    /,
    *,
    why: str | None = None,
    derives: bool | str | tuple[str, ...] | None = None,
    roles: Mapping[str, str] | None = None,
    kind: str | None = None,
    stats: bool = False,
    infer: bool = False,
) -> Any:
    """Record a function or a block as an activity.

    As a decorator, ``@step`` or ``@step("clean", why="...")``, on functions, methods, generators and async functions;
    as a context manager, ``with step("clean") as run:``.

    Args:
        target: the function, or the activity's name; otherwise the function's name.
        why: the rationale.
        derives: whether what it generates is derived from all that it uses, or the roles of what it is derived from:
            names of arguments, or what ``roles`` makes of them. Undeclared, the one output derives from the one input.
        roles: for names of arguments, the role that they are used in; otherwise their name is their role.
        kind: the IRI of a class of activities, such as ``mls:Run``.
        stats: whether tables among its arguments and results are described: shape, missing values, means, labels.
        infer: whether files that its arguments and results name, as paths or text, count as used or generated although
            nobody saw them opened: an argument that stays as it is was used, and what is new or changed was generated.
    """
    if isinstance(target, str) or target is None:
        return Step(target, why=why, derives=derives, roles=roles, kind=kind, stats=stats, infer=infer)
    return Step(None)(target)


_blocks: ContextVar[tuple[tuple[Activity | None, Activity | None], ...]] = ContextVar("provrepo_blocks", default=())
"""The open blocks, outermost first: the activity of each and the activity around it."""


class Step:
    """The result of ``step(...)``: a decorator and a context manager."""

    def __init__(
        self,
        name: str | None,
        *,
        why: str | None = None,
        derives: bool | str | tuple[str, ...] | None = None,
        roles: Mapping[str, str] | None = None,
        kind: str | None = None,
        stats: bool = False,
        infer: bool = False,
    ) -> None:
        self._name, self._why, self._kind, self._stats, self._infer = name, why, kind, stats, infer
        self._derives = (derives,) if isinstance(derives, str) else derives
        self._roles = dict(roles or {})

    # As a context manager -------------------------------------------------------------------------------------------

    def __enter__(self) -> Activity:
        if not enabled():
            return _no_activity()
        from provrepo.capture.recorder import entered

        activity = self._begin(None, (), {})
        _blocks.set((*_blocks.get(), (activity, entered.get())))
        if activity is None:
            return _no_activity()
        entered.set(activity)
        return activity

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not enabled():
            return
        from provrepo.capture.recorder import entered

        *others, (activity, before) = _blocks.get()
        _blocks.set(tuple(others))
        if activity is not None:
            entered.set(before)
            activity.end(error)

    # As a decorator -------------------------------------------------------------------------------------------------

    def __call__(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Return the function as a step; the function itself where capture is off."""
        if not enabled():
            return function
        if isinstance(function, classmethod | staticmethod):
            return type(function)(self(function.__func__))
        wrapped = contained(self._wrapped)(function)
        return function if wrapped is None else wrapped

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from provrepo.capture import context_propagation
        from provrepo.capture.wrapping import wrapped

        context_propagation.watch()
        return wrapped(function, functools.partial(self._begin, _Called(function)))

    @contained
    def _begin(self, called: _Called | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Activity | None:
        from provrepo.capture.activities import Activity
        from provrepo.capture.recorder import entered
        from provrepo.capture.sessions import ensure

        recorder = ensure()
        if recorder is None:
            return None
        outer = entered.get()
        if outer is None or outer.recorder is not recorder or outer.ended:
            outer = recorder.root
        name = self._name or (called.name if called else "step")
        key = called.function if called else name
        plan = recorder.planned(key) or recorder.plan(key, _plan(called, name))
        arguments = called.bound(args, kwargs) if called else []
        roles = self._roles
        return Activity(
            recorder, name, outer, plan, self._why, derives=self._derives, kind=self._kind, stats=self._stats,
            infer=self._infer, arguments=[(argument, value, roles.get(argument)) for argument, value in arguments],
        )  # fmt: skip


def _plan(called: _Called | None, name: str) -> Event:
    from provrepo.capture.facts import plans

    if called is not None:
        return contained(plans.of_function)(called.function) or {"name": name}
    script = contained(plans.of_script)() or {"name": "script"}
    return {**script, "name": f"{script['name']}, block {name}"}


class _Called:
    """A function and the names of its parameters."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "step")
        self._known: tuple[list[str], dict[str, Any], str | None] | None = None

    def _parameters(self) -> tuple[list[str], dict[str, Any], str | None]:
        """Names of positional parameters, defaults by name, and the name of ``*args`` if there is one."""
        if self._known is not None:  # functools.cached_property has a lock, which a forked child may find held for ever
            return self._known
        import inspect

        parameters = inspect.signature(self.function).parameters.values()
        positions = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        further = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self._known = positions, defaults, further
        return self._known

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Names and values of the arguments, with defaults and without the receiver of a method.

        A call that does not match the signature is bound as far as it does: the call itself raises the TypeError.
        """
        try:
            positions, defaults, further = self._parameters()
        except (TypeError, ValueError):  # a builtin without a signature
            return [*((f"argument {number}", value) for number, value in enumerate(args, 1)), *kwargs.items()]
        found = list(zip(positions, args, strict=False))
        if found and positions[0] in ("self", "cls"):
            del found[0]
        if further is not None:
            found += [(further, value) for value in args[len(positions) :]]
        found += kwargs.items()
        if defaults:
            given = {*positions[: len(args)], *kwargs}
            found += [(name, value) for name, value in defaults.items() if name not in given]
        return found


@functools.cache
def _no_activity() -> Activity:
    """A no-op activity, for blocks while capture is off."""
    from provrepo.capture.activities import Activity

    class NoActivity(Activity):
        def __init__(self) -> None:
            pass

        def parameter(self, name: str, value: object) -> None: ...

        def used(self, thing: object, role: str | None = None) -> None: ...

        def generated(self, thing: object, role: str | None = None) -> None: ...

    return NoActivity()
