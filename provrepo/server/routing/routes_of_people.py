"""The rows of the table of routes for people and services: the members of projects."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.repository.actions import Action
from provrepo.server.routing.operations import Access, Operation, Permission
from provrepo.server.routing.rates import Rate

__all__ = ["PEOPLE"]

_MEMBERS = Access(Permission.WRITE, Rate.READ, Action.LIST)
_CHANGE = Access(Permission.MANAGE, Rate.WRITE, Action.MEMBER)

PEOPLE: Mapping[tuple[str, str], Operation] = {
    ("members.listed", "GET"): Operation(_MEMBERS),
    ("members.put", "POST"): Operation(_CHANGE, request_types=("application/json",), problems=(413, 415, 507)),
    ("members.remove", "DELETE"): Operation(_CHANGE, (), statuses=(204,), problems=(507,)),
}
"""By endpoint and method."""
