"""Servers on loopback as origins of mirrors, and origins that lie, are cut, or are slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from provrepo.repository.repository import Repository
from provrepo.server.app import create_app

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object, **__: object) -> None:
        """Log nothing."""


@dataclass
class Served:
    """A repository on loopback.

    Attributes:
        url: of the server, with a slash at its end.
        requests: the requests so far, as method and path.
        instead: called with the environment of each request; what it returns other than None is the answer: an
            application, or the number of bytes after which the connection is cut.
    """

    url: str
    requests: list[str] = field(default_factory=list)
    instead: Callable[[dict[str, Any]], Application | int | None] = lambda environ: None

    def project(self, name: str = "crops") -> str:
        return f"{self.url}projects/{name}"


def answer(status: str, content: bytes = b"", **headers: str) -> Application:
    """An application with one answer."""

    def application(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        start(status, [*fields, ("Content-Length", str(len(content)))])
        return [content]

    return application


@contextmanager
def served(repository: Repository) -> Iterator[Served]:
    """Serve a repository on a free port of loopback."""
    inner = create_app(repository.context.store)
    found = Served("")

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        found.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        instead = found.instead(environ)
        if instead is None:
            return inner(environ, start)
        if not isinstance(instead, int):
            return instead(environ, start)
        return _cut(inner, environ, start, instead)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    found.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _cut(inner: Application, environ: dict[str, Any], start: Callable[..., Any], after: int) -> Iterator[bytes]:
    """The answer of an application, cut after some bytes of its body although the head announces all of them."""
    head: list[Any] = []

    def keep(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        head[:] = [status, headers]

    body = b"".join(inner(environ, keep))
    status, headers = head
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start(status, [*kept, ("Content-Length", str(len(body))), ("Connection", "close")])
    yield body[:after]
