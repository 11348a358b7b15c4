"""Headers of every response: the id of the request, the security policy, and permission for cross-origin reads."""

from __future__ import annotations

import ipaddress
import logging
import re
import uuid
from urllib.parse import unquote

from flask import Flask, Response, g, has_request_context, request

from provrepo.model.identifiers import web_address
from provrepo.server.protocol import auth

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "REQUEST_ID",
    "RESPONSE_HEADERS",
    "SECURITY",
    "LogFilter",
    "register",
    "request_id",
]

REQUEST_ID = "X-Request-Id"

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'"
)

SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

RESPONSE_HEADERS = {
    "Accept-Post": "The media types that a POST to this address may have (Linked Data Platform, section 7.1).",
    "Accept-Ranges": "`bytes`: parts can be requested.",
    "Allow": "The methods of the address.",
    "Content-Disposition": "The name of the file.",
    "Content-Range": "Which bytes of the representation these are.",
    "Digest": "The SHA-256 of the whole representation, for clients that do not know `Repr-Digest` (RFC 3230).",
    "ETag": "The version of the representation, for `If-None-Match` and `If-Match`.",
    "Link": "Links to related resources (RFC 8288), such as the next page.",
    "Location": "The address of what was made.",
    "Provrepo-About": "Changes whenever what `/ledger/origin` says of the project changes.",
    "Provrepo-Complete": "Whether the lineage across repositories is complete (`true` or `false`).",
    "Provrepo-Edges": "The relations that are shown, and of how many: `10/12`.",
    "Provrepo-Files": "The number of files in the package.",
    "Provrepo-Nodes": "The things that are shown, and of how many: `10/12`.",
    "Provrepo-Omitted": "The number of versions in the package without their bytes.",
    "Provrepo-Documents": "The number of documents in the export.",
    "Provrepo-Left-Out": "The number of relations or times for which the format of the export has no place.",
    "Provrepo-Relations": "The number of relations in the export.",
    "Provrepo-Things": "The number of things in the export; 0 in a table.",
    "Provrepo-Originals": "The number of versions in the package with their bytes.",
    "Provrepo-Sequence": "The number of entries of the project; of a package, the last one in it.",
    "Provrepo-Setup-Id": "The set-up identifier of the repository, which a restore from a backup draws anew.",
    "Provrepo-Statements": "The statements of all versions that are shown, and of how many.",
    "Provrepo-Unread": "The documents that could not be read for the export, each as `NAME@VERSION`.",
    "Provrepo-Versions": "The versions that are shown, and of how many.",
    "Provrepo-Withdrawn": "The number of withdrawn versions in the package.",
    "Repr-Digest": "The SHA-256 of the whole representation (RFC 9530).",
    "Retry-After": "The seconds after which to try again.",
    "WWW-Authenticate": "How to authenticate.",
    REQUEST_ID: "The identifier of the request in the log: that of the client if it is safe, otherwise a new one.",
}
"""What the response headers of this API mean. Scripts of other sites may read all of them."""

_ALLOWED = (
    "Accept, Accept-Language, Authorization, Cache-Control, Content-Encoding, Content-Language, Content-Type, "
    "If-Modified-Since, If-None-Match, X-Requested-With"
)
_ALLOWED_WITHOUT_TOKEN = _ALLOWED.replace("Authorization, ", "")
_SHARED = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(sorted(RESPONSE_HEADERS))}


def request_id(given: str) -> str:
    """The id of a request: that of the client if it is safe in logs and headers, otherwise a new UUID.

    Args:
        given: the id from the client; 1 to 64 letters, digits, ``.``, ``_`` and ``-`` are safe.
    """
    return given if _SAFE.fullmatch(given) else str(uuid.uuid4())


class LogFilter(logging.Filter):
    """Adds the id of the current request to log records, as ``request_id``; ``-`` outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id, and keep the record."""
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return True


def register(app: Flask) -> None:
    """Register hooks that add the headers to every response, including errors and static files."""

    @app.before_request
    def _() -> None:
        g.request_id = request_id(request.headers.get(REQUEST_ID, ""))

    @app.after_request
    def _(response: Response) -> Response:
        # extend() is faster than a look-up of each, and nothing else sets these fields.
        response.headers.extend(SECURITY)
        response.headers.add(REQUEST_ID, g.request_id)
        if request.endpoint != "static":
            response.vary.update(("Accept", "Cookie"))
        # Caches must revalidate: a document that was withdrawn or made private meanwhile must not be served from them.
        response.headers.setdefault("Cache-Control", "no-cache" if auth.is_stranger() else "private, no-cache")
        _allow_cross_origin(response)
        return response


def _allow_cross_origin(response: Response) -> None:
    """Allow cross-origin reads without credentials (Fetch Standard, section 3.3).

    No response to another site depends on cookies, so that its scripts may read everything that is public. They may
    read with a token if the base IRI is on the public web, where users give their tokens to pages that they trust.
    Otherwise the server is a local one: then reading with a token is for programs and the server's own pages, and no
    response lets a public page reach into a private network (``Access-Control-Allow-Private-Network``). Cross-origin
    writes are never allowed.
    """
    if auth.session() is not None or "entered" in g:
        return
    is_query = (request.endpoint or "").startswith("sparql.")
    if request.method not in _READING and not is_query:
        return
    preflight = request.method == "OPTIONS"
    on_the_web = not (preflight or "Authorization" in request.headers) or _is_on_the_web()
    if not (preflight or on_the_web):
        return
    response.headers.extend(_SHARED)
    if preflight:
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS" + (", POST" if is_query else "")
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED if on_the_web else _ALLOWED_WITHOUT_TOKEN
        response.headers["Access-Control-Max-Age"] = "86400"


_LOCAL_NAMES = re.compile(r"\.(?:localhost|local|internal|home\.arpa|localdomain)\Z")
"""Names outside the public DNS: RFC 6761, 6762 and 8375, ICANN's `.internal`, and `localhost.localdomain`."""


def _is_on_the_web() -> bool:
    """Whether the host of the base IRI is on the public web."""
    parts = web_address(auth.store().base())
    if parts is None:
        return False
    host = unquote(parts.hostname or "").rstrip(".").lower()
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        labels = host.split(".")
        # `127.1` and `0x7f000001` are IPv4 addresses too (URL Standard, section 3.5, "ends in a number").
        is_name = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]) is None
        return is_name and len(labels) > 1 and not _LOCAL_NAMES.search(host)
