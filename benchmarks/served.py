"""A server in a process of its own, and connections that need little processor time, since they share the machine."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

__all__ = ["Connection", "Server", "served"]


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: host and port.
        process: the number of its process.
    """

    address: tuple[str, int]
    process: int


class Connection:
    """A persistent connection with a minimal implementation of HTTP."""

    def __init__(self, address: tuple[str, int], *, token: str = "", timeout: float = 60) -> None:
        self._socket = socket.create_connection(address, timeout=timeout)
        self._stream = self._socket.makefile("rb")
        self._head = "Host: localhost\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and read its answer; ``If_Match`` stands for the header ``If-Match``."""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{self._head}{lines}{length}\r\n".encode() + body)
        return self._answer()

    def query(self, query: str, *, path: str = "/sparql", **parameters: object) -> Answer:
        """Send a query."""
        return self.send("GET", f"{path}?{urlencode({'query': query, **parameters})}")

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
        self._socket.close()

    def _answer(self) -> Answer:
        first = self._stream.readline()
        if not first:
            raise ConnectionError("the server closed the connection")
        length = 0
        while (line := self._stream.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return Answer(int(first.split()[1]), self._stream.read(length))


@contextmanager
def served(data: Path) -> Iterator[Server]:
    """Run ``provrepo serve`` on a data directory until the block ends."""
    command = [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                found = re.search(r"http://\S+", line)
                if found and "serves" in line:
                    url = urlsplit(found.group())
                    reader = threading.Thread(target=_drain, args=(process,), daemon=True)
                    reader.start()
                    try:
                        yield Server((url.hostname or "", url.port or 0), process.pid)
                    finally:
                        process.terminate()
                        reader.join()  # before the pipe is closed
                    return
        finally:
            process.terminate()


def _drain(process: subprocess.Popen[str]) -> None:
    """Discard the log: if the pipe were not read, the server would block on it."""
    for _ in process.stderr or ():
        pass
