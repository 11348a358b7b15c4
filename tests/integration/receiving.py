"""A served repository to which a tool sends OpenLineage events, behind a gateway that records and disturbs them.

The gateway is what a proxy in front of a server is for the tool: its address stays, and while the server is down it
answers 502.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import provrepo
from provrepo.importers.json_values import canonical
from provrepo.ledger.events import Events
from provrepo.model.statements import DERIVATION
from provrepo.repository.events.making import make_documents
from provrepo.repository.repository import Repository
from tests.support.command import Command, environment
from tests.support.kill_exchange import killed

__all__ = ["PROJECT", "Answered", "Receiver", "receiver"]

PROJECT = "lab"
"""The project of the token that a tool gets."""

_FORWARDED = ("authorization", "content-type", "content-encoding")

_SECONDS = 120
"""Seconds to wait for something that takes one on an idle machine."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request of a tool, with the answer that it got.

    Attributes:
        path: of the request, without the query.
        headers: with names in lower case.
        events: the events of its body.
        status: the status of the answer; 0 if the connection was closed without one.
    """

    path: str
    headers: Mapping[str, str]
    events: tuple[dict[str, Any], ...]
    status: int


class Receiver:
    """The server, the gateway, and a token for the project ``lab``.

    Attributes:
        url: the address of the gateway, without the final slash.
        token: the token.
        data: the data directory.
        answered: the requests, in the order of their answers.
        plan: how the next requests are disturbed, one word for each: ``503`` (not forwarded), ``lost`` (forwarded, and
            the connection closed without the answer), ``killed`` (the server is killed and started again), ``pass``.
            Those after the last word pass.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        command = Command(self.data)
        command("project", "create", PROJECT)
        self.token = str(command("token", "create", "tool", "--project", PROJECT).stdout).split()[0]
        self.answered: list[Answered] = []
        self.plan: list[str] = []
        self._lock = threading.Lock()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._log = folder / "server.log"
        self._start()
        self._gateway = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._gateway.server_port}"
        threading.Thread(target=self._gateway.serve_forever, daemon=True).start()
        self._ready()

    def sent(self) -> list[dict[str, Any]]:
        """The events that were acknowledged, without repetitions."""
        acknowledged = [event for one in self.answered if one.status // 100 == 2 for event in one.events]
        return list({canonical(event): event for event in acknowledged}.values())

    def close(self) -> None:
        """Stop the server and the gateway."""
        self._gateway.shutdown()
        self._gateway.server_close()
        killed(self._server)

    @contextmanager
    def opened(self) -> Iterator[Repository]:
        """The data directory after the server has ended, with a document of each run."""
        self._server.terminate()
        assert self._server.wait(timeout=_SECONDS) == 0, self._log.read_text("utf-8")[-4000:]
        with provrepo.open(self.data) as repository:
            make_documents(repository.context.store, quiet=0, interval=0)
            assert Events(repository.context.store.ledger).problems() == []
            yield repository

    def stored(self, repository: Repository) -> dict[str, list[dict[str, Any]]]:
        """The events in the repository, by document."""
        events = Events(repository.context.store.ledger)
        names = [info.name for info in repository.documents(PROJECT)]
        return {name: [json.loads(data) for data in events.data(PROJECT, name)] for name in names}

    def nothing_lost(self, repository: Repository) -> None:
        """Check that the events in the repository are those that were acknowledged, and those of their documents."""
        stored = self.stored(repository)
        found = sorted(canonical(event) for events in stored.values() for event in events)
        assert found == sorted(map(canonical, self.sent()))
        for name, events in stored.items():
            lines = repository.original(PROJECT, name)[0].splitlines()
            assert sorted(lines) == sorted(map(canonical, events)), name

    def conform(self, repository: Repository, profile: str, *, but: Iterable[str] = ()) -> None:
        """Check that each document conforms to a profile.

        Args:
            repository: the repository.
            profile: its name.
            but: the names of shapes that may be violated, since the tool does not say what they ask for.
        """
        for info in repository.documents(PROJECT):
            report = provrepo.validate(repository.read(PROJECT, info.name), profiles=[profile])
            violated = [one for one in report.findings if one.severity == "violation"]
            assert [one for one in violated if one.rule.rpartition("#")[2] not in but] == [], info.name

    def upstream(self, repository: Repository, name: str) -> set[str]:
        """The names of the datasets of which the latest version of a dataset came, across the documents of runs."""
        (found,) = [one for one in repository.datasets(PROJECT) if one.name == name]
        assert found.latest is not None
        graph = repository.lineage(found.latest.iri)
        parts = [node.iri.partition("#")[0].partition("/version/")[2].split("/") for node in graph.nodes]
        return {unquote(part[1]) for part in parts if len(part) > 1}

    def columns(self, repository: Repository, name: str) -> set[tuple[str, tuple[str, str]]]:
        """The derivations of columns in a document: the column, and dataset and column that it is derived from."""
        found = set()
        for statement in repository.read(PROJECT, name):
            if statement.kind is DERIVATION:
                _, _, column = str(statement.args[0]).partition("#")
                origin, _, source = str(statement.args[1]).partition("#")
                if column and source:
                    dataset = origin.rpartition("/@unknown/")[0].rpartition("/")[2]
                    found.add((unquote(column), (unquote(dataset), unquote(source))))
        return found

    def forward(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer of the server, or what the plan says instead; status 0 for a connection to close."""
        with self._lock:
            word = self.plan.pop(0) if self.plan else "pass"
            if word == "killed":
                killed(self._server)
                self._start()
        status, answer = 503, b""
        if word != "503":
            try:
                status, answer = self._ask(path, headers, body)
            except OSError:
                status = 502
        if word == "lost":
            status = 0
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        found = json.loads(plain)
        with self._lock:
            events = tuple(found if isinstance(found, list) else [found])
            self.answered.append(Answered(path.partition("?")[0], headers, events, status))
        return status, answer

    def _ask(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        kept = {
            name: headers[name] for name in ("authorization", "content-type", "content-encoding") if name in headers
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            if "transfer-encoding" in headers:
                kept["Transfer-Encoding"] = "chunked"
                connection.request("POST", path, [body], kept, encode_chunked=True)
            else:
                connection.request("POST", path, body, kept)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def _start(self) -> None:
        command = [sys.executable, "-m", "provrepo", "--data", self.data, "serve", "--port", self._port]
        with self._log.open("a", encoding="utf-8") as log:
            self._server = subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=log, start_new_session=True, env=environment()
            )

    def _ready(self) -> None:
        ended = time.monotonic() + _SECONDS
        while time.monotonic() < ended:
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self._log.read_text("utf-8")[-4000:])


@contextmanager
def receiver(folder: Path) -> Iterator[Receiver]:
    """Run a receiver in a new folder until the block ends."""
    folder.mkdir(exist_ok=True)
    running = Receiver(folder)
    try:
        yield running
    finally:
        running.close()


def _handler(running: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = running.forward(self.path, headers, self._body(headers))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _body(self, headers: Mapping[str, str]) -> bytes:
            if headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(headers.get("content-length", "0")))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            pass

    return Handler
