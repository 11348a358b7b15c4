"""The parts of a row of the table of routes (``routes``): permission, parameters, and the operation itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.server.protocol.negotiate import Offer
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import STRING

__all__ = ["Access", "Operation", "Permission", "RequestParameter", "media", "of_list"]

_JSON = ("application/json",)


class Permission(StrEnum):
    """The permission that a request needs; the value completes the sentence "Needs …" in the OpenAPI description."""

    NOTHING = "nothing; a token is ignored"
    CALLER = "no token, or a valid one; the response has what its caller may read"
    READ = "a public project, or a token for the project"
    WRITE = "a token that may write to the project"
    CURATE = "a token of a curator of the project, or one that may write to it"
    MANAGE = "a token of an owner of the project, or one that may write to all projects"
    SEND = "a token that may write to the project, or that of a peer that may send to it"
    SIGNED_IN = "a session of a person who has signed in; no token"
    ADMINISTER = "a token that may write to all projects"


class Access(NamedTuple):
    """Permission, rate limit and access log action of an operation.

    Attributes:
        permission: checked before the body of the request is read.
        rate: the class of the rate limit in which it is counted.
        action: its name in the access log; None if it is not recorded.
    """

    permission: Permission
    rate: Rate
    action: Action | None


@dataclass(frozen=True, slots=True)
class RequestParameter:
    """A parameter in the query of a URL.

    Attributes:
        name: its name.
        schema: the JSON schema of its value; that of an array if the parameter may be repeated.
        text: its description.
        required: whether it must be given.
    """

    name: str
    schema: Mapping[str, Any]
    text: str
    required: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The parameter as a Parameter Object of OpenAPI."""
        repeated = {"style": "form", "explode": True} if self.schema["type"] in ("array", "object") else {}
        # Forms send empty fields; they count as missing.
        needed = {"required": True} if self.required else {"allowEmptyValue": True}
        found = {"name": self.name, "in": "query", "description": self.text, **needed, **repeated}
        return {**found, "schema": dict(self.schema)}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        access: its permission, rate limit and access log action.
        response_types: the media types of the response; none for an empty one.
        parameters: the parameters in the query of the URL.
        request_types: the media types of the body of the request; none if it has no body.
        statuses: the statuses of success, the usual one first.
        problems: further statuses of problems, beyond those of every operation and those that follow from ``access``.
        headers: descriptions of request headers, by name.
        ignores_unknown: whether unknown parameters are ignored, because clients send parameters of their own.
    """

    access: Access
    response_types: Sequence[str] = _JSON
    parameters: Sequence[RequestParameter] = ()
    request_types: Sequence[str] = ()
    statuses: Sequence[int] = (200,)
    problems: Sequence[int] = ()
    headers: Mapping[str, str] | None = None
    ignores_unknown: bool = False


def media(*offered: Offer) -> tuple[str, ...]:
    """All media types of some offers; the default one of each offer comes first."""
    every = [offer.media_types for offer in offered]
    return tuple(dict.fromkeys([types[0] for types in every] + [type_ for types in every for type_ in types]))


def of_list(*sorts: str, limited: bool = True) -> tuple[RequestParameter, ...]:
    """The parameters of a list by address (``server.pages.lists``).

    Args:
        sorts: the values of ``sort``.
        limited: whether ``limit`` is among them.
    """
    count = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE}
    return (
        RequestParameter("q", STRING, "Only items in which all of these words occur."),
        RequestParameter("sort", {"type": "string", "enum": list(sorts)}, "The order."),
        RequestParameter("offset", {"type": "integer", "minimum": 0}, "The number of items to leave out."),
        *([RequestParameter("limit", count, "The most items; 50 on a page without it.")] if limited else []),
    )
