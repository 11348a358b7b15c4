"""One connection: a waitress channel with deadlines, problem responses and coalesced writes."""

from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from math import inf
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask

from provrepo.problems import MEDIA_TYPE
from provrepo.server.connections.head import Head
from provrepo.server.connections.limits import ConnectionLimits
from provrepo.server.connections.refusal import Refusal
from provrepo.server.connections.request import Request
from provrepo.server.protocol import headers, problems, proxy

__all__ = ["Channel", "Phase"]

_MAX_COPY = 64 << 10
"""The largest part of a body, in bytes, that is copied in order to be sent together with the head."""


_FORWARDED = re.compile(r"\[?[0-9A-Fa-f.:]*[0-9A-Fa-f][0-9A-Fa-f.:]*\]?(:[0-9]+)?")
"""The address that a proxy appends to X-Forwarded-For. Everything before it comes from the client: waitress would parse
it too, and respond with 400 if it is not an address."""

_NEW = 1.0
"""The age in seconds up to which a connection counts as new: it had little time to send a request."""


class Phase(IntEnum):
    """The state of a connection; those in lower states are closed first when there are too many."""

    LINGERING = 0
    IDLE = 1
    HEAD = 2
    BODY = 3
    SENDING = 4
    QUEUED = 5
    RUNNING = 6


