"""The follower: the one process that holds ``views.lock`` applies ledger entries to the views.

Any process may append to the ledger. The holder of the lock applies what others appended as well: a server looks every
200 ms, everybody else before answering a query. A kill between append and apply costs nothing: what the views have
applied is written in the views, so the next holder goes on from there.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from provrepo.errors import Busy, Damaged, Error
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.ledger import Ledger
from provrepo.repository.records import PUBLIC
from provrepo.repository.upkeep.set_aside import CONTENT, LEDGER, SetAside, is_transient
from provrepo.views.sqlite_view import SqliteView
from provrepo.views.view import Change, View

__all__ = ["Follower", "ViewsLock"]

log = logging.getLogger("provrepo.repository.upkeep.follower")

V = TypeVar("V")

INTERVAL = 0.2
"""Seconds between two looks for entries that other processes appended."""

_PAUSE = 5.0
"""Seconds to wait after a failure that has no name here, so that it does not fill the log."""


class ViewsLock:
    """An advisory lock on a file, held by a process and let go by its death.

    The file says who holds it and, when a server does, under which URL it answers.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._file is not None

    def acquire(self, url: str = "") -> bool:
        """Take the lock without waiting; whether that succeeded."""
        if self._file is None:
            file = self._path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._file = file
        self.announce(url)
        return True

    def announce(self, url: str, socket: str = "") -> None:
        """Write down who holds the lock, and where other processes can ask it."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            json.dump({"pid": os.getpid(), "url": url, "socket": socket}, self._file)
            self._file.flush()

    def holder(self) -> dict[str, Any]:
        """What the holder wrote down: ``pid``, ``url`` and ``socket``; empty where nothing can be read."""
        try:
            found = json.loads(self._path.read_text("utf-8") or "{}")
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        """Let go of the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Follower:
    """Brings the views up to the ledger.

    A failure that another try may mend (space, descriptors, memory, a lock) leaves the project where it is; the next
    look tries it again. Any other failure sets the entry aside, and the entries after it are applied.

    Attributes:
        set_aside: the entries that a view could not take. They do not stop the others, and ``rebuild`` tries them
            again.
        waiting: for each project whose next entry could not be applied yet, the reason.
    """

    def __init__(
        self,
        ledger: Ledger,
        lock: ViewsLock,
        views: Callable[[str], Sequence[View]],
        derive: Callable[[Entry, str], Path | None],
        set_aside: SetAside,
    ) -> None:
        """Follow ``ledger``.

        Args:
            ledger: what is followed.
            lock: ``views.lock``.
            views: opens every view under a base IRI; called once the lock is held, and again when the base changes.
            derive: makes the content file of a submit entry under a base IRI; None where its bytes were erased.
            set_aside: where entries that a view cannot take are written down.
        """
        self._ledger = ledger
        self._lock = lock
        self._open = views
        self._derive = derive
        self._views: Sequence[View] | None = None
        self._base = ""
        self._seen = -1
        self._applying = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.set_aside = set_aside
        self.waiting: dict[str, str] = {}

    @property
    def indexing(self) -> bool:
        """Whether this process holds the lock and its views are open."""
        return self._views is not None

    def acquire(self, url: str = "") -> bool:
        """Take the lock and open the views, if nobody else has them; whether they are this process's now."""
        if self._views is not None:
            # Asked before the lock is: who applies a large submission holds it for as long as that takes.
            return True
        with self._applying:
            if self._views is not None:
                return True
            if not self._lock.acquire(url):
                return False
            try:
                self._base = self._current_base()
                self._views = self._open(self._base)
            except BaseException:
                self._lock.release()
                raise
            return True

    def start(self, url: str = "") -> bool:
        """Catch up, then keep looking for new entries in a thread of its own; what a server does."""
        if not self.acquire(url):
            return False
        self.catch_up()
        self._thread = threading.Thread(target=self._run, name="provrepo-follower", daemon=True)
        self._thread.start()
        return True

    def announce(self, url: str, socket: str = "") -> None:
        """Tell other processes under which URL this one answers, and on which socket those of its user."""
        self._lock.announce(url, socket)

    def listens(self) -> str:
        """The path of the socket on which the holder of the views answers; empty where there is none."""
        return str(self._lock.holder().get("socket") or "")

    def server(self) -> str:
        """The URL of the server that holds the views; empty where it is another process, this one or none."""
        return "" if self.indexing else str(self._lock.holder().get("url") or "")

    def view(self, kind: type[V]) -> V:
        """The open view of that class, brought up to the ledger first unless a thread does that anyway.

        Raises:
            Busy: another process holds the views; the message names its URL where it has one.
        """
        if not self.acquire():
            holder = self._lock.holder()
            url = holder.get("url")
            hint = f"ask it: provrepo query --endpoint {url}sparql" if url else "end it first, or ask it"
            raise Busy(
                f"another process ({holder.get('pid', 'unknown')}) holds the views of this data directory; {hint}"
            )
        if self._thread is None:
            # With a thread that follows, a reader does not wait for somebody's large submission to be loaded.
            self.catch_up()
        for view in self._views or ():
            if isinstance(view, kind):
                return view
        raise LookupError(f"no view of kind {kind.__name__} is registered")

    def catch_up(self) -> None:
        """Apply every entry that the views do not have yet, as far as they can take it now; see ``waiting``."""
        with self._applying:
            if self._views is None:
                return
            position = self._ledger.position()
            if position == self._seen and not self.waiting:
                return
            try:
                self._apply_until(position)
            except Exception as error:
                if not is_transient(error):
                    raise
                self.postpone(REPOSITORY, error)
            else:
                self.waiting.pop(REPOSITORY, None)

    def _apply_until(self, position: int) -> None:
        if self._current_base() != self._base:
            self._reopen()
            self._seen = -1
        if self._seen < 0:
            for view in self._views or ():
                self._check_stamps(view)
            # There may be everything to apply: the views may be new.
            with self._together():
                for project in self._ledger.projects():
                    self._try(project)
        else:
            # Asking every project after every entry would make a submission cost what there are projects.
            changed = {project for project, _ in self._ledger.projects_changed_since(self._seen)}
            for project in sorted((changed | self.waiting.keys()) - {REPOSITORY}):
                self._try(project)
        self._seen = position

    def rebuild(self, progress: Callable[[str, int], None] | None = None) -> None:
        """Throw every view away and apply the whole ledger again.

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
            with self._together():
                for project in self._ledger.projects():
                    self._try(project)
                    if progress is not None:
                        progress(project, self._ledger.length(project))

    def stop(self) -> None:
        """Follow no further: what fails from now on, because workers are killed, is left for the next process."""
        self._stop.set()

    @contextmanager
    def still(self) -> Iterator[Sequence[View]]:
        """The open views, brought up to the ledger, and not changed by others until the block ends."""
        with self._applying:
            self.catch_up()
            yield self._views or ()

    def close(self) -> None:
        """Stop following, close the views and let go of the lock."""
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
            except Exception:  # this thread must outlive whatever a view raises
                log.exception("the views could not be brought up to the ledger; trying again")
                self._stop.wait(_PAUSE)

    def _current_base(self) -> str:
        return str(self._ledger.settings(REPOSITORY).get("base", ""))

    def _reopen(self) -> None:
        for view in self._views or ():
            view.close()
        self._base = self._current_base()
        self._views = self._open(self._base)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Apply many entries with few transactions, in the views that can do so."""
        with ExitStack() as stack:
            for view in self._views or ():
                if isinstance(view, SqliteView):
                    stack.enter_context(view.together())
            yield

    def _check_stamps(self, view: View) -> None:
        """Clear what was built by another version of the code or under another base IRI."""
        for dataset in view.datasets():
            if view.stamp(dataset) != view.STAMP:
                log.info("dataset %s was built differently and is built again", dataset)
                view.clear(dataset)
                self.set_aside.forget(_name(view))

    def _try(self, project: str) -> None:
        """Follow one project; what stops it does not stop the others.

        That is an entry of a kind that this version does not know: what comes after it might depend on it.
        """
        try:
            self._follow(project)
        except Exception as error:
            if is_transient(error):
                self.postpone(project, error)
            elif isinstance(error, Damaged):
                self._stopped(project, LEDGER, error)
            else:
                raise
        else:
            self.waiting.pop(project, None)
            self.set_aside.discard(project, None, LEDGER)

    def postpone(self, project: str, error: Exception) -> None:
        """Log why a project, or all of them, could not be followed, and keep it in ``waiting`` for the next look."""
        reason = str(error) or type(error).__name__
        if self.waiting.get(project) != reason:
            log.warning("%s is not indexed yet (%s); trying again", project or "the ledger", reason)
        self.waiting[project] = reason

    def _stopped(self, project: str, part: str, error: Exception) -> None:
        log.error("project %s is not followed any further: %s", project, error)
        self.set_aside.add(project, None, part, str(error))

    def _follow(self, project: str) -> None:
        places = self._places(project)
        applied = min((place.position for place in places), default=0)
        if applied >= self._ledger.length(project):
            return
        replaced = self._replaced(project, after=applied)
        delayed: Exception | None = None
        for entry in self._ledger.entries(project, after=applied):
            behind = [place for place in places if place.position < entry.sequence]
            # Made once, for every view and dataset that wants it.
            content = _Content(lambda entry=entry: self._content(entry))  # type: ignore[misc]
            try:
                for place in behind:
                    wanted = place.view.HISTORY or entry.sequence not in replaced
                    try:
                        self._advance(place, entry, content if wanted else None)
                    except Exception as error:  # noqa: BLE001 (a view may raise anything)
                        # What one view cannot take does not keep the others back.
                        places.remove(place)
                        if is_transient(error):
                            delayed = error
                        else:
                            self._stopped(project, place.name, error)
            finally:
                content.close()
        if delayed is not None:
            raise delayed

    def _places(self, project: str) -> list[_Place]:
        """Where a project's entries go: its own dataset of every view, and the merged one while it is public."""
        public = bool(self._ledger.settings(project).get("public", False))
        places: list[_Place] = []
        for view in self._views or ():
            if not public and view.position(PUBLIC, project):
                view.remove_project(PUBLIC, project)
            for dataset in [project, PUBLIC] if public and view.MERGES else [project]:
                places.append(_Place(view, dataset, view.position(dataset, project)))
        return places

    def _advance(self, place: _Place, entry: Entry, content: _Content | None) -> None:
        """Apply an entry, and step over those before it that cannot be read: ``fsck`` reports them.

        What a view cannot take is offered again without its content, and at last as an entry that is stepped over.

        Raises:
            Exception: the view could not even step over it, or another try may succeed (``is_transient``).
        """
        for missing in range(place.position + 1, entry.sequence):
            self.set_aside.add(entry.project, missing, LEDGER, "the entry cannot be read")
            place.apply(self._stepped_over(entry.project, missing))
        try:
            place.apply(self._change(entry, content))
        except Exception as error:
            if is_transient(error):
                raise
            self._leave_out(place, entry, error)

    def _leave_out(self, place: _Place, entry: Entry, error: Exception) -> None:
        try:
            place.apply(self._change(entry, None))
        except Exception as again:
            if is_transient(again):
                raise
            place.apply(self._stepped_over(entry.project, entry.sequence))
        log.error("entry %s/%s is set aside by a view: %s", entry.project, entry.sequence, error)
        self.set_aside.add(entry.project, entry.sequence, place.name, str(error) or type(error).__name__)

    def _stepped_over(self, project: str, sequence: int) -> Change:
        return Change(project, sequence, "", {"kind": "skipped"}, self._base)

    def _change(self, entry: Entry, content: _Content | None) -> Change:
        if not entry.effective or entry.kind in ("identity", "gap", "token", "name"):
            # Nothing that a view shows changes by it.
            return Change(entry.project, entry.sequence, entry.sha256, {"kind": "skipped"}, self._base)
        if entry.kind != "submit" or content is None or content.original() is None:
            return Change(entry.project, entry.sequence, entry.sha256, entry.fields, self._base)
        return Change(entry.project, entry.sequence, entry.sha256, entry.fields, self._base, content.link)

    def _replaced(self, project: str, after: int) -> set[int]:
        """Submissions that a later entry of the stretch to apply takes out of the dataset again.

        Views without a history need not load their content: the result is the same, and costs what is current and not
        what ever was.
        """
        newest: dict[str, int] = {}
        replaced: set[int] = set()
        for entry in self._ledger.entries(project, after=after):
            document = entry.fields.get("document")
            if not isinstance(document, str):
                continue
            if entry.kind in ("submit", "withdraw") and document in newest:
                replaced.add(newest.pop(document))
            if entry.kind == "submit":
                newest[document] = entry.sequence
        return replaced

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


