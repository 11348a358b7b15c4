"""Limits for the contexts of a JSON-LD text, which protect the parser from a crash and from very long work.

A processor defines the terms that a term needs within the definition of that term (Context Processing, section 4.2 of
the JSON-LD 1.1 API). Parsers do so by recursion, and a chain of some thousand terms overflows the stack of the process.
They also copy all active terms for each further context in the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from provrepo.codecs.guards import MAX_DEPTH, decode, location
from provrepo.codecs.json_source import JsonSource
from provrepo.errors import ReadError

__all__ = ["check_contexts"]

_FORMAT = "rdfjsonld"

_EXPANDED = ("@id", "@type", "@reverse", "@index")
"""The parts of a term definition that are IRIs, which other terms may abbreviate."""

_MAX_COPIED = 50_000_000
"""The most active terms, summed over all contexts of a text. Copying them takes about five seconds."""

_COPIED_PER_BYTE = 2
"""Further active terms per byte of text: the context of a type is entered for each node of that type."""


def check_contexts(data: bytes) -> None:
    """Reject contexts with long chains of terms, and too many contexts with too many terms.

    Args:
        data: UTF-8 JSON-LD with its contexts inlined, not nested deeper than ``MAX_DEPTH``.

    Raises:
        ReadError: not JSON; a chain of more than ``MAX_DEPTH`` terms in one context, with the location of one of them;
            or more than ``_MAX_COPIED`` active terms.
    """
    text = decode(data, _FORMAT)
    try:
        document = json.loads(text)
    except ValueError:
        # The RDF parser processes contexts before it reaches the error, so it must not get this text.
        source = JsonSource(data, _FORMAT)
        source.value(source.start())
        source.finish()
        return
    scoped = _scoped(document)
    copied = 0
    pending: list[tuple[Any, int]] = [(document, 0)]
    while pending:
        node, terms = pending.pop()
        if isinstance(node, list):
            pending += [(item, terms) for item in node if isinstance(item, dict | list)]
        elif isinstance(node, dict):
            if "@context" in node:
                context = node["@context"]
                for part in context if isinstance(context, list) else [context]:
                    terms += _check(part, text) if isinstance(part, dict) else 0
                copied += terms
            if scoped.sizes:
                copied += sum(terms + scoped.sizes[type_] for type_ in scoped.types_of(node))
            for key, value in node.items():
                own = scoped.sizes.get(key)
                copied += 0 if own is None else terms + own
                if isinstance(value, dict | list):
                    pending.append((value, terms + (own or 0)))
    most = _MAX_COPIED + _COPIED_PER_BYTE * len(data)
    if copied > most:
        raise ReadError(
            f"{copied:,} terms are active in all contexts of this text together; at most {most:,} are "
            "read: declare each term once, in the context at the top",
            format=_FORMAT,
        )


class _Scoped(NamedTuple):
    """The terms of a text that have a context of their own (JSON-LD 1.1, section 4.1.8).

    Attributes:
        sizes: term → the most terms of its context.
        type_keys: ``@type`` and its aliases.
    """

    sizes: dict[str, int]
    type_keys: frozenset[str]

    def types_of(self, node: dict[str, Any]) -> Iterator[str]:
        """The types of a node that have a context of their own."""
        for key in self.type_keys.intersection(node):
            types = node[key]
            for type_ in types if isinstance(types, list) else [types]:
                if isinstance(type_, str) and type_ in self.sizes:
                    yield type_


def _scoped(document: Any) -> _Scoped:
    sizes: dict[str, int] = {}
    type_keys = {"@type"}
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            pending += node.values()
            context = node.get("@context")
            for part in context if isinstance(context, list) else [context]:
                for term, meaning in part.items() if isinstance(part, dict) else ():
                    if isinstance(meaning, dict) and "@context" in meaning:
                        sizes[term] = max(sizes.get(term, 0), _size(meaning["@context"]))
                    if meaning == "@type" or (isinstance(meaning, dict) and meaning.get("@id") == "@type"):
                        type_keys.add(term)
    return _Scoped(sizes, frozenset(type_keys))


def _size(context: Any) -> int:
    """The number of terms that a context defines."""
    parts = context if isinstance(context, list) else [context]
    return sum(len(part) for part in parts if isinstance(part, dict))


def _check(context: dict[str, Any], text: str) -> int:
    """The number of terms of a context; raises ReadError if a chain of terms is too long."""
    term = _in_long_chain(context) if len(context) > MAX_DEPTH else None
    if term is not None:
        line, column = location(text, max(text.find(json.dumps(term, ensure_ascii=False)), 0))
        raise ReadError(
            f"more than {MAX_DEPTH} terms of a JSON-LD context depend on each other in a chain, {term!r} among them; "
            "write their IRIs in full",
            line=line,
            column=column,
            format=_FORMAT,
        )
    return len(context)


def _in_long_chain(context: dict[str, Any]) -> str | None:
    """A term of a chain or cycle that is longer than ``MAX_DEPTH``; None if there is none."""
    users: dict[str, list[str]] = {}
    open_needs: dict[str, int] = {}
    for term, meaning in context.items():
        for needed in {name for name in _needed(term, meaning) if name != term and name in context}:
            users.setdefault(needed, []).append(term)
            open_needs[term] = open_needs.get(term, 0) + 1
    defined = [term for term in context if term not in open_needs]
    for _ in range(MAX_DEPTH):
        following = []
        for term in defined:
            for user in users.get(term, ()):
                open_needs[user] -= 1
                if not open_needs[user]:
                    del open_needs[user]
                    following.append(user)
        defined = following
    if defined:
        return defined[0]
    # The remaining terms depend on themselves. The parser reports short cycles.
    return next(iter(open_needs)) if len(open_needs) > MAX_DEPTH else None


def _needed(term: str, meaning: Any) -> Iterator[str]:
    """The names in a term definition and their prefixes; some of them are terms."""
    values = [meaning.get(key) for key in _EXPANDED] if isinstance(meaning, dict) else [meaning]
    for name in (term, *values):
        if isinstance(name, str):
            yield name
            yield name.partition(":")[0]
