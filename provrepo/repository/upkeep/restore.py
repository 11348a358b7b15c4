"""``restore``: creates a data directory from a snapshot of a backup.

Everything is written to the folder ``restoring`` of the data directory and verified there. Then the blobs are moved to
their place, and the ledger last. Without a ledger the directory is not a repository, so after an interruption it is
either none or a whole one.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from provrepo._version import __version__
from provrepo.errors import Busy, Conflict, Damaged, NotFound, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs.keys import FILE, LogKeys, key_file
from provrepo.ledger.storage import durable
from provrepo.ledger.storage.blobs import Blobs
from provrepo.repository.upkeep.backup import BESIDE, LEDGER, Archive, Progress, Snapshot, copy_file, remove
from provrepo.settings import Settings, load

__all__ = ["FOLDER", "Restored", "restore", "sweep", "under_way"]

FOLDER = "restoring"
"""The folder of a data directory in which a restore prepares the files."""

_MOVING = "moving"
_IGNORED = {FOLDER, "lost+found", "provrepo.toml", "monitors", FILE}


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore.

    Attributes:
        data: the data directory.
        snapshot: the name of the snapshot.
        made: the time of the snapshot, xsd:dateTime in UTC.
        identity: UUID of the repository, which is unchanged.
        setup: the new set-up identifier.
        former: the former set-up identifier.
        entries: the number of entries, including those about the restore.
        blobs: the number of blobs that were copied.
        problems: one sentence for each part of a damaged snapshot that could not be restored.
    """

    data: str
    snapshot: str
    made: str
    identity: str
    setup: str
    former: str
    entries: int
    blobs: int
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def restore(
    source: str | Path,
    data: str | Path | None = None,
    *,
    settings: Settings | None = None,
    snapshot: str | None = None,
    damaged: bool = False,
    progress: Progress | None = None,
) -> Restored:
    """Create a data directory from a backup.

    The repository keeps its identity, and so all its IRIs. It gets a new set-up identifier, and in each stream an entry
    ``gap``, by which followers detect that entries after the backup are missing. Mirrors get none: their streams belong
    to their origins.

    Args:
        source: the directory of the backup.
        data: the data directory, which does not exist or is empty; by default that of the settings.
        settings: instead of those of environment and ``provrepo.toml``.
        snapshot: the name of the snapshot; by default the newest.
        damaged: restore the undamaged parts of a damaged snapshot.
        progress: called with the name of a part that was copied, and the number of its items.

    Raises:
        Conflict: the data directory is not empty.
        NotFound: the directory is not a backup, or has no such snapshot.
        Damaged: the snapshot is damaged; nothing was restored.
        Busy: the backup is being written, or another process restores to the same directory.
        NoSpace: the disk is full.
    """
    chosen_settings = settings or load()
    if data is None:
        chosen_settings.require_directory()
    target = Path(data) if data is not None else chosen_settings.data
    archive = Archive(Path(source))
    inside, outside = target.resolve(), archive.path.resolve()
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise UsageError(f"the backup {source} and the data directory {target} overlap")
    with archive.locked(shared=True):
        # Under the lock, since a running backup could remove the snapshot.
        chosen = archive.snapshot(snapshot)
        with _build_folder(target) as building:
            file = key_file(target, chosen_settings.log_key)
            return _restore(archive, chosen, target, building, file, damaged=damaged, progress=progress)


def under_way(data: Path) -> None:
    """Refuse a data directory with an unfinished restore.

    Raises:
        Busy: the restore is running.
        Damaged: the restore was interrupted.
    """
    folder = data / FOLDER
    if not folder.is_dir():
        return
    descriptor = _lock(folder)
    if descriptor is None:
        raise Busy(f"{data} is being restored from a backup by another process")
    os.close(descriptor)
    raise Damaged(f"a restore to {data} was interrupted: run provrepo restore again, or remove {folder}")


def sweep(data: Path) -> None:
    """Remove the folder of a restore that was killed after it had moved all files."""
    folder = data / FOLDER
    if not folder.is_dir():
        return
    descriptor = _lock(folder)
    if descriptor is not None:
        remove(folder)
        os.close(descriptor)


