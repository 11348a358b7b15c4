"""The access log: what is written down of each request that its row of the table of routes names an action for.

Who (the actor and the token, by their identifiers), what (method, pattern of the address, project, document, version),
when, and how it was answered. Neither tokens, nor the query, nor bodies, nor header fields but the request's id.
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
_MOST_PROJECTS = 100
_OVER_PUBLIC = frozenset({"sparql.endpoint", "queries.one"})
"""Routes that answer from the dataset of all public projects where no project is named."""


def register(app: Flask) -> None:
    """Write down what is answered. To be called before anything else that changes answers: Flask goes backwards."""
    settings = cast("Store", app.extensions[auth.EXTENSION]).settings
    if not settings.audit_days:
        return

    @app.after_request
    def _(response: Response) -> Response:
        row = operation() if "request_id" in g else None
        # What is beyond the limit is left out: a flood would push out what is of interest.
        if row is not None and row.access.action is not None and response.status_code != 429:
            _record(response, row)
        return response


def record_projects(projects: Iterable[str]) -> None:
    """The answer to the running request tells of these projects, which its address does not name."""
    g.answer_projects = sorted(set(projects))[:_MOST_PROJECTS]


def _record(response: Response, row: Operation) -> None:
    repository = cast("Repository | None", g.get("repository"))
    actor = None if repository is None else repository.actor
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
        # A name that no document can have is not repeated: it may be anything.
        "document": document if _NAME.fullmatch(document) else "",
        "version": _version(named.get("version")),
        "status": response.status_code,
    }
    stranger = not found["token"]
    if stranger and (network := _network(request.remote_addr or "", auth.store().settings.audit_networks)):
        found["network"] = network
    log = auth.store().access_log
    size = 0 if request.method == "HEAD" or response.status_code == 304 else _size(response)
    if size is not None:
        log.write({**found, "bytes": size}, stranger=stranger)
        return

    # Its length is not known before it has been sent.
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
    """Bytes of the body; None where it is made while it is sent, and must not be made at once for this."""
    if response.content_length is not None:
        return response.content_length
    return response.calculate_content_length() if response.is_sequence else None


def _projects(response: Response, row: Operation) -> list[str]:
    """The projects that the address names; or that the answer tells of."""
    named = project(row)
    if named is not None:
        return [named] if _NAME.fullmatch(named) else []
    if response.status_code >= 400:
        return []
    return [PUBLIC] if request.endpoint in _OVER_PUBLIC else cast("list[str]", g.get("answer_projects", []))


def _version(named: str | None) -> int | None:
    """The version in the address, or the one that was current."""
    number = (named or "").partition(".")[0]
    if number.isascii() and number.isdigit() and len(number) <= 9:
        return int(number)
    return cast("int | None", g.get("version"))


@lru_cache(1024)
def _network(address: str, how: str) -> str:
    """Of an address what the settings allow: nothing, the network (/24 in IPv4, /48 in IPv6), or all of it."""
    if how == "off":
        return ""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))
