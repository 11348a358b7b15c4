"""Whether a log that was seen before has only grown: the check of a new checkpoint against an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provrepo.errors import Diverged, ReadError, RemoteError
from provrepo.text import quoted
from provrepo.verify.merkle import consistency_proof, is_consistent, root
from provrepo.verify.notes import Checkpoint, Note, VerifierKey, parse_checkpoint, parse_note, signers
from provrepo.verify.receipts import log_of
from provrepo.verify.tiles import TileReader
from provrepo.words import counted

__all__ = ["Seen", "follow", "read_checkpoint"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that was verified.

    Attributes:
        note: the signed note.
        keys: the keys that signed it, which have to sign later ones.
    """

    note: Note
    keys: tuple[VerifierKey, ...]

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note states."""
        return parse_checkpoint(self.note)


def read_checkpoint(
    former: Seen | None, text: str, announced: Sequence[VerifierKey], trusted: Sequence[VerifierKey] = ()
) -> Seen:
    """Read a checkpoint and verify who signed it.

    Args:
        former: the last one that was verified; None at the first contact.
        text: the signed note.
        announced: the keys that the server names. They count at the first contact if no others are trusted, and later
            if a key that is known signed the same checkpoint, as after a rotation.
        trusted: the keys that the caller trusts from elsewhere.

    Raises:
        RemoteError: it is not a checkpoint, or a signature is invalid.
        Diverged: no key signed it that is trusted, or signed the former one.
    """
    try:
        note = parse_note(text)
        origin = parse_checkpoint(note).origin
        known = tuple(trusted) or (former.keys if former else tuple(announced))
        signed = signers(note, origin, known)
        if not signed:
            wanted = "is trusted" if trusted else "signed before"
            raise _diverged(
                f"the checkpoint of {origin} is not signed by a key that {wanted}: its key was replaced, or it comes "
                "from somebody else",
                "reset",
                former,
                note,
            )
        further = [key for key in signers(note, origin, announced) if key not in signed]
    except ReadError as error:
        raise RemoteError(f"what was sent as a checkpoint is none: {quoted(error.message)}") from error
    return Seen(note, (*signed, *further))


def follow(former: Seen, present: Seen, fetch: Callable[[str], bytes]) -> bool:
    """Check that a log has only grown since a former checkpoint.

    Args:
        former: the checkpoint of before.
        present: the one of now, whose signature was verified.
        fetch: returns a tile of the present tree by its path below ``tile/``.

    Returns:
        Whether the repository was restored from a backup meanwhile, without losing an entry.

    Raises:
        Diverged: it has not only grown: its state says whether it is another log or lost entries in a restore
            (``reset``), has fewer entries (``shortened``), or others (``forked``); its evidence has both signed notes.
        RemoteError: the tiles do not belong to the checkpoint.
    """
    before, now = former.checkpoint, present.checkpoint
    restored = now.origin != before.origin
    if restored and log_of(before.origin) != log_of(now.origin):
        raise _diverged(f"{now.origin} is another log than {before.origin}", "reset", former, present.note)
    after = " after a restore from a backup" if restored else ""
    if now.size < before.size:
        raise _diverged(
            f"{now.origin} has {counted(now.size, 'entry', 'entries')}{after}, and {before.size:,} were signed before",
            "reset" if restored else "shortened",
            former,
            present.note,
        )
    if before.size == 0:
        return restored
    tiles = TileReader(fetch, now.size)
    proof = [] if now.size == before.size else consistency_proof(tiles.subtree, before.size, now.size)
    if not is_consistent(before.size, before.root, now.size, now.root, proof):
        if now.size > before.size and root(tiles.subtree, now.size) != now.root:
            raise RemoteError(f"the tiles of {now.origin} are not those of its checkpoint")
        raise _diverged(
            f"the first {counted(before.size, 'entry', 'entries')} of {now.origin} are others than were signed before"
            f"{after}: "
            + (
                "what came after the backup is lost"
                if restored
                else "its history was rewritten, or there are two of it"
            ),
            "reset" if restored else "forked",
            former,
            present.note,
        )
    return restored


def _diverged(message: str, state: str, former: Seen | None, present: Note) -> Diverged:
    evidence = (str(former.note), str(present)) if former else ()
    return Diverged(message, state=state, evidence=evidence)
