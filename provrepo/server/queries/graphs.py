"""The read operation of the SPARQL 1.1 Graph Store HTTP Protocol: one graph of a project's dataset.

The asserted graph of a version is converted from the submitted bytes, which preserves the lexical forms of values. All
other graphs (completed graphs, bundles, the catalogue, the default graph) come from the dataset.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotFound
from provrepo.model.identifiers import Literal
from provrepo.repository.queries.named import Parameter
from provrepo.repository.repository import Repository
from provrepo.repository.submission.conversion import convert
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import Choice, choose, content_type
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional
from provrepo.server.queries import running
from provrepo.server.queries.running import Target
from provrepo.server.routing.offers import GRAPHS

__all__ = ["blueprint"]

blueprint = Blueprint("graphs", __name__)

_GRAPH = Parameter("graph", "iri", "the graph's name")

_ASSERTED = """SELECT ?document ?version {
  GRAPH ?catalogue { %s provrepo:document/dcterms:identifier ?document ; provrepo:version ?version ; provrepo:graph %s }
}"""
_EXISTS = "ASK { GRAPH %s { ?s ?p ?o } }"


@blueprint.get("/projects/<project>/graphs")
def one(project: str) -> Response:
    """One graph of a dataset: the graph that ``?graph=`` names, or with ``?default`` the default graph."""
    repo = auth.repository()
    graph = _graph()
    if graph is None:
        return _constructed(repo, project, "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }")
    term = _GRAPH.term(graph)
    submitted = running.run(repo, Target(project), _ASSERTED % (term, term)).rows
    if submitted:
        document, version = submitted[0]["document"], submitted[0]["version"]
        if isinstance(document, Literal) and isinstance(version, Literal):
            return _asserted(repo, project, document.lexical, int(version.lexical))
    if not running.run(repo, Target(project), _EXISTS % term).boolean:
        raise NotFound(f"the dataset of {project!r} has no graph {graph}")
    return _constructed(repo, project, f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH {term} {{ ?s ?p ?o }} }}")


def _graph() -> str | None:
    """The name of the requested graph (SPARQL 1.1 Graph Store HTTP Protocol, section 4.2); None for the default graph.

    Raises:
        Rejected: 400, neither or both are given, or the name is not an absolute IRI.
    """
    named, default = request.args.getlist("graph"), "default" in request.args
    if len(named) + default != 1:
        raise Rejected(400, "name one graph: ?graph=IRI, or ?default")
    if default or named == ["default"]:
        return None
    if not is_iri(named[0]):
        raise Rejected(400, f"graph={named[0][:200]} is not an absolute IRI")
    return named[0]


def _asserted(repo: Repository, project: str, name: str, version: int) -> Response:
    choice = choose(GRAPHS, lenient=True)
    data, info = repo.original(project, name, version)
    return _response(convert(auth.store(), info, data, choice.name, bundles=False), choice)


def _constructed(repo: Repository, project: str, query: str) -> Response:
    choice = choose(GRAPHS, lenient=True)
    return _response(running.run(repo, Target(project), query).write(choice.name), choice)


def _response(data: bytes, choice: Choice) -> Response:
    response = Response(data, content_type=content_type(choice.media_type))
    if choice.media_type.endswith("xml"):
        # Browsers would run scripts that untrusted XML contains in the XHTML namespace.
        response.headers["Content-Disposition"] = 'attachment; filename="graph.rdf"'
    return conditional(response)
