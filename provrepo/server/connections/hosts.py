"""The hosts for which the server answers requests (RFC 9112, section 3.2; RFC 9110, sections 7.2 and 15.5.20).

This is a defense against DNS rebinding: a web site that resolves its own name to the address of this server, so that
browsers send requests here and hand the responses to the scripts of that site. Such requests have the name of the site
in Host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from provrepo.server.connections.refusal import Refusal

__all__ = ["Hosts", "host_of"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 300
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:(?P<port>[0-9]{0,5}))?")


@lru_cache(1024)
def host_of(authority: str) -> str:
    """The host of ``host:port``, in lower case and without a final dot. The port is checked and dropped.

    Raises:
        Refusal: 400, the host is neither a name nor an address, or the port is out of range.
    """
    found = _AUTHORITY.fullmatch(authority) if len(authority) <= _LONGEST else None
    if found is None or int(found["port"] or 0) > 65535:
        raise Refusal(400, "the host of the request is not valid: send a name or an address, and a port after a colon")
    host = found["host"]
    if host.startswith("[") and _address(host) is None:
        raise Refusal(400, "the host of the request is not valid: the text in brackets is not an IPv6 address")
    return _normal(host)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The configured hosts for which a server answers.

    Attributes:
        names: host names in lower case, and addresses.
    """

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, base: str, names: Iterable[str]) -> Hosts:
        """The host of a base IRI, which may be empty, and further names and addresses."""
        found = {_normal(name) for name in (urlsplit(base).hostname or "", *names) if name}
        return cls(frozenset(found | {_ascii(name) for name in found}))

    def check(self, authority: str, local: str) -> None:
        """Check that the server answers for the host of a request.

        It answers for loopback names, for ``names``, and for the address to which the client has connected. Health
        checks of load balancers use the latter, which is not open to DNS rebinding: it is not a name.

        Args:
            authority: ``host:port`` of the request.
            local: the IP address of the server's end of the connection.

        Raises:
            Refusal: 400 if the host is not valid, 421 if it is another host.
        """
        host = host_of(authority)
        address = _address(host)
        if address is not None and (address.is_loopback or address == _address(local)):
            return
        if host == "localhost" or host in self.names:
            return
        raise Refusal(
            421,
            "this server does not answer for the host that the request names: use the host of the base IRI, or let the "
            "operator add this one to the setting hosts",
        )


def _normal(host: str) -> str:
    address = _address(host)
    return str(address) if address is not None else host.lower().removesuffix(".")


@lru_cache(1024)
def _address(host: str) -> _Address | None:
    """Parse an IP address, with or without brackets; None if the text is not one.

    An IPv4-mapped IPv6 address becomes the IPv4 address. A zone after ``%`` is dropped; only IPv6 has zones (RFC 4007,
    section 11.2).
    """
    text, percent, _ = host.removeprefix("[").removesuffix("]").partition("%")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if percent and found.version == 4:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _ascii(name: str) -> str:
    """The ASCII form of a host name, as clients send it (RFC 5891); the name itself if it has none."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
