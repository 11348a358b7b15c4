"""Authentication by bearer token, or on pages by the cookie of a session; any other request is anonymous.

Tokens are accepted in the header only. A cookie counts only where no other site can have caused the request
(``protocol.sessions``), so that none can make a browser act with the rights of its user (cross-site request forgery).
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, g, request

from provrepo.repository import access
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.protocol import body, proxy, sessions
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.sessions import FORM_FIELD, FORM_HEADER, Session, Sessions
from provrepo.workers import callers
from provrepo.workers.callers import Caller

__all__ = [
    "CHALLENGE",
    "EXTENSION",
    "Caller",
    "begin_session",
    "begin_session_as",
    "begin_session_of",
    "caller",
    "class_of",
    "client",
    "end_session",
    "end_sessions",
    "is_stranger",
    "register",
    "repository",
    "require_form",
    "session",
    "sessions_of",
    "store",
]

EXTENSION = "provrepo"
"""The key of the store in the extensions of the application."""

_SESSIONS = "provrepo.sessions"

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
    return Caller.WRITER if access.may_submit_somewhere(actor) else Caller.READER


def register(app: Flask) -> None:
    """Register the sessions, and hooks that set the client of the current thread for each request."""
    settings = cast("Store", app.extensions[EXTENSION]).settings
    app.extensions[_SESSIONS] = Sessions(idle=60 * settings.session_idle, age=3600 * settings.session_hours)

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
    """Whether the request came without a token, and is no part of a session."""
    return "Authorization" not in request.headers and session() is None


def session() -> Session | None:
    """The session of the current request; None if it has none that counts. A token in the header takes precedence."""
    if "session_actor" not in g:
        g.session_actor = _of_session()
    found: tuple[Session, Actor] | None = g.session_actor
    return None if found is None else found[0]


def begin_session(token: str) -> tuple[str, Actor] | None:
    """A new session of a token, which ends the one that the request has: its cookie, and its actor; None for no token.

    Args:
        token: as it was typed.
    """
    known = store().authenticate(token.strip())
    if known is None:
        return None
    end_session()
    return _sessions().begin(known.id, known.token, browser=_browser())[0], known


def begin_session_of(person: Actor, *, asserted: str = "") -> str:
    """A new session of a person who has signed in, which ends the one that the request has; returns its cookie.

    Args:
        person: the person.
        asserted: the value of the header in which a proxy has named the person; empty without a proxy.
    """
    end_session()
    return _sessions().begin(person.id, browser=_browser(), asserted=asserted)[0]


def sessions_of(actor: str) -> list[tuple[Session, str]]:
    """The sessions of an actor, each with the time of its last request; the one used last comes first."""
    return _sessions().of_actor(actor)


def end_sessions(actor: str, id: str = "") -> int:  # noqa: A002
    """End the sessions of an actor, or the one with an identifier; return how many there were."""
    return _sessions().end_all(lambda found: found.actor == actor and id in ("", found.id))


def begin_session_as(actor: Actor) -> str:
    """A new session of an actor whose token was found, which ends the one that the request has; returns its cookie."""
    end_session()
    return _sessions().begin(actor.id, actor.token, browser=_browser())[0]


def end_session() -> None:
    """End the session of the cookie of the request, if it has one."""
    _sessions().end(_cookie())


def require_form() -> None:
    """Require that a form was sent by a page of this server, and in a session by a page of that session.

    Requests with a token in the header need no proof: no other site can make a browser send them.

    Raises:
        Rejected: 403, it was not, or the session has ended meanwhile; 415, a body is expected and is no form.
    """
    if request.method == "POST":
        body.require_form()
    if "Authorization" in request.headers:
        return
    if not sessions.from_here(request, store().base()):
        raise Rejected(
            403,
            "this form was not sent by a page of this server: the browser has to send Sec-Fetch-Site or Origin; "
            "programs send 'Authorization: Bearer pvr_…' instead",
        )
    given = request.headers.get(FORM_HEADER) or request.form.get(FORM_FIELD, "")
    found = session()
    if found is None and given:
        raise Rejected(403, "your session has ended: sign in again, then send the form again")
    if found is not None and not found.proves(given):
        raise Rejected(403, "the form is from another session: load the page again, then send it from there")


def _sessions() -> Sessions:
    return cast("Sessions", current_app.extensions[_SESSIONS])


def _browser() -> str:
    return sessions.browser(request.headers.get("User-Agent", ""))


def _cookie() -> str:
    return request.cookies.get(sessions.cookie_name(request, store().base()), "")


def _of_session() -> tuple[Session, Actor] | None:
    if "Authorization" in request.headers or not (secret := _cookie()) or not sessions.counts(request, store().base()):
        return None
    found = _sessions().find(secret)
    actor = None if found is None else _holder(found)
    if found is None or actor is None:
        _sessions().end(secret)
        return None
    return found, actor


def _holder(found: Session) -> Actor | None:
    """The actor of a session, with the rights of now; None where the session has to end."""
    if found.token:
        return store().actor_of(found.token)
    named = proxy.named(request, store().settings)
    # The proxy names somebody else: another person has signed in there with the same browser.
    return None if found.asserted and named and named != found.asserted else store().person(found.actor)


def repository() -> Repository:
    """The repository, bound to the actor of the current request.

    Raises:
        Rejected: 401, the token is unknown, expired or revoked, or is not a bearer token.
    """
    if "repository" not in g:
        g.repository = Repository(store(), _actor())
    return cast("Repository", g.repository)


def _actor() -> Actor:
    if session() is not None:
        return cast("Actor", g.session_actor[1])
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
