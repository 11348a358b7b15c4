"""Verification of SQLite's write-ahead log.

SQLite reads the log up to the first frame with a wrong checksum and ignores the rest, which may be left from an earlier
log. So one damaged frame silently hides the transactions after it. Here the whole file is checked. The format is that
of https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from provrepo.errors import Damaged
from provrepo.ledger.storage.database import Database

__all__ = ["problems"]

_HEADER, _FRAME = 32, 24
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF

_Sum = tuple[int, int]


def problems(database: Database) -> Iterator[str]:
    """Yield one sentence for each problem of the log of a database.

    Raises:
        Damaged: the log cannot be read.
    """
    file = database.file.with_name(f"{database.file.name}-wal")
    # In an empty write transaction, so that no process appends to the log meanwhile.
    with database.reading() if database.read_only else database.writing():
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise Damaged(f"{file}: {error.strerror or error}") from error
        wrong = damaged(data)
    if wrong:
        yield f"{file}: {wrong}"


def damaged(data: bytes) -> str | None:
    """Return the problem of a log as text; None if there is none."""
    if not data:
        return None
    if len(data) < _HEADER:
        return "its header is truncated: transactions may be missing"
    magic, _, size, _, *salts, first, second = struct.unpack(">8I", data[:_HEADER])
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC or _sum(data[:24], (0, 0), order) != (first, second):
        return "its header is damaged: the transactions in it cannot be read"
    if size < 512:
        return "its header contains no valid page size"
    state: _Sum = (first, second)
    broken: int | None = None
    for number, start in enumerate(range(_HEADER, len(data), _FRAME + size), 1):
        frame = data[start : start + _FRAME + size]
        if len(frame) < _FRAME + size:
            break
        own: _Sum = struct.unpack(">2I", frame[16:24])
        same = tuple(salts) == struct.unpack(">2I", frame[8:16])
        sound = same and _sum(frame[_FRAME:], _sum(frame[:8], state, order), order) == own
        if broken is None and not sound:
            broken = number
        if sound and broken is not None:
            return f"frame {broken} is damaged, and the transactions after it cannot be read"
        # Each checksum continues the stored one before it, so that frames after a broken one can be verified.
        state = own
    if broken is not None and _committed(data, broken, size, tuple(salts)):
        return f"frame {broken}, the last of the log, is damaged, or writing it was interrupted before the commit"
    return None


def _committed(data: bytes, number: int, size: int, salts: tuple[int, ...]) -> bool:
    """Return whether a transaction may end in a frame that cannot be verified, or in one that follows.

    A process that is killed while it writes can leave frames without the one that ends their transaction. Nothing of
    them was acknowledged.
    """
    last = (len(data) - _HEADER) // (_FRAME + size)
    while number <= last and _begins_like(data, number, size, salts):
        start = _HEADER + (number - 1) * (_FRAME + size)
        if data[start + 4 : start + 8] != bytes(4):
            return True
        number += 1
    return False


def _begins_like(data: bytes, number: int, size: int, salts: tuple[int, ...]) -> bool:
    """Return whether a frame that cannot be verified belongs to this log, and is not left from an earlier one.

    A frame of an earlier log differs in both salts: one is incremented and the other is random.
    """
    start = _HEADER + (number - 1) * (_FRAME + size)
    found: tuple[int, ...] = struct.unpack(">2I", data[start + 8 : start + 16])
    return any(one == other for one, other in zip(found, salts, strict=True))


def _sum(data: bytes, state: _Sum, order: str) -> _Sum:
    first, second = state
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for one in words:
        first = (first + one + second) & _MASK
        second = (second + next(words) + first) & _MASK
    return first, second
