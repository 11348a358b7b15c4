"""The log of a stream as others see it: signed checkpoints of its tree, tiles, and receipts of entries.

The log of a mirror is that of its origin: its tree is the same, and its checkpoint is the last one that the origin
signed and that was found to be consistent with the entries here.
"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provrepo.errors import NotAvailable, NotFound
from provrepo.ledger.entries import Entry, named, now
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs.keys import LogKeys
from provrepo.ledger.logs.trees import WIDTH, Tree
from provrepo.verify.monitoring import Seen
from provrepo.verify.notes import Checkpoint, Note, VerifierKey, parse_keys, parse_note, sign
from provrepo.verify.proofs import InclusionProof
from provrepo.verify.receipts import ORIGIN, composed, origin_of
from provrepo.words import counted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["Log"]

_ELEMENTS = r"(?:x[0-9]{3}/)*[0-9]{3}"
_TILE = re.compile(rf"(entries|[0-9]|[1-5][0-9]|6[0-3])/({_ELEMENTS})(?:\.p/([1-9][0-9]{{0,2}}))?", re.ASCII)
_LENGTH = (32).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class _Signed:
    """The last checkpoint of a stream that was signed, and the private keys that signed it."""

    size: int
    note: Note
    key: VerifierKey
    private: list[Ed25519PrivateKey]


class Log:
    """The logs of all streams of a data directory. Any number of threads may use it.

    Attributes:
        keys: the keys that sign checkpoints.
    """

    def __init__(self, ledger: Ledger, keys: LogKeys) -> None:
        """Take a ledger and its keys."""
        self.keys = keys
        self._ledger = ledger
        self._prefix: tuple[str, str] | None = None
        self._guard = threading.Lock()
        self._signed: dict[str, _Signed] = {}

    def origin(self, project: str) -> str:
        """Return the origin of a log of this repository, the first line of its checkpoints."""
        if self._prefix is None:
            self._prefix = self._ledger.identity().id, self._ledger.setup()
        return origin_of(*self._prefix, project)

    def verifiers(self, project: str) -> list[VerifierKey]:
        """Return the keys that sign the checkpoints of a log, the one in force first.

        For a log of this repository their name is that of the whole repository, which covers all its logs.
        """
        stored = self._stored(project)
        if stored is not None:
            return parse_keys(stored[1])
        identity = self._ledger.identity().id
        return [VerifierKey(f"{ORIGIN}/{identity}", key.public) for key in reversed(self.keys.known()) if key.signs]

    def checkpoint(self, project: str) -> Note:
        """Return the signed checkpoint of all entries of a stream; of a mirror the last one of its origin.

        Raises:
            NotFound: the stream has no entries, or the origin of a mirror has sent no checkpoint.
            NotAvailable: the key that signs is missing.
        """
        return self._latest(project)[1]

    def receipt(self, project: str, entry: Entry) -> dict[str, Any]:
        """Return the receipt of an entry: see ``provrepo.verify.receipts``.

        Args:
            project: the stream.
            entry: one of its entries.

        Raises:
            NotFound: the origin of a mirror has sent no checkpoint that covers the entry.
            NotAvailable: the key that signs is missing.
        """
        with self._ledger.database.reading() as connection:
            tree = Tree(connection, project)
            size, note, key = self._latest(project, entry.sequence, tree)
            hashes = tree.inclusion_proof(entry.sequence - 1, size)
        return composed(entry.data, InclusionProof(entry.sequence - 1, tuple(hashes), note), key)

    def receipt_or_none(self, project: str, entry: Entry) -> dict[str, Any] | None:
        """Return the receipt of an entry; None if checkpoints cannot be signed, which does not undo the entry."""
        with suppress(NotFound, NotAvailable):
            return self.receipt(project, entry)
        return None

    def consistency_proof(self, project: str, first: int, second: int) -> list[bytes]:
        """Return the hashes that prove the first entries to be the beginning of more of them; see ``trees.Tree``."""
        with self._ledger.database.reading() as connection:
            return Tree(connection, project).consistency_proof(first, second)

    def root(self, project: str, size: int) -> bytes:
        """Return the root of the tree of the first entries of a stream.

        Raises:
            NotFound: the stream has fewer entries.
        """
        with self._ledger.database.reading() as connection:
            return Tree(connection, project).root(size)

    def tile(self, project: str, path: str) -> bytes:
        """Return a tile or a bundle of entries by its path (C2SP, tlog-tiles).

        Args:
            project: the stream.
            path: such as ``0/x001/234``, ``1/000.p/3`` or ``entries/000.p/12``. The entries of the log are the SHA-256
                of the entries of the ledger.

        Raises:
            NotFound: it is malformed, or the tree is too small.
        """
        found = _TILE.fullmatch(path)
        width = int(found[3] or WIDTH) if found else 0
        if found is None or width > WIDTH or (found[3] and width == WIDTH) or found[2].startswith("x000/"):
            raise NotFound(f"{path[:80]!r} is not the path of a tile")
        number = int("".join(element.removeprefix("x") for element in found[2].split("/")))
        with self._ledger.database.reading() as connection:
            if found[1] != "entries":
                return Tree(connection, project).tile(int(found[1]), number, width)
            rows = connection.execute(
                "SELECT sha256 FROM entries WHERE project = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                (project, number * WIDTH, width),
            ).fetchall()
        if len(rows) < width:
            raise NotFound(f"the log has fewer than {counted(number * WIDTH + width, 'entry', 'entries')}")
        return b"".join(_LENGTH + bytes.fromhex(digest) for (digest,) in rows)

    def keep(self, project: str, seen: Seen) -> None:
        """Keep a checkpoint of the origin of a mirror, which was verified, as the last one."""
        with self._ledger.database.writing() as connection:
            connection.execute(
                "INSERT INTO checkpoints (project, note, keys, taken) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (project) "
                "DO UPDATE SET note = excluded.note, keys = excluded.keys, taken = excluded.taken",
                (project, str(seen.note), "".join(f"{key.text}\n" for key in seen.keys), now()),
            )

    def kept(self, project: str) -> Seen | None:
        """Return the last checkpoint of the origin of a mirror; None if there is none."""
        stored = self._stored(project)
        return None if stored is None else Seen(parse_note(stored[0]), tuple(parse_keys(stored[1])))

    def _stored(self, project: str) -> tuple[str, str] | None:
        with self._ledger.database.reading() as connection:
            row = connection.execute("SELECT note, keys FROM checkpoints WHERE project = ?", (project,)).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def _latest(self, project: str, least: int = 1, tree: Tree | None = None) -> tuple[int, Note, VerifierKey]:
        """Return size, note and signer of a checkpoint that covers some entries; the tree is used for its root."""
        with self._ledger.database.reading() as connection:
            mirrored = mirrors.find(connection, project) is not None
        if mirrored:
            return self._of_mirror(project, least)
        length = self._ledger.length(project)
        if not length:
            raise NotFound(f"{named(project)} has no entries")
        private = self.keys.signing()
        with self._guard:
            found = self._signed.get(project)
        if found is not None and found.size == length and found.private is private:
            return found.size, found.note, found.key
        identity = VerifierKey(f"{ORIGIN}/{self._ledger.identity().id}", private[0].public_key().public_bytes_raw())
        whole = self.root(project, length) if tree is None else tree.root(length)
        stated = Checkpoint(self.origin(project), length, whole)
        made = _Signed(length, sign(stated.text, stated.origin, private), identity, private)
        with self._guard:
            self._signed[project] = made
        return made.size, made.note, made.key

    def _of_mirror(self, project: str, least: int) -> tuple[int, Note, VerifierKey]:
        kept = self.kept(project)
        if kept is None or kept.checkpoint.size < least:
            raise NotFound(f"the origin of {project} has sent no signed checkpoint that covers this")
        return kept.checkpoint.size, kept.note, kept.keys[0]
