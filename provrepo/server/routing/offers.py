"""Offered representations that both handlers and the table of routes need; the default comes first."""

from __future__ import annotations

from provrepo.codecs.formats import by_name
from provrepo.repository.lineage.records import BUNDLED, DIAGRAMS, FOR_DATABASES
from provrepo.server.protocol.answers import graph_offer
from provrepo.server.protocol.negotiate import HTML, JSON, Offer

__all__ = [
    "ATOM",
    "BLOBS",
    "CITATION",
    "DESCRIPTION",
    "ENTRIES",
    "GRAPHS",
    "INBOX",
    "LINEAGE",
    "METADATA",
    "PROVAQ",
    "SVG",
    "THING",
]


def _offers(*names: str) -> tuple[Offer, ...]:
    return tuple(Offer(name, by_name(name).media_types, by_name(name).suffixes) for name in names)


CSV = Offer("csv", ("text/csv",), (".csv",))
SVG = Offer("svg", ("image/svg+xml",), (".svg",))
_BUNDLED = _offers(*BUNDLED)

LINEAGE = (
    JSON,
    CSV,
    *_offers("turtle", "rdfxml", "provjsonld", "rdfjsonld", "ntriples", "nquads"),
    *_BUNDLED,
    SVG,
    *_offers(*DIAGRAMS, *FOR_DATABASES),
    HTML,
)
INBOX = (Offer("jsonld", ("application/ld+json",), (".jsonld",)),)
THING = (JSON, *_BUNDLED, HTML)
GRAPHS = tuple(graph_offer(name, by_name(name).media_types) for name in ("turtle", "ntriples", "rdfxml", "rdfjsonld"))
PROVAQ = (
    Offer("turtle", ("text/turtle",), (".ttl",)),
    Offer("rdfjsonld", ("application/ld+json", "application/json"), (".jsonld", ".json")),
    Offer("rdfxml", ("application/rdf+xml",), (".rdf",)),
    Offer("ntriples", ("application/n-triples",), (".nt",)),
)
DESCRIPTION = (
    Offer("turtle", ("text/turtle",), (".ttl",)),
    Offer("rdfjsonld", ("application/ld+json",), (".jsonld",)),
    Offer("rdfxml", ("application/rdf+xml",), (".rdf",)),
    Offer("ntriples", ("application/n-triples",), (".nt",)),
)
METADATA = (JSON, *DESCRIPTION)
CITATION = (
    Offer("jsonld", ("application/ld+json", "application/json"), (".jsonld", ".json")),
    Offer("bibtex", ("application/x-bibtex", "text/x-bibtex"), (".bib",)),
)
ATOM = (Offer("atom", ("application/atom+xml",), (".atom",)),)
ENTRIES = (JSON, Offer("ndjson", ("application/x-ndjson",), (".ndjson",)), HTML)
BLOBS = (Offer("blobs", ("application/vnd.provrepo.blobs",), ()),)
