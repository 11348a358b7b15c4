"""The connections of the HTTP client: TCP and TLS with a deadline for the whole request, and the proxy."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import inf
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from provrepo.errors import UsageError
from provrepo.model.identifiers import web_address

__all__ = ["NOT_PUBLIC", "Clock", "pool"]

NOT_PUBLIC = "is no public address, and no others are contacted"
"""In the message of an error: why an address was refused."""

IDLE_SECONDS = 30.0
"""Seconds for which an unused connection is kept; less than a server keeps it."""


class Clock(threading.local):
    """The deadline of the request that the present thread works on, as a value of ``time.monotonic``."""

    end = inf

    @contextmanager
    def until(self, end: float) -> Iterator[None]:
        """Sets the deadline."""
        before, self.end = self.end, end
        try:
            yield
        finally:
            self.end = before

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """The seconds that an operation may take; ``late`` is raised if there are none."""
        left = min(inf if timeout is None else timeout, self.end - time.monotonic())
        if left <= 0:
            raise late
        return left


class _Backend(httpcore.NetworkBackend):
    """TCP connections whose operations end at the deadline: httpcore itself limits each operation only.

    A name that leads to a link-local address is refused before anything is sent: clouds give credentials to their
    machines at such addresses, and who owns a name decides where it leads. With ``public`` every address that is not
    public is refused before a connection to it: not even whether something listens there can be learned.
    """

    def __init__(self, clock: Clock, *, public: bool = False) -> None:
        self._clock = clock
        self._public = public
        self._tcp = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if self._public:
            host = _public_address(host, port)
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        stream = self._tcp.connect_tcp(host, port, left, local_address, socket_options)
        found = (stream.get_extra_info("server_addr") or ("",))[0]
        if _is_link_local(found) and not _is_link_local(host):
            stream.close()
            raise httpcore.ConnectError(f"{host} leads to the link-local address {found}; name that, if it is right")
        return _Connection(stream, self._clock)


class _Connection(httpcore.NetworkStream):
    """A connection of ``_Backend``."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        return _Connection(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def pool(url: str, clock: Clock, *, public: bool = False) -> httpcore.ConnectionPool:
    """The connections to a server; the deadline of each request is in ``clock``.

    Args:
        url: the URL of the server.
        clock: has the deadline.
        public: whether to contact public addresses only. A proxy would look names up itself, so none is used then.

    Raises:
        UsageError: the URL of the proxy of the environment is not valid.
    """
    backend = _Backend(clock, public=public)
    parts = urlsplit(url)
    context = None
    if parts.scheme == "https":
        context = httpx.create_ssl_context()
        # Certificates that an institution has installed on the system are valid too.
        context.load_default_certs()
    proxy = None if public else _proxy(parts.scheme, parts.hostname or "")
    if proxy is None:
        return httpcore.ConnectionPool(ssl_context=context, keepalive_expiry=IDLE_SECONDS, network_backend=backend)
    return httpcore.HTTPProxy(
        httpcore.URL(str(proxy.url)),
        proxy_auth=proxy.raw_auth,
        ssl_context=context,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=backend,
    )


def _proxy(scheme: str, host: str) -> httpx.Proxy | None:
    """The proxy of the environment for a host.

    Raises:
        UsageError: its URL is not an http or https URL.
    """
    proxies = getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if url is None or _is_loopback(host) or proxy_bypass(host):
        return None
    address = url if "://" in url else f"http://{url}"
    if web_address(address) is None:
        raise UsageError("the proxy of the environment has no http or https URL; set NO_PROXY, or another proxy")
    return httpx.Proxy(address)


def _public_address(host: str, port: int) -> str:
    """The address to which a name leads, if all of its addresses are public.

    Raises:
        ConnectError: one of them is not, or there is none.
    """
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(error) from error
    if not found or not all(map(_is_public, found)):
        raise httpcore.ConnectError(f"{host} {NOT_PUBLIC}")
    return sorted(found, key=lambda address: (":" in address, address))[0]


def _is_public(text: str) -> bool:
    """Whether an address is public, also the one that is embedded in an address of a transition mechanism."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast


_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that gateways translate to IPv4 (RFC 6052)."""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_link_local(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_link_local
