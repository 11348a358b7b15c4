"""Pieces of SVG text: coordinates, escaped labels, tooltips, and the outline of an agent."""

from __future__ import annotations

from xml.sax.saxutils import escape

from provrepo.drawing.text import clean

__all__ = ["coord", "escaped", "house", "tooltip"]

_LONGEST_TITLE = 2_000


def coord(value: float) -> str:
    """A coordinate with at most one decimal, and no negative zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def escaped(value: str) -> str:
    """Text for the content of an element."""
    return escape(clean(value))


def tooltip(value: str) -> str:
    """A ``title`` element with a line for each line of the text; empty where there is none."""
    lines = [clean(line) for line in value[:_LONGEST_TITLE].splitlines()]
    shown = "\n".join(line for line in lines if line)
    return f"<title>{escape(shown)}</title>" if shown else ""


def house(left: float, top: float, breadth: float, height: float, roof_height: float) -> str:
    """The path data of the outline of an agent."""
    walls = coord(top + roof_height)
    right, bottom = coord(left + breadth), coord(top + height)
    peak = coord(left + breadth / 2)
    return f"M{coord(left)} {bottom}V{walls}L{peak} {coord(top)}L{right} {walls}V{bottom}z"
