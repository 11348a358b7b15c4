"""The size of each node, the text that fits in it, and where an edge meets its outline."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from provrepo.drawing.graph import Node
from provrepo.drawing.text import clean, fit, width

__all__ = ["BADGE_LINE", "HOUSE", "LABEL", "SMALL", "Shape", "boundary", "measured", "roof"]

LABEL, SMALL = 13.0, 11.0
"""Font sizes of labels, and of the lines below them, in px."""

BADGE_LINE = 16.0
"""Height of one agent's line, and of a sublabel."""

HOUSE = 13.0
"""Width of the icon before an agent's name, with the space after it."""

_PROSE, _NAME = 200.0, 140.0
"""Width for text in px. Names get less: the middle of a digest is not worth reading."""

_BADGES = 3
_ROOF = 9.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A node's outline and the lines of text inside, all cut to fit.

    Attributes:
        width: of the outline, in px.
        height: of the outline.
        label: the first line.
        sublabel: the second line, or empty.
        badges: names of agents, one line each.
    """

    width: float
    height: float
    label: str
    sublabel: str
    badges: tuple[str, ...]


def measured(node: Node) -> Shape:
    """The shape of a node."""
    label = _fitted(node.label, LABEL)
    sublabel = _fitted(node.sublabel, SMALL)
    shown = node.badges if len(node.badges) <= _BADGES else node.badges[: _BADGES - 1]
    badges = [_fitted(badge.label, SMALL) for badge in shown]
    if len(shown) < len(node.badges):
        badges.append(f"and {len(node.badges) - len(shown)} more")
    lines = [width(label, LABEL), width(sublabel, SMALL), *(HOUSE + width(text, SMALL) for text in badges)]
    text_width = max(lines)
    extra = BADGE_LINE * (len(badges) + bool(sublabel))
    if node.kind == "entity":
        # An ellipse leaves less room above and below than in its middle.
        size = (text_width + 36 + (14 if extra else 0) + extra / 2, 34 + extra * 1.15)
    elif node.kind == "activity":
        size = (text_width + 28, 34 + extra)
    else:
        size = (text_width + 24, 32 + _ROOF + extra)
    return Shape(max(size[0], 64.0), size[1], label, sublabel, tuple(badges))


def _fitted(text: str, size: float) -> str:
    text = clean(text)
    return fit(text, size, _PROSE if " " in text else _NAME)


def roof(shape: Shape) -> float:
    """The height of the roof in an agent's house shape."""
    return min(_ROOF, shape.height / 3)


def boundary(node: Node, shape: Shape, dx: float, *, upper: bool) -> float:
    """The vertical distance of a node's outline from its center; negative above it.

    Args:
        node: its kind determines the outline.
        shape: its size.
        dx: horizontal distance from the center.
        upper: whether the upper side is meant, or the lower one.
    """
    half = shape.height / 2
    if node.kind == "entity":
        share = min(1.0, abs(dx) / (shape.width / 2))
        half *= sqrt(1 - share * share)
    elif node.kind == "agent" and upper:
        half -= roof(shape) * min(1.0, abs(dx) / (shape.width / 2))
    return -half if upper else half
