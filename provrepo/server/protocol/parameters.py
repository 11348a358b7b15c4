"""Typed access to the parameters of a request. Empty values count as missing, since forms send empty fields."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import request

from provrepo.server.protocol import body
from provrepo.server.protocol.rejections import Rejected

__all__ = ["choice", "flag", "number", "refuse_repeated", "required", "seconds", "text", "time_or_entry", "values"]

_SECONDS = re.compile(r"[0-9]{0,6}(\.[0-9]{1,6})?", re.ASCII)
_MAX_VALUES = 100
"""The most values of one parameter."""


def refuse_repeated(names: Iterable[str]) -> None:
    """Check that each of some parameters is given at most once.

    Raises:
        Rejected: 400, one of them is.
    """
    for name in names:
        if len(values := request.args.getlist(name)) > 1:
            raise Rejected(400, f"{name}= is given {len(values)} times; send it once", parameter=name)


def text(name: str) -> str | None:
    """The value of an optional parameter, or None."""
    return request.args.get(name) or None


def required(name: str) -> str:
    """The value of a required parameter.

    Raises:
        Rejected: 400, it is missing or empty.
    """
    value = request.args.get(name, "")
    if not value:
        raise Rejected(400, f"the parameter {name}= is missing")
    return value


def values(name: str) -> list[str]:
    """All non-empty values of a parameter.

    Raises:
        Rejected: 400, there are more than a hundred.
    """
    found = [value for value in request.args.getlist(name) if value]
    if len(found) > _MAX_VALUES:
        raise Rejected(400, f"{name}= is given {len(found)} times; at most {_MAX_VALUES} are allowed")
    return found


def number(name: str, most: int, *, least: int = 1) -> int | None:
    """The value of a parameter as a whole number from ``least`` to ``most``; None if it is missing.

    Raises:
        Rejected: 400, it is not such a number.
    """
    value = request.args.get(name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most):
        raise Rejected(400, f"{name}={value[:40]} is not a whole number from {least} to {most}")
    return int(value)


def choice(name: str, choices: Iterable[str]) -> str:
    """The value of a parameter that is one of some words; empty if it is missing.

    Raises:
        Rejected: 400, it is none of them.
    """
    value, known = request.args.get(name, ""), list(choices)
    if value and value not in known:
        raise Rejected(400, f"{name}={value[:40]} is none of {', '.join(filter(None, known))}", parameter=name)
    return value


def flag(name: str, *, form: bool = False) -> bool:
    """The value of a parameter as a boolean; False if it is missing.

    Args:
        name: the name of the parameter.
        form: whether a form in the body may also contain it.

    Raises:
        Rejected: 400, it is neither ``true`` nor ``false``.
    """
    value = request.args.get(name)
    if not value and form and request.mimetype == body.FORM:
        value = request.form.get(name)
    value = value or "false"
    if value not in ("true", "false"):
        raise Rejected(400, f"{name}={value[:40]} is neither true nor false")
    return value == "true"


def seconds(name: str = "timeout") -> float | None:
    """The value of a parameter as a positive number of seconds, from the URL or a form; None if it is missing.

    Raises:
        Rejected: 400, it is not such a number.
    """
    value = request.args.get(name) or (request.form.get(name) if request.mimetype == body.FORM else None)
    if not value:
        return None
    if not _SECONDS.fullmatch(value) or not float(value) > 0:
        raise Rejected(400, f"{name}={value[:40]} is not a positive number of seconds")
    return float(value)


def time_or_entry(name: str = "as_of") -> str | None:
    """The value of a parameter that is an entry or a time. A space in it is the unencoded plus of a time zone."""
    value = text(name)
    return None if value is None else value.replace(" ", "+")
