"""Refusal of unknown request parameters, so that misspelled ones are not ignored silently.

The table of ``routes`` lists the known ones. On the addresses of the SPARQL and Graph Store protocols and of Marquez,
unknown parameters are ignored, because clients send parameters of their own.
"""

from __future__ import annotations

from difflib import get_close_matches

from flask import request

from provrepo.server.protocol import parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.routing.routes import Operation

__all__ = ["check"]

_SHOWN = 60
"""The most characters of an unknown name that are compared and quoted."""

_LISTS = frozenset({"array", "object"})


def check(operation: Operation) -> None:
    """Check the parameters of the current request against its row in the table of routes.

    Raises:
        Rejected: 400, a parameter is unknown, or is repeated although it takes one value.
    """
    if not request.query_string or operation.ignores_unknown:
        return
    known = [parameter.name for parameter in operation.parameters]
    for name in request.args:
        if name not in known:
            raise Rejected(400, _message(name[:_SHOWN], known), parameter=name[:_SHOWN], known=known)
    parameters.refuse_repeated(found.name for found in operation.parameters if found.schema["type"] not in _LISTS)


def _message(name: str, known: list[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    meant = f"; did you mean {close[0]}=?" if close else ""
    there = f"it has: {', '.join(known)}" if known else "it has none"
    # An unencoded & in an IRI that is a value is the usual cause of unknown parameters.
    within = "; within a value, & is written %26" if "iri" in known else ""
    return f"this address has no parameter {name!r}{meant} ({there}{within})"
