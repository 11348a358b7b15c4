"""Parameters of a request's query, each of the kind that it has to be. A form sends fields that were left empty."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import request

from provrepo.server.protocol import body
from provrepo.server.protocol.rejections import Rejected

__all__ = ["flag", "time_or_entry", "number", "refuse_repeated", "required", "seconds", "values", "text"]

_SECONDS = re.compile(r"[0-9]{0,6}(\.[0-9]{1,6})?", re.ASCII)
_MOST = 100
"""Values of one parameter."""


def refuse_repeated(names: Iterable[str]) -> None:
    """Refuse parameters that are given several times where only one value counts.

    Raises:
        Rejected: 400, one of them is.
    """
    for name in names:
        if len(values := request.args.getlist(name)) > 1:
            raise Rejected(400, f"{name}= is given {len(values)} times; send it once", parameter=name)


def text(name: str) -> str | None:
    """A parameter that may be left out."""
    return request.args.get(name) or None


def required(name: str) -> str:
    """A parameter that has to be there.

    Raises:
        Rejected: 400, it is not.
    """
    value = request.args.get(name, "")
    if not value:
        raise Rejected(400, f"say what is asked for: ?{name}=")
    return value


def values(name: str) -> list[str]:
    """All values of a parameter, without empty ones.

    Raises:
        Rejected: 400, there are more than a hundred.
    """
    found = [value for value in request.args.getlist(name) if value]
    if len(found) > _MOST:
        raise Rejected(400, f"{name}= is given {len(found)} times; {_MOST} are the most")
    return found


def number(name: str, most: int) -> int | None:
    """A whole number from 1 on.

    Raises:
        Rejected: 400, it is none, or is beyond ``most``.
    """
    value = request.args.get(name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= most):
        raise Rejected(400, f"{name}={value[:40]} is not a whole number from 1 to {most}")
    return int(value)


def flag(name: str, *, form: bool = False) -> bool:
    """``true`` or ``false``; false where it is left out.

    Args:
        name: of the parameter.
        form: whether it may also stand in a form.

    Raises:
        Rejected: 400, it is neither.
    """
    value = request.args.get(name)
    if not value and form and request.mimetype == body.FORM:
        value = request.form.get(name)
    value = value or "false"
    if value not in ("true", "false"):
        raise Rejected(400, f"{name}={value[:40]} is neither true nor false")
    return value == "true"


def seconds(name: str = "timeout") -> float | None:
    """A positive number of seconds, in the address or in a form.

    Raises:
        Rejected: 400, it is none.
    """
    value = request.args.get(name) or (request.form.get(name) if request.mimetype == body.FORM else None)
    if not value:
        return None
    if not _SECONDS.fullmatch(value) or not float(value) > 0:
        raise Rejected(400, f"{name}={value[:40]} is not a positive number of seconds")
    return float(value)


def time_or_entry(name: str = "as_of") -> str | None:
    """An entry or a time. No such thing has a space: it was the plus of a zone that nobody encoded."""
    value = text(name)
    return None if value is None else value.replace(" ", "+")
