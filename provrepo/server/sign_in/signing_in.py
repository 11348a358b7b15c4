"""Sign-in of people: by a provider of OpenID Connect, or by a proxy that has authenticated them.

The answer that begins a session is a page that leads on by itself. A redirect would not do: the browser came from
another site, and sends the cookie of the session (``SameSite=Strict``) only where a page of this server leads on.
"""

from __future__ import annotations

import logging
from typing import NoReturn, cast

from flask import Blueprint, Flask, Response, current_app, g, request

from provrepo.errors import Conflict, Denied, NotFound
from provrepo.repository.people import sign_in
from provrepo.repository.people.sign_in import Claims
from provrepo.repository.records import Actor
from provrepo.repository.store import Store
from provrepo.server.pages import pages
from provrepo.server.pages.signing import local, to
from provrepo.server.protocol import addresses, auth, proxy, sessions
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.sign_in.attempts import LASTS, Attempts, Invalid
from provrepo.server.sign_in.provider import Failed, Provider

__all__ = ["blueprint", "register"]

_log = logging.getLogger(__name__)

blueprint = Blueprint("signing_in", __name__)

_PROVIDER, _ATTEMPTS = "provrepo.provider", "provrepo.attempts"

_LONGEST = 4096
"""The most characters of a code, a state, and a path to go on to."""

_OTHERWISE = "sign in again, or with a token"

_FAILED = {
    "unreachable": (503, f"the provider of sign-in cannot be reached: try again in a minute, or {_OTHERWISE[14:]}"),
    "provider": (502, f"the provider of sign-in has answered in a way that cannot be used: {_OTHERWISE}"),
    "token": (502, f"the provider of sign-in has sent no valid proof of who you are: {_OTHERWISE}"),
    "code": (403, f"the provider of sign-in does not accept this code, which was used or is too old: {_OTHERWISE}"),
}
_INVALID = {
    "unknown": "this sign-in is not known to the server, which may have restarted",
    "expired": f"this sign-in took longer than {int(LASTS // 60)} minutes",
    "replayed": "this sign-in was completed before, and counts once",
    "browser": "this sign-in was begun by another browser, or at another address of this server",
    "issuer": "this answer is from another provider than the one that was asked",
    "refused": "the provider of sign-in has refused",
    "incomplete": "this answer of the provider has no code or no state",
}


def register(app: Flask) -> None:
    """Register the provider in the settings.

    Raises:
        NotAvailable: the package that reads its tokens is not installed.
        SettingsError: the file with the client secret cannot be read.
    """
    settings = cast("Store", app.extensions[auth.EXTENSION]).settings
    app.extensions[_ATTEMPTS] = Attempts()
    app.extensions[_PROVIDER] = Provider(settings) if settings.sign_in_issuer else None


@blueprint.get("/session/sign-in")
def begin() -> Response:
    """Begin to sign in: leads to the provider, or begins a session at once for whom the proxy names."""
    target = local(request.args.get("next", "")[:_LONGEST])
    if request.method == "HEAD":
        return to(target)  # nothing begins without a page that a person sees
    if name := proxy.named(request, auth.store().settings):
        return _by_proxy(name, target)
    provider = _provider()
    state, attempt, secret = _attempts().begin(target, request.cookies.get(_cookie(), ""))
    try:
        response = to(provider.address(attempt, state, _callback()))
    except Failed as error:
        _fail(error)
    # The browser has to send it when the provider leads it back, as SameSite=Strict would not.
    response.set_cookie(
        _cookie(),
        secret,
        max_age=int(LASTS),
        path="/",
        secure=sessions.is_secure(request, auth.store().base()),
        httponly=True,
        samesite="Lax",
    )
    return response


@blueprint.get("/session/callback")
def callback() -> Response:
    """The provider sends the browser back here, with a code that proves who has signed in."""
    provider = _provider()
    code, state = request.args.get("code", ""), request.args.get("state", "")
    if not state or len(state) > _LONGEST or len(code) > _LONGEST:
        _refuse("incomplete")
    if request.method == "HEAD":
        return Response(content_type="text/html; charset=utf-8")  # the code counts once
    try:
        attempt = _attempts().take(state, request.cookies.get(_cookie(), ""))
    except Invalid as error:
        _refuse(error.reason)
    try:
        if not provider.is_issuer(request.args.get("iss", "")):
            _refuse("issuer")
        if "error" in request.args:
            _refuse("refused")
        if not code:
            _refuse("incomplete")
        claims = provider.claims(code, attempt, _callback(), _is_known)
    except Failed as error:
        _fail(error)
    return _entered(_enter(claims, attempt.path), attempt.path)


def _by_proxy(name: str, target: str) -> Response:
    settings = auth.store().settings
    if len(name) > 255:
        _refuse("incomplete")
    claims = Claims(f"header:{settings.sign_in_header.lower()}", name, name=name, called=name)
    return _entered(_enter(claims, target), target, asserted=name)


def _enter(claims: Claims, target: str) -> Actor:
    try:
        return sign_in.enter(auth.store(), claims, target)
    except Denied as error:
        g.refused_because = "person"
        raise Rejected(403, str(error)) from None
    except Conflict:
        g.refused_because = "conflict"
        raise


def _entered(person: Actor, target: str, *, asserted: str = "") -> Response:
    secret = auth.begin_session_of(person, asserted=asserted)
    g.entered = person  # for the access log, and so that no other site may read the page
    response = pages.page("signed_in.html", person=person, target=target)
    sessions.set_cookie(response, request, auth.store().base(), secret)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_known(claims: Claims) -> bool:
    return sign_in.is_known(auth.store(), claims)


def _refuse(reason: str) -> NoReturn:
    g.refused_because = reason
    raise Rejected(403, f"{_INVALID[reason]}: {_OTHERWISE}")


def _fail(error: Failed) -> NoReturn:
    _log.warning("sign-in: %s", error)
    g.refused_because = error.reason
    status, detail = _FAILED[error.reason]
    raise Rejected(status, detail, headers={"Retry-After": "60"} if status == 503 else {})


def _provider() -> Provider:
    found = cast("Provider | None", current_app.extensions[_PROVIDER])
    if found is None:
        settings = auth.store().settings
        if settings.sign_in_header and request.endpoint == "signing_in.begin":
            g.refused_because = "proxy"
            raise Rejected(403, "your request names nobody, or does not come from the proxy: sign in with a token")
        raise NotFound("this server has no provider of sign-in")
    return found


def _attempts() -> Attempts:
    return cast("Attempts", current_app.extensions[_ATTEMPTS])


def _callback() -> str:
    """The absolute address of ``callback``, which does not depend on what the browser says."""
    return f"{addresses.address()}session/callback"


def _cookie() -> str:
    """The name of the cookie that ties an attempt to its browser."""
    return f"{sessions.cookie_name(request, auth.store().base())}-signing"
