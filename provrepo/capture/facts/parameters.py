"""The parameters of a step as short text without secrets."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from pathlib import PurePath

from provrepo.capture.facts.values import ATOMS
from provrepo.model.redaction import MASK, command, secret_name, text

__all__ = ["shown"]

WIDEST = 20
"""Members of a list or dictionary that are recorded."""
DEEPEST = 3


def shown(name: str, value: object) -> str:
    """A parameter as text without secrets.

    No code of the user runs: values of built-in types are shown, other values by their type.
    """
    return MASK if secret_name(name) else text(_plain(value, 0))


def _plain(value: object, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bytes:
        return f"{len(value)} bytes"  # type: ignore[arg-type]
    if kind in ATOMS:
        return repr(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, enum.Enum):
        return f"{kind.__qualname__}.{value.name}"
    if kind in (list, tuple, set, frozenset) and depth < DEEPEST:
        return f"[{', '.join(_some(value, depth))}]"  # type: ignore[arg-type]
    if kind is dict and depth < DEEPEST:
        pairs = [_pair(key, member, depth) for key, member in list(value.items())[:WIDEST]]  # type: ignore[attr-defined]
        return "{" + ", ".join(pairs) + ("" if len(pairs) == len(value) else ", …") + "}"  # type: ignore[arg-type]
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _some(values: Iterable[object], depth: int) -> list[str]:
    members = list(values)
    if members and all(type(member) is str for member in members):
        return command(members[:WIDEST]) + ["…"] * (len(members) > WIDEST)  # type: ignore[arg-type]
    return [text(_plain(member, depth + 1)) for member in members[:WIDEST]] + ["…"] * (len(members) > WIDEST)


def _pair(key: object, member: object, depth: int) -> str:
    name = _plain(key, depth + 1)
    return f"{name}: {MASK if secret_name(name) else text(_plain(member, depth + 1))}"
