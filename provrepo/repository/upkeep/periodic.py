"""Work that a server repeats: the one thread for it, with a pause after each time, until the store is closed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from provrepo.errors import Error

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["Periodic"]

_log = logging.getLogger(__name__)


class Periodic:
    """A thread that does some work, waits, and does it again, until it is stopped, the store drains or is closed.

    No error ends the thread. It is logged, once for as long as the same error occurs: a full disk fails each time.

    Attributes:
        name: names the thread and the work in messages.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        work: Callable[[], object],
        *,
        seconds: float,
        now: bool = False,
        ending: float = 5.0,
    ) -> None:
        """Take the work; nothing runs yet.

        Args:
            store: the data directory; ``close`` of it stops the thread.
            name: names the work in messages, such as ``sending notices``.
            work: what is done. Long work asks ``stopping`` now and then, and returns when it is true.
            seconds: the pause; with 0 the work is never done.
            now: whether the work is done at once, and not only after the first pause.
            ending: the most seconds that ``stop`` waits for work under way; what is left is done after the next start.
        """
        self.name = name
        self._store = store
        self._work = work
        self._seconds = seconds
        self._now = now
        self._ending = ending
        self._stopped = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name=f"provrepo: {name}", daemon=True)

    def start(self) -> None:
        """Start the thread, unless there is no pause or the data directory is read-only."""
        if self._seconds and not self._store.read_only:
            self._store.on_close(self.stop)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, after the work under way or the seconds for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(self._ending)

    def stopping(self) -> bool:
        """Whether work under way should end early."""
        return self._stopped.is_set() or self._store.draining

    def _run(self) -> None:
        pause = 0.0 if self._now else self._seconds
        while not self._stopped.wait(pause) and not self.stopping():
            pause = self._seconds
            try:
                self._work()
                self._failure = ""
            except Exception as error:  # noqa: BLE001 (anything must not end the thread)
                if self._stopped.is_set():
                    return  # the store may have been closed meanwhile
                self._report(error)

    def _report(self, error: Exception) -> None:
        failure = f"{type(error).__name__}: {error}"
        if failure != self._failure:
            self._failure = failure
            # An error of this package says what is wrong; of any other the place in the code is needed.
            _log.warning("%s failed, and is tried again: %s", self.name, error, exc_info=not isinstance(error, Error))
