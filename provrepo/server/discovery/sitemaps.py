"""``/sitemap.xml`` and ``/robots.txt``: what search engines may read, whoever asks.

The protocol of sitemaps limits a list to 50,000 addresses. An index leads to the lists, each of which has the pages of
documents that follow each other by name in one public project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from flask import Blueprint, Response, url_for

from provrepo.errors import NotFound
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.repository import Repository
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.respond import conditional

__all__ = ["MOST_LISTS", "SIZE", "blueprint"]

blueprint = Blueprint("sitemaps", __name__)

SIZE = 5_000
"""Documents of a list. The protocol allows 50,000 addresses; this many are read quickly."""

MOST_LISTS = MOST_ADDRESSES = 50_000
"""The most lists of an index, and addresses of a list, by the protocol."""

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_ROBOTS = """\
User-agent: *
Disallow: /sparql
Disallow: /lineage
Disallow: /search
Disallow: /thing
Disallow: /queries/
Disallow: /projects/*/sparql
Disallow: /projects/*/graphs
Disallow: /projects/*/documents/*/sparql
Allow: /

Sitemap: {sitemap}
"""
"""Answers of queries are computed for each request, and there are infinitely many."""


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What search engines are asked not to read, and the address of the sitemap (RFC 9309)."""
    written = _ROBOTS.format(sitemap=absolute(url_for("sitemaps.sitemap")))
    return conditional(Response(written, content_type="text/plain; charset=utf-8"))


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """The addresses that everybody may read: an index of lists, or with ``list=`` one list."""
    repo = Repository(auth.store(), ANONYMOUS)
    number = parameters.number("list", MOST_LISTS)
    if number is None:
        count = sum(1 for _ in _lists(repo))
        addresses = [absolute(url_for("sitemaps.sitemap", list=n)) for n in range(1, min(count, MOST_LISTS) + 1)]
        return _xml("sitemapindex", "sitemap", ((address, "") for address in addresses))
    for place, (project, after) in enumerate(_lists(repo), start=1):
        if place == number:
            return _xml("urlset", "url", _pages(repo, project, after))
    raise NotFound(f"the sitemap has no list {number}")


def _lists(repo: Repository) -> Iterator[tuple[str, str]]:
    """The lists: the project, and the name after which the list begins. The first one has the pages of projects."""
    yield "", ""
    for info in repo.projects():
        for after in repo.document_pages(info.name, SIZE):
            yield info.name, after


def _pages(repo: Repository, project: str, after: str) -> Iterator[tuple[str, str]]:
    """The addresses of a list, each with the time of its last change; empty if that is not known."""
    if not project:
        yield absolute(url_for("pages.home")), ""
        for info in repo.projects()[: MOST_ADDRESSES - 1]:
            yield absolute(url_for("projects.one", project=info.name)), ""
        return
    for found in repo.documents(project, after=after, limit=SIZE):
        if found.current.state == "current":
            address = url_for("documents.current", project=project, document=found.name)
            yield absolute(address), found.current.time


def _xml(root: str, element: str, addresses: Iterable[tuple[str, str]]) -> Response:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_NAMESPACE}">']
    for address, time in addresses:
        changed = f"<lastmod>{escape(time)}</lastmod>" if time else ""
        lines.append(f"<{element}><loc>{escape(address)}</loc>{changed}</{element}>")
    lines.append(f"</{root}>")
    return conditional(Response("\n".join(lines) + "\n", content_type="application/xml"))
