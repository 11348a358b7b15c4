"""Values as short text without secrets."""

from __future__ import annotations

import enum
import os
import re
import types
from collections.abc import Iterable
from typing import Any

from provrepo.capture.facts.values import ATOMS, fields, members, qualified, scalar
from provrepo.model.secrets import LONGEST, MASK, command, secret_name, text

__all__ = ["NONE", "shown"]

WIDEST = 20
"""Members of a container that are recorded."""
DEEPEST = 3
NONE = "(no value)"
"""What is recorded of an object that has no value in this sense."""
_DEFAULT = re.compile(r" at 0x[0-9A-Fa-f]+>?")
"""An address: the representation that Python gives an object of itself."""
_TYPES = (bool, int, float, complex, str)


def shown(name: str, value: object) -> str:
    """A value as text without secrets.

    No code of the user runs, except the ``str`` of numbers, dates and the like. A class or function is shown by its
    name, a record or container by its members, and another object as ``NONE``.
    """
    if secret_name(name):
        return MASK
    found = _plain(value, 0)
    if scalar(value):
        return text(found)
    return found if len(found) <= LONGEST else found[: LONGEST - 1] + "…"  # the secrets in its members are masked


def _plain(value: object, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bytes:
        return f"{len(value)} bytes"  # type: ignore[arg-type]
    if kind in ATOMS:
        return repr(value)
    if scalar(value):
        return _scalar(value)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return qualified(value).removeprefix("builtins.")
    if kind in (slice, range) or value is ...:
        return repr(value)
    return NONE if depth >= DEEPEST else _container(value, depth)


def _scalar(value: Any) -> str:
    if isinstance(value, enum.Enum) and value.name:
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    for kind in _TYPES:
        if isinstance(value, kind):
            return kind.__repr__(value) if kind is not str else str.__str__(value)
    try:
        found = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    except Exception:  # noqa: BLE001 (code of its class)
        return NONE
    return NONE if _DEFAULT.search(os.fsdecode(found)) else os.fsdecode(found)


def _container(value: Any, depth: int) -> str:
    kind = type(value)
    record = fields(value)
    if record is not None:
        pairs = [f"{name}={_named(name, member, depth)}" for name, member in record[:WIDEST]]
        return f"{kind.__qualname__}({', '.join(pairs)}{', …' * (len(record) > WIDEST)})"
    if issubclass(kind, dict) or kind is types.MappingProxyType:
        items = list(dict.items(value) if issubclass(kind, dict) else value.items())
        pairs = [_pair(key, member, depth) for key, member in items[:WIDEST]]
        return "{" + ", ".join(pairs) + ", …" * (len(items) > WIDEST) + "}"
    inside = members(value)
    return NONE if inside is None else f"[{', '.join(_some(inside, depth))}]"


def _some(values: Iterable[object], depth: int) -> list[str]:
    inside = list(values)
    if inside and all(type(member) is str for member in inside):
        return command(inside[:WIDEST]) + ["…"] * (len(inside) > WIDEST)  # type: ignore[arg-type]
    return [text(_plain(member, depth + 1)) for member in inside[:WIDEST]] + ["…"] * (len(inside) > WIDEST)


def _pair(key: object, member: object, depth: int) -> str:
    name = _plain(key, depth + 1)
    return f"{name}: {_named(name, member, depth)}"


def _named(name: str, member: object, depth: int) -> str:
    return MASK if secret_name(name) else text(_plain(member, depth + 1))
