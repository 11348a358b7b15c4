"""The rows of the table of routes for the forms of pages: sessions, submissions, and steps recorded by hand."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.repository.actions import Action
from provrepo.server.protocol import body
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import NAME, STRING

__all__ = ["PAGES"]

_PAGED = ("application/json", "text/html")
_PAGE = Access(Permission.CALLER, Rate.READ, None)
_SIGN_IN = Access(Permission.CALLER, Rate.CHECK, None)
_ENTER = Access(Permission.CALLER, Rate.CHECK, Action.SIGN_IN)
_RETURNED = tuple(
    RequestParameter(name, STRING, text)
    for name, text in (
        ("code", "The code of the provider."),
        ("state", "The state that this server has sent to the provider."),
        ("iss", "The issuer (RFC 9207)."),
        ("error", "Why the provider refuses (RFC 6749, section 4.1.2.1)."),
    )
)
_CHECK = Access(Permission.CALLER, Rate.CHECK, Action.CHECK)
_SUBMIT = Access(Permission.WRITE, Rate.WRITE, Action.SUBMIT)
_WITHDRAW = Access(Permission.WRITE, Rate.WRITE, Action.WITHDRAW)
_DECIDE = Access(Permission.SEND, Rate.WRITE, Action.REVIEW)
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_PROJECT = RequestParameter(
    "project",
    {**NAME, "pattern": "^([A-Za-z0-9][A-Za-z0-9_-]{0,99})?$"},
    "The project that is chosen in the form.",
)
_CHECKED = Operation(_CHECK, ("text/html",), request_types=body.FORMS, problems=(403, 404, 413, 415, 422))
_STORED = Operation(
    _SUBMIT, ("text/html",), request_types=body.FORMS, statuses=(303, 200), problems=(404, 409, 413, 415, 422, 507)
)

PAGES: Mapping[tuple[str, str], Operation] = {
    ("sessions.who", "GET"): Operation(
        _PAGE,
        _PAGED,
        (RequestParameter("next", STRING, "The path of the page to go to after signing in."), _FORMAT),
    ),
    ("sessions.begin", "POST"): Operation(
        _SIGN_IN, (), request_types=(body.FORM,), statuses=(303,), problems=(403, 413, 415)
    ),
    ("signing_in.begin", "GET"): Operation(
        _ENTER,
        ("text/html",),
        (RequestParameter("next", STRING, "The path of the page to go to after signing in."),),
        statuses=(303, 200),
        problems=(403, 404, 409, 502, 503, 507),
    ),
    ("signing_in.callback", "GET"): Operation(
        _ENTER, ("text/html",), _RETURNED, problems=(403, 404, 409, 502, 503, 507), ignores_unknown=True
    ),
    ("sessions.end", "DELETE"): Operation(_SIGN_IN, (), statuses=(204,), problems=(403,)),
    ("sessions.end_by_form", "POST"): Operation(
        _SIGN_IN, (), request_types=body.FORMS, statuses=(303,), problems=(403, 413, 415)
    ),
    ("submitting.form", "GET"): Operation(
        _PAGE,
        _PAGED,
        (
            _PROJECT,
            RequestParameter("name", STRING, "The name of a document to replace."),
            RequestParameter("pending", STRING, "The identifier of a refused document to mend."),
            _FORMAT,
        ),
        problems=(403, 404),
    ),
    ("submitting.check", "POST"): _CHECKED,
    ("recording.form", "GET"): Operation(_PAGE, _PAGED, (_PROJECT, _FORMAT)),
    ("recording.check", "POST"): _CHECKED,
    ("recording.store", "POST"): _STORED,
    ("submitting.store", "POST"): _STORED,
    ("submitting.withdraw", "POST"): Operation(
        _WITHDRAW, (), request_types=body.FORMS, statuses=(303,), problems=(404, 410, 412, 413, 415, 507)
    ),
    ("submitting.decide", "POST"): Operation(
        _DECIDE, (), request_types=body.FORMS, statuses=(303,), problems=(404, 409, 413, 415, 422, 507)
    ),
}
"""By endpoint and method."""
