"""Tiles of a Merkle tree, as others serve them (C2SP, tlog-tiles)."""

from __future__ import annotations

from collections.abc import Callable

from provrepo.errors import RemoteError
from provrepo.verify.merkle import SIZE, perfect_root

__all__ = ["TileReader", "tile_path"]

_WIDTH = 256
_BITS = 8


class TileReader:
    """The subtrees of a tree of a known size, from tiles that are requested when they are needed.

    Nothing that it returns is verified: a proof that is made of it is.
    """

    def __init__(self, fetch: Callable[[str], bytes], size: int) -> None:
        """Take a tree.

        Args:
            fetch: called with the path of a tile, returns its bytes.
            size: the number of leaves of the tree.
        """
        self._fetch = fetch
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, index: int) -> bytes:
        """Return the root of the leaves from index·2^level up to (index + 1)·2^level.

        Raises:
            RemoteError: a tile does not have the length that the size requires.
        """
        tile_level, inside = divmod(level, _BITS)
        first, count = index << inside, 1 << inside
        data = self._tile(tile_level, first // _WIDTH)
        offset = first % _WIDTH
        return perfect_root([data[place * SIZE : (place + 1) * SIZE] for place in range(offset, offset + count)])

    def _tile(self, level: int, number: int) -> bytes:
        found = self._tiles.get((level, number))
        if found is None:
            width = min(_WIDTH, (self._size >> _BITS * level) - number * _WIDTH)
            path = tile_path(level, number, width)
            found = self._fetch(path)
            if len(found) != width * SIZE:
                raise RemoteError(f"the tile {path} has {len(found):,} bytes, and not {width * SIZE:,}")
            self._tiles[level, number] = found
        return found


def tile_path(level: int, number: int, width: int) -> str:
    """Return the path of a tile below ``tile/``: its number in groups of three digits, all but the last with an x.

    Args:
        level: the level of the tile.
        number: its number in the level.
        width: the number of its hashes, from 1 to 256.
    """
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"{level}/{'/'.join(groups)}" + ("" if width == _WIDTH else f".p/{width}")
