"""Problems (RFC 9457): every error as a response, by the tables of ``provrepo.problems``.

Browsers get the same text as a page. A private resource and an unknown one give exactly the same response to a caller
who may not read it.
"""

from __future__ import annotations

import http
import json
import logging
import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask, Response, g, request, url_for
from werkzeug.exceptions import HTTPException

from provrepo import errors
from provrepo.checks.report import Report
from provrepo.problems import ERRORS, HIDDEN, HTTP, MEDIA_TYPE, TYPES, ProblemType
from provrepo.repository.exchange.records import PendingInfo
from provrepo.server.pages import pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import prefers_html
from provrepo.server.protocol.rejections import Rejected

__all__ = ["Problem", "of", "of_status", "register", "response"]

_log = logging.getLogger(__name__)

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RETRY = {errors.TimedOut: "60", errors.OverQuota: "3600", errors.Busy: "1", errors.WorkerFailed: "10"}
"""``Retry-After`` in seconds, by the first matching class; a minute for work that may take as long again."""
_DETAILS = {
    405: "This address does not support this method; the Allow header lists the supported ones.",
    413: "The body is larger than this server accepts.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with its details.

    Attributes:
        type: its status, name and title.
        detail: the explanation of this occurrence.
        members: further members, such as ``line`` or ``report``.
        headers: header fields of the response.
        instance: whether the body has the id of the request.
    """

    type: ProblemType
    detail: str
    members: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    instance: bool = True

    def to_dict(self, request_id: str = "") -> dict[str, Any]:
        """The problem as a JSON object."""
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
    """Register handlers that turn every exception of the application into a problem."""

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return error
        return response(of(error))

    @app.after_request
    def _(answer: Response) -> Response:
        # Flask sends the file itself with a 412 (RFC 9110, section 13.1.1).
        failed = answer.status_code == 412 and request.endpoint == "static"
        return response(of(errors.Stale("the file has another ETag than those of If-Match"))) if failed else answer


def of(error: Exception) -> Problem:
    """The problem for an exception. An unexpected exception is logged, and the problem reveals nothing of it."""
    if isinstance(error, Rejected):
        found = _of_http(error, error.detail, error.members, error.extra_headers)
        return found if error.code == 404 else replace(found, detail=error.detail)
    if isinstance(error, HTTPException):
        sent = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
        return _of_http(error, error.description or "", {}, sent)
    if isinstance(error, errors.Error):
        return _of_error(error)
    _log.error("request %s failed", g.request_id, exc_info=error)
    return Problem(
        ERRORS[errors.Error],
        "An unexpected error occurred on the server; its log has the details under the id of this request.",
    )


def response(problem: Problem) -> Response:
    """The response for a problem: a page if the client prefers one, otherwise JSON."""
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
    """The problem for an error of the protocol itself, by status code."""
    type_ = HTTP.get(status) or ProblemType(status, "http", http.HTTPStatus(status).phrase)
    return Problem(type_, _DETAILS.get(status, detail))


def _of_http(error: HTTPException, detail: str, members: dict[str, Any], headers: dict[str, str]) -> Problem:
    if error.code == 404:
        return Problem(HTTP[404], HIDDEN, instance=False)
    return replace(of_status(error.code or 500, detail), members=members, headers=headers)


def _of_error(error: errors.Error) -> Problem:
    type_ = next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
    if type_.status == 404:
        return Problem(type_, str(error) if _may_see_project() else HIDDEN, instance=False)
    # Nobody can change an archived project, so that no token would help.
    if isinstance(error, errors.Denied) and not isinstance(error, errors.Archived) and auth.is_stranger():
        return Problem(HTTP[401], str(error), headers={"WWW-Authenticate": auth.CHALLENGE})
    if type_.status == 500:
        _log.error("request %s failed", g.request_id, exc_info=error)
    kept = error.kept if isinstance(error, errors.Refused) else None
    if isinstance(kept, PendingInfo):
        at = url_for("pending.one", project=kept.project, pending=kept.id)
        return Problem(type_, str(error), _members(error), {"Location": at})
    retry = next((seconds for kind, seconds in _RETRY.items() if isinstance(error, kind)), None)
    if retry and error.retry_after:
        retry = str(math.ceil(error.retry_after))
    return Problem(type_, str(error), _members(error), {"Retry-After": retry} if retry else {})


def _may_see_project() -> bool:
    """Whether the caller may read the project in the path; without one, whether the caller may read every project."""
    project = (request.view_args or {}).get("project")
    try:
        if project is None:
            actor = auth.repository().actor
            return bool(actor.id) and actor.projects is None
        auth.repository().project(project)
    except (errors.Error, Rejected):
        return False
    return True


def _members(error: errors.Error) -> dict[str, Any]:
    """The extension members (RFC 9457, section 3.2) for the attributes of an error."""
    found: dict[str, Any] = {}
    if isinstance(error, errors.ReadError):
        found = {"line": error.line, "column": error.column, "format": error.format}
    elif isinstance(error, errors.Withdrawn):
        found = {"reason": error.reason, "withdrawn_at": error.time, "state": error.state}
    elif isinstance(error, errors.TakenBack):
        taken = {"state": error.state, "document": error.document, "version": error.version, "time": error.time}
        found = {"withdrawal": {**taken, "by": error.by, "reason": error.reason}}
    elif isinstance(error, errors.Diverged):
        found = {"state": error.state}
    elif isinstance(error, errors.Refused) and isinstance(error.report, Report):
        kept = {"pending": error.kept.to_dict()} if isinstance(error.kept, PendingInfo) else {}
        found = {"report": error.report.to_dict(), **kept}
    return {name: value for name, value in found.items() if value is not None}
