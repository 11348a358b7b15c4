"""Who is asking: a bearer token, or nobody in particular.

Only headers count. There are no cookies and no tokens in URLs, so no other site can make a browser act for its user.
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
"""Under this name the application keeps its store."""

CHALLENGE = 'Bearer realm="provrepo"'
"""``WWW-Authenticate`` where a token would help (RFC 6750, section 3)."""


def caller() -> Caller:
    """The class of the caller of this request: without a token, with one that reads, or with one that writes.

    Raises:
        Rejected: 401, as ``repository`` does.
    """
    if is_stranger():
        return Caller.STRANGER
    return class_of(repository().actor)


def client() -> callers.Client:
    """On whose behalf this request is answered."""
    try:
        found = caller()
    except Rejected:
        found = Caller.STRANGER  # what asks for permission answers 401
    return callers.Client(found, request.environ.get("waitress.client_disconnected"))


def class_of(actor: Actor) -> Caller:
    """The class of somebody who showed a token."""
    return Caller.WRITER if actor.owner or actor.write else Caller.READER


def register(app: Flask) -> None:
    """Say for each request on whose behalf its thread works."""

    @app.before_request
    def _() -> None:
        callers.begin(client())

    @app.teardown_request
    def _(_error: BaseException | None) -> None:
        callers.end()


def store() -> Store:
    """The store behind the running application; it has no verbs of its own."""
    return cast("Store", current_app.extensions[EXTENSION])


def is_stranger() -> bool:
    """Whether the request came without a token."""
    return "Authorization" not in request.headers


def repository() -> Repository:
    """The repository as whoever sent this request may use it.

    Raises:
        Rejected: 401, the token is unknown, expired or revoked, or is no bearer token.
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
