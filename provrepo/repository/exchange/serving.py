"""Verbs for those who copy a project: the bytes of its entries and blobs, and what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from provrepo.errors import NotFound, UsageError, Withdrawn
from provrepo.ledger.entries import Entry
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import require_blob
from provrepo.repository.exchange.names import actor_names
from provrepo.repository.exchange.origin import Origin

__all__ = ["BULK_BLOBS", "BULK_BYTES", "PAGE_BYTES", "StreamEnd", "blob", "entry_bytes", "origin", "stream_end"]

BULK_BLOBS = 1_000
"""The most blobs of one request for several."""

BULK_BYTES = 8 << 20
"""The most bytes of the blobs in the answer to a request for several; larger ones are requested alone."""

PAGE_BYTES = 4 << 20
"""Bytes of entries after which a page ends, however many entries were requested."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The end of a project's stream, from which a copy sees whether it is up to date.

    Attributes:
        sequence: the number of entries.
        sha256: the digest of the last one; empty without entries.
        setup: the set-up identifier; another one says that the origin was restored from a backup.
        about: a digest that changes whenever ``Origin`` may have changed.
    """

    sequence: int
    sha256: str
    setup: str
    about: str


def stream_end(context: Context, project: str) -> StreamEnd:
    """Return the end of a project's stream.

    Raises:
        NotFound: no such project.
    """
    context.require_read(project)
    store = context.store
    sequence, sha256 = store.ledger.end(project)
    found = _origin(context, project)
    # The names of all actors, since those of one project cannot be found quickly. Their random identifiers make the
    # digest one from which nothing can be guessed.
    text = json.dumps(
        [found.identity, found.base, found.former, found.before, sorted(actor_names(context.store, project).items())]
    )
    return StreamEnd(sequence, sha256, found.setup, hashlib.sha256(text.encode()).hexdigest()[:32])


def origin(context: Context, project: str, *, after: int = 0) -> Origin:
    """Return what a copy of a project needs to know beside its entries.

    For a mirror it is what its origin said.

    Args:
        project: the project.
        after: the number of an entry; the names of actors are those of the entries after it.

    Raises:
        NotFound: no such project.
        UsageError: ``after`` is negative.
    """
    if after < 0:
        raise UsageError("after is a number from 0")
    context.require_read(project)
    names = actor_names(context.store, project)
    with context.store.ledger.stream(project) as stream:
        actors = stream.actors(after)
        sequence, sha256 = stream.end()
    found = _origin(context, project)
    return Origin(
        found.project,
        found.identity,
        found.setup,
        found.base,
        found.former,
        found.before,
        sequence,
        sha256,
        {actor: names[actor] for actor in actors if actor in names},
    )


def entry_bytes(context: Context, project: str, *, after: int = 0, limit: int = MAX_PAGE_SIZE) -> list[bytes]:
    """Return ledger entries of a project as they are stored, in order, of any kind.

    Args:
        project: the project.
        after: the sequence number of the entry before the first.
        limit: the most entries. Fewer are returned if they are large.

    Raises:
        NotFound: no such project.
        UsageError: ``after`` is negative, or ``limit`` is less than 1.
    """
    if after < 0 or limit < 1:
        raise UsageError("after is a number from 0, limit one from 1")
    context.require_read(project)
    found: list[bytes] = []
    size = 0
    for entry in context.store.ledger.entries(project, after=after, limit=limit, every=True):
        if entry.sequence != after + len(found) + 1:
            break  # an unreadable entry: a copy must not have a gap
        found.append(entry.data)
        size += len(entry.data)
        if size >= PAGE_BYTES:
            break
    return found


def blob(context: Context, project: str, sha256: str) -> Path:
    """Return the file of a blob: bytes or report of a version that the actor may read, or a profile.

    Args:
        project: the project, one of whose entries names the blob.
        sha256: its digest.

    Raises:
        NotFound: no such project; or no entry of it that the actor may read names the blob; or a mirror lacks it.
        Withdrawn: the blob is of withdrawn or erased versions only.
    """
    context.require_read(project)
    store = context.store
    ended: Withdrawn | None = None
    with store.ledger.stream(project) as stream:
        naming = stream.naming(sha256)
    for entry in naming:
        if entry.kind == "submit":
            ended = _ended(context, project, entry)
            if ended is not None:
                continue
        elif entry.kind != "settings":
            continue
        require_blob(store, project, sha256)
        if not store.blobs.exists(sha256):
            raise NotFound(f"the blob {sha256} is not here")
        return store.blobs.path(sha256)
    raise ended or NotFound(f"no entry of project {project} that you may read names the blob {sha256}")


def _ended(context: Context, project: str, entry: Entry) -> Withdrawn | None:
    """Return why a version cannot be read; None if it can."""
    ledger = context.store.ledger
    document, version = entry.body["document"], entry.body["version"]
    ending = ledger.endings(project, document).get(version)
    if ending is not None and ending.kind == "erase":
        return Withdrawn(f"the bytes of {document} version {version} were erased")
    if version <= ledger.withdrawn_up_to(project, document) and not context.curates(project):
        withdrawal = ledger.withdrawal(project, document, version)
        reason = "" if withdrawal is None else str(withdrawal.body["reason"])
        time = "" if withdrawal is None else withdrawal.time
        return Withdrawn(f"{document} version {version} was withdrawn: {reason}", reason=reason, time=time)
    return None


def _origin(context: Context, project: str) -> Origin:
    store = context.store
    mirror = store.ledger.mirror(project)
    if mirror is not None:
        return Origin(mirror.stream, mirror.identity, mirror.setup, mirror.base, mirror.former, mirror.before)
    identity = store.ledger.identity()
    before = identity.before.get(project, 0)
    return Origin(project, identity.id, store.ledger.setup(), store.base(), bool(identity.before), before)
