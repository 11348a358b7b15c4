"""The keys that sign checkpoints: private keys in a file, and which of them are in force in the ledger.

The file has one or two private keys in PEM (PKCS #8), the newest last. An entry ``key`` in the repository's own stream
says when a key was created, replaced or revoked. A key signs if it is in the file and an entry created it, and none
revoked it. So after a rotation both keys sign each checkpoint, until the former is revoked.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.errors import Conflict, NotAvailable
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.storage import durable
from provrepo.ledger.streams import Stream

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["FILE", "LogKey", "LogKeys", "key_file"]

FILE = "log-key.pem"
"""The name of the file in the data directory, unless a setting names another."""

_PURPOSE = "log"
_LARGEST = 64 << 10


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key that signs checkpoints, as the entries describe it.

    Attributes:
        id: its identifier, the first 16 digits of the SHA-256 of its public key.
        public: the 32 bytes of the public key.
        state: ``created``, ``rotated`` or ``revoked``.
        time: the time of the last entry about it, xsd:dateTime in UTC.
    """

    id: str
    public: bytes
    state: str
    time: str

    @property
    def signs(self) -> bool:
        """Whether checkpoints are signed with it."""
        return self.state != "revoked"


def key_file(data: Path, setting: str) -> Path:
    """Return the file of the private keys.

    Args:
        data: the data directory.
        setting: the value of the setting ``log_key``; empty for a file in the data directory.
    """
    return Path(setting).absolute() if setting else data / FILE


