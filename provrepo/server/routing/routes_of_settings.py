"""The rows of the table of routes for the settings and members of projects."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.repository.actions import Action
from provrepo.server.protocol import body
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import STRING

__all__ = ["SETTINGS"]

_CREATE = Access(Permission.ADMINISTER, Rate.WRITE, Action.SETTINGS)
_CREATE_PAGE = Access(Permission.ADMINISTER, Rate.READ, None)
_CHANGE = Access(Permission.MANAGE, Rate.WRITE, Action.SETTINGS)
_EXPOSURE = Access(Permission.MANAGE, Rate.QUERY, Action.LIST)
_MEMBERS = Access(Permission.WRITE, Rate.READ, Action.LIST)
_CHANGE_MEMBERS = Access(Permission.MANAGE, Rate.WRITE, Action.MEMBER)
_INVITATIONS = Access(Permission.MANAGE, Rate.READ, Action.LIST)
_JOIN_PAGE = Access(Permission.CALLER, Rate.READ, None)
_JOIN = Access(Permission.CALLER, Rate.CHECK, Action.INVITATION)
_INVITE = Access(Permission.MANAGE, Rate.WRITE, Action.INVITATION)
_EMBARGO = Access(Permission.MANAGE, Rate.WRITE, Action.EMBARGO)
_PUBLISH = Access(Permission.WRITE, Rate.WRITE, Action.SUBMIT)
_PUBLISH_PAGE = Access(Permission.WRITE, Rate.QUERY, Action.LIST)
_TO = RequestParameter("to", STRING, "The public project.")
_VERSION = RequestParameter("version", {"type": "integer", "minimum": 1}, "The version; the current one without it.")
_AS = (
    RequestParameter("name", STRING, "The name that the document gets there; the same without it."),
    RequestParameter("note", STRING, "The note that is published with it; that of the version without it."),
)
_PREVIEW = RequestParameter("preview", STRING, "Only say what would become visible; so does an empty value.")
_UPDATE = RequestParameter("update", {"type": "boolean"}, "Append a new version if there is such a document.")
_PEOPLE = Access(Permission.ADMINISTER, Rate.READ, Action.LIST)
_CHANGE_PEOPLE = Access(Permission.ADMINISTER, Rate.WRITE, Action.MEMBER)
_OWN_LIST = Access(Permission.SIGNED_IN, Rate.READ, None)
_OWN_SESSION = Access(Permission.SIGNED_IN, Rate.WRITE, Action.SIGN_IN)
_OWN_TOKEN = Access(Permission.SIGNED_IN, Rate.WRITE, Action.TOKEN)
_JSON = ("application/json",)
_PAGED = (*_JSON, "text/html")
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_PERSON = Operation(_CHANGE_PEOPLE, (), request_types=body.FORMS, statuses=(303,), problems=(404, 409, 413, 415, 507))
_ENDED = Operation(_OWN_SESSION, (), request_types=body.FORMS, statuses=(303,), problems=(404, 413, 415))
_REVOKED = Operation(_OWN_TOKEN, (), request_types=body.FORMS, statuses=(303,), problems=(404, 413, 415, 507))
_MADE = Operation(
    _OWN_TOKEN, _PAGED, (_FORMAT,), request_types=body.FORMS, statuses=(201,), problems=(404, 409, 413, 415, 507)
)

SETTINGS: Mapping[tuple[str, str], Operation] = {
    ("projects.create", "POST"): Operation(
        _CREATE, request_types=_JSON, statuses=(201,), problems=(409, 413, 415, 507)
    ),
    ("creating.form", "GET"): Operation(_CREATE_PAGE, ("text/html",)),
    ("creating.create", "POST"): Operation(
        _CREATE,
        ("text/html",),
        request_types=body.FORMS,
        statuses=(303,),
        problems=(400, 403, 409, 413, 415, 507),
    ),
    ("projects.change", "PATCH"): Operation(_CHANGE, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("projects.set_embargo", "PUT"): Operation(_EMBARGO, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("projects.lift_embargo", "DELETE"): Operation(_EMBARGO, problems=(409, 507)),
    ("projects.exposure", "GET"): Operation(_EXPOSURE, (*_JSON, "text/html"), problems=(406,)),
    ("members.listed", "GET"): Operation(_MEMBERS, (*_JSON, "text/html"), problems=(406,)),
    ("managing.change", "POST"): Operation(
        _CHANGE_MEMBERS,
        ("text/html",),
        request_types=body.FORMS,
        statuses=(200, 303),
        problems=(400, 403, 404, 409, 413, 415, 507),
    ),
    ("publications.publish", "POST"): Operation(
        _PUBLISH,
        parameters=(
            _TO,
            _VERSION,
            *_AS,
            RequestParameter("preview", STRING, "Only say what would become visible."),
            _UPDATE,
        ),
        statuses=(200, 201, 202),
        problems=(409, 410, 422, 429, 503, 507),
    ),
    ("publishing.form", "GET"): Operation(
        _PUBLISH_PAGE, ("text/html",), parameters=(_TO, _VERSION, *_AS), problems=(400, 410, 422, 503)
    ),
    ("publishing.send", "POST"): Operation(
        _PUBLISH, (), request_types=body.FORMS, statuses=(303,), problems=(409, 410, 413, 415, 422, 429, 503, 507)
    ),
    ("members.put", "POST"): Operation(_CHANGE_MEMBERS, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("members.transfer", "POST"): Operation(_CHANGE_MEMBERS, request_types=_JSON, problems=(409, 413, 415, 507)),
    ("invitations.listed", "GET"): Operation(_INVITATIONS),
    ("invitations.make", "POST"): Operation(_INVITE, request_types=_JSON, statuses=(201,), problems=(413, 415, 507)),
    ("invitations.revoke", "DELETE"): Operation(_INVITE, problems=(409, 507)),
    ("webhooks.listed", "GET"): Operation(_INVITATIONS, (*_JSON, "text/html"), (_FORMAT,), problems=(406,)),
    ("webhooks.add", "POST"): Operation(_CHANGE, request_types=_JSON, statuses=(201,), problems=(409, 413, 415, 507)),
    ("webhooks.remove", "DELETE"): Operation(_CHANGE, (), statuses=(204,), problems=(507,)),
    ("webhooks.rotate", "POST"): Operation(_CHANGE, problems=(507,)),
    ("webhooks.enable", "POST"): Operation(_CHANGE, problems=(507,)),
    ("webhooks.test", "POST"): Operation(_CHANGE, problems=(507,)),
    ("webhooks.change", "POST"): Operation(
        _CHANGE, ("text/html",), request_types=body.FORMS, problems=(403, 409, 413, 415, 507)
    ),
    ("joining.one", "GET"): Operation(_JOIN_PAGE, (*_JSON, "text/html"), problems=(404, 406)),
    ("joining.follow", "POST"): Operation(
        _JOIN, (), request_types=body.FORMS, statuses=(303,), problems=(403, 404, 409, 413, 415, 507)
    ),
    ("members.remove", "DELETE"): Operation(_CHANGE_MEMBERS, (), statuses=(204,), problems=(409, 507)),
    ("users.listed", "GET"): Operation(_PEOPLE, _PAGED, (_FORMAT,)),
    ("users.add", "POST"): Operation(
        _CHANGE_PEOPLE, request_types=_JSON, statuses=(201,), problems=(409, 413, 415, 507)
    ),
    ("users.change", "PATCH"): Operation(_CHANGE_PEOPLE, request_types=_JSON, problems=(404, 409, 413, 415, 507)),
    ("users.remove", "DELETE"): Operation(_CHANGE_PEOPLE, (), statuses=(204,), problems=(404, 409, 507)),
    **{(f"people.{name}", "POST"): _PERSON for name in ("add", "change", "remove", "sign_out", "unlink")},
    ("tokens.listed", "GET"): Operation(_OWN_LIST, _PAGED, (_FORMAT,)),
    ("tokens.make", "POST"): _MADE,
    ("tokens.rotate", "POST"): _MADE,
    ("tokens.revoke", "POST"): _REVOKED,
    ("tokens.revoke_all", "POST"): _REVOKED,
    ("tokens.remove", "DELETE"): Operation(_OWN_TOKEN, (), statuses=(204,), problems=(404, 507)),
    ("own_sessions.listed", "GET"): Operation(_OWN_LIST, _PAGED, (_FORMAT,)),
    ("own_sessions.remove", "DELETE"): Operation(_OWN_SESSION, (), statuses=(204,), problems=(404,)),
    ("own_sessions.end", "POST"): _ENDED,
    ("own_sessions.end_all", "POST"): _ENDED,
}
"""By endpoint and method."""
