"""JSON text read value by value, so that what is found in it has a place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

from provrepo.codecs.guards import place
from provrepo.errors import ReadError
from provrepo.model.statements import Span

__all__ = ["JsonText", "Number"]

_SPACE = re.compile(r"[ \t\n\r]*")


class Number(str):
    """A JSON number as it is spelled."""

    __slots__ = ()


class _Repeated(Exception):
    """An object with two members of one name."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Repeated
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant)


class JsonText:
    """A cursor in JSON text.

    ``members`` and ``items`` step into an object or array and leave the cursor at each value: take it with ``value``,
    or step into it, before going on.

    Attributes:
        at: offset of the cursor, in characters.
    """

    def __init__(self, text: str, format: str) -> None:  # noqa: A002
        self.at = 0
        self._text = text
        self._format = format
        self._counted = (0, 1)
        self._skip()

    def error(self, message: str, at: int) -> ReadError:
        """An error at an offset."""
        line, column = place(self._text, at)
        return ReadError(message, line=line, column=column, format=self._format)

    def span(self, at: int) -> Span:
        """Line and column of an offset; cheap where offsets grow from call to call."""
        counted, line = self._counted
        if at < counted:
            return place(self._text, at)
        line += self._text.count("\n", counted, at)
        self._counted = (at, line)
        return line, at - self._text.rfind("\n", 0, at)

    def opens(self, bracket: str) -> bool:
        """Whether the value at the cursor begins with this bracket."""
        return self._text.startswith(bracket, self.at)

    def members(self) -> Iterator[str]:
        """The names of an object's members, with the cursor at the value of each."""
        seen: set[str] = set()
        self._expect("{", "an object")
        while not self._closes("}", first=not seen):
            start = self.at
            name = self._name()
            if name in seen:
                raise self.error(f"the key {name!r} occurs twice in one object", start)
            seen.add(name)
            yield name

    def items(self) -> Iterator[int]:
        """The offsets of an array's items, with the cursor at each."""
        self._expect("[", "an array")
        first = True
        while not self._closes("]", first=first):
            first = False
            yield self.at

    def value(self) -> Any:
        """The value at the cursor, and step past it.

        Raises:
            ReadError: not JSON, a number that is none, or a key that occurs twice in one object.
        """
        start = self.at
        try:
            found, self.at = _DECODER.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            raise self.error(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.pos) from None
        except _Repeated:
            raise self._repetition(start) from None
        except RecursionError:
            raise self.error("nested too deeply", start) from None
        except ValueError as error:
            raise self.error(str(error), start) from None
        self._skip()
        return found

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.at < len(self._text):
            raise self.error("something follows the end of the JSON value", self.at)

    def _repetition(self, at: int) -> ReadError:
        """The error of the first repeated key at or below an offset."""
        self.at = at
        try:
            self._walk()
        except ReadError as error:
            return error
        return self.error("a key occurs twice in one object", at)

    def _walk(self) -> None:
        if self.opens("{"):
            for _ in self.members():
                self._walk()
        elif self.opens("["):
            for _ in self.items():
                self._walk()
        else:
            self.value()

    def _name(self) -> str:
        if not self.opens('"'):
            raise self.error("not JSON: a key in double quotes is expected", self.at)
        try:
            name, self.at = scanstring(self._text, self.at + 1, True)
        except json.JSONDecodeError as error:
            raise self.error(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.pos) from None
        self._skip()
        self._expect(":", "a colon")
        return str(name)

    def _expect(self, character: str, what: str) -> None:
        if not self.opens(character):
            raise self.error(f"not JSON: {what} is expected here", self.at)
        self.at += 1
        self._skip()

    def _closes(self, bracket: str, *, first: bool) -> bool:
        """Past the closing bracket, or past the comma before what comes next."""
        self._skip()
        if self.opens(bracket):
            self.at += 1
            self._skip()
            return True
        if not first:
            self._expect(",", f"a comma or {bracket!r}")
        return False

    def _skip(self) -> None:
        self.at = _SPACE.match(self._text, self.at).end()  # type: ignore[union-attr]  # it matches nothing, too
