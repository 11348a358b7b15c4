"""Verbs about the state of the exchange with other repositories, at a distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from provrepo.errors import NotFound, UsageError
from provrepo.ledger.exchange.holders import Holder
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.exchange.pushes import Push
from provrepo.ledger.kinds import is_name
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.exchange.mirroring.records import MirrorInfo
from provrepo.repository.exchange.notices.verbs import require_direction

__all__ = ["holders", "mirrors", "notice", "notices", "peer", "peers", "pushes"]

T = TypeVar("T")


def peers(connection: Connection) -> list[Peer]:
    """Return the peers by name."""
    return _listed(connection, Peer, "peers")


def peer(connection: Connection, name: str) -> Peer:
    """Return one peer."""
    if not is_name(name):
        raise NotFound(f"there is no peer {name!r}")
    return connection.record(Peer, "GET", ("peers", name))


def holders(connection: Connection, project: str | None = None) -> list[Holder]:
    """Return who holds copies."""
    return _listed(connection, Holder, "holders", project)


def pushes(connection: Connection, project: str | None = None) -> list[Push]:
    """Return what was sent to peers."""
    return _listed(connection, Push, "pushes", project)


def mirrors(connection: Connection) -> list[MirrorInfo]:
    """Return the mirrors that the token may read."""
    return _listed(connection, MirrorInfo, "mirrors")


def notices(
    connection: Connection, project: str | None = None, name: str | None = None, *, direction: str | None = None
) -> list[SentNotice | ReceivedNotice]:
    """Return notices, the sent ones first."""
    require_direction(direction)
    if project is None and name is not None:
        raise UsageError("name the project of the document as well")
    path = ("notices",) if project is None else connection.project(project, "notices")
    asked = {"document": name, "direction": direction}
    with connection.understanding():
        return [_notice(each) for each in connection.parts(path, "notices", project=project, **asked)]


def notice(connection: Connection, id: str) -> SentNotice | ReceivedNotice:  # noqa: A002
    """Return one notice with its text."""
    answer = connection.json("GET", ("notice",), query={"id": id})
    with connection.understanding():
        return _notice(answer)


def _listed(connection: Connection, kind: type[T], member: str, project: str | None = None) -> list[T]:
    path = (member,) if project is None else connection.project(project, member)
    with connection.understanding():
        return [decoded(kind, each) for each in connection.parts(path, member, project=project)]


def _notice(value: Any) -> SentNotice | ReceivedNotice:
    found: Mapping[str, Any] = decoded(dict, value)
    given = {**found, "key": "", "body": decoded(str, found.get("text", "")).encode()}
    return decoded(SentNotice, given) if found["direction"] == "sent" else decoded(ReceivedNotice, given)
