"""The terms of PROV-JSONLD, and its context as shipped in ``ontology/contexts/prov-jsonld.json``."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, NamedTuple

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    END,
    ENTITY,
    GENERATION,
    INFLUENCE,
    INVALIDATION,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)
from provrepo.resources import root
from provrepo.vocab import PROV_LABEL, PROV_LOCATION, PROV_ROLE, PROV_TYPE, PROV_VALUE

__all__ = ["CONTEXT_URL", "ID_TYPED", "KNOWN_CONTEXTS", "SPECIAL", "TYPES", "ContextTerms", "context"]

CONTEXT_URL = "https://openprovenance.org/prov-jsonld/context.jsonld"
KNOWN_CONTEXTS = re.compile(
    r"https?://(?:www\.)?(?:openprovenance\.(?:org|sussex\.ac\.uk)/(?:prov\.jsonld|prov-jsonld/)"
    r"|w3\.org/submissions/(?:2024/SUBM-)?prov-jsonld(?:-\d+)?/)"
    r"(?:(?<=/)(?:[\d-]+/)?context(?:-[\d-]+)?\.json(?:ld)?|(?<=prov\.jsonld))"
)
"""The URLs at which the context is or was published; the shipped table is used for all of them.

ProvToolbox wrote ``http://openprovenance.org/prov.jsonld`` until 2023 and ``…/prov-jsonld/context.json`` until July
2024.
"""

TYPES: dict[str, Kind] = {
    "Entity": ENTITY,
    "Activity": ACTIVITY,
    "Agent": AGENT,
    "Generation": GENERATION,
    "Usage": USAGE,
    "Communication": COMMUNICATION,
    "Start": START,
    "End": END,
    "Invalidation": INVALIDATION,
    "Derivation": DERIVATION,
    "Attribution": ATTRIBUTION,
    "Association": ASSOCIATION,
    "Delegation": DELEGATION,
    "Influence": INFLUENCE,
    "Specialization": SPECIALIZATION,
    "Alternate": ALTERNATE,
    "Membership": MEMBERSHIP,
}
"""``@type`` → kind. The submission has no terms for PROV-Links and PROV-Dictionary."""

SPECIAL: dict[str, Identifier] = {
    "type": Identifier(PROV_TYPE),
    "label": Identifier(PROV_LABEL),
    "role": Identifier(PROV_ROLE),
    "location": Identifier(PROV_LOCATION),
    "value": Identifier(PROV_VALUE),
}
"""Term → attribute, for attributes with a term."""

ID_TYPED = frozenset({"type", "role", "location"})
"""The terms whose plain strings are identifiers; those of any other are text."""


class ContextTerms(NamedTuple):
    """The definitions in the context.

    Attributes:
        prefixes: prefix → namespace IRI.
        terms: all terms, prefixes included.
    """

    prefixes: dict[str, str]
    terms: frozenset[str]


@cache
def context() -> ContextTerms:
    """The shipped context."""
    path = root() / "ontology" / "contexts" / "prov-jsonld.json"
    table: dict[str, Any] = json.loads(path.read_bytes())["@context"]
    prefixes = {term: meaning for term, meaning in table.items() if isinstance(meaning, str)}
    return ContextTerms(prefixes, frozenset(table) - {"@version"})
