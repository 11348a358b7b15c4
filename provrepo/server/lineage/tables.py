"""A lineage as CSV (RFC 4180): a row for each thing, with what it directly came from."""

from __future__ import annotations

import csv
import io

from provrepo.repository.lineage.records import LineageGraph

__all__ = ["COLUMNS", "lineage_csv"]

COLUMNS = ("iri", "label", "kinds", "types", "steps", "projects", "documents", "came_from")
"""The columns. Several values are separated by spaces, which neither IRIs nor names have."""


def lineage_csv(graph: LineageGraph) -> bytes:
    """The things of a lineage, the nearest first.

    ``came_from`` has pairs of a relation and an IRI, such as ``used=https://example.org/raw``; documents are written
    ``PROJECT/NAME@VERSION``.
    """
    before: dict[str, list[str]] = {}
    for edge in graph.edges:
        before.setdefault(edge.subject, []).append(f"{edge.relation}={edge.object}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for node in graph.nodes:
        documents = dict.fromkeys(f"{each.project}/{each.document}@{each.version}" for each in node.sources)
        writer.writerow(
            (
                node.iri,
                node.label,
                " ".join(node.kinds),
                " ".join(node.types),
                node.distance,
                " ".join(node.projects),
                " ".join(documents),
                " ".join(before.get(node.iri, ())),
            )
        )
    return text.getvalue().encode()
