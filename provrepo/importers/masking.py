"""Masking of secrets in the values of other tools, by the rules of capture (``provrepo.model.redaction``)."""

from __future__ import annotations

import re
from typing import TypeVar

from provrepo.model.redaction import MASK, clean, secret_name, whole

__all__ = ["masked", "without_login"]

T = TypeVar("T")

_LOGIN = re.compile(r"(?<=://)[^\s/?#@]*@")


def masked(value: T) -> T:
    """A JSON value without what looks like a secret: texts are searched, and values of secret names are replaced."""
    if isinstance(value, str):
        return clean(whole(value))  # type: ignore[return-value]
    if isinstance(value, list):
        return [masked(item) for item in value]  # type: ignore[return-value]
    if isinstance(value, dict):
        return {  # type: ignore[return-value]
            key: MASK if secret_name(str(key)) and isinstance(item, str | int | float) and item else masked(item)
            for key, item in value.items()
        }
    return value


def without_login(text: str) -> str:
    """A URL or name without the user and password before its host."""
    return clean(_LOGIN.sub("", text))
