"""The values that pass between steps, by identity: they are not copied and not kept alive."""

from __future__ import annotations

import functools
import itertools
import os
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ATOMS", "CONTAINERS", "Values", "nodes", "qualified", "things"]

ATOMS = (type(None), bool, int, float, complex, str, bytes)
"""Types of values that are recorded as parameters and never as entities."""
WIDEST = 100
"""Members of a list, tuple or dictionary that are inspected."""
SMALL = 1000
"""Items, at all depths, up to which a list of plain values is kept alive, since it cannot be referred to weakly."""
PROPAGATED = 2_000
"""Members, at all depths, of a value for another process that are inspected."""

_CODE = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    types.GeneratorType,
    types.CoroutineType,
)
CONTAINERS = (list, tuple, dict, set, frozenset)
_NEVER = (*ATOMS, *_CODE, os.PathLike)


class _Known(NamedTuple):
    """An entity, and the object or weak reference that shows that its address is still in use."""

    reference: weakref.ref[object] | None
    kept: object
    entity: str


class Values:
    """The entities of values that steps took or returned.

    Args:
        fresh: returns a name that no other entity has.
    """

    def __init__(self, fresh: Callable[[], str]) -> None:
        self._fresh = fresh
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}

    def forked(self) -> None:
        """Replace the lock in a forked child, where the thread that held it does not exist."""
        self._lock = threading.Lock()

    @property
    def empty(self) -> bool:
        """Whether no value has an entity."""
        return not self._known

    def known(self, value: object) -> str | None:
        """The entity of a value; None where it has none."""
        found = self._known.get(id(value))
        if found is None:
            return None
        current = found.kept if found.reference is None else found.reference()
        return found.entity if current is value else None

    def register(self, value: object) -> tuple[str, bool]:
        """The entity of a value, and whether it is new."""
        with self._lock:
            entity = self.known(value)
            return (entity, False) if entity is not None else (self._name(value, self._fresh()), True)

    def renew(self, value: object) -> str:
        """Give a value that has changed a new entity."""
        with self._lock:
            return self._name(value, self._fresh())

    def adopt(self, value: object, entity: str) -> None:
        """Give a value an entity of another process, of which it is a copy."""
        with self._lock:
            self._name(value, entity)

    def _name(self, value: object, entity: str) -> str:
        address = id(value)
        if type(value) in CONTAINERS:
            self._known[address] = _Known(None, value, entity)
        else:  # at the end of its life its record is removed: pop(address, reference)
            gone = functools.partial(self._known.pop, address)
            self._known[address] = _Known(weakref.ref(value, gone), None, entity)
        return entity


def qualified(code: object, otherwise: str = "") -> str:
    """The qualified name of a class or function, the same in all processes of a program."""
    module = getattr(code, "__module__", "")
    name = getattr(code, "__qualname__", otherwise)
    return f"{'__main__' if module == '__mp_main__' else module}.{name}"  # the script, in a spawned process


def things(value: object) -> Iterator[object]:
    """The values in an argument or result that can be entities: the value itself, or its members.

    Numbers and text are parameters. The members of a list, tuple or dictionary are entities where they can be; if all
    members are plain, the container is an entity, provided that it is small.
    """
    kind = type(value)
    if kind in CONTAINERS:
        members: Any = value.values() if kind is dict else value  # type: ignore[attr-defined]
        entities = [member for member in itertools.islice(members, WIDEST) if _trackable(member)]
        if entities:
            yield from entities
        elif kind in (list, dict, set) and _weight(value, SMALL) >= 0:
            yield value
    elif _trackable(value):
        yield value


def nodes(value: object) -> Iterator[object]:
    """Everything in a value that may have an entity, in the same order for a pickled copy."""
    left, waiting = PROPAGATED, [value]
    while waiting and left > 0:
        left -= 1
        node = waiting.pop()
        kind = type(node)
        if kind in (list, tuple):
            waiting += node[:left]  # type: ignore[index]
        elif kind is dict:
            waiting += itertools.islice(node.values(), left)  # type: ignore[attr-defined]
        yield node


def _trackable(value: object) -> bool:
    if issubclass(type(value), _NEVER):  # not __class__, which a lazy value may compute
        return False
    try:
        weakref.ref(value)  # no attribute of the type shows this on every version and implementation of Python
    except TypeError:
        return False
    return True


def _weight(value: object, left: int) -> int:
    """The remainder of a limit of items after counting a plain value; negative where it is exceeded."""
    kind = type(value)
    if kind in (str, bytes):
        return left - 1 - len(value) // 64  # type: ignore[arg-type]
    if kind in ATOMS:
        return left - 1
    if kind not in CONTAINERS or len(value) > left:  # type: ignore[arg-type]
        return -1
    for member in [*value, *value.values()] if kind is dict else value:  # type: ignore[attr-defined, misc]
        left = _weight(member, left)
        if left < 0:
            break
    return left
