"""The parts of an open data directory: one object for each of its databases, folders and files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from provrepo._version import __version__
from provrepo.errors import Damaged
from provrepo.ledger.access_log import AccessLog
from provrepo.ledger.accounts import Accounts
from provrepo.ledger.entries import Entry
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.mirroring import Mirroring
from provrepo.ledger.exchange.peers import Peers
from provrepo.ledger.exchange.pending import PendingDocuments
from provrepo.ledger.exchange.pushes import Pushes
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs.keys import LogKeys, key_file
from provrepo.ledger.logs.log import Log
from provrepo.ledger.pingbacks import Pingbacks
from provrepo.ledger.storage.blobs import Blobs
from provrepo.ledger.storage.durable import PRIVATE, make_directory
from provrepo.ledger.storage.reading import is_writable
from provrepo.ledger.storage.scratch import Scratch
from provrepo.repository.exchange.foreign import MirroredProjects
from provrepo.repository.upkeep import restore
from provrepo.repository.upkeep.follower import Follower
from provrepo.repository.upkeep.former import FormerVersions
from provrepo.repository.upkeep.mirror_keys import MirrorKeys
from provrepo.repository.upkeep.set_aside import SetAside
from provrepo.repository.upkeep.troubles import Troubles
from provrepo.repository.upkeep.views_lock import ViewsLock
from provrepo.settings import Settings
from provrepo.views.view import View

__all__ = ["Parts", "exists", "open_parts"]

_SOFTWARE = f"provrepo/{__version__}"


@dataclass(slots=True, eq=False)
class Parts:
    """The parts of one open data directory.

    Attributes:
        ledger: the entries.
        blobs: the bytes of submissions, reports and profiles.
        accounts: names and tokens.
        pingbacks: the links to other provenance that were sent by PROV-AQ pingback.
        log: the signed checkpoints, tiles and receipts of the streams.
        exchange: the database about the exchange with other repositories.
        access_log: one line for each answered request.
        former: the versions from before the repository had an identity, which keep their IRIs.
        mirroring: the table of mirrors, and what belongs to it.
        mirrored: the projects that are mirrors, as IRIs and names depend on them.
        derived: the directory of derived files: the data directory, or a temporary directory if that is read-only.
        scratch: the temporary files of this process.
        set_aside: the entries that a view failed on.
        follower: applies entries to the views.
        troubles: what fails again and again in the background of this process.
    """

    ledger: Ledger
    blobs: Blobs
    accounts: Accounts
    pingbacks: Pingbacks
    log: Log
    exchange: ExchangeDatabase
    access_log: AccessLog
    former: FormerVersions
    mirroring: Mirroring
    mirrored: MirroredProjects
    derived: Path
    scratch: Scratch
    set_aside: SetAside
    follower: Follower
    troubles: Troubles = field(default_factory=Troubles)

    @property
    def peers(self) -> Peers:
        """The other repositories that the operator has named."""
        return Peers(self.exchange)

    @property
    def pending(self) -> PendingDocuments:
        """The documents that wait or waited for a review."""
        return PendingDocuments(self.exchange)

    @property
    def pushes(self) -> Pushes:
        """The versions on their way to peers."""
        return Pushes(self.exchange)

    @property
    def read_only(self) -> bool:
        """Whether the data directory is read-only."""
        return self.ledger.database.read_only

    @property
    def spool(self) -> Path:
        """The folder of content files, which wait to be loaded into the views."""
        return self.derived / "spool"

    @property
    def views(self) -> Path:
        """The folder of the views."""
        return self.derived / "views"

    def close(self) -> None:
        """Close the files. The follower, whose views use worker processes, is closed before."""
        self.pingbacks.close()
        self.exchange.close()
        self.access_log.close()
        self.ledger.close()
        self.scratch.close()


def exists(data: Path) -> bool:
    """Return whether a directory contains a repository."""
    try:
        # An empty file belongs to a process that is about to create the repository.
        return (data / "ledger.sqlite").stat().st_size > 0
    except OSError:
        return False


def open_parts(
    settings: Settings,
    *,
    has_space: Callable[[], bool],
    open_views: Callable[[str], Sequence[View]],
    derive: Callable[[Entry, str], Path | None],
) -> Parts:
    """Open the data directory of some settings, and create it if it does not exist.

    In a read-only data directory every file that this process writes goes to a temporary directory, as do the views,
    whose engines write even to read. They begin as a copy of the stored ones (``upkeep.read_only``).

    Args:
        settings: ``data`` is the directory.
        has_space: whether the disk has space for lines of the access log.
        open_views: see ``Follower``.
        derive: see ``Follower``.

    Raises:
        Damaged: the directory cannot be created or read, or a newer version wrote it.
    """
    data = settings.data
    read_only = exists(data) and not is_writable(data)
    if not read_only:
        if not exists(data):
            restore.under_way(data)
        try:
            make_directory(data, mode=PRIVATE)
        except OSError as error:
            raise Damaged(f"cannot make the data directory {data}: {error.strerror or error}") from error
    private = Scratch(None) if read_only else None
    try:
        ledger = Ledger(data, software=_SOFTWARE, scratch=private.path if private else None)
    except BaseException:
        if private:
            private.close()
        raise
    blobs = Blobs(data / "blobs", read_only=read_only)
    derived = private.path if private else data
    for folder in (derived / "spool", derived / "views"):
        folder.mkdir(mode=PRIVATE, exist_ok=True)
    set_aside = derived / "views" / "set-aside.json"
    if private:
        with suppress(OSError):
            shutil.copyfile(data / "views" / "set-aside.json", set_aside)
            shutil.copyfile(data / "views" / "mirrors.json", derived / "views" / "mirrors.json")
    record, mirrored = SetAside(set_aside), MirroredProjects(ledger)
    keys = MirrorKeys(derived / "views" / "mirrors.json", mirrored)
    log = Log(ledger, LogKeys(ledger, key_file(data, settings.log_key)))
    if not read_only:
        log.keys.ensure()
    return Parts(
        ledger=ledger,
        blobs=blobs,
        accounts=Accounts(ledger.database, software=_SOFTWARE),
        pingbacks=Pingbacks(data / "pingbacks.sqlite", scratch=private.path if private else None),
        log=log,
        exchange=ExchangeDatabase(data / "exchange.sqlite", scratch=private.path if private else None),
        access_log=AccessLog(
            data / "access",
            days=0 if read_only else settings.audit_days,
            most=settings.audit_bytes,
            room=has_space,
        ),
        former=FormerVersions(ledger),
        mirroring=Mirroring(ledger.database, software=_SOFTWARE),
        mirrored=mirrored,
        derived=derived,
        scratch=private or Scratch(derived / "spool"),
        set_aside=record,
        follower=Follower(ledger, ViewsLock(derived / "views.lock"), open_views, derive, record, keys),
    )
