"""A drawing as SVG without scripts, style attributes or style elements, as a strict content security policy wants it.

Colors are presentation attributes, which any style sheet overrides; every element has a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from provrepo.drawing.graph import Graph, Node
from provrepo.drawing.layout import HEADING, TITLE, Frame, Layout, PlacedEdge, PlacedNode, laid_out
from provrepo.drawing.outline import sentence
from provrepo.drawing.shapes import BADGE_LINE, HOUSE, LABEL, SMALL, roof
from provrepo.drawing.text import clean, width

__all__ = ["render"]

_FONT = "'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif"
_TEXT, _QUIET, _LINE, _PAPER = "#1b1f24", "#57606a", "#5b6169", "#ffffff"
_FILL = {"entity": "#fffc87", "activity": "#9fb1fc", "agent": "#fed37f"}
_STROKE = {"entity": "#808080", "activity": "#0000ff", "agent": "#b07a1a"}
"""The colors of the PROV Graph Layout Conventions; the agent's outline is darker, to be visible on white."""

_LONGEST_TITLE = 2_000
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
        breadth, height = _number(self.layout.width), _number(self.layout.height)
        title, description = f"{self.prefix}-title", f"{self.prefix}-desc"
        # The children of an image are presentational (WAI-ARIA 1.2), so its links could not be reached.
        role = "group" if any(_followed(placed.node) for placed in self.layout.nodes) else "img"
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="prov-picture" role="{role}" '
            f'aria-labelledby="{title} {description}" width="{breadth}" height="{height}" '
            f'viewBox="0 0 {breadth} {height}" font-family="{_FONT}" font-size="{_number(LABEL)}" fill="{_TEXT}">'
        )
        yield f'<title id="{title}">{_text(self.graph.heading or "Provenance graph")}</title>'
        yield f'<desc id="{description}">{_text(sentence(self.graph))}</desc>'
        yield from self._markers()
        yield f'<rect class="prov-background" width="{breadth}" height="{height}" fill="{_PAPER}"/>'
        if self.graph.heading:
            heading = _text(self.graph.heading)
            yield f'<text class="prov-heading" x="24" y="32" font-size="{_number(HEADING)}">{heading}</text>'
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
                f'<text class="prov-note" x="24" y="{_number(self.layout.height - 12)}" font-size="{_number(SMALL)}" '
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
            f'x="{_number(frame.x)}" y="{_number(frame.y)}" width="{_number(frame.width)}" '
            f'height="{_number(frame.height)}" rx="8"'
        )
        if not frame.title:
            return f'<rect class="prov-stack" {box} fill="none" stroke="#9aa1a9" stroke-dasharray="2 3"/>'
        return (
            f'<g class="prov-group"><rect {box} fill="none" stroke="#9aa1a9"/>'
            f'<text x="{_number(frame.x + 14)}" y="{_number(frame.y + 22)}" font-size="{_number(TITLE)}" '
            f'font-weight="600">{_text(frame.title)}</text></g>'
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
            f'<g class="{" ".join(classes)}">{_title(title)}<path d="{_path(edge)}" fill="none" stroke="{_LINE}" '
            f'stroke-width="1.2"{dashes} marker-end="url(#{self.prefix}-arrow)"/></g>'
        )

    def _edge_label(self, edge: PlacedEdge, at: tuple[float, float]) -> str:
        return (
            f'<text class="prov-edge-label" x="{_number(at[0])}" y="{_number(at[1] + SMALL / 3)}" '
            f'font-size="{_number(SMALL)}" text-anchor="middle" fill="{_QUIET}" stroke="{_PAPER}" stroke-width="4" '
            f'stroke-linejoin="round" paint-order="stroke">{_text(edge.joint.label)}</text>'
        )

    def _node(self, placed: PlacedNode, number: int) -> str:
        node = placed.node
        title = "\n".join([node.title or node.label, *(b.title or b.label for b in node.badges)])
        inner = _title(title) + _outline(placed) + "".join(_lines(placed))
        target = _followed(node)
        if target is not None:
            inner = f"<a href={quoteattr(clean(target))}>{inner}</a>"
        if node.marked:
            return f'<g class="prov-node prov-{node.kind} prov-marked" id="{self.prefix}-marked">{inner}</g>'
        return f'<g class="prov-node prov-{node.kind}" id="{self.prefix}-n{number}">{inner}</g>'


