"""The access log: one record for each request whose row in the table of routes has an action.

A record has the identifiers of the actor and the token, method, pattern of the address, project, document, version,
time, status and size of the response. It has no tokens, no queries, no bodies, and of the header fields only the
request id. A refused sign-in has the reason in a word.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

from flask import Flask, Response, g, request

from provrepo.repository.records import PUBLIC
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.protocol import auth
from provrepo.server.routing.admission import operation, project
from provrepo.server.routing.routes import Operation

__all__ = ["record_projects", "register"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MAX_PROJECTS = 100
_OVER_PUBLIC = frozenset({"sparql.public", "queries.one"})
"""Routes that query the dataset of all public projects if no project is named."""


def register(app: Flask) -> None:
    """Register the access log. Must be called first: Flask runs ``after_request`` functions in reverse order."""
    settings = cast("Store", app.extensions[auth.EXTENSION]).settings
    if not settings.audit_days:
        return

    @app.after_request
    def _(response: Response) -> Response:
        row = operation() if "request_id" in g else None
        # Requests beyond the rate limit are not recorded: a flood of them would displace the others.
        if row is not None and row.access.action is not None and response.status_code != 429:
            _record(response, row)
        return response


def record_projects(projects: Iterable[str]) -> None:
    """Record the projects from which the current request is answered, where its address does not name them."""
    g.answer_projects = sorted(set(projects))[:_MAX_PROJECTS]


def _record(response: Response, row: Operation) -> None:
    repository = cast("Repository | None", g.get("repository"))
    actor = g.get("entered") or (None if repository is None else repository.actor)
    named = request.view_args or {}
    document = str(named.get("document", "")).partition(".")[0]
    found: dict[str, Any] = {
        "request": g.request_id,
        "actor": actor.id if actor else "",
        "token": actor.token if actor else "",
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "",
        "action": row.access.action,
        "projects": _projects(response, row),
        # A string that is not a valid name is not recorded: it may be anything.
        "document": document if _NAME.fullmatch(document) else "",
        "version": _version(named.get("version")),
        "status": response.status_code,
    }
    if reason := g.get("refused_because"):
        found["reason"] = reason
    stranger = not found["actor"]
    if stranger and (network := _network(request.remote_addr or "", auth.store().settings.audit_networks)):
        found["network"] = network
    log = auth.store().access_log
    size = 0 if request.method == "HEAD" or response.status_code == 304 else _size(response)
    if size is not None:
        log.write({**found, "bytes": size}, stranger=stranger)
        return

    # The length of a streamed body is known only after it was sent.
    def counted(parts: Iterable[bytes]) -> Iterator[bytes]:
        sent = 0
        try:
            for part in parts:
                sent += len(part)
                yield part
        finally:
            log.write({**found, "bytes": sent}, stranger=stranger)

    response.response = counted(cast("Iterable[bytes]", response.response))


def _size(response: Response) -> int | None:
    """The size of the body in bytes; None if the body is streamed, since it must not be buffered to measure it."""
    if response.content_length is not None:
        return response.content_length
    return response.calculate_content_length() if response.is_sequence else None


def _projects(response: Response, row: Operation) -> list[str]:
    """The project in the address; without one, the projects from which the request was answered."""
    named = project(row)
    if named is not None:
        return [named] if _NAME.fullmatch(named) else []
    if response.status_code >= 400:
        return []
    return cast("list[str]", g.get("answer_projects")) or ([PUBLIC] if request.endpoint in _OVER_PUBLIC else [])


def _version(named: str | None) -> int | None:
    """The version in the address, or the current version that was read."""
    number = (named or "").partition(".")[0]
    if number.isascii() and number.isdigit() and len(number) <= 9:
        return int(number)
    return cast("int | None", g.get("version"))


@lru_cache(1024)
def _network(address: str, level: str) -> str:
    """The network of an address (/24 in IPv4, /48 in IPv6); empty at the level ``off``."""
    if level == "off":
        return ""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))
