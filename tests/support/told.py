"""What the events of OpenLineage say, and which of it a document made of them does not contain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from provrepo.model.document import Document

__all__ = ["leaves", "missing"]

_ELSEWHERE = ("schemaURL", "eventTime", "eventType", "_producer", "_schemaURL", "_deleted")
"""Members that say how an event is to be read, or how events are folded, which other tests check."""

_RELATIONS = ("DIRECT", "INDIRECT")
"""Types of transformations, which decide the relation."""


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """The JSON pointer and the text of each string and number of a JSON value, and of the keys that have a space."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _ELSEWHERE:
                continue
            if " " in key:
                yield f"{pointer}/{key}", key
            yield from leaves(item, f"{pointer}/{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{pointer}/{number}")
    elif isinstance(value, str) and value and value not in _RELATIONS:
        yield pointer, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield pointer, str(value)


def missing(document: Document, events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The JSON pointers of what the events say and no statement of the document contains."""
    words: list[str] = []
    for statement in document:
        words += [str(term) for term in (statement.id, *statement.args) if term is not None]
        for name, value in statement.attributes:
            words += [name, str(getattr(value, "lexical", value))]
    text = "\n".join(words)
    text += unquote(text)  # names are percent-encoded in IRIs
    lost = {
        pointer
        for event in events
        for pointer, found in leaves(event)
        if found not in text and json.dumps(found, ensure_ascii=False)[1:-1] not in text
    }
    return sorted(lost)
