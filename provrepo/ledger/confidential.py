"""Confidential texts: the entry contains a salted digest, and the text is stored in a table beside the entries.

Every reader of a project gets its entries, and can check the chain with the digests alone. A guessed text cannot be
compared with a digest without the salt (256 random bits), which is deleted together with the text.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator

__all__ = ["conceal", "digest", "problems", "reveal"]

_SALT = 32
"""Bytes of a salt."""


def digest(salt: bytes, text: str) -> str:
    """Return the digest of a text for an entry: SHA-256 of the salt and the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(salt + text.encode("utf-8")).hexdigest()


def conceal(connection: sqlite3.Connection, text: str) -> str:
    """Store a text, inside the transaction that appends the entry with its digest.

    Returns:
        The digest.
    """
    salt = secrets.token_bytes(_SALT)
    found = digest(salt, text)
    connection.execute("INSERT INTO confidential (digest, salt, text) VALUES (?, ?, ?)", (found, salt, text))
    return found


def reveal(connection: sqlite3.Connection, found: str) -> str:
    """Return the text of a digest; empty where it was deleted or has changed."""
    row = connection.execute("SELECT salt, text FROM confidential WHERE digest = ?", (found,)).fetchone()
    return row[1] if row is not None and _matches(found, *row) else ""


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield one sentence for each stored text that does not have its digest any more."""
    for found, salt, text in connection.execute("SELECT digest, salt, text FROM confidential ORDER BY digest"):
        if not _matches(found, salt, text):
            yield f"the internal reason with the digest {found} is not the one that was given"


def _matches(found: str, salt: object, text: object) -> bool:
    return isinstance(salt, bytes) and isinstance(text, str) and digest(salt, text) == found
