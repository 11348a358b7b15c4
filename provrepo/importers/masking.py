"""Masking of secrets in the values of other tools, by the rules of capture (``provrepo.model.redaction``)."""

from __future__ import annotations

import re
from typing import TypeVar

from provrepo.model.redaction import MASK, clean, secret_name, whole

__all__ = ["masked", "without_login"]

T = TypeVar("T")

_LOGIN = re.compile(r"(?<=://)[^\s/?#@]*@")


def masked(value: T) -> T:
    """A JSON value without what looks like a secret: texts are searched, and values of secret names are replaced.

    An object with ``key`` and ``value`` is a pair, such as a tag or a parameter: its key is a name.
    """
    if isinstance(value, str):
        return clean(whole(value))  # type: ignore[return-value]
    if isinstance(value, list):
        return [masked(item) for item in value]  # type: ignore[return-value]
    if isinstance(value, dict):
        pair = value["key"] if "value" in value and isinstance(value.get("key"), str) else None
        return {  # type: ignore[return-value]
            key: masked(item)
            if pair is not None and key == "key"
            else _value(pair if pair is not None and key == "value" else str(key), item)
            for key, item in value.items()
        }
    return value


def _value(name: str, value: T) -> T:
    """The value of a name."""
    return MASK if secret_name(name) and isinstance(value, str | int | float) and value else masked(value)  # type: ignore[return-value]


def without_login(text: str) -> str:
    """A URL or name without the user and password before its host."""
    return clean(_LOGIN.sub("", text))
