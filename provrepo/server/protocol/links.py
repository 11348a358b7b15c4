"""Parser of ``Link`` headers in requests (RFC 8288, section 3 and appendix B.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provrepo.server.protocol.rejections import Rejected

__all__ = ["HeaderLink", "parse"]

_SPACE = " \t"


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """A link of a ``Link`` header.

    Attributes:
        target: the target IRI reference as written.
        parameters: values by name in lower case; the first value of a repeated parameter (section 3).
    """

    target: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def relations(self) -> list[str]:
        """The relation types."""
        return self.parameters.get("rel", "").split()


def parse(header: str) -> list[HeaderLink]:
    """Parse a ``Link`` header.

    Raises:
        Rejected: 400, it is not valid; the message has the position of the first error.
    """
    return list(_LinkParser(header).links())


class _LinkParser:
    """Parses a header in one pass without backtracking, so that the time is linear in its length."""

    def __init__(self, header: str) -> None:
        self._text = header
        self._at = 0

    def links(self) -> Iterator[HeaderLink]:
        """Parse the links in order."""
        while True:
            self._skip(_SPACE + ",")
            if not self._current():
                return
            yield self._link()

    def _link(self) -> HeaderLink:
        if self._current() != "<":
            raise self._syntax_error()
        end = self._text.find(">", self._at)
        if end < 0:
            raise self._syntax_error()
        target = self._text[self._at + 1 : end].strip()
        self._at = end + 1
        parameters: dict[str, str] = {}
        while self._accept(";"):
            self._skip(_SPACE)
            name = self._until("=;," + _SPACE).lower()
            value = self._value() if self._accept("=") else ""
            parameters.setdefault(name, value)
        if self._current() not in ("", ","):
            raise self._syntax_error()
        return HeaderLink(target, parameters)

    def _value(self) -> str:
        self._skip(_SPACE)
        if self._current() != '"':
            return self._until(";," + _SPACE)
        found = []
        self._at += 1
        while (character := self._current()) != '"':
            self._at += character == "\\"
            if not self._current():
                raise self._syntax_error()
            found.append(self._current())
            self._at += 1
        self._at += 1
        return "".join(found)

    def _current(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, characters: str) -> None:
        while self._current() and self._current() in characters:
            self._at += 1

    def _accept(self, character: str) -> bool:
        """Skip spaces and, if it follows, one given character; return whether it followed."""
        self._skip(_SPACE)
        found = self._current() == character
        self._at += found
        return found

    def _until(self, characters: str) -> str:
        start = self._at
        while self._current() and self._current() not in characters:
            self._at += 1
        return self._text[start : self._at]

    def _syntax_error(self) -> Rejected:
        return Rejected(
            400,
            f"the Link header cannot be read from character {self._at + 1} on: "
            'write <IRI>; rel="relation"; anchor="IRI", and a comma before the next one',
        )
