"""Many slow and idle clients of a server with few file descriptors.

``python -m tests.support.connections --clients 2200 --descriptors 1024`` starts a server under ``ulimit -n`` and opens
the clients. Some send nothing, some a byte of a head or a body from time to time. Meanwhile another client requests
``/health``, each time on a new connection. The script reports the times of the answers, the size of the server's log
and its processor time. Clients whose connections are closed connect again.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.command import environment

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 20_000
BODY = b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\n" + b"x" * 20_000
SILENT = b""
KINDS = {"head": HEAD, "body": BODY, "silent": SILENT}
"""The bytes that a client of each kind sends, one at a time."""


@dataclass
class Tally:
    """The results of a measurement.

    Attributes:
        latencies: seconds of each request for ``/health``.
        failures: requests for ``/health`` without an answer of 200.
        logged: bytes of the server's log.
        cpu: processor seconds of the server per second.
        reconnected: the number of times that a client connected again.
    """

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    logged: int = 0
    cpu: float = 0.0
    reconnected: int = 0

    def __str__(self) -> str:
        ordered = sorted(self.latencies)
        median, worst = (ordered[len(ordered) // 2], ordered[-1]) if ordered else (0.0, 0.0)
        return (
            f"{len(ordered)} answers of /health: median {1000 * median:.0f} ms, worst {1000 * worst:.0f} ms; "
            f"{len(self.failures)} failures; {self.logged} bytes of log; {self.cpu:.2f} s of processor time a second; "
            f"{self.reconnected} connections again"
        )


class Crowd:
    """Many slow clients of one server."""

    def __init__(self, port: int, clients: int, kinds: list[str], pause: float, *, again: bool) -> None:
        self.again = again
        self.reconnected = 0
        self._port, self._pause = port, pause
        self._selector = selectors.DefaultSelector()
        self._plan = [KINDS[kinds[number % len(kinds)]] for number in range(clients)]
        self._open: dict[int, tuple[socket.socket, int]] = {}
        self._at = [0] * clients
        for number in range(clients):
            self._connect(number)

    @property
    def size(self) -> int:
        return len(self._open)

    def run(self, seconds: float) -> None:
        """Run the clients for some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            for connection, number in list(self._open.values()):
                self._drip(connection, number)
            while (left := self._pause - (time.monotonic() - started)) > 0:
                for key, _ in self._selector.select(min(left, 0.2)):
                    self._closed(key.fileobj, key.data)  # type: ignore[arg-type]

    def close(self) -> None:
        for connection, _ in list(self._open.values()):
            connection.close()
        self._selector.close()

    def _connect(self, number: int) -> None:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(5)
        try:
            connection.connect(("127.0.0.1", self._port))
        except OSError:
            connection.close()
            return
        connection.setblocking(False)
        self._at[number] = 0
        self._open[connection.fileno()] = connection, number
        self._selector.register(connection, selectors.EVENT_READ, number)

    def _drip(self, connection: socket.socket, number: int) -> None:
        data = self._plan[number][self._at[number] : self._at[number] + 1]
        self._at[number] += 1
        try:
            if data:
                connection.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._closed(connection, number)

    def _closed(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            if connection.recv(4096):
                return
        self._open.pop(connection.fileno(), None)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection)
        connection.close()
        if self.again:
            self.reconnected += 1
            self._connect(number)


@contextlib.contextmanager
def serving(data: Path, log: Path, descriptors: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a server with a limit of descriptors; yields its process and its port."""

    limited = ["sh", "-c", f'ulimit -n {descriptors} && exec "$0" "$@"'] if descriptors else []
    with log.open("w+") as errors:
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
            stderr=errors,
            text=True,
            env=environment(),
        )
        try:
            while (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())) is None:
                if process.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.05)
            yield process, int(found[1])
        finally:
            process.terminate()
            process.wait(60)


def health(port: int, timeout: float = 10.0) -> float:
    """The seconds of a request for ``/health`` on a new connection.

    Raises:
        OSError: no answer within ``timeout`` seconds.
        http.client.HTTPException: the answer is not valid HTTP, or its status is not 200.
    """
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        json.loads(answer.read())
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
    finally:
        connection.close()
    return time.monotonic() - started


def cpu(process: int) -> float:
    """The processor seconds that a process has used."""
    found = subprocess.run(
        ["ps", "-o", "cputimes=" if sys.platform == "linux" else "cputime=", "-p", str(process)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if Path(f"/proc/{process}/stat").exists():  # in hundredths
        ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / 100
    parts = [float(part) for part in found.replace("-", ":").split(":")]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def run(
    *, clients: int, descriptors: int, seconds: float, kinds: list[str], pause: float, again: bool, probe: float
) -> Tally:
    """Measure for some seconds.

    Args:
        clients: the number of clients.
        descriptors: the limit of the server's descriptors, or 0 to leave it unchanged.
        seconds: the time to measure.
        kinds: the kinds of clients, names of ``KINDS``, in equal shares.
        pause: seconds between two bytes of a client.
        again: whether clients connect again when they are closed.
        probe: seconds between two requests for ``/health``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + 200
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with serving(Path(folder) / "data", log, descriptors) as (process, port):
            health(port)
            before = log.stat().st_size
            context = multiprocessing.get_context("spawn")
            here, there = context.Pipe()
            sending = context.Process(target=_crowd, args=(there, port, clients, kinds, pause, again, seconds))
            sending.start()
            here.recv()
            started, used = time.monotonic(), cpu(process.pid)
            while time.monotonic() < started + seconds:
                try:
                    tally.latencies.append(health(port))
                except (OSError, http.client.HTTPException) as error:
                    tally.failures.append(repr(error))
                time.sleep(probe)
            tally.cpu = (cpu(process.pid) - used) / (time.monotonic() - started)
            tally.reconnected = here.recv()
            sending.join()
            tally.logged = log.stat().st_size - before
    return tally


def _crowd(
    there: Connection, port: int, clients: int, kinds: list[str], pause: float, again: bool, seconds: float
) -> None:
    """Run the clients in a process of their own, since they would delay the measuring process."""
    crowd = Crowd(port, clients, kinds, pause, again=again)
    there.send(crowd.size)
    crowd.run(seconds)
    there.send(crowd.reconnected)
    crowd.close()


def main() -> int:
    """Run from the command line; returns 1 where an answer took more than a second, or the log is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=2200)
    parser.add_argument("--descriptors", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=["head", "body", "silent"])
    parser.add_argument("--pause", type=float, default=1)
    parser.add_argument("--probe", type=float, default=0.25)
    parser.add_argument("--no-again", action="store_true", help="clients do not connect again when they are closed")
    given = parser.parse_args()
    tally = run(
        clients=given.clients,
        descriptors=given.descriptors,
        seconds=given.seconds,
        kinds=given.kinds,
        pause=given.pause,
        again=not given.no_again,
        probe=given.probe,
    )
    print(tally)
    for failure in tally.failures[:5]:
        print(failure)
    return int(bool(tally.failures) or max(tally.latencies) > 1 or tally.logged > 1000 * given.seconds)


if __name__ == "__main__":
    sys.exit(main())
