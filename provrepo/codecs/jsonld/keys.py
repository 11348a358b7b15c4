"""The parts of a JSON-LD text that JSON-LD drops without an error: above all keys that no context defines.

Keys are dropped in step 13.6 of the Expansion Algorithm. Unknown keywords, blank nodes as properties, values that are
not an object of any property, and strings with an invalid language tag are dropped too (JSON-LD 1.1 API, sections
5.1.2, 7.2 and 8.2.2).

The text is traversed with the active context of each node, as in the Expansion Algorithm (section 5.1.2 of the API),
without making triples. A term whose definition is null is dropped on purpose and not reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from provrepo.codecs.json_source import JsonSource, pointer
from provrepo.codecs.jsonld.contexts import resolved
from provrepo.codecs.rdf.terms import is_language_tag
from provrepo.errors import ReadError
from provrepo.model.document import UnreadPart

__all__ = ["REASON", "undefined_keys"]

REASON = "no JSON-LD context defines it, so that JSON-LD drops its value"

_NO_KEYWORD = "JSON-LD has no such keyword, and drops its value"
_BLANK = "a blank node cannot be a property, so that JSON-LD drops its values"
_LOOSE = "it is not the value of any property, so that JSON-LD drops it"
_NO_LANGUAGE = "it is not a language tag (BCP 47), so that JSON-LD drops the strings with it"

_KEYWORDS = frozenset(
    f"@{name}"
    for name in (
        *(
            "base",
            "container",
            "context",
            "direction",
            "graph",
            "id",
            "import",
            "included",
            "index",
            "json",
            "language",
        ),
        *("list", "nest", "none", "prefix", "propagate", "protected", "reverse", "set", "type", "value", "version"),
        "vocab",
    )
)
"""JSON-LD 1.1, section 1.7."""

_Path: TypeAlias = tuple[str | int, ...]
_Dropped: TypeAlias = tuple[_Path, str]
"""The path of a dropped part, and the reason."""
_Tree: TypeAlias = "dict[str | int, _Tree | str]"
_MAPS = frozenset({"@index", "@language", "@id", "@type", "@graph"})
"""Containers whose objects have keys that are not terms."""

_INNER = frozenset({"@graph", "@included", "@list", "@set", "@reverse", "@nest"})
"""Keywords whose values contain nodes."""


@dataclass(frozen=True, slots=True)
class _Active:
    """The active context.

    Attributes:
        terms: term → definition; None if the term is dropped on purpose.
        vocabulary: whether ``@vocab`` is set, which defines every term.
        before: the context of the nodes within, if that of a type does not apply to them.
    """

    terms: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: bool = False
    before: _Active | None = None

    def extended(self, context: Any) -> _Active:
        """The active context extended by a local context without URLs."""
        parts = context if isinstance(context, list) else [context]
        if not any(part is None or isinstance(part, dict) for part in parts):
            return self
        # One copy for all parts: there may be as many parts as terms.
        terms, vocabulary = dict(self.terms), self.vocabulary
        for part in parts:
            if part is None:
                terms, vocabulary = {}, False
            elif isinstance(part, dict):
                vocabulary = part["@vocab"] is not None if "@vocab" in part else vocabulary
                terms.update(part)
        return _Active(terms, vocabulary)

    def keyword(self, key: str) -> str:
        """The keyword that a key is, or is an alias of; otherwise the key."""
        if key.startswith("@"):
            return key
        meaning = self.terms.get(key)
        if isinstance(meaning, dict):
            meaning = meaning.get("@id", meaning.get("@reverse"))
        return meaning if isinstance(meaning, str) and meaning.startswith("@") else key

    def defines(self, key: str) -> bool:
        """Whether a key has a meaning: as a term, a compact IRI or an IRI."""
        return self.vocabulary or key in self.terms or ":" in key


def undefined_keys(data: bytes) -> list[UnreadPart]:
    """The dropped parts in the order of the text, each with its JSON pointer and location.

    Args:
        data: JSON-LD that a parser has accepted.

    Raises:
        ReadError: a context is not known.
    """
    source = JsonSource(data, "rdfjsonld", strict=False)
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError):
        return []  # the RDF parser has rejected it
    wanted: _Tree = {}
    for (*above, last), reason in _dropped(document):
        step = wanted
        for part in above:
            inner = step.setdefault(part, {})
            if isinstance(inner, str):
                break  # a part of a dropped part
            step = inner
        else:
            step[last] = reason
    return list(_placed(source, source.start(), wanted, ())) if wanted else []


def _dropped(document: Any) -> Iterator[_Dropped]:
    active = _Active()
    if isinstance(document, list):
        yield from _loose(document, active, ())
    yield from _undefined(document, active, ())


def _undefined(value: Any, active: _Active, path: _Path) -> Iterator[_Dropped]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _undefined(item, active, (*path, index))
    elif isinstance(value, dict):
        yield from _node(value, active, path)


def _node(node: dict[str, Any], active: _Active, path: _Path) -> Iterator[_Dropped]:
    reference = len(node) == 1 and active.keyword(next(iter(node))) == "@id"
    if active.before is not None and not reference and "@value" not in node:
        active = active.before
    if "@context" in node:
        yield from _languages(node["@context"], (*path, "@context"))
        active = active.extended(resolved(node["@context"]))
    active = _typed(node, active)
    for key, value in node.items():
        keyword = active.keyword(key)
        here = (*path, key)
        if keyword.startswith("@"):
            if keyword not in _KEYWORDS:
                yield here, _NO_KEYWORD
            elif keyword == "@language" and not _is_language(value):
                yield here, _NO_LANGUAGE
            elif keyword in _INNER:
                if keyword in ("@graph", "@included"):
                    yield from _loose(value, active, here)
                yield from _undefined(value, active, here)
        elif key.startswith("_:"):
            yield here, _BLANK
        elif not active.defines(key):
            yield here, REASON
        else:
            yield from _property(active.terms.get(key), value, active, here)


def _loose(value: Any, active: _Active, path: _Path) -> Iterator[_Dropped]:
    """The values in an array of nodes (JSON-LD 1.1 API, section 5.1.2, step 19)."""
    for index, item in enumerate(value) if isinstance(value, list) else ():
        is_value = isinstance(item, dict) and "@value" in map(active.keyword, item)
        if is_value or isinstance(item, str | int | float):
            yield (*path, index), _LOOSE


def _languages(context: Any, path: _Path) -> Iterator[_Dropped]:
    """The invalid language tags in a context."""
    if isinstance(context, list):
        for index, part in enumerate(context):
            yield from _languages(part, (*path, index))
    elif isinstance(context, dict):
        if not _is_language(context.get("@language")):
            yield (*path, "@language"), _NO_LANGUAGE
        for term, meaning in context.items():
            if isinstance(meaning, dict) and not _is_language(meaning.get("@language")):
                yield (*path, term, "@language"), _NO_LANGUAGE


def _is_language(value: Any) -> bool:
    """Whether a value is a language tag or not a string; the RDF parser reports the latter."""
    return not isinstance(value, str) or is_language_tag(value)


def _typed(node: dict[str, Any], active: _Active) -> _Active:
    """The context extended by those of the node's types, which apply to nodes within only if they propagate."""
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


