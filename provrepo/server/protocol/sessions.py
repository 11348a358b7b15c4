"""Sessions of browsers: a token that was posted once, and after that a cookie.

A session gives the rights of its token, which is looked up at each request: a token that was revoked or has expired
ends its sessions at once. Sessions are in memory only, so that neither disk nor backup has anything with which somebody
could act; a restart of the server ends them.

A cookie is sent by the browser whoever made it send the request. So it counts only where no other site can be the one
who asks, and reads the answer (``counts``); elsewhere the request is anonymous, whatever cookie it has.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request, Response

from provrepo.server.protocol.negotiate import prefers_html

__all__ = [
    "FORM_FIELD",
    "FORM_HEADER",
    "MOST",
    "Session",
    "Sessions",
    "cookie_name",
    "counts",
    "from_here",
    "set_cookie",
]

FORM_FIELD = "form_token"
"""The field of each form that contains the form token of the session."""

FORM_HEADER = "Provrepo-Form"
"""The header field with the form token where a request has no form."""

MOST = 10_000
"""The most sessions; beyond it the one that was used least recently ends."""

_OF_FORMS = frozenset({"joining", "sessions", "submitting", "recording"})
"""The blueprints whose requests that change something are forms of pages. All others take bearer tokens only."""

_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        token: the identifier of its token.
        form_token: a secret that only pages of this session contain.
        began: the monotonic time in seconds at which it began.
    """

    token: str
    form_token: str
    began: float

    def proves(self, given: str) -> bool:
        """Whether a form token is that of this session; compared in constant time."""
        return hmac.compare_digest(self.form_token.encode(), given.encode("utf-8", "surrogateescape"))


class Sessions:
    """The sessions of a server, by the SHA-256 of what the cookie contains."""

    def __init__(self, *, idle: float, age: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Without sessions.

        Args:
            idle: seconds after its last request at which a session ends.
            age: seconds after its beginning at which it ends in any case.
            clock: a monotonic time in seconds.
        """
        self.idle, self.age = idle, age
        self._clock = clock
        self._lock = threading.Lock()
        self._found: OrderedDict[bytes, tuple[Session, float]] = OrderedDict()

    def begin(self, token: str) -> tuple[str, Session]:
        """A new session of a token, and what its cookie has to contain."""
        secret = secrets.token_urlsafe(32)
        session = Session(token, secrets.token_urlsafe(32), self._clock())
        with self._lock:
            self._found[_key(secret)] = session, session.began
            if len(self._found) > MOST:
                self._found.popitem(last=False)
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session of a cookie, which is now the one that was used last; None if there is none, or it has ended."""
        key = _key(secret)
        with self._lock:
            session, used = self._found.pop(key, (None, 0.0))
            at = self._clock()
            if session is None or at - used >= self.idle or at - session.began >= self.age:
                return None
            self._found[key] = session, at
            return session

    def end(self, secret: str) -> None:
        """End the session of a cookie, if there is one."""
        with self._lock:
            self._found.pop(_key(secret), None)


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def cookie_name(request: Request, base: str) -> str:
    """The name of the cookie. Cookies do not distinguish ports, so that the name without TLS has the port.

    Args:
        request: the current request.
        base: the base IRI of the repository.
    """
    return "__Host-provrepo" if _is_secure(request, base) else f"provrepo-{urlsplit('//' + request.host).port or 80}"


def _is_secure(request: Request, base: str) -> bool:
    """Whether the browser speaks TLS: the trusted proxy says so, or the host is that of a base IRI with ``https``."""
    known = urlsplit(base)
    return request.is_secure or (known.scheme == "https" and known.netloc.lower() == request.host.lower())


def set_cookie(response: Response, request: Request, base: str, secret: str) -> None:
    """Send the cookie of a session; with an empty ``secret``, delete it."""
    response.set_cookie(
        cookie_name(request, base),
        secret,
        max_age=None if secret else 0,  # without an age it ends with the browser
        path="/",
        secure=_is_secure(request, base),
        httponly=True,
        samesite="Strict",
    )


def counts(request: Request, base: str) -> bool:
    """Whether a cookie counts: a page is read, or a form of a page is sent, and no other site has caused the request.

    Browsers say in ``Sec-Fetch-Site`` (Fetch Metadata) who did, over TLS and on this machine. Without it, reading
    counts for pages alone, and forms need ``Origin``.
    """
    if request.method in _READING:
        site = request.headers.get("Sec-Fetch-Site")
        return prefers_html() if site is None else site in ("same-origin", "none")
    return request.blueprint in _OF_FORMS and from_here(request, base)


def from_here(request: Request, base: str) -> bool:
    """Whether a request that changes something comes from a page of this server, as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    scheme = "https" if _is_secure(request, base) else request.scheme
    return request.headers.get("Origin", "").lower() == f"{scheme}://{request.host}".lower()
