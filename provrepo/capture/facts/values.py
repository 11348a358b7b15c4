"""The values that pass between steps, by identity: they are not copied.

Values are kept alive only where they cannot be referred to weakly: small lists, and numbers and text that a step made.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "ATOMS", "CONTAINERS", "Values", "fields", "members", "nodes", "plain", "qualified", "scalar", "scalars", "things",
]  # fmt: skip

ATOMS = (type(None), bool, int, float, complex, str, bytes)
"""Types of values that are recorded by their value and never followed into."""
WIDEST = 100
"""Members of a container that are inspected."""
DEEPEST = 3
"""Containers in containers that are inspected."""
SCALARS = 20
"""Numbers and text in a result that are entities of their own."""
SMALL = 1000
"""Items, at all depths, up to which a list of plain values is kept alive, since it cannot be referred to weakly."""
PROPAGATED = 2_000
"""Members, at all depths, of a value for another process that are inspected."""
KEPT = 10_000
"""Numbers and texts that are kept alive; the oldest is let go first."""
KEPT_TEXT = 1 << 16
"""Characters of a text that is kept alive."""

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
_STANDARD = (OrderedDict, defaultdict, deque, types.MappingProxyType)
_NEVER = (*ATOMS, *_CODE, os.PathLike)
_SCALARS = frozenset(
    {
        *("datetime.date", "datetime.time", "datetime.timedelta", "datetime.tzinfo", "decimal.Decimal", "enum.Enum"),
        *("fractions.Fraction", "uuid.UUID", "ipaddress._IPAddressBase", "re.Pattern"),
        *("numpy.generic", "numpy.dtype", "torch.dtype", "torch.device"),
        *("pandas.BaseOffset", "pandas.Interval", "pandas.NAType", "pandas.Period"),
    }
)
"""Classes whose values, and those of their subclasses, are recorded as text: package and name."""


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
        self._kept: deque[int] = deque()

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

    def keep(self, value: object) -> str:
        """Give a number or text that a step has just made an entity, and keep it alive, so that it is recognized.

        The caller knows that no other code holds it: an equal value that is made elsewhere is then another object.
        """
        with self._lock:
            entity = self._fresh()
            if not isinstance(value, str | bytes) or len(value) <= KEPT_TEXT:
                self._known[id(value)] = _Known(None, value, entity)
                self._kept.append(id(value))
                if len(self._kept) > KEPT:
                    self._known.pop(self._kept.popleft(), None)
            return entity

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
        if not _referable(value):
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


@functools.lru_cache(1024)
def _scalar(kind: type) -> bool:
    if issubclass(kind, (*ATOMS, os.PathLike)):
        return True
    for base in kind.__mro__:
        package = base.__module__.partition(".")[0].removeprefix("_py").lstrip("_")
        if f"{package}.{base.__qualname__}" in _SCALARS:
            return True
    numbers = sys.modules.get("numbers")  # whoever registered a number has imported it
    return numbers is not None and issubclass(kind, numbers.Number)


def scalar(value: object) -> bool:
    """Whether a value is a number, text, date or the like, which is recorded by its value."""
    kind: type = type(value)
    return _scalar(kind)


def fields(value: object) -> list[tuple[str, object]] | None:
    """The members of a record by name, without running code of its class: a named tuple, data class or namespace.

    None for anything else.
    """
    kind = type(value)
    if issubclass(kind, tuple):
        names = kind.__dict__.get("_fields")
        return list(zip(names, tuple.__iter__(value), strict=False)) if isinstance(names, tuple) else None  # type: ignore[arg-type]
    declared = getattr(kind, "__dataclass_fields__", None)
    if declared is None:
        attributes = getattr(kind, "__attrs_attrs__", None)
        if attributes is not None:
            declared = [attribute.name for attribute in attributes]
        elif not (issubclass(kind, types.SimpleNamespace) or _argparse(kind)):
            return None
    stored = _stored(value)
    if declared is None:
        return list(stored.items())
    found = []
    for name in declared:
        slot = next((base.__dict__[name] for base in kind.__mro__ if name in base.__dict__), None)
        if name in stored:
            found.append((name, stored[name]))
        elif isinstance(slot, types.MemberDescriptorType):
            try:
                found.append((name, slot.__get__(value)))
            except AttributeError:  # not set
                continue
    return found


def _argparse(kind: type) -> bool:
    module = sys.modules.get("argparse")
    return module is not None and issubclass(kind, module.Namespace)


def _stored(value: object) -> dict[str, object]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, dict) else {}


def members(value: object) -> list[object] | None:
    """The members of a container, without running code of its class; None where a value is none.

    At most ``WIDEST`` of them.
    """
    kind = type(value)
    if issubclass(kind, dict):
        found: Any = dict.values(value)  # type: ignore[arg-type]
    elif issubclass(kind, (list, tuple, set, frozenset, deque)):
        base = next(base for base in (list, tuple, set, frozenset, deque) if issubclass(kind, base))
        found = base.__iter__(value)  # type: ignore[arg-type]
    elif kind is types.MappingProxyType:
        found = value.values()  # type: ignore[attr-defined]
    elif kind.__module__ == "collections" and kind.__name__ in ("ChainMap", "UserDict", "UserList"):
        stored = _stored(value)
        found = stored.get("maps", [stored.get("data")])
    else:
        record = fields(value)
        if record is None:
            return None
        found = [member for _, member in record]
    return list(itertools.islice(found, WIDEST))


def things(value: object, depth: int = 0) -> Iterator[object]:
    """The values in an argument or result that can be entities: the value itself, or its members.

    Numbers and text are none. If all members of a container are plain, the container is an entity, provided that it is
    small or can be referred to weakly. Lists of plain values in a tuple, mapping or record are entities of their own.
    """
    inside = members(value)
    if inside is None:
        if _trackable(value):
            yield value
        return
    whole = _referable(value) or (type(value) in (list, dict, set, *_STANDARD) and _weight(value, SMALL) >= 0)
    found = [thing for member in inside for thing in things(member, depth + 1)] if depth < DEEPEST else []
    if any(members(thing) is None or _referable(thing) for thing in found):
        yield from found
        return
    if not issubclass(type(value), (list, set, frozenset, deque)):
        yield from found
    if whole:
        yield value


def scalars(value: object) -> list[tuple[str, object]]:
    """The numbers and texts in a result with their names: itself, or members of a tuple, mapping or record."""
    if scalar(value):
        return [] if value is None else [("", value)]
    kind = type(value)
    if issubclass(kind, dict):
        keys: Any = dict.keys(value)  # type: ignore[arg-type]
        names = [key if type(key) is str else "" for key in keys]
    else:
        names = [name for name, _ in fields(value) or []]
    inside = members(value)
    if inside is None or issubclass(kind, (list, set, frozenset, deque)):
        return []
    named = itertools.zip_longest(names[: len(inside)], inside, fillvalue="")
    return [(name, member) for name, member in named if member is not None and scalar(member)][:SCALARS]


def plain(value: object) -> bool:
    """Whether a value is a container that is shown as a parameter, unless a step generated it."""
    return type(value) in (*CONTAINERS, *_STANDARD) or fields(value) is not None


def nodes(value: object) -> Iterator[object]:
    """Everything in a value that may have an entity, in the same order for a pickled copy."""
    left, waiting = PROPAGATED, [value]
    while waiting and left > 0:
        left -= 1
        node = waiting.pop()
        kind = type(node)
        if kind in (list, tuple):
            waiting += node[:left]  # type: ignore[index]
        elif issubclass(kind, dict):
            waiting += itertools.islice(dict.values(node), left)  # type: ignore[arg-type]
        elif not issubclass(kind, (set, frozenset)):
            waiting += (members(node) or [])[:left]
        yield node


def _trackable(value: object) -> bool:
    if issubclass(type(value), _NEVER) or scalar(value):  # not __class__, which a lazy value may compute
        return False
    return _referable(value)


def _referable(value: object) -> bool:
    """Whether a weak reference to a value is possible."""
    if type(value) in CONTAINERS:
        return False
    try:
        weakref.ref(value)  # no attribute of the type shows this on every version and implementation of Python
    except TypeError:
        return False
    return True


def _weight(value: object, left: int) -> int:
    """The remainder of a limit of items after counting a plain value; negative where it is exceeded."""
    kind: type = type(value)
    if kind in (str, bytes):
        return left - 1 - len(value) // 64  # type: ignore[arg-type]
    if kind in ATOMS or scalar(value):
        return left - 1
    if kind not in (*CONTAINERS, *_STANDARD) or len(value) > left:  # type: ignore[arg-type]
        return -1
    mapping = issubclass(kind, dict | types.MappingProxyType)
    for member in [*value, *value.values()] if mapping else value:  # type: ignore[attr-defined, misc]
        left = _weight(member, left)
        if left < 0:
            break
    return left
