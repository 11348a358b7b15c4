"""ID tokens of OpenID Connect: the signature by a key of the provider, and the claims.

The checks are those of OpenID Connect Core 1.0, section 3.1.3.7. Only signatures with the private key of a pair count:
``none`` and HMAC are refused, whatever the token says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from time import time
from typing import Any

from provrepo.errors import NotAvailable

__all__ = ["ALGORITHMS", "LEEWAY", "LONGEST", "Unacceptable", "UnknownKey", "require_library", "verified"]

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""The algorithms of signatures that count (RFC 7518, section 3.1; RFC 8037, section 3.1)."""

LEEWAY = 60
"""Seconds by which the clock of the provider may differ from that of this machine."""

LONGEST = 64 << 10
"""The most characters of a token."""

_KEYS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class Unacceptable(Exception):
    """A token that proves nothing; the text says why, for the log."""


class UnknownKey(Unacceptable):
    """The token is signed with a key that is not among those of the provider, which may have changed them."""


def require_library() -> None:
    """Require the package that reads tokens.

    Raises:
        NotAvailable: it is not installed.
    """
    try:
        import_module("authlib.oidc.core")
    except ImportError as error:
        raise NotAvailable("sign_in_issuer needs the package authlib: pip install 'provrepo[oidc]'") from error


def verified(
    token: str,
    keys: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    client: str,
    nonce: str,
    access_token: str = "",
    now: float | None = None,
) -> dict[str, Any]:
    """Return the claims of a token after all checks.

    Args:
        token: as the provider sent it.
        keys: the keys of the provider (RFC 7517, section 5).
        issuer: has to be its issuer.
        client: has to be its audience.
        nonce: has to be in it.
        access_token: compared with ``at_hash``, if the token has that.
        now: the time in seconds since 1970; by default that of this machine.

    Raises:
        UnknownKey: none of the keys has signed it.
        Unacceptable: it does not pass another check.
    """
    from authlib.oidc.core import CodeIDToken
    from joserfc import jws, jwt
    from joserfc.errors import JoseError

    if len(token) > LONGEST:
        raise Unacceptable("the token is too long")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise Unacceptable("it is not a signed token") from error
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise Unacceptable(f"the algorithm of its signature is {str(algorithm)[:20]!r}, not {', '.join(ALGORITHMS)}")
    key = _key(keys, header.get("kid"), _KEYS[algorithm])
    at = time() if now is None else now
    try:
        decoded = jwt.decode(token, key, algorithms=[algorithm])
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client}},
            params={"nonce": nonce, "client_id": client, "access_token": access_token},
        )
        claims.validate(now=int(at), leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Unacceptable(f"{type(error).__name__}: {error}") from error
    subject = claims.get("sub")
    # Section 2: a subject has at most 255 ASCII characters. ``iat`` far in the future is a wrong clock.
    if not isinstance(subject, str) or not subject or len(subject) > 255 or not subject.isascii():
        raise Unacceptable("its subject is not a text of 1 to 255 ASCII characters")
    if not isinstance(claims.get("iat"), int | float) or claims["iat"] > at + LEEWAY:
        raise Unacceptable("it was issued in the future; compare the clocks of the two machines")
    return dict(claims)


def _key(keys: Sequence[Mapping[str, Any]], name: object, kind: str) -> Any:
    """The key that has signed a token.

    Args:
        keys: the keys of the provider.
        name: its ``kid``; None if the token names none.
        kind: its type (RFC 7518, section 6.1).

    Raises:
        UnknownKey: there is none, or several may be it.
    """
    from joserfc import jwk
    from joserfc.errors import JoseError

    fitting = [
        key
        for key in keys
        if key.get("kty") == kind and key.get("use", "sig") == "sig" and (name is None or key.get("kid") == name)
    ]
    if len(fitting) != 1:
        raise UnknownKey(f"{len(fitting)} keys of the provider fit it; its key is called {str(name)[:80]!r}")
    try:
        # Only the public part, whatever the provider publishes.
        return jwk.import_key({key: value for key, value in fitting[0].items() if key in _PUBLIC})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unacceptable(f"the key of the provider cannot be read: {error}") from error


_PUBLIC = frozenset({"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"})
