"""Deadlines and limits of connections: a listener with a clock that the tests control."""

from __future__ import annotations

import errno
import json
import logging
import resource
import socket
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from provrepo.server.connections import limits as limits_module
from provrepo.server.connections.channel import Phase
from provrepo.server.connections.limits import ConnectionLimits, Descriptors, ThrottledWarning, raise_descriptors
from provrepo.server.connections.listener import _network
from tests.support.connections import run
from tests.support.wire import Client, Wire, wire

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"

_SOMAXCONN = Path("/proc/sys/net/core/somaxconn")
"""The most connections that Linux lets wait to be accepted."""


def _status(client: Client) -> list[int]:
    return [answer.status for answer in client.answers()]


def _works(served: Wire) -> bool:
    with served.connect(GET) as client:
        return [answer.status for answer in client.answers(number=1)] == [200]


class Gate:
    """An application that responds when the gate is open, with as many bytes as the path names."""

    def __init__(self) -> None:
        self.open = Event()
        self.entered = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.entered += 1
        assert self.open.wait(60)
        content = b"x" * int(environ["PATH_INFO"].strip("/") or 1)
        start_response("200 OK", [("Content-Length", str(len(content)))])
        return [content]


# Deadlines.


@pytest.mark.parametrize(
    "sent", [b"G", b"\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "], ids=["byte", "line", "field"]
)
def test_a_slow_head_is_refused_after_twenty_seconds(sent: bytes) -> None:
    with wire() as served, served.connect(sent) as client:
        served.turn()
        for _ in range(18):
            served.pass_time(1)
            client.send(b"" if sent == b"\r\n" else b"y")
        assert not client.gone()
        served.pass_time(4)
        assert client.gone()
        (answer,) = client.answers()
        assert (answer.status, json.loads(answer.body)["status"]) == (408, 408)


def test_a_connection_without_a_request_is_closed_without_a_response() -> None:
    with wire(head=20, idle=50) as served:
        with served.connect() as client:
            served.pass_time(19)
            assert not client.gone()
            served.pass_time(4)
            assert client.gone()
            assert client.data == b""
        with served.connect(GET) as client:
            assert client.answers(number=1)[0].status == 200
            served.pass_time(49)
            assert not client.gone()
            served.pass_time(4)
            assert client.gone()


