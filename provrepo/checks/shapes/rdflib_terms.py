"""Terms between the model and rdflib. Only literals with a valid lexical form are converted to values."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from rdflib.term import BNode, Literal, Node, URIRef

from provrepo.checks.lexical import valid
from provrepo.model.identifiers import Identifier, Value, is_blank
from provrepo.model.identifiers import Literal as ModelLiteral
from provrepo.vocab import RDF_LANG_STRING, XSD, XSD_STRING

__all__ = ["node", "term"]


def node(term: Value) -> Node:
    """A term of the model as one of rdflib."""
    if isinstance(term, Identifier):
        # Without the constructors, of which that of IRIs logs a warning for every unusual one.
        return str.__new__(BNode, term[2:]) if is_blank(term) else str.__new__(URIRef, term)
    lexical, datatype, language = term
    if language:
        return _literal(lexical, lexical, language=language)
    return _literal(lexical, lexical) if datatype == XSD_STRING else _typed(lexical, datatype)


def term(node: Node) -> Value:
    """A term of rdflib as one of the model."""
    if isinstance(node, BNode):
        return Identifier(f"_:{node}")
    if not isinstance(node, Literal):
        return Identifier(str(node))
    if node.language:
        return ModelLiteral(str(node), RDF_LANG_STRING, node.language)
    return ModelLiteral(str(node), XSD_STRING if node.datatype is None else str(node.datatype))


def _literal(
    lexical: str, value: object, *, datatype: URIRef | None = None, language: str | None = None, ill: bool = False
) -> Literal:
    """A literal made without rdflib's constructor, which would convert any value: XML, HTML, gigantic decimals."""
    literal: Literal = str.__new__(Literal, lexical)
    literal._language = language
    literal._datatype = datatype
    literal._value = value
    literal._ill_typed = ill
    return literal


def _typed(lexical: str, name: str) -> Literal:
    datatype = str.__new__(URIRef, name)
    is_valid = valid(lexical, name)
    if not is_valid:
        return _literal(lexical, None, datatype=datatype, ill=is_valid is False)
    if name == XSD + "dateTime":
        return _literal(lexical, _instant(lexical), datatype=datatype)
    if name == XSD + "date":
        return _literal(lexical, _instant(_ZONE.sub("", lexical)).date(), datatype=datatype)
    return Literal(lexical, datatype=datatype)


class _Instant(datetime):
    """An ``xsd:dateTime`` that is greater than another only where that is certain.

    With a time zone on one side only, the other may be up to 14 hours off either way (XML Schema part 2, section
    D.2.1.1). SHACL reports values that cannot be compared; we do not, since they are not known to be wrong.
    """

    def __gt__(self, other: datetime) -> bool:  # type: ignore[override]
        if (self.tzinfo is None) == (other.tzinfo is None):
            return super().__gt__(other)
        return self.replace(tzinfo=None) - (self.utcoffset() or _ZERO) - _FARTHEST > other.replace(tzinfo=None) - (
            other.utcoffset() or _ZERO
        )


_ZERO = timedelta()
_FARTHEST = timedelta(hours=14)
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def _instant(lexical: str) -> datetime:
    """A valid ``xsd:dateTime`` or ``xsd:date`` as a datetime; years that Python lacks become one of its extremes."""
    try:
        return _Instant.fromisoformat(lexical.replace("T24:00:00", "T23:59:59", 1))
    except ValueError:
        zone = _Instant.fromisoformat("2000-01-01T00:00:00" + (_ZONE.findall(lexical) or [""])[0]).tzinfo
        return _Instant(2 if lexical.startswith(("-", "0000")) else 9998, 1, 1, tzinfo=zone)
