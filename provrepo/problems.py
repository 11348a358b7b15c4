"""The problem types of HTTP (RFC 9457): the table from errors to problems, and its inverse for clients.

The server describes each error with a row of ``ERRORS`` or ``HTTP``. A client turns the answer of another server into
an error of the same class with ``error``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provrepo import errors
from provrepo.text import quoted

__all__ = ["ERRORS", "HIDDEN", "HTTP", "MEDIA_TYPE", "TYPES", "ProblemType", "error"]

MEDIA_TYPE = "application/problem+json"
TYPES = "https://w3id.org/provrepo/problems#"
"""The namespace of problem types; ``docs/reference/http.md`` describes each of them."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A problem type.

    Attributes:
        status: the status code.
        name: the last part of its IRI, after ``TYPES``.
        title: a short summary, the same for every problem of this type.
    """

    status: int
    name: str
    title: str


ERRORS: dict[type[errors.Error], ProblemType] = {
    errors.UsageError: ProblemType(400, "usage", "A parameter is wrong"),
    errors.UnknownFormat: ProblemType(400, "format", "No such format"),
    errors.InvalidName: ProblemType(400, "name", "Not a valid name"),
    errors.NoRepository: ProblemType(500, "no-repository", "There is no repository"),
    errors.SettingsError: ProblemType(500, "settings", "The server is set up wrongly"),
    errors.ReadError: ProblemType(400, "unreadable", "The document cannot be read"),
    errors.QueryError: ProblemType(400, "query", "The query cannot be answered"),
    errors.WriteError: ProblemType(406, "unwritable", "The format cannot represent this document"),
    errors.NotFound: ProblemType(404, "not-found", "Not found"),
    errors.Withdrawn: ProblemType(410, "withdrawn", "Withdrawn"),
    errors.Denied: ProblemType(403, "denied", "Not allowed"),
    errors.Mirrored: ProblemType(403, "mirrored", "The project is a mirror"),
    errors.Archived: ProblemType(403, "archived", "The project is archived"),
    errors.Conflict: ProblemType(409, "conflict", "The name is taken"),
    errors.TakenBack: ProblemType(409, "taken-back", "These bytes were taken back"),
    errors.Stale: ProblemType(412, "stale", "No longer the current version"),
    errors.Refused: ProblemType(422, "refused", "The document does not conform"),
    errors.Waits: ProblemType(202, "waits", "The document waits for a review"),
    errors.TooLarge: ProblemType(413, "too-large", "Too large"),
    errors.AnswerTooLarge: ProblemType(422, "answer-too-large", "The answer is too large"),
    errors.Busy: ProblemType(503, "busy", "Busy"),
    errors.OverQuota: ProblemType(429, "quota", "The quota is used up"),
    errors.NotAvailable: ProblemType(501, "not-available", "Not available"),
    errors.WorkerFailed: ProblemType(503, "worker", "Stopped at a limit"),
    errors.TimedOut: ProblemType(503, "timed-out", "Stopped at the deadline"),
    errors.RemoteError: ProblemType(502, "remote", "Another server failed"),
    errors.Unreachable: ProblemType(504, "unreachable", "Another server cannot be reached"),
    errors.Diverged: ProblemType(502, "diverged", "The origin of a mirror has diverged"),
    errors.NoSpace: ProblemType(507, "no-space", "No space left"),
    errors.ProjectFull: ProblemType(507, "project-full", "The quota of the project is used up"),
    errors.Damaged: ProblemType(500, "damaged", "The data directory is damaged"),
    errors.Error: ProblemType(500, "error", "The server failed"),
}
"""The problem type of each class of ``provrepo.errors``; a subclass without a row has that of its parent."""

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
    502: ProblemType(502, "remote", "Another server failed"),
    503: ProblemType(503, "busy", "Busy"),
}
"""Problem types of errors of the protocol itself, by status; any other status has the type ``http``."""

HIDDEN = "There is nothing here, or nothing that you may see without a token for it."
"""The detail of a 404 that must not reveal whether a private resource exists."""

_CLASSES: dict[str, type[errors.Error]] = {
    "unauthorized": errors.Denied,
    "rate": errors.Busy,
    "media-type": errors.ReadError,
    "precondition": errors.Conflict,
    "not-acceptable": errors.UnknownFormat,
}
"""The class of each problem type that only ``HTTP`` has, for clients."""

_CLASSES |= {row.name: kind for kind, row in ERRORS.items() if row.status >= 400 and kind is not errors.Error}

_LONGEST = 8192
"""The most characters of a text of another server."""


def error(
    status: int,
    problem: Mapping[str, Any],
    *,
    retry_after: float = 0.0,
    report: Callable[[Any], object] = lambda members: members,
) -> errors.Error:
    """The error that a problem stands for, with its attributes.

    Args:
        status: the status code of the answer.
        problem: the members of its JSON object; empty for the answer to a HEAD request.
        retry_after: seconds of its ``Retry-After``.
        report: makes the report of ``Refused`` from the member ``report``; without it the member is the report.

    Returns:
        An error of the class that the problem type stands for, with the status; ``RemoteError`` for an unknown type.
    """
    found = _error(status, problem, report)
    found.status, found.retry_after = status, retry_after
    return found


def _error(status: int, problem: Mapping[str, Any], report: Callable[[Any], object]) -> errors.Error:
    name = str(problem.get("type") or "")
    if not problem and status in HTTP:
        name = TYPES + HTTP[status].name
    kind = _CLASSES.get(name.removeprefix(TYPES)) if name.startswith(TYPES) else None
    detail = quoted(str(problem.get("detail") or problem.get("title") or f"the server answered {status}"), _LONGEST)
    if kind is None:
        return errors.RemoteError(detail)
    if issubclass(kind, errors.Diverged):
        return kind(detail, state=_text(problem, "state") or "forked")
    if issubclass(kind, errors.ReadError):
        return _read_error(kind, detail, problem)
    if issubclass(kind, errors.Withdrawn):
        return kind(
            detail,
            reason=_text(problem, "reason"),
            time=_text(problem, "withdrawn_at"),
            state=_text(problem, "state"),
        )
    if issubclass(kind, errors.TakenBack):
        return _taken_back(detail, problem.get("withdrawal"))
    if issubclass(kind, errors.Refused):
        found = _refused(detail, problem.get("report"), report)
        if isinstance(found, errors.Refused):
            found.kept = problem.get("pending")
        return found
    return kind(detail)


def _text(problem: Mapping[str, Any], name: str) -> str | None:
    value = problem.get(name)
    return quoted(value, _LONGEST) if isinstance(value, str) else None


def _read_error(kind: type[errors.ReadError], detail: str, problem: Mapping[str, Any]) -> errors.Error:
    line, column = problem.get("line"), problem.get("column")
    found = kind(detail)
    # The detail contains the format and the location already.
    found.line = line if isinstance(line, int) else None
    found.column = column if isinstance(column, int) else None
    found.format = _text(problem, "format")
    start = f"{found.format}: " if found.format else ""
    if found.line is not None:
        start += f"line {found.line}: " if found.column is None else f"line {found.line}, column {found.column}: "
    found.message = detail.removeprefix(start)
    return found


def _taken_back(detail: str, members: object) -> errors.Error:
    given = members if isinstance(members, dict) else {}
    words = {name: _text(given, name) or "" for name in ("state", "document", "time", "by", "reason")}
    version = given.get("version")
    return errors.TakenBack(detail, version=version if isinstance(version, int) else 0, **words)


def _refused(detail: str, members: object, report: Callable[[Any], object]) -> errors.Error:
    try:
        return errors.Refused(detail, report(members))
    except (TypeError, ValueError, KeyError, AttributeError):
        return errors.RemoteError(f"{detail} (without a readable report)")
