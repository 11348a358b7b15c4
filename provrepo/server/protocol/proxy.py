"""The header field in which a trusted proxy names the person whom it has authenticated.

The field counts only in requests that come from an address in the settings. Anybody else could send it too.
"""

from __future__ import annotations

import ipaddress

from flask import Request

from provrepo.settings import Settings, networks

__all__ = ["PEER", "named", "trusts"]

PEER = "provrepo.peer"
"""The key of the address at the other end of the connection in the environment of a request (WSGI, PEP 3333).

``REMOTE_ADDR`` is another address where a proxy states that of the client (``X-Forwarded-For``).
"""


def trusts(request: Request, settings: Settings) -> bool:
    """Whether the request comes from a proxy whose header field counts."""
    try:
        peer = ipaddress.ip_address(str(request.environ.get(PEER, request.remote_addr or "")).partition("%")[0])
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in networks(settings.sign_in_proxies))


def named(request: Request, settings: Settings) -> str:
    """The name in the header field; empty if there is none, or if it does not count."""
    if not settings.sign_in_header or not trusts(request, settings):
        return ""
    # WSGI gives the bytes of a header field as Latin-1 (PEP 3333).
    given = request.headers.get(settings.sign_in_header, "").strip()
    return given.encode("latin-1", "replace").decode("utf-8", "replace")
