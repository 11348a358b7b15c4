"""The layout of one connected component: rows of boxes, the oldest on top, and arrows that bend between rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provrepo.drawing import alignment, crossings
from provrepo.drawing.boxes import Box, BoxLink
from provrepo.drawing.layering import layers, opened
from provrepo.drawing.shapes import SMALL
from provrepo.drawing.text import width
from provrepo.drawing.tightening import tightened

__all__ = ["Arrow", "ArrangedPart", "Point", "Spacing", "arranged"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances of a layout, in px.

    Attributes:
        rows: the least distance between two rows.
        boxes: between neighbors in a row.
        lanes: the width of a piece of a long edge.
        flush: whether all boxes of a row get the height of the highest one.
    """

    rows: float = 50.0
    boxes: float = 28.0
    lanes: float = 14.0
    flush: bool = False


_USUAL = Spacing()

_PIECES = 6_000
"""The most pieces of long edges that are laid out. A drawing that fits on a page has far fewer."""

_PORTS = 0.32
"""The share of a box's width, to either side of the middle, within which arrows meet it."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A link with its path: a start, then cubic segments of three points each; and the center of its label, or None."""

    link: BoxLink
    curve: tuple[Point, ...]
    label: Point | None


@dataclass(slots=True)
class ArrangedPart:
    """A connected component, with the origin at its top left.

    Attributes:
        width: in px.
        height: in px.
        centers: of each box.
        arrows: in the order of the links.
    """

    width: float
    height: float
    centers: list[Point] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def arranged(found: Sequence[Box], links: Sequence[BoxLink], spacing: Spacing = _USUAL) -> ArrangedPart:
    """Lay out one connected component.

    Args:
        found: its boxes.
        links: between them, by the numbers of the boxes from 0.
        spacing: the distances; with ``flush`` it sets the heights of the boxes.
    """
    return _Arrangement(found, links, spacing).part()


