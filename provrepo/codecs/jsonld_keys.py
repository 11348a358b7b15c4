"""Keys of a JSON-LD text that no context defines: JSON-LD drops what stands under them (Expansion, step 13.6).

The text is walked with the context that is in force at each place, as the Expansion Algorithm of JSON-LD 1.1 has it
(section 5.1.2 of the API), without making triples. A term whose definition is null is left out on purpose and is not
reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from provrepo.codecs.contexts import resolved
from provrepo.codecs.json_source import JsonSource, pointer
from provrepo.errors import ReadError
from provrepo.model.document import Unread

__all__ = ["REASON", "undefined_keys"]

REASON = "no JSON-LD context defines it, so that JSON-LD leaves out what it holds"

_Path: TypeAlias = tuple[str | int, ...]
_MAPS = frozenset({"@index", "@language", "@id", "@type", "@graph"})
"""Containers whose objects have keys that are no terms."""

_INNER = frozenset({"@graph", "@included", "@list", "@set", "@reverse", "@nest"})
"""Keywords whose values hold nodes."""


@dataclass(frozen=True, slots=True)
class _Active:
    """The context in force.

    Attributes:
        terms: definition of each term; None where it is left out on purpose.
        vocabulary: whether ``@vocab`` is set, which defines every term.
        before: the context in which nodes within stand, where a type's own context does not reach them.
    """

    terms: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: bool = False
    before: _Active | None = None

    def extended(self, context: Any) -> _Active:
        """With a local context on top, its addresses already replaced."""
        active = self
        for part in context if isinstance(context, list) else [context]:
            if part is None:
                active = _Active()
            elif isinstance(part, dict):
                vocabulary = part["@vocab"] is not None if "@vocab" in part else active.vocabulary
                active = _Active({**active.terms, **part}, vocabulary)
        return active

    def keyword(self, key: str) -> str:
        """The keyword that a key is or stands for; otherwise the key."""
        if key.startswith("@"):
            return key
        meaning = self.terms.get(key)
        if isinstance(meaning, dict):
            meaning = meaning.get("@id", meaning.get("@reverse"))
        return meaning if isinstance(meaning, str) and meaning.startswith("@") else key

    def defines(self, key: str) -> bool:
        """Whether a key means something: a term, a compact IRI or an IRI."""
        return self.vocabulary or key in self.terms or ":" in key


def undefined_keys(data: bytes) -> list[Unread]:
    """The keys that no context defines, in the order of the text, each with its JSON pointer and its place.

    Args:
        data: JSON-LD that a parser has accepted.

    Raises:
        ReadError: a context that is not known.
    """
    source = JsonSource(data, "rdfjsonld", strict=False)
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError):
        return []  # refused by the parser already
    wanted: dict[str | int, Any] = {}
    for path in _undefined(document, _Active(), ()):
        step = wanted
        for part in path:
            step = step.setdefault(part, {})
    return list(_placed(source, source.start(), wanted, ())) if wanted else []


def _undefined(value: Any, active: _Active, path: _Path) -> Iterator[_Path]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _undefined(item, active, (*path, index))
    elif isinstance(value, dict):
        yield from _node(value, active, path)


def _node(node: dict[str, Any], active: _Active, path: _Path) -> Iterator[_Path]:
    reference = len(node) == 1 and active.keyword(next(iter(node))) == "@id"
    if active.before is not None and not reference and "@value" not in node:
        active = active.before
    if "@context" in node:
        active = active.extended(resolved(node["@context"]))
    active = _typed(node, active)
    for key, value in node.items():
        keyword = active.keyword(key)
        if keyword.startswith("@"):
            if keyword in _INNER:
                yield from _undefined(value, active, (*path, key))
        elif not active.defines(key):
            yield (*path, key)
        else:
            yield from _property(active.terms.get(key), value, active, (*path, key))


def _typed(node: dict[str, Any], active: _Active) -> _Active:
    """With the contexts of the node's types, which do not reach the nodes within unless they say so."""
    types = [type_ for key, value in node.items() if active.keyword(key) == "@type" for type_ in _several(value)]
    own = active
    for type_ in sorted(type_ for type_ in types if isinstance(type_, str)):
        meaning = active.terms.get(type_)
        if isinstance(meaning, dict) and "@context" in meaning:
            local = resolved(meaning["@context"])
            through = any(isinstance(part, dict) and part.get("@propagate") is True for part in _several(local))
            extended = own.extended(local)
            own = extended if through else _Active(extended.terms, extended.vocabulary, own.before or active)
    return own


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _property(meaning: Any, value: Any, active: _Active, path: _Path) -> Iterator[_Path]:
    """What is undefined in the value of a term that is defined."""
    if not isinstance(meaning, dict):
        yield from _undefined(value, active, path)
        return
    if meaning.get("@type") == "@json":
        return
    if "@context" in meaning:
        active = active.extended(resolved(meaning["@context"]))
    if isinstance(value, dict) and not _MAPS.isdisjoint(_several(meaning.get("@container"))):
        keys = {active.keyword(key) for key in value}
        if not {"@id", "@value", "@graph"} & keys:
            for key, held in value.items():
                yield from _undefined(held, active, (*path, key))
            return
    yield from _undefined(value, active, path)


def _placed(source: JsonSource, at: int, wanted: Mapping[str | int, Any], path: _Path) -> Iterator[Unread]:
    """The places of paths, as a tree of their steps, below the value at an offset. Each value is passed once."""
    if source.text.startswith("[", at):
        for index, start in source.elements(at):
            yield from _descended(source, start, wanted.get(index), (*path, index))
        return
    try:
        for key, offset, start in source.members(at):
            inner = wanted.get(key)
            if inner == {}:
                yield Unread(pointer((*path, key)), REASON, *source.span(offset))
            yield from _descended(source, start, inner, (*path, key))
    except ReadError:
        return  # a key twice: the parser takes the last


def _descended(source: JsonSource, at: int, wanted: Mapping[str | int, Any] | None, path: _Path) -> Iterator[Unread]:
    if wanted:
        yield from _placed(source, at, wanted, path)
    else:
        source.value(at)
