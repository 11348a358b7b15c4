"""The verb ``entries``: the ledger entries of a project, for clients that copy or verify them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provrepo.errors import UsageError
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.context import Context

__all__ = ["EntryInfo", "entries"]


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """One ledger entry of a project.

    Attributes:
        sequence: its number in the project, from 1 without gaps.
        sha256: SHA-256 of its canonical form (RFC 8785), in hexadecimal, which the next entry contains as ``previous``.
        entry: the fields of the entry, see ``provrepo.ledger.entries``.
    """

    sequence: int
    sha256: str
    entry: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"sequence": self.sequence, "sha256": self.sha256, "entry": self.entry}


def entries(context: Context, project: str, *, after: int = 0, limit: int = MAX_PAGE_SIZE) -> list[EntryInfo]:
    """Return ledger entries of a project, in order.

    Each entry contains the digest of its predecessor. So a client that stores the last digest can detect later whether
    an entry before it was changed.

    Args:
        project: the project.
        after: the sequence number of the entry before the first.
        limit: the most entries.

    Raises:
        NotFound: no such project.
        UsageError: ``after`` is negative, or ``limit`` is less than 1.
        Damaged: the entries contain one of an unknown kind that this version may not skip.
    """
    if after < 0 or limit < 1:
        raise UsageError("after is a number from 0, limit one from 1")
    context.require_read(project)
    found = context.store.ledger.entries(project, after=after, limit=limit)
    return [EntryInfo(entry.sequence, entry.sha256, entry.fields) for entry in found]
