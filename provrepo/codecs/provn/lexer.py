"""The tokens of PROV-N (section 3.7 of the Recommendation), each with its location."""

from __future__ import annotations

import re

from provrepo.codecs.guards import location
from provrepo.errors import ReadError
from provrepo.model.statements import Span

__all__ = [
    "LANGUAGE",
    "LOCAL",
    "PREFIX",
    "READ_LOCAL",
    "TIME",
    "Lexer",
    "escape_local",
    "escape_string",
    "unescape_local",
    "unescape_string",
]

# PN_CHARS_BASE and PN_CHARS of section 3.7.1 (those of SPARQL).
_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHARS = _BASE + "_0-9\u00b7\u0300-\u036f\u203f-\u2040-"

PREFIX = re.compile(rf"[{_BASE}](?:[{_CHARS}.]*[{_CHARS}])?")
"""PN_PREFIX."""

_OTHERS = r"[/@~&+*?#$!]|%[0-9A-Fa-f]{2}|\\[='(),\-:;\[\].]"


def _local(others: str) -> re.Pattern[str]:
    return re.compile(rf"(?:[{_BASE}_0-9]|{others})(?:(?:[{_CHARS}.:]|{others})*(?:[{_CHARS}:]|{others}))?|")


LOCAL = _local(_OTHERS)
"""PN_LOCAL, or empty; colons need no escape here, since ProvToolbox and prov do not escape them."""

READ_LOCAL = _local(_OTHERS + "|%(?![0-9A-Fa-f]{2})")
"""The same with percent signs that are not part of an encoding, which all formats percent-encode (ADR 12)."""

TIME = re.compile(r"[+-]?[0-9][^\s()\[\],;='\"<>{}|^`\\%]*")
"""A token that is read as a time. The checks report whether it is a valid ``xsd:dateTime``."""

# A word is any text between delimiters: an identifier, a time, an integer, a keyword or the marker "-". The parser
# decides which by its position. Comments are skipped where a token could begin.
_TOKEN = re.compile(
    r"""
    (?:\s++|//[^\r\n]*+|/\*.*?\*/)*+
    (?:
        (?!/\*)(?P<word>(?:[^\s()\[\],;='"<>{}|^`\\%]|\\.|%(?!%))++)
      | (?P<punctuation>[()\[\]{},;=]|%%)
      | (?P<string>"{3}(?:[^"\\]++|\\.|"(?!""))*+"{3}|"(?!"")(?:[^"\\\r\n]++|\\.)*+")
      | '(?P<name>(?:[^'\\\r\n]++|\\.)*+)'
      | <(?P<iri>[^<>\r\n]*+)>
      | (?P<end>\Z)
    )
    """,
    re.DOTALL | re.VERBOSE,
)
_BROKEN_STRING = re.compile(
    r'(?:\s++|//[^\r\n]*+|/\*.*?\*/)*+(?P<string>"(?!"")(?:[^"\\]++|\\.)*+")(?=@|\s*+(?:[\],)}]|%%))', re.DOTALL
)
"""Must be followed by a token that may follow a value, so that an unclosed string is not read beyond its end."""

LANGUAGE = re.compile(r"@([A-Za-z0-9_-]+)")
"""LANGTAG, and the underscores that locale names have; the checks report whether it is a tag of BCP 47."""

_SKIPPED = re.compile(r"(?:\s++|//[^\r\n]*+|/\*.*?\*/)*+", re.DOTALL)

_STRING_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", "\\": "\\", '"': '"', "'": "'"}
_STRING_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LOCAL_ESCAPE = re.compile(r"\\(.)")


