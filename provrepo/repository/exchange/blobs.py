"""Which blobs the entries of a project may be read from.

A mirror may lack a blob that its entries name. It is read from the mirror only if its origin gave it, although another
project here may have the same bytes: who names the digest of private bytes must not get them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.errors import NotFound

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["has_blob", "read_blob", "require_blob"]


def has_blob(store: Store, project: str, sha256: str) -> bool:
    """Return whether the blob that an entry of a project names is here."""
    return store.blobs.exists(sha256) and store.parts.mirroring.absence(project, sha256) is None


def require_blob(store: Store, project: str, sha256: str) -> None:
    """Refuse a blob that a mirror lacks, with the reason.

    Raises:
        NotFound: the mirror lacks it.
    """
    reason = store.parts.mirroring.absence(project, sha256)
    if reason is not None:
        raise NotFound(f"project {project} is a mirror, to which the blob {sha256} was not copied: {reason}")


def read_blob(store: Store, project: str, sha256: str) -> bytes:
    """Return the bytes of a blob that an entry of a project names, verified against the digest.

    Raises:
        NotFound: the blob is not here.
        Damaged: its bytes have changed.
    """
    require_blob(store, project, sha256)
    return store.blobs.get(sha256)
