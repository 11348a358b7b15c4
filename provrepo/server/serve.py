"""The server process: waitress with limits and graceful shutdown."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from provrepo.errors import UsageError
from provrepo.limits import STACK_BYTES
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.server.connections.dispatcher import CallerClassifier, Dispatcher
from provrepo.server.connections.drain import Drain
from provrepo.server.connections.hosts import Hosts
from provrepo.server.connections.limits import ConnectionLimits, Descriptors, raise_descriptors
from provrepo.server.connections.listener import Listener, listen
from provrepo.server.monitoring import metrics
from provrepo.server.protocol import addresses
from provrepo.settings import host_names
from provrepo.workers import heap

__all__ = ["serve"]


def serve(
    store: Store,
    *,
    host: str | None = None,
    port: int | None = None,
    threads: int | None = None,
    announce: Callable[[str], None] = lambda url: None,  # noqa: ARG005
    on_signal: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; then give running requests a few seconds to end, and return.

    Args:
        store: the store to serve; it stays open.
        host: the address to listen on; by default that of the settings.
        port: the port; 0 chooses a free one; by default that of the settings.
        threads: the number of request threads; by default that of the settings.
        announce: called with the URL once connections are accepted.
        on_signal: called at the first signal.

    Raises:
        UsageError: the address cannot be listened on, or other machines can reach it while no base IRI is set.
    """
    settings = store.settings
    host = settings.host if host is None else host
    family, address = _address(host)
    base = store.base()
    if not base and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise UsageError(
            f"{address} is reachable from other machines: first set the IRI under which they know this repository, "
            "with `provrepo init --base https://…/`; or listen on 127.0.0.1"
        )
    heap.limit_arenas()
    heap.return_large_blocks()
    app = create_app(store)
    prefix = urlsplit(base).path.rstrip("/")
    with _stack_size(STACK_BYTES):
        dispatcher = Dispatcher(
            CallerClassifier(store, prefix), threads=threads or settings.threads, queue=settings.queue
        )
    metrics.add_load(app, "requests", dispatcher.figures)
    try:
        server = _listen(
            app,
            family,
            address,
            settings.port if port is None else port,
            dispatcher,
            limits=ConnectionLimits(body=settings.max_body),
            hosts=Hosts.of(base, [host, address, *host_names(settings.hosts)]),
            prefix=prefix,
            proxy=settings.trusted_proxy,
        )
    except BaseException:
        dispatcher.shutdown()
        raise
    shown = f"[{address}]" if family == socket.AF_INET6 else address
    url = f"http://{shown}:{server.effective_port}{prefix}/"
    app.config[addresses.URL] = url
    drain = Drain(server, store, on_signal=on_signal)
    try:
        with drain.signals():
            announce(url)
            drain.run()
    finally:
        server.task_dispatcher.shutdown()
        server.close()


def _address(host: str) -> tuple[socket.AddressFamily, str]:
    """Resolve a host name to one address, preferably IPv4. One only: two sockets would get two different free ports."""
    try:
        found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}: {error.strerror or error}") from error
    family, _, _, _, sockaddr = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(sockaddr[0])


def _listen(
    app: Callable[..., Any],
    family: socket.AddressFamily,
    address: str,
    port: int,
    dispatcher: Dispatcher,
    *,
    limits: ConnectionLimits,
    hosts: Hosts,
    prefix: str,
    proxy: str,
) -> Listener:
    # REMOTE_ADDR becomes the address that the proxy appends, and the scheme that which it says. Values that the client
    # itself sent are discarded.
    sent = {"x-forwarded-for", "x-forwarded-proto"}
    trusted = {"trusted_proxy": proxy, "trusted_proxy_headers": sent} if proxy else {}
    try:
        return listen(
            app,
            limits=limits,
            hosts=hosts,
            descriptors=Descriptors(raise_descriptors()),
            listen=f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}",
            dispatcher=dispatcher,
            url_prefix=prefix,
            **trusted,
        )
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot listen on {address} port {port}: {reason}") from error


@contextmanager
def _stack_size(size: int) -> Iterator[None]:
    before = threading.stack_size(size)
    try:
        yield
    finally:
        threading.stack_size(before)
