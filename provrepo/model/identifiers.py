"""Identifiers and literals: the terms of statements.

An identifier is an absolute IRI, or a blank node when it starts with ``_:``. Prefixed names belong to a format, not
to the model: readers expand them, writers shorten them again with the prefixes that the document declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from provrepo.vocab import RDF12_TERM, RDF_LANG_STRING, XSD_STRING

__all__ = [
    "Identifier",
    "Literal",
    "Rdf12Term",
    "Value",
    "digest",
    "is_anonymous",
    "is_blank",
    "is_content",
    "text",
    "web_address",
]

_DIGESTS = re.compile(
    r"(?ai)(?:ni://[^/]*/([\w-]+);|nih:([\w-]+);|hash://([\w-]+)/|urn:hash:[^:]*:([\w-]+):|urn:(md5|sha1|sha256|sha512):"
    r"|(swh):1:cnt:)([\w-]+)"
)
_CONTENT = re.compile(r"(?i)(?:ni://|nih:|hash://|urn:(?:hash|md5|sha1|sha256|sha512):|swh:1:cnt:)")
_SHOWN = 8
"""Characters of a digest that are shown."""


class Identifier(str):
    """An absolute IRI, or a blank node label starting with ``_:``.

    A subclass of ``str`` without attributes, so that it takes no more memory than a string. The class distinguishes an
    identifier from a literal where an attribute may have either as its value.
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
        """The lexical form, as tables of results show it."""
        return self.lexical


class Rdf12Term(Literal):
    """The object of a triple that only RDF 1.2 has: a triple term, or a string with a base direction.

    PROV cannot represent either (RDF 1.2 Concepts, sections 3.4 and 3.5). Such a term is kept as text: ``lexical`` is
    the term in canonical N-Triples 1.2, ``<<( <s> <p> "o" )>>`` or ``"text"@ar--rtl``. Only readers of RDF create it,
    so that the text is always well-formed. Code that does not distinguish it treats it as a literal.
    """

    __slots__ = ()

    def __new__(cls, term: str) -> Rdf12Term:
        """A term from its text in N-Triples."""
        return super().__new__(cls, term, RDF12_TERM)

    def __eq__(self, other: object) -> bool:
        """Never equal to a literal of the same spelling."""
        return type(other) is Rdf12Term and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((Rdf12Term, self.lexical))

    def nodes(self) -> list[Identifier]:
        """The labels of the blank nodes in it, in order, as often as they occur."""
        return [Identifier(found[0]) for found in _IN_TERM.finditer(self.lexical) if found[0].startswith("_:")]

    def renamed(self, name: Callable[[Identifier], str]) -> str:
        """The text with other names for its blank nodes.

        Args:
            name: label → its new name, a label or an IRI.
        """

        def called(found: re.Match[str]) -> str:
            if not found[0].startswith("_:"):
                return found[0]
            new = name(Identifier(found[0]))
            return new if new.startswith("_:") else f"<{new}>"

        return _IN_TERM.sub(called, self.lexical)


_IN_TERM = re.compile(r'<[^<>"\s]*>|"(?:[^"\\]|\\.)*"|_:[^\s)]+')
"""The tokens of such a term: an IRI, a string or a blank node."""


Value: TypeAlias = Identifier | Literal


def text(lexical: str, language: str | None = None) -> Literal:
    """A string literal, with a language tag where one is given."""
    return Literal(lexical, XSD_STRING if language is None else RDF_LANG_STRING, language)


def is_blank(identifier: str) -> bool:
    """Whether an identifier is a blank node label."""
    return identifier.startswith("_:")


def is_anonymous(identifier: str) -> bool:
    """Whether an identifier has a meaning in its own document only: a blank node, or the skolem IRI of any host.

    RDF 1.1 Concepts, section 3.5: skolem IRIs carry ``/.well-known/genid/``; ours carry ``/genid/``.
    """
    return identifier.startswith("_:") or "/genid/" in identifier


def is_content(iri: str) -> bool:
    """Whether an IRI names bytes by their digest (RFC 6920 and others), and so means the same in every dataset."""
    return _CONTENT.match(iri) is not None


def digest(identifier: str) -> str:
    """The algorithm and the first characters of the digest by which an IRI names bytes: ``sha-256 f4OxZX_x…``.

    Such IRIs (``ni:`` and ``nih:`` of RFC 6920, ``hash:``, ``urn:hash:``, ``urn:sha256:`` and the like, ``swh:1:cnt:``)
    have no other part that people could distinguish them by.

    Returns:
        Empty if the IRI does not name bytes by their digest.
    """
    found = _DIGESTS.match(identifier)
    if found is None:
        return ""
    *schemes, value = found.groups()
    algorithm = next(filter(None, schemes)).lower()
    if algorithm.isdecimal():
        # RFC 6920, section 9.4, has numbers for some algorithms of ``nih:``, which mean nothing to people.
        algorithm = "nih"
    return f"{algorithm} {value[:_SHOWN]}{'…' if len(value) > _SHOWN else ''}"


def web_address(text: str) -> SplitResult | None:
    """The parts of an http or https URL with a host; None for any other text, and where the port is not valid."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and " " not in text else None
