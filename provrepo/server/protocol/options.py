"""The options of a query as parameters of a request (``provrepo.repository.options``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask import request

from provrepo.repository.options import Kind, Named, options
from provrepo.server.protocol import parameters

__all__ = ["arguments"]


def arguments(query: type, *, most: Mapping[str, int] | None = None, without: Collection[str] = ()) -> dict[str, Any]:
    """The parameters of the running request as arguments of a verb; those that it does not have are left out.

    Args:
        query: the dataclass of the query. Its required fields are left to the handler.
        most: the largest numbers by field, where the representation of the answer allows less than the option.
        without: names of fields to ignore.

    Raises:
        Rejected: 400, a value is not of the kind of its option.
    """
    limits = most or {}
    found = {
        each.name: _value(each, limits.get(each.name, each.option.most))
        for each in options(query)
        if not each.required and each.option.kind is not Kind.PYTHON and each.name not in without
    }
    return {name: value for name, value in found.items() if value is not None}


def _value(named: Named, most: int) -> Any:
    name, kind = named.parameter, named.option.kind
    if kind is Kind.NUMBER:
        return parameters.number(name, most)
    if kind is Kind.SECONDS:
        return parameters.seconds(name)
    if kind is Kind.FLAG:
        return parameters.flag(name)
    if kind is Kind.AS_OF:
        return parameters.time_or_entry(name)
    if kind.several:
        # A parameter without values declares that there are none.
        return parameters.values(name) if name in request.args else None
    return parameters.text(name)