_REFUSALS = {
    Phase.HEAD: Refusal(408, "the head of the request took too long"),
    Phase.BODY: Refusal(408, "the body of the request came too slowly"),
}


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Sends a refusal as a problem (RFC 9457), as all other errors are sent, and closes the connection."""

    def execute(self) -> None:
        error = self.request.error
        request_id = str(uuid.uuid4())
        problem = problems.of_status(int(error.code), str(error.body))
        content = json.dumps(problem.to_dict(request_id), indent=2).encode() + b"\n"
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", MEDIA_TYPE),
            ("Cache-Control", "no-store"),
            (headers.REQUEST_ID, request_id),
            *headers.SECURITY.items(),
        ]
        if isinstance(error, Refusal):
            self.response_headers += error.headers.items()
            self.channel.discard = error.discard
        self.set_close_on_finish()
        self.content_length = len(content)
        with self.channel.coalesced():
            self.write(b"" if self.request.command == "HEAD" else content)


class Task(WSGITask):  # type: ignore[misc]
    """Answers a request."""

    def get_environment(self) -> dict[str, Any]:
        """The environment of the request, with the address of the other end: REMOTE_ADDR may be what a proxy says."""
        environ: dict[str, Any] = super().get_environment()
        environ.setdefault(proxy.PEER, str(self.channel.addr[0]))
        return environ

    def build_response_header(self) -> bytes:
        """The head of the response. While the server drains, it closes the connection."""
        if self.channel.server.draining:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head

    def write(self, data: bytes) -> None:
        """Send the head together with a small body: one packet instead of two, and one acquisition of the lock."""
        if self.wrote_header or len(data) > _MAX_COPY:
            super().write(data)
            return
        with self.channel.coalesced():
            super().write(data)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection.

    The event loop in the main thread reads and checks deadlines; request threads write, one at a time.

    Attributes:
        local: the IP address of the server's end.
        running: whether a thread is answering a request of this connection.
        discard: the number of bytes to read and discard after a refusal.
        phase: the phase at the last check of the deadline.
        since: the time at which that phase began.
        transferred: the number of bytes received and sent up to that time.
    """

    task_class = Task
    error_task_class = ProblemTask

    _parts: list[bytes] | None = None
    _lingering = False
    running = False
    discard = 0

    def __init__(self, server: Any, connection: socket.socket, address: Any, adj: Any, map: Any = None) -> None:  # noqa: A002
        self._received: int = 0
        self._sent: int = 0
        self._answered: int = 0
        self._limits: ConnectionLimits = server.limits
        self.local = _host(connection.getsockname())  # raises OSError, before any state exists, if the client has gone
        super().__init__(server, connection, address, adj, map=map)
        self.phase, self._phase_answered = Phase.IDLE, 0
        self.since: float = self._limits.clock()
        self.transferred: int = 0

    def parser_class(self, _adj: Any) -> Request:
        """Create the parser of the next request."""
        return Request(self._limits, self._check_head, self.server.descriptors.scarce)

    def _check_head(self, head: Head) -> None:
        forwarded = head.fields.pop("X_FORWARDED_FOR", "").rpartition(",")[2].strip(" \t")
        if _FORWARDED.fullmatch(forwarded):
            head.fields["X_FORWARDED_FOR"] = forwarded
        if head.authority is not None:
            self.server.hosts.check(head.authority, self.local)

    # Deadlines; called in the main thread only.

    def check_deadline(self, now: float) -> Refusal | None:
        """Check the deadline of the current phase.

        A connection that misses it is closed here, unless the client can still be sent a response.

        Args:
            now: the time in seconds, of the clock of the limits.

        Returns:
            The refusal to send to a client that sends its request too slowly; otherwise None.
        """
        phase, transferred = self._current_phase(), self._received + self._sent
        if (phase, self._answered) != (self.phase, self._phase_answered):
            self.phase, self._phase_answered = phase, self._answered
            self.since, self.transferred = now, transferred
            return None
        if now - self.since <= self._allowed(phase, transferred - self.transferred):
            return None
        if phase in _REFUSALS:
            return _REFUSALS[phase]
        # ``will_close`` does not do: the loop would wait until the socket is writable, which it may never become.
        self.handle_close()
        return None

    def _allowed(self, phase: Phase, transferred: int) -> float:
        """The longest duration of a phase in seconds, given the bytes transferred in it so far."""
        limits = self._limits
        if phase in (Phase.QUEUED, Phase.RUNNING):
            return inf  # the application enforces its own deadlines
        if phase is Phase.IDLE:
            return limits.idle if self._answered else limits.head
        if phase is Phase.HEAD:
            return limits.head
        if phase is Phase.LINGERING:
            return limits.linger + transferred / limits.rate
        blocked = self.requests and self.total_outbufs_len > self.adj.outbuf_high_watermark
        return limits.start + transferred / (limits.blocked_rate if blocked else limits.rate)

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that is not yet complete with a refusal, and close the connection."""
        request = self.request or self.parser_class(self.adj)
        request.refuse(refusal)
        self.error_task_class(self, request).service()
        self.close_when_flushed = True

    def usefulness(self, now: float) -> tuple[float, float]:
        """A sort key: connections with lower keys are closed first.

        Args:
            now: the time in seconds, of the clock of the limits.
        """
        self.check_deadline(now)
        elapsed = now - self.since
        if self.phase is Phase.QUEUED:
            return Phase.QUEUED, -self._answered
        if self.phase in (Phase.BODY, Phase.SENDING):
            total = self._sent + self._received
            transferred = self.request.size if self.phase is Phase.BODY else total - self.transferred
            return Phase.BODY, transferred / max(elapsed, 0.001)
        if self.phase in (Phase.IDLE, Phase.HEAD) and elapsed < _NEW:
            return Phase.SENDING, self.since
        return self.phase, self.since

    @property
    def buffered(self) -> int:
        """The number of bytes that are buffered in memory and in temporary files."""
        request = self.request
        return int(self.total_outbufs_len) + (request.buffered if request is not None else 0)

    def _current_phase(self) -> Phase:
        if self._lingering:
            return Phase.LINGERING
        if self.total_outbufs_len:
            return Phase.SENDING
        if self.requests:
            return Phase.RUNNING if self.running else Phase.QUEUED
        if self.request is None:
            return Phase.IDLE
        return Phase.BODY if self.request.headers_finished else Phase.HEAD

    # Called by waitress.

    def received(self, data: bytes) -> bool:
        """Process received data."""
        self._received += len(data)
        return bool(super().received(data))

    def service(self) -> None:
        """Answer the first of the complete requests."""
        self.running = True
        try:
            super().service()
        finally:
            self.running = False
            self._answered += 1

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Write to the socket without blocking; return the number of bytes written."""
        sent: int = super().send(data, do_close)
        self._sent += sent
        return sent

    def readable(self) -> bool:
        """Whether the event loop should wait for data to read."""
        return self._lingering or bool(super().readable())

    def handle_read(self) -> None:
        """Read from the socket; after a refusal, discard the data.

        Closing a connection with unread data resets it, and the client might not see the response (RFC 9112, section
        9.6).
        """
        try:
            data = self.recv(self.adj.recv_bytes)
        except BlockingIOError:  # poll(2) may report readiness falsely
            return
        except OSError:
            self.handle_close()
            return
        if not self._lingering:
            self.received(data)
            return
        self._received += len(data)
        self.discard -= len(data)
        if self.discard <= 0:
            self.handle_close()

    def handle_write(self) -> None:
        """Write buffered data, and close the connection once everything is written, if that was requested."""
        if self.close_when_flushed and self.discard and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close and self.connected:
                self._linger()
            if not self.will_close:
                return
        super().handle_write()

    def _linger(self) -> None:
        self.close_when_flushed = False
        self._lingering = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True

    def handle_close(self) -> None:
        """Close the connection, and release an incomplete request."""
        if self.request is not None:
            self.request.close()
        super().handle_close()

    def handle_expt(self) -> None:
        """Close the connection on urgent data, which HTTP does not use: poll would report it again and again."""
        self.handle_close()

    def writable(self) -> bool:
        """Whether the event loop should wait until the socket is writable.

        False while another thread is writing. The loop would otherwise find the socket ready and the buffer locked,
        again and again, and keep the interpreter lock from the thread that it waits for. A thread that could not write
        everything wakes the loop when it releases the buffer.
        """
        if self.will_close or self.close_when_flushed:
            return True
        if not self.total_outbufs_len or not self.outbuf_lock.acquire(blocking=False):
            return False
        self.outbuf_lock.release()
        return True

    @contextmanager
    def coalesced(self) -> Iterator[None]:
        """Join what is written within the block, and write it in one piece at the end of the block."""
        self._parts = []
        try:
            yield
        finally:
            parts, self._parts = self._parts, None
            self.write_soon(b"".join(parts))

    def write_soon(self, data: Any) -> int:
        """Buffer data to be sent; return the number of bytes accepted."""
        if self._parts is not None:
            self._parts.append(data)
            return len(data)
        accepted: int = super().write_soon(data)
        return accepted


def _host(address: Any) -> str:
    """The host of a socket address; empty for a Unix domain socket."""
    return str(address[0]) if isinstance(address, tuple) else ""
