"""Every error as a problem (RFC 9457): one table says which error is which status.

Browsers get the same words as a page. What is unknown and what is private answer with the same bytes, whoever asks.
"""

from __future__ import annotations

import http
import json
import logging
import re
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from provrepo import errors
from provrepo.checks.report import Report
from provrepo.server.pages import pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import prefers_html
from provrepo.server.protocol.rejections import Rejected

__all__ = ["ERRORS", "HTTP", "MEDIA_TYPE", "TYPES", "Problem", "of", "of_status", "register", "response"]

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPES = "https://w3id.org/provrepo/problems#"
"""Problem types are IRIs under this one; ``docs/reference/http.md`` describes each."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What one class of error is over HTTP.

    Attributes:
        status: the status code.
        name: of the problem type, below ``TYPES``.
        title: the same words each time.
    """

    status: int
    name: str
    title: str


ERRORS: dict[type[Exception], ProblemType] = {
    errors.UsageError: ProblemType(400, "usage", "A parameter is wrong"),
    errors.UnknownFormat: ProblemType(400, "format", "No such format"),
    errors.InvalidName: ProblemType(400, "name", "Not a valid name"),
    errors.NoRepository: ProblemType(500, "no-repository", "There is no repository"),
    errors.SettingsError: ProblemType(500, "settings", "The server is set up wrongly"),
    errors.ReadError: ProblemType(400, "unreadable", "The document cannot be read"),
    errors.QueryError: ProblemType(400, "query", "The query cannot be answered"),
    errors.WriteError: ProblemType(406, "unwritable", "The format cannot carry this document"),
    errors.NotFound: ProblemType(404, "not-found", "Not found"),
    errors.Withdrawn: ProblemType(410, "withdrawn", "Withdrawn"),
    errors.Denied: ProblemType(403, "denied", "Not allowed"),
    errors.Conflict: ProblemType(409, "conflict", "The name is taken"),
    errors.TakenBack: ProblemType(409, "taken-back", "These bytes were taken back"),
    errors.Stale: ProblemType(412, "stale", "No longer the current version"),
    errors.Refused: ProblemType(422, "refused", "The document does not conform"),
    errors.TooLarge: ProblemType(413, "too-large", "Too large"),
    errors.AnswerTooLarge: ProblemType(422, "answer-too-large", "The answer is too large"),
    errors.Busy: ProblemType(503, "busy", "Busy"),
    errors.NotAvailable: ProblemType(501, "not-available", "Not available"),
    errors.WorkerFailed: ProblemType(503, "worker", "Stopped at a limit"),
    errors.TimedOut: ProblemType(503, "timed-out", "Stopped at the deadline"),
    errors.RemoteError: ProblemType(502, "remote", "Another server failed"),
    errors.NoSpace: ProblemType(507, "no-space", "No space left"),
    errors.Damaged: ProblemType(500, "damaged", "The data directory is damaged"),
    errors.Error: ProblemType(500, "error", "The server failed"),
}
"""Each class of ``provrepo.errors``; a subclass without a row is what its parent is."""

HTTP = {
    400: ProblemType(400, "usage", "The request cannot be understood"),
    401: ProblemType(401, "unauthorized", "A valid token is needed"),
    403: ProblemType(403, "denied", "Not allowed"),
    404: ProblemType(404, "not-found", "Not found"),
    405: ProblemType(405, "method", "Not possible here"),
    406: ProblemType(406, "not-acceptable", "No acceptable representation"),
    413: ProblemType(413, "too-large", "Too large"),
    415: ProblemType(415, "media-type", "This media type is not understood"),
    429: ProblemType(429, "rate", "Too many requests"),
    428: ProblemType(428, "precondition", "A precondition is needed"),
    503: ProblemType(503, "busy", "Busy"),
}
"""What the protocol itself refuses, by status; any other is of the type ``http``."""

