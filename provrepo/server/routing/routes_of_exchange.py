"""The rows of the table of routes for submissions, documents that wait, and the exchange with other repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.codecs.formats import READABLE
from provrepo.ledger.kinds import KINDS
from provrepo.repository.actions import Action
from provrepo.repository.exchange.notices.verbs import DIRECTIONS
from provrepo.server.documents import imports, reports
from provrepo.server.exchange.feed import LEDGER_SORTS
from provrepo.server.exchange.pending import PENDING_ORDERS
from provrepo.server.exchange.state import SORTS
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter, media, of_list
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import NAME, STRING

__all__ = ["BASE", "EXCHANGE", "OF_ENTRIES", "PROFILES", "SUBMISSIONS", "SUBMITTED"]

_ALL = Access(Permission.ADMINISTER, Rate.READ, Action.LIST)
_OF_PROJECT = Access(Permission.CURATE, Rate.READ, Action.LIST)
_OF_CALLER = Access(Permission.CALLER, Rate.READ, Action.LIST)
_MIRROR = Access(Permission.READ, Rate.READ, Action.LIST)
_PING = Access(Permission.READ, Rate.PINGBACK, Action.PINGBACK)
_NOTICE = Access(Permission.CALLER, Rate.NOTICE, Action.NOTICE)
_DISCARD = Access(Permission.CURATE, Rate.WRITE, Action.DISCARD)

_PAGE = ("application/json", "text/html")
_LISTS = {name: of_list(*sorts) for name, sorts in SORTS.items()}
OF_ENTRIES = (
    RequestParameter("before", {"type": "integer", "minimum": 1}, "With `sort=newest`: only entries before this one."),
    RequestParameter("kind", {"type": "string", "enum": ["", *KINDS]}, "Only entries of this kind."),
    RequestParameter("sort", {"type": "string", "enum": ["", *LEDGER_SORTS]}, "By default the oldest first."),
)
"""The parameters by which the ledger of a project is narrowed and sorted."""
_INBOX = ("application/ld+json",)
_IRI = {"type": "string", "format": "iri"}
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_DIRECTION = RequestParameter(
    "direction", {"type": "string", "enum": list(DIRECTIONS)}, "Only sent, or only received notices."
)

_RECEIVE_PINGBACK = Operation(
    _PING,
    (),
    (RequestParameter("iri", _IRI, "The thing that it is about."),),
    ("text/uri-list",),
    (204,),
    (403, 404, 410, 413, 415, 501, 507),
)

EXCHANGE: Mapping[tuple[str, str], Operation] = {
    ("pingback.received", "POST"): _RECEIVE_PINGBACK,
    ("pingback.received_for_version", "POST"): _RECEIVE_PINGBACK,
    ("pingback.of_document", "GET"): Operation(_OF_PROJECT, parameters=(_FORMAT,)),
    ("pingback.of_project", "GET"): Operation(_OF_PROJECT, parameters=(_FORMAT,)),
    ("pingback.discard", "DELETE"): Operation(_DISCARD, (), statuses=(204,)),
    ("inbox.receive", "POST"): Operation(
        _NOTICE, (), request_types=_INBOX, statuses=(201, 202), problems=(409, 413, 415, 501, 507)
    ),
    ("inbox.listed", "GET"): Operation(_OF_CALLER, _INBOX, (_FORMAT,), problems=(406,)),
    ("inbox.one", "GET"): Operation(_OF_CALLER, _INBOX, (_FORMAT,), problems=(404, 406)),
    ("exchange.peers", "GET"): Operation(_ALL, _PAGE, (*_LISTS["peers"], _FORMAT), problems=(406,)),
    ("exchange.peer", "GET"): Operation(_ALL, parameters=(_FORMAT,), problems=(404, 406)),
    ("exchange.holders", "GET"): Operation(_ALL, _PAGE, (*_LISTS["holders"], _FORMAT), problems=(406,)),
    ("exchange.holders_of_project", "GET"): Operation(
        _OF_PROJECT, _PAGE, (*_LISTS["holders"], _FORMAT), problems=(406,)
    ),
    ("exchange.notices", "GET"): Operation(_ALL, _PAGE, (_DIRECTION, *_LISTS["notices"], _FORMAT), problems=(406,)),
    ("exchange.notices_of_project", "GET"): Operation(
        _OF_PROJECT,
        _PAGE,
        (
            RequestParameter("document", NAME, "Only notices about this document."),
            _DIRECTION,
            *_LISTS["notices"],
            _FORMAT,
        ),
        problems=(406,),
    ),
    ("exchange.notice", "GET"): Operation(
        _OF_CALLER,
        parameters=(
            RequestParameter("id", STRING, "Its identifier, or the last step of its address.", required=True),
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("exchange.pushes", "GET"): Operation(_ALL, _PAGE, (*_LISTS["pushes"], _FORMAT), problems=(406,)),
    ("exchange.pushes_of_project", "GET"): Operation(_OF_PROJECT, _PAGE, (*_LISTS["pushes"], _FORMAT), problems=(406,)),
    ("exchange.mirrors", "GET"): Operation(_OF_CALLER, _PAGE, (*_LISTS["mirrors"], _FORMAT), problems=(406,)),
    ("atom.feed", "GET"): Operation(
        _MIRROR,
        ("application/atom+xml",),
        (
            RequestParameter("before", {"type": "integer", "minimum": 1}, "Only what is before this entry."),
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("exchange.mirror", "GET"): Operation(_MIRROR, parameters=(_FORMAT,), problems=(404, 406)),
}
"""These rows by endpoint and method."""

_SUBMIT = Access(Permission.WRITE, Rate.WRITE, Action.SUBMIT)
_WITHDRAW = Access(Permission.WRITE, Rate.WRITE, Action.WITHDRAW)
_SEND = Access(Permission.SEND, Rate.WRITE, Action.PENDING)
_SENT = Access(Permission.SEND, Rate.READ, Action.LIST)
_WAITING = Access(Permission.WRITE, Rate.READ, Action.LIST)
_REVIEW = Access(Permission.WRITE, Rate.WRITE, Action.REVIEW)

_ANY = "application/octet-stream"
_REPORTS = media(*reports.OFFERS)
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
SUBMITTED = tuple(dict.fromkeys([*(format_.media_type for format_ in READABLE), _ANY]))
"""The media types of a document in the body of a request."""

BASE = RequestParameter("base", _IRI, "The IRI against which relative IRIs are resolved.")
PROFILES = RequestParameter(
    "profile", {"type": "array", "items": STRING}, "A profile to check against, beyond those of the project."
)
_NOTE = RequestParameter("note", STRING, "A note of the submitter.")
_AGAIN = RequestParameter("again", _FLAG, "Accept bytes that were withdrawn before, as a new version.")
_SEEN = RequestParameter(
    "if_match", STRING, "The SHA-256 of the bytes that the reviewer has seen: 409 if their sender has replaced them."
)
_KEEP = RequestParameter(
    "keep", _FLAG, "If it does not conform, keep it for its submitter and curators; `Location` of the 422 is where."
)
_EMPTY = RequestParameter("allow_empty", _FLAG, "Store the document even if it has no PROV statements.")

SUBMISSIONS: Mapping[tuple[str, str], Operation] = {
    ("submissions.submit", "POST"): Operation(
        _SUBMIT,
        parameters=(
            RequestParameter("name", NAME, "The name of the document; by default derived from the digest."),
            RequestParameter("update", _FLAG, "Append a version if the document exists."),
            BASE,
            PROFILES,
            _NOTE,
            _AGAIN,
            _EMPTY,
            _KEEP,
        ),
        request_types=SUBMITTED,
        statuses=(201, 200, 202),
        problems=(409, 413, 415, 422, 507),
    ),
    ("submissions.replace", "PUT"): Operation(
        _SUBMIT,
        parameters=(BASE, PROFILES, _NOTE, _AGAIN, _EMPTY, _KEEP),
        request_types=SUBMITTED,
        statuses=(200, 201, 202),
        problems=(409, 412, 413, 415, 422, 428, 507),
        headers={
            "If-Match": "The `ETag` of the version that is replaced, or `*` for any.",
            "If-None-Match": "`*`: fail if the document exists.",
        },
    ),
    ("submissions.withdraw", "DELETE"): Operation(
        _WITHDRAW,
        parameters=(
            RequestParameter("reason", STRING, "The reason, for all readers of the project."),
            RequestParameter("internal_reason", STRING, "The reason, only for callers who may change the project."),
        ),
        problems=(410, 412, 507),
        headers={"If-Match": "The `ETag` of the version that is withdrawn."},
    ),
    ("imports.import_", "POST"): Operation(
        _SUBMIT,
        parameters=(
            RequestParameter("source", STRING, "The importer, which is the name of a format; by default detected."),
            RequestParameter("file", STRING, "The name of the file that is sent."),
            RequestParameter(
                "name", NAME, "The name of the document, which then is one; of an archive, where names begin."
            ),
            BASE,
            PROFILES,
            _NOTE,
        ),
        request_types=(imports.ZIP, *SUBMITTED),
        statuses=(201, 200),
        problems=(413, 422, 507),
    ),
    ("pending.receive", "POST"): Operation(
        _SEND,
        parameters=(
            RequestParameter("name", NAME, "The name of a submission; by default derived from the digest."),
            RequestParameter("update", _FLAG, "Make a submission a new version, if the document exists by then."),
            BASE,
            PROFILES,
            _NOTE,
            _EMPTY,
        ),
        request_types=("multipart/form-data", *SUBMITTED),
        statuses=(201, 200, 202),
        problems=(409, 413, 415, 422, 507),
    ),
    ("pending.index", "GET"): Operation(_WAITING, _PAGE, (*of_list(*PENDING_ORDERS), _FORMAT)),
    ("pending.one", "GET"): Operation(_SENT, _PAGE, (_FORMAT,), problems=(409,)),
    ("pending.original", "GET"): Operation(_SENT, SUBMITTED, problems=(409,)),
    ("pending.report", "GET"): Operation(_SENT, _REPORTS, (_FORMAT,), problems=(409,)),
    ("pending.accept", "POST"): Operation(
        _REVIEW,
        parameters=(
            RequestParameter("reason", STRING, "The reason, for the sender."),
            RequestParameter("name", NAME, "The name of the document; by default the one that the sender chose."),
            RequestParameter("update", _FLAG, "Make it a new version, if a document of that name exists."),
            _AGAIN,
            RequestParameter(
                "replaces", STRING, "The SHA-256 of the version to replace, instead of what its sender said."
            ),
            _SEEN,
        ),
        problems=(409, 412, 422, 507),
    ),
    ("pending.replace", "PUT"): Operation(
        _SEND, parameters=(BASE, PROFILES, _NOTE), request_types=SUBMITTED, problems=(409, 413, 415, 422, 507)
    ),
    ("pending.reject", "POST"): Operation(
        _REVIEW,
        parameters=(RequestParameter("reason", STRING, "The reason, for the sender."), _SEEN),
        problems=(409, 507),
    ),
    ("pending.ask", "POST"): Operation(
        _REVIEW,
        parameters=(RequestParameter("reason", STRING, "What is to be changed, for the sender; needed."), _SEEN),
        problems=(409, 507),
    ),
}
"""These rows by endpoint and method."""
