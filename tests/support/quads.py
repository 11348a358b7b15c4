"""Triples, queries and names for tests of the quads view."""

from __future__ import annotations

from typing import Any

from provrepo.model.minting import Minter
from provrepo.views.contract import BASE

CATALOGUE = str(Minter(BASE).catalogue())
"""The graph of the catalogue."""

ALL = "SELECT ?s ?p ?o { ?s ?p ?o }"


def triple(subject: str, value: str = "<urn:o>") -> str:
    """A triple in N-Triples syntax, without the final dot."""
    return f"<urn:{subject}> <urn:p> {value}"


def answer(result: Any) -> int:
    """The value of ``?n`` in the first row of a result."""
    return int(str(result.rows[0]["n"]))
