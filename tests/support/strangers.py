"""Anonymous clients that load the server as much as they can, while writers and readers send their requests.

The script starts a server in a process of its own. Anonymous clients (strangers) send documents to ``/validate`` whose
check takes longer than the script. Every submission of a writer must be accepted, readers and health checks must get
answers, and strangers may get 503 with ``Retry-After``. Then the strangers close their connections, and their workers
must become free.

    python -m tests.support.strangers --clients 50 --workers 1
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from tests.support.command import serving

TIMEOUT = 120
"""Seconds to wait for anything that must happen; benchmarks measure the time that it takes."""


def heavy(statements: int) -> bytes:
    """A document that conforms and takes minutes to check: a chain of activities with times."""
    lines = ["document", "prefix ex <https://example.org/>"]
    for number in range(statements):
        lines += [
            f"entity(ex:e{number})",
            f"activity(ex:a{number}, -, -)",
            f"wasGeneratedBy(ex:e{number}, ex:a{number}, -)",
            f"used(ex:a{number + 1}, ex:e{number}, -)",
        ]
    return "\n".join([*lines, "endDocument"]).encode()


class Server:
    """A server, and the tokens of a writer and a reader."""

    def __init__(self, url: str, writer: str, reader: str) -> None:
        self.address = urlsplit(url)
        self.writer, self.reader = writer, reader

    def request(
        self, method: str, path: str, body: bytes = b"", token: str = "", kind: str = "text/provenance-notation"
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request on a new connection; returns status, headers and body."""
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=TIMEOUT)
        headers = {"Content-Type": kind} if body else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def figures(self) -> dict[str, int]:
        """The numbers of requests, queries and checks of strangers that are in progress."""
        _, _, text = self.request("GET", "/metrics", token=self.writer)
        return {
            what: int(float(line.rpartition(" ")[2]))
            for what in ("requests", "queries", "checks")
            for line in text.decode().splitlines()
            if line.startswith(f'provrepo_working{{what="{what}",caller="stranger"}}')
        }

    def until(self, what: str, count: int) -> None:
        """Wait until a number of strangers' requests, queries or checks are in progress."""
        end = time.monotonic() + TIMEOUT
        while (found := self.figures())[what] != count:
            if time.monotonic() > end:
                raise AssertionError(f"{found} instead of {count} {what}")
            time.sleep(0.05)


class Stranger(threading.Thread):
    """A thread that sends one large document and stores the answer."""

    def __init__(self, server: Server, document: bytes) -> None:
        super().__init__(daemon=True)
        self.answer: tuple[int, Mapping[str, str]] | None = None
        self._connection = http.client.HTTPConnection(
            server.address.hostname or "", server.address.port, timeout=TIMEOUT
        )
        self._document = document

    def run(self) -> None:
        try:
            self._connection.request("POST", "/validate", self._document, {"Content-Type": "text/provenance-notation"})
            answer = self._connection.getresponse()
            self.answer = answer.status, dict(answer.getheaders())
        except (OSError, http.client.HTTPException):
            pass  # ``leave`` has closed the connection

    def leave(self) -> None:
        """Close the connection, even without an answer."""
        if self._connection.sock is not None:
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def run(folder: Path, *, clients: int, workers: int, submissions: int, statements: int) -> dict[str, object]:
    """Run the clients; returns the number of answers by kind of request and status.

    Raises:
        AssertionError: strangers delayed another caller, or a worker stayed busy for a client that had gone.
    """
    with open_repository(settings=Settings(data=folder / "data")) as repository:
        repository.create_project("open", public=True)
        writer, _ = repository.create_token("ada")
        reader, _ = repository.create_token("eve", write=False)
    document = heavy(statements)
    variables = {"PROVREPO_WORKERS": str(workers), "PROVREPO_CHECK_TIMEOUT_PUBLIC": "3000"}
    with serving(folder / "data", **variables) as url:
        server = Server(url, writer, reader)
        strangers = [Stranger(server, document) for _ in range(clients)]
        for stranger in strangers:
            stranger.start()
        server.until("checks", 1)
        names = ("submit", "read", "health", "browse", "strangers")
        statuses: dict[str, Counter[int]] = {name: Counter() for name in names}
        for number in range(submissions):
            small = f"document prefix ex <https://example.org/> entity(ex:e{number}) endDocument".encode()
            at = f"/projects/open/documents?name=d{number}"
            statuses["submit"][server.request("POST", at, small, writer)[0]] += 1
            statuses["read"][server.request("GET", f"/projects/open/documents/d{number}", token=reader)[0]] += 1
            statuses["health"][server.request("GET", "/health")[0]] += 1
            statuses["browse"][server.request("GET", "/projects")[0]] += 1
        assert statuses["submit"] == {201: submissions}, statuses
        assert statuses["read"] == {200: submissions}, statuses
        assert statuses["health"] == {200: submissions}, statuses
        # Strangers that wait for a check leave a thread for other strangers.
        assert statuses["browse"] == {200: submissions}, statuses
        for stranger in strangers:
            stranger.leave()
        server.until("checks", 0)
        server.until("requests", 0)
        for stranger in strangers:
            stranger.join(TIMEOUT)
            if stranger.answer is not None:
                status, headers = stranger.answer
                assert status == 503, status
                assert int(headers["Retry-After"]) > 0
                statuses["strangers"][status] += 1
        small = b"document prefix ex <https://example.org/> entity(ex:e) endDocument"
        assert server.request("POST", "/validate", small)[0] == 200
        return {name: dict(counts) for name, counts in statuses.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--submissions", type=int, default=50)
    parser.add_argument("--statements", type=int, default=60_000)
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(Path(folder), **given), indent=2))


if __name__ == "__main__":
    main()
