"""Names of nodes in Marquez, ``dataset:<namespace>:<name>`` and ``job:<namespace>:<name>``, and their IRIs.

An IRI is cut after its last ``/`` or ``#``; one without, such as a URN, at its last ``:``, which then is the colon
between the two. So each IRI has one name, from which it can be restored: the name part has neither ``/`` nor ``#``, so
the last of them ends the namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from provrepo.codecs.rdf.terms import is_iri

__all__ = ["DATASET", "JOB", "Name", "Reading", "name_of", "readings"]

DATASET, JOB = "DATASET", "JOB"
"""The types of nodes; in lower case they begin a node's id."""

_CUT = re.compile(r"[/#](?=[^/#]*.$)", re.DOTALL)
"""The last ``/`` or ``#`` that is followed by something; at the very end it is part of the name."""

_COLON = re.compile(r":(?!//|\d+)")
"""Where Marquez cuts the id of a node: neither in ``scheme://`` nor before a port."""


class Name(NamedTuple):
    """A node's name.

    Attributes:
        namespace: the group in Marquez.
        name: the name within it.
    """

    namespace: str
    name: str

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"namespace": self.namespace, "name": self.name}

    def id(self, type_: str) -> str:
        """The id of a node of this type."""
        return f"{type_.lower()}:{self.namespace}:{self.name}"


class Reading(NamedTuple):
    """A reading of the id of a node.

    Attributes:
        iri: the thing.
        name: the name that the client uses.
    """

    iri: str
    name: Name


def name_of(iri: str) -> Name:
    """The name of the node that stands for a thing."""
    cuts = list(_CUT.finditer(iri))
    if cuts:
        return Name(iri[: cuts[-1].end()], iri[cuts[-1].end() :])
    namespace, _, name = iri.rpartition(":")
    return Name(namespace, name) if name else Name(*_halves(iri[:-1], ":"))


def readings(node_id: str) -> tuple[str, list[Reading]]:
    """The type of a node and what its id may stand for, the likeliest first.

    Args:
        node_id: as a client sent it.

    Returns:
        The type, empty where the id is that of no dataset and no job; and the readings that are absolute IRIs.
    """
    kind, _, rest = node_id.partition(":")
    if kind not in ("dataset", "job"):
        return "", []
    found: dict[str, Reading] = {}
    for reading in _readings(rest):
        found.setdefault(reading.iri, reading)
    return kind.upper(), [reading for reading in found.values() if is_iri(reading.iri)]


def _readings(rest: str) -> Iterator[Reading]:
    cuts = list(_CUT.finditer(rest))
    if cuts and rest[cuts[-1].end()] == ":":
        namespace, name = rest[: cuts[-1].end()], rest[cuts[-1].end() + 1 :]
        yield Reading(namespace + name, Name(namespace, name))
    # The IRI itself; of one without / and # this is its name, unless nothing but its scheme is there.
    iri = rest.removeprefix(":")
    yield Reading(iri, name_of(iri))
    # How OpenLineage names what has an address: s3://bucket and path/to/file.
    colon = _COLON.search(rest)
    if colon is not None:
        namespace, name = rest[: colon.start()], rest[colon.end() :]
        between = "" if namespace.endswith("/") or name.startswith("/") else "/"
        yield Reading(namespace + between + name, Name(namespace, name))


def _halves(text: str, mark: str) -> tuple[str, str]:
    head, _, tail = text.rpartition(mark)
    return head, tail + mark
