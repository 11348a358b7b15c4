"""The Atom feed of a project: its new versions, withdrawals and erasures, as readers of the project see them.

RFC 4287 is the format; RFC 5005, section 3, has the links between pages. Everything follows from entries of the ledger
that every reader of the project gets. What waits for a review, and what was refused, is in no entry of these kinds.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, url_for

from provrepo.repository.changes import Change
from provrepo.repository.records import ProjectInfo
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.negotiate import choose
from provrepo.server.protocol.respond import Links, conditional
from provrepo.server.routing.offers import ATOM
from provrepo.words import counted

__all__ = ["blueprint"]

blueprint = Blueprint("atom", __name__)

_TYPE = "application/atom+xml"
_SIZE = 50
"""Entries on a page."""

_MOST = 999_999_999_999_999
_NEVER = "1970-01-01T00:00:00Z"
"""``updated`` of a project without documents: the element is required."""


@blueprint.get("/projects/<project>/feed")
def feed(project: str) -> Response:
    """The newest versions, withdrawals and erasures of a project as an Atom feed; older ones are on further pages."""
    repo = auth.repository()
    info = repo.project(project)
    choose(ATOM)
    before = parameters.number("before", _MOST) or None
    found, older = repo.changes(project, before=before, limit=_SIZE)
    response = Response("".join(_document(info, found, before, older)), content_type=_TYPE)
    links = Links()
    links.add(_at(project, before), "self", _TYPE)
    if older:
        links.add(_at(project, older), "next", _TYPE)
    response.headers["Link"] = str(links)
    return conditional(response)


def _at(project: str, before: int | None = None) -> str:
    return url_for("atom.feed", project=project, before=before)  # without a value it is left out


def _document(info: ProjectInfo, found: list[Change], before: int | None, older: int | None) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield _element("id", str(auth.store().minter().project(info.name)))
    yield _element("title", info.title or info.name)
    yield _element("subtitle", "New versions, withdrawals and erasures")
    yield _element("updated", found[0].time if found else _NEVER)
    # An entry without an author has that of the feed (RFC 4287, section 4.2.1).
    yield f"<author>{_element('name', info.title or info.name).strip()}</author>\n"
    yield "<generator>provrepo</generator>\n"
    yield _link("self", _at(info.name, before), _TYPE)
    yield _link("alternate", url_for("projects.one", project=info.name), "text/html")
    yield _link("first", _at(info.name), _TYPE)
    if older:
        yield _link("next", _at(info.name, older), _TYPE)
    for change in found:
        yield from _entry(info, change)
    yield "</feed>\n"


def _entry(info: ProjectInfo, change: Change) -> Iterator[str]:
    yield "<entry>\n"
    yield _element("id", _identifier(change.entry))
    yield _element("title", _title(change))
    yield _element("updated", change.time)
    if change.by:
        yield f"<author>{_element('name', change.by).strip()}</author>\n"
    yield f"<category term={quoteattr(change.kind)}/>\n"
    if change.kind == "submit" and not change.state:
        at = url_for("documents.one", project=info.name, document=change.document, version=change.version)
    else:
        at = url_for("documents.versions", project=info.name, document=change.document)
    yield _link("alternate", at, "text/html")
    yield _element("summary", _summary(change))
    yield "</entry>\n"


def _identifier(sha256: str) -> str:
    """The permanent identifier of an entry of the ledger: a Named Information URI (RFC 6920) of its digest."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()
    return f"ni:///sha-256;{digest}"


def _title(change: Change) -> str:
    what = {"submit": "", "withdraw": " was withdrawn", "erase": ": bytes were erased"}[change.kind]
    name = change.document if change.kind == "withdraw" else f"{change.document}, version {change.version}"
    return f"{name}{what}" + (f": {change.title}" if change.title else "")


def _summary(change: Change) -> str:
    if change.kind != "submit":
        return change.note
    if change.state:
        return f"{change.state} since"
    verdict = "conforms" if change.verdict == "conforms" else "does not conform"
    warnings = f", {counted(change.warnings, 'warning')}" if change.warnings else ""
    return f"{verdict}{warnings}" + (f": {change.note}" if change.note else "")


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(_NOT_XML.sub(chr(0xFFFD), text))}</{name}>\n"


def _link(relation: str, path: str, media_type: str) -> str:
    return f'<link rel="{relation}" type="{media_type}" href={quoteattr(absolute(path))}/>\n'


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can contain (XML 1.0, section 2.2)."""
