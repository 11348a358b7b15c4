"""Resolution of unknown reads: to the version of the dataset that was written last before the run started.

A run that read a dataset need not know which version that was, and its document says only what the run said. The
version follows from the times of other runs (``provrepo.views.moments``), whichever of their documents came first. So
these edges are not stored but found in a snapshot, among the versions that the caller may read, as of its entry.

A version that was written at the time of the read or later does not count, and nothing does if the dataset was dropped
after the last version. Several versions that were written at the same time are resolved to alike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from provrepo.views.lineage.rules import RESOLVED
from provrepo.views.lineage.schema import chunks
from provrepo.views.moments import ENDED, READ, WRITTEN

__all__ = ["Resolution", "Span", "has_moments", "resolutions", "spans"]

_LATEST = (1 << 63) - 1

_UP = f"""
WITH looked AS (
    SELECT m.dataset, m.part, m.time, m.entity, m.version, m.graph,
        (SELECT w.time FROM moment w {{w}} WHERE w.dataset = m.dataset AND w.part = '' AND w.role = {WRITTEN}
            AND w.time < m.time ORDER BY w.time DESC LIMIT 1) AS last,
        (SELECT e.time FROM moment e {{e}} WHERE e.dataset = m.dataset AND e.part = '' AND e.role = {ENDED}
            AND e.time < m.time ORDER BY e.time DESC LIMIT 1) AS ended
    FROM json_each(?) j CROSS JOIN moment m ON m.entity = j.value AND m.role = {READ} {{m}}
)
SELECT r.entity, w.entity, r.time, w.time, r.version, r.graph, w.version, w.graph
FROM looked r
CROSS JOIN moment w ON w.dataset = r.dataset AND w.part = r.part AND w.role = {WRITTEN} AND w.time = r.last {{w}}
WHERE coalesce(r.ended <= r.last, 1)
"""  # noqa: S608 (no user input)

_DOWN = f"""
WITH looked AS (
    SELECT m.dataset, m.part, m.time, m.entity, m.version, m.graph,
        (SELECT w.time FROM moment w {{w}} WHERE w.dataset = m.dataset AND w.part = '' AND w.role = {WRITTEN}
            AND w.time > m.time ORDER BY w.time LIMIT 1) AS next,
        (SELECT e.time FROM moment e {{e}} WHERE e.dataset = m.dataset AND e.part = '' AND e.role = {ENDED}
            AND e.time > m.time ORDER BY e.time LIMIT 1) AS ended
    FROM json_each(?) j CROSS JOIN moment m ON m.entity = j.value AND m.role = {WRITTEN} {{m}}
)
SELECT r.entity, w.entity, r.time, w.time, r.version, r.graph, w.version, w.graph
FROM looked w CROSS JOIN moment r ON r.dataset = w.dataset AND r.part = w.part AND r.role = {READ} AND r.time > w.time
AND r.time <= min(coalesce(w.next, {_LATEST}), coalesce(w.ended, {_LATEST})) {{r}}
"""  # noqa: S608

_SPANS = f"""
SELECT m.entity, m.dataset,
    iif(m.role = {READ}, coalesce(
        (SELECT w.time FROM moment w {{w}} WHERE w.dataset = m.dataset AND w.part = '' AND w.role = {WRITTEN}
            AND w.time < m.time ORDER BY w.time DESC LIMIT 1), -{_LATEST}), m.time),
    iif(m.role = {READ}, m.time, min(
        coalesce((SELECT w.time FROM moment w {{w}} WHERE w.dataset = m.dataset AND w.part = '' AND w.role = {WRITTEN}
            AND w.time > m.time ORDER BY w.time LIMIT 1), {_LATEST}),
        coalesce((SELECT e.time FROM moment e {{e}} WHERE e.dataset = m.dataset AND e.part = '' AND e.role = {ENDED}
            AND e.time > m.time ORDER BY e.time LIMIT 1), {_LATEST})))
FROM json_each(?) j CROSS JOIN moment m ON m.entity = j.value AND m.role != {ENDED} {{m}}
"""  # noqa: S608

Span: TypeAlias = tuple[int, int, int, int]
"""A node, a logical dataset, and the first and last time of moments of the dataset that its resolutions depend on."""


class Resolution(NamedTuple):
    """An unknown read, and the version that it was a read of.

    Attributes:
        read: the number of the entity that was read.
        written: the number of the version.
        read_at: when it was read (``provrepo.views.extraction``).
        written_at: when it was written.
        sources: version and graph of the document of each of the two.
    """

    read: int
    written: int
    read_at: int
    written_at: int
    sources: tuple[tuple[int, int], tuple[int, int]]

    @property
    def key(self) -> tuple[int, int, int]:
        """The edge: subject, rule and object."""
        return self.read, RESOLVED, self.written


def has_moments(connection: sqlite3.Connection) -> bool:
    """Whether any document has moments; most repositories have none, and then nothing is looked for."""
    ((found,),) = connection.execute("SELECT EXISTS (SELECT 1 FROM moment)").fetchall()
    return bool(found)


def resolutions(
    connection: sqlite3.Connection, visible: str, nodes: Sequence[int], *, into: bool
) -> Iterator[Resolution]:
    """The resolutions of some nodes.

    Args:
        connection: in a transaction.
        visible: a join to the versions of the snapshot, with ``{0}`` for the name of a table.
        nodes: the numbers of reads, or with ``into`` of versions; others are ignored.
        into: find the reads of versions, instead of the versions of reads.
    """
    query = (_DOWN if into else _UP).format(**{name: visible.format(name) for name in "wemr"})
    for chunk in chunks(nodes):
        for read, written, read_at, written_at, *sources in connection.execute(query, (chunk,)).fetchall():
            first, second = tuple(sources[:2]), tuple(sources[2:])
            yield Resolution(read, written, read_at, written_at, (first, second))


def spans(connection: sqlite3.Connection, visible: str, nodes: Sequence[int]) -> Iterator[Span]:
    """The spans of some nodes; those without resolutions now may have some after a change. See ``resolutions``."""
    query = _SPANS.format(**{name: visible.format(name) for name in "wem"})
    for chunk in chunks(nodes):
        yield from connection.execute(query, (chunk,)).fetchall()
