"""A summary of a document that is too large to draw: a graph with a node for each type of things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from provrepo.codecs.svg.graph import DrawnRelation, DrawnThing, Naming, assembled, relations, things
from provrepo.drawing.graph import Graph, NodeKind
from provrepo.model.document import Document
from provrepo.model.identifiers import digest
from provrepo.words import counted

__all__ = ["summary"]

_TYPES = 12
"""The most types of each kind with a node of their own; the rarer ones share a node."""

_NAMED_AGENTS = 12
"""The most agents that are drawn by name."""

_PLURAL: dict[NodeKind, str] = {"entity": "entities", "activity": "activities", "agent": "agents"}
_VARIABLE = re.compile(r"[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*|\d+")
"""The varying parts in the names of similar things: numbers, digests and UUIDs."""


def summary(document: Document, *, badges: bool = True) -> Graph:
    """The graph by type: each node stands for all things of one type, each arrow for all relations between two types.

    Things without a type are grouped by their label or name without its numbers. The heading describes the summary.

    Args:
        document: the document.
        badges: whether agents are badges of the things that they are responsible for; otherwise all are nodes.
    """
    known: dict[str, DrawnThing] = {}
    links: Counter[tuple[str, str, str, str]] = Counter()
    names = Naming(document.prefixes)
    for instance in document.instances():
        inner = Naming({**document.prefixes, **instance.prefixes}) if instance.prefixes else names
        for identifier, thing in things(instance, inner).items():
            if identifier not in known or len(thing.details) > len(known[identifier].details):
                known[identifier] = thing
        for relation in relations(instance, inner):
            links[relation.kind, relation.source, relation.target, relation.label] += 1
    groups = _groups(known)
    sizes = Counter(groups.values())
    found = {name: _group(name, kind, label, size) for (name, kind, label), size in sizes.items()}
    merged: Counter[tuple[str, str, str, str]] = Counter()
    for (kind, source, target, label), count in links.items():
        merged[kind, groups[source][0], groups[target][0], label] += count
    related = [
        DrawnRelation(kind, source, target, label, number=count)
        for (kind, source, target, label), count in merged.items()
    ]
    bundles = f" in {counted(len(document.bundles), 'bundle')}" if document.bundles else ""
    of = f"{counted(len(document), 'statement')}{bundles} about {counted(len(known), 'thing')}"
    heading = f"Summary: {of} are too many to draw; grouped by type"
    return Graph((assembled("", found, related, implications=False, badges=badges),), heading, summary=True)


_TypeGroup = tuple[str, NodeKind, str]
"""A group of things: its id in the picture, kind and label."""


def _groups(known: Mapping[str, DrawnThing]) -> dict[str, _TypeGroup]:
    """Identifier → the group of its thing."""
    agents = sum(thing.kind == "agent" for thing in known.values())
    labels: dict[str, tuple[NodeKind, str]] = {}
    for identifier, thing in known.items():
        if thing.kind == "agent" and agents <= _NAMED_AGENTS:
            labels[identifier] = thing.kind, thing.label
        else:
            labels[identifier] = thing.kind, _common_name(thing)
    common: set[tuple[NodeKind, str]] = set()
    for kind in _PLURAL:
        counts = Counter(label for label in labels.values() if label[0] == kind)
        common.update(label for label, _ in counts.most_common(_TYPES))
    return {
        identifier: (f"{kind} {text}", kind, text)
        if (kind, text) in common
        else (f"{kind}", kind, f"other {_PLURAL[kind]}")
        for identifier, (kind, text) in labels.items()
    }


def _common_name(thing: DrawnThing) -> str:
    """The common name of similar things: their type, or their label without its varying parts."""
    if thing.types:
        return thing.types[0]
    if thing.label == digest(thing.id):
        return f"{thing.label.partition(' ')[0]} …"
    return _VARIABLE.sub("…", thing.label)


def _group(name: str, kind: NodeKind, label: str, size: int) -> DrawnThing:
    counted = f"{size:,} {_PLURAL[kind]}"
    if kind == "agent" and size > 1:
        label = f"{label} ({size:,})"  # a badge has no second line for it
    noted = [counted] if size > 1 else []
    return DrawnThing(name, kind, label, types=noted, details=list(noted), count=size)
