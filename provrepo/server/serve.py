"""The server process: waitress with limits, and a clean end."""

from __future__ import annotations

import ipaddress
import json
import logging
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from provrepo.errors import UsageError
from provrepo.repository.store import Store
from provrepo.server import headers, pages, problems
from provrepo.server.app import create_app
from provrepo.workers import heap

__all__ = ["serve"]

STACK = 64 << 20
"""Bytes of stack for each request thread: native parsers recurse."""

SWALLOWED = 256 << 20
"""Bytes of a body beyond the limit that are read and thrown away, so that its sender gets to read the answer."""

_PIECE = 64 << 10
"""Bytes of a body that are worth copying to send them together with the head."""


def serve(
    store: Store,
    *,
    host: str | None = None,
    port: int | None = None,
    threads: int | None = None,
    announce: Callable[[str], None] = lambda url: None,  # noqa: ARG005
) -> None:
    """Serve until SIGTERM or SIGINT; then let running requests end for a few seconds, and return.

    Args:
        store: what to serve; it stays open.
        host: the address to listen on; of the settings where it is not given.
        port: 0 takes a free one.
        threads: that answer requests.
        announce: called with the URL once connections are accepted.

    Raises:
        UsageError: the address cannot be listened on, or is reachable from elsewhere while no base IRI is set.
    """
    settings = store.settings
    family, address = _address(settings.host if host is None else host)
    base = store.base()
    if not base and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise UsageError(
            f"{address} is reachable from other machines: first set the IRI under which they know this repository, "
            "with `provrepo init --base https://…/`; or listen on 127.0.0.1"
        )
    heap.few_arenas()
    heap.return_large_blocks()
    # It would warn of each request that waits its turn: most of them while there is much to do, for a line of log each.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = create_app(store)
    prefix = urlsplit(base).path.rstrip("/")
    with _stack_size(STACK):
        server = _listen(
            app,
            family,
            address,
            settings.port if port is None else port,
            threads=threads or settings.threads,
            max_body=settings.max_body,
            prefix=prefix,
            proxy=settings.trusted_proxy,
        )
    shown = f"[{address}]" if family == socket.AF_INET6 else address
    url = f"http://{shown}:{server.effective_port}{prefix}/"
    app.config[pages.URL] = url
    try:
        with _signals():
            announce(url)
            server.run()
    finally:
        server.task_dispatcher.shutdown()
        server.close()


def _address(host: str) -> tuple[socket.AddressFamily, str]:
    """The one address that a host name stands for, IPv4 first: two sockets would get two free ports."""
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
    *,
    threads: int,
    max_body: int,
    prefix: str,
    proxy: str,
) -> Any:
    # What a client itself writes into this header is thrown away; what the proxy adds at its end becomes REMOTE_ADDR.
    trusted = {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if proxy else {}
    try:
        server = create_server(
            app,
            listen=f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}",
            threads=threads,
            connection_limit=2000,
            channel_timeout=30,
            asyncore_use_poll=True,
            # Reading on while a request is answered is how a client is noticed that went away: its query is killed.
            channel_request_lookahead=1,
            # waitress refuses a body as large as its limit; ours is the largest that is accepted.
            max_request_body_size=max_body + 1,
            expose_tracebacks=False,
            ident="provrepo",
            url_prefix=prefix,
            **trusted,
        )
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot listen on {address} port {port}: {reason}") from error
    server.channel_class = _Channel
    return server


@contextmanager
def _stack_size(size: int) -> Iterator[None]:
    before = threading.stack_size(size)
    try:
        yield
    finally:
        threading.stack_size(before)


@contextmanager
def _signals() -> Iterator[None]:
    """SIGTERM ends the server as Ctrl-C does. Elsewhere than in the main thread signals are none of our business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Swallows a body that is too large before the answer goes out.

    Closing a connection on which data is still arriving resets it, and the client would see that and not the 413.
    """

    completed: bool = False
    expect_continue: bool = False
    _left = 0

    def received(self, data: bytes) -> int:
        if self._left:
            return self._swallow(data)
        used: int = super().received(data)
        if self.completed and isinstance(self.error, RequestEntityTooLarge):
            # Who asks first (Expect: 100-continue) is told before sending anything.
            asked, self.expect_continue = self.expect_continue, False
            if not asked and self.content_length <= SWALLOWED:
                self._left = self.content_length
                self.completed = not self._left
        return used

    def _swallow(self, data: bytes) -> int:
        used = min(len(data), self._left)
        self._left -= used
        self.completed = not self._left
        return used


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    """Says what waitress itself refuses in the same form as everything else."""

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
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


class _Task(WSGITask):  # type: ignore[misc]
    def write(self, data: bytes) -> None:
        """Send the head together with a small body: one packet instead of two, and one turn at the socket's lock."""
        if self.wrote_header or len(data) > _PIECE:
            super().write(data)
            return
        with self.channel.together():
            super().write(data)


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    task_class = _Task
    error_task_class = _ProblemTask

    _parts: list[bytes] | None = None

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
