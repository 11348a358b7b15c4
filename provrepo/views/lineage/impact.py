"""The impact of a thing: counts over the nodes of traversals, computed in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from provrepo.model.statements import ASSOCIATION, ATTRIBUTION, GENERATION
from provrepo.views.extraction import ELEMENTS
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.schema import chunks
from provrepo.views.lineage.snapshot import VISIBLE, Snapshot, Version

__all__ = ["Impact", "impact"]

_RULE = {rule.kind: number for number, rule in reversed(list(enumerate(RULES)))}
_ABOUT = f"found f CROSS JOIN about a ON a.term = f.node {VISIBLE.format('a')}"
_FROM = f"CROSS JOIN edge e ON e.subject = f.node AND e.rule = {{0}} {VISIBLE.format('e')}"
_AGENTS = f"""
WITH attributed AS (SELECT DISTINCT f.node, e.object AS agent FROM temp.found f {_FROM.format(_RULE[ATTRIBUTION])}),
doing AS (
    SELECT f.node, f.node AS activity FROM temp.found f
    UNION SELECT f.node, e.object FROM temp.found f {_FROM.format(_RULE[GENERATION])}
    WHERE f.node NOT IN (SELECT node FROM attributed)
),
pairs AS (
    SELECT node, agent FROM attributed
    UNION SELECT f.node, e.object FROM doing f
    {_FROM.format(_RULE[ASSOCIATION]).replace("f.node", "f.activity")}
)
SELECT t.iri, count(*) FROM pairs p CROSS JOIN term t ON t.id = p.agent GROUP BY p.agent
"""  # noqa: S608


class Impact(NamedTuple):
    """Counts over the nodes that were found, without the start; the most frequent first.

    Attributes:
        total: the number of things.
        kinds: things of each kind of element; a thing may have several.
        types: things of each further type.
        projects: things that each project mentions.
        agents: things of each agent: for an activity its associated agents; for an entity the agents it is attributed
            to or, without an attribution, those associated with the activity that generated it.
        labels: the labels of the first agents, by name.
        described_by: the versions, of those that were asked for, that describe the start or one of the nodes.
    """

    total: int
    kinds: dict[str, int]
    types: dict[str, int]
    projects: dict[str, int]
    agents: dict[str, int]
    labels: dict[str, str]
    described_by: list[Version]


def impact(snapshot: Snapshot, start: int, nodes: Collection[int], labeled: int, among: Collection[Version]) -> Impact:
    """Count kinds, types, projects and agents of some nodes.

    Args:
        snapshot: the readable part of the index.
        start: the node on which they depend.
        nodes: their numbers, without the start.
        labeled: the number of agents to return with their labels.
        among: versions; those that describe the start or a node are returned.
    """
    connection = snapshot.connection
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS found (node INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.found")
    ordered: Sequence[int] = sorted(nodes)
    for chunk in chunks(ordered):
        connection.execute("INSERT INTO temp.found SELECT value FROM json_each(?)", (chunk,))
    bits = ", ".join(f"coalesce(sum(bits >> {place} & 1), 0)" for place in range(len(ELEMENTS)))
    merged = " | ".join(f"max(s.kinds & {1 << place})" for place in range(len(ELEMENTS)))
    kinds = connection.execute(
        f"SELECT {bits} FROM (SELECT {merged} AS bits FROM temp.{_ABOUT} JOIN sort s ON s.id = a.sort GROUP BY f.node)"  # noqa: S608
    ).fetchone()
    types = connection.execute(
        f"SELECT c.value, count(DISTINCT f.node) FROM temp.{_ABOUT} JOIN sort s ON s.id = a.sort "  # noqa: S608
        "JOIN json_each(s.types) c GROUP BY c.value"
    )
    projects = connection.execute(f"SELECT v.project, count(DISTINCT f.node) FROM temp.{_ABOUT} GROUP BY v.project")  # noqa: S608
    agents = _ranked(connection.execute(_AGENTS))
    return Impact(
        len(ordered),
        _ranked(zip((kind.name for kind in ELEMENTS), kinds, strict=True)),
        _ranked(types),
        _ranked(projects),
        agents,
        snapshot.labels(list(islice(agents, labeled))),
        snapshot.describing([start, *ordered], among),
    )


def _ranked(counts: object) -> dict[str, int]:
    pairs = [(str(name), int(count)) for name, count in counts if count]  # type: ignore[attr-defined]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
