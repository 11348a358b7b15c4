"""Descriptions of the SPARQL endpoints (SPARQL 1.1 Service Description) and of their datasets (VoID).

Addresses are relative to that of the description, so that they do not depend on the Host header.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from flask import Blueprint, Flask, Response, current_app, url_for

from provrepo.model.identifiers import text
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import Offer, choose, content_type
from provrepo.server.protocol.respond import conditional
from provrepo.server.queries import running
from provrepo.server.queries.running import Target
from provrepo.server.queries.statistics import DatasetStatistics, StatisticsCache
from provrepo.vocab import PREDECLARED

__all__ = ["TURTLE", "register", "service"]

blueprint = Blueprint("descriptions", __name__)

TURTLE = Offer("turtle", ("text/turtle",), (".ttl",))

_RESULTS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "RDF_XML",
    "JSON-LD",
    "TriG",
    "N-Quads",
)
"""Local names in http://www.w3.org/ns/formats/."""

_EXTENSION = "provrepo.statistics"
_VOCABULARIES = ("prov", "dcterms", "dcat", "provrepo")

_PREFIXES = """\
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix fmt: <http://www.w3.org/ns/formats/> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
"""


def register(app: Flask) -> None:
    """Register the blueprint and the cache of statistics."""
    app.extensions[_EXTENSION] = StatisticsCache()
    app.register_blueprint(blueprint)


def service(target: Target) -> Response:
    """The service description of the endpoint of a target."""
    statistics = _statistics(target)
    lines = [
        _PREFIXES,
        "<> a sd:Service ;",
        "    sd:endpoint <> ;",
        "    sd:supportedLanguage sd:SPARQL11Query ;",
        f"    sd:resultFormat {' , '.join(f'fmt:{name}' for name in _RESULTS)} ;",
        "    sd:defaultDataset <#dataset> .",
        "",
        "<#dataset> a sd:Dataset , void:Dataset ;",
        f"    dcterms:title {_string(_title(target))} ;",
        *_vocabularies(),
        *_counts(statistics),
        *(f"    sd:namedGraph [ a sd:NamedGraph ; sd:name <{graph}> ] ;" for graph in statistics.graphs),
        "    void:sparqlEndpoint <> ;",
        "    sd:defaultGraph [ a sd:Graph ] .",
    ]
    return Response("\n".join(lines) + "\n", content_type=content_type("text/turtle"))


@blueprint.get("/.well-known/void")
def void() -> Response:
    """The VoID description of the datasets that the caller may read (VoID, section 7.2)."""
    projects = auth.repository().projects()
    choose((TURTLE,))
    public = Target()
    lines = [
        _PREFIXES,
        "<> a void:DatasetDescription ;",
        "    foaf:topic <#public> .",
        "",
        "<#public> a void:Dataset ;",
        f"    dcterms:title {_string(_title(public))} ;",
        *_vocabularies(),
        *_counts(_statistics(public)),
        *(f"    void:subset <#project-{info.name}> ;" for info in projects if info.public),
        f"    prov:has_query_service <{url_for('provaq.service')}> ;",  # PROV-AQ, section 3.3
        f"    void:sparqlEndpoint <{url_for('sparql.public')}> .",
    ]
    for info in projects:
        lines += [
            "",
            f"<#project-{info.name}> a void:Dataset ;",
            f"    dcterms:title {_string(info.title or info.name)} ;",
            f"    dcterms:identifier {_string(info.name)} ;",
            f"    foaf:homepage <{url_for('projects.one', project=info.name)}> ;",
            f"    void:sparqlEndpoint <{url_for('sparql.endpoint', project=info.name)}> .",
        ]
    return conditional(Response("\n".join(lines) + "\n", content_type=content_type("text/turtle")))


def _statistics(target: Target) -> DatasetStatistics:
    if target.document or target.merged:
        return DatasetStatistics()
    cache = cast("StatisticsCache", current_app.extensions[_EXTENSION])
    return cache.of(target, partial(running.run, auth.repository(), target))


def _counts(statistics: DatasetStatistics) -> list[str]:
    return [f"    void:{name} {count} ;" for name, count in statistics.counts]


def _vocabularies() -> list[str]:
    return [f"    void:vocabulary <{PREDECLARED[name]}> ;" for name in _VOCABULARIES]


def _title(target: Target) -> str:
    if target.merged:
        return target.title
    if target.project is None:
        return "All public projects"
    return target.title if target.document else auth.repository().project(target.project).title or target.project


def _string(value: str) -> str:
    from provrepo.codecs.rdf.terms import PyoxigraphTerms

    return str(PyoxigraphTerms().value(text(value)))
