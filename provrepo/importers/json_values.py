"""JSON of other tools: one value, several ones after each other, JSON lines, or arrays, with the line of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from math import isfinite
from typing import Any, NamedTuple, NoReturn

from provrepo.errors import ReadError
from provrepo.importers.masking import without_login

__all__ = ["Problem", "canonical", "escaped", "parse", "unwritable"]

_SPACE = re.compile(r"[ \t\r\n]*")


class Problem(NamedTuple):
    """Something in a record that is not as its specification says.

    Attributes:
        pointer: JSON pointer of the value (RFC 6901), from the record.
        message: what is wrong.
        fatal: whether the record cannot be understood without it.
    """

    pointer: str
    message: str
    fatal: bool = False


def canonical(data: object) -> bytes:
    """A JSON value as one line of UTF-8, with sorted keys and without spaces."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def parse(
    data: bytes,
    format: str,  # noqa: A002
    failed: Callable[[ReadError], None] | None = None,
) -> Iterator[tuple[int, str, Any]]:
    """The values of a text: JSON lines, values one after the other, or the members of arrays.

    Args:
        data: UTF-8.
        format: the name of the format, for errors.
        failed: called for text that is not JSON; reading goes on at the next line. Without it the error is raised.

    Yields:
        For each value its line, its JSON pointer in the array that contains it (empty outside of arrays), and itself.

    Raises:
        ReadError: the text is not UTF-8, or not JSON, with line and column.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(f"not UTF-8, at byte {error.start}", format=format) from error
    place = _Place(text, format)
    position = _skip(text, 0)
    while position < len(text):
        try:
            if text[position] == "[":
                position = yield from _members(text, position, place)
            else:
                value, end = _decoded(text, position, place)
                yield place.line(position), "", value
                position = end
        except ReadError as error:
            if failed is None:
                raise
            # The value is where it starts: a half one seems to end in a later line.
            failed(ReadError(error.message, line=place.line(position), format=format))
            position = text.find("\n", position) + 1 or len(text)
        position = _skip(text, position)


def _members(text: str, position: int, place: _Place) -> Generator[tuple[int, str, Any], None, int]:
    """The members of the array at an offset; returns the offset after it."""
    number, position = 0, _skip(text, position + 1)
    if text[position : position + 1] == "]":
        return position + 1
    while True:
        value, end = _decoded(text, position, place)
        yield place.line(position), f"/{number}", value
        number, position = number + 1, _skip(text, end)
        following = text[position : position + 1]
        if following == "]":
            return position + 1
        if following != ",":
            raise place.error("expected a comma or ']'", position)
        position = _skip(text, position + 1)


def unwritable(value: Any, pointer: str) -> Iterator[Problem]:
    """What Python reads from JSON and cannot write again: half a character, escaped, and numbers like ``1e999``."""
    if isinstance(value, float) and not isfinite(value):
        yield Problem(pointer, "a number beyond what computers exchange", fatal=True)
    elif isinstance(value, str) and not _is_unicode(value):
        yield Problem(pointer, "half a character (a lone surrogate), which is no Unicode", fatal=True)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from unwritable(item, f"{pointer}/{number}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not _is_unicode(key):
                yield Problem(
                    pointer, "a key with half a character (a lone surrogate), which is no Unicode", fatal=True
                )
            else:
                yield from unwritable(item, f"{pointer}/{escaped(key)}")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def escaped(key: str) -> str:
    """A key in a JSON pointer (RFC 6901), without secrets."""
    return without_login(key).replace("~", "~0").replace("/", "~1")


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Spark writes some facets twice; the same value again says nothing else."""
    result = dict(pairs)
    if len(result) != len(pairs) and any(canonical(result[key]) != canonical(value) for key, value in pairs):
        raise _DuplicateKeyError
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _decoded(text: str, position: int, place: _Place) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except _DuplicateKeyError:
        raise place.error("an object has a key twice, with different values", position) from None
    except json.JSONDecodeError as error:
        raise place.error(f"not JSON: {error.msg}", error.pos) from None
    except ValueError as error:
        raise place.error(str(error), position) from None


class _Place:
    """Counts the lines of a text, which is read forwards."""

    def __init__(self, text: str, format_: str) -> None:
        self._text, self._format = text, format_
        self._line, self._offset = 1, 0

    def line(self, offset: int) -> int:
        """The line of an offset that is not before the last one."""
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line

    def error(self, message: str, offset: int) -> ReadError:
        """An error at an offset."""
        line = self._text.count("\n", 0, offset) + 1
        return ReadError(message, line=line, column=offset - self._text.rfind("\n", 0, offset), format=self._format)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
