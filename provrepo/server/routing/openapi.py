"""``/openapi.json``: the addresses of this server for programs (OpenAPI 3.1).

Addresses, methods and what they do come from the application itself; ``routes`` adds what a route does not say:
parameters, bodies, permission, and what is answered. Tests hold both together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from werkzeug.routing import Rule

from provrepo._version import __version__
from provrepo.server.protocol.problems import MEDIA_TYPE
from provrepo.server.protocol.respond import json_response
from provrepo.server.routing import schemas
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.routes import NAME, OPERATIONS, STRING, Operation, Permission

__all__ = ["blueprint", "describe"]

blueprint = Blueprint("openapi", __name__)

_USUAL = (400, 503)
"""Problems that each operation may have."""

_REFUSED = {
    Permission.NOTHING: (),
    Permission.CALLER: (401,),
    Permission.READ: (401, 404),
    Permission.WRITE: (401, 403, 404),
    Permission.ADMINISTER: (401, 403),
}
"""Problems that follow from what an operation needs."""

_WITH_TOKEN = frozenset({Permission.WRITE, Permission.ADMINISTER})
_RETRY = {"Retry-After": {"description": "The seconds after which to try again.", "schema": {"type": "integer"}}}

_Ids = Mapping[tuple[str, str, Set[str]], str]
"""Names of operations, by endpoint, method and the parameters in their address."""


@blueprint.get("/openapi.json")
def own() -> Response:
    """This description (OpenAPI 3.1)."""
    return json_response(describe(current_app), compact=True)


def describe(app: Flask) -> dict[str, Any]:
    """An application as OpenAPI 3.1 describes it.

    Raises:
        KeyError: a route is in no table.
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
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Reading what is public needs none.
        "security": [{}, {"token": []}],
    }


def _rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def _operation(app: Flask, rule: Rule, method: str, ids: _Ids) -> dict[str, Any]:
    told = OPERATIONS[rule.endpoint, method]
    document = app.view_functions[rule.endpoint].__doc__ or "What the pages need."
    summary = " ".join(document.partition("\n\n")[0].split()).replace("``", "`")
    permission = told.access.permission
    security: dict[str, Any] = (
        {"security": [{}]}
        if permission is Permission.NOTHING
        else {"security": [{"token": []}]}
        if permission in _WITH_TOKEN
        else {}
    )
    body_ = {"requestBody": {"required": True, "content": _taken(told, rule.endpoint)}} if told.takes else {}
    return {
        "operationId": _id(rule, method),
        "summary": summary,
        "description": f"Needs {permission}. {_counted(told)}",
        "parameters": [*_in_path(rule), *(parameter.to_dict() for parameter in told.parameters), *_headers(told)],
        **body_,
        **security,
        "responses": {str(status): answer for status, answer in _responses(told, rule.endpoint, method, ids)},
    }


def _counted(told: Operation) -> str:
    rate = told.access.rate
    return "No rate limit." if rate is Rate.FREE else f"The rate limit of the class `{rate}` counts it."


def _id(rule: Rule, method: str) -> str:
    """A name of its own for each operation: several addresses may share a function."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"<(?:[^:>]*:)?", "by ", rule.rule))
    return "_".join([method.lower(), *(words or ["home"])])


def _names(rule: Rule) -> list[str]:
    """The parameters in an address."""
    return re.findall(r"<(?:[^:>]*:)?([^>]*)>", rule.rule)


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in _names(rule):
        # A document's or version's name may be followed by the suffix of a format.
        schema = NAME if name == "project" else STRING
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _headers(told: Operation) -> Iterator[dict[str, Any]]:
    for name, text in (told.headers or {}).items():
        yield {"name": name, "in": "header", "description": text, "schema": STRING}


def _responses(told: Operation, endpoint: str, method: str, ids: _Ids) -> Iterator[tuple[int, dict[str, Any]]]:
    for status in told.statuses:
        content = {"content": _content(told, endpoint)} if told.answers else {}
        found = {"description": "What was asked for." if told.answers else "Done.", **content}
        yield status, {**found, **_links(endpoint, ids)}
    if method == "GET":
        yield 304, {"description": "The client has it already."}
    for status in sorted(_problems(told, method) - set(told.statuses)):
        headers = {"headers": _RETRY} if status == 429 else {}
        yield status, {"description": "Why not.", **headers, "content": _problem(endpoint, status)}


def _problems(told: Operation, method: str) -> set[int]:
    limited = () if told.access.rate is Rate.FREE else (429,)
    chosen = (406,) if any(parameter.name == "format" for parameter in told.parameters) else ()
    conditional = (412,) if method == "GET" else ()  # If-Match (RFC 9110, section 13.1.1)
    return {*_USUAL, *_REFUSED[told.access.permission], *limited, *chosen, *conditional, *told.problems}


def _links(endpoint: str, ids: _Ids) -> dict[str, Any]:
    """Where the answer leads; a link is named by the operation that it leads to."""
    found = {}
    for target, method, parameters in schemas.LINKS.get(endpoint, ()):
        id_ = ids[target, method, frozenset(name for name in parameters if "." not in name)]
        found[id_] = {"operationId": id_, "parameters": dict(parameters)}
    return {"links": found} if found else {}


def _problem(endpoint: str, status: int) -> dict[str, Any]:
    """What an error is answered with: a problem, as a page to browsers, and to Marquez's clients in its shape."""
    if endpoint.startswith("marquez."):
        return {"application/json": {"schema": schemas.ref("MarquezError")}}
    ready = (
        {"application/json": {"schema": schemas.ref("Ready")}} if (endpoint, status) == ("health.ready", 503) else {}
    )
    return {MEDIA_TYPE: {"schema": schemas.ref("Problem")}, "text/html": {}, **ready}


def _content(told: Operation, endpoint: str) -> dict[str, Any]:
    found = {media_type: schemas.answer(endpoint, media_type) for media_type in told.answers}
    return {media_type: {"schema": schema} if schema else {} for media_type, schema in found.items()}


def _taken(told: Operation, endpoint: str) -> dict[str, Any]:
    name = schemas.BODIES.get(endpoint)
    return {media_type: {"schema": schemas.ref(name)} if name else {} for media_type in told.takes}
