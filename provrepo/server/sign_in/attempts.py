"""Attempts to sign in: between the redirect to the provider and the return from there.

Each has a state that is used once and belongs to one browser, a nonce, and the secret of PKCE. They are in memory, so
that a restart ends them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["LASTS", "MOST", "Attempt", "Attempts", "Invalid"]

LASTS = 600.0
"""Seconds that an attempt may take."""

MOST = 10_000
"""The most attempts; beyond it the oldest one ends."""


class Invalid(Exception):
    """A return from the provider that belongs to no attempt of this browser.

    Attributes:
        reason: ``unknown``, ``expired``, ``replayed`` or ``browser``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        nonce: has to be in the token of the provider.
        verifier: the secret of PKCE (RFC 7636, section 4.1).
        path: path and query of the page to which the sign-in leads.
        browser: the SHA-256 of the secret in the cookie of the browser.
        began: the monotonic time in seconds.
        used: whether the browser has returned with it.
    """

    nonce: str
    verifier: str
    path: str
    browser: bytes
    began: float
    used: bool = False


class Attempts:
    """The attempts of a server, by their state."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Without attempts; ``clock`` returns a monotonic time in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._found: OrderedDict[str, Attempt] = OrderedDict()

    def begin(self, path: str, browser: str = "") -> tuple[str, Attempt, str]:
        """Begin an attempt.

        Args:
            path: path and query of the page to which the sign-in leads.
            browser: what the cookie of the browser contains already, because of another attempt; or empty.

        Returns:
            The state, the attempt, and what the cookie has to contain.
        """
        with self._lock:
            if not browser or not any(found.browser == _digest(browser) for found in reversed(self._found.values())):
                browser = secrets.token_urlsafe(32)
            attempt = Attempt(
                secrets.token_urlsafe(32), secrets.token_urlsafe(48), path, _digest(browser), self._clock()
            )
            state = secrets.token_urlsafe(32)
            self._found[state] = attempt
            while len(self._found) > MOST or self._is_over(next(iter(self._found.values()))):
                self._found.popitem(last=False)
        return state, attempt, browser

    def take(self, state: str, browser: str) -> Attempt:
        """The attempt of a state, which is used now.

        Args:
            state: as the provider returned it.
            browser: what the cookie of the browser contains.

        Raises:
            Invalid: there is none, it was used, it is too old, or it belongs to another browser.
        """
        with self._lock:
            found = self._found.get(state)
            if found is None:
                raise Invalid("unknown")
            # Another browser does not use up the attempt.
            if not hmac.compare_digest(found.browser, _digest(browser)):
                raise Invalid("browser")
            if found.used:
                raise Invalid("replayed")
            self._found[state] = replace(found, used=True)
            if self._is_over(found):
                raise Invalid("expired")
            return found

    def _is_over(self, attempt: Attempt) -> bool:
        return self._clock() - attempt.began >= LASTS


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode("utf-8", "surrogateescape")).digest()
