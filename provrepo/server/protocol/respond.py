"""Parts of responses that several handlers share: JSON, links, entity tags, pagination."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Response, request, url_for

from provrepo.errors import NotFound, Stale
from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.server.protocol import parameters

__all__ = [
    "Links",
    "Pagination",
    "conditional",
    "json_response",
    "not_modified",
    "pagination",
    "uri",
    "version_number",
]


class Links:
    """The value of a ``Link`` header (RFC 8288)."""

    def __init__(self) -> None:
        self._links: list[str] = []

    def add(self, target: str, relation: str, media_type: str = "", *, anchor: str = "") -> None:
        """Add one link.

        Args:
            target: the target IRI.
            relation: the relation type: a registered name or an IRI.
            media_type: the media type of the target.
            anchor: the context IRI of the link, if it is not the requested address (section 3.2).
        """
        kind = media_type.replace("\\", "\\\\").replace('"', '\\"')
        self._links.append(
            f'<{uri(target)}>; rel="{relation}"'
            + (f'; anchor="{uri(anchor)}"' if anchor else "")
            + (f'; type="{kind}"' if kind else "")
        )

    def __str__(self) -> str:
        return ", ".join(self._links)


def uri(iri: str) -> str:
    """An IRI as a URI for a header (RFC 3987, section 3.1): without quotes, line breaks and non-ASCII characters."""
    return quote(iri, safe="%:/?#[]@!$&'()*+,;=~")


class Pagination:
    """The requested part of a list.

    Attributes:
        after: only items after this name.
        limit: the most items.
    """

    __slots__ = ("after", "limit")

    def __init__(self, after: str, limit: int) -> None:
        self.after = after
        self.limit = limit

    def next(self, last: str) -> str:
        """The path and query of the next page, which starts after ``last``."""
        # Only parameters of lists are copied: names such as _scheme have a meaning to url_for.
        kept: dict[str, Any] = {
            name: request.args[name] for name in ("format", "withdrawn", "q") if name in request.args
        }
        return url_for(request.endpoint or "", **(request.view_args or {}), **kept, after=last, limit=self.limit)


def pagination() -> Pagination:
    """The parameters ``after`` and ``limit`` of the current request.

    Raises:
        Rejected: 400, the limit is not a number from 1 to 1,000.
    """
    limit = parameters.number("limit", MAX_PAGE_SIZE) or PAGE_SIZE
    return Pagination(request.args.get("after", ""), limit)


def version_number(version: str) -> int:
    """Parse the number of a version in a path.

    Raises:
        NotFound: it is not a number that a version can have.
    """
    # int() accepts the digits of every script, and numbers of any length.
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise NotFound(f"{version[:40]!r} is not the number of a version")
    return int(version)


def json_response(
    body: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    next_: str | None = None,
    compact: bool = False,
) -> Response:
    """A response with a JSON object.

    Args:
        body: the object.
        status: the status code.
        headers: further header fields.
        next_: the address of the next page of a list, sent as a link.
        compact: write it on one line, which is five times as fast as indented JSON.
    """
    written = json.dumps(body, ensure_ascii=False, indent=None if compact else 2) + "\n"
    response = Response(written, status, content_type="application/json")
    response.headers.update(headers or {})
    if next_:
        links = Links()
        links.add(next_, "next", "application/json")
        response.headers["Link"] = str(links)
    return conditional(response)


def conditional(response: Response) -> Response:
    """Add an entity tag computed from the body, and make the response a 304 if the client has the same bytes.

    Raises:
        Stale: the tag does not match ``If-Match`` (RFC 9110, section 13.1.1).
    """
    if response.status_code == 200 and request.method in {"GET", "HEAD"}:
        response.add_etag()
        response.make_conditional(request)
        if response.status_code == 412:
            raise Stale("the representation has another ETag than those of If-Match")
    return response


def not_modified(tag: str) -> bool:
    """Whether ``If-None-Match`` has this entity tag, so that the response is a 304 (RFC 9110, section 13.1.2)."""
    return request.if_none_match.contains_weak(tag)
