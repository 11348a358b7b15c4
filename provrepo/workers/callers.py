"""The client of the current thread: its class, and whether it is still connected.

A server sets it once for each request. Any call of a worker process in that thread then belongs to the client's class,
and is stopped when the client disconnects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LOCAL", "Caller", "Client", "begin", "client", "client_gone", "end", "on_behalf_of"]


class Caller(StrEnum):
    """The classes of callers that share workers and request threads, lowest priority first."""

    STRANGER = "stranger"
    READER = "reader"
    WRITER = "writer"


@dataclass(frozen=True, slots=True)
class Client:
    """The client that a thread serves.

    Attributes:
        caller: its class.
        disconnected: returns whether the client has closed the connection; None without a connection.
    """

    caller: Caller = Caller.WRITER
    disconnected: Callable[[], bool] | None = None


LOCAL = Client()
"""The client of the library, of the command line, and of a server's own work such as indexing."""

_client: ContextVar[Client] = ContextVar("provrepo.client", default=LOCAL)


def client() -> Client:
    """The client of this thread."""
    return _client.get()


def begin(client: Client) -> None:
    """Set the client of this thread, until ``end``."""
    _client.set(client)


def end() -> None:
    """Reset the client of this thread to ``LOCAL``."""
    _client.set(LOCAL)


@contextmanager
def on_behalf_of(client: Client) -> Iterator[None]:
    """Set the client of this thread within the block."""
    token = _client.set(client)
    try:
        yield
    finally:
        _client.reset(token)


def client_gone() -> bool:
    """Whether the client of this thread has closed the connection, so that no answer is needed."""
    disconnected = _client.get().disconnected
    return disconnected is not None and disconnected()
