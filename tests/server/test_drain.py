"""Graceful shutdown on SIGTERM: no new connections, running requests end, long ones are cancelled, exit code 0."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from tests.conftest import PROVJSON
from tests.support.command import environment

SLOW = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{i} ?p{i} ?o{i} ." for i in range(9)) + " }"
"""A query that takes the product of all triples nine times, and so runs until its deadline."""


class Server:
    """A process of ``provrepo serve`` with a public project, and its log."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with provrepo.open(data) as repository:
            repository.create_project("open", public=True)
            repository.submit(PROVJSON, project="open", name="run")
            self.token, _ = repository.create_token("ada")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment(PROVREPO_QUERY_TIMEOUT="600", PROVREPO_QUERY_TIMEOUT_PUBLIC="600"),
        )
        assert self.process.stderr is not None
        self.log: list[str] = []
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr or ()), daemon=True)
        self._reader.start()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait_for(self, text: str) -> None:
        """Wait until the log contains a text."""
        for _ in range(6000):
            if any(text in line for line in self.log):
                return
            assert self.process.poll() is None, self.log
            threading.Event().wait(0.01)
        raise AssertionError(f"{text!r} is not in {self.log}")

    def ended(self) -> int:
        code = self.process.wait(timeout=60)
        self._reader.join()
        return code


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def send_query(server: Server, query: str) -> tuple[threading.Thread, list[http.client.HTTPResponse]]:
    """Send a query in a thread; the list gets the response once it arrives."""
    answers: list[http.client.HTTPResponse] = []

    def send() -> None:
        connection = server.connect()
        headers = {"Content-Type": "application/sparql-query", "Authorization": f"Bearer {server.token}"}
        connection.request("POST", "/projects/open/sparql", query, headers)
        try:
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return  # the server was ended
        answer.read()
        answers.append(answer)

    thread = threading.Thread(target=send)
    thread.start()
    return thread, answers


def busy(server: Server) -> None:
    """Wait until a query runs, for which a checkpoint of the dataset is made."""
    for _ in range(6000):
        if any((server.data / "views" / "quads-checkpoints").glob("*/*")):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the query did not start")


def test_idle_connections_are_closed_and_nothing_is_left(server: Server, tmp_path: Path) -> None:
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    kept = server.connect()
    kept.request("GET", "/health")
    assert kept.getresponse().read()
    server.stop()
    assert idle.recv(1) == b""
    assert server.ended() == 0, server.log
    left = {path.name for path in (tmp_path / "data").rglob("*")}
    assert not {name for name in left if name.endswith(("-wal", "-shm"))}
    assert list((tmp_path / "data" / "spool").iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_a_started_request_is_answered_and_the_connection_closed(server: Server) -> None:
    body = json.dumps({"prefix": {"ex": "http://example.org/"}, "entity": {"ex:new": {}}}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(
            b"POST /projects/open/documents?name=late HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + f"Authorization: Bearer {server.token}\r\nContent-Length: {len(body)}\r\n".encode()
            + b"Content-Type: application/json\r\n\r\n"
            + body[:10]
        )
        other = server.connect()
        other.request("GET", "/health")
        other.getresponse().read()
        server.stop()
        server.wait_for("no more are accepted")
        client.sendall(body[10:])
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 201
        assert answer.getheader("Connection") == "close"
        answer.read()
    assert server.ended() == 0


def test_a_long_request_is_cancelled_and_answered(server: Server) -> None:
    thread, answers = send_query(server, SLOW)
    busy(server)
    server.stop()
    assert server.ended() == 0, server.log
    thread.join()
    assert [answer.status for answer in answers] == [503]
    assert answers[0].getheader("Connection") == "close"
    assert any("cancelled" in line for line in server.log)
    assert not any("Traceback" in line for line in server.log)


def test_it_is_not_ready_while_it_shuts_down(server: Server) -> None:
    thread, _ = send_query(server, SLOW)
    busy(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(b"GET /ready HTTP/1.1\r\n")
        health = server.connect()
        health.request("GET", "/health")  # by now the first bytes of the other one have been read
        health.getresponse().read()
        server.stop()
        server.wait_for("no more are accepted")
        client.sendall(b"Host: 127.0.0.1\r\n\r\n")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 503
        assert json.loads(answer.read()) == {"ready": False}
    server.stop()
    assert server.ended() == -signal.SIGTERM, "a second signal ends it at once"
    thread.join()
