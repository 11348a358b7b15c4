"""Verbs that send versions to peers. Only the local owner may send: that uses the tokens of the operator."""

from __future__ import annotations

import logging

from provrepo.errors import UsageError
from provrepo.ledger.entries import Entry
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.exchange.pushes import UNDER_WAY, Push
from provrepo.repository import access, documents
from provrepo.repository.context import Context
from provrepo.repository.exchange import sending
from provrepo.repository.people.roles import Right
from provrepo.repository.store import Store

__all__ = ["cancel_push", "push", "pushes", "queue_new", "send_pushes"]

log = logging.getLogger("provrepo.repository.exchange.pushing")

_AGAIN = ("refused", "given-up", "cancelled", "expired")
"""The states from which a version is queued once more when it is pushed again."""

_PAGE = 256


def push(
    context: Context, peer: str, project: str, name: str, *, version: int | None = None, deliver: bool = True
) -> Push:
    """Send a version to a peer: its bytes, its metadata and its position in the chain of the project.

    It is queued durably, and then sent. If that fails, a server sends it later. Pushing a version again changes nothing
    if it was delivered; a version that was refused or given up is sent once more.

    Args:
        peer: the name of the peer.
        project: the project of the document.
        name: the document.
        version: its version; by default the current one.
        deliver: False only queues it.

    Returns:
        The push, with the answer of the peer or the reason of the failure.

    Raises:
        NotFound: no such peer, document or version.
        Withdrawn: the document was withdrawn, or the version erased.
        Denied: the actor is not the owner, or the project is a mirror.
    """
    context.require_owner("sends documents to peers")
    store = context.store
    target = store.peers.get(peer)
    info = documents.version(context, project, name, version)
    if info.state in ("withdrawn", "erased") or info.withdrawn:
        documents.original(context, project, name, info.version)
        raise UsageError(f"{project}/{name}@{info.version} was withdrawn, so it is not sent")
    store.ledger.require_own(project)
    context.require_active(project)
    entry = store.ledger.entry(project, info.sequence)
    made = store.parts.pushes.add(peer, project, (name, info.version, entry.sha256), target.project or project)
    if made.state in _AGAIN:
        values = {"due": made.created, "failure": "", "target": target.project or project}
        store.parts.pushes.change(made.id, only=_AGAIN, state="queued", **values)
        made = store.parts.pushes.get(made.id)
    return sending.attempt(store, made) if deliver and made.state in UNDER_WAY else made


def pushes(context: Context, project: str | None = None) -> list[Push]:
    """Return the versions that were sent to peers, or are on their way, the oldest first.

    Args:
        project: only those of this project.

    Raises:
        NotFound: no such project.
        Denied: the actor may not change the project; or may not write to all projects, for all of them.
    """
    if project is None:
        access.require_administer(context.actor)
    else:
        context.require(project, Right.CURATE)
    return context.store.parts.pushes.listed(project)


def send_pushes(context: Context) -> int:
    """Queue new versions of projects whose setting says so, and attempt everything that is under way once, now.

    A server does it in regular rounds, in which it attempts what is due.

    Returns:
        The number of pushes that were under way.

    Raises:
        Denied: the actor is not the owner.
    """
    context.require_owner("sends documents to peers")
    queue_new(context.store)
    return sending.work_off(context.store, everything=True)


def cancel_push(context: Context, id: int) -> Push:  # noqa: A002
    """Give up a push that is under way. What the peer has received stays there.

    Args:
        id: its number.

    Returns:
        The push as it is afterwards.

    Raises:
        NotFound: there is no such push.
        Denied: the actor is not the owner.
    """
    context.require_owner("cancels what is sent to peers")
    context.store.parts.pushes.get(id)
    context.store.parts.pushes.change(id, state="cancelled")
    return context.store.parts.pushes.get(id)


def queue_new(store: Store) -> None:
    """Queue the versions that were accepted since the last call, in the projects that push each version.

    Which versions these are follows from the ledger, so that none is missed after a crash. Versions that came from the
    peer itself are not sent back. The settings of a mirror are those of its origin, and have no effect here.
    """
    mirrors = {mirror.project for mirror in store.ledger.mirrors()}
    for project in sorted(set(store.ledger.projects()) - mirrors):
        for name in store.ledger.settings(project).get("push", ()):
            peer, trouble = store.peers.find(name), f"project {project} cannot push to {name}"
            if peer is None:
                store.parts.troubles.failed(log, trouble, "there is no such peer")
                continue
            store.parts.troubles.works(log, trouble)
            after = max(_since(store, project, name), store.parts.pushes.position(name, project) or 0)
            while page := list(store.ledger.entries(project, after=after, limit=_PAGE)):
                versions = [
                    (str(entry.body["document"]), int(entry.body["version"]), entry.sha256)
                    for entry in page
                    if entry.kind == "submit" and entry.project == project and not _from_peer(entry, peer)
                ]
                after = page[-1].sequence
                store.parts.pushes.advance(name, project, after, versions, peer.project or project)


def _since(store: Store, project: str, peer: str) -> int:
    """Return the sequence number of the entry of settings since which a project pushes to a peer."""
    since, on = 0, False
    for entry in store.ledger.changes(project):
        if "push" in entry.body:
            named = peer in entry.body["push"]
            if named and not on:
                since = entry.sequence
            on = named
    return since


def _from_peer(entry: Entry, peer: Peer) -> bool:
    origin = entry.body["origin"] or {}
    return origin.get("peer") == peer.name or bool(peer.identity and origin.get("identity") == peer.identity)
