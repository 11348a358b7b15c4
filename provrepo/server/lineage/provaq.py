"""PROV-AQ (W3C Note of 30 April 2013): each answer links to provenance and to query services.

A handler declares the subject of its answer; the same links then go into the ``Link`` header (section 3.1) and, as
``<link>`` elements, into the page (section 3.2). The service description (section 4.1) describes the query services.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

from flask import Blueprint, Flask, Response, g, request, url_for

from provrepo.codecs.results import QueryResult
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Value, text
from provrepo.repository.lineage.records import LineageNode, SourceReference
from provrepo.repository.records import VersionInfo
from provrepo.server.protocol import addresses, auth
from provrepo.server.protocol.negotiate import choose, content_type
from provrepo.server.protocol.respond import Links, conditional
from provrepo.server.routing.offers import PROVAQ
from provrepo.vocab import DCTERMS, PROV, RDF_TYPE

__all__ = [
    "HAS_ANCHOR",
    "HAS_PROVENANCE",
    "HAS_QUERY_SERVICE",
    "PINGBACK",
    "blueprint",
    "declared",
    "lineage",
    "register",
    "thing",
    "version",
]

HAS_PROVENANCE = PROV + "has_provenance"
HAS_ANCHOR = PROV + "has_anchor"
HAS_QUERY_SERVICE = PROV + "has_query_service"
PINGBACK = PROV + "pingback"

blueprint = Blueprint("provaq", __name__)

ROOM = 4000
"""Bytes of all ``Link`` headers up to which links are added: proxies allow 4 to 8 KiB for a whole answer's headers."""

_MOST_RECORDS = 8
"""Documents that the answer about one thing links to."""

_WITH_SERVICE = frozenset({"documents", "lineage", "pages", "projects"})
"""Blueprints whose answers link to the query service even without a subject.

SPARQL is not one of them: it has its own description, and clients send hundreds of queries a second.
"""

_SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_RESULT_FORMATS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "RDF_XML",
    "JSON-LD",
)


_LINKED = re.compile(r"(?i)(?:https?://|/(?![/\\])|(?:ark|did|doi|hash|info|nih?|swh|tag|urn):)")
"""Permitted links: web addresses, and IRIs that browsers do not open. The IRI of a thing may be ``javascript:…``."""


@dataclass(frozen=True, slots=True)
class _Link:
    target: str
    relation: str
    anchor: str = ""


def register(app: Flask) -> None:
    """Put the links on answers and into pages."""
    app.register_blueprint(blueprint)

    @app.after_request
    def _(response: Response) -> Response:
        # The Note defines the links for successful answers only.
        if request.method in {"GET", "HEAD"} and response.status_code in {200, 304}:
            _add(response)
        return response

    @app.context_processor
    def _() -> dict[str, Any]:
        # A link in a page has no anchor of its own: one `has_anchor` applies to all (section 3.2).
        shown = [(link.relation, link.target) for link in _links()]
        return {"provenance_links": list(dict.fromkeys(shown))}


def version(info: VersionInfo) -> None:
    """Declare that the answer to the running request is about a version of a document."""
    g.version = info.version
    names: dict[str, Any] = {"project": info.project, "document": info.name, "version": info.version}
    found = [
        _Link(url_for("documents.one", **names), HAS_PROVENANCE, info.iri),
        _Link(_catalogued(info), HAS_PROVENANCE, info.iri),
        _Link(info.iri, HAS_ANCHOR),
        _Link(url_for("provaq.service"), HAS_QUERY_SERVICE, info.iri),
    ]
    g.provenance = [*found, *_pingback(names, info.iri)]


def declared() -> list[tuple[str, str, str]]:
    """The links of the current answer for a linkset: anchor, relation and target; without ``has_anchor``."""
    return [(link.anchor, link.relation, link.target) for link in _links() if link.anchor]


def thing(node: LineageNode) -> None:
    """Declare that the answer to the running request is about one thing."""
    documents = _documents(node.sources)[:_MOST_RECORDS]
    records = [_Link(url_for("documents.one", **names), HAS_PROVENANCE, node.iri) for names in documents]
    # One is enough: clients need not send the same pingback for each document.
    pingback = [_pingback(names, node.iri, iri=node.iri) for names in documents[:1]]
    g.provenance = [*_about(node.iri), *chain.from_iterable(pingback), *records]


