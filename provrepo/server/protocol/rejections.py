"""What HTTP itself turns away, before or after the repository had its say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import HTTPException

__all__ = ["Rejected"]


class Rejected(HTTPException):
    """A request that cannot be answered for a reason of the protocol alone: its headers, parameters or media type.

    Attributes:
        status: the HTTP status code.
        detail: one or two sentences for the client.
        extra_headers: sent with the answer.
        members: further members of the problem (RFC 9457, section 3.2).
    """

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.code = status
        self.detail = detail
        self.extra_headers = dict(headers or {})
        self.members = members
