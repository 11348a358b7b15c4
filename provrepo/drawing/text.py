"""Estimated widths of text. The program that shows the SVG chooses the font, so no exact width is known."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from provrepo.text import on_one_line

__all__ = ["LABEL", "clean", "fit", "width"]

LABEL = 48.0
"""The most ems of a label in diagrams that other programs draw: about 80 characters."""

_NARROW = "iljI.,:;'|!"
_SLIM = 'ft()[]{}/\\-r"` *'
_WIDE = "mwMW@%"
_CAPITAL = "ABCDEFGHJKLNOPQRSTUVXYZ&+<=>~#"

# Ems per character of a generic sans-serif, between Helvetica and the wider DejaVu that Linux falls back to.
_EMS = {
    **dict.fromkeys(_NARROW, 0.31),
    **dict.fromkeys(_SLIM, 0.40),
    **dict.fromkeys(_WIDE, 0.94),
    **dict.fromkeys(_CAPITAL, 0.73),
    **dict.fromkeys("0123456789", 0.64),
}
_USUAL = 0.60
_FULL = 1.05

ELLIPSIS = "…"


@lru_cache(maxsize=4096)
def _ems(character: str) -> float:
    known = _EMS.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    return _FULL if unicodedata.east_asian_width(character) in "WF" else _USUAL


def width(text: str, size: float) -> float:
    """The estimated width of a line of text.

    Args:
        text: one line.
        size: the font size.

    Returns:
        The width in the unit of ``size``.
    """
    return size * sum(map(_ems, text))


def fit(text: str, size: float, room: float) -> str:
    """The text, cut so that it is at most ``room`` wide.

    Prose loses its end. Names lose their middle: identifiers often differ only in their last characters.
    """
    if width(text[:1000], size) <= room and len(text) <= 1000:
        return text
    room -= width(ELLIPSIS, size)
    if " " in text:
        return _prefix(text, size, room).rstrip() + ELLIPSIS
    tail = _prefix(text[: -len(text) - 1 : -1][:200], size, room / 2)[::-1]
    return _prefix(text, size, room - width(tail, size)) + ELLIPSIS + tail


def _prefix(text: str, size: float, room: float) -> str:
    used = 0.0
    for index, character in enumerate(text):
        used += size * _ems(character)
        if used > room:
            return text[:index]
    return text


def clean(text: str) -> str:
    """Text on one line, with marks in place of characters that XML 1.0 forbids or that are not seen."""
    return on_one_line(text)
