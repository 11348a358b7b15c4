"""The fields of forms of pages."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from flask import request

from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.sessions import FORM_FIELD

__all__ = ["decimal", "field", "needed", "only", "whole"]


def only(names: Iterable[str]) -> None:
    """Refuse a form with other fields.

    Raises:
        Rejected: 400, it has another field than these.
    """
    allowed = tuple(names)
    for name in request.form:
        if name not in (*allowed, FORM_FIELD):
            raise Rejected(400, f"the form has no field {name[:60]!r}; it has: {', '.join(allowed) or 'none'}")


def field(name: str) -> str:
    """The text of a field without spaces around it; empty if there is none."""
    return request.form.get(name, "").strip()


def needed(name: str) -> str:
    """The text of a field.

    Raises:
        Rejected: 400, it is empty.
    """
    text = field(name)
    if not text:
        raise Rejected(400, f"the field {name} is empty")
    return text


def whole(name: str, default: int | None = None) -> int | None:
    """The whole number in a field; the default if it is empty.

    Raises:
        Rejected: 400, it is none, or has more than nine digits.
    """
    text = field(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Rejected(400, f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def decimal(name: str) -> float | None:
    """The number in a field; None if it is empty.

    Raises:
        Rejected: 400, it is none.
    """
    text = field(name)
    try:
        found = float(text) if text else None
    except ValueError:
        found = float("nan")
    if found is not None and not isfinite(found):
        raise Rejected(400, f"{name} is a number, not {text[:40]!r}")
    return found
