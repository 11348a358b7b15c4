"""Backups: snapshots of the ledger, and the blobs that its entries refer to, in a separate directory.

::

    TARGET
    ├── lock                  locked by the process that writes
    ├── blobs/ab/cd/abcd…     bytes under their SHA-256, shared by the snapshots
    └── snapshots/00000001
        ├── manifest.json     the content of the snapshot, with digests
        ├── ledger.sqlite
        ├── pingbacks.sqlite  if there are any
        └── exchange.sqlite   if anything was exchanged; it contains the tokens for peers

A snapshot gets its name by one rename, after everything that it needs was synced to disk. So an interrupted backup
adds no snapshot, and the earlier ones are unchanged. ``docs/adr/0019-backup.md`` records the decision.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.errors import Busy, Conflict, Damaged, NotFound, UsageError
from provrepo.ledger.entries import now
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.migrations import SCHEMA
from provrepo.ledger.storage import durable
from provrepo.ledger.storage.blobs import Blobs

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["BESIDE", "LEDGER", "Archive", "Progress", "Snapshot", "back_up", "copy_file", "remove"]

LEDGER, _MANIFEST = "ledger.sqlite", "manifest.json"
PINGBACKS, EXCHANGE = BESIDE = ("pingbacks.sqlite", "exchange.sqlite")
"""The databases beside the ledger, which may not exist."""

_FORMAT = 1
_NUMBERS = ("schema", "entries", "blobs", "size", "copied")
_TEXTS = ("made", "software", "identity", "setup")
_NAME = re.compile(r"\d{8}")
_TRIES = 5
_CHUNK = 1 << 20

Progress = Callable[[str, int], None]
"""Called with the name of a part that was copied or read, and the number of its items."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a repository in a backup.

    Attributes:
        name: eight digits; a later snapshot has a greater number, whatever the clock was.
        made: its time, xsd:dateTime in UTC.
        software: name and version of the program that made it.
        schema: the number of the ledger's schema.
        identity: UUID of the repository.
        setup: the set-up identifier of the copy that was backed up.
        entries: the number of entries.
        blobs: the number of blobs that the entries refer to.
        size: the size of these blobs in bytes.
        files: name → size in bytes and SHA-256, for the databases.
        problems: one sentence for each problem at the time of the backup; empty for a sound snapshot.
        copied: the number of blobs that were not in the backup before.
    """

    name: str
    made: str
    software: str
    schema: int
    identity: str
    setup: str
    entries: int
    blobs: int
    size: int
    files: dict[str, tuple[int, str]]
    problems: tuple[str, ...] = ()
    copied: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


class Archive:
    """A directory with snapshots of one repository."""

    def __init__(self, path: Path) -> None:
        """Take the directory; nothing is read yet."""
        self.path = path
        self._snapshots = path / "snapshots"

    @property
    def exists(self) -> bool:
        """Whether the directory is a backup."""
        return self._snapshots.is_dir()

    def folder(self, name: str) -> Path:
        """Return the directory of a snapshot."""
        return self._snapshots / name

    def blob(self, digest: str) -> Path:
        """Return the path of a blob, whether it exists or not."""
        return self.path / "blobs" / digest[:2] / digest[2:4] / digest

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots, the oldest first. An unreadable one has only its name and the problem.

        Raises:
            NotFound: the directory is not a backup.
        """
        if not self.exists:
            raise NotFound(f"{self.path} is not a backup: provrepo backup makes one")
        found = []
        for name in self._names():
            try:
                found.append(self._read(name))
            except Damaged as error:
                found.append(Snapshot(name, "", "", 0, "", "", 0, 0, 0, {}, (str(error),)))
        return found

    def snapshot(self, name: str | None) -> Snapshot:
        """Return one snapshot, by default the newest.

        Raises:
            NotFound: the directory is not a backup, or has no such snapshot.
            Damaged: the manifest cannot be read.
        """
        if not self.exists:
            raise NotFound(f"{self.path} is not a backup: provrepo backup makes one")
        names = self._names()
        if name is None and names:
            return self._read(names[-1])
        if name is None:
            raise NotFound(f"{self.path} has no snapshot yet: the first backup was not finished")
        if name not in names:
            raise NotFound(f"{self.path} has no snapshot {name!r}; there are: {', '.join(names) or 'none'}")
        return self._read(name)

    def begin(self) -> None:
        """Create the directory of the backup, if it does not exist.

        Raises:
            Conflict: it contains something else.
            Damaged: it cannot be created.
        """
        with durable.translated(f"make the backup {self.path}"):
            durable.make_directory(self.path, mode=durable.PRIVATE)
            if not self.exists:
                known = {"lock", "blobs", "lost+found"}
                foreign = sorted(found.name for found in self.path.iterdir() if found.name not in known)
                if foreign:
                    raise Conflict(f"{self.path} contains {foreign[0]!r} and is not a backup: give an empty directory")

    @contextmanager
    def locked(self, *, shared: bool = False) -> Iterator[None]:
        """Lock the backup against writers, and unless ``shared`` also against readers, until the block ends.

        Args:
            shared: for readers, of which there may be several. The backup may be on a read-only medium.

        Raises:
            Busy: another process has locked it.
            Damaged: the file system has no locks.
        """
        file = self.path / "lock"
        flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
        try:
            descriptor = os.open(file, flags, 0o600)
        except OSError as error:
            if shared:  # no process has locked it for writing, or this user may not read the lock
                yield
                return
            raise Damaged(f"cannot open {file}: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise Busy(f"another process uses the backup {self.path}; try again when it has ended") from error
                raise Damaged(f"cannot lock {file}: {error.strerror}") from error
            yield
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Remove the files of interrupted backups. The caller holds the lock."""
        for folder in (self._snapshots, self.path / "blobs" / "incoming"):
            for left in folder.iterdir() if folder.is_dir() else ():
                if not _NAME.fullmatch(left.name):
                    remove(left)

    def add(self, made: Snapshot, building: Path) -> Snapshot:
        """Give a snapshot its name, after everything that it needs was synced to disk.

        Args:
            made: the snapshot without a name.
            building: the directory with its databases.

        Returns:
            The snapshot with its name.
        """
        names = self._names()
        snapshot = Snapshot(**{**asdict(made), "name": f"{int(names[-1]) + 1 if names else 1:08d}"})
        with durable.translated(f"add a snapshot to {self.path}"):
            manifest = {"format": _FORMAT, **snapshot.to_dict()}
            data = json.dumps({**manifest, "sha256": _seal(manifest)}, indent=1).encode()
            _write(building / _MANIFEST, data)
            durable.sync_directory(building)
            building.rename(self.folder(snapshot.name))
            durable.sync_directory(self._snapshots)
        return snapshot

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest sound snapshots, and the blobs that no snapshot needs afterwards.

        Damaged snapshots do not count. Those newer than the oldest remaining sound one stay.

        Args:
            keep: the number of sound snapshots that stay, at least 1.

        Returns:
            The names of the removed snapshots.
        """
        sound = [snapshot.name for snapshot in self.snapshots() if not snapshot.problems]
        gone = [name for name in self._names() if name < sound[-keep]] if len(sound) > keep else []
        with durable.translated(f"remove old snapshots from {self.path}"):
            for name in gone:
                # Renamed first: a partly removed snapshot must not look like a whole one.
                left = self._snapshots / f".old-{name}"
                self.folder(name).rename(left)
                durable.sync_directory(self._snapshots)
                remove(left)
            self._collect()
        return gone

    def problems(self, snapshot: Snapshot, checked: set[str], progress: Progress | None = None) -> Iterator[str]:
        """Read a whole snapshot again and yield one sentence for each problem.

        Args:
            snapshot: one of ``snapshots()``.
            checked: the digests of blobs that need not be read again; verified blobs are added.
            progress: see ``Progress``.
        """
        yield from snapshot.problems
        if not snapshot.files:
            return
        folder = self.folder(snapshot.name)
        for name, (_, digest) in snapshot.files.items():
            found = _digest(folder / name)
            if found != digest:
                yield f"{folder / name} {'cannot be read' if found is None else 'has changed'}"
                if name == LEDGER:
                    return
        blobs = Blobs(self.path / "blobs", read_only=True)
        with Ledger(folder, software="", immutable=True) as ledger:
            if snapshot.schema == SCHEMA:
                yield from ledger.verify()
            for number, digest in enumerate(ledger.needed(), 1):
                if digest not in checked:
                    if not blobs.verify(digest):
                        yield f"{self.blob(digest)} is missing or has changed: remove it, and the next backup copies it"
                        continue
                    checked.add(digest)
                if progress is not None:
                    progress(f"snapshot {snapshot.name}, blobs read", number)

    def _names(self) -> list[str]:
        return sorted(found.name for found in self._snapshots.iterdir() if _NAME.fullmatch(found.name))

    def _read(self, name: str) -> Snapshot:
        file = self.folder(name) / _MANIFEST
        try:
            found = json.loads(file.read_bytes())
            if found["format"] != _FORMAT:
                raise Damaged(f"{file} was written by a newer version of provrepo: upgrade it to read this backup")
            # Manifests of early versions have no digest.
            if "sha256" in found and found.pop("sha256") != _seal(found):
                raise ValueError("it has changed since it was written")
            del found["format"]
            if any(type(found[key]) is not int for key in _NUMBERS) or not all(
                isinstance(text, str) and text.isprintable()
                for text in (*(found[key] for key in _TEXTS), *found["problems"])
            ):
                raise ValueError("it contains what was never written")
            found["files"] = {str(key): (int(size), str(digest)) for key, (size, digest) in found["files"].items()}
            if not {LEDGER} <= found["files"].keys() <= {LEDGER, *BESIDE}:
                raise ValueError("it lists other files than the databases")
            return Snapshot(**{**found, "name": name, "problems": tuple(found["problems"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damaged(
                f"{file} cannot be read ({error}): choose another snapshot, or remove that directory"
            ) from error

    def _collect(self) -> None:
        """Remove the blobs that no snapshot needs."""
        needed: set[str] = set()
        for name in self._names():
            with Ledger(self.folder(name), software="", immutable=True) as ledger:
                needed.update(ledger.needed())
        blobs = Blobs(self.path / "blobs")
        for digest in blobs.all():
            if digest not in needed:
                blobs.erase(digest)


def back_up(
    store: Store, target: Path, *, software: str, keep: int | None = None, progress: Progress | None = None
) -> Snapshot:
    """Add a snapshot of a repository to a backup, which is created if it does not exist. Writers are not blocked.

    The ledger is copied first, in one transaction, and then the blobs that its entries refer to and the backup does not
    have yet. Copies are compared with their digests, and the chain of the copied ledger is verified. A snapshot that is
    not sound is stored as well, with its problems.

    Args:
        store: the data directory.
        target: the directory of the backup.
        software: name and version of this program.
        keep: the number of sound snapshots to keep; None for all.
        progress: see ``Progress``.

    Raises:
        UsageError: the backup would be in the data directory, or the other way round; ``keep`` is not positive.
        Conflict: the target contains something else, or the backup of another repository.
        Busy: another process writes to the backup; or versions were erased repeatedly meanwhile.
        NoSpace, Damaged: the backup cannot be written; the earlier snapshots are unchanged.
    """
    if keep is not None and keep < 1:
        raise UsageError("a backup keeps at least 1 snapshot")
    data, backup = store.settings.data.resolve(), target.resolve()
    if data == backup or data in backup.parents or backup in data.parents:
        raise UsageError(f"the backup {target} and the data directory {store.settings.data} overlap")
    archive = Archive(target)
    archive.begin()
    with archive.locked():
        archive.sweep()
        _same_repository(archive, store)
        with durable.translated(f"make the backup {target}"):
            durable.make_directory(target / "snapshots", mode=durable.PRIVATE)
        for _ in range(_TRIES):
            made = _attempt(store, archive, software, progress)
            if made is not None:
                break
        else:
            raise Busy("versions were erased while they were being copied, several times over; try again")
        if keep is not None:
            archive.prune(keep)
    return made


def _attempt(store: Store, archive: Archive, software: str, progress: Progress | None) -> Snapshot | None:
    """Make one snapshot; None if a blob was erased after the copy of the ledger, which still refers to it."""
    building = archive.path / "snapshots" / f".new-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        stack.callback(remove, building)
        with durable.translated(f"write to the backup {archive.path}"):
            building.mkdir(mode=durable.PRIVATE)
        # Before the ledger: what it says of documents that were accepted meanwhile is corrected by their entries.
        store.exchange.copy_to(building / EXCHANGE)
        store.ledger.database.copy_to(building / LEDGER, progress)
        store.pingbacks.copy_to(building / PINGBACKS)
        ledger = stack.enter_context(Ledger(building, software=software, immutable=True))
        problems = list(ledger.verify())
        blobs = Blobs(archive.path / "blobs")
        count = size = copies = 0
        for digest in ledger.needed():
            new = None
            try:
                new = _ensure(store.blobs, blobs, digest)
            except NotFound:
                if not store.ledger.references(digest):
                    return None
                problems.append(f"blob {digest} is missing")
            except Damaged as error:
                problems.append(str(error))
            if new is not None:
                count, size, copies = count + 1, size + blobs.path(digest).stat().st_size, copies + new
                if progress is not None:
                    progress("blobs", count)
        identity, setup, entries = ledger.identity().id, ledger.setup(), ledger.position()
        ledger.close()
        files: dict[str, tuple[int, str]] = {}
        for file in (building / name for name in (LEDGER, *BESIDE)):
            digest = _digest(file) or ""
            if digest:
                files[file.name] = (file.stat().st_size, digest)
        made = Snapshot(
            *("", now(), software, SCHEMA, identity, setup, entries, count, size, files, tuple(problems), copies)
        )
        return archive.add(made, building)
    return None


def _ensure(source: Blobs, target: Blobs, digest: str) -> bool:
    """Copy a blob to the backup if it is not there; return whether it was copied.

    Raises:
        NotFound: it is in neither directory.
        Damaged: its bytes have changed, and the backup does not have it.
    """
    stored = _size(target.path(digest))
    if stored is not None and _size(source.path(digest)) in (None, stored):
        return False
    target.put(source.get(digest))
    return True


def _same_repository(archive: Archive, store: Store) -> None:
    if not archive.exists:
        return
    for snapshot in archive.snapshots():
        if snapshot.identity not in ("", store.ledger.identity().id):
            raise Conflict(
                f"{archive.path} is the backup of another repository ({snapshot.identity}): give another directory"
            )


def copy_file(source: Path, target: Path, digest: str) -> None:
    """Copy a file durably and verify its SHA-256.

    Raises:
        Damaged: the source has changed, or cannot be read.
        NoSpace: the disk is full.
    """
    found = hashlib.sha256()
    with durable.translated(f"copy {source}"), source.open("rb") as file:
        durable.make_file(target)
        with target.open("wb") as written:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
                written.write(chunk)
            written.flush()
            durable.sync(written.fileno())
    if found.hexdigest() != digest:
        raise Damaged(f"{source} has changed since it was written")


def remove(path: Path) -> None:
    """Remove a file, or a directory with its content, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _write(file: Path, data: bytes) -> None:
    durable.make_file(file)
    with file.open("wb") as opened:
        opened.write(data)
        opened.flush()
        durable.sync(opened.fileno())


def _seal(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its digest, in hexadecimal."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _digest(file: Path) -> str | None:
    found = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                found.update(chunk)
    except OSError:
        return None
    return found.hexdigest()


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None
