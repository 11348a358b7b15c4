"""An HTTP server that answers what a test says, true or not, and records what it was sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["LyingServer", "lying", "response"]

Script = Callable[["LyingServer", socket.socket, bytes], None]


def response(status: str = "200 OK", body: bytes = b"", *, length: int | None = None, **headers: str) -> bytes:
    """A response; ``length`` is the Content-Length instead of the true one, and names of headers are with ``_``."""
    fields = {"Content-Length": str(len(body) if length is None else length), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class LyingServer:
    """Accepts connections in threads; each request head is handed to a script.

    Attributes:
        url: the URL of the server.
        requests: the heads of the requests with their bodies, as they came.
        gone: set at the end of the test; scripts that never end look at it.
    """

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self.gone = threading.Event()
        self._script = script
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop accepting, and wait for the scripts."""
        self.gone.set()
        # On Linux closing alone does not end ``accept``.
        try:
            socket.create_connection(self._socket.getsockname(), timeout=120).close()
        except OSError:
            pass
        self._socket.close()
        for thread in self._threads:
            thread.join(60)

    def _accept(self) -> None:
        while not self.gone.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(60)
            try:
                request = self._read(connection)
                if request:
                    self.requests.append(request)
                    self._script(self, connection, request)
            except OSError:
                pass  # the client has gone

    def _read(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@contextmanager
def lying(*answers: bytes | Script) -> Iterator[LyingServer]:
    """A server that gives one answer, or runs one script, for each request; the last one again for further requests."""
    left = list(answers)

    def script(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if callable(answer):
            answer(server, connection, request)
        else:
            connection.sendall(answer)

    server = LyingServer(script)
    try:
        yield server
    finally:
        server.close()
