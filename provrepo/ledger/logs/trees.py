"""The Merkle trees over the entries of the streams: one tree for each stream.

Leaf i of the tree of a stream is the SHA-256 of its entry i + 1, 32 bytes. The tree is kept as tiles of 256 hashes, as
C2SP specifies them (tlog-tiles): tile n of level 0 has the hashes of the leaves from 256·n, and item i of tile n of a
level above the root of tile 256·n + i of the level below, which is complete. So the last tile of each level may have
fewer hashes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

from provrepo.errors import Damaged, NotFound
from provrepo.verify import merkle
from provrepo.verify.merkle import SIZE, leaf_hash, perfect_root

__all__ = ["WIDTH", "Tree", "append", "problems", "rebuild", "tiles_of"]

WIDTH = 256
"""Hashes of a complete tile."""

_FULL = WIDTH * SIZE
_BITS = 8
"""Levels of the tree in a tile."""

_PAGE = 64 * WIDTH
"""Entries that are read in one statement."""


class Tree:
    """The tree of one stream, as one connection sees it.

    Tiles that were read, and roots, stay in memory, so use an object for the questions about one size only.
    """

    def __init__(self, connection: sqlite3.Connection, project: str) -> None:
        self.project = project
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._roots: dict[tuple[int, int], bytes] = {}

    def size(self) -> int:
        """Return the number of leaves; 0 for a stream without entries."""
        row = self._connection.execute(
            "SELECT number, length(hashes) FROM tiles WHERE project = ? AND level = 0 ORDER BY number DESC LIMIT 1",
            (self.project,),
        ).fetchone()
        return 0 if row is None else int(row[0]) * WIDTH + int(row[1]) // SIZE

    def root(self, size: int) -> bytes:
        """Return the root of the first leaves.

        Raises:
            NotFound: the tree has fewer leaves.
        """
        return merkle.root(self.subtree, size)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the hashes that prove a leaf to be in the tree of the first leaves.

        Args:
            index: the number of the leaf, from 0, below ``size``.
            size: the number of leaves.

        Raises:
            NotFound: the tree has fewer leaves.
        """
        return merkle.inclusion_proof(self.subtree, index, size)

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """Return the hashes that prove the tree of the first leaves to be the beginning of a larger one.

        Args:
            first: the number of leaves of the smaller tree, from 1.
            second: the number of leaves of the larger tree.

        Raises:
            NotFound: the tree has fewer leaves.
        """
        return merkle.consistency_proof(self.subtree, first, second)

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return the first hashes of a tile.

        Raises:
            NotFound: the tile has fewer hashes, or does not exist.
        """
        data = self._read(level, number)
        if not 0 < width * SIZE <= len(data):
            raise NotFound(f"tile {level}/{number} has {len(data) // SIZE} hashes, and not {width}")
        return data[: width * SIZE]

    def subtree(self, level: int, index: int) -> bytes:
        """Return the root of the leaves from index·2^level up to (index + 1)·2^level.

        Raises:
            NotFound: the tree has fewer leaves.
        """
        known = self._roots.get((level, index))
        if known is not None:
            return known
        tile_level, inside = divmod(level, _BITS)
        first, count = index << inside, 1 << inside
        offset = first % WIDTH * SIZE
        data = self._read(tile_level, first // WIDTH)[offset : offset + count * SIZE]
        if len(data) < count * SIZE:
            raise NotFound(f"the tree has fewer than {(index + 1) << level:,} leaves")
        found = self._roots[level, index] = perfect_root(_hashes(data))
        return found

    def _read(self, level: int, number: int) -> bytes:
        found = self._tiles.get((level, number))
        if found is None:
            row = self._connection.execute(
                "SELECT hashes FROM tiles WHERE project = ? AND level = ? AND number = ?",
                (self.project, level, number),
            ).fetchone()
            found = self._tiles[level, number] = b"" if row is None else bytes(row[0])
        return found


def append(connection: sqlite3.Connection, project: str, sequence: int, digest: str) -> None:
    """Add the leaf of an entry to the tree of its stream, inside the transaction that appends the entry.

    Args:
        connection: that of the transaction.
        project: the stream.
        sequence: the number of the entry, from 1.
        digest: the SHA-256 of the entry, in hexadecimal.

    Raises:
        Damaged: the tree does not have exactly the leaves of the entries before.
    """
    place, item, level = sequence - 1, leaf_hash(bytes.fromhex(digest)), 0
    while True:
        number, offset = divmod(place, WIDTH)
        row = connection.execute(
            "SELECT hashes FROM tiles WHERE project = ? AND level = ? AND number = ?", (project, level, number)
        ).fetchone()
        data = b"" if row is None else bytes(row[0])
        if len(data) != offset * SIZE:
            raise Damaged(
                f"the tree of {project or 'the repository'} does not have {sequence - 1:,} leaves, one for each entry: "
                "provrepo fsck says more"
            )
        data += item
        connection.execute(
            "INSERT INTO tiles (project, level, number, hashes) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (project, level, number) DO UPDATE SET hashes = excluded.hashes",
            (project, level, number, data),
        )
        if len(data) < _FULL:
            return
        place, item, level = number, perfect_root(_hashes(data)), level + 1


def tiles_of(leaves: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, number and hashes of all tiles of a tree.

    Args:
        leaves: the hashes of all leaves, one after the other.
    """
    level = 0
    while leaves:
        roots = []
        for number, start in enumerate(range(0, len(leaves), _FULL)):
            tile = leaves[start : start + _FULL]
            yield level, number, tile
            if len(tile) == _FULL:
                roots.append(perfect_root(_hashes(tile)))
        leaves, level = b"".join(roots), level + 1


def rebuild(connection: sqlite3.Connection, project: str) -> None:
    """Make the tree of a stream anew from the digests of its entries, inside a transaction."""
    connection.execute("DELETE FROM tiles WHERE project = ?", (project,))
    connection.executemany(
        "INSERT INTO tiles (project, level, number, hashes) VALUES (?, ?, ?, ?)",
        ((project, *tile) for tile in tiles_of(_leaves(connection, project))),
    )


def problems(connection: sqlite3.Connection, project: str) -> Iterator[str]:
    """Yield a sentence if the tree of a stream is not that of its entries."""
    wanted = {(level, number): hashes for level, number, hashes in tiles_of(_leaves(connection, project))}
    rows = connection.execute("SELECT level, number, hashes FROM tiles WHERE project = ?", (project,)).fetchall()
    found = {(level, number): hashes for level, number, hashes in rows}
    differing = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    if differing:
        level, number = differing[0]
        yield f"its Merkle tree is not that of its entries, first in tile {number} of level {level}"


def _leaves(connection: sqlite3.Connection, project: str) -> bytes:
    """Return the hashes of the leaves of a stream, one after the other."""
    found = bytearray()
    after = 0
    while True:
        rows = connection.execute(
            "SELECT sequence, sha256 FROM entries WHERE project = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (project, after, _PAGE),
        ).fetchall()
        if not rows:
            return bytes(found)
        for sequence, digest in rows:
            found += leaf_hash(_bytes(digest))
            after = sequence


def _bytes(digest: object) -> bytes:
    try:
        return bytes.fromhex(str(digest))
    except ValueError:  # a damaged row, which ``Ledger.verify`` reports: the directory can be opened all the same
        return sha256(str(digest).encode()).digest()


def _hashes(data: bytes) -> list[bytes]:
    return [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
