"""``verb``: a function over a context as a method of ``Repository``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

from provrepo.repository.context import Context, HasContext
from provrepo.repository.upkeep import beside

__all__ = ["verb"]

P = ParamSpec("P")
R = TypeVar("R")


def verb(
    function: Callable[Concatenate[Context, P], R], *, from_views: bool = False
) -> Callable[Concatenate[HasContext, P], R]:
    """Return a method that calls a function with the context of the repository.

    Args:
        function: the verb; its first parameter is the context.
        from_views: whether it needs the views. If another process holds them, that process answers the calls of the
            local owner (``repository.upkeep.beside``).
    """
    name = function.__name__
    if from_views:
        beside.FROM_VIEWS.add(name)

    @functools.wraps(function)
    def method(self: HasContext, /, *args: P.args, **kwargs: P.kwargs) -> R:
        context = self.context
        holder = beside.holder(context.store) if from_views and context.actor.owner else None
        if holder is not None:
            return cast("R", holder.call_verb(name, args, kwargs))
        return function(context, *args, **kwargs)

    signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = signature.replace(parameters=[this, *parameters])  # type: ignore[attr-defined]
    return method
