"""A lineage as one picture: what is shown of it, what is folded, and the addresses that its boxes lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from provrepo.codecs.svg.graph import Naming
from provrepo.drawing.graph import NodeKind
from provrepo.drawing.overview.folding import BY, folded
from provrepo.drawing.overview.records import Overview, Relation, Responsible, Thing
from provrepo.drawing.overview.svg import OverviewPicture, picture
from provrepo.repository.lineage.records import LineageNode
from provrepo.repository.lineage.walks import Walk
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


@dataclass(frozen=True, slots=True)
class _Drawable:
    """What a picture needs of each node and edge of a lineage, whatever is shown of it.

    Attributes:
        kinds: the kind of each node.
        labels: the label of each node.
        things: each node without those responsible for it and without its plan.
        relations: each edge, in the order of the lineage.
    """

    kinds: Mapping[str, NodeKind]
    labels: Mapping[str, str]
    things: Mapping[str, Thing]
    relations: Sequence[Relation]


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a picture before anything is folded, and how many agents are badges in it."""

    overview: Overview
    badges: int


def shown(walk: Walk, query: PageQuery, *, address: str, depth: int | None) -> ShownLineage:
    """The picture of a lineage.

    Args:
        walk: the lineage; with a depth, far enough beyond it for what is expanded and for counts of what is next.
        query: of the page.
        address: of the page, without its query.
        depth: the number of relations from the start up to which things are shown; None for all.
    """
    whole = walk.graph
    visible: Collection[str]
    if depth is None or (not query.all(EXPAND) and whole.nodes[-1].distance <= depth):
        visible, found = walk.once(_all), walk.once(_everything)
    else:
        visible = _visible(walk, depth, query.all(EXPAND))
        found = _content(walk, visible)
    content = found.overview
    by, opened = query.get(COLLAPSE), query.all(OPEN)
    asked = by in BY
    if not asked:
        many = len(content.things) > MOST_SHOWN or len(content.relations) > MOST_RELATIONS
        by = "type" if many else ""
    if by:
        content, by = _folded(content, by, opened)
    hidden = {} if len(visible) == len(whole.nodes) else _hidden(walk, visible)

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
    words = _words(content, found.badges)
    return ShownLineage(drawn.svg, words, len(visible), len(content.things), by, asked, content)


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


def _all(walk: Walk) -> frozenset[str]:
    return frozenset(node.iri for node in walk.graph.nodes)


def _everything(walk: Walk) -> _Content:
    return _content(walk, walk.once(_all))


def _distances(walk: Walk) -> dict[str, int]:
    return {node.iri: node.distance for node in walk.graph.nodes}


def _next(walk: Walk, iri: str, other: str) -> bool:
    """Whether a neighbor of a thing is at most one step further from the start than that.

    Others are not counted beside it, since only a longer walk finds them.
    """
    distances = walk.once(_distances)
    return distances[other] <= distances[iri] + 1


def _visible(walk: Walk, depth: int, expanded: Sequence[str]) -> Collection[str]:
    """The IRIs of the things that are shown."""
    found = {node.iri for node in walk.graph.nodes if node.distance <= depth}
    beside: dict[str, set[str]] = {iri: set() for iri in expanded}
    if beside:
        for edge in walk.graph.edges:
            for iri, other in ((edge.subject, edge.object), (edge.object, edge.subject)):
                if iri in beside and _next(walk, iri, other):
                    beside[iri].add(other)
        for iri in expanded:
            if iri in found:
                found |= beside[iri]
    return found


def _hidden(walk: Walk, visible: Collection[str]) -> dict[str, set[str]]:
    """The neighbors of each thing that are not shown."""
    found: dict[str, set[str]] = {}
    for edge in walk.graph.edges:
        one, other = edge.subject in visible, edge.object in visible
        if one != other:
            end, beyond = (edge.subject, edge.object) if one else (edge.object, edge.subject)
            if _next(walk, end, beyond):
                found.setdefault(end, set()).add(beyond)
    return found


def _drawable(walk: Walk) -> _Drawable:
    whole = walk.graph
    labels = {node.iri: _label(node) for node in whole.nodes}
    kinds = {node.iri: _kind(node) for node in whole.nodes}
    return _Drawable(
        kinds,
        labels,
        {node.iri: _thing(node, kinds[node.iri], labels[node.iri]) for node in whole.nodes},
        [Relation(e.subject, e.relation, e.object, resolved=e.relation.endswith(":resolved")) for e in whole.edges],
    )


def _kind(node: LineageNode) -> NodeKind:
    if "activity" in node.kinds:
        return "activity"
    return "agent" if "agent" in node.kinds and "entity" not in node.kinds else "entity"


def _label(node: LineageNode) -> str:
    return " ".join(node.label.split()) or _naming.short(node.iri)


def _thing(node: LineageNode, kind: NodeKind, label: str) -> Thing:
    type_id = next((type_ for type_ in node.types if not type_.startswith(_PROV_TYPE)), "")
    documents = dict.fromkeys(f"{each.document}@{each.version}" for each in node.sources)
    return Thing(
        node.iri,
        kind,
        label,
        type=_naming.short(type_id).rpartition(":")[2] if type_id else "",
        type_id=type_id,
        distance=node.distance,
        project=node.projects[0] if node.projects else "",
        documents=tuple(documents)[:_DOCUMENTS],
    )


def _badges(start: str, kinds: Mapping[str, NodeKind], relations: Sequence[Relation]) -> set[str]:
    """The agents of which nothing is said but what they are responsible for."""
    agents = {iri for iri, kind in kinds.items() if kind == "agent" and iri != start}
    found = agents & {relation.object for relation in relations}
    for relation in relations:
        found.discard(relation.subject)
        if relation.name not in _RESPONSIBLE:
            found.discard(relation.object)
    return found


def _content(walk: Walk, visible: Collection[str]) -> _Content:
    """The things that are shown, with the agents that are badges on them, and the relations between them."""
    whole, drawable = walk.graph, walk.once(_drawable)
    labels = drawable.labels
    between = [each for each in drawable.relations if each.subject in visible and each.object in visible]
    badges = _badges(whole.start, {iri: drawable.kinds[iri] for iri in visible}, between)
    agents: dict[str, Counter[str]] = {}
    plans: dict[str, str] = {}
    relations = []
    for relation in between:
        if relation.object in badges:
            agents.setdefault(relation.subject, Counter())[relation.object] += 1
            continue
        if relation.name == _PLAN:
            plans.setdefault(relation.subject, relation.object)
        relations.append(relation)
    things = []
    for iri, thing in drawable.things.items():
        if iri in visible and iri not in badges:
            if iri in agents or iri in plans:
                named = tuple(Responsible(id_, labels[id_], count) for id_, count in agents.get(iri, {}).items())
                thing = replace(thing, agents=named, plan=plans.get(iri, ""))  # noqa: PLW2901
            things.append(thing)
    return _Content(Overview(whole.start, tuple(things), tuple(relations)), len(badges))


def _words(content: Overview, agents: int) -> str:
    kinds: Counter[str] = Counter()
    for thing in content.things:
        kinds[thing.kind] += thing.count
    kinds["agent"] += agents
    named = (("entity", "entities"), ("activity", "activities"), ("agent", "agents"))
    parts = [counted(kinds[one], one, many) for one, many in named if kinds[one]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
