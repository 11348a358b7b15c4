"""The text of an inclusion proof with its checkpoint, as it is specified by C2SP (tlog-proof)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from provrepo.errors import ReadError
from provrepo.verify import merkle
from provrepo.verify.notes import Checkpoint, Note, decoded_base64, parse_checkpoint, parse_note

__all__ = ["InclusionProof", "parse_proof"]

_FIRST = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})", re.ASCII)
_MOST = 63
"""The most hashes of a proof: a tree has fewer than 2^63 leaves."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The proof that a leaf is in the tree of a checkpoint.

    Attributes:
        index: the number of the leaf, from 0.
        hashes: from the leaf to the root.
        note: the signed checkpoint, from which alone size and root of the tree are taken.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note states.

        Raises:
            ReadError: it is not a checkpoint.
        """
        return parse_checkpoint(self.note)

    def proves(self, leaf: bytes) -> bool:
        """Return whether a leaf is in the tree of the checkpoint, whose signature is not verified here.

        Args:
            leaf: the hash of the leaf.

        Raises:
            ReadError: the note is not a checkpoint.
        """
        stated = self.checkpoint
        return merkle.is_included(leaf, self.index, stated.size, self.hashes, stated.root)

    def __str__(self) -> str:
        lines = [_FIRST, f"index {self.index}", *(base64.b64encode(each).decode("ascii") for each in self.hashes)]
        return "\n".join(lines) + f"\n\n{self.note}"


def parse_proof(text: str) -> InclusionProof:
    """Parse a proof.

    A line ``extra`` is skipped, as nothing authenticates it.

    Raises:
        ReadError: it is malformed.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != _FIRST:
        raise ReadError(f"not a proof: its first line is not {_FIRST}, or nothing follows an empty line")
    if lines and lines[0].startswith("extra ") and decoded_base64(lines.pop(0).removeprefix("extra ")) is None:
        raise ReadError("the line extra of the proof is not in base64")
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise ReadError("the proof has no line with the index of the leaf")
    hashes = [decoded_base64(line) for line in lines]
    if len(hashes) > _MOST or any(each is None or len(each) != merkle.SIZE for each in hashes):
        raise ReadError(f"the proof has more than {_MOST} hashes, or a line that is none")
    return InclusionProof(int(index[1]), tuple(each for each in hashes if each is not None), parse_note(note))
