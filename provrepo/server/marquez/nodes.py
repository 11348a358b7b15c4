"""Ids of nodes by the names of OpenLineage: ``job:NAMESPACE:NAME``, ``dataset:…``, ``datasetField:…:FIELD``.

Marquez's web client encodes namespace and name each, so that the colons between them are the only ones. Other clients
encode the whole, or nothing. Then it cannot be told which colon ends the namespace, and the one counts that gives the
name of a known job or dataset; first that where Marquez cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.index import shown_name
from provrepo.views.openlineage.reading import DATASET, JOB, Item, Name, Reading

__all__ = ["KINDS", "item_of", "raw_node_id"]

KINDS = {"job": JOB, "dataset": DATASET, "datasetField": DATASET}

_COLON = re.compile(r":(?!//|\d+)")
"""Where Marquez cuts: neither in ``scheme://`` nor before a port."""

_MOST = 100
"""The most ways to cut a name that are tried."""


def raw_node_id(query: str) -> str:
    """The value of ``nodeId`` in the query of an address, still encoded; empty without one."""
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "nodeId":
            return value
    return ""


def item_of(reading: Reading, raw: str) -> tuple[Item, str] | None:
    """The job or dataset that the id of a node stands for, and the field; None where there is none.

    Args:
        reading: what the caller may read.
        raw: the id, still encoded.
    """
    for number, (name, field) in enumerate(_readings(raw)):
        item = reading.item(name) if number < _MOST else None
        if item is not None:
            return item, field
    return None


def _readings(raw: str) -> Iterator[tuple[Name, str]]:
    parts = raw.split(":")
    with_field = parts[0] == "datasetField"
    if parts[0] in KINDS and len(parts) == 3 + with_field:
        for decode in (unquote, unquote_plus):
            namespace, name, *rest = (decode(part) for part in parts[1:])
            yield _named(parts[0], namespace, name), "".join(rest)
        return
    for decode in (unquote, unquote_plus):
        kind, _, whole = decode(raw).partition(":")
        if kind not in KINDS:
            continue
        field = ""
        if kind == "datasetField":
            whole, _, field = whole.rpartition(":")
        cuts = [found.start() for found in _COLON.finditer(whole)][:1]
        cuts += [place for place, character in enumerate(whole) if character == ":"]
        for cut in dict.fromkeys(cuts):
            yield _named(kind, whole[:cut], whole[cut + 1 :]), field


def _named(kind: str, namespace: str, name: str) -> Name:
    return Name(KINDS[kind], *shown_name(Dataset(namespace, name)))
