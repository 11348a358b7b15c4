"""Reading a blob in a worker process."""

from __future__ import annotations

import hashlib
from pathlib import Path

from provrepo.errors import Damaged

__all__ = ["read_blob"]


def read_blob(path: Path, digest: str = "") -> bytes:
    """The bytes of a blob: what is made of others would be a changed answer that nothing shows.

    Args:
        path: the file.
        digest: its SHA-256 in hexadecimal; by default the file's name.

    Raises:
        Damaged: the bytes have changed.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != (digest or path.name):
        raise Damaged(f"the blob {digest or path.name} has changed on disk: restore {path} from a backup")
    return data
