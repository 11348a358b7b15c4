"""The names of OpenLineage for what PROV names by IRIs: run identifiers, and pairs of namespace and name; and times."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from urllib.parse import unquote

from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.events import Dataset

__all__ = ["event_time", "field_of", "latest", "named", "run_id"]

_MINTED = re.compile(r".*/(?:dataset|job)/([^/?#]+)/([^/?#]+)")
"""An IRI as ``Names`` mints them: with a namespace and a name, both percent-encoded."""

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(/?)(.*)", re.DOTALL)

_YEARS = re.compile(r"(?!0000)\d{4}-")


def run_id(activity: str) -> str:
    """The UUID of an activity: that of a ``urn:uuid:``, otherwise one that is computed from its IRI."""
    if activity.lower().startswith("urn:uuid:"):
        try:
            return str(uuid.UUID(activity[9:]))
        except ValueError:
            pass
    return str(uuid.uuid5(uuid.NAMESPACE_URL, activity))


def named(iri: str, labels: Iterable[str] = ()) -> Dataset:
    """The namespace and name of an entity.

    Args:
        iri: its IRI. Of ``scheme://authority/path``, the namespace is ``scheme://authority``; of ``urn:NID:rest`` it is
            ``urn:NID``; of another IRI its scheme.
        labels: its labels. An IRI that was minted from a namespace and a name has the name as label, and gives both.
    """
    minted = _MINTED.fullmatch(iri)
    if minted is not None and unquote(minted[2]) in labels:
        return Dataset(unquote(minted[1]), unquote(minted[2]))
    parts = _PARTS.fullmatch(iri)
    if parts is not None:
        scheme, authority, slash, path = parts.groups()
        if scheme == "file" and not authority:
            return Dataset("file", f"/{path}")
        return Dataset(f"{scheme}://{authority}", path or slash or iri)
    head, colon, rest = iri.partition(":")
    if head.lower() == "urn" and ":" in rest:
        kind, _, rest = rest.partition(":")
        head = f"{head}:{kind}"
    return Dataset(head if colon else "prov", rest or iri)


def field_of(column: str, version: str, labels: Iterable[str] = ()) -> str:
    """The name of a column: what follows ``#`` in the IRI of its version, or its label."""
    prefix = f"{version}#"
    return unquote(column[len(prefix) :]) if column.startswith(prefix) else next(iter(labels), column)


def event_time(lexical: str | None) -> str:
    """An ``xsd:dateTime`` as RFC 3339 demands it, with a zone; empty where it cannot be one."""
    moment = Moment.parse(lexical) if lexical and _YEARS.match(lexical) else None
    if moment is None:
        return ""
    return moment.lexical if moment.zoned else f"{moment.lexical}Z"


def latest(times: Iterable[str | None]) -> str:
    """The latest of some times, as ``event_time`` gives it; empty without any."""
    found = [
        (moment.instant, moment.fraction, text) for text in map(event_time, times) if (moment := Moment.parse(text))
    ]
    return max(found)[2] if found else ""
