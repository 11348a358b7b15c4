"""One connection: a channel of waitress that refuses, waits and sends in this server's way."""

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

from provrepo.server.connections.head import Head
from provrepo.server.connections.limits import ConnectionLimits
from provrepo.server.connections.refusal import Refusal
from provrepo.server.connections.request import Request
from provrepo.server.protocol import headers, problems

__all__ = ["Channel", "Phase"]

_PIECE = 64 << 10
"""Bytes of a body that are worth copying to send them together with the head."""


_FORWARDED = re.compile(r"\[?[0-9A-Fa-f.:]*[0-9A-Fa-f][0-9A-Fa-f.:]*\]?(:[0-9]+)?")
"""The address that a proxy adds at the end of X-Forwarded-For. What stands before it comes from the client: waitress
would read it all, and answer 400 for what is not an address."""

_NEW = 1.0
"""Seconds for which a connection is new: there was hardly time for it to send a request."""


class Phase(IntEnum):
    """What a connection waits for; the lower ones are the first to be closed when there are too many."""

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
    """Sends a refusal in the same form as every other error, and closes the connection."""

    def execute(self) -> None:
        error = self.request.error
        request_id = str(uuid.uuid4())
        problem = problems.of_status(int(error.code), str(error.body))
        content = json.dumps(problem.to_dict(request_id), indent=2).encode() + b"\n"
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", problems.MEDIA_TYPE),
            ("Cache-Control", "no-store"),
            (headers.REQUEST_ID, request_id),
            *headers.SECURITY.items(),
        ]
        if isinstance(error, Refusal):
            self.response_headers += error.headers.items()
            self.channel.discard = error.discard
        self.set_close_on_finish()
        self.content_length = len(content)
        with self.channel.together():
            self.write(b"" if self.request.command == "HEAD" else content)


