"""The test that an entry is the next one of a stream."""

from __future__ import annotations

from provrepo.errors import Diverged
from provrepo.ledger.entries import Entry, named

__all__ = ["check_next"]


def check_next(entry: Entry, stream: str, length: int, digest: str) -> None:
    """Refuse an entry that is not the next one of a stream.

    Args:
        entry: the entry.
        stream: the name of the stream, which the entry contains.
        length: the number of entries before it.
        digest: the SHA-256 of the last of them; empty for none.

    Raises:
        Diverged: it is of another stream, has another number, or does not contain the digest.
    """
    if entry.project != stream:
        raise Diverged(f"{entry.place} was sent as one of {named(stream)}")
    if entry.sequence != length + 1:
        raise Diverged(f"{entry.place} was sent in place of entry {length + 1}")
    if entry.previous != digest:
        raise Diverged(
            f"{entry.place} does not follow the entry {length} that is here: it names {entry.previous or 'none'} as "
            f"the one before it, not {digest or 'none'}"
        )
