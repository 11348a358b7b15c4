"""Laboratories: repositories with a server on a loopback address, which know each other as peers."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from provrepo.ledger.entries import Entry
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from provrepo.workers.pool import Pool
from tests.support.contract import Checked

__all__ = ["Laboratory", "acquaint", "document", "laboratories", "laboratory"]

PROJECT = "crops"


def document(number: int, *, label: str = "harvest") -> bytes:
    """A small document whose bytes depend on a number."""
    return f"""document
  prefix ex <https://example.org/>
  entity(ex:table-{number}, [prov:label="{label}"])
  activity(ex:run-{number}, 2025-03-01T10:00:00Z, 2025-03-01T10:05:00Z)
  agent(ex:ada, [prov:type='prov:Person'])
  wasGeneratedBy(ex:table-{number}, ex:run-{number}, -)
  wasAssociatedWith(ex:run-{number}, ex:ada, -)
endDocument
""".encode()


class _Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_: object) -> None:
        pass


@dataclass
class Laboratory:
    """A repository with a server.

    Attributes:
        name: its name, by which others name it as a peer.
        store: its data directory.
        owner: the repository for its local owner.
        app: the application of its server.
        url: the URL of its server.
    """

    name: str
    store: Store
    owner: Repository
    app: Flask
    url: str

    def client(self) -> FlaskClient:
        """A client whose answers are compared with the description of the server."""
        self.app.test_client_class = Checked
        return self.app.test_client()

    def entries(self, *kinds: str, project: str = PROJECT) -> list[Entry]:
        """The entries of a project of some kinds, or all."""
        found = self.store.ledger.entries(project)
        return [entry for entry in found if not kinds or entry.kind in kinds]

    def send(self) -> None:
        """Attempt everything that is under way."""
        self.owner.send_pushes()


_POOL: list[Pool] = []
"""The worker processes of all laboratories of a test process: to start them takes longer than most tests."""


@contextmanager
def _shared_workers(store: Store) -> Iterator[None]:
    if not _POOL:
        _POOL.append(Pool(1, store.settings.worker_memory, {}))
        atexit.register(_POOL[0].close)
    own, store.pool = store.pool, _POOL[0]
    try:
        yield
    finally:
        store.pool = own


@contextmanager
def laboratory(folder: Path, name: str, **settings: Any) -> Iterator[Laboratory]:
    """A laboratory with the project ``crops``, whose directory is created if it does not exist."""
    chosen = {"workers": 1, "threads": 4, "exchange_seconds": 0.05, **settings}
    with Store.open(Settings(data=folder / name, **chosen)) as store, _shared_workers(store):
        owner = Repository(store, store.owner())
        if PROJECT not in [info.name for info in owner.projects()]:
            owner.create_project(PROJECT)
        app = create_app(store)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield Laboratory(name, store, owner, app, f"http://127.0.0.1:{server.server_port}/")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def acquaint(sender: Laboratory, receiver: Laboratory, *, accepts: str = "pending", **more: Any) -> str:
    """Make two laboratories peers, of which one may send to the other; returns the token of the sender there."""
    token, _ = receiver.owner.create_token(sender.name, projects=(), write=False)
    receiver.owner.add_peer(sender.name, sender.url, accepts=accepts, projects=[PROJECT], **more)
    sender.owner.add_peer(receiver.name, receiver.url, token=token)
    return token


@contextmanager
def laboratories(folder: Path, **settings: Any) -> Iterator[tuple[Laboratory, Laboratory]]:
    """Two laboratories, of which the first may send to the second."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(laboratory(folder, name, **settings)) for name in ("lab-a", "lab-b"))
        acquaint(one, other)
        yield one, other
