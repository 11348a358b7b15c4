"""Canonical JSON: RFC 8785 (JCS) restricted to integers, and its strict reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["canonical", "parse", "strict_json"]

_LARGEST = 2**53
_DEEPEST = 32


def canonical(value: Any) -> bytes:
    """Return a value as canonical JSON: RFC 8785 (JCS) restricted to integers.

    Keys are sorted by UTF-16 code units (RFC 8785, 3.2.3), there is no whitespace, and the text is UTF-8. Equal values
    give equal bytes.

    Args:
        value: objects with string keys, lists or tuples, strings, integers within ±2^53, booleans, None.

    Raises:
        ValueError: a float, an integer out of range, a lone surrogate, a key that is not a string, nesting deeper
            than 32, or any other type.
    """
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def parse(data: bytes) -> dict[str, Any]:
    """Return the object of canonical JSON bytes: the inverse of :func:`canonical`, and as strict.

    Raises:
        ValueError: not the canonical form of an object, with the reason.
    """
    value = strict_json(data)
    if canonical(value) != data:
        raise ValueError("not in canonical form")
    return value


def strict_json(data: bytes) -> dict[str, Any]:
    """Return the object of JSON bytes in any form, without what two readers could understand differently.

    Raises:
        ValueError: not a JSON object in UTF-8; a key twice; a number that is not an integer within ±2^53; nested too
            deeply.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _ordered(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"nested deeper than {_DEEPEST}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError("an integer beyond 2^53")
        return int(value)
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        keys = sorted(map(_encodable, value), key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key], depth + 1) for key in keys}
    raise ValueError(f"a {type(value).__name__} has no canonical form")


def _encodable(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError(f"a key that is a {type(text).__name__}")
    text.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return str(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has a key twice")
    return result


def _integer(text: str) -> int:
    if len(text) > len(str(-_LARGEST)):
        raise ValueError("an integer beyond 2^53")
    return int(text)


def _no_float(text: str) -> Any:
    raise ValueError(f"a number that is not an integer: {text[:40]}")
