"""A project's entries as those read them who keep a copy, or check that nothing was changed.

The verb is part of ``Repository``, in a file of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provrepo.errors import UsageError
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.context import Context

__all__ = ["EntryInfo", "entries"]


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """One entry of a project's ledger.

    Attributes:
        sequence: its number in the project, from 1 without gaps.
        sha256: of the entry in canonical form (RFC 8785), in hexadecimal; the next entry holds it as ``previous``.
        entry: the entry, as ``provrepo.ledger.entries`` describes it.
    """

    sequence: int
    sha256: str
    entry: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"sequence": self.sequence, "sha256": self.sha256, "entry": self.entry}


def entries(context: Context, project: str, *, after: int = 0, limit: int = MAX_PAGE_SIZE) -> list[EntryInfo]:
    """The entries of a project's ledger, in order.

    Whoever keeps the last digest can tell later whether anything before it was changed: each entry holds the digest
    of the one before.

    Args:
        project: whose entries.
        after: only those behind the one of this number.
        limit: at most so many.

    Raises:
        NotFound: no such project.
        UsageError: a number that is negative, or no limit.
        Damaged: at an entry of a kind that this version does not know.
    """
    if after < 0 or limit < 1:
        raise UsageError("after is a number from 0, limit one from 1")
    context.require_read(project)
    found = context.store.ledger.entries(project, after=after, limit=limit)
    return [EntryInfo(entry.sequence, entry.sha256, entry.fields) for entry in found]
