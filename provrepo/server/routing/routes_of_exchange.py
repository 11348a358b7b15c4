"""The rows of the table of routes for the state of the exchange with other repositories."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.repository.actions import Action
from provrepo.repository.exchange.notices.verbs import DIRECTIONS
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import NAME, STRING

__all__ = ["EXCHANGE"]

_ALL = Access(Permission.ADMINISTER, Rate.READ, Action.LIST)
_OF_PROJECT = Access(Permission.WRITE, Rate.READ, Action.LIST)
_OF_CALLER = Access(Permission.CALLER, Rate.READ, Action.LIST)
_MIRROR = Access(Permission.READ, Rate.READ, Action.LIST)

_PAGE = ("application/json", "text/html")
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_DIRECTION = RequestParameter(
    "direction", {"type": "string", "enum": list(DIRECTIONS)}, "Only sent, or only received notices."
)

EXCHANGE: Mapping[tuple[str, str], Operation] = {
    ("exchange.peers", "GET"): Operation(_ALL, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.peer", "GET"): Operation(_ALL, parameters=(_FORMAT,), problems=(404, 406)),
    ("exchange.holders", "GET"): Operation(_ALL, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.holders_of_project", "GET"): Operation(_OF_PROJECT, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.notices", "GET"): Operation(_ALL, _PAGE, (_DIRECTION, _FORMAT), problems=(406,)),
    ("exchange.notices_of_project", "GET"): Operation(
        _OF_PROJECT,
        _PAGE,
        (RequestParameter("document", NAME, "Only notices about this document."), _DIRECTION, _FORMAT),
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
    ("exchange.pushes", "GET"): Operation(_ALL, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.pushes_of_project", "GET"): Operation(_OF_PROJECT, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.mirrors", "GET"): Operation(_OF_CALLER, _PAGE, (_FORMAT,), problems=(406,)),
    ("exchange.mirror", "GET"): Operation(_MIRROR, parameters=(_FORMAT,), problems=(404, 406)),
}
"""These rows by endpoint and method."""