@pytest.mark.parametrize(
    ("head", "piece"),
    [(b"Content-Length: 100000\r\n\r\n", b"x"), (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")],
    ids=["length", "chunks"],
)
def test_the_deadline_of_a_body_depends_on_its_rate(head: bytes, piece: bytes) -> None:
    with wire(start=30, rate=100) as served:
        with served.connect(POST + head) as client:
            served.turn()
            for _ in range(28):
                served.pass_time(1)
                client.send(piece)
            assert not client.gone()
            served.pass_time(6)
            assert client.gone()
            assert _status(client) == [408]
        with served.connect(POST + head) as client:
            served.turn()
            for _ in range(60):
                served.pass_time(1)
                client.send(piece * 200)
            assert not client.gone()


@pytest.mark.parametrize("reads", [False, True])
def test_the_deadline_of_a_response_depends_on_its_rate(reads: bool) -> None:
    gate = Gate()
    gate.open.set()
    with wire(gate, start=30, rate=1 << 20) as served:
        client = served.connect()
        client.socket.setblocking(True)
        client.socket.sendall(b"GET /64000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        channel = client.channel
        served.until(lambda: channel.total_outbufs_len and not channel.requests)
        served.turn()
        for _ in range(50):
            got = 0
            while reads and got < 1 << 20:
                got += len(client.socket.recv(1 << 18))
                served.turn()
            served.pass_time(1)
        assert channel.connected is reads
        client.socket.close()


def test_a_client_that_blocks_a_thread_needs_a_higher_rate() -> None:
    """A response beyond the watermark blocks its thread, so that a higher rate is required."""
    gate = Gate()
    gate.open.set()
    with wire(gate, start=30, rate=1, blocked_rate=1 << 30) as served:
        served.server.adj.outbuf_high_watermark = 1 << 20

        def large(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Length", str(64 << 20))])
            return (b"x" * (1 << 20) for _ in range(64))

        served.server.application = large
        client = served.connect()
        client.socket.sendall(GET)
        channel = client.channel
        served.until(lambda: channel.running and channel.total_outbufs_len > 1 << 20)
        served.turn()
        served.pass_time(40)
        served.until(lambda: not channel.connected and not channel.running)
        client.socket.close()
        served.server.application = gate
        assert _works(served)


def test_a_running_request_has_no_deadline_here() -> None:
    """The application enforces its own deadlines."""
    gate = Gate()
    with wire(gate) as served, served.connect(GET) as client:
        served.pass_time(300)
        assert not client.gone()
        gate.open.set()
        assert client.answers(number=1)[0].status == 200


def test_the_deadline_starts_anew_for_each_request() -> None:
    with wire(head=20) as served, served.connect() as client:
        for _ in range(5):
            client.send(GET[:10])
            served.pass_time(15)
            client.send(GET[10:])
            assert [answer.status for answer in client.answers(number=1)] == [200]
            client.data = b""
        assert not client.gone()


def test_a_refused_client_may_send_on_for_a_while(served_sizes: Wire) -> None:
    """Closing at once would reset the connection, and the client would not see the response (RFC 9112, 9.6)."""
    with served_sizes.connect(POST + b"Content-Length: 300000\r\n\r\n") as client:
        for _ in range(30):
            client.send(b"x" * 10_000)
        assert _status(client) == [413]
        served_sizes.until(client.gone)
    with served_sizes.connect(POST + b"Content-Length: 300000\r\n\r\n") as client:
        client.send(b"x" * 1000)
        assert [answer.status for answer in client.answers(number=1)] == [413]
        served_sizes.pass_time(10)
        assert client.gone()


@pytest.fixture
def served_sizes() -> Iterable[Wire]:
    with wire(body=1000, rate=1 << 20) as found:
        yield found


# How many.


def test_the_oldest_idle_connections_are_closed_first() -> None:
    with wire(connections=64) as served:
        crowd = [served.connect() for _ in range(64)]
        served.pass_time(3)
        assert len(served.server.active_channels) == 64
        assert _works(served)
        gone = [client.gone() for client in crowd]
        assert gone[:2] == [True, True]
        assert not any(gone[2:])


@pytest.mark.parametrize(
    "sent", [b"", b"GET /", POST + b"Content-Length: 9\r\n\r\nx", GET], ids=["silent", "head", "body", "answered"]
)
def test_many_slow_connections_do_not_block_others(sent: bytes) -> None:
    with wire(connections=20) as served:
        crowd = [served.connect(sent) for _ in range(40)]
        for _ in range(8):
            assert _works(served)
            served.pass_time(1)
        assert len(served.server.active_channels) <= 20
        evicted = [client for client in crowd if client.gone()]
        assert len(evicted) >= 20
        for client in evicted:
            assert client.data == b"" or [answer.status for answer in client.answers()][-1] in (200, 503)


def test_useful_connections_stay_open() -> None:
    gate = Gate()
    with wire(gate, connections=8, idle=1e6, head=1e6, start=1e6) as served:
        answered = served.connect(GET)
        served.until(lambda: gate.entered)
        quick = served.connect(POST + b"Content-Length: 90000\r\n\r\n" + b"x" * 50_000)
        slow = served.connect(POST + b"Content-Length: 90000\r\n\r\n" + b"x" * 5)
        head, idle = served.connect(b"GET /"), served.connect()
        served.pass_time(5)
        order = sorted(served.server.active_channels.values(), key=lambda c: c.usefulness(served.clock()))
        assert [c.phase for c in order] == [Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.BODY, Phase.RUNNING]
        for client in (idle, head, slow, quick):
            assert not client.gone()
            assert served.server._make_room(served.clock()) == 1
            assert client.gone()
        assert served.server._make_room(served.clock()) == 0
        assert not answered.closed
        gate.open.set()
        assert answered.answers(number=1)[0].status == 200


def test_one_address_does_not_displace_others() -> None:
    with wire(connections=16) as served:
        first = served.connect()
        first.channel.addr = ("192.0.2.7", 1)
        served.pass_time(2)
        other = next(iter(served.server.active_channels.values()))
        for _ in range(40):
            served.connect()
            served.pass_time(0.2, 0.2)
        assert other.connected


def test_clients_are_distinguished_by_address_and_ipv6_network() -> None:
    assert _network("192.0.2.1") != _network("192.0.2.2")
    assert _network("2001:db8::1") == _network("2001:db8::ffff:1%eth0") != _network("2001:db8:0:1::1")


def test_a_new_client_gets_503_if_all_connections_have_running_requests() -> None:
    gate = Gate()
    with wire(gate, connections=2) as served:
        running = [served.connect(GET) for _ in range(2)]
        served.until(lambda: gate.entered == 2)
        late = served.connect()
        served.until(late.gone)
        (answer,) = late.answers()
        assert (answer.status, answer.response.headers["Retry-After"]) == (503, "1")
        gate.open.set()
        assert [client.answers(number=1)[0].status for client in running] == [200, 200]


def test_the_buffered_bytes_of_all_connections_are_limited() -> None:
    with wire(total=100_000, memory=1 << 20) as served:
        crowd = [served.connect(POST + b"Content-Length: 90000\r\n\r\n" + b"x" * 40_000) for _ in range(3)]
        small = served.connect(POST + b"Content-Length: 90000\r\n\r\nx")
        served.pass_time(2)
        assert sum(client.gone() for client in crowd) >= 1
        assert not small.gone()


# Descriptors.


def test_the_number_of_connections_follows_the_descriptors() -> None:
    assert [Descriptors(n).connections(2000) for n in (64, 256, 1024, 4096)] == [32, 128, 512, 2000]
    assert not Descriptors(1024).scarce(700)
    assert Descriptors(1024).scarce(800)
    assert not Descriptors(1024).scarce()
    assert Descriptors(4).scarce()


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_without_descriptors_accepting_pauses_and_logs_rarely(error: int, caplog: pytest.LogCaptureFixture) -> None:
    """An idle connection is closed; if there is none, no connections are accepted for a second."""
    with wire(connections=50) as served:
        listening, accepted = served.server.socket, [0]

        class NoneLeft:
            def accept(self) -> Any:
                accepted[0] += 1
                raise OSError(error, "none left")

            def __getattr__(self, name: str) -> Any:
                return getattr(listening, name)

        idle = [served.connect() for _ in range(3)]
        served.pass_time(3)
        served.server.socket = NoneLeft()
        waiting = socket.create_connection(listening.getsockname()[:2])
        served.until(lambda: not served.server.active_channels)
        for _ in range(200):
            served.turn()
        assert accepted[0] <= 6
        assert not served.server.readable()
        for _ in range(60):
            served.pass_time(1)
            served.settle()
        assert accepted[0] <= 100
        assert len(caplog.records) <= 6
        served.server.socket = listening
        served.pass_time(2)
        waiting.close()
        assert all(client.gone() for client in idle)
        assert _works(served)


def test_many_simultaneous_connections_wait_in_the_backlog() -> None:
    """Beyond the backlog, Linux does not respond to a client, which retries after a second."""
    crowd = 1200  # more than the 1,024 of waitress
    if not _SOMAXCONN.exists() or int(_SOMAXCONN.read_text()) <= crowd:
        pytest.skip("the system lets no 1,200 connections wait")
    if raise_descriptors() < crowd + 300:
        pytest.skip("there are not enough descriptors for 1,200 clients")
    with wire() as served, ExitStack() as clients:
        for _ in range(crowd):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(served.server.socket.getsockname()[:2])
            assert client.getpeername()


def test_scarce_descriptors_are_not_used_for_temporary_files() -> None:
    with wire(descriptors=4, memory=1000) as served, served.connect(POST + b"Content-Length: 5000\r\n\r\n") as client:
        client.send(b"x" * 5000)
        (answer,) = client.answers()
        assert (answer.status, answer.response.headers["Retry-After"]) == (503, "10")


def test_a_full_disk_is_507() -> None:
    with wire(memory=10) as served, served.connect(POST + b"Content-Length: 5000\r\n\r\n") as client:

        class Full:
            def write(self, _: bytes) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            def close(self) -> None:
                pass

        client.channel.request._spool = Full()
        client.send(b"x" * 5000)
        assert _status(client) == [507]


def test_the_limit_of_descriptors_is_raised_up_to_the_hard_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, hard, refused, expected in [
        (256, resource.RLIM_INFINITY, False, 8192),
        (1024, 4096, False, 4096),
        (1024, 1024, False, 1024),
        (1024, 4096, True, 1024),
        (100_000, 100_000, False, 100_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, False, 8192),
    ]:
        requested = []

        def setrlimit(_: int, values: tuple[int, int]) -> None:
            requested.append(values)  # noqa: B023
            if refused:  # noqa: B023
                raise ValueError("above the limit of macOS")

        monkeypatch.setattr(limits_module.resource, "getrlimit", lambda _: (soft, hard))  # noqa: B023
        monkeypatch.setattr(limits_module.resource, "setrlimit", setrlimit)
        assert raise_descriptors() == expected
        assert requested == (
            []
            if soft in (expected, resource.RLIM_INFINITY) and not refused
            else [(min(4096 if hard == 4096 else 8192, 8192), hard)]
        )


def test_a_throttled_warning_is_logged_once_per_interval(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    sparing = ThrottledWarning(logging.getLogger("x"), "%d times", lambda: now[0], interval=60)
    for _ in range(5000):
        sparing.add()
        now[0] += 0.01
    now[0] += 60
    sparing.write()
    sparing.write()
    assert [record.getMessage() for record in caplog.records] == ["1 times", "4999 times"]


# Noise.


def test_urgent_data_closes_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """poll(2) would report it in each turn."""
    with wire() as served, served.connect() as client:
        client.socket.send(b"!", socket.MSG_OOB)
        served.until(client.gone)
        assert not caplog.records
        assert _works(served)


def test_clients_that_reset_their_connections_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with wire() as served:
        for sent in (b"", b"GET /", POST + b"Content-Length: 9\r\n\r\nx", GET):
            client = served.connect(sent)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.socket.close()
            served.until(lambda: not served.server.active_channels)
        assert not caplog.records


def test_a_spurious_event_closes_no_connection() -> None:
    """poll(2) may report readiness falsely, and a descriptor may have been reused."""
    with wire() as served, served.connect() as client:
        client.channel.handle_read()
        client.send(GET)
        assert client.answers(number=1)[0].status == 200


def test_the_default_limits_are_the_documented_ones() -> None:
    limits = ConnectionLimits()
    assert (limits.head, limits.idle, limits.start, limits.rate) == (20, 30, 30, 8192)


@pytest.mark.slow
def test_many_connections_do_not_delay_others() -> None:
    """A short sample of ``python -m tests.support.connections``, which also asserts times."""
    tally = run(
        clients=300, descriptors=256, seconds=3, kinds=["head", "body", "silent"], pause=0.2, again=True, probe=0.1
    )
    assert not tally.failures
    assert tally.latencies
    assert tally.logged < 2000
