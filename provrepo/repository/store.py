"""The store: an open data directory and its worker processes, without verbs.

Verbs are methods of ``Repository``, which binds a store to an actor. Handlers of the server hold a store, so that they
cannot forget to name the actor.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from provrepo._version import __version__
from provrepo.errors import Busy, NoRepository, NoSpace
from provrepo.ledger.access_log import AccessLog
from provrepo.ledger.accounts import Accounts
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.peers import Peers
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.pingbacks import Pingbacks
from provrepo.ledger.storage.blobs import Blobs
from provrepo.ledger.storage.scratch import sweep
from provrepo.limits import WORKER_WAIT
from provrepo.model.minting import Minter
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.parts import Parts, exists, open_parts
from provrepo.repository.people.authentication import actor_of, person_actor
from provrepo.repository.people.review_links import reviewer_of
from provrepo.repository.people.usage import TokenUses
from provrepo.repository.profiles.figures import Figures
from provrepo.repository.records import Actor, VersionInfo
from provrepo.repository.submission import content_files
from provrepo.repository.upkeep import restore
from provrepo.repository.upkeep.follower import Follower
from provrepo.repository.upkeep.read_only import copy_views
from provrepo.repository.upkeep.set_aside import SetAside
from provrepo.settings import Settings, environment_name
from provrepo.views.lineage.index import Lineage
from provrepo.views.openlineage.index import OpenLineage
from provrepo.views.search import Search
from provrepo.views.sparql.query import QueryLimits, SparqlQuery
from provrepo.views.sparql.store import Quads
from provrepo.views.view import View
from provrepo.workers import network
from provrepo.workers.callers import Caller
from provrepo.workers.pool import Pool
from provrepo.workers.shares import shares

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["Store"]

V = TypeVar("V")

_LEAST_FREE = 1 << 20
"""Bytes. With less free space hardly any submission fits, whatever ``Settings.min_free`` is."""

_DEFERRING_FREE = 128 << 20
"""Free bytes beyond ``Settings.min_free`` from which submissions may wait to be loaded into the quads view."""


class Store:
    """A data directory and its worker processes.

    The files are opened by ``make``, or on first use: see ``parts``.

    Attributes:
        settings: the settings in force.
        pool: the worker processes that read and check.
        queries: the worker processes that answer queries.
        socket: the path of the socket on which this process answers other processes of the same user; empty for none
            (``repository.upkeep.beside``).
        draining: whether the process is about to end and accepts no new requests.
    """

    def __init__(self, settings: Settings, *, follow: bool = True) -> None:
        """Take the settings; no file is opened yet. See ``open``."""
        self.settings = settings
        # Workers read documents, which may name user-defined JSON-LD contexts.
        environment = (
            {environment_name("contexts"): str(Path(settings.contexts).absolute())} if settings.contexts else {}
        )
        self.pool = Pool(
            settings.workers,
            settings.worker_memory,
            environment,
            waiting=_queue_limits(settings),
            public_timeout=settings.check_timeout_public,
        )
        self.queries = Pool(
            settings.query_workers, settings.query_memory, environment, public_timeout=settings.query_timeout_public
        )
        self._follow = follow
        self._opening = threading.RLock()
        self._parts: Parts | None = None
        self._figures: Figures | None = None
        self._closers: list[Callable[[], None]] = []
        self._uses = TokenUses(self._store_uses)
        self.on_close(self._uses.close)
        self.socket = ""
        self.draining = False

    @classmethod
    def open(cls, settings: Settings, *, follow: bool = True, create: bool = True) -> Store:
        """Open a data directory, which is created if it does not exist.

        Args:
            settings: ``settings.data`` is the directory.
            follow: whether this process may apply entries to the views.
            create: False leaves the creation to ``make``. Until then, whatever needs the directory raises NoRepository.

        Raises:
            UsageError: ``settings.data`` is the URL of a server.
            Damaged: the directory cannot be created or read, or a newer version wrote it.
        """
        settings.require_directory()
        store = cls(settings, follow=follow)
        if create or store.exists():
            store.make()
        return store

    def exists(self) -> bool:
        """Return whether the data directory contains a repository."""
        return exists(self.settings.data)

    def make(self) -> Parts:
        """Open the data directory, and create it if it does not exist, as the verbs that write do.

        Raises:
            Damaged: the directory cannot be created or read, or a newer version wrote it.
        """
        with self._opening:
            if self._parts is None:
                self._parts = open_parts(
                    self.settings,
                    has_space=lambda: self._accepts(self._free()),
                    open_views=self._open_views,
                    # The follower has read the table of mirrors before.
                    derive=lambda entry, base: content_files.derive(
                        self, entry, self.parts.spool, self.minter(base, fresh=False)
                    ),
                )
            return self._parts

    @property
    def parts(self) -> Parts:
        """The parts of the data directory, which are opened on first use.

        Raises:
            NoRepository: the data directory contains no repository.
            Damaged: it cannot be read, or a newer version wrote it.
        """
        if self._parts is None and not self.exists():
            raise NoRepository(f"no repository at {self.settings.data}; provrepo init makes one")
        return self._parts or self.make()

    @property
    def ledger(self) -> Ledger:
        """The entries."""
        return self.parts.ledger

    @property
    def blobs(self) -> Blobs:
        """The bytes of submissions, reports and profiles."""
        return self.parts.blobs

    @property
    def accounts(self) -> Accounts:
        """Names and tokens."""
        return self.parts.accounts

    @property
    def pingbacks(self) -> Pingbacks:
        """The links to other provenance that were sent by PROV-AQ pingback."""
        return self.parts.pingbacks

    @property
    def exchange(self) -> ExchangeDatabase:
        """The database about the exchange with other repositories."""
        return self.parts.exchange

    @property
    def peers(self) -> Peers:
        """The other repositories that the operator has named."""
        return self.parts.peers

    @property
    def access_log(self) -> AccessLog:
        """One line for each answered request."""
        return self.parts.access_log

    @property
    def follower(self) -> Follower:
        """Applies entries to the views."""
        return self.parts.follower

    @property
    def set_aside(self) -> SetAside:
        """The entries that a view failed on."""
        return self.parts.set_aside

    @property
    def figures(self) -> Figures:
        """The figures of versions, from which metrics are summed."""
        with self._opening:
            if self._figures is None:
                self._figures = Figures(self)
            return self._figures

    @property
    def derived(self) -> Path:
        """The directory of derived files: the data directory, or a temporary directory if that is read-only."""
        return self.parts.derived

    @property
    def read_only(self) -> bool:
        """Whether the data directory is read-only."""
        return self.parts.read_only

    def on_close(self, closer: Callable[[], None]) -> None:
        """Register a function that ``close`` calls before it closes anything."""
        self._closers.append(closer)

    def owner(self) -> Actor:
        """Return the local owner: the user of this process, who can open the data directory."""
        import getpass

        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "owner"
        return Actor(self.accounts.owner(name), name, owner=True, projects=None, write=True)

    @staticmethod
    def anonymous() -> Actor:
        """Return the anonymous actor."""
        return ANONYMOUS

    def authenticate(self, token: str) -> Actor | None:
        """Return the actor of a token; None where it is unknown, expired or revoked."""
        return self._noted(actor_of(self.ledger.database, self.accounts.authenticate(token.strip())))

    def actor_of(self, token: str) -> Actor | None:
        """Return the actor of the token with an identifier; None where it is unknown, expired or revoked.

        For a caller that was authenticated with it before; so is the actor of a review link.
        """
        link = reviewer_of(self.ledger.database, token)
        return self._noted(actor_of(self.ledger.database, self.accounts.valid(token))) if link is None else link

    def _store_uses(self, uses: Mapping[str, str]) -> None:
        self.accounts.used(uses)

    def _noted(self, actor: Actor | None) -> Actor | None:
        """The actor of a token that is used now."""
        if actor is not None and not self.read_only:
            self._uses.note(actor.token)
        return actor

    def person(self, id: str) -> Actor | None:  # noqa: A002
        """Return the actor of a person who has signed in, by its opaque identifier; None if there is no such person."""
        return person_actor(self.ledger.database, id)

    @property
    def follows(self) -> bool:
        """Whether this process was opened to acquire the views if no other process has them."""
        return self._follow

    def may_follow(self) -> bool:
        """Acquire the views if possible; return whether this process has them."""
        return self._follow and self.follower.acquire()

    def may_index(self) -> bool:
        """Do as ``may_follow`` for writers: a failure of a view is no error of theirs, as their entry is stored.

        The failure is logged, and is in ``follower.waiting`` until another try succeeds.
        """
        return self._postponing(self.may_follow)

    def index(self) -> None:
        """Apply the latest entries to the views, if this process has them; failures as for ``may_index``."""
        if self.may_index():
            self._postponing(self.follower.catch_up)

    def _postponing(self, work: Callable[[], bool | None]) -> bool:
        try:
            return bool(work())
        except Exception as error:  # noqa: BLE001 (a view may raise anything)
            self.follower.postpone(REPOSITORY, error)
            return False

    def view(self, kind: type[V]) -> V:
        """Return a view, up to date with the ledger.

        Raises:
            Busy: another process holds the views, or this process was opened without them.
        """
        if not self._follow:
            raise Busy("this process was opened without the views; open the data directory with follow=True")
        return self.follower.view(kind)

    def indexing(self) -> bool:
        """Return whether this process holds the views."""
        return self.follower.indexing

    def indexed(self, entry: Entry) -> bool:
        """Return whether the views of this process contain an entry that was just appended."""
        waiting = self.follower.waiting
        return (
            self.follower.indexing
            and not (waiting.keys() & {REPOSITORY, entry.project})
            and self.set_aside.reason(entry.project, entry.sequence) is None
        )

    def base(self) -> str:
        """Return the base IRI in force; empty until one is set."""
        return str(self.ledger.settings(REPOSITORY).get("base", ""))

    def minter(self, base: str | None = None, *, fresh: bool = True) -> Minter:
        """Return the minter of a base IRI, by default of the one in force. See ``model.minting``.

        Args:
            base: the base IRI; may be empty.
            fresh: read the table of mirrors again, which another process may have changed.
        """
        if fresh:
            self.parts.mirrored.refresh()
        own = self.base() if base is None else base
        return Minter(own, self.ledger.identity().id, self.parts.former, self.parts.mirrored)

    def health(self) -> dict[str, object]:
        """Return the body of ``/health``: the state of the views, what was set aside, free space and limits."""
        free = self._free()
        waiting = dict(sorted(self.follower.waiting.items()))
        accepting = not self.read_only and self._accepts(free)
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
        """Refuse bytes that would fill the disk: a store on a full disk can be neither written nor opened.

        Args:
            size: the number of bytes to store.

        Raises:
            NoSpace: less than ``Settings.min_free`` would be left.
        """
        least = self.settings.min_free
        if least and self._free() - size < least:
            raise NoSpace(
                f"the disk of the data directory has too little space left: {least:,} bytes are kept free; "
                "nothing was stored"
            )

    def _free(self) -> int:
        return shutil.disk_usage(self.settings.data).free

    def _accepts(self, free: int) -> bool:
        """Return whether so many free bytes are enough to store anything."""
        return free >= max(self.settings.min_free, _LEAST_FREE)

    def content_file(self, project: str, document: str, version: int, blob: str, base: str) -> Path:
        """Return the path of the content file of a version: see ``submission.content_files``."""
        return self.parts.spool / content_files.file_name(project, document, version, blob, base)

    def temporary(self, suffix: str = ".in") -> Path:
        """Return the path of a new temporary file, which the caller removes."""
        return self.parts.scratch.path / f"{uuid.uuid4().hex}{suffix}"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a temporary directory, which is removed at the end."""
        with tempfile.TemporaryDirectory(dir=self.parts.scratch.path, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def query_version(
        self, info: VersionInfo, query: SparqlQuery, seconds: float, abandoned: Callable[[], bool] | None = None
    ) -> QueryResult:
        """Query the original graphs of one version; errors as for ``views.sparql.version.query_version``.

        Args:
            info: the version, whose bytes were not erased.
            query: the query.
            seconds: the deadline.
            abandoned: returns True once the client is gone.
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
            queue_timeout=WORKER_WAIT,
            abandoned=abandoned,
        )

    def _limits(self, seconds: float) -> QueryLimits:
        return QueryLimits(seconds, self.settings.query_rows, self.settings.query_bytes)

    def _open_views(self, base: str) -> Sequence[View]:
        """Open every view. Called by the holder of the lock."""
        self._sweep()
        if self.read_only and not self.follower.indexing:
            copy_views(self.settings.data, self.derived)
        return self.views_at(self.parts.views, base)

    def views_at(self, folder: Path, base: str) -> Sequence[View]:
        """Open or create every view in a folder. A new kind of view is one more in the list."""
        limits = self._limits(self.settings.query_timeout)
        minter = self.minter(base)
        return [
            Quads(
                folder / "quads",
                base=base,
                minter=minter,
                workers=self.queries,
                limits=limits,
                has_space=lambda: self._free() >= self.settings.min_free + _DEFERRING_FREE,
            ),
            Lineage(folder / "lineage", base=base, minter=minter),
            Search(folder / "search", base=base, minter=minter),
            OpenLineage(folder / "openlineage", base=base, minter=minter),
        ]

    def _sweep(self) -> None:
        # Content files are not synced to disk, so after a power cut they may be truncated. Those that were written
        # before the lock was acquired are removed, and derived again from the blobs, which are synced.
        for pattern in ("*.nq*", "*.json"):
            for file in self.parts.spool.glob(pattern):
                file.unlink(missing_ok=True)
        if not self.read_only:
            sweep(self.parts.spool)
            self.blobs.sweep()
            restore.sweep(self.settings.data)

    def cancel(self) -> None:
        """Kill the worker processes. Calls that wait for one raise WorkerFailed, as do all later calls."""
        if self._parts is not None:
            self._parts.follower.stop()
        self.queries.close()
        self.pool.close()

    def close(self) -> None:
        """Close everything. Running queries are killed first, since the views can be closed only after them."""
        for closer in self._closers:
            closer()
        self.queries.close()
        if self._parts is not None:
            self._parts.follower.close()
        self.pool.close()
        if self._parts is not None:
            self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {os.fspath(self.settings.data)}>"


def _queue_limits(settings: Settings) -> dict[Caller, int]:
    """Return how many calls of each class may wait for a worker: one thread of the class stays free."""
    threads, workers = shares(settings.threads), shares(settings.workers)
    return {caller: max(1, threads[caller] - workers[caller] - 1) for caller in (Caller.STRANGER, Caller.READER)}
