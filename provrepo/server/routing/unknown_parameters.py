"""Parameters of a query that an address does not have: refused, so that no misspelled one is passed over in silence.

The table of ``routes`` says which there are. On the addresses of the SPARQL and Graph Store protocols and of Marquez
clients send parameters of their own, which are left alone.
"""

from __future__ import annotations

from difflib import get_close_matches

from flask import request

from provrepo.server.protocol import parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.routing.routes import Operation

__all__ = ["check"]

_LONGEST = 60
"""Characters of a name that are shown and compared."""

_LISTS = frozenset({"array", "object"})


def check(operation: Operation) -> None:
    """Hold the parameters of the running request against the row of its route.

    Raises:
        Rejected: 400, one of them is not in the row, or is given several times where it has one value.
    """
    if not request.query_string or operation.others:
        return
    known = [parameter.name for parameter in operation.parameters]
    for name in request.args:
        if name not in known:
            raise Rejected(400, _message(name[:_LONGEST], known), parameter=name[:_LONGEST], known=known)
    parameters.refuse_repeated(found.name for found in operation.parameters if found.schema["type"] not in _LISTS)


def _message(name: str, known: list[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    meant = f"; did you mean {close[0]}=?" if close else ""
    there = f"it has: {', '.join(known)}" if known else "it has none"
    # An address within an address is the usual way to parameters that nobody meant to send.
    within = "; within a value, & is written %26" if "iri" in known else ""
    return f"this address has no parameter {name!r}{meant} ({there}{within})"
