"""Texts of users and of other servers, made safe to show: no character of them acts on the text beside it."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["UNSEEN", "character_name", "marked", "on_one_line", "quoted", "unstacked"]

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029"
_NO_CHARACTER = "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"

UNSEEN = re.compile(f"[{_CONTROL}{_BIDI}{_INVISIBLE}{_NO_CHARACTER}]")
"""A character that is not seen, but acts on a terminal, or on how the text beside it is shown.

These are the controls (other than tab and line breaks), the controls of direction (Unicode Standard Annex 9,
section 2), characters without a glyph and without a meaning in a script, and code points that are no characters. The
joiners U+200C and U+200D are needed in Persian, Hindi and emoji, and stay.
"""


_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACK = re.compile(f"(?<=[{_COMBINING}]{{4}})[{_COMBINING}]+")
_LEADING = re.compile(f"^(?=[{_COMBINING}])")
_CIRCLE = "\u25cc"


def unstacked(text: str) -> str:
    """The text with combining marks that stay within its own line and do not join the character before it.

    Letters of any language have at most four of the marks that combine with all scripts. Further ones would be drawn
    over the lines above and below: their number is stated. A mark at the beginning gets a dotted circle to stand on
    (The Unicode Standard, section 7.9, "Exhibiting Nonspacing Marks in Isolation").
    """
    return _LEADING.sub(_CIRCLE, _STACK.sub(lambda found: f"<{len(found[0])} more marks>", text))


def marked(text: str) -> str:
    """The text with a mark such as ``<U+202E>`` in place of each character that is not seen, and without stacks."""
    return UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", unstacked(text))


def on_one_line(text: str, most: int | None = None) -> str:
    """The text on one line, with marks, cut after ``most`` characters."""
    line = " ".join(marked(text if most is None else text[: most + 1]).split())
    return line if most is None or len(line) <= most else line[: most - 1].rstrip() + "…"


def quoted(text: str, most: int = 1000) -> str:
    """A text that another server has sent, for a message: on one line, with marks, and bounded."""
    return on_one_line(text, most)


def character_name(character: str) -> str:
    """The name of a character in Unicode, or its number."""
    return unicodedata.name(character, f"U+{ord(character):04X}")