class _Arrangement:
    """The steps of a layered layout and their common state.

    Boxes are numbered from 0; the pieces of edges that cross rows have the numbers after them. Edges with one older end
    share their pieces: an entity that many activities used has one trunk with branches, not parallel lines.
    """

    def __init__(self, found: Sequence[Box], links: Sequence[BoxLink], spacing: Spacing) -> None:
        self.boxes = found
        self.spacing = spacing
        self.links = links
        self.loops = [link.source == link.target for link in links]
        self.aside = [0.0] * len(found)  # width to either side of a box for an arrow from it to itself
        for link in links:
            if link.source == link.target:
                self.aside[link.source] = spacing.boxes + width(link.joint.label, SMALL)
        pairs = [(link.target, link.source) for link in links]
        self.pairs = {(link.source, link.target) for link in links}
        straight = [index for index, loop in enumerate(self.loops) if not loop]
        turned = opened(len(found), [pairs[index] for index in straight])
        self.turned = dict(zip(straight, turned, strict=True))
        # Upper and lower box of each edge, whichever way its arrow points.
        self.ends = [pair[::-1] if self.turned.get(index) else pair for index, pair in enumerate(pairs)]
        weights = [0 if links[index].joint.implied else 2 for index in straight]
        self.row = layers(len(found), [self.ends[index] for index in straight], weights)
        if spacing.flush:
            self._flush()
        self.above: list[list[int]] = [[] for _ in found]
        self.implied: list[bool] = [False] * len(found)
        self.trails: dict[int, list[int]] = {}
        self._cut(straight)
        self._place()

    def _flush(self) -> None:
        highest: dict[int, float] = {}
        for box, row in zip(self.boxes, self.row, strict=True):
            highest[row] = max(highest.get(row, 0.0), box.height)
        for box, row in zip(self.boxes, self.row, strict=True):
            box.height = highest[row]

    # Long edges

    def _cut(self, straight: Sequence[int]) -> None:
        """Divide edges into pieces, the lowest first. Short edges come first, until the limit of pieces is reached."""
        trunks: dict[tuple[int, int], dict[int, int]] = {}
        joined: set[tuple[int, int]] = set()
        for index in sorted(straight, key=lambda i: self.row[self.ends[i][1]] - self.row[self.ends[i][0]]):
            upper, lower = self.ends[index]
            implied = self.links[index].joint.implied
            # A reversed edge shares no pieces: its arrow is at the other end.
            trunk = trunks.setdefault((upper, -1 - index if self.turned[index] else int(implied)), {})
            span = range(self.row[lower] - 1, self.row[upper], -1)
            if len(self.row) - len(self.boxes) + sum(r not in trunk for r in span) > _PIECES:
                continue
            for row in span:
                if row not in trunk:
                    trunk[row] = len(self.row)
                    self.row.append(row)
                    self.above.append([])
                    self.implied.append(implied)
            trail = [trunk[row] for row in span]
            self.trails[index] = trail
            for one, other in zip([lower, *trail], [*trail, upper], strict=True):
                if (other, one) not in joined:
                    joined.add((other, one))
                    self.above[one].append(other)
        self._implied_pairs = self._only_implied(straight)

    def _only_implied(self, straight: Sequence[int]) -> set[tuple[int, int]]:
        """The pairs of an upper and a lower box whose edge is implied by others."""
        return {self.ends[index] for index in straight if self.links[index].joint.implied}

    # Places

    def _place(self) -> None:
        below: list[list[int]] = [[] for _ in self.above]
        for node, others in enumerate(self.above):
            for other in others:
                below[other].append(node)
        rows: list[list[int]] = [[] for _ in range(max(self.row, default=-1) + 1)]
        for node, row in enumerate(self.row):
            rows[row].append(node)
        self.rows = crossings.reduce(rows, self.above, below)
        aligned = alignment.coordinates(self.rows, self.above, self._rank, self._distance)
        self.x = tightened(self.rows, self.above, aligned, self._rank, self._distance)
        left = min((x - self._half(node) for node, x in enumerate(self.x)), default=0.0)
        self.x = [x - left for x in self.x]
        self.height = [
            max((self.boxes[n].height for n in row if n < len(self.boxes)), default=0.0) for row in self.rows
        ]
        self.top: list[float] = []
        y = 0.0
        for number, height in enumerate(self.height):
            self.top.append(y)
            y += height + self._gap_below(number, below)

    def _rank(self, upper: int, lower: int) -> int:
        boxes = len(self.boxes)
        if self.implied[upper] or self.implied[lower] or (upper, lower) in self._implied_pairs:
            return alignment.IMPLIED
        return alignment.LONG if upper >= boxes and lower >= boxes else alignment.USUAL

    def _distance(self, left: int, right: int) -> float:
        boxes = len(self.boxes)
        space = self.spacing.boxes if left < boxes and right < boxes else self.spacing.lanes / 2
        return self._half(left) + self._half(right) + space

    def _half(self, node: int) -> float:
        return self.boxes[node].width / 2 + self.aside[node] if node < len(self.boxes) else self.spacing.lanes / 2

    def _gap_below(self, number: int, below: Sequence[Sequence[int]]) -> float:
        """The distance between two rows: larger where edges lead far sideways."""
        reach = max(
            (abs(self.x[node] - self.x[other]) for node in self.rows[number] for other in below[node]), default=0.0
        )
        return self.spacing.rows + min(70.0, reach * 0.05)

    # The result

    def part(self) -> ArrangedPart:
        """The finished layout."""
        right = max((x + self._half(node) for node, x in enumerate(self.x)), default=0.0)
        centers = [(self.x[i], self._middle(i)) for i in range(len(self.boxes))]
        bottom = self.top[-1] + self.height[-1] if self.top else 0.0
        labels = _Labels()
        arrows = [self._arrow(index, labels) for index in range(len(self.links))]
        return ArrangedPart(right, bottom, centers, arrows)

    def _middle(self, box: int) -> float:
        return self.top[self.row[box]] + self.height[self.row[box]] / 2

    def _arrow(self, index: int, labels: _Labels) -> Arrow:
        link = self.links[index]
        if self.loops[index]:
            return self._loop(link)
        upper, lower = self.ends[index]
        trail = self.trails.get(index, [])
        # If two arrows join the same boxes in both directions, each is drawn on its own side.
        both = (link.target, link.source) in self.pairs
        side = self.spacing.lanes * (1 if self.turned[index] else -1) if both else 0.0
        start = (self._port(lower, self.x[trail[0]] if trail else None, upper) + side, self._middle(lower))
        end = (self._port(upper, self.x[trail[-1]] if trail else None, lower) + side, self._middle(upper))
        start = (start[0], start[1] + self.boxes[lower].boundary(start[0] - self.x[lower], upper=True))
        end = (end[0], end[1] + self.boxes[upper].boundary(end[0] - self.x[upper], upper=False))
        curve = [start]
        _rise(curve, self.top[self.row[lower]])
        for piece in trail:
            row = self.row[piece]
            _bend(curve, (self.x[piece], self.top[row] + self.height[row]))
            _rise(curve, self.top[row])
        _bend(curve, (end[0], self.top[self.row[upper]] + self.height[self.row[upper]]))
        _rise(curve, end[1])
        text = link.joint.label
        label = labels.place(text, _segments(curve)) if text else None
        return Arrow(link, tuple(curve[::-1] if self.turned[index] else curve), label)

    def _port(self, box: int, toward: float | None, other: int) -> float:
        """The x coordinate at which an arrow meets a box: as near to vertical as the width of the box allows."""
        reach = self.boxes[box].width * _PORTS
        low, high = self.x[box] - reach, self.x[box] + reach
        if toward is None:
            far = self.boxes[other].width * _PORTS
            # If both boxes have room for a vertical line, it is in the middle of the range that they share.
            first, last = max(low, self.x[other] - far), min(high, self.x[other] + far)
            toward = (first + last) / 2 if first <= last else self.x[other]
        return min(max(toward, low), high)

    def _loop(self, link: BoxLink) -> Arrow:
        """An arrow from a box to itself, on its right side."""
        x, y = self.x[link.source] + self.boxes[link.source].width / 2, self._middle(link.source)
        gap = self.spacing.boxes
        curve = (x - 2, y - 6), (x + gap, y - 14), (x + gap, y + 14), (x - 2, y + 6)
        text = link.joint.label
        return Arrow(link, curve, (x + gap * 0.9 + width(text, SMALL) / 2, y) if text else None)


