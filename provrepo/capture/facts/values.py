"""Values that pass between steps, known by identity and never copied or kept alive."""

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
"""Values that are told as parameters and never followed as things."""
WIDEST = 100
"""Members of a list, tuple or dictionary that are looked at."""
SMALL = 1000
"""Items, at all depths, up to which a list of plain values is itself kept, since nothing can refer to it weakly."""
CARRIED = 2_000
"""Members, at all depths, that are looked at of what goes from one process to another."""

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
    """An entity, and what shows that an address still belongs to it."""

    reference: weakref.ref[object] | None
    kept: object
    entity: str


class Values:
    """The entities of values that steps took or returned.

    Args:
        fresh: gives a name that no other entity has.
    """

    def __init__(self, fresh: Callable[[], str]) -> None:
        self._fresh = fresh
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}

    def forked(self) -> None:
        """Go on in a forked child, where nobody is left who would give the lock back."""
        self._lock = threading.Lock()

    @property
    def empty(self) -> bool:
        """Whether no value has an entity."""
        return not self._known

    def known(self, value: object) -> str | None:
        """The entity of a value, or None where it has none."""
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
        """A new entity for a value, which has changed."""
        with self._lock:
            return self._name(value, self._fresh())

    def adopt(self, value: object, entity: str) -> None:
        """Let a value stand for an entity: it is a copy, in this process, of what has that entity in another."""
        with self._lock:
            self._name(value, entity)

    def _name(self, value: object, entity: str) -> str:
        address = id(value)
        if type(value) in CONTAINERS:
            self._known[address] = _Known(None, value, entity)
        else:  # when it dies, what is known of it goes too: pop(address, reference)
            gone = functools.partial(self._known.pop, address)
            self._known[address] = _Known(weakref.ref(value, gone), None, entity)
        return entity


def qualified(code: object, otherwise: str = "") -> str:
    """The name of a class or function with its module, the same in all processes of a program."""
    module = getattr(code, "__module__", "")
    name = getattr(code, "__qualname__", otherwise)
    return f"{'__main__' if module == '__mp_main__' else module}.{name}"  # what spawned processes call the script


def things(value: object) -> Iterator[object]:
    """The values in an argument or result that can be followed: it itself, or what it holds.

    Numbers and text are parameters. Of a list, tuple or dictionary its members are followed where they can be; where
    all of them are plain it is followed itself, if it is small.
    """
    kind = type(value)
    if kind in CONTAINERS:
        members: Any = value.values() if kind is dict else value  # type: ignore[attr-defined]
        held = [member for member in itertools.islice(members, WIDEST) if _followed(member)]
        if held:
            yield from held
        elif kind in (list, dict, set) and _weight(value, SMALL) >= 0:
            yield value
    elif _followed(value):
        yield value


def nodes(value: object) -> Iterator[object]:
    """Everything in a value that may have an entity, in the same order for a copy that pickle made of it."""
    left, waiting = CARRIED, [value]
    while waiting and left > 0:
        left -= 1
        node = waiting.pop()
        kind = type(node)
        if kind in (list, tuple):
            waiting += node[:left]  # type: ignore[index]
        elif kind is dict:
            waiting += itertools.islice(node.values(), left)  # type: ignore[attr-defined]
        yield node


def _followed(value: object) -> bool:
    if issubclass(type(value), _NEVER):  # and not __class__, which a lazy value may compute
        return False
    try:
        weakref.ref(value)  # no attribute of its type answers this on every version and implementation of Python
    except TypeError:
        return False
    return True


def _weight(value: object, left: int) -> int:
    """What is left of an allowance of items after counting a plain value; negative where it is too heavy."""
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
