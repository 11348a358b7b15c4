"""The files of tables of statements, one for each large document that was read or submitted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["forget", "make_room", "table"]

_MOST = 1 << 30
"""Bytes of all tables, beyond which those that were not used for the longest time are deleted."""


def table(store: Store, sha256: str, format: str, base: str) -> Path:  # noqa: A002
    """Return the file of a table: named after all that the statements depend on; the digest of the bytes is first."""
    key = hashlib.sha256(f"{format} {base}".encode()).hexdigest()[:12]
    return _folder(store) / f"{sha256}-{key}.sqlite"


def make_room(store: Store) -> None:
    """Make the folder if it does not exist, and delete the tables that exceed its size."""
    folder = _folder(store)
    folder.mkdir(mode=0o700, exist_ok=True)
    known = sorted(((file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("*")), reverse=True)
    size = 0
    for _, bytes_, file in known:
        size += bytes_
        if size > _MOST:
            file.unlink(missing_ok=True)


def forget(store: Store, sha256: str) -> None:
    """Delete the tables of some bytes, which were erased."""
    for file in _folder(store).glob(f"{sha256}*"):
        file.unlink(missing_ok=True)


def _folder(store: Store) -> Path:
    return store.derived / "statements"
