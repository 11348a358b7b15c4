"""Masking of secrets in the values of other tools, by the rules of capture (``provrepo.model.secrets``)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar

from provrepo.model.secrets import MASK, clean, secret_name, whole, without_secrets

__all__ = ["RECORDED", "masked", "without_login"]

T = TypeVar("T")

_LOGIN = re.compile(r"(?<=://)[^\s/?#@]*@")

RECORDED = ("CI", "HOSTNAME", "LANG", "LC_ALL", "OMP_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TZ", "VIRTUAL_ENV")
"""Environment variables whose values are kept; of others the name is."""

_ENVIRONMENT = "environmentVariables"


def masked(value: T) -> T:
    """A JSON value without what looks like a secret: texts are searched, and values of secret names are replaced.

    An object with ``key`` or ``name`` and ``value`` is a pair, such as a tag or a parameter: its key is a name. Below
    ``environmentVariables``, values are those of variables.
    """
    if isinstance(value, str):
        return clean(whole(value))  # type: ignore[return-value]
    if isinstance(value, list):
        return [masked(item) for item in value]  # type: ignore[return-value]
    if isinstance(value, dict):
        return _object(value)  # type: ignore[return-value]
    return value


def _object(value: dict[str, Any]) -> dict[str, Any]:
    label = next((name for name in ("key", "name") if isinstance(value.get(name), str)), None)
    pair = value[label] if label is not None and "value" in value else None
    found: dict[str, Any] = {}
    for key, item in value.items():
        if pair is not None and key == label:
            shown = masked(item)
        elif key == _ENVIRONMENT:
            shown = _environment(item)
        else:
            shown = _value(pair if pair is not None and key == "value" else key, item)
        name, number = without_login(key), 2
        while name in found:  # two secrets in keys
            name, number = f"{without_login(key)} ({number})", number + 1
        found[name] = shown
    return found


def _value(name: str, value: Any) -> Any:
    """The value of a name. A list or object of plain values has the secret of that name.

    Other objects below such a name are about something that is called so, as the column ``customer_key`` is.
    """
    if not secret_name(name):
        return masked(value)
    inside = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else None
    if inside is None or not any(isinstance(item, dict | list) for item in inside):
        return _hidden(value)
    return masked(value)


def _hidden(value: Any) -> Any:
    """A value without its texts; alone, without its number, too."""
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {
            without_login(key): _hidden(item) if isinstance(item, str) else masked(item) for key, item in value.items()
        }
    return MASK if value and isinstance(value, str | int | float) else value


def _environment(value: Any) -> Any:
    """Variables as a list of names and values, or as an object."""
    if isinstance(value, list):
        return [_variable(item) for item in value]
    if isinstance(value, dict) and _ENVIRONMENT not in value:
        kept = {key: item if key in RECORDED or key.startswith("_") else _hidden(item) for key, item in value.items()}
        return {without_login(key): item for key, item in kept.items()}
    return masked(value)


def _variable(value: Any) -> Any:
    if not isinstance(value, dict):
        return _hidden(value)
    recorded = value.get("name") in RECORDED
    kept = {key: masked(item) if key == "name" or recorded else _hidden(item) for key, item in value.items()}
    return {without_login(key): item for key, item in kept.items()}


@lru_cache(8192)
def without_login(text: str) -> str:
    """A URL or name without the user and password before its host, and without the values of secret parameters.

    Other than ``masked`` it keeps the rest of a query: two names stay two.
    """
    return clean(without_secrets(_LOGIN.sub("", text)))
