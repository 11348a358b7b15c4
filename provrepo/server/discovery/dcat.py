"""Descriptions in DCAT 3: the repository and its projects as catalogs, documents and versions as datasets.

The IRIs are those that the repository mints. Addresses for downloads are absolute, below the base IRI or the configured
address of the server. A withdrawn document keeps its dataset and its record, without distributions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, url_for
from werkzeug.http import parse_options_header

from provrepo.codecs.formats import WRITABLE, Format, by_name
from provrepo.codecs.results import QueryResult
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.repository.records import DocumentInfo, ProjectInfo, VersionInfo
from provrepo.server.protocol import auth
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.negotiate import Choice, content_type
from provrepo.server.protocol.respond import conditional, uri
from provrepo.vocab import DCAT, DCTERMS, FOAF, PROV, PROVREPO, RDF_TYPE, SPDX, XSD, XSD_DATETIME

__all__ = ["document", "project", "repository", "response", "version"]

_ADMS_STATUS = "http://www.w3.org/ns/adms#status"
_STATUS = {
    "current": "http://purl.org/adms/status/Completed",
    "superseded": "http://purl.org/adms/status/Deprecated",
    "withdrawn": "http://purl.org/adms/status/Withdrawn",
    "erased": "http://purl.org/adms/status/Withdrawn",
}
"""The state of a version as a status of the vocabulary ADMS; erased bytes are withdrawn to its readers."""

_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"

_Triple = tuple[str, str, Value]


def response(triples: Iterable[_Triple], choice: Choice) -> Response:
    """The answer with triples in an RDF format, each once, those of one subject together."""
    grouped: dict[str, dict[_Triple, None]] = {}
    for triple in triples:
        grouped.setdefault(triple[0], {})[triple] = None
    quads = [Quad(Identifier(s), Identifier(p), o) for group in grouped.values() for s, p, o in group]
    data = QueryResult("graph", triples=quads).write(choice.name)
    return conditional(Response(data, content_type=content_type(choice.media_type)))


def repository(projects: Iterable[ProjectInfo]) -> Iterator[_Triple]:
    """The repository as a catalog of the projects, with its services.

    Args:
        projects: those that the caller may read.
    """
    own, home = str(auth.store().minter().repository()), absolute(url_for("pages.home"))
    yield from _typed(own, DCAT + "Catalog", PROVREPO + "Repository")
    yield own, DCTERMS + "title", text("Provenance documents", "en")
    yield own, DCTERMS + "description", text("A repository for documents in W3C PROV.", "en")
    yield own, FOAF + "homepage", Identifier(home)
    endpoint = absolute(url_for("sparql.public"))
    yield from _service(own, f"{own}#sparql", endpoint, endpoint, "SPARQL 1.1 over all public projects")
    yield from _service(own, f"{own}#http", home, absolute(url_for("openapi.own")), "HTTP: documents, lineage, search")
    for info in projects:
        yield own, DCAT + "catalog", Identifier(_project_iri(info))
        if info.public:
            yield f"{own}#sparql", DCAT + "servesDataset", Identifier(_project_iri(info))
        yield from project(info)


def project(info: ProjectInfo) -> Iterator[_Triple]:
    """A project as a catalog, without its documents."""
    iri, page = _project_iri(info), absolute(url_for("projects.one", project=info.name))
    yield from _typed(iri, DCAT + "Catalog", PROVREPO + "Project")
    yield iri, DCTERMS + "title", text(info.title or info.name)
    yield iri, DCTERMS + "identifier", text(info.name)
    yield iri, DCTERMS + "isPartOf", Identifier(str(auth.store().minter().repository()))
    yield iri, DCAT + "landingPage", Identifier(page)
    described = absolute(url_for("catalogs.of_project", project=info.name))
    yield iri, "http://www.w3.org/2000/01/rdf-schema#seeAlso", Identifier(described)
    yield from _license(iri, info)


def document(info: DocumentInfo, of: ProjectInfo) -> Iterator[_Triple]:
    """A document as a dataset with its record in the catalog of its project.

    Args:
        info: the document, withdrawn or not.
        of: its project.
    """
    newest, minter = info.current, auth.store().minter()
    iri = str(minter.document(info.project, info.name))
    catalog, record = _project_iri(of), f"{iri}#record"
    address = absolute(url_for("documents.current", project=info.project, document=info.name))
    modified = newest.ended or newest.time
    yield catalog, DCAT + "dataset", Identifier(iri)
    yield catalog, DCAT + "record", Identifier(record)
    yield from _typed(record, DCAT + "CatalogRecord")
    yield record, FOAF + "primaryTopic", Identifier(iri)
    yield record, DCTERMS + "modified", _time(modified)
    yield from _status(record, newest)
    yield from _typed(iri, DCAT + "Dataset", PROVREPO + "Document")
    yield iri, DCTERMS + "identifier", text(info.name)
    yield iri, DCTERMS + "title", text(info.title)
    yield iri, DCTERMS + "modified", _time(modified)
    yield iri, DCAT + "landingPage", Identifier(address)
    yield from _license(iri, of)
    yield from _status(iri, newest)
    yield iri, DCAT + "hasVersion", Identifier(newest.iri)
    if newest.state == "current":
        yield iri, DCAT + "hasCurrentVersion", Identifier(newest.iri)
        yield iri, DCAT + "distribution", Identifier(f"{newest.iri}#original")
    yield from version(newest, info.title, of, formats=False)


def version(info: VersionInfo, title: str, of: ProjectInfo, *, formats: bool = True) -> Iterator[_Triple]:
    """A version as a dataset.

    Args:
        info: the version.
        title: the title of its document.
        of: its project.
        formats: whether to list it in all formats, besides the submitted bytes.
    """
    iri, minter = info.iri, auth.store().minter()
    yield from _typed(iri, DCAT + "Dataset", PROVREPO + "Version", PROV + "Entity")
    yield iri, DCTERMS + "identifier", text(iri)
    yield iri, DCTERMS + "title", text(title)
    yield iri, DCAT + "version", text(str(info.version))
    yield iri, DCAT + "isVersionOf", Identifier(str(minter.document(info.project, info.name)))
    if info.version > 1:
        previous = Identifier(str(minter.version(info.project, info.name, info.version - 1)))
        yield iri, DCAT + "previousVersion", previous
        yield iri, PROV + "wasRevisionOf", previous
    yield iri, DCTERMS + "issued", _time(info.time)
    yield iri, PROVREPO + "state", text(info.state)
    yield from _status(iri, info)
    yield from _license(iri, of)
    if info.actor:
        actor = str(minter.actor(info.project, info.actor))
        yield iri, DCTERMS + "creator", Identifier(actor)
        yield from _typed(actor, FOAF + "Agent")
        yield actor, FOAF + "name", text(info.submitter)
    if info.note:
        yield iri, DCTERMS + "description", text(info.note)
    if info.ended:
        yield iri, PROV + "invalidatedAtTime", _time(info.ended)
    if info.reason:
        yield iri, PROVREPO + "reason", text(info.reason)
    if info.state in ("current", "superseded"):
        yield from _distributions(info, of, formats=formats)


def _distributions(info: VersionInfo, of: ProjectInfo, *, formats: bool) -> Iterator[_Triple]:
    """The submitted bytes with their digest, and the same version in other formats."""
    names: dict[str, Any] = {"project": info.project, "document": info.name, "version": info.version}
    at = absolute(url_for("documents.one", **names))
    own, checksum = f"{info.iri}#original", f"{info.iri}#sha256"
    yield from _distribution(info.iri, own, f"{at}/original", at, by_name(info.format), of)
    yield own, DCAT + "byteSize", Literal(str(info.size), XSD + "nonNegativeInteger")
    yield own, SPDX + "checksum", Identifier(checksum)
    yield from _typed(checksum, SPDX + "Checksum")
    yield checksum, SPDX + "algorithm", Identifier(SPDX + "checksumAlgorithm_sha256")
    yield checksum, SPDX + "checksumValue", Literal(info.sha256, XSD + "hexBinary")
    for format_ in WRITABLE if formats else ():
        if format_.name != info.format:
            address = at + format_.suffixes[0]
            yield from _distribution(info.iri, f"{info.iri}#{format_.name}", address, at, format_, of)


def _distribution(dataset: str, iri: str, download: str, page: str, form: Format, of: ProjectInfo) -> Iterator[_Triple]:
    media_type, _ = parse_options_header(form.media_type)
    yield dataset, DCAT + "distribution", Identifier(iri)
    yield from _typed(iri, DCAT + "Distribution")
    yield iri, DCTERMS + "title", text(form.title)
    yield iri, DCAT + "accessURL", Identifier(page)
    yield iri, DCAT + "downloadURL", Identifier(download)
    yield iri, DCAT + "mediaType", Identifier(_MEDIA_TYPES + media_type)
    yield iri, DCTERMS + "conformsTo", Identifier(form.specification)
    yield from _license(iri, of)


def _service(catalog: str, iri: str, endpoint: str, description: str, title: str) -> Iterator[_Triple]:
    yield catalog, DCAT + "service", Identifier(iri)
    yield from _typed(iri, DCAT + "DataService")
    yield iri, DCTERMS + "title", text(title, "en")
    yield iri, DCAT + "endpointURL", Identifier(endpoint)
    yield iri, DCAT + "endpointDescription", Identifier(description)


def _typed(iri: str, *types: str) -> Iterator[_Triple]:
    for type_ in types:
        yield iri, RDF_TYPE, Identifier(type_)


def _license(iri: str, of: ProjectInfo) -> Iterator[_Triple]:
    if of.license:
        yield iri, DCTERMS + "license", Identifier(uri(of.license))


def _status(iri: str, info: VersionInfo) -> Iterator[_Triple]:
    yield iri, _ADMS_STATUS, Identifier(_STATUS[info.state])


def _time(value: str) -> Literal:
    return Literal(value, XSD_DATETIME)


def _project_iri(info: ProjectInfo) -> str:
    return str(auth.store().minter().project(info.name))
