"""Reading of blobs in worker processes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from provrepo.errors import Damaged

__all__ = ["read_blob"]


def read_blob(path: Path, digest: str = "") -> bytes:
    """The bytes of a blob, after a check of their digest.

    Args:
        path: the file.
        digest: its SHA-256 in hexadecimal; by default the file name.

    Raises:
        Damaged: the bytes have another digest.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != (digest or path.name):
        raise Damaged(f"the blob {digest or path.name} has changed on disk: restore {path} from a backup")
    return data
