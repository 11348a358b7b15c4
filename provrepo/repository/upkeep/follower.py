"""The follower: applies ledger entries to the views, in the one process that holds ``views.lock``.

Any process may append to the ledger. The holder of the lock applies the entries of all processes: a server polls every
200 ms, and other processes catch up before they answer a query. A process that is killed between append and apply loses
nothing: each view stores its position, and the next holder continues from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from provrepo.errors import Busy, Damaged, Error
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.ledger import Ledger
from provrepo.repository.records import PUBLIC
from provrepo.repository.upkeep.derived_content import DerivedContent, replaced
from provrepo.repository.upkeep.mirror_keys import MirrorKeys
from provrepo.repository.upkeep.set_aside import CONTENT, LEDGER, SetAside, is_transient
from provrepo.repository.upkeep.view_dataset import ViewDataset, view_name
from provrepo.repository.upkeep.views_lock import ViewsLock
from provrepo.views.sparql.store import Quads
from provrepo.views.sqlite_view import SqliteView
from provrepo.views.view import Change, View

__all__ = ["Follower"]

log = logging.getLogger("provrepo.repository.upkeep.follower")

V = TypeVar("V")

INTERVAL = 0.2
"""Seconds between two polls for entries of other processes."""

_LARGE = 1 << 20
"""Bytes of a submission from which its datasets are loaded at the same time."""

_PAUSE = 5.0
"""Seconds to wait after an unexpected failure, so that it does not fill the log."""


class Follower:
    """Applies ledger entries to the views.

    After a transient failure (disk space, file descriptors, memory, a lock) the project keeps its position, and the
    next poll tries again. After any other failure the entry is set aside, and the entries after it are applied.

    Attributes:
        set_aside: the entries that a view failed on. ``rebuild`` tries them again.
        waiting: project → reason, for each project whose next entry could not be applied yet. The key ``REPOSITORY``
            stands for a failure that concerns all projects.
    """

    def __init__(
        self,
        ledger: Ledger,
        lock: ViewsLock,
        open_views: Callable[[str], Sequence[View]],
        derive: Callable[[Entry, str], Path | None],
        set_aside: SetAside,
        mirrors: MirrorKeys,
    ) -> None:
        """Take the ledger and the views; nothing is opened or locked yet.

        Args:
            ledger: the source of entries.
            lock: ``views.lock``.
            open_views: opens every view under a base IRI. It is called once the lock is acquired, and again when the
                base IRI changes.
            derive: makes the content file of a submission under a base IRI; None where its bytes were erased.
            set_aside: the record of the entries that a view failed on.
            mirrors: the record of what the views have of mirrors.
        """
        self._ledger = ledger
        self._lock = lock
        self._open_views = open_views
        self._derive = derive
        self._views: Sequence[View] | None = None
        self._base = ""
        self._position = -1  # the ledger's position at the last catch-up; -1 before the first
        self._applying = threading.RLock()
        self._rebuilding = False  # whether the base IRI was changed, and not all entries are applied under it yet
        self._defers = False  # whether views may let small submissions wait: only where a thread polls
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._again: set[str] = set()  # projects of changes that a view dropped, perhaps while they were followed
        self.set_aside = set_aside
        self._mirrors = mirrors
        self.waiting: dict[str, str] = {}

    @property
    def indexing(self) -> bool:
        """Whether this process holds the lock and its views are open."""
        return self._views is not None

    def acquire(self, url: str = "") -> bool:
        """Acquire the lock and open the views, unless another process holds it.

        Args:
            url: under which this process answers; empty where it is not a server.

        Returns:
            Whether the views are open in this process now.
        """
        if self._views is not None:
            # Checked without ``_applying``, which is held for as long as a large submission takes.
            return True
        with self._applying:
            if self._views is not None:
                return True
            if not self._lock.acquire(url):
                return False
            try:
                self._open()
            except BaseException:
                self._lock.release()
                raise
            return True

    def start(self, url: str = "") -> bool:
        """Catch up, then poll for new entries in a thread, as a server does; arguments and result as ``acquire``."""
        if not self.acquire(url):
            return False
        self.catch_up()
        self._defers = True
        self._defer()
        self._thread = threading.Thread(target=self._run, name="provrepo-follower", daemon=True)
        self._thread.start()
        return True

    def announce(self, url: str, socket: str = "") -> None:
        """Publish the URL of this server, and its socket for other processes of the same user, in the lock file."""
        self._lock.announce(url, socket)

    def socket(self) -> str:
        """Return the path of the socket on which the holder of the views answers; empty where there is none."""
        return str(self._lock.holder().get("socket") or "")

    def server(self) -> str:
        """Return the URL of the server that holds the views; empty where no other process does, or it has no URL."""
        return "" if self.indexing else str(self._lock.holder().get("url") or "")

    def view(self, kind: type[V]) -> V:
        """Return the open view of a class. Without a polling thread it is brought up to date first.

        Raises:
            Busy: another process holds the views; the message names its URL where it has one. Or the base IRI was
                changed, and the views are being built again.
        """
        if not self.acquire():
            holder = self._lock.holder()
            url = holder.get("url")
            hint = f"query it: provrepo query --endpoint {url}sparql" if url else "end it first"
            raise Busy(
                f"another process ({holder.get('pid', 'unknown')}) holds the views of this data directory; {hint}"
            )
        if self._thread is None:
            # With a thread, a reader does not wait until a large submission of another client is loaded.
            self.catch_up()
        elif self._rebuilding:
            raise Busy("the base IRI was changed, and everything is being indexed again; try again later")
        for view in self._views or ():
            if isinstance(view, kind):
                return view
        raise LookupError(f"no view of kind {kind.__name__} is registered")

    def catch_up(self) -> None:
        """Apply every entry that a view has not applied yet. Transient failures are recorded in ``waiting``."""
        with self._applying:
            if self._views is None:
                return
            position = self._ledger.position()
            if position == self._position and not (self.waiting or self._again or self._mirrors.changed()):
                return
            try:
                self._apply_until(position)
                self._rewrite()
            except Exception as error:
                if not is_transient(error):
                    raise
                self.postpone(REPOSITORY, error)
            else:
                self.waiting.pop(REPOSITORY, None)

    def _apply_until(self, position: int) -> None:
        if self._current_base() != self._base:
            self._rebuilding = True
            self._reopen()
            self._position = -1
        leveled = self._mirrors.level(self._views or ())
        if self._position < 0 or PUBLIC in leveled:
            for view in self._views or ():
                self._check_stamps(view)
            # New views have the whole ledger to apply.
            with self._batched():
                for project in self._ledger.projects():
                    self._update(project)
        else:
            # To look at every project after every entry would make a submission cost O(projects).
            changed = {project for project, _ in self._ledger.projects_changed_since(self._position)}
            with self._batched() if position - self._position > 1 else nullcontext():
                for project in sorted((changed | leveled | self.waiting.keys() | self._again) - {REPOSITORY}):
                    self._update(project)
        self._position = position
        self._rebuilding = False

    def rebuild(self, progress: Callable[[str, int], None] | None = None) -> None:
        """Discard the content of every view and apply the whole ledger again.

        Args:
            progress: called with each project and the number of its entries.

        Raises:
            Busy: another process holds the views.
        """
        with self._applying:
            if not self.acquire():
                raise Busy("another process holds the views of this data directory; end it first")
            self.set_aside.clear()
            self._base = self._current_base()
            self._reopen()
            for view in self._views or ():
                view.reset()
            self._mirrors.level(self._views or ())
            with self._batched():
                for project in self._ledger.projects():
                    self._update(project)
                    if progress is not None:
                        progress(project, self._ledger.length(project))
            self._rewrite()

    def stop(self) -> None:
        """Stop polling. Failures from now on, because workers are killed, set nothing aside."""
        self._stop.set()

    @contextmanager
    def paused(self) -> Iterator[Sequence[View]]:
        """Yield the open views, up to date. No other thread applies entries until the block ends."""
        with self._applying:
            self.catch_up()
            self._flush()
            if self._again:
                # What could not be loaded together is applied entry by entry, as by the next poll.
                self.catch_up()
            yield self._views or ()

    def close(self) -> None:
        """Stop polling, close the views and release the lock."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
        with self._applying:
            for view in self._views or ():
                view.close()
            self._views = None
            self._lock.release()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self.catch_up()
                self._flush(due=True)
            except Exception:  # the thread must survive any exception of a view
                log.exception("the views could not be brought up to date; trying again")
                self._stop.wait(_PAUSE)

    def _current_base(self) -> str:
        return str(self._ledger.settings(REPOSITORY).get("base", ""))

    def _reopen(self) -> None:
        for view in self._views or ():
            if isinstance(view, Quads):
                view.close(forever=True)
            else:
                view.close()
        self._open()

    def _open(self) -> None:
        self._base = self._current_base()
        self._views = self._open_views(self._base)
        if self._defers:
            self._defer()

    def gather(self) -> None:
        """Let small submissions wait in the views from now on, as in a server. A flush or a reader loads them."""
        with self._applying:
            self._defers = True
            self._defer()

    def _defer(self) -> None:
        for view in self._views or ():
            if isinstance(view, Quads):
                view.defer(self._dropped)

    def _dropped(self, projects: set[str], error: Exception) -> None:
        # First this, since the thread that follows the project may be about to remove it from ``waiting``.
        self._again |= projects
        for project in projects:
            self.postpone(project, error)

    def _flush(self, *, due: bool = False) -> None:
        """Load what waits in the views. What cannot be loaded is applied again by the next poll, entry by entry."""
        for view in self._views or ():
            if isinstance(view, Quads):
                with suppress(Busy):
                    view.flush(due=due)

    def _rewrite(self) -> None:
        """Remove the strings of what was erased from the files of the views."""
        for view in self._views or ():
            if isinstance(view, Quads | SqliteView):
                view.rewrite()

    @contextmanager
    def _batched(self) -> Iterator[None]:
        """Apply many entries with few transactions, in the views that support it."""
        with ExitStack() as stack:
            for view in self._views or ():
                if isinstance(view, SqliteView):
                    stack.enter_context(view.together())
            yield

    def _check_stamps(self, view: View) -> None:
        """Clear the datasets that another version of the code built, or that have another base IRI."""
        for dataset in view.datasets():
            if view.stamp(dataset) != view.STAMP:
                log.info("dataset %s was built differently and is built again", dataset)
                view.clear(dataset)
                self.set_aside.forget(view_name(view))

    def _update(self, project: str) -> None:
        """Apply the new entries of one project. A failure does not affect the other projects.

        An entry of a kind that this version does not know stops the project, since later entries may depend on it.
        """
        self._again.discard(project)
        try:
            self._apply_new(project)
        except Exception as error:
            if is_transient(error):
                self.postpone(project, error)
            elif isinstance(error, Damaged):
                self._stop_project(project, LEDGER, error)
            else:
                raise
        else:
            if project not in self._again:
                self.waiting.pop(project, None)
            self.set_aside.discard(project, None, LEDGER)

    def postpone(self, project: str, error: Exception) -> None:
        """Log a failure and keep its reason in ``waiting`` until the next poll.

        Args:
            project: the project that is not up to date; ``REPOSITORY`` for all.
            error: the reason.
        """
        reason = str(error) or type(error).__name__
        if self.waiting.get(project) != reason:
            log.warning("%s is not indexed yet (%s); trying again", project or "the ledger", reason)
        self.waiting[project] = reason

    def _stop_project(self, project: str, part: str, error: Exception) -> None:
        log.error("project %s is not followed any further: %s", project, error)
        self.set_aside.add(project, None, part, str(error))

    def _apply_new(self, project: str) -> None:
        # Before the targets: an entry that was appended after the project became private is not for the public dataset.
        length = self._ledger.length(project)
        targets = self._targets(project)
        applied = min((target.position for target in targets), default=0)
        if applied >= length:
            return
        new = length - applied
        outdated = replaced(self._ledger, project, after=applied) if new > 1 else set[int]()
        delayed: Exception | None = None
        for entry in self._ledger.entries(project, after=applied, limit=new):
            if entry.sequence > length:
                break
            behind = [target for target in targets if target.position < entry.sequence]
            # Derived at most once, for all views and datasets.
            content = DerivedContent(lambda entry=entry: self._content(entry))  # type: ignore[misc]
            try:
                current = entry.sequence not in outdated
                contents = [content if current or target.view.HISTORY else None for target in behind]
                for target, error in self._advance_all(behind, entry, contents):
                    # The other views go on.
                    targets.remove(target)
                    if is_transient(error):
                        delayed = error
                    else:
                        self._stop_project(project, target.name, error)
                        if isinstance(target.view, Quads):
                            target.view.give_up(target.dataset, project)
            finally:
                content.close()
        if delayed is not None:
            raise delayed

    def _advance_all(
        self, targets: Sequence[ViewDataset], entry: Entry, contents: Sequence[DerivedContent | None]
    ) -> list[tuple[ViewDataset, Exception]]:
        """Apply an entry to datasets, each with its content; return those that failed, with the reason.

        Large content is loaded into the quads view in threads: a bulk load does not hold Python's lock.
        """

        def advance(target: ViewDataset, content: DerivedContent | None) -> Exception | None:
            try:
                self._advance(target, entry, content)
            except Exception as error:  # noqa: BLE001 (a view may raise anything)
                return error
            return None

        pairs = list(zip(targets, contents, strict=True))
        if entry.kind != "submit" or entry.body["size"] < _LARGE:
            errors = [advance(*pair) for pair in pairs]
        else:
            with ThreadPoolExecutor(max_workers=len(targets) or 1) as threads:
                running = {
                    number: threads.submit(advance, *pair)
                    for number, pair in enumerate(pairs)
                    if isinstance(pair[0].view, Quads)
                }
                errors = [None if number in running else advance(*pair) for number, pair in enumerate(pairs)]
            for number, future in running.items():
                errors[number] = future.result()
        return [(target, error) for target, error in zip(targets, errors, strict=True) if error is not None]

    def _targets(self, project: str) -> list[ViewDataset]:
        """Return the datasets that a project's entries go to: its own in every view, and if public the merged ones."""
        public = bool(self._ledger.settings(project).get("public", False))
        targets: list[ViewDataset] = []
        for view in self._views or ():
            if not public and view.MERGES and not self._mirrors.public_twin(project):
                view.remove_project(PUBLIC, project)
            for dataset in [project, PUBLIC] if public and view.MERGES else [project]:
                targets.append(ViewDataset(view, dataset, view.position(dataset, project)))
        return targets

    def _advance(self, target: ViewDataset, entry: Entry, content: DerivedContent | None) -> None:
        """Apply an entry, after skipping the unreadable entries before it, which ``fsck`` reports.

        When the view fails on the entry, it gets the entry without content; when it fails again, it skips the entry.

        Raises:
            Exception: the view failed even to skip the entry, or the failure is transient (``is_transient``).
        """
        for missing in range(target.position + 1, entry.sequence):
            self.set_aside.add(entry.project, missing, LEDGER, "the entry cannot be read")
            target.apply(self._skipped(entry.project, missing))
        try:
            target.apply(self._change(entry, content))
        except Exception as error:
            if is_transient(error):
                raise
            self._set_aside(target, entry, error)

    def _set_aside(self, target: ViewDataset, entry: Entry, error: Exception) -> None:
        try:
            target.apply(self._change(entry, None))
        except Exception as again:
            if is_transient(again):
                raise
            target.apply(self._skipped(entry.project, entry.sequence))
        log.error("entry %s/%s is set aside by a view: %s", entry.project, entry.sequence, error)
        self.set_aside.add(entry.project, entry.sequence, target.name, str(error) or type(error).__name__)

    def _skipped(self, project: str, sequence: int) -> Change:
        return Change(project, sequence, "", {"kind": "skipped"}, self._base)

    def _change(self, entry: Entry, content: DerivedContent | None) -> Change:
        if not entry.effective or entry.kind not in ("submit", "withdraw", "erase", "settings"):
            # Other kinds change nothing in a view but its position.
            return Change(entry.project, entry.sequence, entry.sha256, {"kind": "skipped"}, self._base)
        if entry.kind != "submit" or content is None or content.original() is None:
            return Change(entry.project, entry.sequence, entry.sha256, entry.fields, self._base)
        return Change(
            entry.project, entry.sequence, entry.sha256, entry.fields, self._base, content.link, content.extraction
        )

    def _content(self, entry: Entry) -> Path | None:
        try:
            content = self._derive(entry, self._base)
        except Error as error:
            if is_transient(error):
                raise
            if self._stop.is_set():
                raise Busy("the process is ending") from error
            log.error("entry %s/%s is set aside: %s", entry.project, entry.sequence, error)
            self.set_aside.add(entry.project, entry.sequence, CONTENT, str(error))
            return None
        self.set_aside.discard(entry.project, entry.sequence, CONTENT)
        return content
