"""Sessions of browsers: a sign-in, or a token that was posted once, and after that a cookie.

A session of a person has the rights that the roles of the person give at each request, and ends with the person. A
session of a token has its rights: the token is looked up at each request, and ends its sessions when it ends. Sessions
are in memory only, so that neither disk nor backup has anything with which somebody could act; a restart of the server
ends them.

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
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Request, Response

from provrepo.server.protocol.negotiate import prefers_html

__all__ = [
    "FORM_FIELD",
    "FORM_HEADER",
    "MOST",
    "Session",
    "Sessions",
    "browser",
    "cookie_name",
    "counts",
    "from_here",
    "is_secure",
    "set_cookie",
]

FORM_FIELD = "form_token"
"""The field of each form that contains the form token of the session."""

FORM_HEADER = "Provrepo-Form"
"""The header field with the form token where a request has no form."""

MOST = 10_000
"""The most sessions; beyond it the one that was used least recently ends."""

_OF_FORMS = frozenset(
    {
        "creating",
        "joining",
        "managing",
        "own_sessions",
        "people",
        "publishing",
        "recording",
        "sessions",
        "signing_in",
        "submitting",
        "tokens",
    }
)
"""The blueprints whose requests that change something are forms of pages. All others take bearer tokens only."""

_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        id: by which it is listed and ended; no secret.
        actor: opaque identifier of the actor.
        token: the identifier of its token; empty for a person who has signed in.
        form_token: a secret that only pages of this session contain.
        began: the monotonic time in seconds at which it began.
        since: the same as xsd:dateTime in UTC.
        browser: the name of the browser, as far as it says.
        asserted: for a person whom a proxy has named, the value of its header field; empty for others.
    """

    id: str
    actor: str
    token: str
    form_token: str
    began: float
    since: str
    browser: str = ""
    asserted: str = ""

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
        self._found: OrderedDict[bytes, tuple[Session, float, str]] = OrderedDict()

    def begin(self, actor: str, token: str = "", *, browser: str = "", asserted: str = "") -> tuple[str, Session]:
        """A new session, and what its cookie has to contain; the arguments are attributes of ``Session``."""
        secret, at = secrets.token_urlsafe(32), _now()
        form_token = secrets.token_urlsafe(32)
        session = Session(secrets.token_hex(8), actor, token, form_token, self._clock(), at, browser, asserted)
        with self._lock:
            self._found[_key(secret)] = session, session.began, at
            if len(self._found) > MOST:
                self._found.popitem(last=False)
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session of a cookie, which is now the one that was used last; None if there is none, or it has ended."""
        key = _key(secret)
        with self._lock:
            session, used, _ = self._found.pop(key, (None, 0.0, ""))
            at = self._clock()
            if session is None or self._is_over(session, used, at):
                return None
            self._found[key] = session, at, _now()
            return session

    def of_actor(self, actor: str) -> list[tuple[Session, str]]:
        """The sessions of an actor, each with the xsd:dateTime of its last request; the one used last comes first."""
        at = self._clock()
        with self._lock:
            found = [one for one in self._found.values() if one[0].actor == actor]
        return [(session, last) for session, used, last in reversed(found) if not self._is_over(session, used, at)]

    def end_all(self, which: Callable[[Session], bool]) -> int:
        """End the sessions for which a function returns true; return how many there were."""
        with self._lock:
            ended = [key for key, (session, _, _) in self._found.items() if which(session)]
            for key in ended:
                del self._found[key]
        return len(ended)

    def end(self, secret: str) -> None:
        """End the session of a cookie, if there is one."""
        with self._lock:
            self._found.pop(_key(secret), None)

    def _is_over(self, session: Session, used: float, at: float) -> bool:
        return at - used >= self.idle or at - session.began >= self.age


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")


def browser(agent: str) -> str:
    """The name of a browser with its system, for the user to recognize; nothing else of what it says is kept.

    Args:
        agent: the value of ``User-Agent``.
    """
    name = next((name for part, name in _BROWSERS if f"{part}/" in agent), "another program")
    system = next((system for system in _SYSTEMS if system in agent), "")
    return f"{name} on {system.replace('Mac OS X', 'macOS').replace('CrOS', 'ChromeOS')}" if system else name


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def cookie_name(request: Request, base: str) -> str:
    """The name of the cookie. Cookies do not distinguish ports, so that the name without TLS has the port.

    Args:
        request: the current request.
        base: the base IRI of the repository.
    """
    return "__Host-provrepo" if is_secure(request, base) else f"provrepo-{urlsplit('//' + request.host).port or 80}"


def is_secure(request: Request, base: str) -> bool:
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
        secure=is_secure(request, base),
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
    scheme = "https" if is_secure(request, base) else request.scheme
    return request.headers.get("Origin", "").lower() == f"{scheme}://{request.host}".lower()
