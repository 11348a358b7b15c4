"""A lineage as one picture: what is shown of it, what is folded, and the addresses that its boxes lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from provrepo.codecs.svg.graph import Naming
from provrepo.drawing.graph import NodeKind
from provrepo.drawing.overview.folding import BY, folded
from provrepo.drawing.overview.records import Overview, Relation, Responsible, Thing
from provrepo.drawing.overview.svg import OverviewPicture, picture
from provrepo.repository.lineage.records import LineageEdge, LineageGraph, LineageNode
from provrepo.server.lineage.page_query import COLLAPSE, EXPAND, OPEN, PageQuery
from provrepo.words import counted

__all__ = ["COLLAPSES", "MOST_RELATIONS", "MOST_SHOWN", "ShownLineage", "shown"]

MOST_SHOWN = 400
"""The most things that are shown one by one; more are folded by type."""

MOST_RELATIONS = 1_500
"""The most relations that are drawn one by one."""

COLLAPSES = {"": "nothing", "type": "by type", "plan": "by plan", "project": "by project"}
"""Values of ``collapse`` with the words of a form for each."""

_RESPONSIBLE = frozenset({"wasAssociatedWith", "wasAttributedTo"})
_PLAN = "wasAssociatedWith:plan"
_DOCUMENTS = 2
_PROV_TYPE = "http://www.w3.org/ns/prov#"

_naming = Naming({})


@dataclass(frozen=True, slots=True)
class ShownLineage:
    """The picture of a lineage with its numbers.

    Attributes:
        svg: an ``svg`` element.
        words: what it shows, in a sentence.
        things: the number of things that it stands for, badges included.
        boxes: the number of things and groups that it draws, without badges.
        by: by what it is folded; empty where nothing is.
        asked: whether that was asked for, and not only needed.
        overview: its content.
    """

    svg: str
    words: str
    things: int
    boxes: int
    by: str
    asked: bool
    overview: Overview


def shown(whole: LineageGraph, query: PageQuery, *, address: str, depth: int | None) -> ShownLineage:
    """The picture of a lineage.

    Args:
        whole: the lineage; with a depth, far enough beyond it for what is expanded and for counts of what is next.
        query: of the page.
        address: of the page, without its query.
        depth: the number of relations from the start up to which things are shown; None for all.
    """
    visible = _visible(whole, depth, query.all(EXPAND))
    nodes = [node for node in whole.nodes if node.iri in visible]
    edges = [edge for edge in whole.edges if edge.subject in visible and edge.object in visible]
    badges = _badges(whole.start, nodes, edges)
    content = _content(whole.start, nodes, edges, badges)
    by, opened = query.get(COLLAPSE), query.all(OPEN)
    asked = by in BY
    if not asked:
        many = len(content.things) > MOST_SHOWN or len(content.relations) > MOST_RELATIONS
        by = "type" if many else ""
    if by:
        content, by = _folded(content, by, opened)
    hidden = _hidden(whole.edges, visible)

    def there(thing: Thing) -> Thing:
        if thing.group:
            return replace(thing, href=f"{address}?{query.adding(OPEN, thing.group).query()}")
        link = query.without_picture().but(iri=thing.id, to="", limit="", source="")
        thing = replace(thing, href=f"{address}?{link.query()}" if thing.id != whole.start else "#things")
        if count := len(hidden.get(thing.id, ())):
            thing = replace(thing, hidden=count, more=f"{address}?{query.adding(EXPAND, thing.id).query()}")
        return thing

    content = replace(content, things=tuple(map(there, content.things)))
    name = f"Lineage of {content.things[0].label}. Arrow keys walk, plus and minus zoom, 0 fits, Escape clears."
    drawn = _drawn(content, name)
    words = _words(content, len(badges))
    return ShownLineage(drawn.svg, words, len(nodes), len(content.things), by, asked, content)


@lru_cache(64)
def _drawn(content: Overview, name: str) -> OverviewPicture:
    """Cached, since the layout takes most of the time of a page and the same pictures are requested repeatedly."""
    return picture(content, name)


def _folded(content: Overview, by: str, opened: Sequence[str]) -> tuple[Overview, str]:
    """The content folded, and by what: where types are too many, by kind."""
    found = folded(content, by, opened)
    if (len(found.things) > MOST_SHOWN or len(found.relations) > MOST_RELATIONS) and by != "kind":
        found, by = folded(content, "kind", opened), "kind"
    return found, by


def _visible(whole: LineageGraph, depth: int | None, expanded: Sequence[str]) -> set[str]:
    """The IRIs of the things that are shown."""
    if depth is None:
        return {node.iri for node in whole.nodes}
    found = {node.iri for node in whole.nodes if node.distance <= depth}
    if expanded:
        beside: dict[str, set[str]] = {}
        for edge in whole.edges:
            beside.setdefault(edge.subject, set()).add(edge.object)
            beside.setdefault(edge.object, set()).add(edge.subject)
        for iri in expanded:
            if iri in found:
                found |= beside.get(iri, set())
    return found


def _hidden(edges: Iterable[LineageEdge], visible: Collection[str]) -> dict[str, set[str]]:
    """The neighbors of each thing that are not shown."""
    found: dict[str, set[str]] = {}
    for edge in edges:
        one, other = edge.subject in visible, edge.object in visible
        if one != other:
            end, beyond = (edge.subject, edge.object) if one else (edge.object, edge.subject)
            found.setdefault(end, set()).add(beyond)
    return found


def _badges(start: str, nodes: Sequence[LineageNode], edges: Sequence[LineageEdge]) -> set[str]:
    """The agents of which nothing is said but what they are responsible for."""
    found = {node.iri for node in nodes if _kind(node) == "agent" and node.iri != start}
    for edge in edges:
        found.discard(edge.subject)
        if edge.relation not in _RESPONSIBLE:
            found.discard(edge.object)
    responsible = {edge.object for edge in edges}
    return found & responsible


def _kind(node: LineageNode) -> NodeKind:
    if "activity" in node.kinds:
        return "activity"
    return "agent" if "agent" in node.kinds and "entity" not in node.kinds else "entity"


def _content(
    start: str, nodes: Sequence[LineageNode], edges: Sequence[LineageEdge], badges: Collection[str]
) -> Overview:
    labels = {node.iri: _label(node) for node in nodes}
    agents: dict[str, Counter[str]] = {}
    plans: dict[str, str] = {}
    relations = []
    for edge in edges:
        if edge.object in badges:
            agents.setdefault(edge.subject, Counter())[edge.object] += 1
            continue
        if edge.relation == _PLAN:
            plans.setdefault(edge.subject, edge.object)
        resolved = edge.relation.endswith(":resolved")
        relations.append(Relation(edge.subject, edge.relation, edge.object, resolved=resolved))
    things = [
        _thing(node, labels, agents.get(node.iri, Counter()), plans.get(node.iri, ""))
        for node in nodes
        if node.iri not in badges
    ]
    return Overview(start, tuple(things), tuple(relations))


def _label(node: LineageNode) -> str:
    return " ".join(node.label.split()) or _naming.short(node.iri)


def _thing(node: LineageNode, labels: Mapping[str, str], agents: Counter[str], plan: str) -> Thing:
    type_id = next((type_ for type_ in node.types if not type_.startswith(_PROV_TYPE)), "")
    documents = dict.fromkeys(f"{each.document}@{each.version}" for each in node.sources)
    return Thing(
        node.iri,
        _kind(node),
        labels[node.iri],
        type=_naming.short(type_id).rpartition(":")[2] if type_id else "",
        type_id=type_id,
        agents=tuple(Responsible(iri, labels[iri], count) for iri, count in agents.items()),
        distance=node.distance,
        plan=plan,
        project=node.projects[0] if node.projects else "",
        documents=tuple(documents)[:_DOCUMENTS],
    )


def _words(content: Overview, agents: int) -> str:
    kinds: Counter[str] = Counter()
    for thing in content.things:
        kinds[thing.kind] += thing.count
    kinds["agent"] += agents
    named = (("entity", "entities"), ("activity", "activities"), ("agent", "agents"))
    parts = [counted(kinds[one], one, many) for one, many in named if kinds[one]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
