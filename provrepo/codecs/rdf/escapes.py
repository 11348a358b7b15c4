"""Escape sequences in strings of N-Triples and N-Quads (RDF 1.1 N-Triples, productions ECHAR and UCHAR)."""

from __future__ import annotations

import re

__all__ = ["MUST_ESCAPE", "escape", "unescape"]

_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}

MUST_ESCAPE = re.compile('[\x00-\x1f"\\\\\x7f\ufffe\uffff]')
"""The characters that canonical N-Quads escape."""

_ESCAPES = {
    **{chr(code): f"\\u{code:04X}" for code in [*range(0x20), 0x7F, 0xFFFE, 0xFFFF]},
    **{character: f"\\{letter}" for letter, character in _LETTERS.items()},
    '"': '\\"',
    "\\": "\\\\",
}


def unescape(text: str) -> str:
    """The characters that a text with escape sequences stands for."""
    return _ESCAPED.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    return _LETTERS.get(letter, letter) if letter else chr(int(short or long, 16))


def escape(text: str) -> str:
    """A text as canonical N-Quads spell it between quotation marks."""
    return MUST_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES[match[0]]
