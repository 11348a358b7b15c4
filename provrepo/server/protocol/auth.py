"""Authentication by bearer token; a request without a token is anonymous.

Tokens are accepted in the header only. Without cookies and tokens in URLs, no other site can make a browser act with
the rights of its user (cross-site request forgery).
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g, request

from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.protocol.rejections import Rejected
from provrepo.workers import callers
from provrepo.workers.callers import Caller

__all__ = [
    "CHALLENGE",
    "EXTENSION",
    "Caller",
    "caller",
    "class_of",
    "client",
    "is_stranger",
    "register",
    "repository",
    "store",
]

EXTENSION = "provrepo"
"""The key of the store in the extensions of the application."""

CHALLENGE = 'Bearer realm="provrepo"'
"""``WWW-Authenticate`` of responses to requests that need a token (RFC 6750, section 3)."""


def caller() -> Caller:
    """The class of the caller of the current request: no token, a token that reads, or a token that writes.

    Raises:
        Rejected: 401, as ``repository`` does.
    """
    if is_stranger():
        return Caller.STRANGER
    return class_of(repository().actor)


def client() -> callers.Client:
    """The client of the current request: the class of its caller, and whether it has disconnected."""
    try:
        found = caller()
    except Rejected:
        found = Caller.STRANGER  # the check of permissions answers 401
    return callers.Client(found, request.environ.get("waitress.client_disconnected"))


def class_of(actor: Actor) -> Caller:
    """The class of an actor with a token."""
    return Caller.WRITER if actor.owner or actor.write else Caller.READER


def register(app: Flask) -> None:
    """Register hooks that set the client of the current thread for each request."""

    @app.before_request
    def _() -> None:
        callers.begin(client())

    @app.teardown_request
    def _(_error: BaseException | None) -> None:
        callers.end()


def store() -> Store:
    """The store of the current application."""
    return cast("Store", current_app.extensions[EXTENSION])


def is_stranger() -> bool:
    """Whether the request came without a token."""
    return "Authorization" not in request.headers


def repository() -> Repository:
    """The repository, bound to the actor of the current request.

    Raises:
        Rejected: 401, the token is unknown, expired or revoked, or is not a bearer token.
    """
    if "repository" not in g:
        g.repository = Repository(store(), _actor())
    return cast("Repository", g.repository)


def _actor() -> Actor:
    if is_stranger():
        return store().anonymous()
    scheme, _, token = request.headers["Authorization"].partition(" ")
    known = store().authenticate(token.strip()) if scheme.lower() == "bearer" else None
    if known is None:
        raise Rejected(
            401,
            "this token is unknown, expired or revoked; send a valid one as 'Authorization: Bearer pvr_…', or none",
            headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
        )
    return known
