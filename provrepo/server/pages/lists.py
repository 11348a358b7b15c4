"""Lists by address: filtered by words, sorted, and in parts. Page and JSON of an address have the same items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request, url_for

from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.server.pages.statement_list import Part
from provrepo.server.protocol import parameters

__all__ = ["Listed", "Order", "listed", "there"]

T = TypeVar("T")
_MOST = 99_999_999


@dataclass(frozen=True)
class Order(Generic[T]):
    """An order of a list.

    Attributes:
        words: for people.
        key: what is compared.
        reverse: whether the largest comes first.
    """

    words: str
    key: Callable[[T], Any]
    reverse: bool = False


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The part of a list that a request asks for.

    Attributes:
        shown: the items of this part.
        whole: the number of all items, whatever the filter.
        q: the words that were looked for.
        sort: the name of the order.
        sorts: the names of all orders, with words for each.
        part: which part it is, of the items that fit.
    """

    shown: tuple[T, ...]
    whole: int
    q: str
    sort: str
    sorts: Mapping[str, str]
    part: Part


def listed(
    found: Sequence[T],
    orders: Mapping[str, Order[T]],
    text: Callable[[T], str],
    *,
    default: str = "",
    most: int = PAGE_SIZE,
) -> Listed[T]:
    """The part of a list that the current request asks for, by ``q``, ``sort``, ``offset`` and ``limit``.

    Args:
        found: all items.
        orders: the orders by name.
        text: what the words of ``q`` are looked for in; all of them must occur, in any case.
        default: the order without ``sort``; empty for the first one.
        most: the items of a part without ``limit``.

    Raises:
        Rejected: 400, there is no such order, or a number is none.
    """
    sort = parameters.choice("sort", orders) or default or next(iter(orders))
    offset = parameters.number("offset", _MOST, least=0) or 0
    limit = parameters.number("limit", MAX_PAGE_SIZE) or most
    q = request.args.get("q", "").strip()
    words = q.casefold().split()
    order = orders[sort]
    fitting = [item for item in found if all(word in text(item).casefold() for word in words)] if words else found
    # Sorting is stable both ways: equal items stay in the order of the list.
    fitting = sorted(fitting, key=order.key, reverse=order.reverse)
    shown = fitting[offset : offset + limit]
    end = offset + len(shown)
    before = there(offset=max(0, offset - limit) or None) if offset else ""
    part = Part(
        offset + 1 if shown else 0,
        end if shown else 0,
        len(fitting),
        before,
        there(offset=end) if shown and end < len(fitting) else "",
    )
    return Listed(tuple(shown), len(found), q, sort, {name: each.words for name, each in orders.items()}, part)


def there(**changes: object) -> str:
    """The address of the current request with other values of some parameters; None removes one."""
    # Unknown parameters were refused: names such as _scheme have a meaning to url_for.
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if value and name not in changes}
    new: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return url_for(request.endpoint or "", **(request.view_args or {}), **kept, **new)
