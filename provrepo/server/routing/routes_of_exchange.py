"""The rows of the table of routes for pingbacks, notices, and the state of the exchange with other repositories."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.ledger.kinds import KINDS
from provrepo.repository.actions import Action
from provrepo.repository.exchange.notices.verbs import DIRECTIONS
from provrepo.server.exchange.feed import LEDGER_SORTS
from provrepo.server.exchange.state import SORTS
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter, of_list
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import NAME, STRING

__all__ = ["EXCHANGE", "OF_ENTRIES"]

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
    ("exchange.mirror", "GET"): Operation(_MIRROR, parameters=(_FORMAT,), problems=(404, 406)),
}
"""These rows by endpoint and method."""
