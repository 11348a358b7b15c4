"""Where identifiers lead that name no thing: versions, documents, projects, rules, types, and all else in a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import url_for

from provrepo.codecs.rdf.terms import PyoxigraphTerms, is_iri
from provrepo.errors import Busy, NotFound, TimedOut, WorkerFailed
from provrepo.model.identifiers import Identifier
from provrepo.repository.lineage.query import FEW
from provrepo.repository.repository import Repository
from provrepo.server.pages.rules import rule_address
from provrepo.server.protocol import auth
from provrepo.server.queries import running

__all__ = ["elsewhere"]

_MOST_VERSIONS = 20_000
"""Versions whose IRIs are compared with one that is no thing."""

_MOST_PROJECTS = 10
"""Private projects whose datasets are asked about an IRI."""

_SECONDS = 2.0

_SAID = "{ BIND(<iri> AS ?subject) GRAPH ?graph { ?subject ?property ?object } }"
_SAID_OF = "{ BIND(<iri> AS ?object) GRAPH ?graph { ?subject ?property ?object } }"
_SAID_BY = "{ BIND(<iri> AS ?property) GRAPH ?graph { ?subject ?property ?object } }"
_SAID_IN = "{ BIND(<iri> AS ?graph) GRAPH ?graph { ?subject ?property ?object } }"
_QUERY = f"""SELECT ?graph ?subject ?property ?object {{
  {_SAID} UNION
  {_SAID_OF} UNION
  {_SAID_BY} UNION
  {_SAID_IN}
}} LIMIT 1000"""


def elsewhere(repo: Repository, iri: str) -> str:
    """The address of what an IRI names that is no thing; empty for none that the caller may read."""
    if known := rule_address(iri):
        return known
    for address in (_version(repo, iri), _project(repo, iri)):
        if address:
            return address
    if iri in repo.search(iri, limit=FEW).facets.get("type", {}):
        return url_for("lineage.search", q=iri)
    return _in_a_dataset(repo, iri)


def _version(repo: Repository, iri: str) -> str:
    """The address of a version or document, of one of its bundles, or of what the repository derived from it."""
    whole = iri.partition("#")[0]
    for hit in repo.search(whole, limit=FEW).documents:
        if hit.iri == whole:
            return url_for("documents.one", project=hit.project, document=hit.name, version=hit.version)
    minter, left = auth.store().minter(), _MOST_VERSIONS
    for project in repo.projects():
        for document in repo.documents(project.name, withdrawn=True):
            if str(minter.document(project.name, document.name)) == whole:
                return url_for("documents.current", project=project.name, document=document.name)
            for number in range(1, document.current.version + 1):
                if str(minter.version(project.name, document.name, number)) == whole:
                    return url_for("documents.one", project=project.name, document=document.name, version=number)
            left -= document.current.version
            if left < 0:
                return ""
    return ""


def _project(repo: Repository, iri: str) -> str:
    minter = auth.store().minter()
    for project in repo.projects():
        if str(minter.project(project.name)) == iri:
            return url_for("projects.one", project=project.name)
    return ""


def _in_a_dataset(repo: Repository, iri: str) -> str:
    """The address of a query for what the datasets say of an IRI, with it, or in the graph of this name."""
    if not is_iri(iri):
        return ""
    term = str(PyoxigraphTerms().iri(Identifier(iri)))
    query = _QUERY.replace("<iri>", term)
    for project in _targets(repo):
        try:
            with running.query_slot():
                found = repo.query(
                    query.replace("LIMIT 1000", "LIMIT 1"),
                    project=project or None,
                    public=not project,
                    timeout=_SECONDS,
                )
        except (Busy, NotFound, TimedOut, WorkerFailed):
            continue
        if found.rows:
            address = url_for("sparql.endpoint", project=project) if project else url_for("sparql.public")
            return f"{address}?{urlencode({'query': query})}"
    return ""


def _targets(repo: Repository) -> Iterator[str]:
    """The datasets to ask: that of all public projects, as the empty name, then the private ones of the caller."""
    yield ""
    private = [project.name for project in repo.projects() if not project.public]
    yield from private[:_MOST_PROJECTS]
