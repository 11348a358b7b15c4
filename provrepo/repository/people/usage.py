"""When tokens were used last: by the hour, and written beside the requests, which never wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from provrepo.errors import Error
from provrepo.ledger.entries import now

__all__ = ["TokenUses"]

_log = logging.getLogger(__name__)


class TokenUses:
    """The uses of tokens in this process that are not stored yet."""

    def __init__(self, store: Callable[[Mapping[str, str]], None]) -> None:
        """Take the function that stores the hours of tokens, by their identifiers."""
        self._store = store
        self._lock = threading.Lock()
        self._noted: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def note(self, token: str) -> None:
        """Note that a token is used now. At most once an hour this leads to a write, in another thread."""
        hour = f"{now()[:13]}:00:00.000Z"
        if self._noted.get(token) == hour:
            return
        with self._lock:
            self._noted[token] = self._waiting[token] = hour
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="token-uses", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Wait until what was noted is stored."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _write(self) -> None:
        while True:
            with self._lock:
                uses, self._waiting = self._waiting, {}
                if not uses:
                    self._thread = None
                    return
            try:
                self._store(uses)
            except Error as error:
                # The next hour is another chance; a full disk or a busy database must not cost more than this.
                _log.warning("the last use of %d tokens was not stored: %s", len(uses), error)