def _restore(
    archive: Archive,
    chosen: Snapshot,
    data: Path,
    building: Path,
    key: Path,
    *,
    damaged: bool,
    progress: Progress | None,
) -> Restored:
    for name, (_, digest) in chosen.files.items():
        copy_file(archive.folder(chosen.name) / name, building / name, digest)
    software = f"provrepo/{__version__}"
    with Ledger(building, software=software) as ledger:
        problems = list(ledger.verify())
        count, missing = _blobs(archive, ledger, building, progress)
        problems += missing
        if problems and not damaged:
            raise Damaged(
                f"snapshot {chosen.name} of {archive.path} is damaged: {'; '.join(problems[:5])}"
                f"{f'; and {len(problems) - 5:,} more' if len(problems) > 5 else ''}. Nothing was restored. Another "
                "snapshot may be sound (--snapshot); --damaged restores the undamaged parts of this one"
            )
        LogKeys(ledger, key).adopt()
        former, setup = ledger.setup(), str(uuid.uuid4())
        reason = f"restored from the backup of {chosen.made}"
        mirrors = {mirror.project for mirror in ledger.mirrors()}
        for project in [REPOSITORY, *ledger.projects()]:
            if project in mirrors:
                continue  # its entries are those of its origin, from which it gets those that are missing
            with ledger.appending(project) as appending:
                body = {"setup": setup, "former": former, "size": None, "reason": reason}
                appending.append("gap", body, actor="")
        identity, entries = ledger.identity().id, ledger.position()
    _move(building, data)
    return Restored(str(data), chosen.name, chosen.made, identity, setup, former, entries, count, tuple(problems))


def _blobs(archive: Archive, ledger: Ledger, building: Path, progress: Progress | None) -> tuple[int, list[str]]:
    """Copy the blobs that the entries refer to; return their number, and a sentence for each problem."""
    count, problems = 0, []
    source, target = Blobs(archive.path / "blobs", read_only=True), Blobs(building / "blobs")
    for digest in ledger.needed():
        try:
            target.put(source.get(digest))
        except (NotFound, Damaged) as error:
            problems.append(str(error))
        else:
            count += 1
            if progress is not None:
                progress("blobs", count)
    return count, problems


def _move(building: Path, data: Path) -> None:
    """Move the restored files to their place, the ledger last."""
    left = building / f"{LEDGER}-wal"
    if left.exists() and left.stat().st_size:
        raise Damaged(f"{left} was not merged into the ledger")
    with durable.translated(f"move the restored files to {data}"):
        durable.make_file(building / _MOVING)
        durable.sync_directory(building)
        (building / "blobs").rename(data / "blobs")
        for name in BESIDE:
            if (building / name).exists():
                (building / name).rename(data / name)
        durable.sync_directory(data)
        try:
            # Unlike a rename, a link does not replace a file that another process has created meanwhile.
            os.link(building / LEDGER, data / LEDGER)
        except FileExistsError:
            raise Conflict(f"another process has created a repository in {data} meanwhile") from None
        durable.sync_directory(data)


@contextmanager
def _build_folder(data: Path) -> Iterator[Path]:
    """Yield the folder to build in, locked and empty; it is removed at the end."""
    with durable.translated(f"restore to {data}"):
        if data.is_dir():
            _require_empty(data)
        durable.make_directory(data / FOLDER, mode=durable.PRIVATE)
    building = data / FOLDER
    descriptor = _lock(building)
    if descriptor is None:
        raise Busy(f"another process restores to {data} already")
    try:
        with durable.translated(f"restore to {data}"):
            _require_empty(data)
            _clear(building, data)
        try:
            yield building
        except BaseException:
            if not (data / LEDGER).exists():
                _clear(building, data)
            raise
        finally:
            remove(building)
    finally:
        os.close(descriptor)


def _require_empty(data: Path) -> None:
    """Raise Conflict if a directory contains a file that is not from an interrupted restore."""
    interrupted = {"blobs", *BESIDE} if (data / FOLDER / _MOVING).exists() else set()
    allowed = _IGNORED | interrupted
    # A restore that was killed while it made a key leaves its temporary file.
    found = sorted(
        file.name for file in data.iterdir() if file.name not in allowed and not file.name.startswith(f".{FILE}.")
    )
    if found:
        what = "a repository" if LEDGER in found else repr(found[0])
        raise Conflict(f"{data} contains {what}: restore to a new or empty directory, or move that one away first")


def _clear(building: Path, data: Path) -> None:
    """Remove the files of an interrupted restore. The file ``moving`` shows that it had begun to move them."""
    if (building / _MOVING).exists():
        remove(data / "blobs")
        for name in BESIDE:
            remove(data / name)
    for left in building.iterdir():
        if left.name not in ("lock", _MOVING):
            remove(left)
    remove(building / _MOVING)


def _lock(folder: Path) -> int | None:
    """Return an open descriptor that holds the lock of a folder; None if another process holds it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
