"""Texts that are not for every reader: an entry has a salted digest, and the text is kept beside the entries.

Readers of a project get its entries as they are, and check the chain with the digests alone. The digest of a text that
somebody guesses cannot be compared with it without the salt, 256 random bits, which are deleted together with the text.
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
    """What an entry has of a text: SHA-256 of the salt and the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(salt + text.encode("utf-8")).hexdigest()


def conceal(connection: sqlite3.Connection, text: str) -> str:
    """Keep a text, inside the transaction that appends the entry with its digest.

    Returns:
        The digest.
    """
    salt = secrets.token_bytes(_SALT)
    found = digest(salt, text)
    connection.execute("INSERT INTO confidential (digest, salt, text) VALUES (?, ?, ?)", (found, salt, text))
    return found


def reveal(connection: sqlite3.Connection, found: str) -> str:
    """The text of a digest; empty where it is not kept any more, or is not the one that was."""
    row = connection.execute("SELECT salt, text FROM confidential WHERE digest = ?", (found,)).fetchone()
    return row[1] if row is not None and _matches(found, *row) else ""


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """The texts that are no longer what the entry was made with, one sentence each."""
    for found, salt, text in connection.execute("SELECT digest, salt, text FROM confidential ORDER BY digest"):
        if not _matches(found, salt, text):
            yield f"the internal reason with the digest {found} is not the one that was given"


def _matches(found: str, salt: object, text: object) -> bool:
    return isinstance(salt, bytes) and isinstance(text, str) and digest(salt, text) == found
