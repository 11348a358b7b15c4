"""The rows of the table of routes for statements of a version, changes between versions, and citations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.model.statements import KINDS
from provrepo.repository.actions import Action
from provrepo.server.routing import offers
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import STRING

__all__ = ["STATEMENTS"]

_PAGED = ("application/json", "text/html")
_DOCUMENT = Access(Permission.READ, Rate.READ, Action.READ)
_IRI = {"type": "string", "format": "iri"}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")


def _whole(least: int, most: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "default": default}


STATEMENTS: Mapping[tuple[str, str], Operation] = {
    ("statements.listed", "GET"): Operation(
        _DOCUMENT,
        _PAGED,
        (
            RequestParameter("q", STRING, "Only statements that contain all these words, or parts of words."),
            RequestParameter("kind", {**STRING, "enum": ["", *KINDS]}, "Only statements of this kind."),
            RequestParameter("thing", _IRI, "Only statements that mention this thing."),
            RequestParameter("offset", _whole(0, 99_999_999, 0), "The number of them to leave out."),
            RequestParameter("limit", _whole(1, 1000, 50), "The most statements; on a page at most 200."),
            _FORMAT,
        ),
        problems=(404, 410),
    ),
    ("statements.diff", "GET"): Operation(
        _DOCUMENT,
        _PAGED,
        (
            RequestParameter("from", _NUMBER, "The former version; by default the one before `to`."),
            RequestParameter("to", _NUMBER, "The later version; by default the current one."),
            _FORMAT,
        ),
        problems=(404, 410, 413),
    ),
    ("statements.citation", "GET"): Operation(
        _DOCUMENT,
        tuple(type_ for offer in offers.CITATION for type_ in offer.media_types),
        (_FORMAT,),
        problems=(404, 406, 410),
    ),
}
"""The rows by endpoint and method."""
