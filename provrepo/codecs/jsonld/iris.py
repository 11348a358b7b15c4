"""The names in a JSON-LD text that do not expand to an IRI.

JSON-LD drops the triples with such names without an error. Names occur as keys, as values of ``@id`` and ``@type`` and
of terms of these types, and in contexts. The contexts of a text are merged: a redefinition of a term within the text is
not followed.
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
"""Characters that IRIs allow anywhere. A name of these is invalid only if the expansion of its prefix is."""
_NAMING = ("@id", "@type", "@vocab", "@base")
_DIRECT = ("@id", "@vocab")


class _ContextTerms(NamedTuple):
    """The definitions in the contexts of a text.

    Attributes:
        prefixes: term → IRI.
        naming: the keys whose values are names.
        terms: all terms.
    """

    prefixes: dict[str, str]
    naming: set[str]
    terms: set[str]

    def names(self, key: str) -> bool:
        """Whether a key outside contexts is a name and not a term."""
        if key.startswith("@") or key in self.terms:
            return False
        return ":" in key or "@vocab" in self.prefixes

    def expanded(self, name: str) -> str:
        """A name with its prefix expanded, if a context declares the prefix."""
        prefix, colon, local = name.partition(":")
        start = self.prefixes.get(prefix)
        if name.startswith(("@", "_:")) or not colon or local.startswith("//") or start is None:
            return name
        return start + local


class _Level:
    """An object or an array that is not closed yet.

    Attributes:
        object: whether it is an object.
        key: of an object the key of the next value, of an array its own key.
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
    """The strings that are names and do not expand to an IRI.

    Args:
        text: a JSON-LD text with its contexts inlined.

    Yields:
        Start and end of the string in the text, its replacement, its expansion, and the IRI that the expansion is read
        as.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return  # the RDF parser reports the error
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
    """Whether any name in a document does not expand to an IRI; faster than finding its location."""
    known: dict[str, bool] = {}

    def invalid(name: str) -> bool:
        if _ORDINARY.fullmatch(name):
            return False
        if name not in known:
            written = terms.expanded(name)
            known[name] = repair(written) != written
        return known[name]

    pending: list[tuple[Any, bool, bool]] = [(document, False, False)]
    while pending:
        node, naming, context = pending.pop()
        if isinstance(node, str):
            if naming and invalid(node):
                return True
        elif isinstance(node, list):
            pending += [(item, naming, context) for item in node if not isinstance(item, int | float | None)]
        elif isinstance(node, dict):
            for key, value in node.items():
                if not context and terms.names(key) and invalid(key):
                    return True
                inside = context or key == "@context"
                named = key in terms.naming or (context and not key.startswith("@"))
                if isinstance(value, str):
                    if named and invalid(value):
                        return True
                elif isinstance(value, dict | list):
                    pending.append((value, named and not isinstance(value, dict), inside))
    return False


def _terms(document: Any) -> _ContextTerms:
    """The definitions in all contexts of a document."""
    found = _ContextTerms({}, set(_NAMING), set())
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            pending += node.values()
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
