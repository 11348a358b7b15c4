"""The table of routes: what each needs, how it is counted, what the access log calls it, what it takes and answers.

``admission`` judges requests by it, ``unknown`` refuses parameters that it does not list, ``recording`` writes the
access log by it, and ``openapi`` describes it. The application does not start with a route that has no row here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from provrepo.codecs.formats import READABLE
from provrepo.repository.actions import Action
from provrepo.server.documents import documents, reports
from provrepo.server.protocol import answers, body
from provrepo.server.protocol.negotiate import Offer
from provrepo.server.routing import offers, schemas
from provrepo.server.routing.rates import Rate

__all__ = ["NAME", "OPERATIONS", "PROJECT", "STRING", "Access", "Permission", "Operation", "RequestParameter"]


def _media(*offered: Offer) -> tuple[str, ...]:
    """All media types that an answer may have; the usual ones of each offer come first."""
    every = [offer.media_types for offer in offered]
    return tuple(dict.fromkeys([types[0] for types in every] + [one for types in every for one in types]))


_JSON = ("application/json",)
_ANY = "application/octet-stream"
_STATIC = ("text/css", "image/svg+xml", _ANY)
_PAGED = (*_JSON, "text/html")
_FORMATS = _media(*documents.OFFERS)
_REPORTS = _media(*reports.OFFERS)
_RESULTS = _media(*(offer for kind in answers.KINDS for offer in answers.offers(kind)))

STRING: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
_IRI: dict[str, Any] = {"type": "string", "format": "iri"}
NAME: dict[str, Any] = schemas.NAME
_GRAPH: dict[str, Any] = {"type": "string", "anyOf": [{"format": "iri"}, {"const": "default"}]}
_SECONDS: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_VALUES: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


class Permission(StrEnum):
    """What a caller needs, so that a route answers."""

    NOTHING = "nothing: a token is not looked at"
    CALLER = "no token, or a valid one: the answer has what its caller may read"
    READ = "a project that everybody may read, or a token for the project"
    WRITE = "a token that may change the project"
    ADMINISTER = "a token that may write, for all projects"


class Access(NamedTuple):
    """Who may use a route, and how its use is counted.

    Attributes:
        permission: what is asked before anything of the request's body is read.
        rate: the class in which the rate limit counts it.
        action: what the access log calls it; None where it is not recorded.
    """

    permission: Permission
    rate: Rate
    action: Action | None


# Of the server itself, the same for all callers.
_PROBE = Access(Permission.NOTHING, Rate.FREE, None)
_OWN = Access(Permission.NOTHING, Rate.READ, None)
_HEALTH = Access(Permission.CALLER, Rate.FREE, None)
# Over all that the caller may read.
_OVERVIEW = Access(Permission.CALLER, Rate.READ, Action.LIST)
_FIGURES = Access(Permission.CALLER, Rate.READ, None)
_LINEAGE = Access(Permission.CALLER, Rate.QUERY, Action.LINEAGE)
_SEARCH = Access(Permission.CALLER, Rate.QUERY, Action.SEARCH)
_NAMED = Access(Permission.CALLER, Rate.QUERY, Action.QUERY)
_CHECK = Access(Permission.CALLER, Rate.CHECK, Action.CHECK)
_MAKE = Access(Permission.ADMINISTER, Rate.WRITE, Action.SETTINGS)
# Within a project.
_LISTED = Access(Permission.READ, Rate.READ, Action.LIST)
_DOCUMENT = Access(Permission.READ, Rate.READ, Action.READ)
_QUERIED = Access(Permission.READ, Rate.QUERY, Action.QUERY)
_SUBMIT = Access(Permission.WRITE, Rate.WRITE, Action.SUBMIT)
_WITHDRAW = Access(Permission.WRITE, Rate.WRITE, Action.WITHDRAW)
_PING = Access(Permission.READ, Rate.PINGBACK, Action.PINGBACK)
_PINGBACKS = Access(Permission.WRITE, Rate.READ, Action.LIST)
_AUDIT = Access(Permission.WRITE, Rate.QUERY, Action.AUDIT)
_DISCARD = Access(Permission.WRITE, Rate.WRITE, Action.DISCARD)


@dataclass(frozen=True, slots=True)
class RequestParameter:
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
        # A form sends fields that were left empty; they count as left out.
        needed = {"required": True} if self.required else {"allowEmptyValue": True}
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


_FORMAT = RequestParameter("format", STRING, "The representation, by its name; before what `Accept` asks for.")
_LIMIT = RequestParameter("limit", _whole(1000, 100), 'The most that is listed; `Link: rel="next"` leads on.')
_AFTER = RequestParameter("after", STRING, "Only what comes behind this name.")
_PROFILES = RequestParameter("profile", _several(STRING), "A profile to check against, beyond those of the project.")
_BASE = RequestParameter("base", _IRI, "Against which relative IRIs are resolved.")
_NOTE = RequestParameter("note", STRING, "What the submitter wants to say.")
_AGAIN = RequestParameter("again", _FLAG, "Take in bytes that were withdrawn before, as a new version.")
_EMPTY = RequestParameter("allow_empty", _FLAG, "Store the document even if it makes no statement of PROV.")
PROJECT = RequestParameter(
    "project",
    {**NAME, "pattern": "^([A-Za-z0-9][A-Za-z0-9_-]{0,99})?$"},
    "Only this project, instead of all that the caller may read.",
)
_TIMEOUT = RequestParameter(
    "timeout", _SECONDS, "The deadline in seconds, where it is to be less than the server's own."
)
_THING = RequestParameter("iri", _IRI, "The entity, activity or agent.", required=True)
_AS_OF = RequestParameter("as_of", STRING, "As it was after an entry, `PROJECT/SEQUENCE`, or at a time with its zone.")
_WAY = (
    RequestParameter("depth", _whole(10_000), "The most relations to go."),
    RequestParameter("relation", _several(STRING), "Only along these relations."),
    RequestParameter("stop", _several(STRING), "Do not go beyond things of this type."),
    RequestParameter("strict", _FLAG, "Only along derivations, not through activities."),
    RequestParameter("alternates", _FLAG, "Also along alternates."),
    PROJECT,
    _AS_OF,
    _TIMEOUT,
)
_TOLD = RequestParameter("limit", _whole(10_000), "The most things that are told.")
_QUOTE_FORMULAS = RequestParameter(
    "quote_formulas", _FLAG, "In CSV, an apostrophe before each text that a spreadsheet would take for a formula."
)
_QUERY = (
    RequestParameter("query", STRING, "The query."),
    RequestParameter("default-graph-uri", _several(_IRI), "A graph of the default graph."),
    RequestParameter("named-graph-uri", _several(_IRI), "A named graph."),
    _TIMEOUT,
    _FORMAT,
    _QUOTE_FORMULAS,
)


def _direction(default: str) -> RequestParameter:
    return RequestParameter("direction", _one_of("upstream", "downstream", "both", default=default), "Which way to go.")


@dataclass(frozen=True, slots=True)
class Operation:
    """What an address does with one method.

    Attributes:
        access: who may use it, and how its use is counted.
        answers: the media types of its answer; none for an empty one.
        parameters: of the query.
        takes: the media types of a body; none where there is no body.
        statuses: of success, the usual one first.
        problems: statuses that it has beyond those of every operation, and those that follow from ``access``.
        headers: of the request, by name.
        others: whether clients send parameters of their own, which are left alone.
    """

    access: Access
    answers: Sequence[str] = _JSON
    parameters: Sequence[RequestParameter] = ()
    takes: Sequence[str] = ()
    statuses: Sequence[int] = (200,)
    problems: Sequence[int] = ()
    headers: Mapping[str, str] | None = None
    others: bool = False


_TAKEN = tuple(dict.fromkeys([*(format_.media_type for format_ in READABLE), _ANY]))
_READ = Operation(_DOCUMENT, _FORMATS, (_FORMAT,), problems=(404, 406, 410))
_REPORT = Operation(_DOCUMENT, _REPORTS, (_FORMAT,), problems=(404, 406, 410))
_FOUND = Operation(_DOCUMENT, parameters=(_FORMAT,), problems=(404, 406, 410))
_ASK = Operation(_QUERIED, _RESULTS, _QUERY, problems=(403, 404, 406, 410, 422), others=True)
_ASK_BY_BODY = Operation(
    _QUERIED,
    _RESULTS,
    _QUERY[1:],
    (body.FORM, "application/sparql-query"),
    problems=(403, 404, 406, 410, 413, 415, 422),
    others=True,
)
_PINGED = Operation(
    _PING,
    (),
    (RequestParameter("iri", _IRI, "The one thing that it is about."),),
    ("text/uri-list",),
    (204,),
    (404, 410, 413, 415, 501, 507),
)
_WITHDRAWN = RequestParameter("withdrawn", _FLAG, "Withdrawn ones too.")

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("pages.home", "GET"): Operation(_OVERVIEW, ("text/html",)),
    ("projects.index", "GET"): Operation(_OVERVIEW, _PAGED, (_AFTER, _LIMIT, _FORMAT)),
    ("projects.create", "POST"): Operation(_MAKE, takes=_JSON, statuses=(201,), problems=(409, 413, 415, 507)),
    ("projects.one", "GET"): Operation(_LISTED, _PAGED, (_AFTER, _LIMIT, _WITHDRAWN, _FORMAT), problems=(404,)),
    ("projects.documents", "GET"): Operation(
        _LISTED,
        _PAGED,
        (_AFTER, _LIMIT, _WITHDRAWN, _FORMAT),
        problems=(404,),
    ),
    ("projects.ledger", "GET"): Operation(
        _LISTED,
        parameters=(
            RequestParameter("after", {"type": "integer", "minimum": 0}, "Only entries behind this number."),
            _LIMIT,
        ),
        problems=(404,),
    ),
    ("audit.of_project", "GET"): Operation(
        _AUDIT,
        (*_JSON, "text/csv"),
        (
            RequestParameter("document", NAME, "Only what was done with this document."),
            RequestParameter("since", STRING, "From this day or time on."),
            RequestParameter("until", STRING, "Up to the end of this day, or before this time."),
            RequestParameter("by", STRING, "Only what this actor did: a name, or the identifier of an actor or token."),
            RequestParameter("action", _one_of(*Action), "Only this action."),
            RequestParameter("refused", _FLAG, "What was refused instead of what was answered."),
            RequestParameter("after", STRING, "Only what comes behind this event."),
            _LIMIT,
            _FORMAT,
        ),
        problems=(406,),
    ),
    ("submissions.submit", "POST"): Operation(
        _SUBMIT,
        parameters=(
            RequestParameter("name", NAME, "The document's name; made of the digest where it is not given."),
            _BASE,
            _PROFILES,
            _NOTE,
            _AGAIN,
            _EMPTY,
        ),
        takes=_TAKEN,
        statuses=(201, 200),
        problems=(409, 413, 415, 422, 507),
    ),
    ("submissions.replace", "PUT"): Operation(
        _SUBMIT,
        parameters=(_BASE, _PROFILES, _NOTE, _AGAIN, _EMPTY),
        takes=_TAKEN,
        statuses=(200, 201),
        problems=(409, 412, 413, 415, 422, 428, 507),
        headers={
            "If-Match": "The `ETag` of the version that is replaced, or `*` for any.",
            "If-None-Match": "`*`: there must be no such document yet.",
        },
    ),
    ("submissions.withdraw", "DELETE"): Operation(
        _WITHDRAW,
        parameters=(
            RequestParameter("reason", STRING, "Why, for everybody who may read the project."),
            RequestParameter("internal_reason", STRING, "Why, for those alone who may change the project."),
        ),
        problems=(410, 412, 507),
        headers={"If-Match": "The `ETag` of the version that is withdrawn."},
    ),
    ("documents.current", "GET"): _READ,
    ("documents.one", "GET"): _READ,
    ("documents.versions", "GET"): Operation(_DOCUMENT, _PAGED, (_FORMAT,), problems=(404,)),
    ("documents.original", "GET"): Operation(_DOCUMENT, _TAKEN, problems=(404, 410)),
    ("documents.report", "GET"): _REPORT,
    ("documents.metadata", "GET"): _FOUND,
    ("validate.validate", "POST"): Operation(
        _CHECK,
        _REPORTS,
        (
            _PROFILES,
            RequestParameter("constraints", _one_of("gate", "report", "off"), "What PROV-CONSTRAINTS count for."),
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
    ("queries.index", "GET"): Operation(_FIGURES, _PAGED, (PROJECT, _FORMAT), problems=(404,)),
    ("queries.one", "GET"): Operation(
        _NAMED,
        _RESULTS,
        (
            PROJECT,
            _TIMEOUT,
            _FORMAT,
            _QUOTE_FORMULAS,
            RequestParameter("values", _VALUES, "Parameters of the query, by their own names."),
        ),
        problems=(404, 406, 422),
        others=True,  # those of the query itself, which it knows
    ),
    ("graphs.one", "GET"): Operation(
        _QUERIED,
        _media(*offers.GRAPHS),
        (
            RequestParameter("graph", _GRAPH, "The graph; `default` for the default graph."),
            RequestParameter("default", STRING, "The default graph; the value says nothing."),
            _FORMAT,
        ),
        problems=(404, 406),
        others=True,
    ),
    ("descriptions.void", "GET"): Operation(_OVERVIEW, ("text/turtle",), (_FORMAT,), problems=(406,)),
    ("lineage.lineage", "GET"): Operation(
        _LINEAGE,
        _media(*offers.LINEAGE),
        (
            _THING,
            _direction("upstream"),
            RequestParameter("to", _IRI, "Only what is on a path to this thing."),
            *_WAY,
            RequestParameter("source", _several(STRING), "What may be a source: an IRI, or a pattern with `*`."),
            _TOLD,
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("lineage.impact", "GET"): Operation(
        _LINEAGE, parameters=(_THING, _direction("downstream"), *_WAY, _TOLD, _FORMAT), problems=(404,)
    ),
    ("lineage.common", "GET"): Operation(
        _LINEAGE,
        _PAGED,
        (RequestParameter("iri", _several(_IRI), "The things.", required=True), *_WAY, _TOLD, _FORMAT),
        problems=(404,),
    ),
    ("lineage.thing", "GET"): Operation(
        _LINEAGE,
        _media(*offers.THING),
        (
            _THING,
            PROJECT,
            _AS_OF,
            RequestParameter("versions", _whole(1000, 100), "The most versions whose statements are told."),
            RequestParameter("limit", _whole(10_000), "The most statements that are told."),
            _TIMEOUT,
            _FORMAT,
        ),
        problems=(404, 406),
    ),
    ("lineage.search", "GET"): Operation(
        _SEARCH,
        _PAGED,
        (
            RequestParameter("q", STRING, "Words; the last may be the beginning of one.", required=True),
            PROJECT,
            RequestParameter("limit", _whole(1000, 50), "The most things that are told."),
            _TIMEOUT,
            _FORMAT,
        ),
        problems=(404,),
    ),
    ("marquez.lineage", "GET"): Operation(
        _LINEAGE,
        parameters=(
            RequestParameter("nodeId", STRING, "`dataset:` or `job:`, then namespace and name.", required=True),
            RequestParameter("depth", {"type": "integer", "minimum": 0, "default": 20}, "How far to go, both ways."),
            RequestParameter("limit", {"type": "integer", "minimum": 1}, "The most nodes that are told."),
        ),
        problems=(404,),
        others=True,
    ),
    ("provaq.service", "GET"): Operation(_OWN, _media(*offers.PROVAQ), (_FORMAT,), problems=(406,)),
    ("pingback.received", "POST"): _PINGED,
    ("pingback.received_for_version", "POST"): _PINGED,
    ("pingback.of_document", "GET"): Operation(_PINGBACKS, parameters=(_FORMAT,)),
    ("pingback.of_project", "GET"): Operation(_PINGBACKS, parameters=(_FORMAT,)),
    ("pingback.discard", "DELETE"): Operation(_DISCARD, (), statuses=(204,)),
    ("health.health", "GET"): Operation(_HEALTH),
    ("health.ready", "GET"): Operation(_PROBE),
    ("metrics.every", "GET"): Operation(_FIGURES, ("text/plain",)),
    ("metrics.one", "GET"): Operation(_LISTED, problems=(404,)),
    ("openapi.own", "GET"): Operation(_OWN),
    ("static", "GET"): Operation(
        _OWN,
        _STATIC,
        (RequestParameter("v", STRING, "The release, for caches."),),
        statuses=(200, 206),
        problems=(404,),
    ),
}
