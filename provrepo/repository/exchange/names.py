"""What is said about the entries of mirrors: the names of their actors, and which blobs are absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["absence_text", "actor_names"]


def actor_names(store: Store, project: str) -> Mapping[str, str]:
    """Return the present names of the actors of a project's entries, by opaque identifier.

    An origin may use any identifier, also one of this repository. So the actors of a mirror never have names from here.
    """
    mirror = store.ledger.mirror(project)
    return store.accounts.names() if mirror is None else store.parts.mirroring.names(mirror.identity)


def absence_text(absent: Mapping[str, str]) -> str:
    """Return how many blobs are absent for which reasons, for people."""
    numbers = Counter(absent.values())
    reasons = "; ".join(f"{number:,}: {reason}" for reason, number in numbers.most_common(5))
    more = "; and other reasons" if len(numbers) > 5 else ""
    return f"{counted(len(absent), 'blob')} ({reasons}{more})"
