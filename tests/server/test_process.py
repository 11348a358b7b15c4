"""The server process: its address, limits of requests, and shutdown."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.errors import UsageError
from provrepo.repository.store import Store
from provrepo.server.protocol.headers import CONTENT_SECURITY_POLICY
from provrepo.server.serve import serve
from provrepo.settings import Settings
from tests.support.serving import PROVN, PROVN_TYPE

PROGRAM = """
import sys
from pathlib import Path
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.serve import serve
from provrepo.settings import Settings

with Store.open(Settings(data=Path(sys.argv[1]), max_body=100_000, workers=1)) as store:
    owner = Repository(store)
    if sys.argv[2]:
        owner.init(sys.argv[2])
    owner.create_project("open", public=True)
    print(owner.create_token("ada")[0], flush=True)

    def announce(url):
        owner.serve(url)
        print(url, flush=True)

    serve(store, port=0, threads=4, announce=announce)
print("closed", flush=True)
"""


class Server:
    def __init__(self, data: Path, base: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data), base], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.token = self.process.stdout.readline().strip()
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.process.communicate()
        self.port = int(self.url.split(":")[2].split("/")[0])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("served"))
    yield server
    if server.process.poll() is None:
        server.stop()


def test_it_serves_at_the_announced_address(server: Server) -> None:
    status, headers, body = server.request("GET", "/health")
    assert status == 200
    assert json.loads(body)["status"] == "ok"
    assert headers["Server"] == "provrepo"
    status, _, _ = server.request(
        "POST",
        "/projects/open/documents?name=run",
        PROVN,
        Authorization=f"Bearer {server.token}",
        **{"Content-Type": PROVN_TYPE},
    )
    assert status == 201


def test_a_hundred_megabytes_get_a_response_and_not_a_reset(server: Server) -> None:
    connection = server.connect()
    size = 100 << 20
    connection.putrequest("POST", "/projects/open/documents")
    connection.putheader("Authorization", f"Bearer {server.token}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    block = bytes(1 << 20)
    for _ in range(100):
        connection.send(block)
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    connection.close()
    assert answer.status == problem["status"] == 413
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert answer.getheader("Content-Security-Policy") == CONTENT_SECURITY_POLICY


def test_expect_100_continue_is_refused_at_once_for_a_large_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_the_largest_allowed_body_reaches_the_application(server: Server) -> None:
    padded = PROVN + b" " * (100_000 - len(PROVN))
    status, _, body = server.request("POST", "/validate", padded, **{"Content-Type": PROVN_TYPE})
    assert status == 200, body
    status, _, body = server.request("POST", "/validate", padded + b" ", **{"Content-Type": PROVN_TYPE})
    assert status == 413


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: nonsense\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", 431),
        (b"GET /projects/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b'GET / HTTP/1.1\r\nHost: "><script>\r\nAccept: text/html\r\n\r\n', 400),
    ],
)
def test_invalid_http_gets_a_problem(server: Server, request_: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request_)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    assert answer.status == status
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert b"<script>" not in body
    if status >= 400:
        assert json.loads(body)["status"] == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: int) -> None:
    server = Server(tmp_path)
    assert server.request("GET", "/health")[0] == 200
    code, out, err = server.stop(number)
    assert (code, out.split()) == (0, ["closed"])
    assert "Traceback" not in err


def test_a_base_with_a_path_serves_below_it_and_at_the_root(tmp_path: Path) -> None:
    server = Server(tmp_path, "https://lab.example/prov/")
    try:
        assert server.url.endswith("/prov/")
        for path in ("/prov/projects", "/projects"):
            assert server.request("GET", path)[0] == 200
        _, headers, _ = server.request(
            "POST",
            "/prov/projects/open/documents?name=run",
            PROVN,
            Authorization=f"Bearer {server.token}",
            **{"Content-Type": PROVN_TYPE},
        )
        assert headers["Location"] == "/prov/projects/open/documents/run"
        page = server.request("GET", "/prov/", Accept="text/html", Host="lab.example")[2]
        assert b"https://lab.example/prov/projects/PROJECT/documents" in page
        status, _, refusal = server.request("GET", "/prov/", Accept="text/html", Host="evil.example")
        assert status == 421
        assert b"evil.example" not in refusal
        assert b'href="/prov/static/style.css' in page
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_without_a_base_iri_it_listens_on_loopback_only(tmp_path: Path, host: str) -> None:
    with Store.open(Settings(data=tmp_path, workers=1)) as store, pytest.raises(UsageError, match="init --base"):
        serve(store, host=host, port=0)


def test_an_address_that_cannot_be_listened_on(tmp_path: Path) -> None:
    with Store.open(Settings(data=tmp_path, workers=1)) as store, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="port"):
            serve(store, host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="no-such-host"):
            serve(store, host="no-such-host.invalid", port=0)


def test_slow_senders_do_not_delay_others(server: Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
    try:
        for number, connection in enumerate(slow):
            body = b"Content-Length: 1000\r\n\r\nhalf" if number % 2 else b""
            connection.sendall(b"POST /validate HTTP/1.1\r\nHost: localhost\r\n" + body)
        assert server.request("GET", "/health")[0] == 200  # though none of them has come to its end
    finally:
        for connection in slow:
            connection.close()
