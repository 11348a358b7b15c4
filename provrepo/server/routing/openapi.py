"""``/openapi.json``: the description of this server's addresses (OpenAPI 3.1).

Addresses, methods and summaries come from the Flask application; ``routes`` adds parameters, bodies, permissions and
responses. Tests check that both agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from werkzeug.routing import Rule

from provrepo._version import __version__
from provrepo.problems import MEDIA_TYPE
from provrepo.server.pages import pages
from provrepo.server.protocol.headers import REQUEST_ID, RESPONSE_HEADERS
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.routing import bodies, schemas
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.routes import NAME, OPERATIONS, STRING, Operation, Permission

__all__ = ["blueprint", "describe"]

blueprint = Blueprint("openapi", __name__)

_COMMON = (400, 503)
"""Statuses of problems that every operation may have."""

_PERMISSION_PROBLEMS = {
    Permission.NOTHING: (),
    Permission.CALLER: (401,),
    Permission.READ: (401, 404),
    Permission.WRITE: (401, 403, 404),
    Permission.CURATE: (401, 403, 404),
    Permission.MANAGE: (401, 403, 404),
    Permission.SEND: (401, 403, 404),
    Permission.ADMINISTER: (401, 403),
    Permission.SIGNED_IN: (401, 403),
}
"""Statuses of problems that follow from the permission that an operation needs."""

_WITH_TOKEN = frozenset(Permission) - {Permission.NOTHING, Permission.CALLER, Permission.READ}
_HEADERS_OF_PROBLEMS = {
    401: ("WWW-Authenticate",),
    415: ("Accept-Post",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

_Ids = Mapping[tuple[str, str, Set[str]], str]
"""Identifiers of operations, by endpoint, method and the parameters in their address."""


@blueprint.get("/openapi.json")
def own() -> Response:
    """This description (OpenAPI 3.1)."""
    found = describe(current_app)
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(pages.page("api.html", api=found))
    return json_response(found, compact=True)


def describe(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an application.

    Raises:
        KeyError: a route has no row in the table of routes.
    """
    paths: dict[str, dict[str, Any]] = {}
    ids: dict[tuple[str, str, Set[str]], str] = {
        (rule.endpoint, method, frozenset(_names(rule))): _id(rule, method) for rule, method in _rules(app)
    }
    for rule, method in _rules(app):
        address = re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule.rule)
        paths.setdefault(address, {})[method.lower()] = _operation(app, rule, method, ids)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "provrepo",
            "summary": "A repository for W3C PROV documents.",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.SCHEMAS,
            "headers": {
                name: {"description": text, "schema": STRING} for name, text in sorted(RESPONSE_HEADERS.items())
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Reading public projects needs no token.
        "security": [{}, {"token": []}],
    }


def _rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def _operation(app: Flask, rule: Rule, method: str, ids: _Ids) -> dict[str, Any]:
    operation = OPERATIONS[rule.endpoint, method]
    document = app.view_functions[rule.endpoint].__doc__ or "Files of the pages."
    summary = " ".join(document.partition("\n\n")[0].split()).replace("``", "`")
    permission = operation.access.permission
    security: dict[str, Any] = (
        {"security": [{}]}
        if permission is Permission.NOTHING
        else {"security": [{"token": []}]}
        if permission in _WITH_TOKEN
        else {}
    )
    body_ = (
        {"requestBody": {"required": True, "content": _request_content(operation, rule.endpoint)}}
        if operation.request_types
        else {}
    )
    return {
        "operationId": _id(rule, method),
        "summary": summary,
        "description": f"Needs {permission}. {_rate_limit(operation)}",
        "parameters": [
            *_in_path(rule),
            *(parameter.to_dict() for parameter in operation.parameters),
            *_headers(operation),
        ],
        **body_,
        **security,
        "responses": {str(status): answer for status, answer in _responses(operation, rule.endpoint, method, ids)},
    }


def _rate_limit(operation: Operation) -> str:
    rate = operation.access.rate
    return "No rate limit." if rate is Rate.FREE else f"Counted in the rate limit of the class `{rate}`."


def _id(rule: Rule, method: str) -> str:
    """The identifier of an operation. It comes from the address, since several addresses may share a function."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"<(?:[^:>]*:)?", "by ", rule.rule))
    return "_".join([method.lower(), *(words or ["home"])])


def _names(rule: Rule) -> list[str]:
    """The parameters in an address."""
    return re.findall(r"<(?:[^:>]*:)?([^>]*)>", rule.rule)


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in _names(rule):
        # The name of a document or version may have the suffix of a format.
        schema = NAME if name == "project" else STRING
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _headers(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, text in (operation.headers or {}).items():
        yield {"name": name, "in": "header", "description": text, "schema": STRING}


def _responses(operation: Operation, endpoint: str, method: str, ids: _Ids) -> Iterator[tuple[int, dict[str, Any]]]:
    for status in operation.statuses:
        content = {"content": _response_content(operation, endpoint)} if operation.response_types else {}
        common = ("ETag", "Link") if method == "GET" else ()
        headers = _answered(*common, *bodies.HEADERS.get(endpoint, ()))
        found = {"description": "The result." if operation.response_types else "Done.", **headers, **content}
        yield status, {**found, **_links(endpoint, ids)}
    if method == "GET":
        yield 304, {"description": "Not modified since the client received it."}
    for status in sorted(_problems(operation, method) - set(operation.statuses)):
        headers = _answered(*_HEADERS_OF_PROBLEMS.get(status, ()))
        yield status, {"description": "A problem.", **headers, "content": _problem(endpoint, status)}


def _answered(*names: str) -> dict[str, Any]:
    """The headers of a response."""
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*names, REQUEST_ID})}}


def _problems(operation: Operation, method: str) -> set[int]:
    limited = () if operation.access.rate is Rate.FREE else (429,)
    negotiated = (406,) if any(parameter.name == "format" for parameter in operation.parameters) else ()
    conditional = (412,) if method == "GET" else ()  # If-Match (RFC 9110, section 13.1.1)
    return {
        *_COMMON,
        *_PERMISSION_PROBLEMS[operation.access.permission],
        *limited,
        *negotiated,
        *conditional,
        *operation.problems,
    }


def _links(endpoint: str, ids: _Ids) -> dict[str, Any]:
    """The links of a response; each has the identifier of the operation that it leads to."""
    found = {}
    for target, method, parameters in bodies.LINKS.get(endpoint, ()):
        id_ = ids[target, method, frozenset(name for name in parameters if "." not in name)]
        found[id_] = {"operationId": id_, "parameters": dict(parameters)}
    return {"links": found} if found else {}


def _problem(endpoint: str, status: int) -> dict[str, Any]:
    """The content of an error response: a problem or a page; for clients of Marquez an error in its shape."""
    if endpoint.startswith("marquez."):
        return {"application/json": {"schema": schemas.ref("MarquezError")}}
    ready = (
        {"application/json": {"schema": schemas.ref("Ready")}} if (endpoint, status) == ("health.ready", 503) else {}
    )
    return {MEDIA_TYPE: {"schema": schemas.ref("Problem")}, "text/html": {}, **ready}


def _response_content(operation: Operation, endpoint: str) -> dict[str, Any]:
    found = {media_type: bodies.answer(endpoint, media_type) for media_type in operation.response_types}
    return {media_type: {"schema": schema} if schema else {} for media_type, schema in found.items()}


def _request_content(operation: Operation, endpoint: str) -> dict[str, Any]:
    name = bodies.BODIES.get(endpoint)
    return {media_type: {"schema": schemas.ref(name)} if name else {} for media_type in operation.request_types}
