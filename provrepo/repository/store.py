"""The opened data directory, without verbs: who wants to do something binds an actor to it first."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from provrepo._version import __version__
from provrepo.errors import Busy, Damaged, NoRepository, NoSpace
from provrepo.ledger.access_log import AccessLog
from provrepo.ledger.accounts import Accounts
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.pingbacks import Pingbacks
from provrepo.ledger.storage.blobs import Blobs
from provrepo.ledger.storage.durable import PRIVATE, make_directory
from provrepo.ledger.storage.reading import is_writable
from provrepo.ledger.storage.scratch import Scratch, sweep
from provrepo.model.minting import Minter
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.records import Actor, VersionInfo
from provrepo.repository.upkeep import restore
from provrepo.repository.upkeep.follower import Follower, ViewsLock
from provrepo.repository.upkeep.former import Former
from provrepo.repository.upkeep.read_only import copy_views
from provrepo.repository.upkeep.set_aside import SetAside
from provrepo.settings import Settings, environment_name
from provrepo.views.lineage.index import Lineage
from provrepo.views.search import Search
from provrepo.views.sparql.query import QueryLimits, SparqlQuery
from provrepo.views.sparql.store import PATIENCE, Quads
from provrepo.views.view import View
from provrepo.workers import network
from provrepo.workers.callers import LOCAL, Caller, on_behalf_of
from provrepo.workers.pool import Pool
from provrepo.workers.shares import shares

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["Store", "minting"]

log = logging.getLogger("provrepo.repository.store")

V = TypeVar("V")

_LEAST_FREE = 1 << 20
"""Bytes: with less than these, hardly any submission fits, whatever the settings keep free."""


class Store:
    """A data directory with its ledger, blobs, accounts, workers and follower.

    Attributes:
        settings: what is in force.
        ledger: the entries.
        blobs: the bytes.
        accounts: names and tokens.
        pingbacks: what others say they know of the documents.
        pool: the worker processes that read and check.
        queries: the worker processes that answer queries.
        follower: applies entries to the views.
        set_aside: the entries that a view could not take.
        draining: whether the process is about to end, and takes no new requests.
        place: where what is derived is kept: the data directory, or a temporary folder where that can only be read.
    """

    place: Path
    ledger: Ledger
    blobs: Blobs
    accounts: Accounts
    pingbacks: Pingbacks
    access_log: AccessLog
    follower: Follower
    set_aside: SetAside
    _former: Former
    _spool: Path
    _scratch: Scratch
    _views: Path

    def __init__(self, settings: Settings, *, follow: bool = True) -> None:
        self.settings = settings
        # Workers read documents, which may name contexts of one's own.
        environment = (
            {environment_name("contexts"): str(Path(settings.contexts).absolute())} if settings.contexts else {}
        )
        self.pool = Pool(
            settings.workers,
            settings.worker_memory,
            environment,
            waiting=_waiting(settings),
            public_timeout=settings.check_timeout_public,
        )
        self.queries = Pool(
            settings.query_workers, settings.query_memory, environment, public_timeout=settings.query_timeout_public
        )
        self._follow = follow
        self._making = threading.RLock()
        self._closers: list[Callable[[], None]] = []
        self.socket = ""  # the path on which this process answers others of its user (``repository.upkeep.beside``)
        self.draining = False

    @classmethod
    def open(cls, settings: Settings, *, follow: bool = True, create: bool = True) -> Store:
        """Open a data directory, made where there is none.

        Args:
            settings: ``settings.data`` says which.
            follow: whether this process may apply entries to the views.
            create: False leaves it to ``make``; until then what needs a directory that is not there raises
                NoRepository.

        Raises:
            Damaged: it cannot be made or read, or a newer version wrote it.
        """
        store = cls(settings, follow=follow)
        if create or store.exists():
            store.make()
        return store

    def exists(self) -> bool:
        """Whether there is a repository in the data directory."""
        try:
            # A file that is still empty is one that another process is about to fill.
            return (self.settings.data / "ledger.sqlite").stat().st_size > 0
        except OSError:
            return False

    def make(self) -> None:
        """Open the data directory, and make it where there is none: the verbs that write do so first.

        Raises:
            Damaged: it cannot be made or read, or a newer version wrote it.
        """
        with self._making:
            if "ledger" in self.__dict__:
                return
            data = self.settings.data
            if self.exists() and not is_writable(data):
                self._make_read_only()
                return
            if not self.exists():
                restore.under_way(data)
            try:
                make_directory(data, mode=PRIVATE)
            except OSError as error:
                raise Damaged(f"cannot make the data directory {data}: {error.strerror or error}") from error
            software = f"provrepo/{__version__}"
            ledger = Ledger(data, software=software)
            self._former = Former(ledger)
            self.blobs = Blobs(data / "blobs")
            self.accounts = Accounts(ledger.database, software=software)
            self.pingbacks = Pingbacks(data / "pingbacks.sqlite")
            self._spool = data / "spool"
            for folder in (self._spool, data / "views"):
                folder.mkdir(mode=PRIVATE, exist_ok=True)
            self._scratch = Scratch(self._spool)
            self._follow_ledger(ledger, data)

    def _make_read_only(self) -> None:
        """Open a data directory that can only be read: all that this process writes goes to a temporary folder.

        The views are among that, since their engines write even to read. They begin as a copy of those that are there.
        """
        data = self.settings.data
        self._scratch = Scratch(None)
        private = self._scratch.path
        try:
            ledger = Ledger(data, software=f"provrepo/{__version__}", scratch=private)
        except BaseException:
            self._scratch.close()
            raise
        self._former = Former(ledger)
        self.blobs = Blobs(data / "blobs", read_only=True)
        self.accounts = Accounts(ledger.database)
        self.pingbacks = Pingbacks(data / "pingbacks.sqlite", scratch=private)
        self._spool = private / "spool"
        self._spool.mkdir(mode=PRIVATE)
        (private / "views").mkdir(mode=PRIVATE)
        with suppress(OSError):
            shutil.copyfile(data / "views" / "set-aside.json", private / "views" / "set-aside.json")
        self._follow_ledger(ledger, private)

    def _follow_ledger(self, ledger: Ledger, place: Path) -> None:
        self.place, self._views = place, place / "views"
        self.set_aside = SetAside(self._views / "set-aside.json")
        self.access_log = AccessLog(
            self.settings.data / "access",
            days=0 if ledger.database.read_only else self.settings.audit_days,
            most=self.settings.audit_bytes,
            room=lambda: self._free() >= max(self.settings.min_free, _LEAST_FREE),
        )
        lock = ViewsLock(place / "views.lock")
        self.follower = Follower(ledger, lock, self._open_views, self._derive, self.set_aside)
        self.ledger = ledger

    @property
    def read_only(self) -> bool:
        """Whether the data directory can only be read."""
        return self.ledger.database.read_only

    def __getattr__(self, name: str) -> Any:
        """What is not there yet: the parts of a data directory that this store was told not to make.

        Raises:
            NoRepository: there is none.
        """
        if name not in Store.__annotations__ or name in self.__dict__:
            raise AttributeError(name)
        if not self.exists():
            raise NoRepository(f"no repository at {self.settings.data}; provrepo init makes one")
        self.make()
        return self.__dict__[name]

    def on_close(self, closer: Callable[[], None]) -> None:
        """Call a function when the store is closed, before anything else is closed."""
        self._closers.append(closer)

    def owner(self) -> Actor:
        """Whoever may open the data directory on this machine."""
        import getpass

        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "owner"
        return Actor(self.accounts.owner(name), name, owner=True, projects=None, write=True)

    @staticmethod
    def anonymous() -> Actor:
        """A stranger."""
        return ANONYMOUS

    def authenticate(self, token: str) -> Actor | None:
        """Whom a token stands for; None where it is unknown, expired or revoked."""
        found = self.accounts.authenticate(token.strip())
        if found is None:
            return None
        return Actor(found.actor, found.name, projects=found.projects, write=found.write, token=found.id)

    @property
    def follows(self) -> bool:
        """Whether this process was opened to take the views where nobody else has them."""
        return self._follow

    def may_follow(self) -> bool:
        """Whether this process holds the views, or could take them now."""
        return self._follow and self.follower.acquire()

    def may_index(self) -> bool:
        """``may_follow`` for those who write: no failure of a view may be their error, as what they append is stored.

        It is logged instead, and stands in ``follower.waiting`` until another look succeeds.
        """
        return self._tried(self.may_follow)

    def index(self) -> None:
        """Bring the views up to what was just appended, where this process may; fails as ``may_index`` does."""
        if self.may_index():
            self._tried(self.follower.catch_up)

    def _tried(self, work: Callable[[], bool | None]) -> bool:
        try:
            return bool(work())
        except Exception as error:  # noqa: BLE001 (a view may raise anything)
            self.follower.postpone(REPOSITORY, error)
            return False

    def view(self, kind: type[V]) -> V:
        """A view, brought up to the ledger.

        Raises:
            Busy: another process holds the views, or this one was told not to take them.
        """
        if not self._follow:
            raise Busy("this process was opened without the views; open the data directory with follow=True")
        return self.follower.view(kind)

    def indexing(self) -> bool:
        """Whether this process holds the views."""
        return self.follower.indexing

    def indexed(self, entry: Entry) -> bool:
        """Whether the views of this process have an entry that was just appended."""
        waiting = self.follower.waiting
        return (
            self.follower.indexing
            and not (waiting.keys() & {REPOSITORY, entry.project})
            and self.set_aside.reason(entry.project, entry.sequence) is None
        )

    def base(self) -> str:
        """The base IRI in force; empty until one is set."""
        return str(self.ledger.settings(REPOSITORY).get("base", ""))

    def minter(self, base: str | None = None) -> Minter:
        """Mints under a base IRI, by default the one in force; without one in the name space of this repository."""
        return Minter(self.base() if base is None else base, self.ledger.identity().id, self._former)

    def health(self) -> dict[str, object]:
        """What ``/health`` says: whether entries are being indexed, what was set aside, what the system lacks."""
        free = self._free()
        waiting = dict(sorted(self.follower.waiting.items()))
        accepting = not self.read_only and free >= max(self.settings.min_free, _LEAST_FREE)
        return {
            "status": "ok" if self.indexing() and accepting and not (self.set_aside or waiting) else "degraded",
            "version": __version__,
            "indexing": self.indexing(),
            "set_aside": dict(self.set_aside.items()),
            "waiting": waiting,
            "entries": self.ledger.position(),
            "accepting": accepting,
            "free_bytes": free,
            "limits": {
                "worker_memory": sys.platform == "linux",
                "worker_network": network.available(),
            },
        }

    def require_space(self, size: int) -> None:
        """Refuse what would fill the disk: a store that finds it full can neither be written nor opened.

        Args:
            size: bytes that are to be kept.

        Raises:
            NoSpace: fewer than the settings say would be left.
        """
        least = self.settings.min_free
        if least and self._free() - size < least:
            raise NoSpace(
                f"the disk of the data directory has too little space left: {least:,} bytes are kept free; "
                "nothing was stored"
            )

    def _free(self) -> int:
        return shutil.disk_usage(self.settings.data).free

    def content_file(self, project: str, document: str, version: int, blob: str, base: str) -> Path:
        """Where the quads of a version wait to be loaded, under a name that everything they depend on is part of."""
        name = hashlib.sha256(f"{base}\n{project}/{document}@{version}\n{blob}".encode()).hexdigest()[:40]
        return self._spool / f"{name}.nq"

    def temporary(self, suffix: str = ".in") -> Path:
        """A path for bytes that have not been accepted yet; the caller removes the file."""
        return self._scratch.path / f"{uuid.uuid4().hex}{suffix}"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory for views to compare with, removed at the end."""
        with tempfile.TemporaryDirectory(dir=self._scratch.path, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def query_version(
        self, info: VersionInfo, query: SparqlQuery, seconds: float, abandoned: Callable[[], bool] | None = None
    ) -> QueryResult:
        """Query a version in its original graphs; raises what ``views.sparql.version.query_version`` raises.

        Args:
            info: the version; its bytes have not been erased.
            query: the query.
            seconds: its time limit.
            abandoned: returns True once the client has gone and no answer is needed.
        """
        from provrepo.views.sparql.version import query_version

        return query_version(
            self.queries,
            query,
            self._limits(seconds),
            source=self.blobs.path(info.sha256),
            format=info.format,
            base=info.base or None,
            spool=self.temporary(),
            patience=PATIENCE,
            abandoned=abandoned,
        )

    def _limits(self, seconds: float) -> QueryLimits:
        return QueryLimits(seconds, self.settings.query_rows, self.settings.query_bytes)

    def _open_views(self, base: str) -> Sequence[View]:
        """Every view there is, opened by the holder of the lock. A new kind of view is one more in the list."""
        self._sweep()
        if self.read_only and not self.follower.indexing:
            copy_views(self.settings.data, self.place)
        return self.views_at(self._views, base)

    def views_at(self, folder: Path, base: str) -> Sequence[View]:
        """Every view there is, opened or made in a folder."""
        limits = QueryLimits(self.settings.query_timeout, self.settings.query_rows, self.settings.query_bytes)
        minter = self.minter(base)
        return [
            Quads(folder / "quads", base=base, minter=minter, workers=self.queries, limits=limits),
            Lineage(folder / "lineage", base=base, minter=minter),
            Search(folder / "search", base=base, minter=minter),
        ]

    def _sweep(self) -> None:
        # Content files are not synced to disk: after a power cut they may be cut short, so none is trusted that was
        # written before the lock was taken. It is made again from the blob, which is.
        for file in self._spool.glob("*.nq*"):
            file.unlink(missing_ok=True)
        if not self.read_only:
            sweep(self._spool)
            self.blobs.sweep()
            restore.sweep(self.settings.data)

    def _derive(self, entry: Entry, base: str) -> Path | None:
        """The content file of a submission: the one its submitter left, or made anew from the bytes."""
        return self.derive(entry, base, self._spool)

    def derive(self, entry: Entry, base: str, folder: Path) -> Path | None:
        """The content file of a submission in a folder, made from the bytes where it is not there; None without bytes.

        Raises:
            Damaged: the bytes are not those that were submitted.
        """
        fields = entry.fields
        project, document, version, blob = entry.project, fields["document"], fields["version"], fields["blob"]
        file = folder / self.content_file(project, document, version, blob, base).name
        if file.exists():
            return file
        if not self.blobs.exists(blob):
            return None
        minter = self.minter(base)
        # Whoever's request finds that an entry has to be indexed: it does not end with that client, and has its
        # deadline as a submission has. Otherwise a client that goes away could have the entry set aside.
        partial = self.temporary(".part")
        try:
            with on_behalf_of(LOCAL):
                self.pool.call(
                    "provrepo.repository.submission.worker:run",
                    {
                        "source": str(self.blobs.path(blob)),
                        "format": fields["format"],
                        "base": fields["base"] or None,
                        "check": False,
                        "target": {
                            "output": str(file),
                            "partial": str(partial),
                            "version": str(minter.version(project, document, version)),
                            "blob": blob,
                            "minting": minting(minter, project, document, version),
                        },
                    },
                    timeout=self.settings.check_timeout,
                )
        finally:
            partial.unlink(missing_ok=True)
        return file

    def cancel(self) -> None:
        """Stop what runs in worker processes, for good: who waits for it gets WorkerFailed, as all later calls do."""
        if "ledger" in self.__dict__:
            self.follower.stop()
        self.queries.close()
        self.pool.close()

    def close(self) -> None:
        """Let go of everything. Queries that run are killed: the views can only be closed once they have ended."""
        for closer in self._closers:
            closer()
        self.queries.close()
        if "ledger" in self.__dict__:
            self.follower.close()
        self.pool.close()
        if "ledger" in self.__dict__:
            self.pingbacks.close()
            self.access_log.close()
            self.ledger.close()
            self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {os.fspath(self.settings.data)}>"


def _waiting(settings: Settings) -> dict[Caller, int]:
    """How many strangers, and readers, may wait for a worker: one request thread of their share is left over."""
    threads, workers = shares(settings.threads), shares(settings.workers)
    return {caller: max(1, threads[caller] - workers[caller] - 1) for caller in (Caller.STRANGER, Caller.READER)}


def minting(minter: Minter, project: str, document: str, version: int) -> dict[str, str]:
    """What a worker process needs to name the blank nodes of one version."""
    plain = minter.of(project, document, version)
    return {"base": plain.base, "identity": plain.identity}
