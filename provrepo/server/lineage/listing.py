"""The list beside the picture of a lineage: all of its things in parts, by type, plan, project or distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from provrepo.codecs.svg.graph import Naming
from provrepo.repository.lineage.records import LineageEdge, LineageGraph, LineageNode
from provrepo.server.lineage.page_query import GROUP, PAGE, PageQuery
from provrepo.server.pages.statement_list import Part

__all__ = ["GROUPS", "LISTED", "ListedGroup", "ThingList", "listed"]

LISTED = 100
"""Things of one part of the list."""

_RELATIONS = 500
"""The most relations that are listed beside one part."""

GROUPS = {"type": "by type", "plan": "by plan", "project": "by project", "distance": "by distance"}
"""Values of ``group`` with words for each."""

_FEW = 20
"""More things are grouped by type, unless asked otherwise."""

_PROV = "http://www.w3.org/ns/prov#"
_PLAN = "wasAssociatedWith:plan"

_naming = Naming({})


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """Things that have something in common.

    Attributes:
        name: what that is, for people; empty where the list has one group.
        whole: its identifier, or empty.
        first: the place of the first of ``nodes`` in the group, from 1.
        total: the number of things in the group.
        nodes: those of this part, the nearest first.
    """

    name: str
    whole: str
    first: int
    total: int
    nodes: tuple[LineageNode, ...]


@dataclass(frozen=True, slots=True)
class ThingList:
    """A part of the list.

    Attributes:
        by: what it is grouped by.
        ways: values of ``group`` with words and the address of each.
        groups: those of this part, the largest first.
        part: which part it is, with the addresses of the others.
        edges: the relations whose effect is in this part.
        total_edges: the number of all of these, listed or not.
    """

    by: str
    ways: tuple[tuple[str, str, str], ...]
    groups: tuple[ListedGroup, ...]
    part: Part
    edges: tuple[LineageEdge, ...]
    total_edges: int


def listed(graph: LineageGraph, query: PageQuery, address: str) -> ThingList:
    """The part of the list that a request asks for.

    Args:
        graph: the lineage.
        query: of the page.
        address: of the page, without its query.
    """
    by = query.get(GROUP) or ("type" if len(graph.nodes) > _FEW else "distance")
    plans = {edge.subject: edge.object for edge in graph.edges if edge.relation == _PLAN} if by == "plan" else {}
    keys = {node.iri: _key(node, by, plans) for node in graph.nodes}
    sizes: dict[tuple[str, str], int] = {}
    for key in keys.values():
        sizes[key] = sizes.get(key, 0) + 1
    # Things are the nearest first, and stay so within a group.
    ordered = sorted(graph.nodes, key=lambda node: (-sizes[keys[node.iri]], keys[node.iri]))
    page = int(query.get(PAGE) or 1)
    offset = (page - 1) * LISTED
    part = ordered[offset : offset + LISTED]
    groups, before = [], offset
    for key, members in groupby(part, key=lambda node: keys[node.iri]):
        nodes = tuple(members)
        begin = next(place for place, node in enumerate(ordered) if keys[node.iri] == key)
        groups.append(ListedGroup(*key, before - begin + 1, sizes[key], nodes))
        before += len(nodes)
    among = {node.iri for node in part}
    edges = [edge for edge in graph.edges if edge.subject in among]

    def there(number: int, group: str = query.get(GROUP)) -> str:
        return f"{address}?{query.but(group=group, page=str(number) if number > 1 else '').query()}#things"

    return ThingList(
        by,
        tuple((name, words, there(1, name)) for name, words in GROUPS.items()),
        tuple(groups),
        Part(
            offset + 1 if part else 0,
            offset + len(part) if part else 0,
            len(ordered),
            there(page - 1) if page > 1 else "",
            there(page + 1) if offset + LISTED < len(ordered) else "",
        ),
        tuple(edges[:_RELATIONS]),
        len(edges),
    )


def _key(node: LineageNode, by: str, plans: Mapping[str, str]) -> tuple[str, str]:
    """The name of a thing's group, and its identifier."""
    if by == "distance":
        return "", ""
    kind = next(iter(node.kinds), "thing")
    if by == "plan":
        plan = plans.get(node.iri, "")
        return (f"{kind}, {_naming.short(plan)}", plan) if plan else (f"{kind} without a plan", "")
    if by == "project":
        return ", ".join(node.projects) or "no project", ""
    type_ = _first(node.types)
    return (f"{kind}, {_naming.short(type_).rpartition(':')[2]}", type_) if type_ else (f"{kind} without a type", "")


def _first(types: Sequence[str]) -> str:
    return next((type_ for type_ in types if not type_.startswith(_PROV)), "")
