"""The rows of the table of routes for those who watch a server: audit, health and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import NAME, STRING

__all__ = ["MONITORING"]

_PROBE = Access(Permission.NOTHING, Rate.FREE, None)
_HEALTH = Access(Permission.CALLER, Rate.FREE, None)
_FIGURES = Access(Permission.CALLER, Rate.READ, None)
_LISTED = Access(Permission.READ, Rate.READ, Action.LIST)
_AUDIT = Access(Permission.CURATE, Rate.QUERY, Action.AUDIT)
_PAGED = ("application/json", "text/html")
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_LIMIT = RequestParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
    'The most items on a page; `Link: rel="next"` leads to the next page.',
)

MONITORING: Mapping[tuple[str, str], Operation] = {
    ("audit.of_project", "GET"): Operation(
        _AUDIT,
        ("application/json", "text/csv", "text/html"),
        (
            RequestParameter("document", NAME, "Only events about this document."),
            RequestParameter("since", STRING, "Only events from this day or time on."),
            RequestParameter("until", STRING, "Only events up to the end of this day, or before this time."),
            RequestParameter(
                "by", STRING, "Only events of this actor: a name, or the identifier of an actor or token."
            ),
            RequestParameter("action", {"type": "string", "enum": list(Action)}, "Only events of this action."),
            RequestParameter(
                "refused", {"type": "boolean", "default": False}, "Refused requests instead of answered ones."
            ),
            RequestParameter("after", STRING, "Only events after this one, in the order of the list."),
            RequestParameter("sort", {"type": "string", "enum": ["oldest", "newest"]}, "By default the oldest first."),
            _LIMIT,
            _FORMAT,
        ),
        problems=(406,),
    ),
    ("health.health", "GET"): Operation(_HEALTH, _PAGED, (_FORMAT,)),
    ("health.ready", "GET"): Operation(_PROBE),
    ("metrics.every", "GET"): Operation(_FIGURES, ("text/plain",)),
    ("metrics.one", "GET"): Operation(_LISTED, _PAGED, (_FORMAT,), problems=(404,)),
}
"""By endpoint and method."""
