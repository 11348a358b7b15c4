"""Which versions here are copies of versions of a peer: those that it sent, and those in mirrors of its projects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from provrepo.ledger.exchange.copies import Copy, Origin, origin_of
from provrepo.repository.exchange.notices import tables

if TYPE_CHECKING:
    from provrepo.ledger.entries import Entry
    from provrepo.ledger.exchange.mirrors import Mirror
    from provrepo.ledger.exchange.peers import Peer
    from provrepo.repository.store import Store

__all__ = ["Copy", "Origin", "copies", "origin"]


def origin(store: Store, submission: Entry) -> Origin | None:
    """Return the origin of a version; None if it is not a copy of a version of a peer."""
    mirror = store.ledger.mirror(submission.project)
    if mirror is None:
        return origin_of(submission)
    peer = next((peer for peer in store.parts.peers.list() if _is_of(mirror, peer)), None)
    if peer is None:
        return None
    document, version = submission.body["document"], submission.body["version"]
    iri = str(store.minter().version(submission.project, document, version))
    return Origin(peer.name, mirror.stream, document, version, iri)


def copies(store: Store, peer: str, project: str, document: str) -> Iterator[Copy]:
    """Yield the versions here that are copies of versions of a document of a peer."""
    yield from tables.copies(store).of(peer, project, document)
    found = store.parts.peers.find(peer)
    for mirror in store.ledger.mirrors() if found is not None else ():
        if found is not None and mirror.stream == project and _is_of(mirror, found):
            for entry in store.ledger.versions(mirror.project, document):
                yield Copy(mirror.project, document, entry.body["version"], entry.body["version"])


def _is_of(mirror: Mirror, peer: Peer) -> bool:
    """Return whether a mirror copies a project of a peer: by its identity, or while that is unknown by its URL."""
    return mirror.identity == peer.identity if peer.identity else mirror.origin.startswith(peer.url)