NOWHERE = "There is nothing here, or nothing that you may see without a token for it."
"""The detail of a 404 that must not tell whether something private exists."""

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RETRY = {errors.TimedOut: "60", errors.Busy: "1", errors.WorkerFailed: "10"}
"""Seconds of ``Retry-After``; a minute for what may take as long the next time. The first class that fits counts."""
_DETAILS = {
    405: "This address does not take this method; the Allow header lists those that it takes.",
    413: "The body is larger than this server takes.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as it is sent.

    Attributes:
        type: its status, name and title.
        detail: what happened this time.
        members: further members, such as ``line`` or ``report``.
        headers: sent with it.
        instance: whether to name the request in the body.
    """

    type: ProblemType
    detail: str
    members: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    instance: bool = True

    def to_dict(self, request_id: str = "") -> dict[str, Any]:
        """As JSON holds it."""
        head: dict[str, Any] = {
            "type": TYPES + self.type.name,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
        }
        if request_id and self.instance:
            if _UUID.fullmatch(request_id):
                head["instance"] = f"urn:uuid:{request_id}"
            head["request_id"] = request_id
        return {**head, **self.members}


def register(app: Flask) -> None:
    """Make every exception of the application a problem."""

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return error
        return response(of(error))

    @app.after_request
    def _(answer: Response) -> Response:
        # Flask answers with the file where a condition on it fails (RFC 9110, section 13.1.1).
        failed = answer.status_code == 412 and request.endpoint == "static"
        return response(of(errors.Stale("the file has another ETag than those of If-Match"))) if failed else answer


def of(error: Exception) -> Problem:
    """The problem that an exception is; what was not foreseen is logged and stays unsaid."""
    if isinstance(error, Rejected):
        return _of_http(error, error.detail, error.members, error.extra_headers)
    if isinstance(error, HTTPException):
        sent = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
        return _of_http(error, error.description or "", {}, sent)
    if isinstance(error, errors.Error):
        return _of_ours(error)
    _log.error("request %s failed", g.request_id, exc_info=error)
    return Problem(ERRORS[errors.Error], "Something failed on the server's side; the request's id is in its log.")


def response(problem: Problem) -> Response:
    """The answer that carries a problem: a page where the client prefers one."""
    if prefers_html():
        report = problem.members.get("report")
        answer = pages.page("error.html", problem=problem, report=report and Report.from_dict(report))
    else:
        answer = Response(json.dumps(problem.to_dict(g.request_id), ensure_ascii=False, indent=2) + "\n")
        answer.content_type = MEDIA_TYPE
    answer.status_code = problem.type.status
    answer.headers.update(problem.headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def of_status(status: int, detail: str) -> Problem:
    """The problem that a status code of HTTP itself is."""
    row = HTTP.get(status) or ProblemType(status, "http", http.HTTPStatus(status).phrase)
    return Problem(row, _DETAILS.get(status, detail))


def _of_http(error: HTTPException, detail: str, members: dict[str, Any], headers: dict[str, str]) -> Problem:
    if error.code == 404:
        return Problem(HTTP[404], NOWHERE, instance=False)
    return replace(of_status(error.code or 500, detail), members=members, headers=headers)


def _of_ours(error: errors.Error) -> Problem:
    row = next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
    if row.status == 404:
        return Problem(row, str(error) if _may_see_project() else NOWHERE, instance=False)
    if isinstance(error, errors.Denied) and auth.is_stranger():
        return Problem(HTTP[401], str(error), headers={"WWW-Authenticate": auth.CHALLENGE})
    if row.status == 500:
        _log.error("request %s failed", g.request_id, exc_info=error)
    retry = next((seconds for kind, seconds in _RETRY.items() if isinstance(error, kind)), None)
    return Problem(row, str(error), _members(error), {"Retry-After": retry} if retry else {})


def _may_see_project() -> bool:
    """Whether the project that the path names is no secret from the caller."""
    project = (request.view_args or {}).get("project")
    if project is None:
        return False
    try:
        auth.repository().project(project)
    except (errors.Error, Rejected):
        return False
    return True


def _members(error: errors.Error) -> dict[str, Any]:
    """What a class of error carries beyond its text, by RFC 9457's extension members."""
    found: dict[str, Any] = {}
    if isinstance(error, errors.ReadError):
        found = {"line": error.line, "column": error.column, "format": error.format}
    elif isinstance(error, errors.Withdrawn):
        found = {"reason": error.reason, "withdrawn_at": error.time}
    elif isinstance(error, errors.TakenBack):
        taken = {"state": error.state, "document": error.document, "version": error.version, "time": error.time}
        found = {"withdrawal": {**taken, "by": error.by, "reason": error.reason}}
    elif isinstance(error, errors.Refused) and isinstance(error.report, Report):
        found = {"report": error.report.to_dict()}
    return {name: value for name, value in found.items() if value is not None}
