"""Writing to connections: the thread that writes, and the number of pieces."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from waitress.adjustments import Adjustments

from provrepo.server.connections.channel import _MAX_COPY
from provrepo.server.connections.channel import Channel as _Channel
from provrepo.server.connections.channel import Task as _Task
from provrepo.server.connections.limits import ConnectionLimits


class Channel(_Channel):
    """Records the data that it sends."""

    def __init__(self, connection: socket.socket) -> None:
        self.sent: list[bytes] = []
        server = SimpleNamespace(active_channels={}, adj=Adjustments(), limits=ConnectionLimits(), draining=False)
        super().__init__(server, connection, "", Adjustments(), map={})

    def send(self, data: bytes, do_close: bool = True) -> int:
        self.sent.append(bytes(data))
        return len(data)


@pytest.fixture
def channel() -> Iterator[Channel]:
    here, there = socket.socketpair()
    with here, there:
        yield Channel(here)


def _answer(channel: Channel, body: bytes) -> None:
    request = SimpleNamespace(version="1.1", headers={})
    task = _Task(channel, request)
    task.start()
    task.complete, task.status, task.content_length = True, "200 OK", len(body)
    task.write(body)


def test_the_event_loop_does_not_write_while_another_thread_does(channel: Channel) -> None:
    """Otherwise the loop spins for each response, and the other thread waits for the interpreter lock."""
    assert not channel.writable()
    channel.total_outbufs_len = 1
    assert channel.writable()
    acquired, seen = threading.Event(), threading.Event()

    def write() -> None:
        with channel.outbuf_lock:
            acquired.set()
            seen.wait(20)

    writing = threading.Thread(target=write)
    writing.start()
    acquired.wait()
    assert not channel.writable()
    channel.will_close = True
    assert channel.writable()
    seen.set()
    writing.join()


def test_head_and_small_body_are_sent_in_one_piece(channel: Channel) -> None:
    _answer(channel, b"short")
    (sent,) = channel.sent
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sent.endswith(b"\r\n\r\nshort")


def test_a_large_body_is_not_copied(channel: Channel) -> None:
    _answer(channel, b"x" * (_MAX_COPY + 1))
    assert channel.sent[0].endswith(b"\r\n\r\n")
    assert b"".join(channel.sent[1:]) == b"x" * (_MAX_COPY + 1)
    assert channel.total_outbufs_len == 0


def test_a_response_without_a_body_is_its_head(channel: Channel) -> None:
    _answer(channel, b"")
    assert b"".join(channel.sent).endswith(b"\r\n\r\n")
