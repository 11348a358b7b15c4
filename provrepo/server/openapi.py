"""``/openapi.json``: the addresses of this server for programs (OpenAPI 3.1).

Addresses, methods and what they do come from the application itself; ``routes`` adds what a route does not say:
parameters, bodies, permission, and what is answered. Tests hold both together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from werkzeug.routing import Rule

import provrepo
from provrepo.server.problems import MEDIA_TYPE
from provrepo.server.rates import Rate
from provrepo.server.respond import json_response
from provrepo.server.routes import NAME, OPERATIONS, STRING, Needs, Operation

__all__ = ["blueprint", "describe"]

blueprint = Blueprint("openapi", __name__)

_USUAL = (400, 503)
"""Problems that each operation may have."""

_REFUSED = {
    Needs.NOTHING: (),
    Needs.CALLER: (401,),
    Needs.READ: (401, 404),
    Needs.WRITE: (401, 403, 404),
    Needs.ADMINISTER: (401, 403),
}
"""Problems that follow from what an operation needs."""

_WITH_TOKEN = frozenset({Needs.WRITE, Needs.ADMINISTER})
_RETRY = {"Retry-After": {"description": "The seconds after which to try again.", "schema": {"type": "integer"}}}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; the type says which further members there are.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": STRING,
        "instance": {"type": "string", "format": "uri"},
    },
}


@blueprint.get("/openapi.json")
def own() -> Response:
    """This description (OpenAPI 3.1)."""
    return json_response(describe(current_app))


def describe(app: Flask) -> dict[str, Any]:
    """An application as OpenAPI 3.1 describes it.

    Raises:
        KeyError: a route is in no table.
    """
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        address = re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(address, {})[method.lower()] = _operation(app, rule, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "provrepo",
            "summary": "A repository for W3C PROV documents.",
            "version": provrepo.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Reading what is public needs none.
        "security": [{}, {"token": []}],
    }


def _operation(app: Flask, rule: Rule, method: str) -> dict[str, Any]:
    told = OPERATIONS[rule.endpoint, method]
    document = app.view_functions[rule.endpoint].__doc__ or "What the pages need."
    summary = " ".join(document.partition("\n\n")[0].split()).replace("``", "`")
    needs = told.access.needs
    security: dict[str, Any] = (
        {"security": [{}]} if needs is Needs.NOTHING else {"security": [{"token": []}]} if needs in _WITH_TOKEN else {}
    )
    body_ = {"requestBody": {"required": True, "content": _content(told.takes)}} if told.takes else {}
    return {
        "operationId": _id(rule, method),
        "summary": summary,
        "description": f"Needs {needs}. {_counted(told)}",
        "parameters": [*_in_path(rule), *(parameter.to_dict() for parameter in told.parameters), *_headers(told)],
        **body_,
        **security,
        "responses": {str(status): answer for status, answer in _responses(told)},
    }


def _counted(told: Operation) -> str:
    rate = told.access.rate
    return "No rate limit." if rate is Rate.FREE else f"The rate limit of the class `{rate}` counts it."


def _id(rule: Rule, method: str) -> str:
    """A name of its own for each operation: several addresses may share a function."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"<(?:[^:>]*:)?", "by ", rule.rule))
    return "_".join([method.lower(), *(words or ["home"])])


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(?:[^:>]*:)?([^>]*)>", rule.rule):
        # A document's or version's name may be followed by the suffix of a format.
        schema = NAME if name == "project" else STRING
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _headers(told: Operation) -> Iterator[dict[str, Any]]:
    for name, text in (told.headers or {}).items():
        yield {"name": name, "in": "header", "description": text, "schema": STRING}


def _responses(told: Operation) -> Iterator[tuple[int, dict[str, Any]]]:
    for status in told.statuses:
        content = {"content": _content(told.answers)} if told.answers else {}
        yield status, {"description": "What was asked for." if told.answers else "Done.", **content}
    limited = () if told.access.rate is Rate.FREE else (429,)
    problems = {*_USUAL, *_REFUSED[told.access.needs], *limited, *told.problems}
    for status in sorted(problems - set(told.statuses)):
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        headers = {"headers": _RETRY} if status == 429 else {}
        yield status, {"description": "Why not.", **headers, "content": {MEDIA_TYPE: problem}}


def _content(media_types: Sequence[str]) -> dict[str, Any]:
    return {media_type: {} for media_type in media_types}