def _property(meaning: Any, value: Any, active: _Active, path: _Path) -> Iterator[_Dropped]:
    """The dropped parts in the value of a defined term."""
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
            by_language = "@language" in _several(meaning.get("@container"))
            for key, item in value.items():
                if by_language and active.keyword(key) != "@none" and not _is_language(key):
                    yield (*path, key), _NO_LANGUAGE
                else:
                    yield from _undefined(item, active, (*path, key))
            return
    yield from _undefined(value, active, path)


def _placed(source: JsonSource, at: int, wanted: _Tree, path: _Path) -> Iterator[UnreadPart]:
    """The parts at the paths of a tree, below the value at an offset. Each value is visited once."""
    if source.text.startswith("[", at):
        for index, start in source.elements(at):
            yield from _descended(source, start, start, wanted.get(index), (*path, index))
        return
    try:
        for key, offset, start in source.members(at):
            yield from _descended(source, offset, start, wanted.get(key), (*path, key))
    except ReadError:
        return  # a repeated key: the RDF parser uses the last


def _descended(
    source: JsonSource, offset: int, at: int, wanted: _Tree | str | None, path: _Path
) -> Iterator[UnreadPart]:
    """The parts of a subtree of paths, whose value begins ``at`` and whose key, if it has one, is at ``offset``."""
    if isinstance(wanted, str):
        yield UnreadPart(pointer(path), wanted, *source.span(offset))
    if isinstance(wanted, dict):
        yield from _placed(source, at, wanted, path)
    else:
        source.value(at)
