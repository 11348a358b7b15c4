"""The listening socket: accepts connections, judges them, and makes room when there are too many."""

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

_AT_ONCE = 64
"""Connections accepted in one turn of the loop: other connections get their turn in between."""

_BACKLOG = 65_535
"""Connections that may wait to be accepted; the system lowers it to its own limit (``net.core.somaxconn``). A client
that finds no place asks again after a second."""

_NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_TOO_MANY = Refusal(503, "the server has too many connections now", headers={"Retry-After": "1"})


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A server of waitress that has limits.

    Attributes:
        limits: of its connections.
        hosts: those it answers for.
        descriptors: of this process.
        draining: whether the server ends, so that each connection ends with the answer to its request.
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
        self._most = descriptors.connections(limits.connections)
        self._next = self._paused = 0.0
        self._waiting = False
        self._evicted = ThrottledWarning(_log, "%d connections were closed to make room for others", limits.clock)
        self._failed = ThrottledWarning(_log, "%d times there was no descriptor for a connection", limits.clock)
        try:
            super().__init__(application, {}, dispatcher=dispatcher, adj=adj, sockinfo=adj.listen[0])
        except BaseException:
            self.close()
            raise

    def run(self) -> None:
        """Serve until SystemExit or KeyboardInterrupt, which signals raise."""
        try:
            while self._map:
                self.turn()
        except (SystemExit, KeyboardInterrupt):
            self.task_dispatcher.shutdown()

    def turn(self) -> None:
        """Do what there is to do now, or wait for it, a second at most."""
        now = self.limits.clock()
        if now >= self._next:
            self._next = now + self.limits.tend
            self.tend(now)
        if self._waiting:
            self._waiting = False
            self._accept()
        wasyncore.poll2(self.adj.asyncore_loop_timeout, self._map)

    def readable(self) -> bool:
        """Whether connections are accepted."""
        return bool(self.accepting) and self.limits.clock() >= self._paused

    def handle_accept(self) -> None:
        """Accept in the next turn.

        In this one there may be events of connections that would have to be closed, and a new connection can get the
        descriptor of one that is closed.
        """
        self._waiting = True

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
        excess = sum(channel.held for channel in channels) - self.limits.total
        if excess > 0 or (channels and self.descriptors.scarce()):
            self._make_room(now, excess=max(0, excess))
        self._evicted.write()
        self._failed.write()

    def _accept(self) -> None:
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
            full = len(self.active_channels) >= self._most or self.descriptors.scarce(connection.fileno())
            room = not full or self._make_room(self.limits.clock()) > 0 or len(self.active_channels) < self._most
            self._take(connection, address, room=room)

    def _take(self, connection: socket.socket, address: Any, *, room: bool) -> None:
        try:
            self.set_socket_options(connection)
            channel = Channel(self, connection, address, self.adj, map=self._map)
        except OSError:  # the client has gone already
            connection.close()
            return
        if not room:
            channel.refuse(_TOO_MANY)
            channel.handle_close()
            self._evicted.add()

    def _make_room(self, now: float, *, excess: int = 0) -> int:
        """Close some of the least useful connections; how many. Several at once, since to find them takes a while.

        The addresses with the most connections come first. Of one address these come first: idle ones, then unfinished
        heads, the oldest first; then the slowest bodies and readers; then what is new; then requests that no thread has
        begun to answer, first of connections that have got the most answers. What is being answered stays.

        Args:
            now: the time by the clock of the limits.
            excess: bytes in memory and files to get rid of; those that have the most come first then.
        """
        waiting = [channel for channel in self.active_channels.values() if not channel.running]
        count = Counter(_network(channel.addr[0]) for channel in waiting)

        def usefulness(channel: Channel) -> tuple[float, ...]:
            kept = -channel.held if excess else 0
            return -count[_network(channel.addr[0])], kept, *channel.usefulness(now)

        waiting.sort(key=usefulness)
        chosen = waiting[: max(1, self._most // 32)]
        if excess:
            before = accumulate((channel.held for channel in chosen), initial=0)
            chosen = [channel for channel, freed in zip(chosen, before, strict=False) if freed < excess]
        for channel in chosen:
            if channel.phase is Phase.BODY and channel.connected:
                channel.refuse(_TOO_MANY)  # of what sends a head this slowly, few wait for an answer
            channel.handle_close()
        self._evicted.add(len(chosen))
        return len(chosen)


@lru_cache(4096)
def _network(host: str) -> str:
    """What counts as one client: an address of IPv4, and of IPv6 the network of 64 bits that one client has."""
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
    """A listener for one address.

    Args:
        application: WSGI.
        dispatcher: runs requests in threads.
        limits: of connections.
        hosts: those it answers for.
        descriptors: of this process.
        adjustments: of ``waitress.adjustments.Adjustments``.

    Raises:
        OSError: the address cannot be listened on.
    """
    adj = Adjustments(
        # Reading on while a request is answered is how a client is noticed that went away: its query is killed.
        channel_request_lookahead=1,
        # Beyond it a thread waits for its reader: answers up to here are put into a temporary file instead.
        outbuf_high_watermark=256 << 20,
        backlog=_BACKLOG,
        expose_tracebacks=False,
        ident="provrepo",
        **adjustments,
    )
    return Listener(application, adj, dispatcher, limits, hosts, descriptors)
