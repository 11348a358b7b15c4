"""Signposting (FAIR Signposting Profile, level 2): typed links of a version, its submitted bytes and its metadata.

The most important links are in the header ``Link`` of each of these answers, and all of them in a linkset
(RFC 9264), to which that header links. Targets in headers are paths, so that they do not depend on ``Host``; those in a
linkset are absolute, below the base IRI or the configured address of the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, Response, g, request, url_for
from werkzeug.http import parse_options_header

from provrepo.codecs.formats import WRITABLE, by_name
from provrepo.repository.records import VersionInfo
from provrepo.server.exchange.inbox import LDP_INBOX
from provrepo.server.protocol import auth
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.respond import Links, uri

__all__ = ["LINKSET", "Signpost", "add", "contexts", "declare", "register"]

LINKSET = "application/linkset+json"
"""The media type of a linkset in JSON (RFC 9264, section 4.2)."""

_ABOUT_PAGE = "https://schema.org/AboutPage"
_DATASET = "https://schema.org/Dataset"
_DOWNLOAD = "https://schema.org/DataDownload"

_ROOM = 2_700
"""Bytes of ``Link`` up to which the other formats are listed there, in their order. With the other fields that is less
than 4 KiB, the buffer of nginx for the header of an answer. The linkset has all of them."""


@dataclass(frozen=True, slots=True)
class Signpost:
    """A typed link.

    Attributes:
        target: an absolute IRI, or a path on this server.
        relation: the relation type.
        media_type: the media type of the target, with its profile; may be empty.
    """

    target: str
    relation: str
    media_type: str = ""


def register(app: Flask) -> None:
    """Add other formats to headers as far as there is room, and the links as ``<link>`` elements to pages."""

    @app.after_request
    def _(response: Response) -> Response:
        if "alternates" in g and request.method in {"GET", "HEAD"} and response.status_code in {200, 304}:
            whole = response.headers.get("Link", "")
            for link in cast("list[Signpost]", g.alternates):
                longer = ", ".join(filter(None, (whole, _header([link]))))
                if len(longer) > _ROOM:
                    break
                whole = longer
            response.headers["Link"] = whole
        return response

    @app.context_processor
    def _() -> dict[str, Any]:
        return {"signposts": cast("list[Signpost]", g.get("signposts", []))}


def declare(info: VersionInfo, below: str = "") -> None:
    """Declare what the current answer is, so that its page shows the links.

    Args:
        info: the version.
        below: what the address has after that of the version: empty, ``/original`` or ``/metadata``.
    """
    g.signposts = [_linkset(_requested(info)), *_of(info)[below]]


def add(response: Response, info: VersionInfo, below: str = "") -> Response:
    """Set the header ``Link`` of an answer; arguments as for ``declare``. Other links are added later."""
    if "signposts" not in g:
        declare(info, below)
    shown = cast("list[Signpost]", g.signposts)
    if below != "/metadata":
        shown = [*shown, *_versions(info)]
        g.alternates = list(_alternates(info))
    response.headers["Link"] = _header(shown)
    return response


def contexts(info: VersionInfo, others: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The link context objects (RFC 9264, section 4.2.2) of the requested document or version.

    Of a document these are the addresses without a number, whose links lead to the current version, and those of that
    version.

    Args:
        info: the version.
        others: further links: anchor, relation and target of each.
    """
    found = _of(info)
    found[""].extend([*_versions(info), *_alternates(info)])
    places = dict.fromkeys((_requested(info), _pinned(info)))
    own = [_context(at + below, [_linkset(at), *links]) for at in places for below, links in found.items()]
    return [*own, *(_context(anchor, [Signpost(target, relation)]) for anchor, relation, target in others)]


def _header(links: Sequence[Signpost]) -> str:
    value = Links()
    for link in links:
        value.add(link.target, link.relation, link.media_type)
    return str(value)


def _context(anchor: str, links: Sequence[Signpost]) -> dict[str, Any]:
    """One link context object. Every relation has an array, and every address is absolute."""
    found: dict[str, Any] = {"anchor": uri(absolute(anchor))}
    for link in links:
        media_type, options = parse_options_header(link.media_type)
        target = {"href": uri(absolute(link.target)), "type": media_type, "profile": options.get("profile", "")}
        found.setdefault(link.relation, []).append({name: value for name, value in target.items() if value})
    return found


def _pinned(info: VersionInfo) -> str:
    """The path of a version, with its number."""
    return url_for("documents.one", project=info.project, document=info.name, version=info.version)


def _requested(info: VersionInfo) -> str:
    """The path of the document or version that was requested, without a suffix."""
    if (request.view_args or {}).get("version") is None:
        return url_for("documents.current", project=info.project, document=info.name)
    return _pinned(info)


def _linkset(at: str) -> Signpost:
    return Signpost(f"{at}/linkset", "linkset", LINKSET)


def _of(info: VersionInfo) -> Mapping[str, list[Signpost]]:
    """The links of the profile, by what the address has after that of the version."""
    at, license_ = _pinned(info), auth.repository().project(info.project).license
    name = [Signpost(info.iri, "cite-as")]
    rights = [Signpost(license_, "license")] if license_ else []
    author = [Signpost(str(auth.store().minter().actor(info.project, info.actor)), "author")] if info.actor else []
    described = [
        Signpost(f"{at}/metadata", "describedby", "application/json"),
        Signpost(f"{at}/metadata?format=turtle", "describedby", "text/turtle"),
    ]
    item = Signpost(f"{at}/original", "item", by_name(info.format).media_type)
    page = [Signpost(_ABOUT_PAGE, "type"), Signpost(_DATASET, "type")]
    collection = Signpost(at, "collection", "text/html")
    return {
        "": [*name, *page, *author, *rights, item, *described],
        "/original": [*name, Signpost(_DOWNLOAD, "type"), *author, *rights, collection, *described],
        "/metadata": [*name, *rights, Signpost(at, "describes", "text/html")],
    }


def _versions(info: VersionInfo) -> Iterator[Signpost]:
    """Links between versions (RFC 5829), to the submitted bytes and to the inbox."""
    names: dict[str, Any] = {"project": info.project, "document": info.name}
    yield Signpost(url_for("documents.current", **names), "latest-version")
    yield Signpost(url_for("documents.versions", **names), "version-history")
    if info.version > 1:
        yield Signpost(url_for("documents.one", **names, version=info.version - 1), "predecessor-version")
    yield Signpost(f"{_pinned(info)}/original", "original", by_name(info.format).media_type)
    if auth.store().settings.inbox:
        yield Signpost(url_for("inbox.receive"), LDP_INBOX)


def _alternates(info: VersionInfo) -> Iterator[Signpost]:
    """The version in every format."""
    for format_ in WRITABLE:
        yield Signpost(_pinned(info) + format_.suffixes[0], "alternate", format_.media_type)
