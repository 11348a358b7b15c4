"""The rows of the table of routes for the settings and members of projects."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.repository.actions import Action
from provrepo.server.protocol import body
from provrepo.server.routing.operations import Access, Operation, Permission
from provrepo.server.routing.rates import Rate

__all__ = ["SETTINGS"]

_CREATE = Access(Permission.ADMINISTER, Rate.WRITE, Action.SETTINGS)
_CHANGE = Access(Permission.MANAGE, Rate.WRITE, Action.SETTINGS)
_EXPOSURE = Access(Permission.MANAGE, Rate.QUERY, Action.LIST)
_MEMBERS = Access(Permission.WRITE, Rate.READ, Action.LIST)
_CHANGE_MEMBERS = Access(Permission.MANAGE, Rate.WRITE, Action.MEMBER)
_INVITATIONS = Access(Permission.MANAGE, Rate.READ, Action.LIST)
_JOIN_PAGE = Access(Permission.CALLER, Rate.READ, None)
_JOIN = Access(Permission.CALLER, Rate.CHECK, Action.MEMBER)
_JSON = ("application/json",)

SETTINGS: Mapping[tuple[str, str], Operation] = {
    ("projects.create", "POST"): Operation(
        _CREATE, request_types=_JSON, statuses=(201,), problems=(409, 413, 415, 507)
    ),
    ("projects.change", "PATCH"): Operation(_CHANGE, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("projects.set_embargo", "PUT"): Operation(_CHANGE, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("projects.lift_embargo", "DELETE"): Operation(_CHANGE, problems=(409, 507)),
    ("projects.exposure", "GET"): Operation(_EXPOSURE),
    ("members.listed", "GET"): Operation(_MEMBERS),
    ("members.put", "POST"): Operation(_CHANGE_MEMBERS, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("members.transfer", "POST"): Operation(_CHANGE_MEMBERS, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("invitations.listed", "GET"): Operation(_INVITATIONS),
    ("invitations.make", "POST"): Operation(
        _CHANGE_MEMBERS, request_types=_JSON, statuses=(201,), problems=(413, 415, 507)
    ),
    ("invitations.revoke", "DELETE"): Operation(_CHANGE_MEMBERS, problems=(409, 507)),
    ("joining.one", "GET"): Operation(_JOIN_PAGE, (*_JSON, "text/html"), problems=(404,)),
    ("joining.follow", "POST"): Operation(
        _JOIN, (), request_types=body.FORMS, statuses=(303,), problems=(403, 404, 409, 413, 415, 507)
    ),
    ("members.remove", "DELETE"): Operation(_CHANGE_MEMBERS, (), statuses=(204,), problems=(409, 507)),
}
"""By endpoint and method."""