class Task(WSGITask):  # type: ignore[misc]
    """Answers a request."""

    def build_response_header(self) -> bytes:
        """The head of the response; while the server ends, the connection ends with it."""
        if self.channel.server.draining:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head

    def write(self, data: bytes) -> None:
        """Send the head together with a small body: one packet instead of two, and one turn at the socket's lock."""
        if self.wrote_header or len(data) > _PIECE:
            super().write(data)
            return
        with self.channel.together():
            super().write(data)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection.

    The loop of the main thread reads and judges; threads write, one at a time.

    Attributes:
        local: the address of this end.
        running: whether a thread answers a request of it.
        discard: bytes that are still read after a refusal, and thrown away.
        phase: what it waited for when it was judged last.
        since: when that began.
        moved: bytes that were received and sent until then.
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
        self.local = _host(connection.getsockname())  # fails where the client has gone: before anything is kept
        super().__init__(server, connection, address, adj, map=map)
        self.phase, self._turn = Phase.IDLE, 0
        self.since: float = self._limits.clock()
        self.moved: int = 0

    def parser_class(self, _adj: Any) -> Request:
        """A request that begins here."""
        return Request(self._limits, self._judge, self.server.descriptors.scarce)

    def _judge(self, head: Head) -> None:
        forwarded = head.fields.pop("X_FORWARDED_FOR", "").rpartition(",")[2].strip(" \t")
        if _FORWARDED.fullmatch(forwarded):
            head.fields["X_FORWARDED_FOR"] = forwarded
        if head.authority is not None:
            self.server.hosts.check(head.authority, self.local)

    # Deadlines. All of it happens in the loop of the main thread.

    def judge(self, now: float) -> Refusal | None:
        """What to answer a client that sends too slowly, or None. Other connections that are too slow get closed.

        Args:
            now: the time by the clock of the limits.
        """
        phase, moved = self._now(), self._received + self._sent
        if (phase, self._answered) != (self.phase, self._turn):
            self.phase, self._turn, self.since, self.moved = phase, self._answered, now, moved
            return None
        if now - self.since <= self._allowed(phase, moved - self.moved):
            return None
        if phase in _REFUSALS:
            return _REFUSALS[phase]
        # Not by ``will_close``: the loop would wait until the socket can be written to, which it may never be.
        self.handle_close()
        return None

    def _allowed(self, phase: Phase, moved: int) -> float:
        """Seconds that may pass in a phase in which so many bytes have been moved."""
        limits = self._limits
        if phase in (Phase.QUEUED, Phase.RUNNING):
            return inf  # the application has deadlines of its own
        if phase is Phase.IDLE:
            return limits.idle if self._answered else limits.head
        if phase is Phase.HEAD:
            return limits.head
        if phase is Phase.LINGERING:
            return limits.linger + moved / limits.rate
        blocked = self.requests and self.total_outbufs_len > self.adj.outbuf_high_watermark
        return limits.start + moved / (limits.blocked_rate if blocked else limits.rate)

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that has not come to its end, and close the connection."""
        request = self.request or self.parser_class(self.adj)
        request.refuse(refusal)
        self.error_task_class(self, request).service()
        self.close_when_flushed = True

    def usefulness(self, now: float) -> tuple[float, float]:
        """A key for sorting; the least useful connection comes first.

        Args:
            now: the time by the clock of the limits.
        """
        self.judge(now)
        took = now - self.since
        if self.phase is Phase.QUEUED:
            return Phase.QUEUED, -self._answered
        if self.phase in (Phase.BODY, Phase.SENDING):
            moved = self.request.size if self.phase is Phase.BODY else self._sent + self._received - self.moved
            return Phase.BODY, moved / max(took, 0.001)
        if self.phase in (Phase.IDLE, Phase.HEAD) and took < _NEW:
            return Phase.SENDING, self.since
        return self.phase, self.since

    @property
    def held(self) -> int:
        """Bytes that it has in memory or in temporary files."""
        request = self.request
        return int(self.total_outbufs_len) + (request.held if request is not None else 0)

    def _now(self) -> Phase:
        if self._lingering:
            return Phase.LINGERING
        if self.total_outbufs_len:
            return Phase.SENDING
        if self.requests:
            return Phase.RUNNING if self.running else Phase.QUEUED
        if self.request is None:
            return Phase.IDLE
        return Phase.BODY if self.request.headers_finished else Phase.HEAD

    # What waitress calls.

    def received(self, data: bytes) -> bool:
        """Take what has come."""
        self._received += len(data)
        return bool(super().received(data))

    def service(self) -> None:
        """Answer the request that is the first."""
        self.running = True
        try:
            super().service()
        finally:
            self.running = False
            self._answered += 1

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the socket takes; how much it was."""
        sent: int = super().send(data, do_close)
        self._sent += sent
        return sent

    def readable(self) -> bool:
        """Whether the loop of the main thread wants to read."""
        return self._lingering or bool(super().readable())

    def handle_read(self) -> None:
        """Read; after a refusal for no other purpose than to have read it.

        A connection that is closed with unread data is reset, and the client might not see the answer (RFC 9112,
        section 9.6).
        """
        try:
            data = self.recv(self.adj.recv_bytes)
        except BlockingIOError:  # poll(2) may say that there is something where there is not
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
        """Write what there is, and close where that was all."""
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
        """Close it, and let go of a request that has not come to its end."""
        if self.request is not None:
            self.request.close()
        super().handle_close()

    def handle_expt(self) -> None:
        """Urgent data, of which HTTP has no use. It would be reported again and again."""
        self.handle_close()

    def writable(self) -> bool:
        """Whether the loop of the main thread has something to write.

        Not while another thread is writing it. The loop would otherwise find the socket ready and the data locked,
        again and again, and take the interpreter from the very thread that it waits for. Whoever writes and cannot
        write all wakes the loop when it lets go.
        """
        if self.will_close or self.close_when_flushed:
            return True
        if not self.total_outbufs_len or not self.outbuf_lock.acquire(blocking=False):
            return False
        self.outbuf_lock.release()
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what is written in the block in one piece at its end."""
        self._parts = []
        try:
            yield
        finally:
            parts, self._parts = self._parts, None
            self.write_soon(b"".join(parts))

    def write_soon(self, data: Any) -> int:
        """Take what is to be sent; how much of it was taken."""
        if self._parts is not None:
            self._parts.append(data)
            return len(data)
        taken: int = super().write_soon(data)
        return taken


def _host(address: Any) -> str:
    """The address of a socket's end, without its port; empty for a Unix domain socket."""
    return str(address[0]) if isinstance(address, tuple) else ""
