"""Who may send which request: each is held against its row of the table of routes before anything else of it is read.

The token is looked up, the request is counted against the rate limit, its parameters are checked by name, and
permission is judged. No handler does any of this, so that none can forget it: the application does not start with a
route that has no row.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request

from provrepo.repository import access
from provrepo.repository.store import Store
from provrepo.server.protocol import auth
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.routing import unknown_parameters
from provrepo.server.routing.rates import Rate, Rates, limits, sender
from provrepo.server.routing.routes import OPERATIONS, PROJECT, Operation, Permission

__all__ = ["check", "operation", "project", "register"]

_EXTENSION = "provrepo.rates"
_OF_PROJECTS = frozenset({Permission.READ, Permission.WRITE})


def register(app: Flask) -> None:
    """Judge each request before its handler runs."""
    settings = cast("Store", app.extensions[auth.EXTENSION]).settings
    app.extensions[_EXTENSION] = Rates(limits(settings), loopback=settings.rate_loopback == "on")
    app.before_request(_admit)


def check(app: Flask) -> None:
    """Hold the routes of an application against the table.

    Raises:
        LookupError: a route has no row, a row has no route, or a row does not ask for permission where the address
            names a project.
    """
    unused = set(OPERATIONS)
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            key = (rule.endpoint, method)
            if key not in OPERATIONS:
                raise LookupError(f"{method} {rule.rule}: the table of routes has no row {key}")
            if "project" in rule.arguments and OPERATIONS[key].access.permission not in _OF_PROJECTS:
                raise LookupError(f"{method} {rule.rule}: the row {key} has to need what a project needs")
            unused.discard(key)
    if unused:
        raise LookupError(f"the table of routes has rows without a route: {sorted(unused)}")


def operation() -> Operation | None:
    """The row of the running request; None where there is no such address, or where it does not take the method.

    Raises:
        LookupError: the route has no row: it was added after the application was made.
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
    who = f"token {actor.token}" if actor.token and not _rates().exempt(address) else address
    # Pingbacks are counted for each project, and only for those that there are: names are no way around the limit.
    _count(Rate.READ if rate is Rate.PINGBACK else rate, who)
    unknown_parameters.check(found)
    named = project(found)
    if permission is Permission.ADMINISTER:
        access.require_administer(actor)
    elif named is not None:
        auth.repository().require(named, write=permission is Permission.WRITE)
    if rate is Rate.PINGBACK:
        _count(rate, who, named or "")


def project(found: Operation) -> str | None:
    """The project that the running request names, in its path or as ``?project=``."""
    in_path = cast("str | None", (request.view_args or {}).get("project"))
    if in_path is None and PROJECT in found.parameters:
        return request.args.get("project") or None
    return in_path


def _address() -> str:
    return sender(request.remote_addr or "")


def _rates() -> Rates:
    return cast("Rates", current_app.extensions[_EXTENSION])


def _count(rate: Rate, *who: str) -> None:
    if seconds := _rates().take(rate, *who):
        by = "with this token" if who[0].startswith("token ") else "from your address"
        raise Rejected(
            429,
            f"there were more requests of the class '{rate}' {by} than this server takes; "
            f"try again in {seconds} seconds",
            headers={"Retry-After": str(seconds)},
        )