def lineage(iri: str) -> None:
    """Declare that the answer to the running request is the lineage of a thing."""
    g.provenance = _about(iri)


@blueprint.get("/prov-aq")
def service() -> Response:
    """The query services: by a thing's IRI, and in SPARQL (PROV-AQ, section 4.1)."""
    choice = choose(PROVAQ)
    triples = [Quad(Identifier(s), Identifier(p), o) for s, p, o in _description(addresses.address())]
    data = QueryResult("graph", triples=triples).write(choice.name)
    return conditional(Response(data, content_type=content_type(choice.media_type)))


def _description(base: str) -> list[tuple[str, str, Value]]:
    """The triples of the service description.

    Args:
        base: the address of the server, ending in a slash.
    """
    here = base + "prov-aq"
    simple, reserved, sparql = (f"{here}#{name}" for name in ("direct", "direct-unencoded", "sparql"))
    lineage_at = base + "lineage?iri="
    direct = Identifier(PROV + "DirectQueryService")
    template, describes = PROV + "provenanceUriTemplate", PROV + "describesService"
    return [
        (here, RDF_TYPE, Identifier(PROV + "ServiceDescription")),
        (here, DCTERMS + "title", text("Provenance by the IRI of a thing, and in SPARQL")),
        *((here, describes, Identifier(found)) for found in (simple, reserved, sparql)),
        (simple, RDF_TYPE, direct),
        (simple, template, text(lineage_at + "{uri}")),
        (simple, DCTERMS + "description", text("For every IRI.")),
        (reserved, RDF_TYPE, direct),
        (reserved, template, text(lineage_at + "{+uri}")),
        # Section 4.2: such a template may not be used where a target-URI has these characters.
        (reserved, DCTERMS + "description", text("For IRIs without # and &, which would end the parameter.")),
        (sparql, RDF_TYPE, Identifier(_SD + "Service")),
        (sparql, _SD + "endpoint", Identifier(base + "sparql")),
        (sparql, _SD + "supportedLanguage", Identifier(_SD + "SPARQL11Query")),
        *((sparql, _SD + "resultFormat", Identifier(_FORMATS + name)) for name in _RESULT_FORMATS),
    ]


def _catalogued(info: VersionInfo) -> str:
    """The address of the provenance of a version: who submitted it, when and how."""
    graph: dict[str, Any] = {"default-graph-uri": auth.store().minter().catalogue()}
    return url_for("sparql.endpoint", project=info.project, query=f"DESCRIBE <{info.iri}>", **graph)


def _about(iri: str) -> list[_Link]:
    return [
        _Link(url_for("lineage.lineage", iri=iri), HAS_PROVENANCE, iri),
        _Link(iri, HAS_ANCHOR),
        _Link(url_for("provaq.service"), HAS_QUERY_SERVICE, iri),
    ]


def _pingback(names: dict[str, Any], anchor: str, **about: Any) -> list[_Link]:
    """The links for pingbacks about a version; none where the settings allow no pingbacks."""
    if not auth.store().settings.pingbacks:
        return []
    return [_Link(url_for("pingback.received_for_version", **names, **about), PINGBACK, anchor)]


def _documents(sources: Sequence[SourceReference]) -> list[dict[str, Any]]:
    """The versions that mention a thing, each once, even where several of its bundles do."""
    versions = dict.fromkeys((source.project, source.document, source.version) for source in sources)
    return [dict(zip(("project", "document", "version"), version, strict=True)) for version in versions]


def _links() -> list[_Link]:
    """The links of the answer to the running request, without IRIs that a browser would execute."""
    if "provenance" in g:
        named = cast("list[_Link]", g.provenance)
        return [
            link for link in named if _LINKED.match(link.target) and (not link.anchor or _LINKED.match(link.anchor))
        ]
    if request.blueprint in _WITH_SERVICE:
        return [_Link(url_for("provaq.service"), HAS_QUERY_SERVICE)]
    return []


def _add(response: Response) -> None:
    before = response.headers.get("Link", "")
    left = ROOM - len(before)
    parts = [before] if before else []
    for link in _links():
        added = Links()
        added.add(link.target, link.relation, anchor=link.anchor)
        left -= len(str(added)) + 2
        if left < 0:
            break
        parts.append(str(added))
    if parts:
        response.headers["Link"] = ", ".join(parts)
