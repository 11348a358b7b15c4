"""JSON with locations: objects are traversed member by member, and values without locations are read by the C scanner.

Numbers keep their spelling. A key may occur once in an object. Text must be Unicode: lone surrogates are rejected.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from provrepo.codecs.guards import decode, location
from provrepo.errors import ReadError
from provrepo.model.statements import Span

__all__ = ["Integer", "JsonSource", "Real", "pointer"]


class Integer(str):
    """The spelling of a number without fraction or exponent."""

    __slots__ = ()


class Real(str):
    """The spelling of any other number."""

    __slots__ = ()


class _DuplicateKeyError(Exception):
    pass


class _NotJsonError(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKeyError
    return result


def _constant(name: str) -> NoReturn:
    raise _NotJsonError(
        f'{name} is not JSON; write it as a typed literal, such as {{"$": "INF", "type": "xsd:double"}}'
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Integer, parse_float=Real, parse_constant=_constant)
_MEMBER = re.compile(r'[ \t\r\n]*+(,?)[ \t\r\n]*+(?:(\})|"([^"\\\x00-\x1f]*+)"[ \t\r\n]*+:[ \t\r\n]*+)?+')
_SPACE = re.compile(r"[ \t\r\n]*+")
_COLON = re.compile(r"[ \t\r\n]*+:[ \t\r\n]*+")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class JsonSource:
    """A JSON text that is read by offsets.

    Attributes:
        text: the whole text.
        position: the offset after the last value that was read.
    """

    def __init__(self, data: bytes, format: str, *, strict: bool = True) -> None:  # noqa: A002
        """Decode the text.

        Args:
            data: UTF-8 text.
            format: the name for errors.
            strict: whether text that is not Unicode is an error; otherwise it is replaced, for detection.

        Raises:
            ReadError: not Unicode text.
        """
        self.text = decode(data, format) if strict else data.removeprefix(BOM_UTF8).decode("utf-8", "replace")
        self.position = 0
        self._format = format
        self._line, self._line_at, self._line_start = 1, 0, 0
        self._ends: list[int] | None = None
        if strict and ("\\ud" in self.text or "\\uD" in self.text):
            for match in _SURROGATE.finditer(self.text):
                if match["lone"]:
                    raise self.error(f"\\u{match['lone']} is half a character: surrogates come in pairs", match.start())

    def start(self) -> int:
        """The offset of the first value."""
        return self._skip(0)

    def members(self, position: int) -> Iterator[tuple[str, int, int]]:
        """The members of the object at an offset: key, offset of the key, offset of the value.

        The value of a member must be read (with ``value`` or ``members``) before the next member.

        Raises:
            ReadError: the value is not an object, is malformed, or has a key twice.
        """
        text = self.text
        if not text.startswith("{", position):
            raise self.error("expected an object", position)
        self.position = position + 1
        seen: set[str] = set()
        while True:
            match = _MEMBER.match(text, self.position)
            comma, closing, key = match.groups() if match else ("", None, None)
            after = match.end() if match else self.position
            if closing and not (comma and seen):
                self.position = after
                return
            if closing:
                raise self.error("a comma before '}'", after - 1)
            if bool(comma) is not bool(seen):
                raise self.error(
                    "expected a comma or '}'" if seen else "expected a key or '}'", self._skip(self.position)
                )
            at = match.start(3) - 1 if match else after
            if key is None:
                at = after
                key, after = self._key(at)
            if key in seen:
                raise self.error(f"the key {key!r} occurs twice in one object", at)
            seen.add(key)
            yield key, at, after

    def elements(self, position: int) -> Iterator[tuple[int, int]]:
        """The elements of the array at an offset: index and offset; each must be read before the next."""
        self.position = position + 1
        index = 0
        while True:
            after = self._skip(self.position)
            if self.text.startswith("]", after):
                self.position = after + 1
                return
            if index:
                if not self.text.startswith(",", after):
                    raise self.error("expected a comma or ']'", after)
                after = self._skip(after + 1)
            yield index, after
            index += 1

    def value(self, position: int) -> Any:
        """The value at an offset.

        Raises:
            ReadError: malformed, or an object in it has a key twice.
        """
        try:
            result, self.position = _DECODER.raw_decode(self.text, position)
        except json.JSONDecodeError as error:
            raise self.error(error.msg[:1].lower() + error.msg[1:], error.pos) from None
        except _NotJsonError as error:
            raise self.error(str(error), position) from None
        except RecursionError:
            raise self.error("nested too deeply", position) from None
        except _DuplicateKeyError:
            raise self._duplicate(position) from None
        return result

    def finish(self) -> None:
        """Check that only white space follows.

        Raises:
            ReadError: other text follows.
        """
        end = self._skip(self.position)
        if end != len(self.text):
            raise self.error("nothing may follow the closing '}'", end)

    def span(self, offset: int) -> Span:
        """Line and column of an offset. Ascending offsets are counted incrementally; for others, all lines are."""
        if offset < self._line_at and self._ends is None:
            self._ends = [end.start() for end in re.finditer("\n", self.text)]
        if self._ends is not None:
            line = bisect_left(self._ends, offset)
            return line + 1, offset - (self._ends[line - 1] if line else -1)
        self._line += self.text.count("\n", self._line_at, offset)
        newline = self.text.rfind("\n", self._line_at, offset)
        if newline >= 0:
            self._line_start = newline + 1
        self._line_at = offset
        return self._line, offset - self._line_start + 1

    def locate(self, position: int, path: Sequence[str | int]) -> int:
        """The offset of the value, or of its key, at a path of keys and indices below the value at an offset."""
        found = position
        for step in path:
            found, position = self._step(position, step)
        return found

    def keys(self, position: int) -> dict[str, int]:
        """Key → offset, for the object at an offset."""
        found = {}
        for key, at, after in self.members(position):
            found[key] = at
            self.value(after)
        return found

    def starts(self, position: int) -> list[int]:
        """The offsets of the elements of the array at an offset."""
        found = []
        for _, at in self.elements(position):
            found.append(at)
            self.value(at)
        return found

    def error(self, message: str, offset: int) -> ReadError:
        """The error about the text at an offset."""
        line, column = location(self.text, offset)
        return ReadError(message, line=line, column=column, format=self._format)

    def _step(self, position: int, step: str | int) -> tuple[int, int]:
        if isinstance(step, int):
            for index, at in self.elements(position):
                if index == step:
                    return at, at
                self.value(at)
        else:
            for key, at, after in self.members(position):
                if key == step:
                    return at, after
                self.value(after)
        return position, position

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _key(self, position: int) -> tuple[str, int]:
        """A key with escapes in it, and the offset of its value."""
        if not self.text.startswith('"', position):
            raise self.error("expected a key in double quotes", position)
        try:
            key, end = _DECODER.raw_decode(self.text, position)
        except json.JSONDecodeError as error:
            raise self.error(error.msg[:1].lower() + error.msg[1:], error.pos) from None
        colon = _COLON.match(self.text, end)
        if colon is None:
            raise self.error("expected ':' after the key", self._skip(end))
        return key, colon.end()

    def _duplicate(self, position: int) -> ReadError:
        """The error about the second of two equal keys in the value at an offset."""
        objects: list[set[str] | None] = []
        for token in _TOKEN.finditer(self.text, position):
            mark = token[0]
            if mark in ("{", "["):
                objects.append(set() if mark == "{" else None)
            elif mark in ("}", "]"):
                objects.pop()
                if not objects:
                    break
            elif objects and (keys := objects[-1]) is not None and _COLON.match(self.text, token.end()):
                key = _DECODER.decode(mark)
                if key in keys:
                    return self.error(f"the key {key!r} occurs twice in one object", token.start())
                keys.add(key)
        return self.error("a key occurs twice in one object", position)


def pointer(path: Sequence[str | int]) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
