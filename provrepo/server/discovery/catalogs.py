"""The catalogs in DCAT 3: of the repository, and of one project with its documents."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, url_for

from provrepo.model.identifiers import Identifier, Value
from provrepo.repository.records import DocumentInfo, ProjectInfo
from provrepo.server.discovery import dcat
from provrepo.server.protocol import auth
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.negotiate import choose
from provrepo.server.protocol.respond import Links, pagination
from provrepo.server.routing.offers import DESCRIPTION
from provrepo.vocab import FOAF, RDF_TYPE

__all__ = ["blueprint"]

blueprint = Blueprint("catalogs", __name__)

_HYDRA = "http://www.w3.org/ns/hydra/core#"


@blueprint.get("/catalog")
def catalog() -> Response:
    """The repository with the projects that the caller may read, in DCAT 3."""
    projects = auth.repository().projects()
    choice = choose(DESCRIPTION)
    return dcat.response(dcat.repository(projects), choice)


@blueprint.get("/projects/<project>/catalog")
def of_project(project: str) -> Response:
    """A project with its documents in DCAT 3, withdrawn ones too; in pages."""
    repo = auth.repository()
    info = repo.project(project)
    choice, page = choose(DESCRIPTION), pagination()
    found = repo.documents(project, after=page.after, limit=page.limit + 1, withdrawn=True)
    shown = found[: page.limit]
    following = page.next(shown[-1].name) if len(found) > len(shown) else ""
    answer = dcat.response(_triples(info, shown, following), choice)
    if following:
        links = Links()
        links.add(following, "next", choice.media_type)
        answer.headers["Link"] = str(links)
    return answer


def _triples(info: ProjectInfo, documents: list[DocumentInfo], following: str) -> Iterator[tuple[str, str, Value]]:
    yield from dcat.project(info)
    for document in documents:
        yield from dcat.document(document, info)
    here = absolute(url_for("catalogs.of_project", project=info.name))
    yield here, RDF_TYPE, Identifier(FOAF + "Document")
    yield here, FOAF + "primaryTopic", Identifier(str(auth.store().minter().project(info.name)))
    if following:
        # Harvesters that do not read Link headers follow this (Hydra Core Vocabulary, section 5.1).
        yield here, _HYDRA + "next", Identifier(absolute(following))
