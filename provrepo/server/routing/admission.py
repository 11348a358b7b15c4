"""Admission of requests: authentication, rate limit, names of parameters and permission, by the table of routes.

All of this happens before the handler runs and before the body is read. No handler can forget it: the application does
not start if a route has no row in the table.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request

from provrepo.errors import Denied
from provrepo.repository import access
from provrepo.repository.exchange import rights
from provrepo.repository.people.roles import Right
from provrepo.repository.store import Store
from provrepo.server.protocol import auth
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.routing import unknown_parameters
from provrepo.server.routing.rates import Rate, RateLimiter, limits, sender_of
from provrepo.server.routing.routes import IN_QUERY, OPERATIONS, Operation, Permission
from provrepo.words import lasting

__all__ = ["check", "operation", "project", "register"]

_EXTENSION = "provrepo.rates"
_RIGHTS = {
    Permission.CALLER: Right.READ,
    Permission.READ: Right.READ,
    Permission.WRITE: Right.SUBMIT,
    Permission.CURATE: Right.CURATE,
    Permission.MANAGE: Right.MANAGE,
}
_READING = frozenset({"GET", "HEAD"})
_CHANGING = frozenset({Permission.WRITE, Permission.CURATE, Permission.MANAGE, Permission.SEND})
_OF_ARCHIVED = frozenset({"managing.change", "projects.change", "publications.publish", "publishing.send"})
"""What an archived project does not refuse before the body is read: it may end that, or change another project."""

_OF_PROJECTS = frozenset({*_RIGHTS, Permission.SEND}) - {Permission.CALLER}


def register(app: Flask) -> None:
    """Register the check of each request before its handler runs."""
    settings = cast("Store", app.extensions[auth.EXTENSION]).settings
    app.extensions[_EXTENSION] = RateLimiter(limits(settings), loopback=settings.rate_loopback == "on")
    app.before_request(_admit)


def check(app: Flask) -> None:
    """Check that the routes of an application and the table of routes agree.

    Raises:
        LookupError: a route has no row, a row has no route, or a row does not require a permission on the project in
            its address.
    """
    unused = set(OPERATIONS)
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            key = (rule.endpoint, method)
            if key not in OPERATIONS:
                raise LookupError(f"{method} {rule.rule}: the table of routes has no row {key}")
            if "project" in rule.arguments and OPERATIONS[key].access.permission not in _OF_PROJECTS:
                raise LookupError(f"{method} {rule.rule}: the row {key} must need a permission on the project")
            unused.discard(key)
    if unused:
        raise LookupError(f"the table of routes has rows without a route: {sorted(unused)}")


def operation() -> Operation | None:
    """The row of the current request in the table; None for an unknown address, or a method that it does not have.

    Raises:
        LookupError: the route has no row, because it was added after the application was created.
    """
    rule = request.url_rule
    if rule is None or request.method == "OPTIONS":
        return None
    return OPERATIONS[rule.endpoint, "GET" if request.method == "HEAD" else request.method]


def _admit() -> None:
    found = operation()
    if found is None:
        _count(Rate.READ, _address())
        return
    if found.access.permission is Permission.NOTHING:
        _count(found.access.rate, _address())
        unknown_parameters.check(found)
        return
    permission, rate = found.access.permission, found.access.rate
    try:
        actor = auth.repository().actor
    except Rejected:
        _count(Rate.READ, _address())
        raise
    address = _address()
    sender = address
    if actor.id and not _limiter().exempt(address):
        sender = f"token {actor.token}" if actor.token else f"person {actor.id}"
    if rate is Rate.NOTICE and actor.token:
        rate = Rate.WRITE  # as for other requests of peers
    # Pingbacks are counted per project, after the check that it exists: invented names must not evade the limit.
    _count(Rate.READ if rate is Rate.PINGBACK else rate, sender)
    unknown_parameters.check(found)
    named = project(found)
    if permission is Permission.ADMINISTER:
        access.require_administer(actor)
    elif permission is Permission.SIGNED_IN:
        access.require_tokens(actor)
    elif permission is Permission.SEND and named is not None:
        rights.require_send(auth.repository().context, named)
    elif named is not None:
        auth.repository().require(named, _RIGHTS[permission])
    elif permission is Permission.WRITE and not access.may_submit_somewhere(actor):
        raise Denied(f"{actor.name} may not change any project; a token that may write is needed")
    if named is not None and _changes(permission):
        auth.repository().context.require_active(named)
    if rate is Rate.PINGBACK:
        _count(rate, sender, named or "")


def _changes(permission: Permission) -> bool:
    """Whether the current request changes a project, so that an archived one refuses it."""
    changing = request.method not in _READING and permission in _CHANGING
    return changing and request.endpoint not in _OF_ARCHIVED


def project(found: Operation) -> str | None:
    """The project that the current request names, in its path or as ``?project=``; None if it names none."""
    in_path = cast("str | None", (request.view_args or {}).get("project"))
    if in_path is None and any(parameter in IN_QUERY for parameter in found.parameters):
        return request.args.get("project") or None
    return in_path


def _address() -> str:
    return sender_of(request.remote_addr or "")


def _limiter() -> RateLimiter:
    return cast("RateLimiter", current_app.extensions[_EXTENSION])


def _count(rate: Rate, *sender: str) -> None:
    if seconds := _limiter().take(rate, *sender):
        by = "with this token" if sender[0].startswith("token ") else "from your address"
        raise Rejected(
            429,
            f"there were more requests of the class '{rate}' {by} than this server accepts; "
            f"try again in {lasting(seconds)}",
            headers={"Retry-After": str(seconds)},
        )
