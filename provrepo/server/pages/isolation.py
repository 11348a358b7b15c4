"""Values in templates cannot change how the text beside them is read.

Templates contain values of users: labels, IRIs, notes. Autoescape makes them inert as HTML. It does not help against
text of another direction: "נסחה 3" beside an IRI, or a label with U+202E, changes the order in which its neighbors are
shown. ``Isolation`` changes each ``{{ value }}`` of a template when it is compiled, so that no template can forget it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape

from provrepo.text import UNSEEN, character_name, marked, unstacked

__all__ = ["Isolation", "isolated", "shortened"]

_OF_ANOTHER_DIRECTION = frozenset({"R", "AL", "AN"})
_PLAIN = ("title", "textarea", "option", "script", "style")
"""Elements that contain text only."""

_MOST_IN_TITLE = 5_000
"""Characters of a cut text in its title. No label is so long; values can be, and the data has all of them."""

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_ATTRIBUTE = re.compile(r"""([a-z-]+)=["'][^"']*\Z""")
_SHOWN_ATTRIBUTES = frozenset({"title", "aria-label", "placeholder", "alt", "data-head"})
"""Attributes whose value people see. Others are addresses, or are sent back to the server, and stay exact."""


def isolated(value: Any) -> Any:
    """The value of an expression in the text of a page.

    A string with characters of another direction gets an element of its own (``bdi``), and each character that is not
    seen is shown as a mark with its name. What is markup already stays as it is.
    """
    if not isinstance(value, str) or hasattr(value, "__html__") or (value.isascii() and value.isprintable()):
        return value
    value = unstacked(value)
    parts: list[Markup] = []
    end = 0
    for found in UNSEEN.finditer(value):
        parts.append(escape(value[end : found.start()]))
        name, shown = character_name(found[0]), marked(found[0])[1:-1]
        parts.append(Markup('<span class="mark" title="{}">{}</span>').format(name, shown))
        end = found.end()
    parts.append(escape(value[end:]))
    text = Markup("").join(parts)
    if end or any(unicodedata.bidirectional(character) in _OF_ANOTHER_DIRECTION for character in value):
        return Markup('<bdi dir="auto">{}</bdi>').format(text)
    return text


def shortened(value: Any, most: int = 80) -> Any:
    """A long text, cut, with the whole as its title; an IRI is cut in the middle, since its end tells things apart.

    Args:
        value: of an expression in the text of a page.
        most: characters of it that are shown.
    """
    if not isinstance(value, str) or len(value) <= most or hasattr(value, "__html__"):
        return value
    if re.match(r"[A-Za-z][\w+.-]*:\S+\Z", value):
        cut = f"{value[: most // 2]}…{value[1 + most // 2 - most :]}"
    else:
        cut = value[: most - 1].rstrip() + "…"
    whole = marked(value[:_MOST_IN_TITLE]) + ("…" if len(value) > _MOST_IN_TITLE else "")
    return Markup('<span title="{}">{}</span>').format(whole, isolated(cut))


def _marked(value: Any) -> Any:
    """The value of an expression where markup cannot be: an attribute that people see, or the title of a page."""
    return marked(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


class Isolation(Extension):
    """Applies ``isolated`` to each expression in text, and marks to each in an attribute that people see."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        environment.filters.update(isolated=isolated, marked=_marked, short=shortened)

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Add a filter to each expression, by the place in the HTML where it stands."""
        place = _Place()
        block = False
        for token in stream:
            if token.type == "data":
                place.read(token.value)
            elif token.type == "block_begin":
                block = True
            elif block and token.type == "name":
                place.statement(token.value, stream.current.value if stream.current.type == "name" else "")
                block = False
            elif token.type == "variable_begin" and (name := place.filter()):
                yield token
                yield Token(token.lineno, "lparen", "(")
                yield from _expression(stream, name)
                continue
            yield token


def _expression(stream: TokenStream, name: str) -> Iterator[Token]:
    for token in stream:
        if token.type == "variable_end":
            yield Token(token.lineno, "rparen", ")")
            yield Token(token.lineno, "pipe", "|")
            yield Token(token.lineno, "name", name)
            yield token
            return
        yield token


class _Place:
    """The place in the HTML that the tokens of a template have reached."""

    def __init__(self) -> None:
        self.open = ""  # the text of the tag that is not closed yet
        self.plain = ""  # the element that contains text only
        self.title = False

    def read(self, html: str) -> None:
        """Go on over a piece of the template's own HTML."""
        for piece in re.split(r"(?=<)|(?<=>)", html):
            if self.open or piece.startswith("<"):
                self.open += piece
                if piece.endswith(">"):
                    self._closed(self.open)
                    self.open = ""

    def _closed(self, tag: str) -> None:
        found = _TAG.match(tag)
        if found and found[2] in _PLAIN:
            self.plain = "" if found[1] else found[2]

    def statement(self, name: str, of: str) -> None:
        """Go on over the beginning of a statement. A block named title is filled into the title of the page."""
        if name == "block":
            self.title = of == "title"
        elif name == "endblock":
            self.title = False

    def filter(self) -> str:
        """The filter for an expression at this place; empty for none."""
        if self.open:
            attribute = _ATTRIBUTE.search(self.open)
            return "marked" if attribute and attribute[1] in _SHOWN_ATTRIBUTES else ""
        if self.title or self.plain in ("title", "option"):
            return "marked"
        return "" if self.plain else "isolated"
