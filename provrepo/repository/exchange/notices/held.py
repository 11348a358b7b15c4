"""Which versions here are copies of versions of a peer: those that it sent, and those in mirrors of its projects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from provrepo.ledger.exchange.copies import Copy, Origin, origin_of
from provrepo.repository.exchange.notices import tables

if TYPE_CHECKING:
    from provrepo.ledger.entries import Entry
    from provrepo.repository.store import Store

__all__ = ["Copy", "Origin", "copies", "origin"]


def origin(store: Store, submission: Entry) -> Origin | None:  # noqa: ARG001
    """Return the origin of a version; None if it is not a copy of a version of a peer."""
    return origin_of(submission)


def copies(store: Store, peer: str, project: str, document: str) -> Iterator[Copy]:
    """Yield the versions here that are copies of versions of a document of a peer."""
    yield from tables.copies(store).of(peer, project, document)
