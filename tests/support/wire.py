"""A listener whose event loop is run by the test, and clients on real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from io import BytesIO
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from provrepo.server.connections.hosts import Hosts
from provrepo.server.connections.limits import ConnectionLimits, Descriptors
from provrepo.server.connections.listener import Listener, listen

TIMEOUT = 60.0
"""Seconds of real time after which a test fails; no operation takes so long."""


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An application that answers with method, path and body."""
    body = environ["wsgi.input"].read()
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ.get('QUERY_STRING', '')} ".encode() + body
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


class Answer:
    """One answer that was read from a connection."""

    def __init__(self, data: bytes, method: str) -> None:
        class Source:
            def makefile(self, *_: object) -> BytesIO:
                return BytesIO(data)

        self.response = HTTPResponse(Source(), method=method)  # type: ignore[arg-type]
        self.response.begin()
        self.status = self.response.status
        self.body = self.response.read()


class Wire:
    """A listener and its clock."""

    def __init__(self, server: Listener, clock: Clock) -> None:
        self.server, self.clock = server, clock

    def turn(self) -> None:
        self.server.turn()

    def until(self, reached: Callable[[], object]) -> None:
        """Run the loop until a condition is true."""
        end = time.monotonic() + TIMEOUT
        while not reached():
            assert time.monotonic() < end, "it did not come to that"
            self.turn()

    def settle(self) -> None:
        """Run the loop until no more events occur."""
        for _ in range(5):
            self.turn()

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Advance the clock; the listener checks its connections in each second."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += step
            self.turn()

    def connect(self, data: bytes = b"") -> Client:
        """A connected client that has sent some bytes."""
        return Client(self, data)

    def ask(self, data: bytes, method: str = "GET") -> list[Answer]:
        """Send bytes with a new client; returns the answers to complete requests, until the server closes."""
        with self.connect(data) as client:
            return client.answers(method)


class Client:
    """A client's connection."""

    def __init__(self, wire: Wire, data: bytes) -> None:
        self.wire = wire
        self.closed = False
        self.data = b""
        self.socket = socket.create_connection(wire.server.socket.getsockname()[:2], timeout=TIMEOUT)
        self.socket.setblocking(False)
        port = self.socket.getsockname()[1]
        if wire.server.accepting:
            wire.until(lambda: self.read() or any(c.addr[1] == port for c in wire.server.active_channels.values()))
        self.send(data)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.wire.settle()

    @property
    def channel(self) -> Any:
        port = self.socket.getsockname()[1]
        return next(c for c in self.wire.server.active_channels.values() if c.addr[1] == port)

    def send(self, data: bytes) -> None:
        """Send all bytes and run the loop, so that the server reads them."""
        while data:
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:  # closed by the server
                break
            self.wire.turn()
            self.read()
        self.wire.settle()
        self.read()

    def read(self) -> bytes:
        """The bytes that were received so far."""
        try:
            while not self.closed:
                piece = self.socket.recv(1 << 16)
                self.data += piece
                self.closed = not piece
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        return self.data

    def gone(self) -> bool:
        """Run the loop; returns whether the server has closed the connection."""
        self.wire.settle()
        self.read()
        return self.closed

    def answers(self, method: str = "GET", number: int = 0) -> list[Answer]:
        """The answers; runs the loop until there are enough, or until the server has finished with the connection."""

        def done() -> bool:
            self.read()
            if self.closed or (number and len(_split(self.data, method)) >= number):
                return True
            found = [c for c in self.wire.server.active_channels.values() if c.addr[1] == self.socket.getsockname()[1]]
            return bool(self.data) and not number and bool(found) and not found[0].requests and not found[0].discard

        self.wire.until(done)
        return _split(self.read(), method)


def _split(data: bytes, method: str) -> list[Answer]:
    """The complete answers in some bytes."""
    found = []
    while data:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if not separator:
            break
        if head.startswith(b"HTTP/1.1 100"):
            data = rest
            continue
        answer = Answer(data, method)
        length = 0 if method == "HEAD" else int(answer.response.headers["Content-Length"])
        if len(rest) < length:
            break
        found.append(answer)
        data = rest[length:]
    return found


@contextmanager
def wire(
    application: Callable[..., Any] = echo,
    *,
    descriptors: int = 4096,
    hosts: Hosts | None = None,
    proxy: str = "",
    **limits: Any,
) -> Iterator[Wire]:
    """A listener on a free port, with its own clock.

    Args:
        application: the WSGI application.
        descriptors: the limit of descriptors that it assumes.
        hosts: the host names for which it answers.
        proxy: the address of the proxy whose X-Forwarded-For is used.
        limits: fields of ``ConnectionLimits``.
    """
    clock = Clock()
    dispatcher = ThreadedTaskDispatcher()  # that of waitress does what the server asks of one, without classes
    dispatcher.set_thread_count(2)
    server = listen(
        application,
        dispatcher=dispatcher,
        limits=ConnectionLimits(**{"clock": clock, "pause": 1.0, **limits}),
        hosts=hosts or Hosts(),
        descriptors=Descriptors(descriptors),
        listen="127.0.0.1:0",
        **({"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if proxy else {}),
    )
    server.adj.asyncore_loop_timeout = 0.001
    try:
        yield Wire(server, clock)
    finally:
        server.task_dispatcher.shutdown()
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()
