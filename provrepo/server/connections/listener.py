"""The listening socket: accepts connections, checks their deadlines, and closes some when there are too many."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from provrepo.server.connections.channel import Channel, Phase
from provrepo.server.connections.dispatcher import Dispatcher
from provrepo.server.connections.hosts import Hosts
from provrepo.server.connections.limits import ConnectionLimits, Descriptors, ThrottledWarning
from provrepo.server.connections.refusal import Refusal

__all__ = ["Listener", "listen"]

_log = logging.getLogger(__name__)

_ACCEPT_BATCH = 64
"""The most connections accepted in one turn of the event loop, so that open connections are served in between."""

_BACKLOG = 65_535
"""The most connections that wait to be accepted; the system lowers it to its own limit (``net.core.somaxconn``).

A client beyond it retries after a second.
"""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_TOO_MANY = Refusal(503, "the server has too many connections now", headers={"Retry-After": "1"})


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A waitress server with limits.

    Attributes:
        limits: the limits of its connections.
        hosts: the hosts for which it answers.
        descriptors: the file descriptors of this process.
        draining: whether the server is shutting down, so that each connection closes after its response.
    """

    channel_class = Channel
    draining = False

    def __init__(
        self,
        application: Callable[..., Any],
        adj: Adjustments,
        dispatcher: Dispatcher,
        limits: ConnectionLimits,
        hosts: Hosts,
        descriptors: Descriptors,
    ) -> None:
        self.limits, self.hosts, self.descriptors = limits, hosts, descriptors
        self._max_connections = descriptors.connections(limits.connections)
        self._next_check = self._paused_until = 0.0
        self._acceptable = False
        self._evicted = ThrottledWarning(_log, "%d connections were closed to make room for others", limits.clock)
        self._failed = ThrottledWarning(_log, "%d times there was no descriptor for a connection", limits.clock)
        try:
            super().__init__(application, {}, dispatcher=dispatcher, adj=adj, sockinfo=adj.listen[0])
        except BaseException:
            self.close()
            raise

    def run(self) -> None:
        """Serve until SystemExit or KeyboardInterrupt is raised."""
        try:
            while self._map:
                self.turn()
        except (SystemExit, KeyboardInterrupt):
            self.task_dispatcher.shutdown()

    def turn(self) -> None:
        """Run one turn of the event loop; wait for events for a limited time."""
        now = self.limits.clock()
        if now >= self._next_check:
            self._next_check = now + self.limits.check_interval
            self.check_connections(now)
        if self._acceptable:
            self._acceptable = False
            self._accept()
        wasyncore.poll2(self.adj.asyncore_loop_timeout, self._map)

    def readable(self) -> bool:
        """Whether the event loop should wait for new connections."""
        return bool(self.accepting) and self.limits.clock() >= self._paused_until

    def handle_accept(self) -> None:
        """Mark that connections wait; they are accepted in the next turn of the event loop.

        Accepting may close connections for which this turn still has events, and a new connection could then get the
        descriptor of a closed one.
        """
        self._acceptable = True

    def check_connections(self, now: float) -> None:
        """Close connections that are too slow, and some others if they use too much space or too many descriptors.

        Args:
            now: the time in seconds, of the clock of the limits.
        """
        channels = list(self.active_channels.values())
        for channel in channels:
            refusal = channel.check_deadline(now)
            if refusal is not None:
                channel.refuse(refusal)
        excess = sum(channel.buffered for channel in channels) - self.limits.total
        if excess > 0 or (channels and self.descriptors.scarce()):
            self._make_room(now, excess=max(0, excess))
        self._evicted.write()
        self._failed.write()

    def _accept(self) -> None:
        """Accept waiting connections, and close others if there are too many."""
        for _ in range(_ACCEPT_BATCH):
            try:
                connection, address = self.socket.accept()
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._failed.add()
                    if not self._make_room(self.limits.clock()):
                        self._paused_until = self.limits.clock() + self.limits.pause
                return
            full = len(self.active_channels) >= self._max_connections or self.descriptors.scarce(connection.fileno())
            room = (
                not full
                or self._make_room(self.limits.clock()) > 0
                or len(self.active_channels) < self._max_connections
            )
            self._take(connection, address, room=room)

    def _take(self, connection: socket.socket, address: Any, *, room: bool) -> None:
        try:
            self.set_socket_options(connection)
            channel = Channel(self, connection, address, self.adj, map=self._map)
        except OSError:  # the client has already disconnected
            connection.close()
            return
        if not room:
            channel.refuse(_TOO_MANY)
            channel.handle_close()
            self._evicted.add()

    def _make_room(self, now: float, *, excess: int = 0) -> int:
        """Close some of the least useful connections. Several at once, because sorting them takes time.

        Clients with the most connections come first. Among those of one client, the order is: lingering and idle
        connections, then unfinished heads, the oldest first; then the slowest transfers; then new connections; then
        queued requests, first of connections that have received the most responses. Running requests are never closed.

        Args:
            now: the time in seconds, of the clock of the limits.
            excess: the number of buffered bytes to free; connections with the most buffered bytes then come first.

        Returns:
            The number of closed connections.
        """
        waiting = [channel for channel in self.active_channels.values() if not channel.running]
        count = Counter(_network(channel.addr[0]) for channel in waiting)

        def usefulness(channel: Channel) -> tuple[float, ...]:
            size = -channel.buffered if excess else 0
            return -count[_network(channel.addr[0])], size, *channel.usefulness(now)

        waiting.sort(key=usefulness)
        chosen = waiting[: max(1, self._max_connections // 32)]
        if excess:
            freed_before = accumulate((channel.buffered for channel in chosen), initial=0)
            chosen = [channel for channel, freed in zip(chosen, freed_before, strict=False) if freed < excess]
        for channel in chosen:
            if channel.phase is Phase.BODY and channel.connected:
                channel.refuse(_TOO_MANY)  # only here: few clients that send a head this slowly wait for a response
            channel.handle_close()
        self._evicted.add(len(chosen))
        return len(chosen)


@lru_cache(4096)
def _network(host: str) -> str:
    """The network that counts as one client: an IPv4 address, or an IPv6 network with a prefix of 64 bits."""
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False))


def listen(
    application: Callable[..., Any],
    *,
    dispatcher: Dispatcher,
    limits: ConnectionLimits,
    hosts: Hosts,
    descriptors: Descriptors,
    **adjustments: Any,
) -> Listener:
    """Create a listener for one address.

    Args:
        application: a WSGI application.
        dispatcher: runs requests in threads.
        limits: the limits of connections.
        hosts: the hosts for which it answers.
        descriptors: the file descriptors of this process.
        adjustments: arguments of ``waitress.adjustments.Adjustments``.

    Raises:
        OSError: the address cannot be listened on.
    """
    adj = Adjustments(
        # Keep reading while a request is answered, in order to detect a disconnected client and cancel its query.
        channel_request_lookahead=1,
        # A thread blocks only beyond this size; a smaller response is buffered, in a temporary file if it is large.
        outbuf_high_watermark=256 << 20,
        backlog=_BACKLOG,
        expose_tracebacks=False,
        ident="provrepo",
        **adjustments,
    )
    return Listener(application, adj, dispatcher, limits, hosts, descriptors)
