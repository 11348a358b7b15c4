"""Writing of a property graph for the importers of Neo4j: CSV files with its headers, and a script, in a zip archive.

The headers are those of ``neo4j-admin database import`` (Operations Manual, "CSV header format"): ``:ID``,
``:LABEL``, ``:START_ID``, ``:END_ID``, ``:TYPE``, and properties with types. The script loads the same files into a
running database with ``LOAD CSV`` (Cypher Manual).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO

from provrepo.codecs.property_graph.graph import KINDS, PropertyEdge, PropertyNode

__all__ = ["NODES", "RELATIONSHIPS", "SCRIPT", "write"]

NODES, RELATIONSHIPS, SCRIPT = "nodes.csv", "relationships.csv", "load.cypher"

_NODE_FIELDS = (
    *("iri:ID", ":LABEL", "label:string", "types:string[]", "startTime:datetime", "endTime:datetime"),
    *("startedAt:string", "endedAt:string", "value:string", "location:string", "attributes:string"),
)
_EDGE_FIELDS = (
    *(":START_ID", ":END_ID", ":TYPE", "id:string", "activity:string", "time:datetime", "at:string", "role:string"),
    *("subtype:string", "bundle:string", "attributes:string"),
    *("project:string", "document:string", "version:long", "sequence:long"),
)
_ARRAY = "|"
"""Between the values of an array: no IRI contains it (RFC 3987, section 2.2)."""

_DATED = (1980, 1, 1, 0, 0, 0)
_ZONED = re.compile(r"-?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_BATCH = 10_000


class _Forward:
    """A binary file that can only be written to, so that zipfile never goes back to correct a header."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


def write(
    file: IO[bytes],
    nodes: Iterable[tuple[int, PropertyNode]],
    edges: Iterable[tuple[int, int, PropertyEdge]],
) -> None:
    """Write the archive; the same nodes and edges give the same bytes.

    Args:
        file: gets the bytes, from the first to the last.
        nodes: the nodes with their numbers, which are not used: the ID of a node is its IRI.
        edges: the edges.
    """
    relations: dict[str, None] = {}

    def rows() -> Iterator[Sequence[str]]:
        for _, _, edge in edges:
            relations[edge.relation] = None
            yield _edge(edge)

    with zipfile.ZipFile(_Forward(file), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        _table(archive, NODES, _NODE_FIELDS, (_node(node) for _, node in nodes))
        _table(archive, RELATIONSHIPS, _EDGE_FIELDS, rows())
        with archive.open(zipfile.ZipInfo(SCRIPT, _DATED), "w") as member:
            member.write(_script(sorted(relations)).encode("utf-8"))


def _table(archive: zipfile.ZipFile, name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    info = zipfile.ZipInfo(name, _DATED)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as member, io.TextIOWrapper(member, "utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


def _node(node: PropertyNode) -> Sequence[str]:
    labels = _ARRAY.join(["Thing", *(kind.capitalize() for kind in KINDS if kind in node.kinds)])
    types = _ARRAY.join(name.replace(_ARRAY, "%7C") for name in node.types)
    times = (_datetime(node.start), _datetime(node.end), node.start, node.end)
    return (node.iri, labels, node.label, types, *times, node.value, node.location, node.json())


def _edge(edge: PropertyEdge) -> Sequence[str]:
    origin = edge.origin
    asserted = ("", "", "", "") if origin is None else (*origin[:2], str(origin.version), str(origin.sequence or ""))
    times = (_datetime(edge.time), edge.time)
    more = (edge.roles, edge.subtype, edge.bundle, edge.attributes)
    return (edge.source, edge.target, edge.relation, edge.id, edge.activity, *times, *more, *asserted)


def _datetime(lexical: str) -> str:
    """A time that Neo4j reads as ``datetime``; empty for one without a zone, or that is no time of its calendar."""
    if not _ZONED.fullmatch(lexical):
        return ""
    try:
        datetime.fromisoformat(lexical)
    except ValueError:
        return ""
    return lexical


def _script(relations: Iterable[str]) -> str:
    """The Cypher script: nodes, then a statement for each type of relationship, since a type is no parameter."""
    parts = [
        f"""// Neo4j 5.23 or later. Unpack the archive into the folder `import` of the database, and run this script:
//     cypher-shell -f load.cypher
// An empty database takes the same files much faster while it is stopped:
//     neo4j-admin database import full --nodes={NODES} --relationships={RELATIONSHIPS} \\
//         --array-delimiter="{_ARRAY}" --multiline-fields=true neo4j
CREATE CONSTRAINT thing_iri IF NOT EXISTS FOR (n:Thing) REQUIRE n.iri IS UNIQUE;
LOAD CSV WITH HEADERS FROM 'file:///{NODES}' AS row
CALL (row) {{
  MERGE (n:Thing {{iri: row.`iri:ID`}})
  SET n.label = coalesce(row.`label:string`, n.label),
      n.types = coalesce(split(row.`types:string[]`, '{_ARRAY}'), n.types),
      n.startTime = coalesce(datetime(row.`startTime:datetime`), n.startTime),
      n.endTime = coalesce(datetime(row.`endTime:datetime`), n.endTime),
      n.startedAt = coalesce(row.`startedAt:string`, n.startedAt),
      n.endedAt = coalesce(row.`endedAt:string`, n.endedAt),
      n.value = coalesce(row.`value:string`, n.value),
      n.location = coalesce(row.`location:string`, n.location),
      n.attributes = coalesce(row.`attributes:string`, n.attributes)
""",
        *(
            f"  FOREACH (_ IN CASE WHEN '{label}' IN split(row.`:LABEL`, '{_ARRAY}') THEN [1] ELSE [] END "
            f"| SET n:{label})\n"
            for label in (kind.capitalize() for kind in KINDS)
        ),
        f"}} IN TRANSACTIONS OF {_BATCH} ROWS;\n",
    ]
    parts += [
        f"""LOAD CSV WITH HEADERS FROM 'file:///{RELATIONSHIPS}' AS row
WITH row WHERE row.`:TYPE` = '{relation}'
CALL (row) {{
  MATCH (a:Thing {{iri: row.`:START_ID`}}), (b:Thing {{iri: row.`:END_ID`}})
  CREATE (a)-[:`{relation}` {{
      id: row.`id:string`, activity: row.`activity:string`, at: row.`at:string`,
      time: datetime(row.`time:datetime`), role: row.`role:string`, subtype: row.`subtype:string`,
      bundle: row.`bundle:string`,
      attributes: row.`attributes:string`, project: row.`project:string`, document: row.`document:string`,
      version: toInteger(row.`version:long`), sequence: toInteger(row.`sequence:long`)}}]->(b)
}} IN TRANSACTIONS OF {_BATCH} ROWS;
"""
        for relation in relations
    ]
    return "".join(parts)
