"""``Link`` headers of requests, taken apart (RFC 8288, section 3 and appendix B.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provrepo.server.protocol.rejections import Rejected

__all__ = ["Link", "parse"]

_SPACE = " \t"


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes:
        target: where it leads, as it was written.
        parameters: their names in lower case; of one that is repeated the first value (section 3).
    """

    target: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def relations(self) -> list[str]:
        """Its relation types."""
        return self.parameters.get("rel", "").split()


def parse(header: str) -> list[Link]:
    """The links of a header.

    Raises:
        Rejected: 400, it cannot be read; the message says from where on.
    """
    return list(_Reader(header).links())


class _Reader:
    """Goes through a header once, a character at a time: no header makes it look back."""

    def __init__(self, header: str) -> None:
        self._text = header
        self._at = 0

    def links(self) -> Iterator[Link]:
        """The links, in their order."""
        while True:
            self._skip(_SPACE + ",")
            if not self._here():
                return
            yield self._link()

    def _link(self) -> Link:
        if self._here() != "<":
            raise self._unreadable()
        end = self._text.find(">", self._at)
        if end < 0:
            raise self._unreadable()
        target = self._text[self._at + 1 : end].strip()
        self._at = end + 1
        parameters: dict[str, str] = {}
        while self._next(";"):
            self._skip(_SPACE)
            name = self._until("=;," + _SPACE).lower()
            value = self._value() if self._next("=") else ""
            parameters.setdefault(name, value)
        if self._here() not in ("", ","):
            raise self._unreadable()
        return Link(target, parameters)

    def _value(self) -> str:
        self._skip(_SPACE)
        if self._here() != '"':
            return self._until(";," + _SPACE)
        found = []
        self._at += 1
        while (character := self._here()) != '"':
            self._at += character == "\\"
            if not self._here():
                raise self._unreadable()
            found.append(self._here())
            self._at += 1
        self._at += 1
        return "".join(found)

    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, characters: str) -> None:
        while self._here() and self._here() in characters:
            self._at += 1

    def _next(self, character: str) -> bool:
        """Whether this character is the next, spaces aside; then it is passed."""
        self._skip(_SPACE)
        found = self._here() == character
        self._at += found
        return found

    def _until(self, characters: str) -> str:
        start = self._at
        while self._here() and self._here() not in characters:
            self._at += 1
        return self._text[start : self._at]

    def _unreadable(self) -> Rejected:
        return Rejected(
            400,
            f"the Link header cannot be read from character {self._at + 1} on: "
            'write <IRI>; rel="relation"; anchor="IRI", and a comma before the next one',
        )
