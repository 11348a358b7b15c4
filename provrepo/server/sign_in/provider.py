"""A provider of OpenID Connect: its description and keys, and the exchange of a code for an ID token.

All requests go to the origin of the configured issuer, by the guarded client: no redirect, no other host, bounded in
size and time. Description and keys are fetched when they are needed first, and kept for an hour.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from provrepo.errors import Error, SettingsError, Unreachable
from provrepo.http_client import HttpClient
from provrepo.repository.people.sign_in import Claims
from provrepo.server.sign_in import id_tokens
from provrepo.server.sign_in.attempts import Attempt
from provrepo.settings import Settings, bearer
from provrepo.text import quoted

__all__ = ["Failed", "Provider"]

_log = logging.getLogger(__name__)

KEPT, AGAIN, PAUSE = 3600.0, 60.0, 15.0
"""Seconds for which description and keys are kept; after which keys are fetched again for an unknown one; and between
two attempts after a failure, so that requests do not wait for a provider that is away."""

SILENCE, DEADLINE = 5.0, 10.0
"""Seconds without an answer, and for a whole answer."""

BYTES = 1 << 20
"""The largest answer of a provider."""


class Failed(Exception):
    """A sign-in that the provider did not complete.

    Attributes:
        reason: for the access log: ``unreachable``, ``provider``, ``code`` or ``token``.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """The detail is for the log of the server: it may contain text of the provider."""
        super().__init__(detail)
        self.reason = reason


