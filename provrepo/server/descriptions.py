"""What the endpoints are: SPARQL 1.1 Service Description, and VoID of the datasets behind them.

Addresses are relative to the endpoint's own, which the server need not know and a Host header must not decide.
"""

from __future__ import annotations

from flask import Blueprint, Response, url_for

from provrepo.model.identifiers import text
from provrepo.repository.records import ProjectInfo
from provrepo.server import auth
from provrepo.server.negotiate import Offer, choose, content_type
from provrepo.server.respond import cached
from provrepo.vocab import PREDECLARED

__all__ = ["TURTLE", "blueprint", "service"]

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
"""Of http://www.w3.org/ns/formats/."""

_VOCABULARIES = ("prov", "dcterms", "dcat", "provrepo")

_PREFIXES = """\
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix fmt: <http://www.w3.org/ns/formats/> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
"""


def service(project: ProjectInfo | None) -> Response:
    """The description of an endpoint.

    Args:
        project: whose dataset it asks; None for that of all public projects.
    """
    lines = [
        _PREFIXES,
        "<> a sd:Service ;",
        "    sd:endpoint <> ;",
        "    sd:supportedLanguage sd:SPARQL11Query ;",
        f"    sd:resultFormat {' , '.join(f'fmt:{name}' for name in _RESULTS)} ;",
        "    sd:defaultDataset <#dataset> .",
        "",
        "<#dataset> a sd:Dataset , void:Dataset ;",
        f"    dcterms:title {_title(project)} ;",
        *_vocabularies(),
        "    void:sparqlEndpoint <> ;",
        "    sd:defaultGraph [ a sd:Graph ] .",
    ]
    return Response("\n".join(lines) + "\n", content_type=content_type("text/turtle"))


@blueprint.get("/.well-known/void")
def void() -> Response:
    """The datasets that the caller may read (VoID, section 7.2)."""
    projects = auth.repository().projects()
    choose((TURTLE,))
    endpoint = url_for("sparql.endpoint")
    lines = [
        _PREFIXES,
        "<> a void:DatasetDescription ;",
        "    foaf:topic <#public> .",
        "",
        "<#public> a void:Dataset ;",
        f"    dcterms:title {_title(None)} ;",
        *_vocabularies(),
        *(f"    void:subset <#project-{info.name}> ;" for info in projects if info.public),
        f"    void:sparqlEndpoint <{endpoint}> .",
    ]
    for info in projects:
        lines += [
            "",
            f"<#project-{info.name}> a void:Dataset ;",
            f"    dcterms:title {_title(info)} ;",
            f"    dcterms:identifier {_string(info.name)} ;",
            f"    foaf:homepage <{url_for('projects.one', project=info.name)}> ;",
            f"    void:sparqlEndpoint <{url_for('sparql.endpoint', project=info.name)}> .",
        ]
    return cached(Response("\n".join(lines) + "\n", content_type=content_type("text/turtle")))


def _vocabularies() -> list[str]:
    return [f"    void:vocabulary <{PREDECLARED[name]}> ;" for name in _VOCABULARIES]


def _title(project: ProjectInfo | None) -> str:
    return _string("All public projects" if project is None else project.title or project.name)


def _string(value: str) -> str:
    from provrepo.codecs.rdf_terms import Terms

    return str(Terms().value(text(value)))
