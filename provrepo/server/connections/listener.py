"""The listening socket: accepts connections, judges them, and makes room when there are too many."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from provrepo.server.connections.channel import Channel, Phase
from provrepo.server.connections.hosts import Hosts
from provrepo.server.connections.limits import Descriptors, Limits, Sparing
from provrepo.server.connections.refusal import Refusal

__all__ = ["Listener", "listen"]

_log = logging.getLogger(__name__)

_AT_ONCE = 64
"""Connections accepted in one turn of the loop: other connections get their turn in between."""

_NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_TOO_MANY = Refusal(503, "the server has too many connections now", headers={"Retry-After": "1"})


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A server of waitress that has limits.

    Attributes:
        limits: of its connections.
        hosts: those it answers for.
        descriptors: of this process.
    """

    channel_class = Channel

    def __init__(
        self, application: Callable[..., Any], adj: Adjustments, limits: Limits, hosts: Hosts, descriptors: Descriptors
    ) -> None:
        self.limits, self.hosts, self.descriptors = limits, hosts, descriptors
        self._most = descriptors.connections(limits.connections)
        self._next = self._paused = 0.0
        self._evicted = Sparing(_log, "%d connections were closed to make room for others", limits.clock)
        self._failed = Sparing(_log, "%d times there was no descriptor for a connection", limits.clock)
        dispatcher = ThreadedTaskDispatcher()
        try:
            super().__init__(application, {}, dispatcher=dispatcher, adj=adj, sockinfo=adj.listen[0])
        except BaseException:
            self.close()
            raise
        dispatcher.set_thread_count(adj.threads)

    def readable(self) -> bool:
        """Whether connections are accepted; called in each turn of the loop, and so the place to judge them."""
        now = self.limits.clock()
        if now >= self._next:
            self._next = now + self.limits.tend
            self.tend(now)
        return bool(self.accepting) and now >= self._paused

    def tend(self, now: float) -> None:
        """Close what is too slow or too much.

        Args:
            now: the time by the clock of the limits.
        """
        channels = list(self.active_channels.values())
        for channel in channels:
            refusal = channel.judge(now)
            if refusal is not None:
                channel.refuse(refusal)
        if sum(channel.held for channel in channels) > self.limits.total or (channels and self.descriptors.scarce()):
            self._make_room(now, held=True)
        self._evicted.write()
        self._failed.write()

    def handle_accept(self) -> None:
        """Accept the connections that wait, and close others where there are too many."""
        for _ in range(_AT_ONCE):
            try:
                connection, address = self.socket.accept()
            except OSError as error:
                if error.errno in _NONE_LEFT:
                    self._failed.add()
                    if not self._make_room(self.limits.clock()):
                        self._paused = self.limits.clock() + self.limits.pause
                return
            if len(self.active_channels) >= self._most or self.descriptors.scarce(connection.fileno()):
                self._make_room(self.limits.clock())
                if len(self.active_channels) >= self._most:
                    connection.close()  # all others are being answered
                    self._evicted.add()
                    continue
            self._take(connection, address)

    def _take(self, connection: socket.socket, address: Any) -> None:
        try:
            self.set_socket_options(connection)
            Channel(self, connection, address, self.adj, map=self._map)
        except OSError:  # the client has gone already
            connection.close()

    def _make_room(self, now: float, *, held: bool = False) -> int:
        """Close some of the least useful connections; how many. Several at once, since to find them takes a while.

        The addresses with the most connections come first, and of one address those that wait for the least: idle ones,
        then unfinished heads, the oldest first, then the slowest bodies and readers. What is being answered stays.

        Args:
            now: the time by the clock of the limits.
            held: first those of one address that have the most bytes in memory and files.
        """
        waiting = [channel for channel in self.active_channels.values() if not channel.requests]
        count = Counter(_network(channel.addr) for channel in waiting)
        for channel in waiting:
            channel.judge(now)

        def usefulness(channel: Channel) -> tuple[float, ...]:
            slow = channel.phase in (Phase.BODY, Phase.SENDING)
            fresh = channel.phase in (Phase.IDLE, Phase.HEAD) and now - channel.since < self.limits.tend
            return (
                -count[_network(channel.addr)],
                -channel.held if held else 0,
                fresh,
                channel.phase,
                channel.rate(now) if slow else channel.since,
            )

        waiting.sort(key=usefulness)
        chosen = waiting[: max(1, self._most // 32)]
        for channel in chosen:
            if channel.phase in (Phase.HEAD, Phase.BODY) and channel.connected:
                channel.refuse(_TOO_MANY)
            channel.handle_close()
        self._evicted.add(len(chosen))
        return len(chosen)


def _network(address: Any) -> str:
    """What counts as one client: an address of IPv4, and of IPv6 the network of 64 bits that one client has."""
    host = str(address[0]).partition("%")[0]
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Network((host, 64), strict=False))


def listen(
    application: Callable[..., Any], *, limits: Limits, hosts: Hosts, descriptors: Descriptors, **adjustments: Any
) -> Listener:
    """A listener for one address.

    Args:
        application: WSGI.
        limits: of connections.
        hosts: those it answers for.
        descriptors: of this process.
        adjustments: of ``waitress.adjustments.Adjustments``.

    Raises:
        OSError: the address cannot be listened on.
    """
    adj = Adjustments(
        asyncore_use_poll=True,
        # Reading on while a request is answered is how a client is noticed that went away: its query is killed.
        channel_request_lookahead=1,
        # Beyond it a thread waits for its reader: answers up to here are put into a temporary file instead.
        outbuf_high_watermark=256 << 20,
        expose_tracebacks=False,
        ident="provrepo",
        **adjustments,
    )
    return Listener(application, adj, limits, hosts, descriptors)
