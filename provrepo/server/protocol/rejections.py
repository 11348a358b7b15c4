"""The exception for requests that are invalid in terms of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import HTTPException

__all__ = ["Rejected"]


class Rejected(HTTPException):
    """The request is refused because of its headers, parameters, media type or rate; not by the repository.

    Attributes:
        code: the HTTP status code.
        detail: one or two sentences for the client.
        extra_headers: header fields of the response.
        members: further members of the problem (RFC 9457, section 3.2).
    """

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.code = status
        self.detail = detail
        self.extra_headers = dict(headers or {})
        self.members = members
