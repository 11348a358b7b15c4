"""For whom a thread works: the class of the caller, and whether the client is still there.

A server sets it once for each request. Everything below reads it, so that a call of a worker process belongs to the
right class, and ends with its client, whichever function makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LOCAL", "Caller", "Client", "begin", "client", "end", "gone", "on_behalf_of"]


class Caller(StrEnum):
    """The classes of callers among which workers and request threads are shared, the lowest first."""

    STRANGER = "stranger"
    READER = "reader"
    WRITER = "writer"


@dataclass(frozen=True, slots=True)
class Client:
    """For whom work is done.

    Attributes:
        caller: the class.
        disconnected: says whether the client has closed the connection; None where there is no connection.
    """

    caller: Caller = Caller.WRITER
    disconnected: Callable[[], bool] | None = None


LOCAL = Client()
"""The library, the command line, and what a server does on its own account, such as indexing."""

_client: ContextVar[Client] = ContextVar("provrepo.client", default=LOCAL)


def client() -> Client:
    """For whom this thread works."""
    return _client.get()


def begin(client: Client) -> None:
    """From now on this thread works for a client, until ``end``."""
    _client.set(client)


def end() -> None:
    """This thread works for no client any more."""
    _client.set(LOCAL)


@contextmanager
def on_behalf_of(client: Client) -> Iterator[None]:
    """Work for a client until the block ends."""
    token = _client.set(client)
    try:
        yield
    finally:
        _client.reset(token)


def gone() -> bool:
    """Whether the client for whom this thread works has closed the connection: its answer goes nowhere."""
    disconnected = _client.get().disconnected
    return disconnected is not None and disconnected()
