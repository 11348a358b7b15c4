"""``/openapi.json``: the addresses of this server for programs (OpenAPI 3.1).

Addresses, methods and what they do come from the application itself; the tables here add what a route does not say:
parameters, bodies, and what is answered. Tests hold both together, and what a table does not list, ``unknown`` refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app
from werkzeug.routing import Rule

import provrepo
from provrepo.codecs.formats import READABLE, by_name
from provrepo.server import body, documents, reports
from provrepo.server.problems import MEDIA_TYPE
from provrepo.server.respond import json_response

__all__ = ["OPERATIONS", "Operation", "Parameter", "blueprint", "describe"]

blueprint = Blueprint("openapi", __name__)

_JSON = ("application/json",)
_ANY = "application/octet-stream"
_PAGED = (*_JSON, "text/html")
_FORMATS = tuple(offer.media_types[0] for offer in documents.OFFERS)
_REPORTS = tuple(offer.media_types[0] for offer in reports.OFFERS)
_RESULTS = (
    *("application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"),
    *("text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json", "text/html"),
)
_GRAPHS = tuple(by_name(name).media_type for name in ("turtle", "ntriples", "rdfxml", "rdfjsonld"))
_BUNDLED = tuple(by_name(name).media_type for name in ("trig", "provn"))

_STRING: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
_IRI: dict[str, Any] = {"type": "string", "format": "iri"}
_NAME: dict[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"}
_SECONDS: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_VALUES: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query.

    Attributes:
        name: its name.
        schema: of its value; of an array where it may be given several times.
        text: what it is.
        required: whether it has to be given.
    """

    name: str
    schema: Mapping[str, Any]
    text: str
    required: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As OpenAPI writes it."""
        repeated = {"style": "form", "explode": True} if self.schema["type"] in ("array", "object") else {}
        needed = {"required": True} if self.required else {}
        found = {"name": self.name, "in": "query", "description": self.text, **needed, **repeated}
        return {**found, "schema": dict(self.schema)}


def _whole(most: int, default: int | None = None) -> dict[str, Any]:
    given = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": 1, "maximum": most, **given}


def _one_of(*values: str, default: str | None = None) -> dict[str, Any]:
    given = {} if default is None else {"default": default}
    return {"type": "string", "enum": list(values), **given}


def _several(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(schema)}


_FORMAT = Parameter("format", _STRING, "The representation, by its name; before what `Accept` asks for.")
_LIMIT = Parameter("limit", _whole(1000, 100), 'The most that is listed; `Link: rel="next"` leads on.')
_AFTER = Parameter("after", _STRING, "Only what comes behind this name.")
_PROFILES = Parameter("profile", _several(_STRING), "A profile to check against, beyond those of the project.")
_BASE = Parameter("base", _IRI, "Against which relative IRIs are resolved.")
_NOTE = Parameter("note", _STRING, "What the submitter wants to say.")
_AGAIN = Parameter("again", _FLAG, "Take in bytes that were withdrawn before, as a new version.")
_EMPTY = Parameter("allow_empty", _FLAG, "Store the document even if it makes no statement of PROV.")
_PROJECT = Parameter("project", _NAME, "Only this project, instead of all that the caller may read.")
_TIMEOUT = Parameter("timeout", _SECONDS, "The deadline in seconds, where it is to be less than the server's own.")
_THING = Parameter("iri", _IRI, "The entity, activity or agent.", required=True)
_AS_OF = Parameter("as_of", _STRING, "As it was after an entry, `PROJECT/SEQUENCE`, or at a time with its zone.")
_WAY = (
    Parameter("depth", _whole(10_000), "The most relations to go."),
    Parameter("relation", _several(_STRING), "Only along these relations."),
    Parameter("stop", _several(_STRING), "Do not go beyond things of this type."),
    Parameter("strict", _FLAG, "Only along derivations, not through activities."),
    Parameter("alternates", _FLAG, "Also along alternates."),
    _PROJECT,
    _AS_OF,
    _TIMEOUT,
)
_TOLD = Parameter("limit", _whole(10_000), "The most things that are told.")
_QUERY = (
    Parameter("query", _STRING, "The query."),
    Parameter("default-graph-uri", _several(_IRI), "A graph of the default graph."),
    Parameter("named-graph-uri", _several(_IRI), "A named graph."),
    _TIMEOUT,
    _FORMAT,
)


def _direction(default: str) -> Parameter:
    return Parameter("direction", _one_of("upstream", "downstream", "both", default=default), "Which way to go.")


@dataclass(frozen=True, slots=True)
class Operation:
    """What an address does with one method.

    Attributes:
        answers: the media types of its answer; none for an empty one.
        parameters: of the query.
        takes: the media types of a body; none where there is no body.
        statuses: of success, the usual one first.
        problems: statuses that it has beyond those that every operation has.
        headers: of the request, by name.
        others: whether clients send parameters of their own, which are left alone.
    """

    answers: Sequence[str] = _JSON
    parameters: Sequence[Parameter] = ()
    takes: Sequence[str] = ()
    statuses: Sequence[int] = (200,)
    problems: Sequence[int] = ()
    headers: Mapping[str, str] | None = None
    others: bool = False


_TAKEN = tuple(dict.fromkeys([*(format_.media_type for format_ in READABLE), _ANY]))
_READ = Operation(_FORMATS, (_FORMAT,), problems=(404, 406, 410))
_REPORT = Operation(_REPORTS, (_FORMAT,), problems=(404, 406, 410))
_FOUND = Operation(parameters=(_FORMAT,), problems=(404, 406, 410))
_ASK = Operation(_RESULTS, _QUERY, problems=(403, 404, 406, 422), others=True)
_ASK_BY_BODY = Operation(
    _RESULTS,
    _QUERY[1:],
    (body.FORM, "application/sparql-query"),
    problems=(403, 404, 406, 413, 415, 422),
    others=True,
)
_PINGED = Operation(
    (), (Parameter("iri", _IRI, "The one thing that it is about."),), ("text/uri-list",), (204,), (404, 413, 415, 429)
)
_WRITES = (401, 403, 404)
_WITHDRAWN = Parameter("withdrawn", _FLAG, "Withdrawn ones too.")

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("pages.home", "GET"): Operation(("text/html",)),
    ("projects.index", "GET"): Operation(_PAGED, (_AFTER, _LIMIT, _FORMAT)),
    ("projects.create", "POST"): Operation(takes=_JSON, statuses=(201,), problems=(401, 403, 409)),
    ("projects.one", "GET"): Operation(_PAGED, (_AFTER, _LIMIT, _WITHDRAWN, _FORMAT), problems=(404,)),
    ("projects.documents", "GET"): Operation(
        _PAGED,
        (_AFTER, _LIMIT, _WITHDRAWN, _FORMAT),
        problems=(404,),
    ),
    ("projects.ledger", "GET"): Operation(
        parameters=(Parameter("after", {"type": "integer", "minimum": 0}, "Only entries behind this number."), _LIMIT),
        problems=(404,),
    ),
    ("submissions.submit", "POST"): Operation(
        parameters=(
            Parameter("name", _NAME, "The document's name; made of the digest where it is not given."),
            _BASE,
            _PROFILES,
            _NOTE,
            _AGAIN,
            _EMPTY,
        ),
        takes=_TAKEN,
        statuses=(201, 200),
        problems=(*_WRITES, 409, 413, 415, 422, 507),
    ),
    ("submissions.replace", "PUT"): Operation(
        parameters=(_BASE, _PROFILES, _NOTE, _AGAIN, _EMPTY),
        takes=_TAKEN,
        statuses=(200, 201),
        problems=(*_WRITES, 412, 413, 415, 422, 428, 507),
        headers={
            "If-Match": "The `ETag` of the version that is replaced, or `*` for any.",
            "If-None-Match": "`*`: there must be no such document yet.",
        },
    ),
    ("submissions.withdraw", "DELETE"): Operation(
        parameters=(
            Parameter("reason", _STRING, "Why, for everybody who may read the project."),
            Parameter("internal_reason", _STRING, "Why, for those alone who may change the project."),
        ),
        problems=(*_WRITES, 410, 412),
        headers={"If-Match": "The `ETag` of the version that is withdrawn."},
    ),
    ("documents.current", "GET"): _READ,
    ("documents.one", "GET"): _READ,
    ("documents.versions", "GET"): Operation(_PAGED, (_FORMAT,), problems=(404,)),
    ("documents.original", "GET"): Operation((_ANY,), problems=(404, 410)),
    ("documents.report", "GET"): _REPORT,
    ("documents.metadata", "GET"): _FOUND,
    ("validate.validate", "POST"): Operation(
        _REPORTS,
        (
            _PROFILES,
            Parameter("constraints", _one_of("gate", "report", "off"), "What PROV-CONSTRAINTS count for."),
            _BASE,
            _FORMAT,
        ),
        _TAKEN,
        problems=(413, 415),
    ),
    ("sparql.endpoint", "GET"): _ASK,
    ("sparql.endpoint", "POST"): _ASK_BY_BODY,
    ("sparql.one_version", "GET"): _ASK,
    ("sparql.one_version", "POST"): _ASK_BY_BODY,
    ("queries.index", "GET"): Operation(_PAGED, (_PROJECT, _FORMAT)),
    ("queries.one", "GET"): Operation(
        _RESULTS,
        (_PROJECT, _TIMEOUT, _FORMAT, Parameter("values", _VALUES, "Parameters of the query, by their own names.")),
        problems=(404, 406, 422),
        others=True,  # those of the query itself, which it knows
    ),
    ("graphs.one", "GET"): Operation(
        _GRAPHS,
        (
            Parameter("graph", _IRI, "The graph; `default` for the default graph."),
            Parameter("default", _STRING, "The default graph; the value says nothing."),
            _FORMAT,
        ),
        problems=(404, 406),
        others=True,
    ),
    ("descriptions.void", "GET"): Operation(("text/turtle",), (_FORMAT,), problems=(406,)),
    ("lineage.lineage", "GET"): Operation(
        (*_JSON, *_GRAPHS, *_BUNDLED, "application/ld+json", "application/n-quads", "image/svg+xml", "text/html"),
        (
            _THING,
            _direction("upstream"),
            Parameter("to", _IRI, "Only what is on a path to this thing."),
            *_WAY,
            Parameter("source", _several(_STRING), "What may be a source: an IRI, or a pattern with `*`."),
            _TOLD,
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("lineage.impact", "GET"): Operation(
        parameters=(_THING, _direction("downstream"), *_WAY, _TOLD, _FORMAT), problems=(404,)
    ),
    ("lineage.common", "GET"): Operation(
        _PAGED,
        (Parameter("iri", _several(_IRI), "The things.", required=True), *_WAY, _TOLD, _FORMAT),
        problems=(404,),
    ),
    ("lineage.thing", "GET"): Operation(
        (*_JSON, *_BUNDLED, "text/html"),
        (
            _THING,
            _PROJECT,
            _AS_OF,
            Parameter("versions", _whole(1000, 100), "The most versions whose statements are told."),
            Parameter("limit", _whole(10_000), "The most statements that are told."),
            _TIMEOUT,
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("lineage.search", "GET"): Operation(
        _PAGED,
        (
            Parameter("q", _STRING, "Words; the last may be the beginning of one.", required=True),
            _PROJECT,
            Parameter("limit", _whole(1000, 50), "The most things that are told."),
            _TIMEOUT,
            _FORMAT,
        ),
        problems=(404,),
    ),
    ("marquez.lineage", "GET"): Operation(
        parameters=(
            Parameter("nodeId", _STRING, "`dataset:` or `job:`, then namespace and name.", required=True),
            Parameter("depth", {"type": "integer", "minimum": 0, "default": 20}, "How far to go, both ways."),
            Parameter("limit", {"type": "integer", "minimum": 1}, "The most nodes that are told."),
        ),
        problems=(404,),
        others=True,
    ),
    ("provaq.service", "GET"): Operation((*_GRAPHS[:3], "application/ld+json"), (_FORMAT,), problems=(406,)),
    ("pingback.received", "POST"): _PINGED,
    ("pingback.received_for_version", "POST"): _PINGED,
    ("pingback.of_document", "GET"): Operation(parameters=(_FORMAT,), problems=_WRITES),
    ("pingback.of_project", "GET"): Operation(parameters=(_FORMAT,), problems=_WRITES),
    ("pingback.discard", "DELETE"): Operation((), statuses=(204,), problems=_WRITES),
    ("health.health", "GET"): Operation(),
    ("health.ready", "GET"): Operation(),
    ("metrics.every", "GET"): Operation(("text/plain",)),
    ("metrics.one", "GET"): Operation(problems=(404,)),
    ("openapi.own", "GET"): Operation(),
    ("static", "GET"): Operation((_ANY,), (Parameter("v", _STRING, "The release, for caches."),), problems=(404,)),
}

_USUAL = (400, 503)
"""Problems that each operation may have."""

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; the type says which further members there are.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _STRING,
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
    body_ = {"requestBody": {"required": True, "content": _content(told.takes)}} if told.takes else {}
    return {
        "operationId": _id(rule, method),
        "summary": summary,
        "parameters": [*_in_path(rule), *(parameter.to_dict() for parameter in told.parameters), *_headers(told)],
        **body_,
        "responses": {str(status): answer for status, answer in _responses(told)},
    }


def _id(rule: Rule, method: str) -> str:
    """A name of its own for each operation: several addresses may share a function."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"<(?:[^:>]*:)?", "by ", rule.rule))
    return "_".join([method.lower(), *(words or ["home"])])


def _in_path(rule: Rule) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(?:[^:>]*:)?([^>]*)>", rule.rule):
        # A document's or version's name may be followed by the suffix of a format.
        schema = _NAME if name == "project" else _STRING
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _headers(told: Operation) -> Iterator[dict[str, Any]]:
    for name, text in (told.headers or {}).items():
        yield {"name": name, "in": "header", "description": text, "schema": _STRING}


def _responses(told: Operation) -> Iterator[tuple[int, dict[str, Any]]]:
    for status in told.statuses:
        content = {"content": _content(told.answers)} if told.answers else {}
        yield status, {"description": "What was asked for." if told.answers else "Done.", **content}
    for status in sorted({*_USUAL, *told.problems} - set(told.statuses)):
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        yield status, {"description": "Why not.", "content": {MEDIA_TYPE: problem}}


def _content(media_types: Sequence[str]) -> dict[str, Any]:
    return {media_type: {} for media_type in media_types}
