"""Small parts of an answer that several handlers share: JSON, links, entity tags, pages of a list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Response, request, url_for

from provrepo.errors import NotFound, Stale
from provrepo.server.protocol.rejections import Rejected

__all__ = ["Links", "Pagination", "conditional", "not_modified", "json_response", "version_number", "uri", "pagination"]

_DEFAULT_LIMIT = 100
_MOST = 1000


class Links:
    """The value of a ``Link`` header (RFC 8288)."""

    def __init__(self) -> None:
        self._links: list[str] = []

    def add(self, target: str, relation: str, media_type: str = "", *, anchor: str = "") -> None:
        """Add one link.

        Args:
            target: where it leads.
            relation: its type: a registered word or an IRI.
            media_type: of what is there.
            anchor: what it leads away from, where that is not the address that was requested (section 3.2).
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
    """An IRI as a header can carry it (RFC 3987, section 3.1): no quotes, line ends or letters beyond ASCII."""
    return quote(iri, safe="%:/?#[]@!$&'()*+,;=~")


class Pagination:
    """Which part of a list was asked for.

    Attributes:
        after: only what comes after this name.
        limit: at most so many.
    """

    __slots__ = ("after", "limit")

    def __init__(self, after: str, limit: int) -> None:
        self.after = after
        self.limit = limit

    def next(self, last: str) -> str:
        """The path and query of what follows after ``last``."""
        # Only parameters of lists are carried along: url_for gives names of its own, such as _scheme, a meaning.
        kept: dict[str, Any] = {name: request.args[name] for name in ("format", "withdrawn") if name in request.args}
        return url_for(request.endpoint or "", **(request.view_args or {}), **kept, after=last, limit=self.limit)


def pagination() -> Pagination:
    """The running request's ``?after=`` and ``?limit=``.

    Raises:
        Rejected: 400, the limit is no number from 1 to 1,000.
    """
    given = request.args.get("limit") or str(_DEFAULT_LIMIT)
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= _MOST):
        raise Rejected(400, f"limit={given[:40]} is not a whole number from 1 to {_MOST}")
    return Pagination(request.args.get("after", ""), int(given))


def version_number(version: str) -> int:
    """The number of a version in a path.

    Raises:
        NotFound: it is no number that a version can have.
    """
    # Longer numbers are no versions, and int() takes digits of every script.
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
    """An object as JSON.

    Args:
        body: the object.
        status: the status code.
        headers: to send with it.
        next_: where the next page of a list is.
        compact: on one line, which nobody reads, and which is written five times as fast.
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
    """Let a client that has the same bytes already keep them: a tag of the body, and 304 where it matches.

    Raises:
        Stale: it does not match ``If-Match`` (RFC 9110, section 13.1.1).
    """
    if response.status_code == 200 and request.method in {"GET", "HEAD"}:
        response.add_etag()
        response.make_conditional(request)
        if response.status_code == 412:
            raise Stale("the representation has another ETag than those of If-Match")
    return response


def not_modified(tag: str) -> bool:
    """Whether the client has the representation of this entity tag already (RFC 9110, section 13.1.2)."""
    return request.if_none_match.contains_weak(tag)