def _rise(curve: list[Point], y: float) -> None:
    """Continue a curve vertically to ``y``."""
    x, before = curve[-1]
    if abs(y - before) > 0.01:
        curve += [(x, before + (y - before) / 3), (x, before + (y - before) * 2 / 3), (x, y)]


def _bend(curve: list[Point], to: Point) -> None:
    """Continue a curve sideways in an S that begins and ends vertically."""
    x, y = curve[-1]
    middle = (y + to[1]) / 2
    curve += [(x, middle), (to[0], middle), to]


def _segments(curve: Sequence[Point]) -> list[Sequence[Point]]:
    """The first segments that are long enough for a label."""
    found = [curve[index : index + 4] for index in range(0, len(curve) - 1, 3)]
    return [segment for segment in found if abs(segment[0][1] - segment[3][1]) >= _USUAL.rows / 2][:3] or found[:1]


_CELL = 100.0


class _Labels:
    """Places labels beside arrows without overlaps."""

    _POSITIONS = (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8)

    def __init__(self) -> None:
        self._taken: dict[int, list[tuple[float, float, float, float]]] = {}

    def place(self, text: str, segments: Sequence[Sequence[Point]]) -> Point | None:
        """The center of a label; None if every position near the start of the arrow is occupied."""
        half, rise = width(text, SMALL) / 2 + 3, SMALL * 0.6
        for x, y in (_point(segment, share) for segment in segments for share in self._POSITIONS):
            box = (x - half, y - rise, x + half, y + rise)
            cells = range(int(box[1] // _CELL), int(box[3] // _CELL) + 1)
            if not any(_overlap(box, other) for cell in cells for other in self._taken.get(cell, ())):
                for cell in cells:
                    self._taken.setdefault(cell, []).append(box)
                return x, y
        return None


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _point(segment: Sequence[Point], t: float) -> Point:
    """A point of a cubic Bézier curve."""
    u = 1 - t
    weights = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
    x = sum(w * p[0] for w, p in zip(weights, segment, strict=True))
    y = sum(w * p[1] for w, p in zip(weights, segment, strict=True))
    return x, y
