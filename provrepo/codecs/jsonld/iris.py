"""Where a JSON-LD text names things, and which of these names expand to no IRI.

JSON-LD drops what is said of such things without a word. Names stand as keys, as values of ``@id`` and ``@type`` and of
the terms that a context says to be of these types, and in contexts. The contexts of a text are looked at together: one
that changes what a term means half way is not followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from provrepo.codecs.names import repair

__all__ = ["invalid_names"]

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]', re.DOTALL)
_ORDINARY = re.compile(r"[A-Za-z0-9_.~:/?@!$&'()*+,;=-]*+")
"""Characters that IRIs have anywhere, so that a name of these is none only where its prefix stands for none."""
_NAMING = ("@id", "@type", "@vocab", "@base")
_DIRECT = ("@id", "@vocab")


class _ContextTerms(NamedTuple):
    """What the contexts of a text say.

    Attributes:
        prefixes: term → IRI.
        naming: keys whose values are names.
        terms: all terms.
    """

    prefixes: dict[str, str]
    naming: set[str]
    terms: set[str]

    def names(self, key: str) -> bool:
        """Whether a key outside contexts is a name and no term."""
        if key.startswith("@") or key in self.terms:
            return False
        return ":" in key or "@vocab" in self.prefixes

    def expanded(self, name: str) -> str:
        """A name with its prefix replaced, where it has one that a context declares."""
        prefix, colon, local = name.partition(":")
        start = self.prefixes.get(prefix)
        if name.startswith(("@", "_:")) or not colon or local.startswith("//") or start is None:
            return name
        return start + local


class _Level:
    """An object or an array that is not closed yet.

    Attributes:
        object: whether it is an object.
        key: of an object the key whose value comes next, of an array the key that it stands under.
        at_key: whether the next string is a key.
        context: whether it is part of a context.
    """

    __slots__ = ("at_key", "context", "key", "object")

    def __init__(self, *, is_object: bool, key: str, context: bool) -> None:
        self.object = is_object
        self.key = key
        self.at_key = is_object
        self.context = context


def invalid_names(text: str) -> Iterator[tuple[int, int, str, str, str]]:
    """The strings that name things and expand to no IRI.

    Args:
        text: a JSON-LD text with its contexts in place.

    Yields:
        Start and end of the string in the text, the string to put in its place, what it expands to, and the IRI that
        this is read as.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return  # the parser says what is wrong, and where
    terms = _terms(document)
    if not _any(document, terms):
        return
    levels: list[_Level] = []
    for token in _TOKEN.finditer(text):
        mark = token.group()
        level = levels[-1] if levels else None
        if mark in "{[":
            key = level.key if level else ""
            inside = level is not None and (level.context or (level.object and key == "@context"))
            levels.append(_Level(is_object=mark == "{", key="" if mark == "{" else key, context=inside))
        elif mark in "}]":
            if levels:
                levels.pop()
        elif mark == ",":
            if level is not None and level.object:
                level.at_key = True
        elif mark != ":" and level is not None:
            string = json.loads(mark, strict=False)
            if level.object and level.at_key:
                level.key, level.at_key = string, False
                if level.context or not terms.names(string):
                    continue
            elif level.context:
                if level.key.startswith("@") and level.key not in _NAMING:
                    continue
            elif level.key not in terms.naming:
                continue
            written = terms.expanded(string)
            iri = repair(written)
            if iri != written:
                yield token.start(), token.end(), json.dumps(iri, ensure_ascii=False), written, iri


def _any(document: Any, terms: _ContextTerms) -> bool:
    """Whether any name within a document expands to no IRI; quicker than finding where it stands."""
    known: dict[str, bool] = {}

    def odd(name: str) -> bool:
        if _ORDINARY.fullmatch(name):
            return False
        if name not in known:
            written = terms.expanded(name)
            known[name] = repair(written) != written
        return known[name]

    waiting: list[tuple[Any, bool, bool]] = [(document, False, False)]
    while waiting:
        node, naming, context = waiting.pop()
        if isinstance(node, str):
            if naming and odd(node):
                return True
        elif isinstance(node, list):
            waiting += [(item, naming, context) for item in node if not isinstance(item, int | float | None)]
        elif isinstance(node, dict):
            for key, value in node.items():
                if not context and terms.names(key) and odd(key):
                    return True
                inside = context or key == "@context"
                named = key in terms.naming or (context and not key.startswith("@"))
                if isinstance(value, str):
                    if named and odd(value):
                        return True
                elif isinstance(value, dict | list):
                    waiting.append((value, named and not isinstance(value, dict), inside))
    return False


def _terms(document: Any) -> _ContextTerms:
    """What all contexts within a document define."""
    found = _ContextTerms({}, set(_NAMING), set())
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            context = node.get("@context")
            for part in context if isinstance(context, list) else [context]:
                if isinstance(part, dict):
                    _define(part, found)
    found.prefixes.update({term: found.expanded(iri) for term, iri in found.prefixes.items()})
    return found


def _define(context: dict[str, Any], found: _ContextTerms) -> None:
    for term, meaning in context.items():
        iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
        if isinstance(iri, str):
            if iri in _NAMING:
                found.naming.add(term)
            else:
                found.prefixes[term] = iri
        if not term.startswith("@"):
            found.terms.add(term)
        if isinstance(meaning, dict) and meaning.get("@type") in _DIRECT:
            found.naming.add(term)
