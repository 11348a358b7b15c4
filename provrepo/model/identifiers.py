"""Identifiers and literals: the two kinds of term that a statement is made of.

An identifier is an absolute IRI, or a blank node when it starts with ``_:``. Prefixed names belong to a format, not
to the model: readers expand them, writers shorten them again with the prefixes that the document declares.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from provrepo.vocab import RDF_LANG_STRING, XSD_STRING

__all__ = ["Identifier", "Literal", "Value", "digest", "is_anonymous", "is_blank", "text"]

_DIGESTS = re.compile(
    r"(?ai)(?:ni://[^/]*/([\w-]+);|nih:([\w-]+);|hash://([\w-]+)/|urn:hash:[^:]*:([\w-]+):|urn:(md5|sha1|sha256|sha512):"
    r"|(swh):1:cnt:)([\w-]+)"
)
_SHOWN = 8
"""Characters of a digest that are shown: more than anybody compares by eye."""


class Identifier(str):
    """An absolute IRI, or a blank node label starting with ``_:``.

    A string, so that it costs no more than one; a class of its own, so that an attribute's value tells an identifier
    from a literal.
    """

    __slots__ = ()


class Literal(NamedTuple):
    """A literal that keeps its spelling: ``"007"^^xsd:integer`` is not ``"7"^^xsd:integer``.

    Attributes:
        lexical: the lexical form as written in the source.
        datatype: the datatype's IRI; ``rdf:langString`` where there is a language.
        language: the BCP 47 tag as written in the source, or None.
    """

    lexical: str
    datatype: str = XSD_STRING
    language: str | None = None

    def __str__(self) -> str:
        """The lexical form: what a table of results shows."""
        return self.lexical


Value: TypeAlias = Identifier | Literal


def text(lexical: str, language: str | None = None) -> Literal:
    """A string literal, with a language tag where one is given."""
    return Literal(lexical, XSD_STRING if language is None else RDF_LANG_STRING, language)


def is_blank(identifier: str) -> bool:
    """Whether an identifier is a blank node label."""
    return identifier.startswith("_:")


def is_anonymous(identifier: str) -> bool:
    """Whether an identifier says nothing beyond its own document: blank, or any host's skolem IRI.

    RDF 1.1 Concepts, section 3.5: skolem IRIs carry ``/.well-known/genid/``; ours carry ``/genid/``.
    """
    return identifier.startswith("_:") or "/genid/" in identifier


def digest(identifier: str) -> str:
    """By which digest an IRI names bytes, and how that begins: ``sha-256 f4OxZX_x…``, as it is spelled.

    Such IRIs (``ni:`` and ``nih:`` of RFC 6920, ``hash:``, ``urn:hash:``, ``urn:sha256:`` and the like, ``swh:1:cnt:``)
    have nothing else that people could tell them by.

    Returns:
        Empty where the IRI names no bytes.
    """
    found = _DIGESTS.match(identifier)
    if found is None:
        return ""
    *schemes, value = found.groups()
    algorithm = next(filter(None, schemes)).lower()
    if algorithm.isdecimal():
        # RFC 6920, section 9.4, numbers some for ``nih:``, which says nothing to people.
        algorithm = "nih"
    return f"{algorithm} {value[:_SHOWN]}{'…' if len(value) > _SHOWN else ''}"
