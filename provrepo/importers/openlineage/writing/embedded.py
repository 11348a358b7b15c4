"""The facet by which an event that was written from PROV carries the statements, so that reading gives them back.

The facets of OpenLineage have a place for a part of PROV. Other tools read this part. All statements are in the facet
``provrepo_prov`` too, each in one event, as PROV-JSON. A reader that finds the facet takes these statements instead of
mapping the event. It does so only if the event is as it was written: the facet has the digest of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from provrepo.codecs.provjson import reader, writer
from provrepo.errors import ReadError
from provrepo.importers.json_values import Problem, canonical
from provrepo.importers.openlineage.events import FORMAT, Event
from provrepo.model.document import Bundle, Document

__all__ = ["FACET", "PRODUCER", "embed", "embedded", "joined"]

FACET = "provrepo_prov"
PRODUCER = "https://w3id.org/provrepo/openlineage"
_SCHEMA = f"{PRODUCER}/1-0-0/ProvFacet.json"


def embed(event: dict[str, Any], statements: Document | None) -> None:
    """Add the facet to an event.

    Args:
        event: a run event or a dataset event, whose run or dataset has the member ``facets``.
        statements: what it carries; None for an event beside the one that does.
    """
    facet: dict[str, Any] = {"_producer": PRODUCER, "_schemaURL": _SCHEMA, "event": _digest(event)}
    if statements is not None:
        facet["document"] = json.loads(writer.write(statements, format="provjson"))
    _facets(event)[FACET] = facet


def embedded(event: Event) -> tuple[Document | None, list[Problem]]:
    """The statements that an event carries.

    Returns:
        They; None for an event without the facet, or with one that is not used, and the problem with it.
    """
    facet = _facets(event.data).get(FACET)
    if not isinstance(facet, dict):
        return None, []
    pointer = f"/{event.kind}/facets/{FACET}"
    if facet.get("event") != _digest(event.data):
        return None, [Problem(pointer, "the event was changed after it was written; its statements are not used")]
    document = facet.get("document", {})
    if not isinstance(document, dict):
        return None, [Problem(f"{pointer}/document", "not PROV-JSON; it is not used")]
    try:
        return reader.read(canonical(document), format=FORMAT, base=None), []
    except ReadError as error:
        return None, [Problem(f"{pointer}/document", f"{error.message}; it is not used")]


def joined(documents: Iterable[Document]) -> Document:
    """One document with the statements of several."""
    found = Document()
    for document in documents:
        found.statements += document.statements
        found.bundles += [Bundle(b.id, b.statements, {**document.prefixes, **b.prefixes}) for b in document.bundles]
        for prefix, namespace in document.prefixes.items():
            found.prefixes.setdefault(prefix, namespace)
        found.warnings += document.warnings
        for part in document.unmapped.unread:
            found.unmapped.add_part(part)
    return found


def _facets(event: Mapping[str, Any]) -> dict[str, Any]:
    """The facets of the run of an event, or of its dataset."""
    for member in ("run", "dataset"):
        if isinstance(event.get(member), dict):
            facets = event[member].get("facets")
            return facets if isinstance(facets, dict) else {}
    return {}


def _digest(event: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of an event without the facet."""
    bare = {key: dict(value) if isinstance(value, dict) else value for key, value in event.items()}
    for member in ("run", "dataset"):
        if isinstance(bare.get(member), dict) and isinstance(bare[member].get("facets"), dict):
            facets = bare[member]["facets"]
            bare[member]["facets"] = {key: facet for key, facet in facets.items() if key != FACET}
            break
    return sha256(canonical(bare)).hexdigest()
