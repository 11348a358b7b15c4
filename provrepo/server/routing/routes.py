"""The table of routes: permission, rate limit, access log action, parameters, bodies and responses of each operation.

``admission`` checks requests against it, ``unknown_parameters`` refuses parameters that it does not list,
``monitoring.access_log`` takes actions from it, and ``openapi`` describes it. The application does not start if a route
has no row here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provrepo.limits import MAX_PAGE_SIZE, PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.repository.datasets.records import REASONS
from provrepo.repository.lineage.query import CommonQuery, ImpactQuery, LineageQuery, SearchQuery, ThingQuery
from provrepo.repository.options import Kind, Named, options
from provrepo.server.documents import documents, exports, reports
from provrepo.server.documents.documents import VERSION_ORDERS
from provrepo.server.documents.projects import PROJECT_ORDERS
from provrepo.server.exchange import packages
from provrepo.server.marquez.routes import MARQUEZ
from provrepo.server.protocol import answers, body
from provrepo.server.routing import offers, schemas
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter, media, of_list
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.routes_of_exchange import (
    BASE,
    EXCHANGE,
    OF_ENTRIES,
    PROFILES,
    SUBMISSIONS,
    SUBMITTED,
)
from provrepo.server.routing.routes_of_monitoring import MONITORING
from provrepo.server.routing.routes_of_pages import PAGES
from provrepo.server.routing.routes_of_settings import SETTINGS
from provrepo.server.routing.routes_of_statements import STATEMENTS

__all__ = [
    "IN_QUERY",
    "NAME",
    "OPERATIONS",
    "PROJECT",
    "STRING",
    "Access",
    "Operation",
    "Permission",
    "RequestParameter",
]


_JSON = ("application/json",)
_ANY = "application/octet-stream"
_LINKSET = ("application/linkset+json",)
_STATIC = ("text/css", "text/javascript", "image/svg+xml", _ANY)
_PAGED = (*_JSON, "text/html")
_FORMATS = media(*documents.OFFERS)
_REPORTS = media(*reports.OFFERS)
_RESULTS = media(*(offer for kind in answers.KINDS for offer in answers.offers(kind)))

STRING: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
_IRI: dict[str, Any] = {"type": "string", "format": "iri"}
NAME: dict[str, Any] = schemas.NAME
_GRAPH: dict[str, Any] = {"type": "string", "anyOf": [{"format": "iri"}, {"const": "default"}]}
_SECONDS: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_VALUES: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


# About the server itself; the same for all callers.
_SELF = Access(Permission.NOTHING, Rate.READ, None)
_SITEMAP = Access(Permission.NOTHING, Rate.QUERY, None)
# About everything that the caller may read.
_OVERVIEW = Access(Permission.CALLER, Rate.READ, Action.LIST)
_FIGURES = Access(Permission.CALLER, Rate.READ, None)
_LINEAGE = Access(Permission.CALLER, Rate.QUERY, Action.LINEAGE)
_SEARCH = Access(Permission.CALLER, Rate.QUERY, Action.SEARCH)
_NAMED = Access(Permission.CALLER, Rate.QUERY, Action.QUERY)
_CANCEL = Access(Permission.CALLER, Rate.FREE, None)
_CHECK = Access(Permission.CALLER, Rate.CHECK, Action.CHECK)
_PROFILED = Access(Permission.CALLER, Rate.READ, None)
# Within a project.
_LISTED = Access(Permission.READ, Rate.READ, Action.LIST)
_DOCUMENT = Access(Permission.READ, Rate.READ, Action.READ)
_PACKAGE = Access(Permission.READ, Rate.QUERY, Action.READ)
_QUERIED = Access(Permission.READ, Rate.QUERY, Action.QUERY)
# Clients of OpenLineage drop an event after 429, so these are not counted.
_RECEIVED = Access(Permission.WRITE, Rate.FREE, Action.SUBMIT)


def _whole(most: int, default: int | None = None) -> dict[str, Any]:
    given = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": 1, "maximum": most, **given}


def _one_of(*values: str, default: str | None = None) -> dict[str, Any]:
    given = {} if default is None else {"default": default}
    return {"type": "string", "enum": list(values), **given}


def _several(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(schema)}


_FORMAT = RequestParameter("format", STRING, "The name of the representation; it takes precedence over `Accept`.")
_LIMIT = RequestParameter(
    "limit", _whole(MAX_PAGE_SIZE, PAGE_SIZE), 'The most items on a page; `Link: rel="next"` leads to the next page.'
)
_AFTER = RequestParameter("after", STRING, "Only items after this name.")
_NAME = RequestParameter("name", STRING, "Only this document, withdrawn or not.")
PROJECT = RequestParameter(
    "project",
    {**NAME, "pattern": "^([A-Za-z0-9][A-Za-z0-9_-]{0,99})?$"},
    "Only this project, instead of all that the caller may read.",
)
PROJECT_PROFILES = dataclasses.replace(PROJECT, text="Include the profiles of this project.")
IN_QUERY = (PROJECT, PROJECT_PROFILES)
"""Parameters that name a project which the caller has to be able to read."""

_TIMEOUT = RequestParameter("timeout", _SECONDS, "The deadline in seconds, if less than that of the server.")
_QUOTE_FORMULAS = RequestParameter(
    "quote_formulas", _FLAG, "In CSV, put an apostrophe before each text that a spreadsheet would treat as a formula."
)
_QUERY_PARAMETERS = (
    RequestParameter("query", STRING, "The query."),
    RequestParameter("default-graph-uri", _several(_IRI), "A graph to merge into the default graph."),
    RequestParameter("named-graph-uri", _several(_IRI), "A named graph."),
    _TIMEOUT,
    _FORMAT,
    _QUOTE_FORMULAS,
    RequestParameter("cancel_id", STRING, "An identifier of your own; `DELETE /sparql/running/{run}` cancels it."),
    RequestParameter("sort", STRING, "On a page: the variable to sort by, after `-` for the other way."),
    RequestParameter("offset", {"type": "integer", "minimum": 0}, "On a page: the number of rows to leave out."),
)


def _of_query(query: type) -> tuple[RequestParameter, ...]:
    """The parameters for the options of a query class."""
    return tuple(map(_of_option, (each for each in options(query) if each.option.kind is not Kind.PYTHON)))


def _of_option(named: Named) -> RequestParameter:
    option, kind = named.option, named.option.kind
    if kind is Kind.PROJECT:
        return PROJECT
    # Where the default depends on the representation, there is none to describe.
    default = None if named.required or option.varies else named.default
    schema: dict[str, Any] = {
        Kind.NUMBER: _whole(option.most, default),
        Kind.CHOICE: _one_of(*option.choices, default=default),
        Kind.SECONDS: _SECONDS,
        Kind.FLAG: _FLAG,
        Kind.THING: _IRI,
        Kind.THINGS: _several(_IRI),
        Kind.TEXTS: _several(STRING),
        Kind.LINES: _several(STRING),
    }.get(kind, STRING)
    return RequestParameter(named.parameter, schema, named.described(), named.required)


_READ = Operation(_DOCUMENT, _FORMATS, (_FORMAT,), problems=(404, 406, 410))
_REPORT = Operation(_DOCUMENT, _REPORTS, (_FORMAT,), problems=(404, 406, 410))
_QUERY_GET = Operation(_QUERIED, _RESULTS, _QUERY_PARAMETERS, problems=(403, 404, 406, 410, 422), ignores_unknown=True)
_QUERY_POST = Operation(
    _QUERIED,
    _RESULTS,
    _QUERY_PARAMETERS[1:],
    (body.FORM, "application/sparql-query"),
    problems=(403, 404, 406, 410, 413, 415, 422),
    ignores_unknown=True,
)
_EVENTS = Operation(
    _RECEIVED,
    request_types=(*_JSON, "application/x-ndjson"),
    statuses=(201, 200),
    problems=(413, 415, 422),
)
_PROJECTS = RequestParameter(
    "project", _several(PROJECT.schema), "A project to query; several are queried as one. None for all public projects."
)
_AFTER_ENTRY = RequestParameter("after", {"type": "integer", "minimum": 0}, "Only entries after this sequence number.")
_ORDERED = (
    RequestParameter("q", STRING, "Only documents whose name, title or submitter contains it."),
    RequestParameter(
        "sort", _one_of("newest", "name", "statements", "warnings"), "By name, on pages the newest first."
    ),
    RequestParameter("offset", {"type": "integer", "minimum": 0}, "The number of documents to leave out."),
)
_WITHDRAWN = RequestParameter("withdrawn", _FLAG, "Include withdrawn documents.")

_OF_PICTURE = (
    RequestParameter(
        "collapse", _one_of("", "type", "plan", "project", default=""), "By what the picture of the page is folded."
    ),
    RequestParameter("open", _several(STRING), "A group of the picture whose things are shown one by one."),
    RequestParameter("expand", _several(_IRI), "A thing whose neighbors beyond the depth the picture shows too."),
    RequestParameter("part", _one_of("explorer"), "Only this part of the page."),
    RequestParameter(
        "group",
        _one_of("type", "plan", "project", "distance"),
        "By what the list of the page is grouped; above 20 things by type unless asked otherwise.",
    ),
    RequestParameter("page", {"type": "integer", "minimum": 1}, "Which part of the list of the page, from 1."),
)

_FILES = Operation(
    _SELF,
    _STATIC,
    (RequestParameter("v", STRING, "The release, so that caches keep the releases apart."),),
    statuses=(200, 206),
    problems=(404,),
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("pages.home", "GET"): Operation(_OVERVIEW, _PAGED, (_FORMAT,)),
    **PAGES,
    ("projects.index", "GET"): Operation(_OVERVIEW, _PAGED, (_AFTER, *of_list(*PROJECT_ORDERS), _FORMAT)),
    ("projects.one", "GET"): Operation(
        _LISTED, _PAGED, (*_ORDERED, _AFTER, _LIMIT, _WITHDRAWN, _FORMAT), problems=(404,)
    ),
    ("projects.documents", "GET"): Operation(
        _LISTED,
        _PAGED,
        (_NAME, *_ORDERED, _AFTER, _LIMIT, _WITHDRAWN, _FORMAT),
        problems=(404,),
    ),
    ("datasets.index", "GET"): Operation(
        _QUERIED,
        _PAGED,
        (RequestParameter("q", STRING, "Only datasets whose IRI or label contains it."), _AFTER, _LIMIT, _FORMAT),
        problems=(404,),
    ),
    ("datasets.one", "GET"): Operation(
        _QUERIED,
        _PAGED,
        (
            RequestParameter("iri", _IRI, "The dataset.", required=True),
            RequestParameter("offset", {**_whole(99_999, 0), "minimum": 0}, "The number of versions to leave out."),
            RequestParameter("limit", _whole(MAX_PAGE_SIZE, 20), "The most versions."),
            _FORMAT,
        ),
        problems=(404,),
    ),
    ("datasets.to_run_again", "GET"): Operation(
        _QUERIED,
        parameters=(
            RequestParameter("input", _IRI, "Only results that rest on this dataset."),
            RequestParameter("reason", _one_of(*REASONS), "Only this reason."),
        ),
        problems=(404,),
    ),
    ("feed.ledger", "GET"): Operation(
        _LISTED,
        media(*offers.ENTRIES),
        (_AFTER_ENTRY, *OF_ENTRIES, _LIMIT, _FORMAT),
        statuses=(200, 304),
        problems=(404, 406),
    ),
    ("feed.origin", "GET"): Operation(_LISTED, parameters=(_AFTER_ENTRY,), problems=(404,)),
    ("feed.blob", "GET"): Operation(_DOCUMENT, (_ANY,), statuses=(200, 206), problems=(404, 410, 416)),
    ("log.one", "GET"): Operation(_LISTED, problems=(404, 501)),
    ("log.checkpoint", "GET"): Operation(_LISTED, ("text/plain",), problems=(404, 501)),
    ("log.tile", "GET"): Operation(_LISTED, (_ANY,), problems=(404,)),
    ("log.receipt", "GET"): Operation(_DOCUMENT, problems=(404, 410, 501)),
    ("feed.blobs", "POST"): Operation(
        _DOCUMENT, media(*offers.BLOBS), request_types=_JSON, problems=(404, 406, 413, 415)
    ),
    ("exports.project", "GET"): Operation(
        _PACKAGE,
        media(*exports.OFFERS),
        (
            RequestParameter(
                "after",
                {"type": "integer", "minimum": 0, "maximum": exports.MOST_ENTRIES, "default": 0},
                "Only versions that came after this entry.",
            ),
            _FORMAT,
        ),
        problems=(404, 406, 501),
    ),
    ("packages.package", "GET"): Operation(
        _PACKAGE,
        (packages.MEDIA_TYPE,),
        (
            RequestParameter(
                "since", {"type": "integer", "minimum": 0, "default": 0}, "Only what is new after this entry."
            ),
            RequestParameter("for_readers", _FLAG, "Leave out withdrawn versions, which readers do not see."),
        ),
        problems=(404,),
    ),
    **MONITORING,
    **SUBMISSIONS,
    ("documents.current", "GET"): _READ,
    ("documents.one", "GET"): _READ,
    ("documents.versions", "GET"): Operation(
        _DOCUMENT,
        _PAGED,
        (
            RequestParameter("before", _whole(999_999_999), "Only versions before this one."),
            RequestParameter("limit", _whole(MAX_PAGE_SIZE, PAGE_SIZE), "The most versions: the last ones."),
            *of_list(*VERSION_ORDERS, limited=False),
            _FORMAT,
        ),
        problems=(404,),
    ),
    ("documents.original", "GET"): Operation(_DOCUMENT, SUBMITTED, problems=(404, 410)),
    ("documents.report", "GET"): _REPORT,
    ("documents.metadata", "GET"): Operation(_DOCUMENT, media(*offers.METADATA), (_FORMAT,), problems=(404, 406, 410)),
    ("documents.linkset", "GET"): Operation(_DOCUMENT, _LINKSET, problems=(404, 410)),
    **STATEMENTS,
    ("linksets.api_catalog", "GET"): Operation(_SELF, _LINKSET),
    ("catalogs.catalog", "GET"): Operation(_OVERVIEW, media(*offers.DESCRIPTION), (_FORMAT,), problems=(406,)),
    ("catalogs.of_project", "GET"): Operation(
        _LISTED, media(*offers.DESCRIPTION), (_AFTER, _LIMIT, _FORMAT), problems=(404, 406)
    ),
    ("sitemaps.sitemap", "GET"): Operation(
        _SITEMAP,
        ("application/xml",),
        (RequestParameter("list", _whole(50_000), "One list of addresses, by its number in the index."),),
        problems=(404,),
    ),
    ("sitemaps.robots", "GET"): Operation(_SELF, ("text/plain",)),
    ("vocabularies.ontology", "GET"): Operation(_SELF, media(*offers.DESCRIPTION), (_FORMAT,), problems=(406,)),
    ("vocabularies.shapes", "GET"): Operation(_SELF, media(*offers.DESCRIPTION), (_FORMAT,), problems=(404, 406)),
    ("validate.validate", "POST"): Operation(
        _CHECK,
        _REPORTS,
        (
            PROJECT_PROFILES,
            PROFILES,
            RequestParameter(
                "constraints",
                _one_of("gate", "report", "off"),
                "The constraints decide the verdict (`gate`), are only reported (`report`) or skipped (`off`).",
            ),
            BASE,
            _FORMAT,
        ),
        SUBMITTED,
        problems=(404, 413, 415),
    ),
    ("profiles.index", "GET"): Operation(_PROFILED, _PAGED, parameters=(PROJECT_PROFILES, _FORMAT), problems=(404,)),
    ("sparql.public", "GET"): replace(_QUERY_GET, parameters=(*_QUERY_GET.parameters, _PROJECTS)),
    ("sparql.public", "POST"): replace(_QUERY_POST, parameters=(*_QUERY_POST.parameters, _PROJECTS)),
    ("sparql.endpoint", "GET"): _QUERY_GET,
    ("sparql.endpoint", "POST"): _QUERY_POST,
    ("sparql.one_version", "GET"): _QUERY_GET,
    ("sparql.one_version", "POST"): _QUERY_POST,
    ("canceling.cancel", "DELETE"): Operation(_CANCEL, (), statuses=(204,), problems=(404,)),
    ("terms.terms", "GET"): Operation(
        _NAMED,
        parameters=(RequestParameter("q", STRING, "Words of labels of things."), PROJECT, _FORMAT),
        problems=(404,),
    ),
    ("queries.index", "GET"): Operation(_FIGURES, _PAGED, (PROJECT, _FORMAT), problems=(404,)),
    ("queries.one", "GET"): Operation(
        _NAMED,
        _RESULTS,
        (
            PROJECT,
            _TIMEOUT,
            _FORMAT,
            _QUOTE_FORMULAS,
            RequestParameter("values", _VALUES, "Parameters of the query, by name."),
        ),
        problems=(404, 406, 422),
        ignores_unknown=True,  # the parameters of the query, which checks them itself
    ),
    ("graphs.one", "GET"): Operation(
        _QUERIED,
        media(*offers.GRAPHS),
        (
            RequestParameter("graph", _GRAPH, "The name of the graph; `default` for the default graph."),
            RequestParameter("default", STRING, "The default graph; the value is ignored."),
            _FORMAT,
        ),
        problems=(404, 406),
        ignores_unknown=True,
    ),
    ("descriptions.void", "GET"): Operation(_OVERVIEW, ("text/turtle",), (_FORMAT,), problems=(406,)),
    ("lineage.lineage", "GET"): Operation(
        _LINEAGE,
        media(*offers.LINEAGE),
        (*_of_query(LineageQuery), _FORMAT, *_OF_PICTURE),
        problems=(403, 404, 406),
    ),
    ("lineage.surroundings", "POST"): Operation(_LINEAGE, request_types=_JSON, problems=(406, 413, 415)),
    ("lineage.impact", "GET"): Operation(_LINEAGE, parameters=(*_of_query(ImpactQuery), _FORMAT), problems=(404,)),
    ("lineage.common", "GET"): Operation(_LINEAGE, _PAGED, (*_of_query(CommonQuery), _FORMAT), problems=(404,)),
    ("lineage.thing", "GET"): Operation(
        _LINEAGE,
        media(*offers.THING),
        (*_of_query(ThingQuery), _FORMAT),
        statuses=(200, 303),
        problems=(404, 406),
    ),
    ("lineage.search", "GET"): Operation(_SEARCH, _PAGED, (*_of_query(SearchQuery), _FORMAT), problems=(404,)),
    ("gate.gate", "POST"): Operation(_LINEAGE, request_types=_JSON, problems=(404, 413, 415, 422)),
    **MARQUEZ,
    ("openlineage.receive", "POST"): _EVENTS,
    ("openlineage.receive_batch", "POST"): _EVENTS,
    ("openlineage.receive_in_project", "POST"): _EVENTS,
    ("openlineage.receive_batch_in_project", "POST"): _EVENTS,
    ("provaq.service", "GET"): Operation(_SELF, media(*offers.PROVAQ), (_FORMAT,), problems=(406,)),
    **SETTINGS,
    **EXCHANGE,
    ("openapi.own", "GET"): Operation(_SELF, _PAGED, (_FORMAT,)),
    ("static", "GET"): _FILES,
    ("vendor.editor", "GET"): replace(_FILES, response_types=("text/javascript",), statuses=(200,)),
    ("vendor.licenses", "GET"): replace(_FILES, response_types=("text/plain",), statuses=(200,)),
}