class Provider:
    """The provider in the settings."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the settings; nothing is fetched.

        Raises:
            NotAvailable: the package that reads tokens is not installed.
            SettingsError: the file with the client secret cannot be read.
        """
        id_tokens.require_library()
        self._settings, self._clock = settings, clock
        self._issuer = settings.sign_in_issuer
        parts = urlsplit(self._issuer)
        self._origin = f"{parts.scheme}://{parts.netloc}/"
        self._secret = _secret(settings)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def address(self, attempt: Attempt, state: str, callback: str) -> str:
        """The address at the provider to which a browser is sent (OpenID Connect Core 1.0, section 3.1.2.1).

        Args:
            attempt: the attempt.
            state: its state.
            callback: the address of this server to which the provider sends the browser back.

        Raises:
            Failed: the provider does not describe itself.
        """
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        found = self._description()["authorization_endpoint"]
        query = {
            "response_type": "code",
            "client_id": self._settings.sign_in_client,
            "redirect_uri": callback,
            "scope": " ".join(self._settings.sign_in_scopes.split()),
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return f"{found}{'&' if '?' in found else '?'}{urlencode(query, quote_via=quote)}"

    def is_issuer(self, named: str) -> bool:
        """Whether a return is from this provider, as far as it says (RFC 9207): else another one has been mixed in.

        Raises:
            Failed: the provider does not describe itself.
        """
        if named:
            return named == self._issuer
        return self._description().get("authorization_response_iss_parameter_supported") is not True

    def claims(self, code: str, attempt: Attempt, callback: str, known: Callable[[Claims], bool]) -> Claims:
        """What the provider says of the person who has signed in there.

        Args:
            code: as the browser brought it.
            attempt: the attempt, which the code belongs to.
            callback: as for ``address``.
            known: whether issuer and subject suffice; otherwise missing claims are asked for.

        Raises:
            Failed: the provider refuses the code, or its answer proves nothing.
        """
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": attempt.verifier,
        }
        answer = self._redeemed(sent)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise Failed("token", "the answer to the code has no id_token; is openid among the scopes?")
        access = access if isinstance(access, str) else ""
        found = self._verified(token, attempt.nonce, access)
        claims = self._claims(found)
        if access and not (claims.name and claims.email) and not known(claims):
            more = self._more(access, claims.subject)
            claims = self._claims({**more, **found})
        return claims

    def _claims(self, found: Mapping[str, Any]) -> Claims:
        def text(name: str) -> str:
            value = found.get(name) if name else None
            return value.strip() if isinstance(value, str) and len(value) <= 1000 else ""

        settings = self._settings
        name = text(settings.sign_in_name) or " ".join(filter(None, (text("given_name"), text("family_name"))))
        verified = found.get("email_verified") is True or found.get("email_verified") == "true"
        orcid = text(settings.sign_in_orcid).rpartition("/")[2]
        return Claims(self._issuer, found["sub"], name, text("email") if verified else "", orcid)

    def _redeemed(self, sent: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer to a code (OpenID Connect Core 1.0, section 3.1.3)."""
        description = self._description()
        client, headers, form = self._settings.sign_in_client, {"Accept": "application/json"}, dict(sent)
        methods = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if not self._secret:
            form["client_id"] = client
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            # RFC 6749, section 2.3.1: both are encoded as in a form.
            pair = f"{quote_plus(client)}:{quote_plus(self._secret)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= {"client_id": client, "client_secret": self._secret}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        status, answer = self._asked(
            "POST", description["token_endpoint"], headers=headers, content=urlencode(form).encode(), expect=(400, 401)
        )
        if status in (400, 401):
            error = str(answer.get("error"))
            reason = "code" if error == "invalid_grant" else "provider"
            raise Failed(
                reason, f"it refuses the code: {quoted(error, 60)} {quoted(str(answer.get('error_description')))}"
            )
        return answer

    def _verified(self, token: str, nonce: str, access: str) -> dict[str, Any]:
        for again in (False, True):
            keys = self._keys(again)
            try:
                return id_tokens.verified(
                    token,
                    keys,
                    issuer=self._issuer,
                    client=self._settings.sign_in_client,
                    nonce=nonce,
                    access_token=access,
                )
            except id_tokens.UnknownKey as error:
                if again:
                    raise Failed("token", f"its ID token is not valid: {error}") from error
            except id_tokens.Unacceptable as error:
                raise Failed("token", f"its ID token is not valid: {error}") from error
        raise AssertionError

    def _more(self, access: str, subject: str) -> Mapping[str, Any]:
        """Further claims (OpenID Connect Core 1.0, section 5.3); none if the provider has none."""
        address = self._description().get("userinfo_endpoint")
        if not isinstance(address, str) or not self._is_here(address):
            return {}
        _, found = self._asked("GET", address, headers={"Authorization": f"Bearer {bearer(access)}"})
        if found.get("sub") != subject:
            raise Failed("token", "its userinfo_endpoint tells of another subject than its ID token")
        return found

    def _description(self) -> Mapping[str, Any]:
        """The description of the provider (OpenID Connect Discovery 1.0, section 4)."""
        found: Mapping[str, Any] = self._cached(
            "description",
            KEPT,
            lambda: self._asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")[1],
        )
        if found.get("issuer") != self._issuer:
            raise Failed(
                "provider", f"it calls itself {quoted(str(found.get('issuer')), 200)}: is sign_in_issuer exactly that?"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str) or not self._is_here(found[name]):
                raise Failed("provider", f"its {name} is not at {self._origin}: {quoted(str(found.get(name)), 200)}")
        return found

    def _keys(self, again: bool) -> list[Mapping[str, Any]]:
        address = self._description()["jwks_uri"]
        found = self._cached("keys", AGAIN if again else KEPT, lambda: self._asked("GET", address)[1])
        keys = found.get("keys")
        if not isinstance(keys, list):
            raise Failed("provider", "its jwks_uri has no keys")
        return [key for key in keys if isinstance(key, dict)]

    def _is_here(self, address: str) -> bool:
        return address.startswith(self._origin)

    def _cached(self, name: str, most: float, fetch: Callable[[], Any]) -> Any:
        """A value that was fetched at most so many seconds ago. A failure is kept for a shorter time."""
        found = self._recent(name, most)
        if found is None:
            with self._lock:
                found = self._recent(name, most)  # another thread may have fetched it meanwhile
                if found is None:
                    try:
                        found = fetch()
                    except Failed as error:
                        found = error
                    self._kept[name] = self._clock(), found
        if isinstance(found, Failed):
            raise Failed(found.reason, str(found))
        return found

    def _recent(self, name: str, most: float) -> Any:
        at, found = self._kept.get(name, (0.0, None))
        return found if self._clock() - at < (PAUSE if isinstance(found, Failed) else most) else None

    def _asked(self, method: str, address: str, **options: Any) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of an answer of the provider."""
        if not self._is_here(address):
            raise Failed("provider", f"{quoted(address, 200)} is not at {self._origin}")
        try:
            with HttpClient(self._origin, timeout=SILENCE, deadline=DEADLINE, attempts=1) as client:
                answer = client.request(method, address.removeprefix(self._origin), limit=BYTES, **options)
        except Error as error:
            raise Failed("unreachable" if isinstance(error, Unreachable) else "provider", str(error)) from error
        try:
            found = json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise Failed("provider", f"{answer.where} sent an answer that is not JSON") from error
        if not isinstance(found, dict):
            raise Failed("provider", f"{answer.where} sent an answer that is not a JSON object")
        return answer.status, found


def _secret(settings: Settings) -> str:
    """The client secret.

    Raises:
        SettingsError: its file cannot be read, or does not contain a secret.
    """
    if not settings.sign_in_secret_file:
        return settings.sign_in_secret
    try:
        return bearer(Path(settings.sign_in_secret_file).read_text("utf-8"), "the content of sign_in_secret_file")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"sign_in_secret_file: {settings.sign_in_secret_file} cannot be read") from error