@dataclass(slots=True, eq=False)
class _Place:
    """A dataset of a view, with the last entry of the project in question that it has."""

    view: View
    dataset: str
    position: int

    @property
    def name(self) -> str:
        """What the view is called in messages."""
        return _name(self.view)

    def apply(self, change: Change) -> None:
        self.view.apply(self.dataset, change)
        self.position = change.sequence


def _name(view: View) -> str:
    return type(view).__name__.lower()


class _Content:
    """The content file of one entry, made when first asked for and handed out once for each dataset of each view."""

    def __init__(self, make: Callable[[], Path | None]) -> None:
        self._make = make
        self._file: Path | None = None
        self._made = False
        self._links = 0

    def original(self) -> Path | None:
        if not self._made:
            self._file, self._made = self._make(), True
        return self._file

    def link(self) -> Path:
        """Another name of the file, for a view to read and delete."""
        file = self.original()
        if file is None:
            raise FileNotFoundError("this entry has no content")
        self._links += 1
        link = file.with_name(f"{file.name}.{self._links}")
        link.unlink(missing_ok=True)
        os.link(file, link)
        return link

    def close(self) -> None:
        if self._file is not None:
            for number in range(1, self._links + 1):
                self._file.with_name(f"{self._file.name}.{number}").unlink(missing_ok=True)
            self._file.unlink(missing_ok=True)
