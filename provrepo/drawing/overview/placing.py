"""Where the things of an overview are drawn: families in columns from left to right, in rows, or folded into ribbons.

An activity and what it alone generated are one box, so that half of the columns and the arrows between them are not
needed. Labels are wide and low, so a flow from left to right mostly needs less room; both ways are laid out, and the
one that is shown larger is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias

from provrepo.drawing.arrangement import ArrangedPart, Point, Spacing, arranged
from provrepo.drawing.boxes import Box, BoxLink, Joint
from provrepo.drawing.graph import Node
from provrepo.drawing.layering import components
from provrepo.drawing.overview.labels import FAR
from provrepo.drawing.overview.records import GENERATED, Overview, Thing
from provrepo.drawing.shapes import Shape
from provrepo.drawing.text import width

__all__ = [
    "BADGE",
    "ROW",
    "Family",
    "Flow",
    "Line",
    "Placement",
    "Rect",
    "SIDE",
    "families",
    "named",
    "placed",
]

Flow: TypeAlias = Literal["right", "down"]
Line: TypeAlias = tuple[Point, ...]

ROW = 16.4
"""Height of a thing, in units of the picture: 1 px at scale 1."""

_GLYPH, BADGE = 15.0, 20.0
"""Width of the square of an activity without an agent beside its rows, and what an agent adds."""

_LEAST_WIDTH = 42.0
_PADDING = 10.0
SIDE = 9.0
"""Font size of the name of an activity beside its rows, seen from a distance; as in ``lineage.css``."""

_ROOMY = 60
"""A picture of so few things has room for types in squares, and for numbers on arrows."""

_MOST_SIDE = 110.0
_MOST_ROWS = 8
"""The most things beside the activity that generated them; those of an activity with more are boxes of their own."""

_WINDOW = (1380.0, 690.0)
"""Width and height for which the larger picture is chosen: what a page of 1440 × 900 px has room for."""

_LEAST_FRAME = (_WINDOW[0] / 2.2, _WINDOW[1] / 2.2)
"""The least width and height, so that nothing is shown larger than 2.2 times its size."""

_READABLE = 9.0 / FAR
"""Scale at which short labels are 9 px high. A picture that would be smaller is laid out closer, and cut into parts."""

_PARTS = range(2, 13)
_PART_GAP = 24.0
_CROSSING = 18.0
"""How far an arrow goes on beyond a cut."""

_SPACING: dict[Flow, Spacing] = {
    "right": Spacing(rows=17.0, boxes=4.0, lanes=3.0, flush=True),
    "down": Spacing(rows=22.0, boxes=14.0, lanes=3.0),
}
_CLOSE = Spacing(rows=11.0, boxes=1.5, lanes=2.0, flush=True)
"""Distances where there are many."""

_COUNTED: dict[Flow, Spacing] = {
    "right": Spacing(rows=64.0, boxes=8.0, lanes=6.0, flush=True),
    "down": Spacing(rows=30.0, boxes=14.0, lanes=6.0),
}
"""Distances where arrows have numbers."""

_APART = 14.0
_MARGIN = 10.0
_HEADINGS = 22.0


@dataclass(frozen=True, slots=True)
class Rect:
    """A box of the picture; its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Family:
    """What is one box.

    Attributes:
        head: the activity, or the only thing.
        rows: what the activity alone generated.
        side: the width of the square of an activity with rows.
        roomy: whether that has its name.
    """

    head: Thing
    rows: tuple[Thing, ...] = ()
    side: float = 0.0
    roomy: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """A laid out overview.

    Attributes:
        flow: the direction in which time runs.
        families: by the identifier of their head.
        home: the identifier of the head of each thing's family.
        boxes: the place of each family.
        lines: the arrows between families by their ends, newer first; each one or more curves: a start, then cubic
            segments of three points each.
        ribbons: the top of each ribbon; none where there is one picture.
        frame: everything, with margins.
    """

    flow: Flow
    families: Mapping[str, Family]
    home: Mapping[str, str]
    boxes: Mapping[str, Rect]
    lines: Mapping[tuple[str, str], tuple[Line, ...]]
    ribbons: tuple[float, ...]
    frame: Rect

    @property
    def scale(self) -> float:
        """The scale at which it fits on a page of 1440 × 900 px; 1 is the size of its units in px."""
        return min(_WINDOW[0] / self.frame.width, _WINDOW[1] / self.frame.height)


def families(overview: Overview) -> tuple[dict[str, Family], dict[str, str]]:
    """The families by the identifier of their head, and the head of each thing."""
    things = {thing.id: thing for thing in overview.things}
    makers: dict[str, list[str]] = {}
    for relation in overview.relations:
        if relation.name == GENERATED and relation.object in things:
            makers.setdefault(relation.subject, []).append(relation.object)
    rows: dict[str, list[Thing]] = {}
    for thing in overview.things:
        made = makers.get(thing.id, [])
        if thing.kind == "entity" and len(made) == 1 and things[made[0]].kind == "activity":
            rows.setdefault(made[0], []).append(thing)
    rows = {head: members for head, members in rows.items() if len(members) <= _MOST_ROWS}
    home = {thing.id: thing.id for thing in overview.things}
    home.update((row.id, head) for head, members in rows.items() for row in members)
    roomy = len(things) <= _ROOMY
    found = {
        id_: Family(thing, tuple(rows.get(id_, ())), _side(thing, roomy=roomy), roomy)
        for id_, thing in things.items()
        if home[id_] == id_
    }
    return found, home