class LogKeys:
    """The keys of one data directory. Any number of threads may use them.

    Attributes:
        file: the file of the private keys.
    """

    def __init__(self, ledger: Ledger, file: Path) -> None:
        """Take a ledger and a file, which is read when something is signed."""
        self.file = file
        self._ledger = ledger
        self._guard = threading.Lock()
        self._signing: tuple[tuple[int, int, int], int, list[Ed25519PrivateKey]] | None = None

    def known(self) -> list[LogKey]:
        """Return all keys, those in force last."""
        with self._ledger.stream(REPOSITORY) as stream:
            return _known(stream)

    def ensure(self) -> None:
        """Create the first key of a repository, if it has none: the file, and then the entry.

        Raises:
            NotAvailable: the file cannot be written, or contains no key.
        """
        if self.known():
            return
        private = self._read() or [self._create()]
        with self._ledger.appending(REPOSITORY) as appending:
            if not _known(appending):
                self._record(appending, _public(private[-1]), "created", actor="")

    def adopt(self) -> None:
        """Put the key in the file in force, or a new one, after a restore that has no other: the former is revoked.

        Nothing changes if the file has the key that is in force.

        Raises:
            NotAvailable: the file cannot be written, or contains no key.
        """
        private = self._read() or [self._create()]
        with self._ledger.appending(REPOSITORY) as appending:
            known = [key for key in _known(appending) if key.signs]
            if any(key.public == _public(own) for key in known for own in private):
                return
            for key in known:
                self._record(appending, key.public, "revoked", actor="", successor=_id(_public(private[-1])))
            self._record(appending, _public(private[-1]), "created", actor="")

    def signing(self) -> list[Ed25519PrivateKey]:
        """Return the private keys that sign now, the one in force first.

        Raises:
            NotAvailable: the file is missing, or does not have the key that is in force.
        """
        with self._guard:
            stamp, length = self._stamp(), self._ledger.length(REPOSITORY)
            if self._signing is not None and self._signing[:2] == (stamp, length):
                return self._signing[2]
            signs = [key for key in self.known() if key.signs]
            private = {_public(key): key for key in self._read()}
            found = [private[key.public] for key in reversed(signs) if key.public in private]
            if not signs or not found or _public(found[0]) != signs[-1].public:
                wanted = signs[-1].id if signs else "of this repository"
                raise NotAvailable(
                    f"checkpoints cannot be signed: {self.file} does not have the key {wanted}. Put the file back, or "
                    "replace a key that is lost with provrepo log rotate --lost"
                )
            self._signing = (stamp, length, found)
            return found

    def rotate(self, *, actor: str, lost: bool = False) -> LogKey:
        """Replace the key in force with a new one. Both sign each checkpoint from now on, until ``retire``.

        Args:
            actor: opaque identifier of the actor.
            lost: the private key in force is lost, or others have it: it is revoked, and does not sign any more.

        Raises:
            Conflict: two keys sign already.
            NotAvailable: the key in force is not in the file, or the file cannot be written.
        """
        former = [] if lost else self.signing()
        if len(former) > 1:
            raise Conflict("two keys sign already; provrepo log retire ends the former")
        new = _generated()
        # The file first: a key without an entry does not sign.
        self._write([*former, new])
        successor = _id(_public(new))
        with self._ledger.appending(REPOSITORY) as appending:
            for key in _known(appending):
                if key.signs:
                    self._record(
                        appending, key.public, "revoked" if lost else "rotated", actor=actor, successor=successor
                    )
            self._record(appending, _public(new), "created", actor=actor)
        return self.known()[-1]

    def retire(self, *, actor: str) -> LogKey:
        """Revoke the key that was replaced, which does not sign any more, and delete it from the file.

        Raises:
            Conflict: no key was replaced.
            NotAvailable: the key in force is not in the file, or the file cannot be written.
        """
        signing = self.signing()
        with self._ledger.appending(REPOSITORY) as appending:
            signs = [key for key in _known(appending) if key.signs]
            if len(signs) < 2:
                raise Conflict("no key was replaced: provrepo log rotate does that")
            for key in signs[:-1]:
                self._record(appending, key.public, "revoked", actor=actor, successor=signs[-1].id)
        self._write(signing[:1])
        return self.known()[-1]

    def _record(self, appending: Appending, public: bytes, state: str, *, actor: str, successor: str = "") -> None:
        body: dict[str, Any] = {
            "key": _id(public),
            "algorithm": "ed25519",
            "public": base64.b64encode(public).decode("ascii"),
            "purpose": _PURPOSE,
            "member": "",
            "state": state,
            "successor": successor,
        }
        appending.append("key", body, actor=actor)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self.file.stat()
        except OSError:
            return 0, 0, 0
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self) -> list[Ed25519PrivateKey]:
        """Return the keys of the file, the newest last; none if there is no file."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            with self.file.open("rb") as opened:
                data = opened.read(_LARGEST)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotAvailable(f"cannot read the key that signs checkpoints, {self.file}: {error.strerror}") from error
        end = b"-----END PRIVATE KEY-----\n"
        found = []
        for part in data.split(end)[:-1]:
            try:
                key = load_pem_private_key(part + end, password=None)
            except (ValueError, TypeError) as error:
                raise NotAvailable(f"{self.file} is damaged: {error}") from error
            if not isinstance(key, Ed25519PrivateKey):
                raise NotAvailable(f"{self.file} has a key that is not an Ed25519 key")
            found.append(key)
        if not found:
            raise NotAvailable(f"{self.file} contains no private key in PEM")
        return found

    def _create(self) -> Ed25519PrivateKey:
        """Create the file with a new key, unless another process does so at the same time."""
        new = _generated()
        self._write([new], replace=False)
        return self._read()[-1]

    def _write(self, keys: list[Ed25519PrivateKey], *, replace: bool = True) -> None:
        """Write the file durably, readable for its owner only."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        data = b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in keys)
        written = self.file.with_name(f".{self.file.name}.{os.getpid()}-{threading.get_ident()}")
        with durable.translated(f"write the key that signs checkpoints, {self.file}"):
            durable.make_directory(self.file.parent, mode=durable.PRIVATE)
            written.unlink(missing_ok=True)
            durable.make_file(written)
            try:
                with written.open("wb") as opened:
                    opened.write(data)
                    opened.flush()
                    durable.sync(opened.fileno())
                if replace:
                    written.replace(self.file)
                else:
                    try:
                        os.link(written, self.file)  # unlike a rename, it does not replace the key of another process
                    except FileExistsError:
                        return
                durable.sync_directory(self.file.parent)
            finally:
                written.unlink(missing_ok=True)


def _known(stream: Stream) -> list[LogKey]:
    found: dict[str, LogKey] = {}
    for entry in stream.key_entries():
        if entry.body["purpose"] == _PURPOSE:
            public = base64.b64decode(entry.body["public"])
            found.pop(entry.body["key"], None)
            found[entry.body["key"]] = LogKey(entry.body["key"], public, entry.body["state"], entry.time)
    return sorted(found.values(), key=lambda key: ("revoked", "rotated", "created").index(key.state))


def _id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _generated() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()
