"""YAML 1.2 of other tools as the values of JSON: no tags, no aliases without bound, no key twice."""

from __future__ import annotations

import re
from typing import Any

from provrepo.codecs.guards import MAX_DEPTH, decode
from provrepo.errors import ReadError

__all__ = ["parse_yaml"]

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {name: name.lower() == "true" for name in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}", re.ASCII)
_OCTAL, _HEXADECIMAL = re.compile(r"0o[0-7]{1,1000}"), re.compile(r"0x[0-9a-fA-F]{1,1000}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_MOST = 500_000


def parse_yaml(data: bytes, format: str) -> Any:  # noqa: A002
    """The value of a text by the core schema of YAML 1.2 (section 10.3): ``1e-3`` is a number, and ``no`` a text.

    Args:
        data: UTF-8, one document; an empty one is None.
        format: the name of the format, for errors.

    Raises:
        ReadError: not YAML, nested too deeply, a key twice, or a key that is no scalar, with line and column.
    """
    import yaml

    text = decode(data, format)
    try:
        return _Builder(format).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        place = {} if mark is None else {"line": mark.line + 1, "column": mark.column + 1}
        raise ReadError(f"not YAML: {what}", format=format, **place) from None


class _Builder:
    """Builds a value from the events of a parser, without recursion."""

    def __init__(self, format_: str) -> None:
        self._format = format_
        # Anchor → value and the number of values in it, which counts for each alias: they expand without bound.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = self._documents = 0

    def build(self, events: Any) -> Any:
        import yaml

        top: list[Any] = []
        # Each collection that is open: itself, the key whose value is next, the event, and the values before it.
        stack: list[tuple[Any, list[str], Any, int]] = [(top, [], None, 0)]
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise self._error("more than one document", event)
            elif isinstance(event, yaml.ScalarEvent):
                plain = event.implicit[0] and event.style is None
                self._add(stack[-1], _scalar(event.value) if plain else event.value, event, 1, event.value)
            elif isinstance(event, yaml.AliasEvent):
                value, size = self._anchors.get(event.anchor, (None, _MOST))
                self._add(stack[-1], value, event, size)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(stack) > MAX_DEPTH:
                    raise self._error(f"nested more than {MAX_DEPTH} levels deep", event)
                inner: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                stack.append((inner, [], event, self._values))
            elif isinstance(event, yaml.CollectionEndEvent):
                inner, _, start, before = stack.pop()
                if isinstance(inner, dict) and isinstance(inner.get("<<"), dict):
                    inner |= {key: value for key, value in inner.pop("<<").items() if key not in inner}
                self._add(stack[-1], inner, start, 1, size=self._values - before + 1)
        return top[0] if top else None

    def _add(
        self, into: tuple[Any, list[str], Any, int], value: Any, event: Any, more: int, text: str = "", size: int = 1
    ) -> None:
        self._values += more
        if self._values > _MOST:
            raise self._error(f"more than {_MOST:,} values, or an alias of something unknown", event)
        collection, keys, _, _ = into
        if isinstance(collection, list):
            collection.append(value)
        elif not keys:
            if isinstance(value, dict | list):
                raise self._error("a key that is no scalar", event)
            key = value if isinstance(value, str) else text or str(value)
            if key in collection:
                raise self._error(f"the key {key[:50]!r} twice", event)
            keys.append(key)
        else:
            collection[keys.pop()] = value
        if event.anchor and event.anchor not in self._anchors:
            self._anchors[event.anchor] = value, size

    def _error(self, message: str, event: Any) -> ReadError:
        mark = event.start_mark
        return ReadError(message, line=mark.line + 1, column=mark.column + 1, format=self._format)


def _scalar(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    # Infinities and NaN stay texts: JSON has none.
    number = float(text) if _FLOAT.fullmatch(text) else None
    return text if number is None or number in (float("inf"), float("-inf")) else number
