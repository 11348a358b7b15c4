"""Which hosts the server answers for (RFC 9112, section 3.2; RFC 9110, sections 7.2 and 15.5.20).

A page of another site can make a browser send requests to this server under that site's name (DNS rebinding). The
browser then takes the answers for those of the site. Such a request names the site in its Host.
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
    """The host of ``host:port``, in lower case and without the dot at its end; the port is only checked.

    Raises:
        Refusal: 400, it is neither a name nor an address, or has a port that there is not.
    """
    found = _AUTHORITY.fullmatch(authority) if len(authority) <= _LONGEST else None
    if found is None or int(found["port"] or 0) > 65535:
        raise Refusal(400, "the host of the request is not valid: send a name or an address, and a port behind a colon")
    host = found["host"]
    if host.startswith("[") and _address(host) is None:
        raise Refusal(400, "the host of the request is not valid: what stands in brackets is no IPv6 address")
    return _normal(host)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts for which a server answers.

    Attributes:
        names: host names, in lower case, and addresses.
    """

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, base: str, names: Iterable[str]) -> Hosts:
        """Those of a base IRI, or an empty text, and further names and addresses."""
        found = {_normal(name) for name in (urlsplit(base).hostname or "", *names) if name}
        return cls(frozenset(found | {_ascii(name) for name in found}))

    def check(self, authority: str, local: str) -> None:
        """Let a request pass that names a host for which the server answers.

        These are loopback names, the names of this object, and the address that the client has connected to: a load
        balancer that checks the health of the server knows nothing else, and no name leads to it.

        Args:
            authority: ``host:port`` of the request.
            local: the address of the server's end of the connection.

        Raises:
            Refusal: 400 where the host is not valid, 421 for any other.
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
    """The IP address that a text is, with or without brackets; one of IPv4 where IPv6 contains it.

    A zone behind ``%`` is left out. Only IPv6 has zones (RFC 4007, section 11.2).
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
    """A name as clients send it (RFC 5891); names that have no such form stay as they are."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
