"""What walks found, counted: in the database, since there may be many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from provrepo.model.statements import ASSOCIATION, ATTRIBUTION, GENERATION
from provrepo.views.lineage.extraction import ELEMENTS
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.schema import chunks
from provrepo.views.lineage.snapshot import VISIBLE, Held

__all__ = ["Impact", "impact"]

_RULE = {rule.kind: number for number, rule in reversed(list(enumerate(RULES)))}
_SAID = f"found f CROSS JOIN about a ON a.term = f.node {VISIBLE.format('a')}"
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
    """What was found, counted, the start aside; the most frequent first.

    Attributes:
        total: how many things there are.
        kinds: of each kind of element; a thing may be of several.
        types: of each type beyond those kinds.
        projects: of which each project speaks.
        agents: for which each agent stands: an activity's associates; who an entity is attributed to or, where that is
            not said, the associates of the activity that generated it.
        labels: what the first agents are called, by their names; without those that have no label.
    """

    total: int
    kinds: dict[str, int]
    types: dict[str, int]
    projects: dict[str, int]
    agents: dict[str, int]
    labels: dict[str, str]


def impact(held: Held, nodes: Collection[int], labeled: int = 0) -> Impact:
    """Count what some nodes are.

    Args:
        held: what may be read.
        nodes: their numbers.
        labeled: how many agents are told with their labels; there may be many more.
    """
    connection = held.connection
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS found (node INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.found")
    ordered: Sequence[int] = sorted(nodes)
    for chunk in chunks(ordered):
        connection.execute("INSERT INTO temp.found SELECT value FROM json_each(?)", (chunk,))
    bits = ", ".join(f"coalesce(sum(bits >> {place} & 1), 0)" for place in range(len(ELEMENTS)))
    merged = " | ".join(f"max(s.kinds & {1 << place})" for place in range(len(ELEMENTS)))
    kinds = connection.execute(
        f"SELECT {bits} FROM (SELECT {merged} AS bits FROM temp.{_SAID} JOIN sort s ON s.id = a.sort GROUP BY f.node)"  # noqa: S608
    ).fetchone()
    types = connection.execute(
        f"SELECT c.value, count(DISTINCT f.node) FROM temp.{_SAID} JOIN sort s ON s.id = a.sort "  # noqa: S608
        "JOIN json_each(s.types) c GROUP BY c.value"
    )
    projects = connection.execute(f"SELECT v.project, count(DISTINCT f.node) FROM temp.{_SAID} GROUP BY v.project")  # noqa: S608
    agents = _ranked(connection.execute(_AGENTS))
    return Impact(
        len(ordered),
        _ranked(zip((kind.name for kind in ELEMENTS), kinds, strict=True)),
        _ranked(types),
        _ranked(projects),
        agents,
        held.labels(list(islice(agents, labeled))),
    )


def _ranked(counts: object) -> dict[str, int]:
    pairs = [(str(name), int(count)) for name, count in counts if count]  # type: ignore[attr-defined]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
