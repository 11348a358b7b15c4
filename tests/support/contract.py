"""Comparison of answers with ``/openapi.json``: status, media type and JSON must match the description."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from provrepo.server.routing import schemas
from provrepo.server.routing.openapi import describe

__all__ = ["Checked", "breaches", "closed"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def closed(schema: Any) -> Any:
    """The schema without additional properties. Clients must accept them, but the server must describe its own."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


@cache
def _validator(name: str) -> Any:
    components = {"schemas": closed(schemas.SCHEMAS)}
    return jsonschema_rs.validator_for({"$schema": _DRAFT, **schemas.ref(name), "components": components})


def breaches(app: Flask, response: TestResponse) -> list[str]:
    """The differences between an answer and the description of its operation, one sentence each.

    An address that there is not, a method that it does not take, and failures of the server itself (500), which tests
    bring about on purpose, are in no description.
    """
    request, status = response.request, response.status_code
    method = "GET" if request.method == "HEAD" else request.method
    try:
        rule, _ = app.url_map.bind("localhost").match(request.path, method, return_rule=True)
    except HTTPException:
        return []
    if method == "OPTIONS" or status == 500:
        return []
    operation = _described(app)[rule.rule, method]
    answer = operation["responses"].get(str(status))
    where = f"{request.method} {request.path}: {status}"
    if answer is None:
        return [f"{where} is not described"]
    content = {media_type.partition(";")[0]: described for media_type, described in answer.get("content", {}).items()}
    if not content:
        return [f"{where} has a body"] if response.data else []
    if response.mimetype not in content:
        return [f"{where} is {response.mimetype!r}, not one of {sorted(content)}"]
    schema = content.get(response.mimetype, {}).get("schema")
    if not schema or request.method == "HEAD":
        return []
    errors = _validator(schema["$ref"].rpartition("/")[2]).iter_errors(_json(response))
    return [f"{where}: {'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]


def _json(response: TestResponse) -> Any:
    data = response.data
    return json.loads(gzip.decompress(data) if response.headers.get("Content-Encoding") == "gzip" else data)


def _described(app: Flask) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] | None = app.extensions.get("contract")
    if found is None:
        described = describe(app)["paths"]
        found = {}
        for rule in app.url_map.iter_rules():
            address = _address(rule.rule)
            for method, operation in described[address].items():
                found[rule.rule, method.upper()] = operation
        app.extensions["contract"] = found
    return found


def _address(rule: str) -> str:
    """A rule of werkzeug as a path of OpenAPI."""
    return re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule)


class Checked(FlaskClient):
    """A test client that fails where an answer does not match the description."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        found = breaches(self.application, response)
        assert not found, found
        return response
