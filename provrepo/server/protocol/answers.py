"""The representations of query results, with all names and media types that SPARQL clients use for them.

Clients send values that other servers understand: SPARQLWrapper sends its own names in three parameters at once, then
media types after them; RDF4J sends a list of every syntax that it can read. All of them are accepted here, in the URL
and in forms.
"""

from __future__ import annotations

from functools import cache

from provrepo.codecs.formats import FORMATS
from provrepo.codecs.results import Kind, QueryResult
from provrepo.server.protocol import body
from provrepo.server.protocol.negotiate import HTML, Choice, Offer, choose, prefers_html, requested

__all__ = ["KINDS", "chosen", "graph_offer", "offers", "wants_page"]

KINDS: tuple[Kind, ...] = ("bindings", "boolean", "graph")

_RESULT_TYPES = {"json": ("application/json",), "xml": ("application/xml", "text/xml")}
_RESULT_NAMES = {"json": ("srj", "sparql-results+json"), "xml": ("srx", "sparql", "sparql-results+xml")}

_GRAPH_TYPES = {
    "turtle": ("text/n3", "text/rdf+n3", "application/turtle", "application/n3"),  # Turtle is a subset of N3
    "ntriples": ("text/plain",),  # the media type of N-Triples before RDF 1.1
    "nquads": ("text/x-nquads",),
    "rdfxml": ("application/xml", "text/xml"),
    "rdfjsonld": ("application/json", "application/x-json+ld"),
}
_GRAPH_NAMES = {
    "turtle": ("n3",),
    "ntriples": ("n-triples",),
    "nquads": ("n-quads",),
    "rdfxml": ("rdf+xml", "xml"),
    "rdfjsonld": ("json-ld", "jsonld", "json"),
}
_SUFFIXES = {format_.name: format_.suffixes for format_ in FORMATS}


def graph_offer(name: str, media_types: tuple[str, ...]) -> Offer:
    """The offer of an RDF format, with every name and media type that clients use for it.

    Args:
        name: the name of the format.
        media_types: its media types, the default first.
    """
    known = dict.fromkeys((*media_types, *_GRAPH_TYPES.get(name, ())))
    return Offer(name, tuple(known), _SUFFIXES[name], _GRAPH_NAMES.get(name, ()))


@cache
def offers(kind: Kind) -> tuple[Offer, ...]:
    """The representations of a kind of result, the default first. The last is a page, sent only on request."""
    example = QueryResult(kind)
    named = ((name, example.media_type(name)) for name in example.formats())
    if kind == "graph":
        media_types = {format_.name: format_.media_types for format_ in FORMATS}
        return (*(graph_offer(name, (first, *media_types[name])) for name, first in named), HTML)
    return (
        *(
            Offer(name, (first, *_RESULT_TYPES.get(name, ())), aliases=_RESULT_NAMES.get(name, ()))
            for name, first in named
        ),
        HTML,
    )


def chosen(kind: Kind, *, lenient: bool) -> Choice:
    """Choose the representation of a result for the current request.

    Args:
        kind: the kind of result.
        lenient: ignore a value of ``format`` that this kind of result does not have.

    Raises:
        Rejected: 406, no representation is acceptable.
    """
    return choose(offers(kind), formats=body.fields("format"), lenient=lenient)


def wants_page() -> bool:
    """Whether the current request asks for a page, whatever the kind of its result."""
    for value in body.fields("format"):
        found = next(filter(None, (requested(offers(kind), value) for kind in KINDS)), None)
        if found is not None:
            return found.name == HTML.name
    return prefers_html()
