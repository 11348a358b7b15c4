"""Submission of a document to a server over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from provrepo.errors import (
    Busy,
    Conflict,
    Denied,
    Error,
    NotFound,
    ReadError,
    Refused,
    RemoteError,
    Stale,
    TooLarge,
    UsageError,
)
from provrepo.model.identifiers import web_address
from provrepo.settings import bearer

__all__ = ["Destination", "send"]

LONGEST_ANSWER = 64 * 1024 * 1024
"""The maximum size of an answer in bytes. Reports can be large, but a server must not fill our memory."""

_ERRORS: dict[int, type[Error]] = {
    400: ReadError,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: Stale,
    413: TooLarge,
    415: ReadError,
}
_BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination of a submission: server, project and document name.

    Attributes:
        server: the other repository's URL.
        project: the project there.
        name: the document's name there, or None for the server to choose.
        token: the access token; may be empty.
        timeout: seconds to wait for each answer.
    """

    server: str
    project: str
    name: str | None
    token: str = field(default="", repr=False)
    timeout: float = 300.0

    def url(self, *path: str, **query: object) -> str:
        """Return a URL below the documents of the project.

        Raises:
            UsageError: the server's URL is not an http or https URL.
        """
        parts = web_address(self.server)
        if "@" in self.server.partition("//")[2].partition("/")[0]:
            raise UsageError("the URL of a server must not contain a user or password; set PROVREPO_TOKEN")
        if parts is None or parts.query or parts.fragment:
            raise UsageError(f"{self.server!r} is not the URL of a server, such as https://prov.example/")
        steps = "/".join(quote(step, safe="") for step in ("projects", self.project, "documents", *path))
        given = {key: value for key, value in query.items() if value}
        return f"{self.server.rstrip('/')}/{steps}" + (f"?{urlencode(given, doseq=True)}" if given else "")


def send(
    content: bytes,
    media_type: str,
    destination: Destination,
    *,
    base: str | None = None,
    profiles: tuple[str, ...] = (),
    update: bool = False,
    note: str = "",
    again: bool = False,
    allow_empty: bool = False,
) -> dict[str, Any]:
    """Submit a document to a server and return the receipt; the same bytes give the same receipt.

    Args:
        content: the document's bytes.
        media_type: of its format.
        destination: the server, project and name.
        base: the base for relative IRIs.
        profiles: further profiles, besides those of the project.
        update: append a new version if the document exists.
        note: a note for the history.
        again: store bytes that were withdrawn before.
        allow_empty: store a document without PROV statements.

    Returns:
        The receipt of the server; or the record of a document that waits for a review, whose ``state`` is ``waiting``.

    Raises:
        Error: of the same class as for a local submission; RemoteError for other answers.
    """
    options = {"base": base, "profile": profiles, "note": note}
    options |= {"again": "true" if again else None, "allow_empty": "true" if allow_empty else None}
    headers = {"Content-Type": media_type}
    status, answer = _request("POST", destination.url(name=destination.name, **options), content, headers, destination)
    if status == http.HTTPStatus.CONFLICT and update and destination.name:
        replace = {**headers, "If-Match": "*"}
        url = destination.url(destination.name, **options)
        status, answer = _request("PUT", url, content, replace, destination)
    if status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED, http.HTTPStatus.ACCEPTED):
        raise _error(status, answer)
    return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Does not follow redirects: the token is for the named server only."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _request(
    method: str, url: str, content: bytes, headers: Mapping[str, str], destination: Destination
) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, content, {"Accept": "application/json", **headers}, method=method)  # noqa: S310
    if destination.token:
        request.add_unredirected_header("Authorization", f"Bearer {bearer(destination.token)}")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=destination.timeout) as answer:
            return answer.status, _decoded(answer.read(LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _BUSY:
                message = _refusal(error.code, _decoded(error.read(LONGEST_ANSWER)))
                raise Busy(message, retry_after=_seconds(error.headers.get("Retry-After", ""))) from None
            return error.code, _decoded(error.read(LONGEST_ANSWER))
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise RemoteError(f"{destination.server} does not answer: {reason}") from error


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _error(status: int, answer: Mapping[str, Any]) -> Error:
    """Return the error for an answer without success, with the detail of the problem (RFC 9457)."""
    if status == http.HTTPStatus.UNPROCESSABLE_ENTITY and isinstance(answer.get("report"), dict):
        from provrepo.checks.report import Report

        return Refused(_reason(status, answer), Report.from_dict(answer["report"]))
    kind = _ERRORS.get(status)
    return kind(_refusal(status, answer)) if kind else RemoteError(_refusal(status, answer), status=status)


def _refusal(status: int, answer: Mapping[str, Any]) -> str:
    return f"the server refused: {_reason(status, answer)} (HTTP {status})"


def _reason(status: int, answer: Mapping[str, Any]) -> str:
    return str(answer.get("detail") or answer.get("title") or http.client.responses.get(status, "no reason given"))


def _seconds(retry_after: str) -> float:
    """Return the seconds of a Retry-After header, a number or a date (RFC 9110, section 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (date - datetime.now(date.tzinfo)).total_seconds())