def named(head: Thing) -> str:
    """What an activity beside its rows is called: a short text where there is one."""
    return head.label if head.group or not head.type else head.type


def _side(head: Thing, *, roomy: bool) -> float:
    """The width of the square of an activity with rows: with room its name fits, which otherwise its column has."""
    if roomy:
        return min(width(named(head), SIDE) + 8, _MOST_SIDE) + (BADGE if head.agents else 0)
    return _GLYPH + (BADGE - 7 if head.agents else 0)


class _Cell(Box):
    """A family as a box of the layout; arrows meet its sides."""

    def __init__(self, number: int, across: float, along: float) -> None:
        node, shape = Node("", "activity", ""), Shape(across, along, "", "", ())
        super().__init__([0], [node], [shape])
        self.members = (number,)

    def boundary(self, dx: float, *, upper: bool) -> float:  # noqa: ARG002 (that of a box)
        return -self.height / 2 if upper else self.height / 2


def placed(overview: Overview, short: Mapping[str, str]) -> Placement:
    """The overview laid out in the way that is shown largest.

    Args:
        overview: its things and relations.
        short: the short label of each thing.
    """
    tried = [_laid_out(overview, short, flow) for flow in _SPACING]
    if _best(tried).scale < _READABLE:
        close = _laid_out(overview, short, "right", _CLOSE)
        tried.append(close)
        for whole in (tried[0], close):
            if _best(tried).scale < _READABLE:
                tried += [cut(whole, number) for cut in (_in_ribbons, _in_strips) for number in _PARTS]
    return _best(tried)


def _best(tried: Sequence[Placement]) -> Placement:
    return max(tried, key=lambda each: each.scale)


def _size(family: Family, short: Mapping[str, str]) -> tuple[float, float]:
    head, rows = family.head, family.rows
    inner = max([_LEAST_WIDTH, *(width(short[thing.id], FAR) for thing in rows or (head,))]) + _PADDING
    if rows:
        inner += family.side + 2
    elif head.agents:
        inner += BADGE
    return inner, ROW * max(1, len(rows)) + (4 if len(rows) > 1 else 0)


def _laid_out(overview: Overview, short: Mapping[str, str], flow: Flow, close: Spacing | None = None) -> Placement:
    found, home = families(overview)
    number = {id_: index for index, id_ in enumerate(found)}
    cells = []
    for id_, family in found.items():
        breadth, height = _size(family, short)
        cells.append(_Cell(number[id_], *((height, breadth) if flow == "right" else (breadth, height))))
    within = {(row.id, family.head.id) for family in found.values() for row in family.rows}
    pairs = {
        (home[each.subject], home[each.object]): None
        for each in overview.relations
        if not (each.name == GENERATED and (each.subject, each.object) in within)
    }
    links = [BoxLink(number[one], number[other], Joint(number[one], number[other], ())) for one, other in pairs]
    names = list(found)
    counted = len(overview.things) <= _ROOMY and any(each.count > 1 for each in overview.relations)
    spacing = _COUNTED[flow] if counted else close or _SPACING[flow]
    boxes: dict[str, Rect] = {}
    lines: dict[tuple[str, str], tuple[Line, ...]] = {}
    offset = 0.0
    for part in components(len(cells), [(link.source, link.target) for link in links]):
        local = {cell: index for index, cell in enumerate(part)}
        own = [link for link in links if link.source in local]
        moved = [BoxLink(local[link.source], local[link.target], link.joint) for link in own]
        members = [cells[index] for index in part]
        done = arranged(members, moved, spacing)
        _put(done, [names[index] for index in part], members, own, names, flow, offset, boxes, lines)
        offset += done.width + _APART
    return Placement(flow, found, home, boxes, lines, (), _frame(boxes, lines))


def _put(
    done: ArrangedPart,
    ids: Sequence[str],
    cells: Sequence[Box],
    links: Sequence[BoxLink],
    names: Sequence[str],
    flow: Flow,
    offset: float,
    boxes: dict[str, Rect],
    lines: dict[tuple[str, str], tuple[Line, ...]],
) -> None:
    """Add a component beside those before it, turned if time runs to the right."""
    for id_, cell, (x, y) in zip(ids, cells, done.centers, strict=True):
        corner = (x - cell.width / 2 + offset, y - cell.height / 2)
        boxes[id_] = (
            Rect(corner[1], corner[0], cell.height, cell.width)
            if flow == "right"
            else Rect(corner[0], corner[1], cell.width, cell.height)
        )
    for link, arrow in zip(links, done.arrows, strict=True):
        points = [(x + offset, y) for x, y in arrow.curve]
        line = tuple((y, x) for x, y in points) if flow == "right" else tuple(points)
        lines[names[link.source], names[link.target]] = (line,)


