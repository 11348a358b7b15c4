"""The statements of a version, filtered and in parts; what changed between two versions; and how to cite one."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.codecs.rdf.terms import is_iri
from provrepo.server.documents import citing
from provrepo.server.lineage import provaq
from provrepo.server.pages import pages, statement_list
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose, content_type
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response, version_number
from provrepo.server.routing.offers import CITATION

__all__ = ["blueprint"]

blueprint = Blueprint("statements", __name__)

_DOCUMENT = "/projects/<project>/documents/<document>"

_MOST = 1000
"""Statements of an answer in JSON."""

_MOST_ON_PAGE = 200
"""Statements on a page, which then is about ten screens long."""

_MOST_LEFT_OUT = 99_999_999


@blueprint.get(f"{_DOCUMENT}/statements", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/statements")
def listed(project: str, document: str, version: str | None) -> Response:
    """A part of the statements of a version: ``?q=`` words, ``?kind=``, ``?thing=``, ``?offset=``, ``?limit=``."""
    repo = auth.repository()
    info = repo.version(project, document, None if version is None else version_number(version))
    as_page = choose((JSON, HTML)).name == HTML.name
    text, kind, thing = (request.args.get(name, "").strip() for name in ("q", "kind", "thing"))
    if thing and not is_iri(thing):
        raise Rejected(400, f"thing={thing[:200]} is not an absolute IRI", parameter="thing")
    found = repo.statements(
        project,
        document,
        info.version,
        text=text,
        kind=kind,
        thing=thing,
        offset=parameters.number("offset", _MOST_LEFT_OUT, least=0) or 0,
        limit=parameters.number("limit", _MOST_ON_PAGE if as_page else _MOST) or 50,
    )
    provaq.version(info)
    shown = statement_list.of_page(found, text=text, kind=kind, thing=thing)
    if as_page:
        return conditional(pages.page("statements.html", version=info, statements=shown))
    return json_response(found.to_dict(), next_=shown.part.after or None)


@blueprint.get(f"{_DOCUMENT}/diff")
def diff(project: str, document: str) -> Response:
    """What changed from version ``?from=`` to version ``?to=``; by default the last change."""
    repo = auth.repository()
    repo.require(project)
    as_page = choose((JSON, HTML)).name == HTML.name
    before, after = (parameters.number(name, 999_999_999) for name in ("from", "to"))
    if as_page and before is None and after is None and len(history := repo.history(project, document)) == 1:
        return conditional(pages.page("diff.html", project=project, name=document, history=history, changes=None))
    found = repo.diff(project, document, before, after)
    if as_page:
        history = repo.history(project, document)
        return conditional(pages.page("diff.html", project=project, name=document, history=history, changes=found))
    return json_response(found.to_dict())


@blueprint.get(f"{_DOCUMENT}/citation", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/citation")
def citation(project: str, document: str, version: str | None) -> Response:
    """How to cite a version: schema.org as JSON-LD, or BibTeX."""
    repo = auth.repository()
    info = repo.version(project, document, None if version is None else version_number(version))
    choice = choose(CITATION)
    provaq.version(info)
    cited = citing.citation(info, repo.document(project, document).title, repo.project(project))
    text = cited.bibtex if choice.name == "bibtex" else cited.json_ld
    return conditional(Response(text, content_type=content_type(choice.media_type)))
