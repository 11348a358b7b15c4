"""A drawing as SVG without scripts, style attributes or style elements, as a strict content security policy wants it.

Colors are presentation attributes, which any style sheet overrides; every element has a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from provrepo.drawing.colors import FILL, STROKE
from provrepo.drawing.graph import Graph, Node
from provrepo.drawing.layout import HEADING, TITLE, Frame, Layout, PlacedEdge, PlacedNode, laid_out
from provrepo.drawing.markup import coord, escaped, house, tooltip
from provrepo.drawing.outline import sentence
from provrepo.drawing.shapes import BADGE_LINE, HOUSE, LABEL, SMALL, roof
from provrepo.drawing.text import clean, width

__all__ = ["render"]

_FONT = "'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif"
_TEXT, _QUIET, _LINE, _PAPER = "#1b1f24", "#57606a", "#5b6169", "#ffffff"

_FOLLOWED = re.compile(r"(?:https?://|/(?![/\\])|#)[^\s\"<>]*\Z")


def render(graph: Graph, *, prefix: str = "prov", layout: Layout | None = None) -> str:
    """The drawing as an SVG element, the same text for the same graph.

    Args:
        graph: what to draw.
        prefix: the prefix of the ids in it, different for each drawing on a page.
        layout: the layout of the graph, if it is computed already.
    """
    return "\n".join(_Renderer(graph, layout or laid_out(graph), prefix).lines()) + "\n"


class _Renderer:
    def __init__(self, graph: Graph, layout: Layout, prefix: str) -> None:
        self.graph = graph
        self.layout = layout
        self.prefix = prefix

    def lines(self) -> Iterator[str]:
        breadth, height = coord(self.layout.width), coord(self.layout.height)
        title, description = f"{self.prefix}-title", f"{self.prefix}-desc"
        # The children of an image are presentational (WAI-ARIA 1.2), so its links could not be reached.
        role = "group" if any(_followed(placed.node) for placed in self.layout.nodes) else "img"
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="prov-picture" role="{role}" '
            f'aria-labelledby="{title} {description}" width="{breadth}" height="{height}" '
            f'viewBox="0 0 {breadth} {height}" font-family="{_FONT}" font-size="{coord(LABEL)}" fill="{_TEXT}">'
        )
        yield f'<title id="{title}">{escaped(self.graph.heading or "Provenance graph")}</title>'
        yield f'<desc id="{description}">{escaped(sentence(self.graph))}</desc>'
        yield from self._markers()
        yield f'<rect class="prov-background" width="{breadth}" height="{height}" fill="{_PAPER}"/>'
        if self.graph.heading:
            heading = escaped(self.graph.heading)
            yield f'<text class="prov-heading" x="24" y="32" font-size="{coord(HEADING)}">{heading}</text>'
        yield from map(self._frame, self.layout.frames)
        for edge in self.layout.edges:
            yield self._edge(edge)
        for number, node in enumerate(self.layout.nodes, 1):
            yield self._node(node, number)
        for edge in self.layout.edges:
            if edge.label is not None:
                yield self._edge_label(edge, edge.label)
        if any(edge.joint.implied for edge in self.layout.edges):
            yield (
                f'<text class="prov-note" x="24" y="{coord(self.layout.height - 12)}" font-size="{coord(SMALL)}" '
                f'fill="{_QUIET}">Dashed arrows follow from the solid ones.</text>'
            )
        yield "</svg>"

    def _markers(self) -> Iterator[str]:
        yield "<defs>"
        yield (
            f'<marker id="{self.prefix}-arrow" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="9" '
            f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path class="prov-arrow" d="M0 1.2 10 5 0 8.8z" fill="{_LINE}"/></marker>'
        )
        yield "</defs>"

    def _frame(self, frame: Frame) -> str:
        box = (
            f'x="{coord(frame.x)}" y="{coord(frame.y)}" width="{coord(frame.width)}" '
            f'height="{coord(frame.height)}" rx="8"'
        )
        if not frame.title:
            return f'<rect class="prov-stack" {box} fill="none" stroke="#9aa1a9" stroke-dasharray="2 3"/>'
        return (
            f'<g class="prov-group"><rect {box} fill="none" stroke="#9aa1a9"/>'
            f'<text x="{coord(frame.x + 14)}" y="{coord(frame.y + 22)}" font-size="{coord(TITLE)}" '
            f'font-weight="600">{escaped(frame.title)}</text></g>'
        )

    def _edge(self, edge: PlacedEdge) -> str:
        joint = edge.joint
        classes = ["prov-edge", *dict.fromkeys(f"prov-{_name(e.kind)}" for e in joint.edges)]
        dashes = ""
        if joint.implied:
            classes.append("prov-implied")
            dashes = ' stroke-dasharray="5 4"'
        title = "\n".join(e.title or e.label for e in joint.edges)
        return (
            f'<g class="{" ".join(classes)}">{tooltip(title)}<path d="{_path(edge)}" fill="none" stroke="{_LINE}" '
            f'stroke-width="1.2"{dashes} marker-end="url(#{self.prefix}-arrow)"/></g>'
        )

    def _edge_label(self, edge: PlacedEdge, at: tuple[float, float]) -> str:
        return (
            f'<text class="prov-edge-label" x="{coord(at[0])}" y="{coord(at[1] + SMALL / 3)}" '
            f'font-size="{coord(SMALL)}" text-anchor="middle" fill="{_QUIET}" stroke="{_PAPER}" stroke-width="4" '
            f'stroke-linejoin="round" paint-order="stroke">{escaped(edge.joint.label)}</text>'
        )

    def _node(self, placed: PlacedNode, number: int) -> str:
        node = placed.node
        title = "\n".join([node.title or node.label, *(b.title or b.label for b in node.badges)])
        inner = tooltip(title) + _outline(placed) + "".join(_lines(placed))
        target = _followed(node)
        if target is not None:
            inner = f"<a href={quoteattr(clean(target))}>{inner}</a>"
        if node.marked:
            return f'<g class="prov-node prov-{node.kind} prov-marked" id="{self.prefix}-marked">{inner}</g>'
        return f'<g class="prov-node prov-{node.kind}" id="{self.prefix}-n{number}">{inner}</g>'


def _outline(placed: PlacedNode) -> str:
    kind, shape, x, y = placed.node.kind, placed.shape, placed.x, placed.y
    breadth = "3.5" if placed.node.marked else "1.2"
    paint = f'fill="{FILL[kind]}" stroke="{STROKE[kind]}" stroke-width="{breadth}"'
    if kind == "entity":
        return (
            f'<ellipse cx="{coord(x)}" cy="{coord(y)}" rx="{coord(shape.width / 2)}" '
            f'ry="{coord(shape.height / 2)}" {paint}/>'
        )
    left, top = x - shape.width / 2, y - shape.height / 2
    if kind == "activity":
        return (
            f'<rect x="{coord(left)}" y="{coord(top)}" width="{coord(shape.width)}" '
            f'height="{coord(shape.height)}" {paint}/>'
        )
    return f'<path d="{house(left, top, shape.width, shape.height, roof(shape))}" {paint}/>'


def _lines(placed: PlacedNode) -> Iterator[str]:
    shape, x = placed.shape, placed.x
    lines = len(shape.badges) + bool(shape.sublabel)
    y = placed.y - lines * BADGE_LINE / 2 + (roof(shape) / 2 if placed.node.kind == "agent" else 0.0)
    yield f'<text x="{coord(x)}" y="{coord(y + LABEL * 0.35)}" text-anchor="middle">{escaped(shape.label)}</text>'
    if shape.sublabel:
        y += BADGE_LINE
        yield (
            f'<text class="prov-sublabel" x="{coord(x)}" y="{coord(y + SMALL * 0.35)}" text-anchor="middle" '
            f'font-size="{coord(SMALL)}" fill-opacity="0.75">{escaped(shape.sublabel)}</text>'
        )
    for badge in shape.badges:
        y += BADGE_LINE
        yield _badge(badge, x, y)


def _badge(text: str, x: float, y: float) -> str:
    left = x - (width(text, SMALL) + HOUSE) / 2
    return (
        f'<g class="prov-badge"><path d="{house(left, y - 5, 9, 10, 4)}" fill="{FILL["agent"]}" '
        f'stroke="{STROKE["agent"]}"/><text x="{coord(left + HOUSE)}" y="{coord(y + SMALL * 0.35)}" '
        f'font-size="{coord(SMALL)}">{escaped(text)}</text></g>'
    )


def _path(edge: PlacedEdge) -> str:
    """The path data of an edge; consecutive vertical pieces become one line."""
    (x, y), *rest = edge.curve
    parts = [f"M{coord(x)} {coord(y)}"]
    for index in range(0, len(rest), 3):
        first, second, end = rest[index : index + 3]
        if abs(end[0] - x) < 0.05 and abs(first[0] - x) < 0.05:
            if parts[-1].startswith("V"):
                parts.pop()
            parts.append(f"V{coord(end[1])}")
        else:
            parts.append("C" + " ".join(f"{coord(px)} {coord(py)}" for px, py in (first, second, end)))
        x, y = end
    return "".join(parts)


def _name(kind: str) -> str:
    """A keyword as part of a class name."""
    return re.sub(r"[^A-Za-z0-9-]", "", kind)


def _followed(node: Node) -> str | None:
    """The target of a node's link if its scheme is allowed; otherwise None."""
    return node.href if node.href is not None and _FOLLOWED.match(node.href) else None
