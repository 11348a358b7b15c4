"""What contexts of a JSON-LD text are refused, since the parser behind would not survive them or take very long.

A processor defines a term after those that it needs (Context Processing, section 4.2 of the JSON-LD 1.1 API), each
within the definition of the one that needs it. Parsers recurse there, and a chain of some thousand terms overflows the
stack of the process. They also copy all terms in force for each context within the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from provrepo.codecs.guards import MAX_DEPTH, decode, place
from provrepo.codecs.json_source import JsonSource
from provrepo.errors import ReadError

__all__ = ["check_contexts"]

_FORMAT = "rdfjsonld"

_EXPANDED = ("@id", "@type", "@reverse", "@index")
"""What of a definition is an IRI, which may be spelled with other terms."""

_MAX_COPIED = 50_000_000
"""Terms that are in force in all contexts of a text, added up. Copying them takes about five seconds."""


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
            waiting += [(value, terms) for value in node.values() if isinstance(value, dict | list)]
    if copied > _MAX_COPIED:
        raise ReadError(
            f"{copied:,} terms are in force in the contexts within this text, added up; at most {_MAX_COPIED:,} are "
            "read: declare each term once, in the context at the top",
            format=_FORMAT,
        )


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
