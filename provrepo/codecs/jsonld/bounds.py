"""What contexts of a JSON-LD text are refused, since the parser behind would not survive them or take very long.

A processor defines a term after those that it needs (Context Processing, section 4.2 of the JSON-LD 1.1 API), each
within the definition of the one that needs it. Parsers recurse there, and a chain of some thousand terms overflows the
stack of the process. They also copy all terms in force for each context within the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from provrepo.codecs.guards import MAX_DEPTH, decode, place
from provrepo.codecs.json_source import JsonSource
from provrepo.errors import ReadError

__all__ = ["check_contexts"]

_FORMAT = "rdfjsonld"

_EXPANDED = ("@id", "@type", "@reverse", "@index")
"""What of a definition is an IRI, which may be spelled with other terms."""

_MAX_COPIED = 50_000_000
"""Terms that are in force in all contexts of a text, added up. Copying them takes about five seconds."""

_COPIED_PER_BYTE = 2
"""How many more of them a text of some size may have: contexts of types are entered for each node of that type."""


def check_contexts(data: bytes) -> None:
    """Refuse contexts with long chains of terms, and too many contexts with too many terms.

    Args:
        data: UTF-8 JSON-LD with its contexts in place, not nested deeper than ``MAX_DEPTH``.

    Raises:
        ReadError: not JSON; more than ``MAX_DEPTH`` terms of one context are defined one by the other, the place is
            that of one of them; or more than ``_MAX_COPIED`` terms.
    """
    text = decode(data, _FORMAT)
    try:
        document = json.loads(text)
    except ValueError:
        # The parser behind works on contexts before it comes to the error, so that it must not see this text.
        source = JsonSource(data, _FORMAT)
        source.value(source.start())
        source.finish()
        return
    scoped = _scoped(document)
    copied = 0
    waiting: list[tuple[Any, int]] = [(document, 0)]
    while waiting:
        node, terms = waiting.pop()
        if isinstance(node, list):
            waiting += [(item, terms) for item in node if isinstance(item, dict | list)]
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
                    waiting.append((value, terms + (own or 0)))
    most = _MAX_COPIED + _COPIED_PER_BYTE * len(data)
    if copied > most:
        raise ReadError(
            f"{copied:,} terms are in force in the contexts within this text, added up; at most {most:,} are "
            "read: declare each term once, in the context at the top",
            format=_FORMAT,
        )


class _Scoped(NamedTuple):
    """The terms of a text that have a context of their own (JSON-LD 1.1, section 4.1.8).

    Attributes:
        sizes: how many terms the context of each has at most.
        type_keys: ``@type`` and the terms that stand for it.
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
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            context = node.get("@context")
            for part in context if isinstance(context, list) else [context]:
                for term, meaning in part.items() if isinstance(part, dict) else ():
                    if isinstance(meaning, dict) and "@context" in meaning:
                        sizes[term] = max(sizes.get(term, 0), _size(meaning["@context"]))
                    if meaning == "@type" or (isinstance(meaning, dict) and meaning.get("@id") == "@type"):
                        type_keys.add(term)
    return _Scoped(sizes, frozenset(type_keys))


def _size(context: Any) -> int:
    """How many terms a context defines."""
    parts = context if isinstance(context, list) else [context]
    return sum(len(part) for part in parts if isinstance(part, dict))


def _check(context: dict[str, Any], text: str) -> int:
    """The number of terms of a context in which no chain of terms is too long."""
    term = _in_long_chain(context) if len(context) > MAX_DEPTH else None
    if term is not None:
        line, column = place(text, max(text.find(json.dumps(term, ensure_ascii=False)), 0))
        raise ReadError(
            f"more than {MAX_DEPTH} terms of a JSON-LD context are defined one by the other, {term!r} among them; "
            "write their IRIs in full",
            line=line,
            column=column,
            format=_FORMAT,
        )
    return len(context)


def _in_long_chain(context: dict[str, Any]) -> str | None:
    """A term of a chain, or of a circle, that is longer than ``MAX_DEPTH``; None where there is none."""
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
    # What is left needs itself. The parser says so where the circle is short.
    return next(iter(open_needs)) if len(open_needs) > MAX_DEPTH else None


def _needed(term: str, meaning: Any) -> Iterator[str]:
    """The names by which a definition is spelled, and their prefixes; some of them are terms."""
    values = [meaning.get(key) for key in _EXPANDED] if isinstance(meaning, dict) else [meaning]
    for name in (term, *values):
        if isinstance(name, str):
            yield name
            yield name.partition(":")[0]
