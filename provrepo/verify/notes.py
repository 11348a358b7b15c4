"""Signed notes and checkpoints, as they are specified by C2SP (signed-note, tlog-checkpoint).

A note is a text with lines of signatures below. A checkpoint is a note whose text has three lines: the origin, which
names a log; the number of leaves of its Merkle tree; and the root of the tree.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provrepo.errors import ReadError
from provrepo.verify import merkle

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "ED25519",
    "Checkpoint",
    "Note",
    "NoteSignature",
    "VerifierKey",
    "decoded_base64",
    "parse_checkpoint",
    "parse_keys",
    "parse_note",
    "sign",
    "signers",
]

ED25519 = 1
"""The number of the algorithm of logs (signed-note, section "Signature types")."""

_LARGEST = 1 << 20
"""The most characters of a note."""

_SIGNATURE = "\N{EM DASH} "
_NAME = re.compile(r"[^\s+]{1,400}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs notes.

    Attributes:
        name: the name, without spaces and ``+``.
        public: the 32 bytes of an Ed25519 public key.
    """

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes by which the lines of its signatures name it: a hint, which proves nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as text: ``NAME+ID+BASE64``."""
        encoded = base64.b64encode(bytes([ED25519]) + self.public).decode("ascii")
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def named(self, name: str) -> VerifierKey:
        """Return the same public key under another name, and so with another identifier."""
        return VerifierKey(name, self.public)

    def covers(self, name: str) -> bool:
        """Return whether it may sign under a name: its own, or one that continues it after a slash."""
        return name == self.name or name.startswith(f"{self.name}/")

    def verifies(self, text: str, signature: bytes) -> bool:
        """Return whether a signature is one of this key over a text."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    @classmethod
    def from_text(cls, text: str) -> VerifierKey:
        """Parse a key.

        Raises:
            ReadError: it is not one, or of another algorithm.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
            raise ReadError(f"not a key of the form NAME+ID+BASE64: {text[:120]!r}")
        data = decoded_base64(parts[2])
        if data is None or len(data) != 33 or data[0] != ED25519:
            raise ReadError(f"the key of {parts[0]} is not an Ed25519 key")
        key = cls(parts[0], data[1:])
        if parts[1] != key.id.hex():
            raise ReadError(
                f"the identifier of the key of {parts[0]} is not {key.id.hex()}: it was changed, or copied in part"
            )
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A line of a note: who signed, and the signature.

    Attributes:
        name: the name of the key.
        id: its identifier.
        signature: the bytes of the signature.
    """

    name: str
    id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line, with its end."""
        return f"{_SIGNATURE}{self.name} {base64.b64encode(self.id + self.signature).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note.

    Attributes:
        text: what is signed, with the end of its last line.
        signatures: its signatures, of which some may be by unknown keys.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states about its tree.

    Attributes:
        origin: the name of the log.
        size: the number of leaves.
        root: the root of the tree.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text of the note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


def decoded_base64(text: str) -> bytes | None:
    """Return the bytes of a text in standard base64; None unless they have this text and no other.

    Decoders ignore spare bits, so that several texts would stand for the same bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


def sign(text: str, name: str, keys: Sequence[Ed25519PrivateKey]) -> Note:
    """Return a text signed with some keys, all under one name.

    Args:
        text: the text, which ends with the end of a line.
        name: the name.
        keys: the private keys.
    """
    signatures = []
    for key in keys:
        public = VerifierKey(name, key.public_key().public_bytes_raw())
        signatures.append(NoteSignature(name, public.id, key.sign(text.encode())))
    return Note(text, tuple(signatures))


def parse_note(data: str) -> Note:
    """Parse a signed note. Its signatures are not verified: see ``signers``.

    Raises:
        ReadError: it is not one, or not in the one form that its content has.
    """
    if len(data) > _LARGEST:
        raise ReadError(f"a signed note has at most {_LARGEST:,} characters")
    if any(character < " " and character != "\n" for character in data):
        raise ReadError("a signed note contains no control characters but the ends of its lines")
    body, blank, below = data.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise ReadError("not a signed note: it has no lines of signatures after an empty line")
    signatures = []
    for line in below.removesuffix("\n").split("\n"):
        name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
        found = decoded_base64(encoded)
        if not line.startswith(_SIGNATURE) or not _NAME.fullmatch(name) or found is None or len(found) < 5:
            raise ReadError(f"not a line of a signature: {line[:120]!r}")
        signatures.append(NoteSignature(name, found[:4], found[4:]))
    return Note(f"{body}\n", tuple(signatures))


def parse_checkpoint(note: Note) -> Checkpoint:
    """Parse the text of a note as a checkpoint.

    Raises:
        ReadError: it is not one.
    """
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise ReadError("a checkpoint has three lines: the origin, the size and the root of the tree")
    origin, size, encoded, _ = lines
    root = decoded_base64(encoded)
    if not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size) or root is None or len(root) != merkle.SIZE:
        raise ReadError("the origin, size or root of a checkpoint is malformed")
    return Checkpoint(origin, int(size), root)


def parse_keys(text: str) -> list[VerifierKey]:
    """Parse keys, one a line; empty lines and lines after ``#`` are skipped.

    Raises:
        ReadError: a line is not a key, with its number; or there is none.
    """
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.append(VerifierKey.from_text(line.strip()))
            except ReadError as error:
                raise ReadError(error.message, line=number) from error
    if not keys:
        raise ReadError("there is no key")
    return keys


def signers(note: Note, name: str, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """Return the keys that signed a note under a name.

    Args:
        note: the note.
        name: the name that the signature lines have to have: for checkpoints the origin.
        keys: those that are trusted, if they cover the name.

    Raises:
        ReadError: a line that names one of the keys has a signature that is not by it.
    """
    found = []
    for key in keys:
        if not key.covers(name):
            continue
        own = key.named(name)
        lines = [each for each in note.signatures if (each.name, each.id) == (name, own.id)]
        if any(not own.verifies(note.text, each.signature) for each in lines):
            raise ReadError(f"the signature of {name} is not by the key that it names ({own.id.hex()})")
        if lines and key not in found:
            found.append(key)
    return found