class Lexer:
    """Tokens one at a time: ``kind`` and ``value`` are those of the current one, ``start`` is where it begins.

    Attributes:
        kind: ``word``, ``punctuation``, ``string``, ``name``, ``iri`` or ``end``.
        value: the token's text; of a string with its quotation marks, of a name or an IRI without.
        start: offset of the token in the text.
        first_broken: line and column of the first string in one quotation mark with a line break, or None.
    """

    __slots__ = ("_line", "_line_at", "_line_start", "_position", "_text", "first_broken", "kind", "start", "value")

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.first_broken: Span | None = None
        self._line, self._line_at, self._line_start = 1, 0, 0
        self.kind = ""
        self.value = ""
        self.start = 0
        self.advance()

    def advance(self) -> None:
        """Move to the next token.

        Raises:
            ReadError: the text is not a token.
        """
        match = _TOKEN.match(self._text, self._position) or self._broken_string()
        if match is None:
            raise self._no_token()
        kind = match.lastgroup or "end"
        self.kind = kind
        self.value = match[kind]
        self._position = match.end()
        self.start = match.start(kind) - (kind in ("name", "iri"))

    def ahead(self) -> str:
        """The text of the token after the current one; empty at the end, or if it is not a token."""
        match = _TOKEN.match(self._text, self._position)
        return match[match.lastgroup] if match and match.lastgroup else ""

    def language(self) -> str | None:
        """The language tag after the current string, which it skips; to be called before ``advance``."""
        match = LANGUAGE.match(self._text, self._position)
        if match is None:
            return None
        self._position = match.end()
        return match[1]

    def span(self) -> Span:
        """Line and column of the current token, counted from those of the previous call."""
        text, start = self._text, self.start
        self._line += text.count("\n", self._line_at, start)
        newline = text.rfind("\n", self._line_at, start)
        if newline >= 0:
            self._line_start = newline + 1
        self._line_at = start
        return self._line, start - self._line_start + 1

    def error(self, message: str, at: int | None = None) -> ReadError:
        """The error about the current token, or about the one at an offset."""
        line, column = location(self._text, self.start if at is None else at)
        return ReadError(message, line=line, column=column, format="provn")

    def shown(self) -> str:
        """The current token in words, for messages."""
        if self.kind == "end":
            return "the end of the text"
        value = self.value if len(self.value) <= 60 else self.value[:57] + "…"
        return {"name": f"'{value}'", "iri": f"<{value}>"}.get(self.kind, repr(value))

    def _broken_string(self) -> re.Match[str] | None:
        """A string in single quotation marks with a line break, which only ProvToolbox writes, or None."""
        match = _BROKEN_STRING.match(self._text, self._position)
        if match is not None and self.first_broken is None:
            self.first_broken = location(self._text, match.start("string"))
        return match

    def _no_token(self) -> ReadError:
        skipped = _SKIPPED.match(self._text, self._position)
        self.start = skipped.end() if skipped else self._position
        rest = self._text[self.start : self.start + 3]
        if rest.startswith("/*"):
            return self.error("a comment that is not closed: '*/' is missing")
        if rest.startswith('"'):
            return self.error('a string that is not closed (only """ strings may contain line breaks)')
        if rest.startswith("'"):
            return self.error('a quoted name that is not closed: "\'" is missing on this line')
        if rest.startswith("<"):
            return self.error("an IRI that is not closed on its line: '>' is missing")
        return self.error(f"unexpected character {rest[:1]!r}")


def unescape_string(quoted: str) -> str:
    """The value of a string token (STRING_LITERAL of section 3.7.3).

    Raises:
        KeyError: a backslash before a character that is not escaped; the argument is that character.
    """
    body = quoted[3:-3] if quoted.startswith('"""') and len(quoted) >= 6 else quoted[1:-1]
    return _STRING_ESCAPE.sub(lambda m: _STRING_ESCAPES[m[1]], body) if "\\" in body else body


def unescape_local(name: str) -> str:
    """A name without the backslashes of PN_CHARS_ESC."""
    return _LOCAL_ESCAPE.sub(r"\1", name) if "\\" in name else name


_TO_ESCAPE = re.compile(r"[='(),:;\[\]]|\A[-.]|\.\Z")
_STRING_TABLE = str.maketrans({v: f"\\{k}" for k, v in _STRING_ESCAPES.items() if k not in "'t"})
_LINES_TABLE = {code: escape for code, escape in _STRING_TABLE.items() if code != ord("\n")}


def escape_local(local: str) -> str:
    """A local name with the necessary backslashes; it may still contain characters that PROV-N does not allow."""
    return _TO_ESCAPE.sub(r"\\\g<0>", local)


def escape_string(value: str, *, lines: bool = False) -> str:
    """A string token with as few escapes as the grammar allows: ProvToolbox decodes only that of quotation marks.

    Args:
        value: the text.
        lines: whether text of several lines is written on several lines, in three quotation marks.
    """
    if lines and "\n" in value:
        return f'"""{value.translate(_LINES_TABLE)}"""'
    return f'"{value.translate(_STRING_TABLE)}"'