def _frame(boxes: Mapping[str, Rect], lines: Mapping[tuple[str, str], tuple[Line, ...]]) -> Rect:
    points = [point for each in lines.values() for line in each for point in line]
    left = min([box.x for box in boxes.values()] + [x for x, _ in points])
    top = min([box.y for box in boxes.values()] + [y for _, y in points])
    right = max([box.x + box.width for box in boxes.values()] + [x for x, _ in points])
    bottom = max([box.y + box.height for box in boxes.values()] + [y for _, y in points])
    width, height = right - left + 2 * _MARGIN, bottom - top + _HEADINGS + _MARGIN
    # Few things would be shown larger than is of use.
    more = max(0.0, _LEAST_FRAME[0] - width), max(0.0, _LEAST_FRAME[1] - height)
    return Rect(left - _MARGIN - more[0] / 2, top - _HEADINGS - more[1] / 2, width + more[0], height + more[1])


def _in_ribbons(whole: Placement, number: int) -> Placement:
    """A long picture cut between columns, its parts one below the other; an arrow over a cut is drawn on both sides."""
    cuts = _cuts(whole, number)
    ends = [*cuts[1:], whole.frame.x + whole.frame.width]

    def ribbon(x: float) -> int:
        return max(index for index, cut in enumerate(cuts) if x >= cut - 1 or index == 0)

    for box in whole.boxes.values():
        # A box belongs to the part in which it begins, up to its end.
        ends[ribbon(box.x)] = max(ends[ribbon(box.x)], box.x + box.width)
    pieces: dict[tuple[str, str], list[tuple[int, Line]]] = {}
    for pair, curves in whole.lines.items():
        own = pieces.setdefault(pair, [])
        # The head of an arrow is at the end of its last piece, which is beside what it points to.
        goal = ribbon(whole.boxes[pair[1]].x)
        order = sorted(range(len(cuts)), key=lambda index: -abs(index - goal))
        for curve in curves:
            for start in range(0, len(curve) - 3, 3):
                piece = curve[start : start + 4]
                low, most = min(x for x, _ in piece), max(x for x, _ in piece)
                own += [
                    (index, piece)
                    for index in order
                    if low < ends[index] - 1 and (most > cuts[index] - 0.5 or index == 0)
                ]
    tops, bottoms = [[inf] * len(cuts), [-inf] * len(cuts)]
    for box in whole.boxes.values():
        index = ribbon(box.x)
        tops[index], bottoms[index] = min(tops[index], box.y), max(bottoms[index], box.y + box.height)
    for own in pieces.values():
        for index, piece in own:
            tops[index] = min(tops[index], *(y for _, y in piece))
            bottoms[index] = max(bottoms[index], *(y for _, y in piece))
    down, y = [], 0.0
    for top, bottom in zip(tops, bottoms, strict=True):
        down.append(y - top)
        y += bottom - top + _PART_GAP

    def moved(point: Point, index: int) -> Point:
        x = min(max(point[0], cuts[index] - _CROSSING + 2), ends[index] + 2)
        return x - cuts[index] + cuts[0], point[1] + down[index]

    boxes = {}
    for id_, box in whole.boxes.items():
        x, top = moved((box.x, box.y), ribbon(box.x))
        boxes[id_] = Rect(x, top, box.width, box.height)
    lines = {
        pair: tuple(tuple(moved(point, index) for point in piece) for index, piece in own)
        for pair, own in pieces.items()
    }
    ribbons = tuple(top + by for top, by in zip(tops, down, strict=True))
    return Placement(whole.flow, whole.families, whole.home, boxes, lines, ribbons, _frame(boxes, lines))


def _in_strips(whole: Placement, number: int) -> Placement:
    """A high picture cut between rows, its parts beside each other: ribbons of the picture with its axes exchanged."""
    turned = _turned(whole)
    return _turned(_in_ribbons(turned, number))


def _turned(whole: Placement) -> Placement:
    """A picture with its axes exchanged."""
    boxes = {id_: Rect(box.y, box.x, box.height, box.width) for id_, box in whole.boxes.items()}
    lines = {pair: tuple(tuple((y, x) for x, y in line) for line in curves) for pair, curves in whole.lines.items()}
    return Placement(whole.flow, whole.families, whole.home, boxes, lines, (), _frame(boxes, lines))


def _cuts(whole: Placement, number: int) -> list[float]:
    """Where ribbons begin: at columns, as equally far from each other as they allow."""
    starts = sorted({round(box.x, 1) for box in whole.boxes.values()})
    step = whole.frame.width / number
    cuts = [starts[0]]
    for part in range(1, number):
        later = [x for x in starts if x > cuts[-1]]
        if not later:
            break
        cuts.append(min(later, key=lambda x: abs(x - (starts[0] + part * step))))
    return cuts