def _outline(placed: PlacedNode) -> str:
    kind, shape, x, y = placed.node.kind, placed.shape, placed.x, placed.y
    breadth = "3.5" if placed.node.marked else "1.2"
    paint = f'fill="{_FILL[kind]}" stroke="{_STROKE[kind]}" stroke-width="{breadth}"'
    if kind == "entity":
        return (
            f'<ellipse cx="{_number(x)}" cy="{_number(y)}" rx="{_number(shape.width / 2)}" '
            f'ry="{_number(shape.height / 2)}" {paint}/>'
        )
    left, top = x - shape.width / 2, y - shape.height / 2
    if kind == "activity":
        return (
            f'<rect x="{_number(left)}" y="{_number(top)}" width="{_number(shape.width)}" '
            f'height="{_number(shape.height)}" {paint}/>'
        )
    return f'<path d="{_house(left, top, shape.width, shape.height, roof(shape))}" {paint}/>'


def _house(left: float, top: float, breadth: float, height: float, roof_height: float) -> str:
    walls = _number(top + roof_height)
    right, bottom = _number(left + breadth), _number(top + height)
    return f"M{_number(left)} {bottom}V{walls}L{_number(left + breadth / 2)} {_number(top)}L{right} {walls}V{bottom}z"


def _lines(placed: PlacedNode) -> Iterator[str]:
    shape, x = placed.shape, placed.x
    lines = len(shape.badges) + bool(shape.sublabel)
    y = placed.y - lines * BADGE_LINE / 2 + (roof(shape) / 2 if placed.node.kind == "agent" else 0.0)
    yield f'<text x="{_number(x)}" y="{_number(y + LABEL * 0.35)}" text-anchor="middle">{_text(shape.label)}</text>'
    if shape.sublabel:
        y += BADGE_LINE
        yield (
            f'<text class="prov-sublabel" x="{_number(x)}" y="{_number(y + SMALL * 0.35)}" text-anchor="middle" '
            f'font-size="{_number(SMALL)}" fill-opacity="0.75">{_text(shape.sublabel)}</text>'
        )
    for badge in shape.badges:
        y += BADGE_LINE
        yield _badge(badge, x, y)


def _badge(text: str, x: float, y: float) -> str:
    left = x - (width(text, SMALL) + HOUSE) / 2
    return (
        f'<g class="prov-badge"><path d="{_house(left, y - 5, 9, 10, 4)}" fill="{_FILL["agent"]}" '
        f'stroke="{_STROKE["agent"]}"/><text x="{_number(left + HOUSE)}" y="{_number(y + SMALL * 0.35)}" '
        f'font-size="{_number(SMALL)}">{_text(text)}</text></g>'
    )


def _path(edge: PlacedEdge) -> str:
    """The path data of an edge; consecutive vertical pieces become one line."""
    (x, y), *rest = edge.curve
    parts = [f"M{_number(x)} {_number(y)}"]
    for index in range(0, len(rest), 3):
        first, second, end = rest[index : index + 3]
        if abs(end[0] - x) < 0.05 and abs(first[0] - x) < 0.05:
            if parts[-1].startswith("V"):
                parts.pop()
            parts.append(f"V{_number(end[1])}")
        else:
            parts.append("C" + " ".join(f"{_number(px)} {_number(py)}" for px, py in (first, second, end)))
        x, y = end
    return "".join(parts)


def _number(value: float) -> str:
    """A coordinate with at most one decimal, and no negative zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _text(value: str) -> str:
    return escape(clean(value))


def _title(value: str) -> str:
    lines = [clean(line) for line in value[:_LONGEST_TITLE].splitlines()]
    shown = "\n".join(line for line in lines if line)
    return f"<title>{escape(shown)}</title>" if shown else ""


def _name(kind: str) -> str:
    """A keyword as part of a class name."""
    return re.sub(r"[^A-Za-z0-9-]", "", kind)


def _followed(node: Node) -> str | None:
    """The target of a node's link if its scheme is allowed; otherwise None."""
    return node.href if node.href is not None and _FOLLOWED.match(node.href) else None
