"""Where identifiers lead that name no thing: versions, documents, projects, rules, types, and all else in a dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

from flask import url_for

from provrepo.codecs.rdf.terms import PyoxigraphTerms, is_iri
from provrepo.errors import Busy, NotFound, TimedOut, Withdrawn, WorkerFailed
from provrepo.model.identifiers import Identifier
from provrepo.repository.lineage.query import FEW
from provrepo.repository.repository import Repository
from provrepo.server.pages.rules import rule_address
from provrepo.server.protocol import auth
from provrepo.server.queries import running

__all__ = ["elsewhere"]

_MOST_COMPARED = 2_000
"""Documents and versions whose UUIDs are compared with that of a caller, who may be a stranger."""

_ADDRESS = re.compile(r".*/documents/([\w-]+)(?:/versions/(\d{1,9}))?", re.DOTALL)
"""The IRI of a document or version below a base IRI."""

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
    minter = auth.store().minter()
    for project, document, number in _candidates(repo, whole):
        if number == 0 and str(minter.document(project, document)) == whole:
            return url_for("documents.current", project=project, document=document)
        if number and str(minter.version(project, document, number)) == whole:
            return url_for("documents.one", project=project, document=document, version=number)
    return ""


def _candidates(repo: Repository, iri: str) -> Iterator[tuple[str, str, int]]:
    """Project, document and version of what an IRI may name, 0 for the document itself; none of them is hidden.

    An IRI below a base says the names of document and version. A UUID says nothing, and is compared with those of the
    first documents.
    """
    projects = [project.name for project in repo.projects()]
    if (named := _ADDRESS.fullmatch(iri)) is not None:
        for project in projects:
            with suppress(NotFound, Withdrawn):
                if int(named[2] or 0) <= repo.history(project, named[1])[-1].version:
                    yield project, named[1], int(named[2] or 0)
    elif iri.startswith("urn:uuid:"):
        left = _MOST_COMPARED
        for project in projects:
            for document in repo.documents(project, withdrawn=True, limit=left) if left > 0 else ():
                left -= 1 + document.current.version
                yield from ((project, document.name, number) for number in range(document.current.version + 1))


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
