"""The representations of an answer, by the names and media types that SPARQL clients know them under.

Clients send what some server understands: SPARQLWrapper its own names under three parameters at once, and then media
types behind them; RDF4J a list of every syntax that it can read. All are taken here, in a form as in an address.
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
    "turtle": ("text/n3", "text/rdf+n3", "application/turtle", "application/n3"),  # Turtle is a part of N3
    "ntriples": ("text/plain",),  # what N-Triples had before RDF 1.1
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
    """An RDF format on offer, with everything that clients call it.

    Args:
        name: of the format.
        media_types: the one to send by default first.
    """
    known = dict.fromkeys((*media_types, *_GRAPH_TYPES.get(name, ())))
    return Offer(name, tuple(known), _SUFFIXES[name], _GRAPH_NAMES.get(name, ()))


@cache
def offers(kind: Kind) -> tuple[Offer, ...]:
    """The representations of a kind of answer, the default first; a page only for who asks for one."""
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
    """The representation that the running request gets.

    Args:
        kind: of the answer.
        lenient: leave a ``format`` that this kind of answer does not have out of account.

    Raises:
        Rejected: 406, ``Accept`` excludes all that there is.
    """
    return choose(offers(kind), formats=body.fields("format"), lenient=lenient)


def wants_page() -> bool:
    """Whether the running request wants a page, whatever comes of its query."""
    for value in body.fields("format"):
        found = next(filter(None, (requested(offers(kind), value) for kind in KINDS)), None)
        if found is not None:
            return found.name == HTML.name
    return prefers_html()
