"""A provider of OpenID Connect on this machine: an HTTP server with keys of its own, which checks what it is sent.

It asks nobody for a password: who signs in is ``person``. Attributes make it behave wrongly, as tests need it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwk, jwt

__all__ = ["ADA", "CLIENT", "SECRET", "FakeProvider", "running"]

CLIENT, SECRET = "provrepo", "s3cret/with+signs"
ADA: dict[str, Any] = {"sub": "ada-1", "name": "Ada Lovelace", "email": "ada@lab.example", "email_verified": True}


@dataclass
class FakeProvider:
    """A provider; the attributes may be changed while it runs.

    Attributes:
        url: its issuer.
        person: the claims of who signs in next.
        wrong: claims of the ID token that replace the right ones; None removes a claim.
        algorithm: of the signature.
        signs: the key that signs, if it is not among those that are published.
        away: whether each answer is 503.
        nonsense: whether each answer is a page.
        description: members of the description that replace the right ones.
        only_userinfo: whether the ID token has no claims of the person but the subject.
        asked: the paths of the requests so far.
        kind: the type of keys: ``RSA``, ``EC`` or ``OKP``.
    """

    url: str
    person: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    wrong: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signs: Any = None
    away: bool = False
    nonsense: bool = False
    description: dict[str, Any] = field(default_factory=dict)
    only_userinfo: bool = False
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    key: Any = None

    def __post_init__(self) -> None:
        self.key = _first_key()

    def rotate(self, kind: str) -> None:
        """Sign with another key from now on."""
        size: Any = {"RSA": 2048, "EC": "P-256", "OKP": "Ed25519"}[kind]
        parameters = {"kid": secrets.token_hex(4), "use": "sig"}
        make = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}[kind]
        self.key = make.generate_key(size, parameters)
        self.algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[kind]

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any] | str, dict[str, str]]:
        if path == "/.well-known/openid-configuration":
            found = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "authorization_response_iss_parameter_supported": True,
            }
            return 200, {**found, **self.description}, {}
        if path == "/keys":
            return 200, {"keys": [{"kty": "unheard-of"}, self.key.as_dict(private=False)]}, {}
        if path == "/authorize":
            return self.authorize(query)
        return 404, {}, {}

    def authorize(self, query: dict[str, str]) -> tuple[int, dict[str, Any] | str, dict[str, str]]:
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        assert len(query["nonce"]) > 30
        assert len(query["state"]) > 30
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**query, "person": dict(self.person)}
        answer = urlencode({"code": code, "state": query["state"], "iss": self.url, "session_state": "x"})
        return 302, {}, {"Location": f"{query['redirect_uri']}?{answer}"}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any] | str, dict[str, str]]:
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (unquote_plus(user), unquote_plus(password)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}, {}
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode() != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant", "error_description": "no such <b>code</b>"}, {}
        now = int(time.time())
        told = {"sub": asked["person"]["sub"]} if self.only_userinfo else asked["person"]
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **told}
        claims = {name: value for name, value in {**claims, **self.wrong}.items() if value is not None}
        self.codes["access"] = asked
        return 200, {"id_token": self.signed(claims), "access_token": "opaque", "token_type": "Bearer"}, {}

    def signed(self, claims: dict[str, Any]) -> str:
        if self.algorithm == "none":
            parts = ({"alg": "none"}, claims)
            return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."
        key = self.signs or self.key
        if self.algorithm == "HS256":  # the published key as the secret: "algorithm confusion"
            key = jwk.OctKey.import_key(json.dumps(self.key.as_dict(private=False)).encode())
        header = {"alg": self.algorithm, "kid": self.key.as_dict()["kid"]}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@cache
def _first_key() -> Any:
    return jwk.RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


class _Handler(BaseHTTPRequestHandler):
    provider: FakeProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        if parts.path == "/userinfo":
            assert self.headers["Authorization"] == "Bearer opaque"
            self.answer(200, self.provider.codes["access"]["person"], {})
            return
        self.answer(*self.provider.get(parts.path, {name: found[0] for name, found in parse_qs(parts.query).items()}))

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        form = {name: found[0] for name, found in sent.items()}
        self.answer(*self.provider.token(form, self.headers.get("Authorization", "")))

    def answer(self, status: int, found: dict[str, Any] | str, headers: dict[str, str]) -> None:
        if self.provider.away or self.provider.nonsense:
            status, found, headers = (503 if self.provider.away else 200), "<html>a secret of the provider</html>", {}
        body = (found if isinstance(found, str) else json.dumps(found)).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[FakeProvider]:
    """A provider that runs until the end of the block."""
    handler = type("_Of", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider = handler.provider = FakeProvider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
