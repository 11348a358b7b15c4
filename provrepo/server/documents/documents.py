"""Reading documents and their versions; the representation is negotiated."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Response, request, url_for

from provrepo._version import __version__
from provrepo.codecs.formats import WRITABLE, by_name
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.records import VersionInfo
from provrepo.repository.repository import Repository
from provrepo.server.discovery import dcat, linksets, signposts
from provrepo.server.documents import reports
from provrepo.server.lineage import provaq
from provrepo.server.pages import pages
from provrepo.server.pages.document_page import document_page
from provrepo.server.pages.lists import Order, listed
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, Choice, Offer, choose, content_type
from provrepo.server.protocol.respond import conditional, json_response, not_modified, version_number
from provrepo.server.routing.offers import METADATA

__all__ = ["OFFERS", "VERSION_ORDERS", "blueprint"]

blueprint = Blueprint("documents", __name__)

OFFERS = (*(Offer(f.name, f.media_types, f.suffixes) for f in WRITABLE), HTML)
"""PROV-JSON is first and so the default; the page is last, so that only clients that ask for HTML get it."""

_DOCUMENT = "/projects/<project>/documents/<document>"


_MOST_VERSIONS = 999_999_999


@dataclass(frozen=True, slots=True)
class _DocumentPath:
    """The version and the representation that a path names.

    Attributes:
        project: the name of the project.
        name: the name of the document, without a suffix.
        version: the number of the version; None for the current one.
        suffix: the suffix of the path with its dot, or empty.
    """

    project: str
    name: str
    version: int | None = None
    suffix: str = ""


@blueprint.get(_DOCUMENT)
def current(project: str, document: str) -> Response:
    """The current version of a document."""
    name, dot, suffix = document.partition(".")
    return _show(_DocumentPath(project, name, suffix=dot + suffix))


@blueprint.get(f"{_DOCUMENT}/versions/<version>")
def one(project: str, document: str, version: str) -> Response:
    """One version, which never changes; 410 if a withdrawal covers it and the caller may not write."""
    number, dot, suffix = version.partition(".")
    return _show(_DocumentPath(project, document, version_number(number), dot + suffix))


@blueprint.get(f"{_DOCUMENT}/versions")
def versions(project: str, document: str) -> Response:
    """The versions of a document, oldest first: the last ``?limit=`` (50), before version ``?before=``.

    A page has the newest first. With ``q``, ``sort`` or ``offset``,
    the page and the JSON have the same versions in the same order.
    """
    repo = auth.repository()
    history = repo.history(project, document)
    page = choose((JSON, HTML)).name == HTML.name
    before = parameters.number("before", _MOST_VERSIONS)
    limit = parameters.number("limit", MAX_PAGE_SIZE) or PAGE_SIZE
    found = [info for info in history if before is None or info.version < before]
    if page or any(request.args.get(name) for name in ("q", "sort", "offset")):
        return _listed_versions(project, document, found, page=page)
    shown = found[-limit:]
    further = None
    if len(shown) < len(found):
        kept = {"format": request.args["format"]} if "format" in request.args else {}
        further = url_for(
            "documents.versions",
            project=project,
            document=document,
            before=shown[0].version,
            limit=limit,
            **cast("dict[str, Any]", kept),
        )
    return json_response(
        {"project": project, "name": document, "total": len(found), "versions": [info.to_dict() for info in shown]},
        next_=further,
    )


VERSION_ORDERS = {
    "newest": Order[VersionInfo]("Newest first", lambda info: info.version, reverse=True),
    "oldest": Order[VersionInfo]("Oldest first", lambda info: info.version),
    "statements": Order[VersionInfo]("Most statements first", lambda info: info.statements, reverse=True),
    "warnings": Order[VersionInfo]("Most warnings first", lambda info: info.warnings or 0, reverse=True),
}
"""The orders of versions."""


def _listed_versions(project: str, document: str, found: list[VersionInfo], *, page: bool) -> Response:
    """The versions that fit, in an order that was asked for."""

    def text(info: VersionInfo) -> str:
        texts = (info.state, info.verdict, info.submitter, info.note, info.reason, info.sha256, info.time)
        return "\n".join(map(str, texts))

    shown = listed(found, VERSION_ORDERS, text)
    if page:
        return conditional(pages.page("versions.html", project=project, name=document, listed=shown))
    answer = {"total": shown.part.total, "versions": [info.to_dict() for info in shown.shown]}
    return json_response({"project": project, "name": document, **answer}, next_=shown.part.after or None)


@blueprint.get(f"{_DOCUMENT}/original", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/original")
def original(project: str, document: str, version: str | None) -> Response:
    """The submitted bytes, unchanged; always as an attachment, because browsers must not run untrusted content."""
    repo = auth.repository()
    info = repo.version(project, document, _numbered(version))
    provaq.version(info)
    tag = info.sha256
    if not_modified(tag):
        return _finish(Response(status=304), info, tag, "/original")
    data, info = repo.original(project, document, info.version)
    response = Response(data)
    format_ = by_name(info.format)
    response.headers["Content-Type"] = content_type(format_.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{document}{format_.suffixes[0]}"'
    digest = base64.b64encode(bytes.fromhex(info.sha256)).decode("ascii")
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    response.headers["Digest"] = f"sha-256={digest}"  # RFC 3230, which clients still read
    return _finish(response, info, tag, "/original")


@blueprint.get(f"{_DOCUMENT}/report", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/report")
def report(project: str, document: str, version: str | None) -> Response:
    """The validation report of a version, made when it was accepted."""
    repo = auth.repository()
    info = repo.version(project, document, _numbered(version))
    provaq.version(info)
    found = repo.report(project, document, info.version)
    return reports.response(
        found,
        heading=f"Report on {document}, version {info.version}",
        name=info.iri,
        read=lambda: repo.original(project, document, info.version)[0],
        project=project,
        document=document,
    )


@blueprint.get(f"{_DOCUMENT}/metadata", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/metadata")
def metadata(project: str, document: str, version: str | None) -> Response:
    """The metadata of a version: submitter, time, digest, verdict, and the numbers of findings and unmapped parts.

    In RDF it is described in DCAT 3.
    """
    repo = auth.repository()
    info = repo.version(project, document, _numbered(version))
    choice = choose(METADATA)
    provaq.version(info)
    if choice.name != JSON.name:
        triples = dcat.version(info, repo.document(project, document).title, repo.project(project))
        return signposts.add(dcat.response(triples, choice), info, "/metadata")
    found = repo.report(project, document, info.version).to_dict()
    mirror = repo.project(project).mirror
    more = {"counts": found["counts"], "unmapped": found["unmapped"], "mirror": mirror and mirror.to_dict()}
    answer = json_response({**info.to_dict(), **more})
    return signposts.add(answer, info, "/metadata")


@blueprint.get(f"{_DOCUMENT}/linkset", defaults={"version": None})
@blueprint.get(f"{_DOCUMENT}/versions/<version>/linkset")
def linkset(project: str, document: str, version: str | None) -> Response:
    """All typed links of a version, its submitted bytes and its metadata (RFC 9264)."""
    info = auth.repository().version(project, document, _numbered(version))
    provaq.version(info)
    return linksets.response(signposts.contexts(info, provaq.declared()))


def _numbered(version: str | None) -> int | None:
    return None if version is None else version_number(version)


def _show(path: _DocumentPath) -> Response:
    repo = auth.repository()
    info = repo.version(path.project, path.name, path.version)
    choice = choose(OFFERS, suffix=path.suffix)
    provaq.version(info)
    if choice.name == HTML.name:
        signposts.declare(info)
        return conditional(signposts.add(document_page(repo, info), info))
    return _representation(repo, info, choice)


def _representation(repo: Repository, info: VersionInfo, choice: Choice) -> Response:
    # A later release may write the document differently, so that the tag contains the release.
    submitted = choice.name == info.format
    tag = info.sha256 if submitted else f"{info.sha256}.{choice.name}.{__version__}"
    if not_modified(tag):
        return _finish(Response(status=304), info, tag)
    response = Response(repo.export(info.project, info.name, info.version, format=choice.name))
    response.headers["Content-Type"] = content_type(choice.media_type)
    if choice.media_type.endswith("xml"):
        # Browsers would run scripts that untrusted XML contains in the XHTML namespace.
        suffix = by_name(choice.name).suffixes[0]
        response.headers["Content-Disposition"] = f'attachment; filename="{info.name}{suffix}"'
    return _finish(response, info, tag)


def _finish(response: Response, info: VersionInfo, tag: str, below: str = "") -> Response:
    # A version never changes, but may be withdrawn: caches revalidate each time, and get 304 or 410.
    response.set_etag(tag)
    return signposts.add(response, info, below)
